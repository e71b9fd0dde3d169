//! `MEDIA-SSRC-COLLISION`: two senders with one SSRC (RFC 3550 §8.2).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::company::is_one;
use super::sighting::{companion, millis};
use crate::model::finding::{Confidence, Figure};
use crate::model::stream::Standing;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Two streams with the same SSRC at the same time for more than a second, whose sequence numbers are far
    /// apart: they are two streams. They arrive at one socket from two others, or go both ways between two
    /// sockets.
    ///
    /// ## Why it matters
    /// The receiver mixes them up. It happens by chance once in four thousand million, by careless software
    /// that starts all calls with one SSRC, and by somebody who imitates a caller.
    ///
    /// ## Evidence
    /// Both streams.
    ///
    /// ## False positives
    /// Mixers and music servers that use one SSRC for everything. One stream seen on both sides of a
    /// relay is not reported, nor an echo, whose numbers are those that it got.
    ///
    /// ## Fix
    /// Software must choose its SSRC at random and change it when it meets its own (RFC 3550 §8.2).
    id: "MEDIA-SSRC-COLLISION",
    name: "media-ssrc-collision",
    title: "Two senders use one SSRC at the same time",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [ACCOMPANIED],
    references: ["RFC 3550 §8.2", "RFC 7160"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["foreign_overlap_ms", "inject_distance"],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct SsrcCollision {
    overlap_ms: u64,
    distance: u64,
}

pub(crate) const fn new(policy: &Policy) -> SsrcCollision {
    let thresholds = &policy.thresholds.media;
    SsrcCollision {
        overlap_ms: thresholds.foreign_overlap_ms,
        distance: thresholds.inject_distance,
    }
}

impl Detector for SsrcCollision {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some(own) = seen.around.own else { return };
        for other in seen.around.company {
            let beside = own.dst == other.dst && own.src != other.src && !is_one(own, other);
            let against = (own.src, own.dst) == (other.dst, other.src);
            let same = own.ssrc == other.ssrc && (beside || against);
            let streams = own.standing.min(other.standing) > Standing::Candidate;
            if !same
                || !streams
                || own.together(other) <= millis(self.overlap_ms)
                || u64::from(own.distance(other)) <= self.distance
            {
                continue;
            }
            let later = if own.first.time >= other.first.time { own } else { other };
            let subject = Subject::pair(later.src.addr, later.dst.addr);
            let sighting = Sighting::new(&META, subject, later.first).confidence(Confidence::High);
            let what = |_: &mut _| (sentence!("{}; {}", companion(own), companion(other)), None);
            sink.sighting(sighting, what)
                .until(seen.last())
                .stream(own.record)
                .stream(other.record)
                .call(seen.call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} with one SSRC from two sockets at the same time, between {}.",
                plural(entry.count, "pair"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("foreign_overlap_ms", Figure::Count(self.overlap_ms)),
                ("inject_distance", Figure::Count(self.distance)),
                ("pairs", Figure::Count(entry.count)),
            ],
        }
    }
}
