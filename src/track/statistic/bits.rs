//! How often each bit of the first octets of packets is set, and how often it changes from packet to
//! packet: BITZ (`CATALOGUE.md` A.1.2).

/// Bits of a count up to [`MOST`](super::MOST).
const PLANES: usize = 7;
/// Packets that must have reached a position for its bits to count.
const REACHED: u8 = 16;

/// Counts for each bit of the first octets of packets, eight octets to a word. The counts stand upright:
/// word `i` of the planes holds bit `i` of sixty-four counts, so that a packet is added to all of them at
/// once.
#[derive(Clone, Debug)]
pub(super) struct Bits<const WORDS: usize> {
    ones: [[u64; WORDS]; PLANES],
    changes: [[u64; WORDS]; PLANES],
    last: [u64; WORDS],
    /// All bits of the octets that a packet had before.
    known: [u64; WORDS],
    /// Packets that had all octets.
    whole: u8,
    /// Of the others, those that had this octet.
    reached: [[u8; 8]; WORDS],
}

impl<const WORDS: usize> Bits<WORDS> {
    pub(super) const fn new() -> Self {
        Self {
            ones: [[0; WORDS]; PLANES],
            changes: [[0; WORDS]; PLANES],
            last: [0; WORDS],
            known: [0; WORDS],
            whole: 0,
            reached: [[0; 8]; WORDS],
        }
    }

    /// Takes the octets of a packet that has them all.
    #[inline]
    pub(super) fn whole(&mut self, octets: &[u8]) {
        self.whole = self.whole.wrapping_add(1);
        self.packet(words(octets), [u64::MAX; WORDS]);
    }

    /// Takes those of a packet that may end before.
    #[cold]
    pub(super) fn part<'a>(&mut self, octets: impl Iterator<Item = &'a u8>) {
        let (mut there, mut mask) = ([[0_u8; 8]; WORDS], [[0_u8; 8]; WORDS]);
        let places = there.as_flattened_mut().iter_mut().zip(mask.as_flattened_mut());
        let reached = self.reached.as_flattened_mut();
        for (((place, mask), reached), octet) in places.zip(reached).zip(octets) {
            (*place, *mask, *reached) = (*octet, u8::MAX, reached.wrapping_add(1));
        }
        self.packet(words(there.as_flattened()), words(mask.as_flattened()));
    }

    /// Takes octets as words; the mask says which of them there are.
    #[inline]
    fn packet(&mut self, octets: [u64; WORDS], mask: [u64; WORDS]) {
        let mut changes = [0; WORDS];
        let before = self.last.iter_mut().zip(&mut self.known);
        for (((change, (last, known)), octets), mask) in
            changes.iter_mut().zip(before).zip(octets).zip(mask)
        {
            // An octet that no packet had before is no change.
            *change = (octets ^ *last) & mask & *known;
            *last = *last & !mask | octets;
            *known |= mask;
        }
        add(&mut self.ones, octets);
        add(&mut self.changes, changes);
    }

    /// BITZ of as many of the first positions: how far the sum of z² is from what random bits give, in
    /// standard deviations; and of how many values.
    pub(super) fn bitz<const N: usize>(&self, octets: [usize; N]) -> [Option<(f64, u32)>; N] {
        let reached = self.reached.map(|eight| eight.map(|part| part.wrapping_add(self.whole)));
        let changed = reached.map(|eight| eight.map(|count| count.saturating_sub(1)));
        let ones = squares(&self.ones, &reached);
        let changes = squares(&self.changes, &changed);
        octets.map(|octets| {
            let (mut sum, mut values) = (0.0, 0);
            let squares = ones.as_flattened().iter().zip(changes.as_flattened());
            let counted = reached.as_flattened().iter().zip(squares).take(octets);
            for (reached, (ones, changes)) in counted.filter(|(reached, _)| **reached >= REACHED) {
                sum += f64::from(*ones) / f64::from(*reached);
                sum += f64::from(*changes) / f64::from(*reached - 1);
                values += 16;
            }
            let expected = f64::from(values);
            (values > 0).then(|| ((sum - expected) / (2.0 * expected).sqrt(), values))
        })
    }
}

/// Octets as words, the first of each lowest.
#[inline]
fn words<const WORDS: usize>(octets: &[u8]) -> [u64; WORDS] {
    let (eights, _) = octets.as_chunks::<8>();
    let mut words = [0; WORDS];
    for (word, eight) in words.iter_mut().zip(eights) {
        *word = u64::from_le_bytes(*eight);
    }
    words
}

/// Adds one to each count whose bit is set.
#[inline]
fn add<const WORDS: usize>(planes: &mut [[u64; WORDS]; PLANES], bits: [u64; WORDS]) {
    let mut carry = bits;
    for plane in planes {
        for (word, carry) in plane.iter_mut().zip(&mut carry) {
            (*word, *carry) = (*word ^ *carry, *word & *carry);
        }
    }
}

/// For each octet the sum over its bits of (2 count - most)², in whole numbers: of `most` packets, at
/// most [`MOST`](super::MOST), eight squares are below 2^16.
fn squares<const WORDS: usize>(
    planes: &[[u64; WORDS]; PLANES],
    most: &[[u8; 8]; WORDS],
) -> [[u16; 8]; WORDS] {
    let mut sums = [[0_u16; 8]; WORDS];
    for (word, (sums, most)) in sums.iter_mut().zip(most).enumerate() {
        for bit in 0..8 {
            let counts = counts(planes, word, bit);
            for ((sum, count), most) in sums.iter_mut().zip(counts).zip(most) {
                let apart = (u16::from(count) * 2).wrapping_sub(u16::from(*most));
                *sum = sum.wrapping_add(apart.wrapping_mul(apart));
            }
        }
    }
    sums
}

/// The counts of one bit of the eight octets of a word.
#[inline]
fn counts<const WORDS: usize>(planes: &[[u64; WORDS]; PLANES], word: usize, bit: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut counts = 0;
    for (power, plane) in planes.iter().enumerate() {
        let plane = plane.get(word).copied().unwrap_or_default();
        counts |= (plane >> bit & EACH) << power;
    }
    counts.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::MOST;
    use super::*;

    #[test]
    fn what_ends_before_counts_as_far_as_it_goes() {
        assert!(usize::from(MOST) < 1 << PLANES);
        let mut bits = Bits::<1>::new();
        for n in 0..MOST {
            bits.part([n, 0xff].iter());
        }
        let of = |planes, octet: usize| {
            [0, 1, 2, 3, 4, 5, 6, 7].map(|bit| counts(planes, 0, bit)[octet])
        };
        assert_eq!(of(&bits.ones, 0), [32, 32, 32, 32, 32, 32, 0, 0]);
        assert_eq!(of(&bits.changes, 0), [63, 31, 15, 7, 3, 1, 0, 0]);
        assert_eq!((of(&bits.ones, 1), of(&bits.changes, 1)), ([64; 8], [0; 8]));
        assert_eq!(squares(&bits.ones, &bits.reached)[0][..2], [2 * 64 * 64, 8 * 64 * 64]);
        assert_eq!((bits.ones[0][0] >> 16, bits.reached[0]), (0, [64, 64, 0, 0, 0, 0, 0, 0]));
    }
}
