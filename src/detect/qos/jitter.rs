//! `QOS-JITTER`: packets that arrive unevenly (RFC 3550 §6.4.1).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::{about, hundredths, is_audio, of_one, spoken};
use crate::model::finding::{Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// RTP streams whose mean interarrival jitter is above 20 ms (low) or 50 ms (medium).
    ///
    /// ## Why it matters
    /// A receiver hides jitter by waiting: delay for everybody, and gaps where it did not wait long
    /// enough.
    ///
    /// ## Evidence
    /// The first packet of each stream, with the mean and the largest value of the estimate, and the
    /// 95th percentile of the single differences: what a play-out buffer has to take.
    ///
    /// ## False positives
    /// A sender that pauses without marking the next packet, or that clocks its timestamps wrongly;
    /// video, whose pictures leave in one burst. A capture with coarse times.
    ///
    /// ## Fix
    /// Queueing that prefers media (DSCP EF), and no media over links that are full.
    id: "QOS-JITTER",
    name: "qos-jitter",
    title: "Media packets arrive unevenly",
    severity: Low ..= Medium,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3550 §6.4.1", "RFC 3550 §A.8"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["loss_min_packets", "jitter_low_ms", "jitter_medium_ms"],
    since: "0.1.0",
}

/// Tally: the worst mean, hundredths of a millisecond; the worst 95th percentile, milliseconds.
const WORST: usize = 0;
const SPREAD: usize = 1;

/// The rule at work.
pub(crate) struct Jitter {
    least: u64,
    low: f64,
    medium: f64,
}

pub(crate) const fn new(policy: &Policy) -> Jitter {
    let of = &policy.thresholds;
    Jitter { least: of.loss_min_packets, low: of.jitter_low_ms, medium: of.jitter_medium_ms }
}

impl Detector for Jitter {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let audio = is_audio(seen);
        let Some(jitter) = record.jitter_ms.filter(|jitter| audio && jitter.mean > self.low) else {
            return;
        };
        if seen.lookalike || record.expected < self.least {
            return;
        }
        let medium = jitter.mean > self.medium;
        let sighting = Sighting::new(&META, seen.pair, seen.first()).severity(if medium {
            Severity::Medium
        } else {
            Severity::Low
        });
        sink.sighting(sighting, |_| {
            let (mean, max) = (jitter.mean, jitter.max);
            let p95 = jitter.p95.map_or(String::new(), |ms| sentence!(", p95 of |D| {ms} ms"));
            (about(seen, format_args!("jitter {mean} ms, up to {max} ms{p95}")), None)
        })
        .until(seen.last())
        .most(WORST, hundredths(jitter.mean))
        .most(SPREAD, jitter.p95.map_or(0, super::whole_ms))
        .stream(seen.key)
        .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: format!(
                "{} between {} {} {} ms.",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
                of_one(entry.streams, "has a mean jitter of", "have a mean jitter of up to"),
                spoken(entry.tally(WORST)),
            ),
            parameters: vec![
                ("jitter_low_ms", Figure::Number(self.low)),
                ("jitter_medium_ms", Figure::Number(self.medium)),
                ("streams", Figure::Count(entry.streams)),
                ("worst_hundredths_ms", Figure::Count(entry.tally(WORST))),
                ("worst_p95_ms", Figure::Count(entry.tally(SPREAD))),
            ],
        }
    }
}
