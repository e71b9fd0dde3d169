//! Interarrival jitter (RFC 3550 appendix A.8) under the known clock rate or four candidates.

use overhear_parsers::rtp::payload;

use super::Slot;
use crate::model::stream::{CANDIDATE_RATES, JitterLane};

/// A transit change of more than so many seconds is a clock set anew.
const MAX_TRANSIT: f32 = 10.0;

/// The clock rate, where the payload type alone gives it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Rate {
    Unknown,
    R8000,
    R11025,
    R16000,
    R22050,
    R44100,
    R90000,
}

impl Slot {
    /// Moves the estimate; how much later than the packet before this one came, seconds. Under an
    /// unknown clock rate that is told by the candidate with the least jitter.
    #[inline]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_wrap,
        reason = "24 bits are plenty"
    )]
    pub(super) fn update_jitter(&mut self, arrival: i64, ticks: u32) -> f32 {
        self.jitter_samples = self.jitter_samples.saturating_add(1);
        let share = 1.0 / self.jitter_samples as f32;
        let (seconds, ticks) = (arrival as f32 * 1e-9, ticks as i32 as f32);
        if let Some(rate) = self.rate.hertz() {
            let transit = seconds * rate as f32 - ticks;
            update(&mut self.jitter, transit.abs(), rate as f32, share);
            return transit / rate as f32;
        }
        let (mut least, mut later) = (f32::MAX, 0.0);
        let lanes = std::iter::once(&mut self.jitter).chain(&mut self.more_jitter);
        for (lane, rate) in lanes.zip(CANDIDATE_RATES) {
            let transit = seconds * rate as f32 - ticks;
            update(lane, transit.abs(), rate as f32, share);
            let jitter = lane.current / rate as f32;
            if jitter < least {
                (least, later) = (jitter, transit / rate as f32);
            }
        }
        later
    }

    /// Under the known rate, or under each candidate.
    pub(super) const fn jitter_lanes(&self) -> [JitterLane; 4] {
        let [second, third, fourth] = self.more_jitter;
        [self.jitter, second, third, fourth]
    }
}

impl Rate {
    pub(super) fn of(payload_type: u8) -> Self {
        match payload::assigned(payload_type).map(|known| known.clock_rate) {
            Some(8000) => Self::R8000,
            Some(11_025) => Self::R11025,
            Some(16_000) => Self::R16000,
            Some(22_050) => Self::R22050,
            Some(44_100) => Self::R44100,
            Some(90_000) => Self::R90000,
            _ => Self::Unknown,
        }
    }

    pub(super) const fn hertz(self) -> Option<u32> {
        Some(match self {
            Self::Unknown => return None,
            Self::R8000 => 8000,
            Self::R11025 => 11_025,
            Self::R16000 => 16_000,
            Self::R22050 => 22_050,
            Self::R44100 => 44_100,
            Self::R90000 => 90_000,
        })
    }
}

#[inline]
fn update(lane: &mut JitterLane, transit: f32, rate: f32, share: f32) {
    if transit < MAX_TRANSIT * rate {
        lane.current += (transit - lane.current) / 16.0;
    }
    lane.mean += (lane.current - lane.mean) * share;
    lane.max = lane.max.max(lane.current);
}
