//! What is known of each subject to every rule at once: whether it has an entry of its own, and among the rest
//! of which rules it has been counted, a bit for each. What is odd about two peers is odd to many rules, and so
//! one cache line answers for all of them.

use super::book::Noted;
use super::by_hash::ByHash;

/// The subjects that sightings were about.
#[derive(Debug)]
pub(super) struct Peers {
    /// Bits by what [`key`] gives.
    known: ByHash<u64>,
    counted: usize,
    cap: usize,
}

/// Entries of the rest for which there are bits in one value.
const RESTS: u32 = u64::BITS - 1;

/// The bit that says that a subject has an entry of its own.
const OWN: u64 = 1 << RESTS;

impl Peers {
    /// None, with room for `cap` times that a subject is counted.
    pub(super) fn new(cap: usize) -> Self {
        Self { known: ByHash::default(), counted: 0, cap }
    }

    /// Asks for what is known of the subject with this hash.
    #[inline]
    pub(super) fn fetch(&self, subject: u64) {
        self.known.fetch(key(subject, 0));
    }

    /// Whether any rule has an entry of its own for the subject with this hash.
    #[inline]
    pub(super) fn is_own(&self, subject: u64) -> bool {
        self.known.get(key(subject, 0)).is_some_and(|bits| bits & OWN != 0)
    }

    /// Notes that a rule has one.
    pub(super) fn own(&mut self, subject: u64) {
        self.set(key(subject, 0), OWN);
    }

    /// Counts the subject with this hash in the entry of the rest with this ordinal.
    #[inline]
    pub(super) fn count(&mut self, subject: u64, ordinal: u32) -> Noted {
        let (key, bit) = (key(subject, ordinal), 1 << (ordinal % RESTS));
        if self.known.get(key).is_some_and(|bits| bits & bit != 0) {
            return Noted::Before;
        }
        if self.counted >= self.cap {
            return Noted::NoRoom;
        }
        self.counted += 1;
        self.set(key, bit);
        Noted::Now
    }

    fn set(&mut self, key: u64, bit: u64) {
        match self.known.get_mut(key) {
            Some(bits) => *bits |= bit,
            None => {
                self.known.insert(key, bit);
            }
        }
    }
}

/// Under what a subject's bit of the entry of the rest with this ordinal is found.
fn key(subject: u64, ordinal: u32) -> u64 {
    subject ^ u64::from(ordinal / RESTS).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_once_in_each_entry_however_the_table_grows() {
        let mut peers = Peers::new(20_000);
        let subjects = || (0_u64..5_000).map(|n| n.wrapping_mul(1 << 40 | 4));
        let each = || subjects().flat_map(|of| [0, 62, 63, 130].map(|n| (of, n)));
        subjects().step_by(2).for_each(|of| peers.own(of));
        assert!(each().all(|(subject, ordinal)| peers.count(subject, ordinal) == Noted::Now));
        assert!(each().all(|(subject, ordinal)| peers.count(subject, ordinal) == Noted::Before));
        assert_eq!(peers.count(3, 1), Noted::NoRoom);
        assert!(subjects().enumerate().all(|(n, of)| peers.is_own(of) == (n % 2 == 0)));
    }
}
