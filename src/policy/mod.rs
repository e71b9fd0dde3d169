//! L1: every number that decides something: caps, time-outs and thresholds.

pub mod fallback;
pub mod limits;
pub mod media;
pub mod thresholds;
pub mod tls;

use std::sync::Arc;

pub use limits::Limits;
pub use thresholds::Thresholds;

/// Everything that configuration can change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Caps and time-outs.
    pub limits: Limits,
    /// Thresholds of the rules.
    pub thresholds: Thresholds,
    /// Certificates in DER of the authorities that peers are supposed to trust; none says nothing.
    pub anchors: Arc<[Vec<u8>]>,
}
