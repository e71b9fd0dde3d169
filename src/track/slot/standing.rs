//! Whether the packets of a stream follow each other as those of media do.

use overhear_parsers::rtp::payload::{self, Usage};

use super::{Slot, Step};
use crate::model::stream::Standing;

/// Bit n: payload type n can be media.
const LEGAL: u128 = {
    let (mut bits, mut payload_type) = (0, 0);
    while payload_type < 128 {
        if !matches!(payload::usage(payload_type), Usage::Never) {
            bits |= 1 << payload_type;
        }
        payload_type += 1;
    }
    bits
};

impl Slot {
    /// What the content says so far.
    pub(in crate::track) fn standing(&self) -> Standing {
        // Payload types 35 to 63 are legal and hardly ever used: ask for more.
        let factor = if payload::usage(self.payload_type) == Usage::Overflow { 3 } else { 1 };
        let (good, bad) = (u32::from(self.good), u32::from(self.bad));
        if good >= 24 * factor && good >= bad * 8 {
            Standing::Confirmed
        } else if good >= 3 * factor && good >= bad * 2 {
            Standing::Possible
        } else {
            Standing::Candidate
        }
    }

    /// Weighs whether this step is one that media makes.
    #[inline]
    pub(super) fn judge(&mut self, step: Step, ticks: u32, octets: u16, payload_type: u8) {
        // Half a minute ahead at 90 kHz, or a second back: pictures are not sent in display order.
        const AHEAD: u32 = 2_700_000;
        const BACK: u32 = 90_000;
        let ahead = step == Step::Next || step == Step::Gap && self.window & 0x1_fffe != 0;
        let clock = ticks <= AHEAD || ticks.wrapping_neg() <= BACK;
        let legal = LEGAL.checked_shr(u32::from(payload_type)).is_some_and(|bits| bits & 1 == 1);
        if step == Step::Late {
            return;
        }
        if ahead && clock && legal && octets > 0 {
            self.good = self.good.saturating_add(1);
            if self.good == u8::MAX {
                (self.good, self.bad) = (self.good / 2, self.bad / 2);
            }
        } else if octets > 0 || !clock {
            self.bad = self.bad.saturating_add(1);
        }
    }
}
