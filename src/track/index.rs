//! Which stream of a cell a hash belongs to: one word an entry, so that a look-up touches one cache
//! line beside the stream itself.
//!
//! Open addressing with linear probing. An entry holds the upper half of the hash and the number of
//! the stream; the half is enough to find its place again when the table grows, so growing touches
//! no stream. The caller says whether a candidate is the one that is meant.

use crate::model::fetch;

/// Entries of a new table.
const FEW: usize = 8;

/// Octets that a stream takes here when a cell has as many as it may by default: two thirds of a
/// table are too few by then, so that it is half empty.
pub(super) const ENTRY: usize = 2 * size_of::<Entry>();

/// The upper half of a hash and a number plus 1; 0 where there is none.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Entry(u64);

/// Numbers of streams by hash.
#[derive(Debug)]
pub(super) struct Index {
    /// A power of two of them, at most two thirds used.
    entries: Vec<Entry>,
    len: usize,
}

impl Entry {
    const NONE: Self = Self(0);

    const fn new(hash: u64, number: u32) -> Self {
        Self(hash & TAG | (number as u64 + 1))
    }

    /// The number, if the entry is of this hash.
    #[inline]
    fn number(self, hash: u64) -> Option<u32> {
        let number = u32::try_from(self.0 & !TAG).ok()?.checked_sub(1)?;
        (self.0 & TAG == hash & TAG).then_some(number)
    }
}

/// The half of an entry that is of the hash.
const TAG: u64 = !(u32::MAX as u64);

impl Index {
    /// An empty table.
    pub(super) fn new() -> Self {
        Self { entries: vec![Entry::NONE; FEW], len: 0 }
    }

    /// Streams in it.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Asks for the line where the hash belongs.
    #[inline]
    pub(super) fn fetch(&self, hash: u64) {
        fetch::element(&self.entries, self.home(hash));
    }

    /// The first number under `hash` that `is` the one meant.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.home(hash);
        // There is always an empty entry.
        while let Some(entry) = self.entries.get(at).filter(|entry| **entry != Entry::NONE) {
            if let Some(number) = entry.number(hash).filter(|number| is(*number)) {
                return Some(number);
            }
            at = self.after(at);
        }
        None
    }

    /// Adds a number that is not there. The greatest `u32` is none.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        if (self.len + 1) * 3 > self.entries.len() * 2 {
            self.grow();
        }
        self.put(Entry::new(hash, number));
        self.len += 1;
    }

    /// Takes a number out, if it is there.
    pub(super) fn remove(&mut self, hash: u64, number: u32) {
        let gone = Entry::new(hash, number);
        let mut hole = self.home(hash);
        while self.entries.get(hole).is_some_and(|entry| *entry != gone) {
            if self.entries.get(hole) == Some(&Entry::NONE) {
                return;
            }
            hole = self.after(hole);
        }
        self.len -= 1;
        // What was pushed past the hole moves back, so that no look-up ends too early.
        let mut at = hole;
        loop {
            at = self.after(at);
            let Some(entry) = self.entries.get(at).copied() else { break };
            if entry == Entry::NONE {
                break;
            }
            let pushed = at.wrapping_sub(self.home(entry.0)) & self.mask();
            if pushed >= at.wrapping_sub(hole) & self.mask() {
                self.set(hole, entry);
                hole = at;
            }
        }
        self.set(hole, Entry::NONE);
    }

    #[cold]
    fn grow(&mut self) {
        let doubled = vec![Entry::NONE; self.entries.len() * 2];
        let old = std::mem::replace(&mut self.entries, doubled);
        for entry in old.into_iter().filter(|entry| *entry != Entry::NONE) {
            self.put(entry);
        }
    }

    /// Puts an entry into the first empty place from its home on.
    fn put(&mut self, entry: Entry) {
        let mut at = self.home(entry.0);
        while self.entries.get(at).is_some_and(|other| *other != Entry::NONE) {
            at = self.after(at);
        }
        self.set(at, entry);
    }

    fn set(&mut self, at: usize, entry: Entry) {
        if let Some(place) = self.entries.get_mut(at) {
            *place = entry;
        }
    }

    const fn mask(&self) -> usize {
        self.entries.len() - 1
    }

    #[inline]
    const fn home(&self, hash: u64) -> usize {
        (hash >> 32) as usize & self.mask()
    }

    #[inline]
    const fn after(&self, at: usize) -> usize {
        (at + 1) & self.mask()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Few different hashes, so that they collide and wrap around the end.
        #[test]
        fn it_finds_what_a_map_would(steps in prop::collection::vec((0u64..40, any::<bool>()), 0..400)) {
            let mut index = Index::new();
            let mut known: HashMap<u64, u32> = HashMap::new();
            let hash = |key: u64| (key % 13).wrapping_mul(0x3fff_ffff_0000_0000) | key;
            for (number, (key, add)) in (0u32..).zip(steps) {
                if let Some(there) = known.remove(&key) {
                    index.remove(hash(key), there);
                } else if add {
                    index.insert(hash(key), number);
                    known.insert(key, number);
                } else {
                    index.remove(hash(key), number);
                }
                prop_assert_eq!(index.len(), known.len());
                for key in 0..40 {
                    let meant = known.get(&key).copied();
                    prop_assert_eq!(index.find(hash(key), |found| Some(found) == meant), meant);
                }
            }
            prop_assert!(index.entries.len() <= 128);
        }
    }
}
