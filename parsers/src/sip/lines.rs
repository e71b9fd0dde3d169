//! Where a line of a header section ends (RFC 3261 §7): at the first octet that is no printable ASCII,
//! which nearly always is the CR of its line end. So one look at the octets finds the end and shows
//! that there is nothing odd before it. Judges no line.

use crate::cursor::{offset, tail};
use crate::sixteen::Sixteen;

/// Octets that are looked at together; most lines are shorter.
const BLOCK: usize = 64;
const DELETE: u8 = 0x7f;

/// How many octets from `at` on are printable ASCII, up to the first that is not: a control, DEL or
/// anything above.
#[inline]
pub(super) fn first_odd(octets: &[u8], at: usize) -> u32 {
    let odd = block_at(octets, at);
    if odd == 0 { further_odd(octets, at) } else { odd.trailing_zeros() }
}

/// The same where there is none in the first block, or nothing behind it.
#[inline(never)]
fn further_odd(octets: &[u8], at: usize) -> u32 {
    let mut next = at.saturating_add(BLOCK);
    while next < octets.len() {
        let odd = block_at(octets, next);
        if odd != 0 {
            return offset(next.saturating_sub(at)).saturating_add(odd.trailing_zeros());
        }
        next = next.saturating_add(BLOCK);
    }
    offset(octets.len().saturating_sub(at))
}

/// A bit for each octet from `at` on, as many as there are in a block, that is no printable ASCII.
#[inline]
fn block_at(octets: &[u8], at: usize) -> u64 {
    let rest = tail(octets, at);
    let missing = BLOCK.saturating_sub(rest.len());
    match rest.first_chunk().or_else(|| octets.last_chunk()) {
        // Of the last block of all, what stands before `at` is shifted out.
        Some(block) => odd_in(block).checked_shr(offset(missing)).unwrap_or_default(),
        None => odd_in_less(rest),
    }
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

/// The same for fewer octets.
#[cold]
fn odd_in_less(octets: &[u8]) -> u64 {
    let mut block = [b' '; BLOCK];
    block.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
    odd_in(&block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::index;

    #[test]
    fn what_is_not_printable_is_found_wherever_it_stands() {
        for length in 0..200_u32 {
            let mut text = vec![b' '; index(length)];
            assert_eq!(first_odd(&text, 0), length);
            for at in 0..length {
                for octet in [0, 0x1f, 0x7f, 0x80, 0xff, b'\n'] {
                    text[index(at)] = octet;
                    assert_eq!(first_odd(&text, 0), at, "{length} {octet}");
                }
                assert_eq!(first_odd(&text, index(at / 2)), at - at / 2);
                assert_eq!(first_odd(&text, index(at + 1)), length - at - 1);
                text[index(at)] = b'~';
            }
        }
    }

    #[test]
    fn the_first_of_several_is_found() {
        for (first, second) in (0..64).flat_map(|n| (n..64).map(move |m| (n, m))) {
            let mut block = [b'a'; BLOCK];
            block[first] = b'\r';
            block[second] = b'\n';
            assert_eq!(odd_in(&block), 1 << first | 1 << second);
        }
    }
}
