//! Where a line of a header section ends (RFC 3261 §7): at the first octet that is no printable ASCII,
//! which nearly always is the CR of its line end. So one look at the octets finds the end and shows
//! that there is nothing odd before it. Judges no line.

use crate::cursor::{find_odd, offset, tail};

/// Octets that are looked at together; most lines are shorter.
const BLOCK: usize = 64;
/// A bit of each octet of a word.
const COLUMN: u64 = 0x0101_0101_0101_0101;

/// The place of the first octet that is no printable ASCII: a control, DEL or anything above; the
/// length without one.
#[inline]
pub(super) fn first_odd(octets: &[u8]) -> u32 {
    match octets.first_chunk().map(odd_in) {
        Some(Some(place)) => place,
        Some(None) => further_odd(octets, BLOCK),
        None => further_odd(octets, 0),
    }
}

/// The same from `at` on: after a block without one and near the end, where there is no whole block.
#[inline(never)]
fn further_odd(octets: &[u8], at: usize) -> u32 {
    let mut rest = tail(octets, at);
    while let Some((block, next)) = rest.split_first_chunk::<BLOCK>() {
        if let Some(place) = odd_in(block) {
            return place.wrapping_add(offset(octets.len().saturating_sub(rest.len())));
        }
        rest = next;
    }
    let before = octets.len().saturating_sub(rest.len());
    offset(find_odd(rest).map_or(octets.len(), |place| before.saturating_add(place)))
}

/// The same for one block. Written so that it becomes vector code: the octets are compared at once and
/// the answers laid over each other, those of the n-th eight octets in bit n of a word's eight octets.
#[inline]
#[expect(clippy::many_single_char_names, reason = "eight words in order")]
fn odd_in(block: &[u8; BLOCK]) -> Option<u32> {
    // As signed numbers counted from SP up, printable ASCII is -128 to -34.
    let odd =
        block.map(|octet| if octet.wrapping_add(0x60).cast_signed() > -34 { 0xff } else { 0 });
    let (words, _) = odd.as_chunks::<8>();
    let &[a, b, c, d, e, f, g, h] = words else { return None };
    let word = |octets, row: u32| u64::from_le_bytes(octets) & COLUMN.wrapping_shl(row);
    let even = word(a, 0) | word(c, 2) | word(e, 4) | word(g, 6);
    let marks = even | word(b, 1) | word(d, 3) | word(f, 5) | word(h, 7);
    if marks == 0 {
        return None;
    }
    let rows = marks | marks >> 32;
    let rows = rows | rows >> 16;
    let row = (rows | rows >> 8).trailing_zeros();
    let column = (marks.wrapping_shr(row) & COLUMN).trailing_zeros() / 8;
    Some(row.wrapping_mul(8).wrapping_add(column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::index;

    #[test]
    fn what_is_not_printable_is_found_wherever_it_stands() {
        for length in 0..200_u32 {
            let mut text = vec![b' '; index(length)];
            assert_eq!(first_odd(&text), length);
            for at in 0..length {
                for octet in [0, 0x1f, 0x7f, 0x80, 0xff, b'\n'] {
                    text[index(at)] = octet;
                    assert_eq!(first_odd(&text), at, "{length} {octet}");
                }
                assert_eq!(first_odd(&text[index(at / 2)..]), at - at / 2);
                assert_eq!(first_odd(&text[index(at + 1)..]), length - at - 1);
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
            assert_eq!(odd_in(&block).map(index), Some(first));
        }
    }
}
