//! References to packets: what every conclusion stands on.

use serde::Serialize;

use super::frame::FrameId;
use super::time::Ts;

/// One frame with the moment it was captured.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FrameRef {
    /// The frame.
    pub frame: FrameId,
    /// Its capture time; the watermark where the format records none.
    pub time: Ts,
}

/// One sighting that supports a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The frame and its time.
    pub at: FrameRef,
    /// What is seen there, for a person: "INVITE in clear over UDP".
    pub what: String,
    /// At most 256 octets of the packet, made printable and redacted; `None` where the fact itself
    /// says enough.
    pub excerpt: Option<String>,
    /// The same packet at other taps, or once more at the same one, in the order of time; at most
    /// [`crate::policy::limits::EVIDENCE_SIGHTINGS`]. Looked for where there are several sources.
    pub sightings: Vec<FrameRef>,
}
