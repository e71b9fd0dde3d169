//! `SENSOR-RTP-LOOKALIKE`: datagrams that pass for RTP at first sight only.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{StreamSeen, TapSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::plural;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A UDP flow whose datagrams have the header of RTP, but whose sequence numbers, timestamps
    /// and payloads do not behave like a stream: games, building control, file systems, relays.
    /// Flows of a few packets only are not named: one identifier in six of DNS passes for RTP.
    ///
    /// ## Why it matters
    /// It is not listed as a stream. Counting it keeps that decision visible: if real media is
    /// among these, it was not judged.
    ///
    /// ## Evidence
    /// The first packet of each flow, with its packets.
    ///
    /// ## False positives
    /// Real RTP from a sender that breaks its own sequence or timestamps.
    ///
    /// ## Fix
    /// Nothing, unless the addresses are known to carry media: then the sender is at fault.
    id: "SENSOR-RTP-LOOKALIKE",
    name: "sensor-rtp-lookalike",
    title: "Traffic that looks like RTP and is not",
    severity: Info ..= Info,
    status: Stable,
    wants: [STRANGE, TAP],
    references: ["RFC 3550 §5.1", "RFC 3550 §A.1"],
    remediation: super::FIX,
    question: None,
    thresholds: ["lookalike_min_packets"],
    since: "0.1.0",
}

/// Tally: packets.
const PACKETS: usize = 0;

/// The rule at work.
pub(crate) struct RtpLookalike {
    least: u64,
}

pub(crate) const fn new(policy: &Policy) -> RtpLookalike {
    RtpLookalike { least: policy.thresholds.lookalike_min_packets }
}

impl RtpLookalike {
    fn flow(&self, src: Endpoint, dst: Endpoint, at: FrameRef, packets: u64, sink: &mut Sink) {
        if packets < self.least {
            return;
        }
        let subject = Subject::pair(src.addr, dst.addr);
        let sighting = Sighting::new(&META, subject, at).confidence(Confidence::Medium);
        sink.sighting(sighting, |_| {
            (format!("{src} to {dst}, {}", plural(packets, "RTP-like packet")), None)
        })
        .add(PACKETS, packets);
    }
}

impl Detector for RtpLookalike {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        if seen.lookalike {
            self.flow(seen.record.src, seen.record.dst, seen.first(), seen.record.packets, sink);
        }
    }

    fn tap(&mut self, seen: &TapSeen, sink: &mut Sink) {
        if let &TapSeen::Lookalike { src, dst, at, packets, .. } = seen {
            self.flow(src, dst, at, packets, sink);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let packets = entry.tally(PACKETS);
        Words {
            summary: format!(
                "{} with {} between {} have RTP-like headers and are no streams.",
                plural(entry.count, "flow"),
                plural(packets, "packet"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("flows", Figure::Count(entry.count)),
                ("packets", Figure::Count(packets)),
            ],
        }
    }
}
