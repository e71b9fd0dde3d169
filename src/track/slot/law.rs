//! How many octets packets carry for how many ticks: the two most frequent rows of [`Law`].
//!
//! Nearly all pairs of a stream are of one row, which is kept where every packet comes by.

use super::Slot;
use crate::model::stream::{Law, LawRow};

/// What pairs that are not of the first row need.
#[derive(Debug, Default)]
pub(super) struct MoreLaw {
    second: LawRow,
    /// Pairs beside those of the first row.
    others: u32,
}

impl Slot {
    /// Counts one pair.
    #[inline]
    pub(super) fn pair(&mut self, octets: u16, ticks: u32, payload_type: u8) {
        if is(&self.law, octets, ticks, payload_type) {
            self.law.pairs = self.law.pairs.saturating_add(1);
        } else {
            self.another_pair(octets, ticks, payload_type);
        }
    }

    /// The second row gives way to what is more frequent, and becomes the first if it is the more frequent one.
    #[cold]
    fn another_pair(&mut self, octets: u16, ticks: u32, payload_type: u8) {
        let (first, MoreLaw { second, others }) = (&mut self.law, &mut self.more_law);
        // The stream's first pair: what is rarely needed need not be in the cache yet.
        if first.pairs == 0 {
            *first = LawRow { ticks, pairs: 1, octets, payload_type };
            return;
        }
        *others = others.saturating_add(1);
        if is(second, octets, ticks, payload_type) {
            second.pairs = second.pairs.saturating_add(1);
        } else if second.pairs == 0 {
            *second = LawRow { ticks, pairs: 1, octets, payload_type };
        } else {
            second.pairs -= 1;
        }
        if second.pairs > first.pairs {
            *others = others.saturating_add(first.pairs).saturating_sub(second.pairs);
            std::mem::swap(first, second);
        }
    }

    /// Both rows, and all pairs.
    pub(super) fn law(&self) -> Law {
        let MoreLaw { second, others } = self.more_law;
        Law { rows: [self.law, second], pairs: self.law.pairs.saturating_add(others) }
    }
}

#[inline]
fn is(row: &LawRow, octets: u16, ticks: u32, payload_type: u8) -> bool {
    row.ticks == ticks && row.octets == octets && row.payload_type == payload_type
}
