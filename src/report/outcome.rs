//! What a review hands to the writers: everything that was concluded, and nothing of the packets.

use crate::correlate::archive::Archive;
use crate::correlate::tls_peers::TlsSummary;
use crate::model::addr::Endpoint;
use crate::model::capture::{CaptureRecord, Counts, PeerRecord};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Finding, Severity};
use crate::model::revealed::Revealed;
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
    /// What clients of TLS offer, servers accept and refuse, and how good that is.
    pub tls: TlsSummary,
    /// What peers write beyond the registries, by address.
    pub peers: Vec<PeerRecord>,
    /// What stands behind labels; nothing unless that was asked for.
    pub secrets: Vec<Revealed>,
    /// The file that the packets of interfaces went to, if they went to one.
    pub recording: Option<String>,
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

    /// Books what the archive could not keep where readers look for it: under `evicted`, and a
    /// fault of the spool under `limits`. Writers call it first; again changes nothing.
    pub(super) fn book_archive(&mut self) {
        self.capture.evicted.extend(self.archive.refused());
        if let Some(fault) = self.archive.fault()
            && !self.limits.iter().any(|limit| limit == fault)
        {
            self.limits.push(fault.to_owned());
        }
    }

    /// The worst severity found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

#[cfg(test)]
mod tests {
    use crate::correlate::archive::Archive;
    use crate::correlate::sample;
    use crate::policy::Limits;
    use crate::report::sample::outcome;

    #[test]
    fn records_that_found_no_room_are_booked_once_and_make_the_evidence_incomplete() {
        let mut outcome = outcome();
        outcome.capture.sources[0].truncated = false;
        assert!(!outcome.incomplete());
        let limits = Limits { records_octets: 0, spool_octets: 0, ..Limits::default() };
        outcome.archive = Archive::new(&limits);
        outcome.archive.push_call(&sample::call(1));
        outcome.archive.push_call(&sample::call(2));
        assert!(outcome.incomplete());
        outcome.book_archive();
        outcome.book_archive();
        assert_eq!(outcome.capture.evicted.get("call_records"), Some(&1));
    }
}
