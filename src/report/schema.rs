//! The JSON Schema of the report: `overhear schema`.

/// JSON Schema 2020-12 of what [`super::json`] writes.
pub const TEXT: &str = include_str!("../../docs/overhear.report.schema.json");

/// JSON Schema 2020-12 of a line that [`super::ndjson`] writes.
pub const EVENTS: &str = include_str!("../../docs/overhear.event.schema.json");

#[cfg(test)]
#[path = "../../tests/support/schema.rs"]
mod checker;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json, sample};
    use serde_json::Value;

    fn written() -> Value {
        let mut octets = Vec::new();
        json::write(&mut sample::outcome(), 1, &mut octets).unwrap();
        serde_json::from_slice(&octets).unwrap()
    }

    #[test]
    fn a_written_report_follows_the_schema() {
        let schema: Value = serde_json::from_str(TEXT).unwrap();
        assert_eq!(checker::faults(&schema, &written()), [""; 0]);
    }

    #[test]
    fn the_schema_names_every_key_that_is_written() {
        let schema: Value = serde_json::from_str(TEXT).unwrap();
        let report = written();
        for (list, definition) in [
            ("calls", "call"),
            ("registrations", "registration"),
            ("streams", "stream"),
            ("handshakes", "handshake"),
            ("findings", "finding"),
        ] {
            let properties = schema["$defs"][definition]["properties"].as_object().unwrap();
            for key in report[list][0].as_object().unwrap().keys() {
                assert!(properties.contains_key(key), "{definition}.{key} is not in the schema");
            }
        }
    }

    #[test]
    fn the_checker_sees_what_is_wrong() {
        let schema: Value = serde_json::from_str(TEXT).unwrap();
        let mut report = written();
        report["calls"][0]["state"] = "gone".into();
        report["streams"][0]["ssrc"] = 7.into();
        report["counts"].as_object_mut().unwrap().remove("calls");
        let faults = checker::faults(&schema, &report);
        for place in ["$.calls[0].state", "$.streams[0].ssrc", "$.counts"] {
            assert!(faults.iter().any(|fault| fault.starts_with(place)), "{place}: {faults:?}");
        }
    }
}
