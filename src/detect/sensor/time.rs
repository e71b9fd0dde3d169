//! `SENSOR-TIME`: a capture clock that cannot be trusted.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen, TapSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::plural;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::model::time::Span;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Capture time that jumps backwards within one source, or RTP clocks that most streams agree
    /// run at another speed than the capture's.
    ///
    /// ## Why it matters
    /// Delays, rates, durations and the order of events are only as good as the clock.
    ///
    /// ## Evidence
    /// The frame after each jump and how far it went back; the streams that drift, with their
    /// drift.
    ///
    /// ## False positives
    /// One sender with a wrong clock is its own problem: only when more than half of at least
    /// three long streams drift is it the capture's. Merged files that were not sorted jump.
    ///
    /// ## Fix
    /// Synchronise the capturing host and step its clock before, not during, a capture; sort
    /// merged files.
    id: "SENSOR-TIME",
    name: "sensor-time",
    title: "The capture's clock cannot be trusted",
    severity: Low ..= Low,
    status: Stable,
    wants: [STREAM, TAP],
    references: ["RFC 3550 §5.1"],
    remediation: super::FIX,
    question: None,
    thresholds: ["time_backward_ms", "time_drift_pct"],
    since: "0.1.0",
}

/// Tally: backward jumps; the largest, milliseconds; streams that drift; streams that could.
const JUMPS: usize = 0;
const LARGEST_MS: usize = 1;
const DRIFTING: usize = 2;
const JUDGED: usize = 3;

/// Streams shorter than this say nothing of drift.
const LONG: f64 = 10.0;
/// Streams below which drift is theirs, not the capture's.
const FEW: u64 = 3;
/// Drifting streams kept as evidence.
const KEPT: usize = 3;

/// The rule at work.
pub(crate) struct Time {
    backward: Span,
    drift_pct: f64,
    judged: u64,
    drifting: u64,
    kept: Vec<(FrameRef, String)>,
}

pub(crate) const fn new(policy: &Policy) -> Time {
    Time {
        backward: Span::from_millis(policy.thresholds.time_backward_ms),
        drift_pct: policy.thresholds.time_drift_pct,
        judged: 0,
        drifting: 0,
        kept: Vec::new(),
    }
}

impl Detector for Time {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, _: &mut Sink) {
        let Some(drift) = seen.drift_pct.filter(|drift| drift.is_finite()) else { return };
        if seen.lookalike || seen.record.duration_s < LONG {
            return;
        }
        self.judged += 1;
        if drift.abs() > self.drift_pct {
            self.drifting += 1;
            if self.kept.len() < KEPT {
                let what = format!(
                    "RTP clock of {} to {} runs {drift:+.2} % against the capture's",
                    seen.record.src, seen.record.dst
                );
                self.kept.push((seen.first(), what));
            }
        }
    }

    fn tap(&mut self, seen: &TapSeen, sink: &mut Sink) {
        let &TapSeen::BackwardJump { by, at } = seen else { return };
        if by <= self.backward {
            return;
        }
        let subject = Subject::capture();
        let known = sink.known(&META, subject).map_or(0, |entry| entry.tally(LARGEST_MS));
        let ms = u64::try_from(by.nanos() / 1_000_000).unwrap_or(0);
        sink.sighting(Sighting::new(&META, subject, at).kind(0), |_| {
            (format!("capture time goes back by {ms} ms"), None)
        })
        .add(JUMPS, 1)
        .add(LARGEST_MS, ms.saturating_sub(known));
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        if self.judged < FEW || self.drifting.saturating_mul(2) <= self.judged {
            return;
        }
        let (mut drifting, mut judged) = (self.drifting, self.judged);
        for (at, what) in self.kept.drain(..) {
            let sighting =
                Sighting::new(&META, Subject::capture(), at).confidence(Confidence::Medium).kind(1);
            sink.sighting(sighting, |_| (what, None)).add(DRIFTING, drifting).add(JUDGED, judged);
            (drifting, judged) = (0, 0);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (jumps, largest) = (entry.tally(JUMPS), entry.tally(LARGEST_MS));
        let (drifting, judged) = (entry.tally(DRIFTING), entry.tally(JUDGED));
        let mut parts = Vec::new();
        if jumps > 0 {
            parts.push(format!("capture time jumps back {}", times(jumps, largest)));
        }
        if drifting > 0 {
            parts.push(format!(
                "{drifting} of {} drift by more than {} %",
                plural(judged, "long stream"),
                self.drift_pct
            ));
        }
        Words {
            summary: format!("The clock is off: {}.", parts.join("; ")),
            parameters: vec![
                ("time_backward_ms", Figure::Number(self.backward.millis_f64())),
                ("time_drift_pct", Figure::Number(self.drift_pct)),
                ("backward_jumps", Figure::Count(jumps)),
                ("largest_jump_ms", Figure::Count(largest)),
                ("drifting_streams", Figure::Count(drifting)),
                ("judged_streams", Figure::Count(judged)),
            ],
        }
    }
}

fn times(jumps: u64, largest_ms: u64) -> String {
    if jumps == 1 {
        format!("once, by {largest_ms} ms")
    } else {
        format!("{jumps} times, by up to {largest_ms} ms")
    }
}
