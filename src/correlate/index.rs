//! Slots of a table by hash. Each stands beside 32 bits of its hash, so that neither a look-up nor
//! growth goes to entries that it is not about: in a table of a million entries each of those would
//! be a cache miss. What is equal is decided by who asks.
//!
//! A hash says where to look first; what finds that place taken stands in the next free one (linear
//! probing). So a look-up nearly always needs one cache line, where a table with its marks apart needs two.

use crate::model::fetch;

/// Slots by hash; several may have the same. No slot is `u32::MAX`.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// A power of two of them, at least a quarter of them free, or none.
    places: Vec<Place>,
    held: usize,
}

/// A slot beside the half of its hash that is kept.
#[derive(Copy, Clone, Debug)]
struct Place {
    tag: u32,
    slot: u32,
}

impl Place {
    const FREE: Self = Self { tag: 0, slot: u32::MAX };

    const fn is_free(self) -> bool {
        self.slot == u32::MAX
    }
}

impl Index {
    /// Octets for each slot, with the room that is kept free.
    pub(super) const ENTRY: usize = 2 * size_of::<Place>();

    /// Places of the first table.
    const FIRST: usize = 16;

    /// The slot under `hash` that `is` recognises.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl FnMut(u32) -> bool) -> Option<u32> {
        self.places.get(self.seek(hash, is)?).map(|found| found.slot)
    }

    /// Asks for where `hash` is looked for first.
    #[inline]
    pub(super) fn fetch(&self, hash: u64) {
        fetch::element(&self.places, widen(tag(hash)) & self.mask());
    }

    /// Adds a slot.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, slot: u32) {
        if self.held >= self.places.len() / 4 * 3 {
            self.grow();
        }
        self.held += 1;
        self.settle(Place { tag: tag(hash), slot });
    }

    /// Puts `slot` in the place of the one that `is` recognises, which is returned, or adds it.
    #[inline]
    pub(super) fn put(&mut self, hash: u64, slot: u32, is: impl FnMut(u32) -> bool) -> Option<u32> {
        if let Some(found) = self.seek(hash, is).and_then(|at| self.places.get_mut(at)) {
            return Some(std::mem::replace(&mut found.slot, slot));
        }
        self.add(hash, slot);
        None
    }

    /// Puts `next` in the place of `slot`, or nothing; `false` if it is not here.
    #[inline]
    pub(super) fn replace(&mut self, hash: u64, slot: u32, next: Option<u32>) -> bool {
        let Some(at) = self.seek(hash, |other| other == slot) else { return false };
        match next {
            Some(next) => {
                if let Some(found) = self.places.get_mut(at) {
                    found.slot = next;
                }
            }
            None => self.remove(at),
        }
        true
    }

    /// Removes the slot that `is` recognises.
    #[inline]
    pub(super) fn take(&mut self, hash: u64, is: impl FnMut(u32) -> bool) -> Option<u32> {
        let at = self.seek(hash, is)?;
        let slot = self.places.get(at)?.slot;
        self.remove(at);
        Some(slot)
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        self.places.fill(Place::FREE);
        self.held = 0;
    }

    /// Where the slot under `hash` stands that `is` recognises.
    #[inline]
    fn seek(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<usize> {
        let (tag, mask) = (tag(hash), self.mask());
        let mut at = widen(tag) & mask;
        // A quarter of the places is free.
        while let Some(place) = self.places.get(at).filter(|place| !place.is_free()) {
            if place.tag == tag && is(place.slot) {
                return Some(at);
            }
            at = at.wrapping_add(1) & mask;
        }
        None
    }

    /// Puts a slot into the first free place for it, of which there is one.
    fn settle(&mut self, new: Place) {
        let mask = self.mask();
        let mut at = widen(new.tag) & mask;
        while let Some(place) = self.places.get_mut(at) {
            if place.is_free() {
                *place = new;
                return;
            }
            at = at.wrapping_add(1) & mask;
        }
    }

    /// Frees a place, and moves back what stands further from where it belongs because this was taken.
    fn remove(&mut self, mut free: usize) {
        let mask = self.mask();
        let mut at = free;
        loop {
            at = at.wrapping_add(1) & mask;
            let Some(place) = self.places.get(at).copied().filter(|place| !place.is_free()) else {
                break;
            };
            let displaced = at.wrapping_sub(widen(place.tag)) & mask;
            if displaced >= at.wrapping_sub(free) & mask {
                if let Some(to) = self.places.get_mut(free) {
                    *to = place;
                }
                free = at;
            }
        }
        if let Some(place) = self.places.get_mut(free) {
            *place = Place::FREE;
        }
        self.held = self.held.saturating_sub(1);
    }

    #[cold]
    fn grow(&mut self) {
        let places = self.places.len().saturating_mul(2).max(Self::FIRST);
        let before = std::mem::replace(&mut self.places, vec![Place::FREE; places]);
        before.into_iter().filter(|place| !place.is_free()).for_each(|place| self.settle(place));
    }

    const fn mask(&self) -> usize {
        self.places.len().wrapping_sub(1)
    }
}

/// The half of a hash that is kept.
fn tag(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn widen(tag: u32) -> usize {
    usize::try_from(tag).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn it_holds_what_a_list_would(
            steps in prop::collection::vec((0_u64..40, any::<bool>()), 0..400),
        ) {
            let mut index = Index::default();
            let mut list: Vec<(u64, u32)> = Vec::new();
            for ((hash, add), slot) in steps.into_iter().zip(0..) {
                if add {
                    index.add(hash, slot);
                    list.push((hash, slot));
                } else if let Some(at) = list.iter().position(|(of, _)| *of == hash) {
                    let (_, slot) = list.swap_remove(at);
                    prop_assert_eq!(index.take(hash, |other| other == slot), Some(slot));
                }
                for &(hash, slot) in &list {
                    prop_assert_eq!(index.find(hash, |other| other == slot), Some(slot));
                }
                for hash in 0..40 {
                    let held = list.iter().any(|(of, _)| *of == hash);
                    prop_assert_eq!(index.find(hash, |_| true).is_some(), held);
                }
            }
        }
    }
}
