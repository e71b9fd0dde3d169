//! Entries under small numbers that are used again, with a generation that tells an entry from the
//! one that stood there before. No order, no cap: the tables on top have both.

use super::timers::Place;
use crate::model::fetch;

/// Entries by slot number.
pub(super) struct Slots<T> {
    entries: Vec<Option<T>>,
    /// How many entries each slot has held before. Apart from them, because whether an entry is gone
    /// is asked more often than what it says, and of many at a time.
    generations: Vec<u32>,
    free: Vec<u32>,
    live: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), generations: Vec::new(), free: Vec::new(), live: 0 }
    }
}

impl<T> Slots<T> {
    /// Entries.
    pub(super) const fn len(&self) -> usize {
        self.live
    }

    /// Adds an entry; `None` when 32 bits cannot number it.
    pub(super) fn add(&mut self, entry: T) -> Option<Place> {
        if let Some(slot) = self.free.pop()
            && let Some(free) = self.entries.get_mut(index(slot))
        {
            *free = Some(entry);
            self.live = self.live.saturating_add(1);
            return self.place(slot);
        }
        let slot = u32::try_from(self.entries.len()).ok().filter(|&slot| slot != u32::MAX)?;
        if self.entries.len() == self.entries.capacity() {
            // A quarter more at a time: doubling would cost as much again as a full table.
            self.entries.reserve_exact((self.entries.len() / 4).max(16));
        }
        self.entries.push(Some(entry));
        self.generations.push(0);
        self.live = self.live.saturating_add(1);
        Some(Place { slot, generation: 0 })
    }

    /// The entry in a slot.
    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&T> {
        self.entries.get(index(slot))?.as_ref()
    }

    /// Asks for the beginning of the entry in a slot, and whether it is there.
    #[inline]
    pub(super) fn fetch(&self, slot: u32) {
        fetch::element(&self.entries, index(slot));
        fetch::element(&self.generations, index(slot));
    }

    /// The entry in a slot, to change it.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.entries.get_mut(index(slot))?.as_mut()
    }

    /// All entries with their slots, in the order of the slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.entries).filter_map(|(slot, entry)| Some((slot, entry.as_ref()?)))
    }

    /// Whether the entry at a place is still there; looks at no entry.
    #[inline]
    pub(super) fn has(&self, place: Place) -> bool {
        // A generation begins when its entry comes and ends when it goes.
        self.generations.get(index(place.slot)) == Some(&place.generation)
    }

    /// The entry at a place, unless it is gone.
    #[inline]
    pub(super) fn at(&self, place: Place) -> Option<&T> {
        if self.has(place) { self.get(place.slot) } else { None }
    }

    /// Where the entry of a slot stands.
    #[inline]
    pub(super) fn place(&self, slot: u32) -> Option<Place> {
        let generation = *self.generations.get(index(slot))?;
        Some(Place { slot, generation })
    }

    /// Takes an entry out.
    pub(super) fn take(&mut self, slot: u32) -> Option<T> {
        let entry = self.entries.get_mut(index(slot))?.take()?;
        if let Some(generation) = self.generations.get_mut(index(slot)) {
            *generation = generation.wrapping_add(1);
        }
        self.free.push(slot);
        self.live = self.live.saturating_sub(1);
        Some(entry)
    }

    /// Takes every entry out, by slot.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.free.clear();
        self.generations.clear();
        self.live = 0;
        std::mem::take(&mut self.entries).into_iter().flatten()
    }
}

#[inline]
fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_gone_when_its_slot_is_used_again() {
        let mut slots = Slots::default();
        let first = slots.add('a').unwrap();
        assert_eq!(slots.take(first.slot), Some('a'));
        let second = slots.add('b').unwrap();
        assert_eq!(second.slot, first.slot);
        assert_eq!((slots.at(first), slots.at(second)), (None, Some(&'b')));
        assert!(!slots.has(first) && slots.has(second));
        assert_eq!(slots.take(9), None);
        assert_eq!((slots.get(9), slots.len()), (None, 1));
    }
}
