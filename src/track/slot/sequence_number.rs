//! Where a packet's number stands in its stream: loss, duplicates, reordering, restarts.
//!
//! RFC 3550 appendix A.1 with its probation, and a window of 64 numbers to tell duplicates from late
//! packets. What stands in no run is a stray until its successor comes.

use overhear_parsers::rtp::sequence;

use super::{ON_PROBATION, Slot};
use crate::policy::media::{SEQ_JUMP_AHEAD, SEQ_JUMP_BACK};

/// How a packet's number stands to those before it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::track) enum Step {
    /// The next number.
    Next,
    /// A number further on, with a gap before it.
    Gap,
    /// A number that had been missing. This one and those below are rare.
    Late,
    /// A number that had come.
    Duplicate,
    /// Far from the others, perhaps the start of a new run.
    Stray,
    /// The second of a new run.
    Restart,
}

impl Slot {
    /// Places a sequence number. `event`: it starts a telephone event right after another one.
    #[inline]
    pub(super) fn number(&mut self, number: u16, event: bool) -> Step {
        let ahead = number.wrapping_sub(low_half(self.highest));
        match ahead {
            0 => Step::Duplicate,
            1 => {
                self.highest += 1;
                self.window = self.window << 1 | 1;
                Step::Next
            }
            2..=SEQ_JUMP_AHEAD if event => self.next_event(number),
            2..=SEQ_JUMP_AHEAD => {
                let before = self.highest;
                self.highest = self.highest.saturating_add(u32::from(ahead));
                self.lost(before);
                self.window = self.window.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
                self.gaps = self.gaps.saturating_add(1);
                Step::Gap
            }
            _ if ahead.wrapping_neg() <= SEQ_JUMP_BACK => self.older(ahead.wrapping_neg()),
            _ => self.far(number),
        }
    }

    /// A number `behind` the highest, 1 to 100.
    #[cold]
    fn older(&mut self, behind: u16) -> Step {
        let behind = u32::from(behind);
        let came = |at: u32| self.window.checked_shr(at).is_none_or(|bits| bits & 1 == 1);
        let number = self.highest.saturating_sub(behind);
        if behind < u64::BITS && came(behind) {
            return Step::Duplicate;
        }
        self.gaps = if number < self.lowest {
            self.gaps + u32::from(self.lowest - number > 1)
        } else {
            // Filling a gap of one closes it; filling the middle of one makes two of it.
            let below = number == self.lowest || came(behind + 1);
            match (came(behind - 1), below) {
                (true, true) => self.gaps.saturating_sub(1),
                (false, false) => self.gaps.saturating_add(1),
                _ => self.gaps,
            }
        };
        self.lowest = self.lowest.min(number);
        self.window |= 1_u64.checked_shl(behind).unwrap_or(0);
        self.reordered = self.reordered.saturating_add(1);
        Step::Late
    }

    /// Between two events that have a source of their own nothing is sent, and some senders count
    /// on meanwhile (`SIPp` replays a recording for each digit): no loss, but a new run.
    #[cold]
    fn next_event(&mut self, number: u16) -> Step {
        self.held = self.held.saturating_add(self.highest - self.lowest + 1);
        self.highest = sequence::first(number);
        self.lowest = self.highest;
        self.window = 1;
        Step::Restart
    }

    /// A number far from the highest: two in a row are a new run, one alone is a stray.
    #[cold]
    fn far(&mut self, number: u16) -> Step {
        if self.flags & ON_PROBATION == 0 || number != self.wild {
            self.flags |= ON_PROBATION;
            self.wild = number.wrapping_add(1);
            self.held = self.held.saturating_add(1);
            return Step::Stray;
        }
        self.flags &= !ON_PROBATION;
        // The first of the two was held for itself, and is part of the new run now.
        self.held = self.held.saturating_add(self.highest - self.lowest);
        self.highest = sequence::first(number);
        self.lowest = self.highest - 1;
        self.window = 0b11;
        Step::Restart
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is asked for")]
pub(in crate::track) const fn low_half(extended: u32) -> u16 {
    extended as u16
}
