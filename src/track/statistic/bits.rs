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
    /// Packets that had this octet.
    reached: [[u8; 8]; WORDS],
}

impl<const WORDS: usize> Bits<WORDS> {
    pub(super) const fn new() -> Self {
        Self {
            ones: [[0; WORDS]; PLANES],
            changes: [[0; WORDS]; PLANES],
            last: [0; WORDS],
            reached: [[0; 8]; WORDS],
        }
    }

    /// Takes the octets of a packet that has them all.
    #[inline]
    pub(super) fn whole(&mut self, octets: &[u8]) {
        self.packet(words(octets), [u64::MAX; WORDS]);
    }

    /// Takes those of a packet that may end before.
    #[cold]
    pub(super) fn part<'a>(&mut self, octets: impl Iterator<Item = &'a u8>) {
        let (mut there, mut mask) = ([[0_u8; 8]; WORDS], [[0_u8; 8]; WORDS]);
        let places = there.as_flattened_mut().iter_mut().zip(mask.as_flattened_mut());
        for ((place, mask), octet) in places.zip(octets) {
            (*place, *mask) = (*octet, u8::MAX);
        }
        self.packet(words(there.as_flattened()), words(mask.as_flattened()));
    }

    /// Takes octets as words; the mask says which of them there are.
    #[inline]
    fn packet(&mut self, octets: [u64; WORDS], mask: [u64; WORDS]) {
        let mut changes = [0; WORDS];
        let lasts = self.last.iter_mut().zip(&mut self.reached);
        for (((change, (last, reached)), octets), mask) in
            changes.iter_mut().zip(lasts).zip(octets).zip(mask)
        {
            // An octet that no packet had before is no change.
            let known =
                u64::from_le_bytes(reached.map(|count| if count > 0 { u8::MAX } else { 0 }));
            *change = (octets ^ *last) & mask & known;
            *last = *last & !mask | octets;
            for (count, mask) in reached.iter_mut().zip(mask.to_le_bytes()) {
                *count = count.wrapping_add(mask & 1);
            }
        }
        add(&mut self.ones, octets);
        add(&mut self.changes, changes);
    }

    /// BITZ of the first `octets` positions: how far the sum of z² is from what random bits give, in
    /// standard deviations; and of how many values.
    pub(super) fn bitz(&self, octets: usize) -> Option<(f64, u32)> {
        let (mut sum, mut values) = (0.0, 0);
        let reached = self.reached.as_flattened().iter().take(octets).enumerate();
        for (at, reached) in reached.filter(|(_, reached)| **reached >= REACHED) {
            for (planes, of) in [(&self.ones, *reached), (&self.changes, reached - 1)] {
                // In whole numbers as long as the packets are the same: eight at a time.
                let apart = |count: u8| i32::from(count) * 2 - i32::from(of);
                let squares: i32 = counts(planes, at).map(|count| apart(count).pow(2)).iter().sum();
                sum += f64::from(squares) / f64::from(of);
                values += 8;
            }
        }
        let expected = f64::from(values);
        (values > 0).then(|| ((sum - expected) / (2.0 * expected).sqrt(), values))
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

/// The counts of the eight bits of the octet `at`.
fn counts<const WORDS: usize>(planes: &[[u64; WORDS]; PLANES], at: usize) -> [u8; 8] {
    let mut counts = 0;
    for (bit, plane) in planes.iter().enumerate() {
        let octet =
            plane.as_slice().get(at / 8).and_then(|word| word.to_le_bytes().get(at % 8).copied());
        counts |= spread(octet.unwrap_or_default()) << bit;
    }
    counts.to_le_bytes()
}

/// Bit i of the octet as octet i of a word, 0 or 1.
fn spread(octet: u8) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let copies = (EACH * u64::from(octet)) & 0x8040_2010_0804_0201;
    ((copies + 0x7f * EACH) >> 7) & EACH
}

#[cfg(test)]
mod tests {
    use super::super::MOST;
    use super::*;

    #[test]
    fn an_octet_spreads_into_its_bits() {
        for octet in 0..=255_u8 {
            let bits = spread(octet).to_le_bytes();
            assert!((0..8).all(|i| bits[i] == octet >> i & 1), "{octet}");
        }
    }

    #[test]
    fn what_ends_before_counts_as_far_as_it_goes() {
        assert!(usize::from(MOST) < 1 << PLANES);
        let mut bits = Bits::<1>::new();
        for n in 0..MOST {
            bits.part([n, 0xff].iter());
        }
        assert_eq!(counts(&bits.ones, 0), [32, 32, 32, 32, 32, 32, 0, 0]);
        assert_eq!(counts(&bits.changes, 0), [63, 31, 15, 7, 3, 1, 0, 0]);
        assert_eq!((counts(&bits.ones, 1), counts(&bits.changes, 1)), ([64; 8], [0; 8]));
        assert_eq!((bits.ones[0][0] >> 16, bits.reached[0]), (0, [64, 64, 0, 0, 0, 0, 0, 0]));
    }
}
