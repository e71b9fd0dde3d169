//! Octets that come in pieces of any size, in any order, overlapping and repeated, each with its place:
//! fragments of DTLS (RFC 6347 §4.2.3), CRYPTO frames of QUIC (RFC 9000 §19.6). What came first counts.

use std::ops::Range;

/// Separate parts at most that wait for what lies between them.
const PARTS_MAX: usize = 1_024;

/// What has come.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Up to the last octet that came; what did not come is 0.
    octets: Vec<u8>,
    /// Begin and end of what came, apart from each other and in order. None as long as nothing came before
    /// its turn, as hardly anything does: then all octets have come.
    parts: Vec<(usize, usize)>,
}

impl Gathered {
    /// Octets up to the last that came, holes included.
    pub fn extent(&self) -> usize {
        self.octets.len()
    }

    /// The first `length` octets, as soon as all of them have come.
    pub fn beginning(&self, length: usize) -> Option<&[u8]> {
        let (begin, end) = self.parts.first().copied().unwrap_or((0, self.octets.len()));
        self.octets.get(..length).filter(|_| begin == 0 && end >= length)
    }

    /// Memory taken.
    pub fn cost(&self) -> usize {
        let parts = self.parts.capacity().saturating_mul(size_of::<(usize, usize)>());
        self.octets.capacity().saturating_add(parts)
    }

    /// Takes octets that belong at `begin`, as far as they have not come before. False if there are too
    /// many separate parts to take another one.
    pub fn add(&mut self, begin: usize, octets: &[u8]) -> bool {
        let end = begin.saturating_add(octets.len());
        if begin >= end {
            return true;
        }
        if self.parts.is_empty() {
            let have = self.octets.len();
            if let Some(known) = have.checked_sub(begin) {
                self.octets.extend_from_slice(octets.get(known..).unwrap_or_default());
                return true;
            }
            self.parts.extend((have > 0).then_some((0, have)));
        }
        let range = self.touched(begin, end);
        if range.is_empty() && self.parts.len() >= PARTS_MAX {
            return false;
        }
        if self.octets.len() < end {
            self.octets.resize(end, 0);
        }
        let mut at = begin;
        for &(from, to) in self.parts.get(range.clone()).unwrap_or_default() {
            copy(&mut self.octets, at, from.min(end), begin, octets);
            at = at.max(to);
        }
        copy(&mut self.octets, at, end, begin, octets);
        // The new part swallows those that it touches.
        let touched = self.parts.get(range.clone()).unwrap_or_default();
        let from = touched.first().map_or(begin, |(from, _)| begin.min(*from));
        let to = touched.last().map_or(end, |(_, to)| end.max(*to));
        self.parts.splice(range, [(from, to)]);
        if *self.parts == [(0, self.octets.len())] {
            self.parts.clear();
        }
        true
    }

    /// The places of the parts that overlap octets from `begin` to `end`, or lie next to them.
    fn touched(&self, begin: usize, end: usize) -> Range<usize> {
        let first = self.parts.partition_point(|(_, to)| *to < begin);
        let after = self.parts.partition_point(|(from, _)| *from <= end);
        first..after.max(first)
    }
}

/// Copies from `at` to `end`, of octets whose first one belongs at `begin`; nothing if there is nothing
/// between the two.
fn copy(to: &mut [u8], at: usize, end: usize, begin: usize, octets: &[u8]) {
    let source = at.checked_sub(begin).zip(end.checked_sub(begin));
    let source = source.and_then(|(from, to)| octets.get(from..to));
    if let Some((target, source)) = to.get_mut(at..end).zip(source) {
        target.copy_from_slice(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_first_counts_where_pieces_overlap() {
        let mut gathered = Gathered::default();
        for (begin, octets) in [(2, &b"cd"[..]), (5, b"f"), (9, b""), (3, b"!")] {
            assert!(gathered.add(begin, octets));
            assert_eq!(gathered.beginning(1), None);
        }
        assert!(gathered.add(0, b"ab!!e!gh"));
        assert_eq!(gathered.beginning(8), Some(&b"abcdefgh"[..]));
        assert_eq!((gathered.beginning(9), gathered.extent()), (None, 8));
    }

    #[test]
    fn separate_parts_are_bounded_and_what_joins_them_is_taken() {
        let mut gathered = Gathered::default();
        let taken = (0..2 * PARTS_MAX).filter(|at| gathered.add(2 * at, b"x")).count();
        assert_eq!(taken, PARTS_MAX);
        for at in 0..PARTS_MAX {
            assert!(gathered.add(2 * at + 1, b"y"));
        }
        assert_eq!(gathered.beginning(2 * PARTS_MAX).map(<[u8]>::len), Some(2 * PARTS_MAX));
    }
}
