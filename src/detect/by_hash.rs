//! A table by hashes with a fixed seed, which need no further hashing. What is equal is what has the same 64
//! bits. A look-up is one cache line, as a rule, and that line can be asked for ahead.

use crate::model::fetch;

/// Linear probing in a table that is never more than three quarters full.
#[derive(Debug)]
pub(super) struct ByHash<V> {
    /// A power of two of them, or none.
    slots: Vec<Slot<V>>,
    held: usize,
}

#[derive(Copy, Clone, Debug, Default)]
struct Slot<V> {
    /// 0 is an empty place.
    hash: u64,
    value: V,
}

impl<V> Default for ByHash<V> {
    fn default() -> Self {
        Self { slots: Vec::new(), held: 0 }
    }
}

impl<V: Copy + Default> ByHash<V> {
    /// Places of the first table.
    const FIRST: usize = 1 << 9;

    /// Hashes held.
    pub(super) const fn len(&self) -> usize {
        self.held
    }

    /// Asks for where `hash` is looked for first.
    #[inline]
    pub(super) fn fetch(&self, hash: u64) {
        fetch::element(&self.slots, self.home(hash.max(1)));
    }

    /// The value under `hash`.
    #[inline]
    pub(super) fn get(&self, hash: u64) -> Option<&V> {
        let found = self.slots.get(self.seek(hash.max(1)));
        found.filter(|slot| slot.hash != 0).map(|slot| &slot.value)
    }

    /// The value under `hash`, to change it.
    #[inline]
    pub(super) fn get_mut(&mut self, hash: u64) -> Option<&mut V> {
        let at = self.seek(hash.max(1));
        self.slots.get_mut(at).filter(|slot| slot.hash != 0).map(|slot| &mut slot.value)
    }

    /// Puts `value` under `hash`, unless there is one: whether `hash` is new.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, value: V) -> bool {
        if self.held >= self.slots.len() / 4 * 3 {
            self.rebuild(self.slots.len().saturating_mul(2).max(Self::FIRST), |_| true);
        }
        let hash = hash.max(1);
        let at = self.seek(hash);
        let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.hash == 0) else { return false };
        *slot = Slot { hash, value };
        self.held += 1;
        true
    }

    /// Keeps only such values.
    pub(super) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        self.rebuild(self.slots.len(), keep);
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        usize::try_from(hash).unwrap_or(usize::MAX) & self.slots.len().wrapping_sub(1)
    }

    /// Where `hash`, which is not 0, stands, or is to be put.
    #[inline]
    fn seek(&self, hash: u64) -> usize {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = self.home(hash);
        while self.slots.get(at).is_some_and(|slot| slot.hash != hash && slot.hash != 0) {
            at = at.wrapping_add(1) & mask;
        }
        at
    }

    /// Makes a table of so many places, and moves there what is kept.
    #[cold]
    fn rebuild(&mut self, places: usize, keep: impl Fn(&V) -> bool) {
        let before = std::mem::replace(&mut self.slots, vec![Slot::default(); places]);
        self.held = 0;
        for slot in before.into_iter().filter(|slot| slot.hash != 0 && keep(&slot.value)) {
            let at = self.seek(slot.hash);
            self.slots.get_mut(at).into_iter().for_each(|place| *place = slot);
            self.held += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hash_is_held_once_however_the_table_grows() {
        let mut table = ByHash::default();
        assert!(table.get(0).is_none() && table.get_mut(7).is_none());
        let hashes = || (0_u64..10_000).map(|n| n.wrapping_mul(1 << 40 | 4));
        assert!(hashes().all(|hash| table.insert(hash, hash + 1)));
        assert!(hashes().all(|hash| table.get(hash) == Some(&(hash + 1))));
        assert!(hashes().all(|hash| !table.insert(hash, 0)));
        assert!(table.get(3).is_none());
        assert_eq!(table.len(), 10_000);
        table.retain(|value| value % 8 == 1);
        assert_eq!(table.len(), 5_000);
        assert!(hashes().all(|hash| table.get(hash).is_some() == (hash % 8 == 0)));
    }
}
