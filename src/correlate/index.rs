//! Slots of a table by hash. Each stands beside 32 bits of its hash, so that neither a look-up nor
//! growth goes to entries that it is not about: in a table of a million entries each of those would
//! be a cache miss. What is equal is decided by who asks.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Slots by hash; several may have the same.
#[derive(Debug, Default)]
pub(super) struct Index {
    table: HashTable<(u32, u32)>,
}

impl Index {
    /// Octets for each slot, with the room that a hash table keeps free.
    pub(super) const ENTRY: usize = 2 * (size_of::<(u32, u32)>() + 1);

    /// The slot under `hash` that `is` recognises.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        self.table.find(spread(tag), |&(other, slot)| other == tag && is(slot)).map(|found| found.1)
    }

    /// Adds a slot.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, slot: u32) {
        let tag = tag(hash);
        let _entry = self.table.insert_unique(spread(tag), (tag, slot), |&(tag, _)| spread(tag));
    }

    /// Puts `slot` in the place of the one that `is` recognises, which is returned, or adds it.
    #[inline]
    pub(super) fn put(
        &mut self,
        hash: u64,
        slot: u32,
        mut is: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        let tag = tag(hash);
        let same = |&(other, slot): &(u32, u32)| other == tag && is(slot);
        match self.table.entry(spread(tag), same, |&(tag, _)| spread(tag)) {
            Entry::Occupied(mut found) => Some(std::mem::replace(&mut found.get_mut().1, slot)),
            Entry::Vacant(free) => {
                let _entry = free.insert((tag, slot));
                None
            }
        }
    }

    /// Puts `next` in the place of `slot`, or nothing; `false` if it is not here.
    #[inline]
    pub(super) fn replace(&mut self, hash: u64, slot: u32, next: Option<u32>) -> bool {
        let Ok(mut found) = self.table.find_entry(spread(tag(hash)), |entry| entry.1 == slot)
        else {
            return false;
        };
        match next {
            Some(next) => found.get_mut().1 = next,
            None => {
                let _removed = found.remove();
            }
        }
        true
    }

    /// Removes the slot that `is` recognises.
    #[inline]
    pub(super) fn take(&mut self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        let same = |&(other, slot): &(u32, u32)| other == tag && is(slot);
        let found = self.table.find_entry(spread(tag), same).ok()?;
        Some(found.remove().0.1)
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        self.table.clear();
    }
}

/// The half of a hash that is kept.
fn tag(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// What the hash table is told: it takes the place from the low bits and a mark from the highest.
fn spread(tag: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_one_hash_are_told_apart_by_who_asks() {
        let mut index = Index::default();
        for slot in 0..3 {
            index.add(7, slot);
        }
        assert_eq!(index.find(7, |slot| slot == 1), Some(1));
        assert_eq!((index.find(8, |_| true), index.put(7, 9, |slot| slot == 1)), (None, Some(1)));
        assert_eq!((index.put(8, 4, |_| true), index.find(8, |_| true)), (None, Some(4)));
        assert!(index.replace(7, 9, Some(5)) && !index.replace(7, 9, None));
        assert!(index.replace(7, 5, None));
        assert_eq!(
            (index.find(7, |slot| slot == 5), index.take(7, |slot| slot == 2)),
            (None, Some(2))
        );
    }

    #[test]
    fn a_grown_index_finds_everything() {
        let mut index = Index::default();
        let hash = |slot: u32| u64::from(slot).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..5_000).for_each(|slot| index.add(hash(slot), slot));
        assert!((0..5_000).all(|slot| index.find(hash(slot), |other| other == slot).is_some()));
    }
}
