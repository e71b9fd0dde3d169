//! Where the lines of a header section end (RFC 3261 §7): at octets that are no printable ASCII, which
//! nearly always are the CR and LF of line ends. So one look at the octets finds the ends and shows
//! that there is nothing odd before them. Judges no line.

use crate::cursor::{index, offset, tail};
use crate::sixteen::Sixteen;

/// Octets that are looked at together; most lines are shorter.
const BLOCK: usize = 64;
const DELETE: u8 = 0x7f;

/// The places of octets that are no printable ASCII, one after the other: controls, DEL and all above.
pub(super) struct Odd<'a> {
    octets: &'a [u8],
    /// Where the block at hand begins.
    block: u32,
    /// A bit for each of them in it that has not been given out.
    left: u64,
}

impl<'a> Odd<'a> {
    /// Those from `at` on, in less than 2^32 octets.
    #[inline]
    pub(super) fn new(octets: &'a [u8], at: u32) -> Self {
        Self { octets, block: at, left: odd_at(octets, at) }
    }

    /// The place of the next one; where the octets end, without one.
    #[inline]
    pub(super) fn next(&mut self) -> u32 {
        while self.left == 0 {
            let block = index(self.block).saturating_add(BLOCK);
            if block >= self.octets.len() {
                return offset(self.octets.len());
            }
            self.block = offset(block);
            self.left = odd_at(self.octets, self.block);
        }
        let place = self.block.wrapping_add(self.left.trailing_zeros());
        self.left &= self.left.wrapping_sub(1);
        place
    }
}

/// A bit for each octet from `at` on, as many as there are in a block, that is no printable ASCII.
#[inline]
fn odd_at(octets: &[u8], at: u32) -> u64 {
    match tail(octets, index(at)).first_chunk() {
        Some(block) => odd_in(block),
        None => odd_near_end(octets, at),
    }
}

/// The same where there is no whole block any more.
#[inline(never)]
fn odd_near_end(octets: &[u8], at: u32) -> u64 {
    let rest = tail(octets, index(at));
    if let Some(block) = octets.last_chunk() {
        // What stands before `at` is shifted out.
        let before = BLOCK.saturating_sub(rest.len());
        return odd_in(block).checked_shr(offset(before)).unwrap_or_default();
    }
    let mut block = [b' '; BLOCK];
    block.iter_mut().zip(rest).for_each(|(place, octet)| *place = *octet);
    odd_in(&block)
}

/// A bit for each octet of a block that is no printable ASCII.
#[inline]
fn odd_in(block: &[u8; BLOCK]) -> u64 {
    let (sixteens, _) = block.as_chunks();
    let odd = |sixteen| {
        let sixteen = Sixteen::whole(sixteen);
        u64::from((sixteen.below(b' ') | sixteen.are(DELETE)).bits())
    };
    let &[a, b, c, d] = sixteens else { return 0 };
    odd(&a) | odd(&b) << 16 | odd(&c) << 32 | odd(&d) << 48
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_printable_is_found_wherever_it_stands() {
        for length in 0..200_u32 {
            let mut text = vec![b' '; index(length)];
            assert_eq!(Odd::new(&text, 0).next(), length);
            for at in 0..length {
                for octet in [0, 0x1f, 0x7f, 0x80, 0xff, b'\n'] {
                    text[index(at)] = octet;
                    let mut odd = Odd::new(&text, 0);
                    assert_eq!([odd.next(), odd.next()], [at, length], "{octet}");
                }
                assert_eq!(Odd::new(&text, at / 2).next(), at);
                assert_eq!(Odd::new(&text, at + 1).next(), length);
                text[index(at)] = b'~';
            }
        }
    }

    #[test]
    fn all_are_found_in_order() {
        for (first, second) in (0..64_u32).flat_map(|n| (n..64).map(move |m| (n, m))) {
            let mut block = [b'a'; BLOCK];
            block[index(first)] = b'\r';
            block[index(second)] = b'\n';
            let text = [block, block].concat();
            let mut odd = Odd::new(&text, 0);
            let mut places = vec![first, second, first + 64, second + 64, 128];
            places.dedup();
            assert!(places.iter().all(|place| odd.next() == *place), "{places:?}");
        }
    }
}
