//! What a review hands to the writers: everything that was concluded, and nothing of the packets.

use crate::correlate::archive::Archive;
use crate::model::addr::Endpoint;
use crate::model::capture::{CaptureRecord, Counts};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Finding, Severity};
use crate::policy::Policy;

/// The result of a review.
#[derive(Debug)]
pub struct Outcome {
    /// The sources, and where every frame went.
    pub capture: CaptureRecord,
    /// What was counted.
    pub counts: Counts,
    /// Finished records.
    pub archive: Archive,
    /// Findings in the report's order: by first frame, then id.
    pub findings: Vec<Finding>,
    /// Sentences: what cannot be known from this capture and why.
    pub limits: Vec<String>,
    /// Limits and thresholds in force.
    pub policy: Policy,
    /// The steps of the calls asked for, in order; empty unless a ladder was.
    pub ladder: Vec<Step>,
}

/// One arrow of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The frame, the first one of a stream.
    pub at: FrameRef,
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// What the arrow carries: `INVITE`, `200 OK`, `PCMU 2,126 packets`.
    pub label: String,
    /// More about it, printed behind the label: `SDP offer`.
    pub note: Option<String>,
    /// The message repeats an earlier one of its transaction.
    pub retransmission: bool,
    /// Message or stream.
    pub kind: StepKind,
}

/// What a step is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A SIP message.
    Message,
    /// A media stream.
    Stream,
}

impl Outcome {
    /// Whether something is known to be missing from the evidence: a truncated source, frames or
    /// records dropped, state evicted. "Nothing found" proves nothing then.
    pub fn incomplete(&self) -> bool {
        self.capture.sources.iter().any(|source| source.truncated)
            || self.capture.dropped.values().any(|count| *count > 0)
            || self.capture.evicted.values().any(|count| *count > 0)
            || !self.archive.refused().is_empty()
    }

    /// The worst severity found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}
