//! The JSON Schema of the report: `overhear schema`.

/// JSON Schema 2020-12 of what [`super::json`] writes.
pub const TEXT: &str = include_str!("../../docs/overhear.report.schema.json");
