//! `QOS-MOS`: calls that sound bad by the E-model (ITU-T G.107).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::plural;
use super::loss::Loses;
use super::{about, hundredths, of_one, spoken};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Audio streams of at least five seconds whose estimated mean opinion score is below 3.6
    /// (low), 3.1 (medium) or 2.6 (high), from codec, loss, how loss clustered, delay,
    /// and what came too late for a play-out buffer of 60 ms. What `QOS-LOSS` leaves out, because audio paused on
    /// hold or while the call ran T.38, is no loss here either.
    ///
    /// ## Why it matters
    /// Below 3.6 many users are dissatisfied, below 2.6 nearly all.
    ///
    /// ## Evidence
    /// The first packet of each stream, with its score, R, loss, what came too late, the score
    /// without play-out buffer, and the receiver's own score where RTCP-XR told it.
    ///
    /// ## False positives
    /// Play-out is assumed, a buffer of 60 ms; and 50 ms of network, unless RTCP tells more: half of the round trip
    /// that the receiver measured (RFC 3611), or of that between the tap and the receiver, if it is longer. Loss behind the tap
    /// is not counted, loss of the tap is. Wideband codecs are put on the narrowband scale.
    ///
    /// ## Fix
    /// As for loss and jitter.
    id: "QOS-MOS",
    name: "qos-mos",
    title: "Calls sound bad",
    severity: Low ..= High,
    status: Stable,
    wants: [STREAM],
    references: ["ITU-T G.107", "ITU-T G.113", "RFC 3611 §4.7.5"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["mos_min_s", "mos_low", "mos_medium", "mos_high", "assumed_network_ms", "assumed_playout_ms"],
    since: "0.1.0",
}

/// Tally: how far the worst score lies below 5, hundredths.
const BELOW: usize = 0;

/// The rule at work.
pub(crate) struct Mos {
    least_s: f64,
    steps: [(f64, Severity); 3],
}

pub(crate) const fn new(policy: &Policy) -> Mos {
    let of = &policy.thresholds;
    Mos {
        least_s: of.mos_min_s,
        steps: [
            (of.mos_high, Severity::High),
            (of.mos_medium, Severity::Medium),
            (of.mos_low, Severity::Low),
        ],
    }
}

impl Detector for Mos {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let Some((mos, quality)) = record.mos.zip(record.quality) else { return };
        let Some((_, severity)) = self.steps.iter().find(|(below, _)| mos < *below) else { return };
        if seen.lookalike || record.duration_s < self.least_s {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.first())
            .severity(*severity)
            .confidence(Confidence::Medium);
        sink.sighting(sighting, |_| {
            let told = record.rtcp.and_then(|rtcp| rtcp.extended).and_then(|said| said.mos_lq);
            let told = told.map_or(String::new(), |mos| format!("; the receiver says {mos}"));
            let (r, loss) = (quality.r_factor, Loses::of(record).pct);
            let late = quality.discarded_pct.unwrap_or(0.0);
            let without = quality.mos_unbuffered;
            let delay = quality.assumed_delay_ms;
            let way = if quality.delay_told { "by RTCP" } else { "assumed" };
            let what = format_args!(
                "MOS {mos}, R {r}, {loss} % lost, {late} % too late, {delay} ms of delay ({way}); MOS \
                 {without} without play-out buffer{told}"
            );
            (about(seen, what), None)
        })
        .until(seen.last())
        .most(BELOW, hundredths(5.0 - mos))
        .stream(seen.key)
        .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let worst = 500_u64.saturating_sub(entry.tally(BELOW));
        Words {
            summary: format!(
                "{} between {} {} an estimated MOS of {}.",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
                of_one(entry.streams, "sounds bad:", "sound bad: the worst has"),
                spoken(worst),
            ),
            parameters: vec![
                ("mos_min_s", Figure::Number(self.least_s)),
                ("streams", Figure::Count(entry.streams)),
                ("worst_hundredths", Figure::Count(worst)),
            ],
        }
    }
}
