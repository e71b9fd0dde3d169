//! `SENSOR-DROP`: packets that the capture, not the network, lost.

use std::collections::BTreeMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen, TapSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::plural;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A drop counter of the capture that is not zero, or seconds in which many of all active RTP
    /// streams lost packets at once. Streams of different calls have little in common but the tap.
    ///
    /// ## Why it matters
    /// Loss figures of those seconds are the tap's, not the network's, and a message that is not
    /// in the capture may have been on the wire: whatever was "not seen" may have happened.
    ///
    /// ## Evidence
    /// The first packet after a gap in each such second, with how many streams lost and how many
    /// were active; for counters, their names and values.
    ///
    /// ## False positives
    /// A link that carries every stream and fails for a moment looks the same. Few streams prove
    /// nothing, so a second counts only with enough of them.
    ///
    /// ## Fix
    /// Larger capture buffers, a faster disk, a mirror port that is not oversubscribed.
    id: "SENSOR-DROP",
    name: "sensor-drop",
    title: "The capture itself lost packets",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [STREAM, TAP],
    references: ["RFC 3550 §6.4"],
    remediation: super::FIX,
    question: None,
    thresholds: ["drop_share_pct", "drop_min_streams"],
    since: "0.1.0",
}

/// Seconds of capture time looked at: two days of continuous loss.
const SECONDS: usize = 172_800;

/// Tally: frames that counters report; seconds of common loss; the largest share, percent.
const DROPPED: usize = 0;
const LOSSY_SECONDS: usize = 1;
const SHARE: usize = 2;

/// The rule at work.
pub(crate) struct Drop {
    share_pct: u64,
    min_streams: u64,
    /// Second to (streams that lost in it, where first).
    losses: BTreeMap<i64, (u64, FrameRef)>,
    /// Second to streams begun less streams ended.
    changes: BTreeMap<i64, i64>,
    evicted: u64,
}

pub(crate) const fn new(policy: &Policy) -> Drop {
    Drop {
        share_pct: policy.thresholds.drop_share_pct,
        min_streams: policy.thresholds.drop_min_streams,
        losses: BTreeMap::new(),
        changes: BTreeMap::new(),
        evicted: 0,
    }
}

impl Detector for Drop {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, _: &mut Sink) {
        if seen.lookalike {
            return;
        }
        let (first, last) = (seen.record.first.second(), seen.record.last.second());
        for (second, change) in [(first, 1), (last.saturating_add(1), -1)] {
            if self.changes.len() >= SECONDS && !self.changes.contains_key(&second) {
                self.evicted += 1;
                continue;
            }
            let sum = self.changes.entry(second).or_default();
            *sum = sum.saturating_add(change);
        }
    }

    fn tap(&mut self, seen: &TapSeen, _: &mut Sink) {
        let &TapSeen::StreamLoss { second, at } = seen else { return };
        if self.losses.len() >= SECONDS && !self.losses.contains_key(&second) {
            self.evicted += 1;
            return;
        }
        self.losses.entry(second).or_insert((0, at)).0 += 1;
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
        let mut active: i64 = 0;
        let mut changes = self.changes.iter().peekable();
        for (second, (lost, at)) in &self.losses {
            while let Some((_, change)) = changes.next_if(|(change, _)| *change <= second) {
                active = active.saturating_add(*change);
            }
            let active = u64::try_from(active).unwrap_or(0).max(*lost);
            let share = lost.saturating_mul(100) / active.max(1);
            if active < self.min_streams || share <= self.share_pct {
                continue;
            }
            let sighting =
                Sighting::new(&META, subject, *at).confidence(Confidence::Medium).kind(0);
            let known = sink.known(&META, subject).map_or(0, |entry| entry.tally(SHARE));
            sink.sighting(sighting, |_| {
                (format!("{lost} of {active} active streams lose packets in this second"), None)
            })
            .add(LOSSY_SECONDS, 1)
            .add(SHARE, share.saturating_sub(known));
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
        Words {
            summary: format!("The tap lost packets: {}.", parts.join("; ")),
            parameters: vec![
                ("drop_share_pct", Figure::Count(self.share_pct)),
                ("drop_min_streams", Figure::Count(self.min_streams)),
                ("dropped", Figure::Count(dropped)),
                ("seconds", Figure::Count(seconds)),
                ("largest_share_pct", Figure::Count(share)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("loss_seconds", self.evicted)
    }
}
