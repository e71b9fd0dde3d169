//! The lines of a header section (RFC 3261 §7), found together with every octet that is no printable
//! ASCII: line ends are among those, so one pass over the octets serves both. Judges no line.

use crate::cursor::{Ending, Line, slice, tail};

/// Walks over the lines; octets past the last line asked for are hardly looked at.
pub(super) struct HeadLines<'a> {
    octets: &'a [u8],
    /// Where the next line begins.
    at: usize,
    /// The block whose odd octets are marked, and where the next one begins.
    block: usize,
    next_block: usize,
    /// Odd octets of the block that have not been come to yet; bit n stands for octet n.
    marks: u64,
    odd: bool,
}

/// Octets of a block.
const BLOCK: usize = 64;

impl<'a> HeadLines<'a> {
    /// The lines from offset `at` on.
    pub(super) const fn new(octets: &'a [u8], at: usize) -> Self {
        Self { octets, at, block: at, next_block: at, marks: 0, odd: false }
    }

    /// True if a line so far has an octet that is no printable ASCII, besides its ending.
    pub(super) const fn is_odd(&self) -> bool {
        self.odd
    }

    /// The next line; `None` at the end of the octets.
    #[inline]
    pub(super) fn line(&mut self) -> Option<Line<'a>> {
        let from = self.at;
        while let Some(at) = self.mark() {
            let (ending, end) = match tail(self.octets, at) {
                // The LF is marked too: it is the next mark, or the first of the next block.
                [b'\r', b'\n', ..] => {
                    self.marks &= self.marks.wrapping_sub(1);
                    (Ending::CrLf, at)
                }
                [b'\n', ..] if at < from => continue,
                [b'\n', ..] => (Ending::Lf, at),
                _ => {
                    self.odd = true;
                    continue;
                }
            };
            self.at = end.saturating_add(ending.octets());
            return Some(Line { text: slice(self.octets, from, end), next: self.at, ending });
        }
        let text = tail(self.octets, from);
        self.at = self.octets.len();
        (!text.is_empty()).then_some(Line { text, next: self.at, ending: Ending::None })
    }

    /// The place of the next odd octet.
    #[inline]
    fn mark(&mut self) -> Option<usize> {
        while self.marks == 0 {
            let rest = tail(self.octets, self.next_block);
            self.marks = match rest.first_chunk::<BLOCK>() {
                Some(block) => odd_ones(block),
                None if rest.is_empty() => return None,
                None => last_block(rest),
            };
            self.block = self.next_block;
            self.next_block = self.block.saturating_add(BLOCK);
        }
        let first = usize::try_from(self.marks.trailing_zeros()).ok()?;
        self.marks &= self.marks.wrapping_sub(1);
        Some(self.block.saturating_add(first))
    }
}

/// The marks of what is left when there is no whole block.
fn last_block(rest: &[u8]) -> u64 {
    let mut block = [b' '; BLOCK];
    if let Some(part) = block.get_mut(..rest.len()) {
        part.copy_from_slice(rest);
    }
    odd_ones(&block)
}

/// Which octets of a block are no printable ASCII: controls, DEL and everything above. Written so that
/// it becomes vector code: all octets are compared first, then each eight answers made eight bits.
#[inline]
fn odd_ones(block: &[u8; BLOCK]) -> u64 {
    /// One bit of each octet, another one in each, and a factor that adds all octets up in the highest.
    const DIAGONAL: u64 = 0x8040_2010_0804_0201;
    const SUM: u64 = 0x0101_0101_0101_0101;
    let odd = block.map(|octet| if octet.wrapping_sub(b' ') >= 0x5f { 0xff_u8 } else { 0 });
    let (words, _) = odd.as_chunks::<8>();
    words.iter().rev().fold(0, |marks, word| {
        let bits = (u64::from_le_bytes(*word) & DIAGONAL).wrapping_mul(SUM) >> 56;
        marks << 8 | bits
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::line_at;

    #[test]
    fn the_same_lines_are_found_as_by_looking_for_each_line_feed() {
        let text: Vec<u8> = (0..400_usize).map(|n| b"abcd\r\n\n\re\tf"[n * n % 11]).collect();
        for from in 0..100 {
            let part = &text[..text.len() - from];
            let (mut lines, mut at) = (HeadLines::new(part, from), from);
            while let Some(slow) = line_at(part, at) {
                let line = lines.line().unwrap();
                assert_eq!((line.text, line.next), (slow.text, slow.next), "{from} {at}");
                assert_eq!(line.ending, slow.ending);
                at = slow.next;
            }
            assert!(lines.line().is_none());
        }
    }

    #[test]
    fn what_is_not_printable_is_marked_wherever_it_stands() {
        for at in 0..BLOCK {
            let mut block = [b' '; BLOCK];
            assert_eq!(odd_ones(&block), 0);
            for octet in [0, 0x1f, 0x7f, 0x80, 0xff, b'\n'] {
                block[at] = octet;
                assert_eq!(odd_ones(&block), 1 << at, "{at} {octet}");
            }
            block[at] = b'~';
            assert_eq!(odd_ones(&block), 0);
        }
        assert_eq!(odd_ones(&[0xff; BLOCK]), u64::MAX);
    }

    #[test]
    fn only_what_is_no_line_end_is_odd() {
        let mut lines = HeadLines::new(b"a\r\nb\n\n c\td\r\n", 0);
        assert!(lines.line().is_some() && lines.line().is_some() && !lines.is_odd());
        while lines.line().is_some() {}
        assert!(lines.is_odd());
    }
}
