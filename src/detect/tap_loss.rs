//! Seconds in which so many streams lost packets at once that the tap lost them, not the network: streams
//! of different calls have little in common but the tap.
//!
//! Lanes tell once for each stream and second that it lost something; how many streams were active is
//! known when they have ended. Both are kept by second, for two days of continuous loss.

use std::collections::BTreeMap;

use crate::model::evidence::FrameRef;
use crate::model::record::StreamRecord;
use crate::policy::Policy;

/// Name of the table in `evicted`.
pub(super) const TABLE: &str = "loss_seconds";

/// Seconds of capture time looked at.
const SECONDS: usize = 172_800;

/// A second of common loss.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct LossySecond {
    /// Seconds since the Unix epoch.
    pub second: i64,
    /// Streams that lost packets in it.
    pub lost: u64,
    /// Streams that were active.
    pub active: u64,
    /// The first packet after a gap.
    pub at: FrameRef,
}

impl LossySecond {
    /// Share of the active streams that lost, percent.
    pub fn share_pct(&self) -> u64 {
        self.lost.saturating_mul(100) / self.active.max(1)
    }
}

/// Loss and activity by second.
#[derive(Debug)]
pub(super) struct TapLoss {
    share_pct: u64,
    min_streams: u64,
    /// Streams that lost, and where first.
    losses: BTreeMap<i64, (u64, FrameRef)>,
    /// Streams begun less streams ended.
    changes: BTreeMap<i64, i64>,
    evicted: u64,
}

impl TapLoss {
    pub(super) const fn new(policy: &Policy) -> Self {
        Self {
            share_pct: policy.thresholds.drop_share_pct,
            min_streams: policy.thresholds.drop_min_streams,
            losses: BTreeMap::new(),
            changes: BTreeMap::new(),
            evicted: 0,
        }
    }

    /// A stream has ended.
    pub(super) fn stream(&mut self, record: &StreamRecord<'_>) {
        let (first, last) = (record.first.second(), record.last.second());
        for (second, change) in [(first, 1), (last.saturating_add(1), -1)] {
            if self.changes.len() >= SECONDS && !self.changes.contains_key(&second) {
                self.evicted += 1;
                continue;
            }
            let sum = self.changes.entry(second).or_default();
            *sum = sum.saturating_add(change);
        }
    }

    /// A stream lost packets.
    pub(super) fn loss(&mut self, second: i64, at: FrameRef) {
        if self.losses.len() >= SECONDS && !self.losses.contains_key(&second) {
            self.evicted += 1;
            return;
        }
        self.losses.entry(second).or_insert((0, at)).0 += 1;
    }

    /// The seconds of common loss, in order.
    pub(super) fn seconds(&self) -> Vec<LossySecond> {
        let (mut active, mut found): (i64, Vec<LossySecond>) = (0, Vec::new());
        let mut changes = self.changes.iter().peekable();
        for (&second, &(lost, at)) in &self.losses {
            while let Some((_, change)) = changes.next_if(|(change, _)| **change <= second) {
                active = active.saturating_add(*change);
            }
            let active = u64::try_from(active).unwrap_or(0).max(lost);
            let second = LossySecond { second, lost, active, at };
            if active >= self.min_streams && second.share_pct() > self.share_pct {
                found.push(second);
            }
        }
        found
    }

    /// Seconds for which there was no room.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }
}
