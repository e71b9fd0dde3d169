//! `MEDIA-UNSIGNALLED`: two-way media without SDP.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen};
use super::super::sink::{Entry, Hit, Sink, Subject};
use super::super::text::{plural, sentence};
use super::sighting::{self, companion, described};
use crate::correlate::company::Companion;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::stream::Standing;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Media in both directions between two sockets that no SDP named: 20 packets each way or more. Low;
    /// info where the capture holds TLS, in which the signalling may be. In one direction only, from a
    /// hundred packets on: info.
    ///
    /// ## Why it matters
    /// Either the signalling takes another way, and the answers about it rest on nothing, or somebody
    /// talks past it.
    ///
    /// ## Evidence
    /// One stream each way.
    ///
    /// ## False positives
    /// Signalling inside TLS or on a network that the sensor does not see; a capture that begins in the
    /// middle of calls.
    ///
    /// ## Fix
    /// Let the sensor see the signalling, or give it the keys.
    id: "MEDIA-UNSIGNALLED",
    name: "media-unsignalled",
    title: "Media flows that no signalling announced",
    severity: Info ..= Low,
    status: Stable,
    wants: [STRANGE],
    references: ["RFC 3264 §5", "RFC 3550 §9"],
    remediation: super::FIX_SIGNALLING,
    question: None,
    thresholds: ["unsignalled_packets", "unsignalled_one_way"],
    since: "0.1.0",
}

/// Packets of each of two streams that are short, but go both ways.
const FEW: u32 = 6;

/// Tally: packets.
const PACKETS: usize = 0;

/// The rule at work.
pub(crate) struct Unsignalled {
    packets: u64,
    /// Of a stream in one direction only.
    one_way: u64,
    /// Between whom; raised at the end where no TLS explains it.
    pairs: Vec<Subject>,
    cap: usize,
}

pub(crate) const fn new(policy: &Policy) -> Unsignalled {
    Unsignalled {
        packets: policy.thresholds.media.unsignalled_packets,
        one_way: policy.thresholds.media.unsignalled_one_way,
        pairs: Vec::new(),
        cap: policy.limits.findings_per_rule,
    }
}

impl Unsignalled {
    /// Counts the other stream, unless it has been counted for itself.
    fn with<'s>(&self, own: &Companion, other: &Companion, hit: Hit<'s>) -> Hit<'s> {
        let hit = hit.add(PACKETS, u64::from(own.packets));
        if self.is_enough(other) {
            return hit;
        }
        hit.stream(other.record).add(PACKETS, u64::from(other.packets))
    }

    /// Whether a stream in one direction is something to go by.
    fn is_enough(&self, stream: &Companion) -> bool {
        stream.standing == Standing::Confirmed && u64::from(stream.packets) >= self.one_way
    }
}

impl Detector for Unsignalled {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some(own) = seen.around.own.filter(|own| own.call.is_none()) else { return };
        let is_media = |stream: &Companion| {
            stream.standing == Standing::Confirmed && u64::from(stream.packets) >= self.packets
        };
        let back = |other: &&Companion| {
            (other.src, other.dst) == (own.dst, own.src) && other.call.is_none() && is_media(other)
        };
        let Some(other) = seen.around.company.iter().find(back).filter(|_| is_media(own)) else {
            if let Some(other) = answer(own, seen.around.company) {
                let what = || sentence!("{}; {}", described(seen), companion(other));
                let level = (Severity::Info, Confidence::Low);
                let _ = self.with(own, other, sighting::stream(&META, seen, level, sink, what));
                return;
            }
            // One direction is little to go by: it takes more of it, and stays at info.
            if self.is_enough(own) {
                let what = || described(seen);
                sighting::stream(&META, seen, (Severity::Info, Confidence::Medium), sink, what)
                    .add(PACKETS, u64::from(own.packets));
            }
            return;
        };
        let pair = Subject::pair(own.src.addr, own.dst.addr);
        if self.pairs.len() < self.cap && !self.pairs.contains(&pair) {
            self.pairs.push(pair);
        }
        let what = || sentence!("{}; {}", described(seen), companion(other));
        let level = (Severity::Info, Confidence::High);
        let _ = self.with(own, other, sighting::stream(&META, seen, level, sink, what));
    }

    fn end(&mut self, seen: &CaptureSeen<'_>, sink: &mut Sink) {
        if seen.record.accounting.handled.get("tls").is_some_and(|frames| *frames > 0) {
            return;
        }
        for pair in &self.pairs {
            let _hit = sink.concerns(&META, *pair, Severity::Low);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} between {} that no signalling announced: {}.",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
                plural(entry.tally(PACKETS), "packet"),
            ),
            parameters: vec![
                ("unsignalled_packets", Figure::Count(self.packets)),
                ("unsignalled_one_way", Figure::Count(self.one_way)),
                ("streams", Figure::Count(entry.streams)),
                ("packets", Figure::Count(entry.tally(PACKETS))),
            ],
        }
    }
}

/// Of two short streams between the same sockets the other one: together they are more than chance makes,
/// and less than is certain.
fn answer<'a>(own: &Companion, company: &'a [Companion]) -> Option<&'a Companion> {
    let may_be =
        |stream: &Companion| stream.standing > Standing::Candidate && stream.packets >= FEW;
    let back = |other: &&Companion| {
        (other.src, other.dst) == (own.dst, own.src) && other.call.is_none() && may_be(other)
    };
    company.iter().find(back).filter(|_| may_be(own))
}
