//! `QOS-LOSS`: streams of which much never arrived (RFC 3550 appendix A.3).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::plural;
use super::{about, hundredths, pair, spoken};
use crate::model::finding::{Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// RTP streams in which more than one in a hundred sequence numbers never came: low; more than
    /// three, medium; more than ten, high. Duplicates do not lower the figure. Streams with fewer
    /// numbers than a few seconds of speech are left out.
    ///
    /// ## Why it matters
    /// One per cent of loss is heard, ten per cent is no conversation. In bursts it is worse: the
    /// stream's `quality` says how it clustered.
    ///
    /// ## Evidence
    /// The first packet of each stream, with its loss and its bursts, and the receiver's own count
    /// where RTCP told it.
    ///
    /// ## False positives
    /// The tap lost what the receiver got: see `SENSOR-DROP`, and the receiver's report beside.
    /// Loss behind the tap is not in this figure.
    ///
    /// ## Fix
    /// Find the hop: compare the same stream at two taps, or with the receiver's RTCP.
    id: "QOS-LOSS",
    name: "qos-loss",
    title: "Media packets were lost",
    severity: Low ..= High,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3550 §A.3", "RFC 3611 §4.7"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["loss_min_packets", "loss_low_pct", "loss_medium_pct", "loss_high_pct"],
    since: "0.1.0",
}

/// Tally: numbers lost; the worst share, hundredths of a percent; streams of which the receiver
/// reported less loss than the tap saw.
const LOST: usize = 0;
const WORST: usize = 1;
const BETTER_HEARD: usize = 2;

/// The rule at work.
pub(crate) struct Loss {
    least: u64,
    steps: [(f64, Severity); 3],
}

pub(crate) const fn new(policy: &Policy) -> Loss {
    let of = &policy.thresholds;
    Loss {
        least: of.loss_min_packets,
        steps: [
            (of.loss_high_pct, Severity::High),
            (of.loss_medium_pct, Severity::Medium),
            (of.loss_low_pct, Severity::Low),
        ],
    }
}

impl Detector for Loss {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let above = |(pct, _): &&(f64, Severity)| record.loss_pct > *pct;
        let Some((_, severity)) = self.steps.iter().find(above) else { return };
        if seen.lookalike || record.expected < self.least {
            return;
        }
        let reported = record.rtcp.and_then(|rtcp| rtcp.reported_lost);
        let better = reported.is_some_and(|lost| lost < i64::try_from(record.lost).unwrap_or(0));
        let sighting = Sighting::new(&META, pair(seen), seen.first()).severity(*severity);
        sink.sighting(sighting, |_| {
            let said =
                reported.map_or(String::new(), |lost| format!("; the receiver reported {lost}"));
            let bursts = record.quality.map_or(0, |quality| quality.bursts);
            let (lost, expected, pct) = (record.lost, record.expected, record.loss_pct);
            let bursts = plural(bursts, "burst");
            let what = format_args!("{lost} of {expected} lost ({pct} %), {bursts}{said}");
            (about(seen, what), None)
        })
        .until(seen.last())
        .add(LOST, record.lost)
        .most(WORST, hundredths(record.loss_pct))
        .add(BETTER_HEARD, u64::from(better))
        .stream(seen.key)
        .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let better = entry.tally(BETTER_HEARD);
        let heard = if better == 0 {
            String::new()
        } else {
            format!(
                " Of {} the receiver reported less: the tap lost too.",
                plural(better, "stream")
            )
        };
        Words {
            summary: format!(
                "{} between {} lost up to {} % of their packets.{heard}",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
                spoken(entry.tally(WORST)),
            ),
            parameters: vec![
                ("loss_min_packets", Figure::Count(self.least)),
                ("streams", Figure::Count(entry.streams)),
                ("lost", Figure::Count(entry.tally(LOST))),
                ("worst_hundredths_pct", Figure::Count(entry.tally(WORST))),
                ("receiver_reported_less", Figure::Count(better)),
            ],
        }
    }
}
