//! Entries under small numbers that are used again, with a generation that tells an entry from the
//! one that stood there before. No order, no cap: the tables on top have both.

use super::timers::Place;

struct Slot<T> {
    generation: u32,
    entry: Option<T>,
}

/// Entries by slot number.
pub(super) struct Slots<T> {
    entries: Vec<Slot<T>>,
    free: Vec<u32>,
    live: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new(), live: 0 }
    }
}

impl<T> Slots<T> {
    /// Entries.
    pub(super) const fn len(&self) -> usize {
        self.live
    }

    /// Adds an entry; `None` when 32 bits cannot number it.
    pub(super) fn add(&mut self, entry: T) -> Option<Place> {
        if let Some(number) = self.free.pop()
            && let Some(slot) = self.entries.get_mut(index(number))
        {
            slot.entry = Some(entry);
            self.live = self.live.saturating_add(1);
            return Some(Place { slot: number, generation: slot.generation });
        }
        let number = u32::try_from(self.entries.len()).ok().filter(|&number| number != u32::MAX)?;
        if self.entries.len() == self.entries.capacity() {
            // A quarter more at a time: doubling would cost as much again as a full table.
            self.entries.reserve_exact((self.entries.len() / 4).max(16));
        }
        self.entries.push(Slot { generation: 0, entry: Some(entry) });
        self.live = self.live.saturating_add(1);
        Some(Place { slot: number, generation: 0 })
    }

    /// The entry in a slot.
    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&T> {
        self.entries.get(index(slot))?.entry.as_ref()
    }

    /// The entry in a slot, to change it.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.entries.get_mut(index(slot))?.entry.as_mut()
    }

    /// All entries with their slots, in the order of the slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.entries).filter_map(|(slot, found)| Some((slot, found.entry.as_ref()?)))
    }

    /// The entry at a place, unless it is gone.
    #[inline]
    pub(super) fn at(&self, place: Place) -> Option<&T> {
        let slot = self.entries.get(index(place.slot))?;
        slot.entry.as_ref().filter(|_| slot.generation == place.generation)
    }

    /// Where the entry of a slot stands.
    pub(super) fn place(&self, slot: u32) -> Option<Place> {
        let found = self.entries.get(index(slot))?;
        found.entry.as_ref().map(|_| Place { slot, generation: found.generation })
    }

    /// Takes an entry out.
    pub(super) fn take(&mut self, slot: u32) -> Option<T> {
        let found = self.entries.get_mut(index(slot))?;
        let entry = found.entry.take()?;
        found.generation = found.generation.wrapping_add(1);
        self.free.push(slot);
        self.live = self.live.saturating_sub(1);
        Some(entry)
    }

    /// Takes every entry out, by slot.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.free.clear();
        self.live = 0;
        std::mem::take(&mut self.entries).into_iter().filter_map(|slot| slot.entry)
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
        assert_eq!(slots.take(9), None);
        assert_eq!((slots.get(9), slots.len()), (None, 1));
    }
}
