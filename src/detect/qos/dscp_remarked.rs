//! `QOS-DSCP-REMARKED`: a marking that does not stay what it was (RFC 2474 §3, RFC 2475 §2.3.3).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{StreamSeen, TapSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::about;
use crate::model::finding::{Confidence, Figure};
use crate::model::notes::Marked;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// One packet seen twice, with another DSCP the second time: RTP, and SIP in UDP, at two taps or
    /// on both sides of a hop, whatever else the hop does but to change addresses. And RTP streams
    /// that begin with one DSCP and go on with another, with low confidence, because that may be
    /// their sender's doing: not within the first 20 packets, before which many senders have not set
    /// it yet.
    ///
    /// ## Why it matters
    /// Some hop between the two sightings does not trust the marking, or sets its own. From there on
    /// the packets wait in another queue, whatever the sender asks for.
    ///
    /// ## Evidence
    /// The two frames of one packet, each with its marking; of a stream that changes, its first
    /// packet and the first with the other one.
    ///
    /// ## False positives
    /// A provider's border, where it is agreed that markings are mapped; taps inside and outside of a
    /// tunnel.
    ///
    /// ## Fix
    /// Trust, on each hop named by the two sightings, the marking of the port that media comes in by,
    /// or mark it there by class: EF for audio, AF41 for video, CS3 for signalling.
    id: "QOS-DSCP-REMARKED",
    name: "qos-dscp-remarked",
    title: "The marking of packets changes on the way",
    severity: Low ..= Low,
    status: Stable,
    wants: [NOTED, TAP],
    references: ["RFC 2474 §3", "RFC 2475 §2.3.3", "RFC 4594 §2.3"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["dscp_min_packets"],
    since: "0.1.0",
}

/// Tally: streams seen with two markings at two places; streams that changed; SIP datagrams.
const STREAMS: usize = 0;
const CHANGED: usize = 1;
const DATAGRAMS: usize = 2;
/// Tally: the markings before, a bit each, and those behind.
const BEFORE: usize = 3;
const BEHIND: usize = 4;

/// The rule at work.
pub(crate) struct DscpRemarked {
    least: u64,
}

pub(crate) const fn new(policy: &Policy) -> DscpRemarked {
    DscpRemarked { least: policy.thresholds.dscp_min_packets }
}

/// Counts two markings once, with a packet of each as evidence.
fn tell(
    (subject, marked, confidence): (Subject, &Marked, Confidence),
    sink: &mut Sink,
    what: impl Fn(std::fmt::Arguments<'_>) -> String,
) {
    let ([before, behind], [first, other]) = (marked.dscp, marked.at);
    let sighting = Sighting::new(&META, subject, first).confidence(confidence);
    let _ = sink
        .sighting(sighting, |_| (what(format_args!("DSCP {before}")), None))
        .mark(BEFORE, 1_u64 << (before % 64))
        .mark(BEHIND, 1_u64 << (behind % 64));
    let sighting = Sighting { at: other, ..sighting }.kind(1);
    let _ = sink.sighting(sighting, |_| (what(format_args!("and DSCP {behind}")), None));
}

impl Detector for DscpRemarked {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tap(&mut self, seen: &TapSeen, sink: &mut Sink) {
        let TapSeen::Remarked { src, dst, marked } = seen else { return };
        let subject = Subject::pair(src.addr, dst.addr);
        tell((subject, marked, Confidence::Certain), sink, |dscp| {
            sentence!("SIP from {src} to {dst}: {dscp}")
        });
        let _ = sink.concerns(&META, subject, META.lowest).map(|hit| hit.add(DATAGRAMS, 1));
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let notes = seen.around.ended.and_then(|ended| ended.notes.as_ref());
        let marked = notes.and_then(|notes| notes.marked);
        let Some(marked) = marked.filter(|_| !seen.lookalike) else { return };
        if seen.record.packets < self.least {
            return;
        }
        let (confidence, slot) =
            if marked.twice { (Confidence::Certain, STREAMS) } else { (Confidence::Low, CHANGED) };
        tell((seen.pair, &marked, confidence), sink, |dscp| about(seen, dscp));
        if let Some(hit) = sink.concerns(&META, seen.pair, META.lowest) {
            let _ = hit.add(slot, 1).stream(seen.key).call(seen.call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let count = |slot| entry.tally(slot);
        let (streams, changed, datagrams) = (count(STREAMS), count(CHANGED), count(DATAGRAMS));
        let mut parts = Vec::new();
        if streams > 0 {
            parts.push(sentence!("{} seen with two markings", plural(streams, "stream")));
        }
        if datagrams > 0 {
            parts.push(sentence!("{} seen with two markings", plural(datagrams, "SIP message")));
        }
        if changed > 0 {
            parts.push(sentence!("{} whose marking changes", plural(changed, "stream")));
        }
        Words {
            summary: sentence!(
                "Between {}: {}. DSCP {} becomes {}.",
                entry.subject.spoken(),
                parts.join("; "),
                super::dscp::listed(count(BEFORE)),
                super::dscp::listed(count(BEHIND)),
            ),
            parameters: vec![
                ("dscp_min_packets", Figure::Count(self.least)),
                ("streams", Figure::Count(streams)),
                ("sip_messages", Figure::Count(datagrams)),
                ("streams_that_changed", Figure::Count(changed)),
            ],
        }
    }
}
