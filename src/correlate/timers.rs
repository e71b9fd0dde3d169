//! Which entry of a table was used least recently, without touching a list on every use: a heap of
//! stamps that may be out of date, corrected when they come to the top. It decides nothing; the
//! table says what a stamp means now.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where an entry stands in its table, and which of the entries that stood there it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Index of the slot.
    pub(super) slot: u32,
    /// How many entries the slot has held before.
    pub(super) generation: u32,
}

/// Entries by stamp, smallest first. A stamp is any number that only grows while the entry lives.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(i64, Place)>>,
}

impl Timers {
    /// Adds an entry; each live entry is added once.
    pub(super) fn add(&mut self, stamp: i64, place: Place) {
        self.heap.push(Reverse((stamp, place)));
    }

    /// The entry with the smallest stamp if that is at most `limit`; `current` says an entry's
    /// stamp now, or `None` for one that is gone. The entry stays until it is gone.
    pub(super) fn first(
        &mut self,
        limit: i64,
        mut current: impl FnMut(Place) -> Option<i64>,
    ) -> Option<(i64, Place)> {
        loop {
            let Reverse((stamp, place)) = *self.heap.peek()?;
            if stamp > limit {
                return None;
            }
            match current(place) {
                Some(now) if now <= stamp => return Some((stamp, place)),
                Some(now) => {
                    let _old = self.heap.pop();
                    self.heap.push(Reverse((now, place)));
                }
                None => {
                    let _gone = self.heap.pop();
                }
            }
        }
    }

    /// Forgets entries that are gone, when they are more than half as many as the `live` ones.
    pub(super) fn tidy(&mut self, live: usize, mut is_live: impl FnMut(Place) -> bool) {
        if self.heap.len() > live.saturating_add(live / 2).saturating_add(1_024) {
            self.heap.retain(|Reverse((_, place))| is_live(*place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_stamp_is_corrected_and_a_gone_entry_skipped() {
        let mut timers = Timers::default();
        let place = |slot| Place { slot, generation: 0 };
        for slot in 0..3 {
            timers.add(i64::from(slot), place(slot));
        }
        let current = |place: Place| match place.slot {
            0 => None,
            1 => Some(9),
            _ => Some(2),
        };
        assert_eq!(timers.first(1, current), None);
        assert_eq!(timers.first(5, current), Some((2, place(2))));
        assert_eq!(timers.first(5, |p| (p.slot == 1).then_some(9)), None);
        assert_eq!(timers.first(9, |p| (p.slot == 1).then_some(9)), Some((9, place(1))));
    }
}
