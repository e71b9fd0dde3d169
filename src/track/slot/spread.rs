//! How far packets come from when they should: the 95th percentile of |D| (RFC 3550 §6.4.1).
//!
//! Only packets more than [`STEPS`]' first away from their time are counted, by steps, in a box that the
//! streams of a good network never get, nor those of few packets; those of a bad one take a counter
//! each. The others are known from how many there are in all. D counts as it does for J: not across a
//! change of the payload type, a jump or a clock set anew.

use super::Slot;

/// Where steps begin, milliseconds.
const STEPS: [u16; 16] = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500, 1_000];
/// The first of them, seconds.
const FIRST: f32 = 0.010;
/// Packets at the beginning of a stream that are not counted: of the many short ones there is too little
/// to say, and they take no box.
const UNCOUNTED: u32 = 100;
/// A transit change of more than so many milliseconds is a clock set anew: see [`super::jitter`].
const MOST: u16 = 10_000;

/// Packets by step.
#[derive(Debug, Default)]
pub(super) struct Spread {
    beyond: [u32; STEPS.len()],
}

impl Slot {
    /// Books a packet that came `later` than the one before would have it, seconds.
    #[inline]
    pub(super) fn spread(&mut self, later: f32) {
        if later.abs() > FIRST && self.jitter_samples > UNCOUNTED {
            self.spread_out(later.abs() * 1e3);
        }
    }

    #[cold]
    fn spread_out(&mut self, away_ms: f32) {
        if away_ms >= f32::from(MOST) {
            return;
        }
        let step = STEPS.iter().rposition(|from| away_ms > f32::from(*from)).unwrap_or(0);
        let spread = self.probe.get_or_insert_default().spread.get_or_insert_default();
        if let Some(count) = spread.beyond.get_mut(step) {
            *count = count.saturating_add(1);
        }
    }

    /// What 95 of 100 packets kept to, milliseconds, rounded up to a step; `None` for less than the
    /// first.
    pub(super) fn p95_ms(&self) -> Option<u16> {
        let spread = self.probe.as_ref()?.spread.as_ref()?;
        let mut beyond = 0_u64;
        let mut bound = MOST;
        for (count, from) in spread.beyond.iter().zip(STEPS).rev() {
            beyond += u64::from(*count);
            if beyond * 20 > u64::from(self.jitter_samples.saturating_sub(UNCOUNTED)) {
                return Some(bound);
            }
            bound = from;
        }
        None
    }
}
