//! `SENSOR-DROP`: packets that the capture, not the network, lost.

use super::super::qos;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::finding::{Confidence, Figure};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A drop counter of the capture that is not zero; seconds in which many of all active RTP
    /// streams lost packets at once, for streams of different calls have little in common but the
    /// tap; streams of which the receiver reports far less loss by RTCP than is missing here.
    ///
    /// ## Why it matters
    /// Loss figures of those seconds are the tap's, not the network's, and a message that is not
    /// in the capture may have been on the wire: whatever was "not seen" may have happened.
    ///
    /// ## Evidence
    /// The first packet after a gap in each such second, with how many streams lost and how many
    /// were active; for counters, their names and values; streams with what their receivers report.
    ///
    /// ## False positives
    /// A link that carries every stream and fails for a moment looks the same. Few streams prove
    /// nothing, so a second counts only with enough of them. A receiver that reaches the sender on
    /// another way than the tap's. One that reports no loss and answers no sender report is not heard.
    ///
    /// ## Fix
    /// Larger capture buffers, a faster disk, a mirror port that is not oversubscribed.
    id: "SENSOR-DROP",
    name: "sensor-drop",
    title: "The capture itself lost packets",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [REPORTED],
    references: ["RFC 3550 §6.4.1"],
    remediation: super::FIX,
    question: None,
    thresholds: ["drop_share_pct", "drop_min_streams", "loss_min_packets"],
    since: "0.1.0",
}

/// Tally: frames that counters report; seconds of common loss; the largest share, percent; streams that
/// were heard better than captured, and the packets of theirs that are missing.
const DROPPED: usize = 0;
const LOSSY_SECONDS: usize = 1;
const SHARE: usize = 2;
const HEARD: usize = 3;
const MISSING: usize = 4;

/// The rule at work.
pub(crate) struct Drop {
    share_pct: u64,
    min_streams: u64,
    least: u64,
}

pub(crate) const fn new(policy: &Policy) -> Drop {
    Drop {
        share_pct: policy.thresholds.drop_share_pct,
        min_streams: policy.thresholds.drop_min_streams,
        least: policy.thresholds.loss_min_packets,
    }
}

impl Detector for Drop {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let Some(missing) = qos::heard_better(seen) else { return };
        // One packet more or less is a matter of where the report was cut.
        if seen.lookalike || record.expected < self.least || missing * 100 < record.expected {
            return;
        }
        let sighting = Sighting::new(&META, Subject::capture(), seen.first())
            .confidence(Confidence::Medium)
            .kind(2);
        sink.sighting(sighting, |_| {
            let lost = record.lost;
            let (src, dst) = (record.src, record.dst);
            let reported = lost.saturating_sub(missing);
            (
                sentence!(
                    "{src} to {dst}: {lost} packets missing, {reported} by the receiver's report"
                ),
                None,
            )
        })
        .until(seen.last())
        .add(HEARD, 1)
        .add(MISSING, missing)
        .stream(seen.key);
    }

    fn end(&mut self, seen: &CaptureSeen<'_>, sink: &mut Sink) {
        let dropped: u64 = seen.record.dropped.values().sum();
        let subject = Subject::capture();
        if dropped > 0 {
            let reasons = &seen.record.dropped;
            sink.sighting(Sighting::new(&META, subject, seen.last).kind(1), |_| {
                let reasons: Vec<_> =
                    reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
                (format!("drop counters at the end: {}", reasons.join(", ")), None)
            })
            .add(DROPPED, dropped);
        }
        for second in seen.lossy_seconds {
            let sighting =
                Sighting::new(&META, subject, second.at).confidence(Confidence::Medium).kind(0);
            sink.sighting(sighting, |_| {
                let (lost, active) = (second.lost, second.active);
                (format!("{lost} of {active} active streams lose packets in this second"), None)
            })
            .add(LOSSY_SECONDS, 1)
            .most(SHARE, second.share_pct());
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (dropped, seconds) = (entry.tally(DROPPED), entry.tally(LOSSY_SECONDS));
        let share = entry.tally(SHARE);
        let mut parts = Vec::new();
        if dropped > 0 {
            parts.push(format!("drop counters report {}", plural(dropped, "lost frame")));
        }
        if seconds > 0 {
            parts.push(format!(
                "in {} up to {share} % of all active streams lost packets at once",
                plural(seconds, "second"),
            ));
        }
        let (heard, missing) = (entry.tally(HEARD), entry.tally(MISSING));
        if heard > 0 {
            parts.push(format!(
                "the receivers of {} report {} that are not in the capture",
                plural(heard, "stream"),
                plural(missing, "packet"),
            ));
        }
        Words {
            summary: format!("The tap lost packets: {}.", parts.join("; ")),
            parameters: vec![
                ("drop_share_pct", Figure::Count(self.share_pct)),
                ("drop_min_streams", Figure::Count(self.min_streams)),
                ("dropped", Figure::Count(dropped)),
                ("seconds", Figure::Count(seconds)),
                ("largest_share_pct", Figure::Count(share)),
                ("heard_better_streams", Figure::Count(heard)),
                ("heard_better_packets", Figure::Count(missing)),
            ],
        }
    }
}
