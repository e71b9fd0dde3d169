//! Sixteen octets compared at once, for the searches that every header goes through: vectors where the
//! machine has them. Says which octets, and never where they stand in anything longer. The only file
//! that names `wide`.

use std::ops::BitOr;

use crate::cursor::offset;
use wide::i8x16;

/// Sixteen octets, as the signed numbers that vectors compare: what is no ASCII is below zero.
#[derive(Copy, Clone)]
pub(crate) struct Sixteen(i8x16);

/// Those of them that were asked for.
#[derive(Copy, Clone)]
pub(crate) struct Marks(i8x16);

impl Sixteen {
    /// These octets.
    #[inline]
    pub(crate) fn whole(octets: &[u8; 16]) -> Self {
        Self(i8x16::new(octets.map(u8::cast_signed)))
    }

    /// Fewer of them, and zeros behind.
    #[inline]
    pub(crate) fn part(octets: &[u8]) -> Self {
        let word = match (octets.first_chunk(), octets.last_chunk()) {
            (Some(first), Some(last)) => {
                // The last eight again, those of the first shifted out.
                let seen = offset(16_usize.saturating_sub(octets.len())).wrapping_mul(8);
                let high = u64::from_le_bytes(*last).checked_shr(seen).unwrap_or_default();
                u128::from(u64::from_le_bytes(*first)) | u128::from(high) << 64
            }
            _ => octets.iter().rev().fold(0, |word, octet| word << 8 | u128::from(*octet)),
        };
        Self::whole(&word.to_le_bytes())
    }

    /// Those that are `needle`.
    #[inline]
    pub(crate) fn are(self, needle: u8) -> Marks {
        Marks(self.0.simd_eq(splat(needle)))
    }

    /// Those from `first` to `last`, which are ASCII and not its ends.
    #[inline]
    pub(crate) fn within(self, first: u8, last: u8) -> Marks {
        let from = self.0.simd_gt(splat(first.wrapping_sub(1)));
        Marks(from & splat(last.wrapping_add(1)).simd_gt(self.0))
    }

    /// Those below `limit`, which is ASCII, and those that are no ASCII.
    #[inline]
    pub(crate) fn below(self, limit: u8) -> Marks {
        Marks(splat(limit).simd_gt(self.0))
    }
}

#[inline]
fn splat(octet: u8) -> i8x16 {
    i8x16::splat(octet.cast_signed())
}

impl Marks {
    /// Bit i for octet i.
    #[inline]
    pub(crate) fn bits(self) -> u32 {
        self.0.to_bitmask()
    }
}

impl BitOr for Marks {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn marks_stand_where_octets_are_so(octets: [u8; 16], needle: u8, first in 1..0x7f_u8, last in 1..0x7f_u8) {
            let which = |so: &dyn Fn(&u8) -> bool| {
                octets.iter().rev().fold(0, |bits, octet| bits << 1 | u32::from(so(octet)))
            };
            let there = Sixteen::whole(&octets);
            prop_assert_eq!(there.are(needle).bits(), which(&|octet| *octet == needle));
            let within = |octet: &u8| (first..=last).contains(octet);
            prop_assert_eq!(there.within(first, last).bits(), which(&within));
            let below = |octet: &u8| *octet < first || !octet.is_ascii();
            prop_assert_eq!(there.below(first).bits(), which(&below));
            let either = there.below(first) | there.within(first, last);
            prop_assert_eq!(either.bits(), which(&|octet| below(octet) || within(octet)));
        }

        #[test]
        fn what_is_missing_is_zero(octets in prop::collection::vec(1_u8.., 0..16)) {
            let zeros = Sixteen::part(&octets).are(0).bits();
            prop_assert_eq!(zeros, (0xffff << octets.len()) & 0xffff);
            for (place, octet) in octets.iter().enumerate() {
                prop_assert_eq!(Sixteen::part(&octets).are(*octet).bits() >> place & 1, 1);
            }
        }
    }
}
