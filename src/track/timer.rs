//! Deadlines on packet time, exact and lazy: one entry per tracked thing.
//!
//! Seeing a packet moves a stream's deadline, but not its entry. An entry that comes up early is
//! put back under the deadline that holds by then, so that a packet costs nothing here and things
//! still end in the exact order of their deadlines, ties by flow hash.
//!
//! Entries wait in slices of time, in no order, and a slice is sorted when its time has come: a heap of
//! all entries would touch a cache line for each of its levels whenever one of them is put back.

use std::collections::BTreeMap;
use std::collections::btree_map::OccupiedEntry;

use crate::model::time::Ts;

/// A slice is so many nanoseconds to the power of two: 67 ms.
const SLICE: u32 = 26;

/// How many things ahead their deadlines are asked for where all of a slice are looked up.
const AHEAD: usize = 16;

/// What has deadlines.
pub trait Things {
    /// The deadline that holds now.
    fn deadline(&self, slot: u32) -> Ts;

    /// Asks for what [`Self::deadline`] will need.
    fn fetch(&self, slot: u32);
}

/// One armed deadline.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// When it is due, at the earliest.
    pub deadline: Ts,
    /// Breaks ties: a stable hash of the flow.
    pub tie: u64,
    /// Which thing.
    pub slot: u32,
}

/// The deadlines of one table.
#[derive(Clone, Debug, Default)]
pub struct Timer {
    /// What is due in the slice at hand or was to be before, the first of it last.
    at_hand: Vec<Entry>,
    /// The slice at hand.
    slice: Option<i64>,
    /// What is due in later slices.
    later: BTreeMap<i64, Vec<Entry>>,
}

impl Timer {
    /// Adds the one entry of a new thing.
    pub fn arm(&mut self, entry: Entry) {
        let slice = slice(entry.deadline);
        if Some(slice) > self.slice {
            self.later.entry(slice).or_default().push(entry);
        } else {
            let place = self.at_hand.partition_point(|other| *other > entry);
            self.at_hand.insert(place, entry);
        }
    }

    /// The earliest deadline at the earliest; a thing may since have moved on.
    pub fn next(&self) -> Option<Ts> {
        let first = self.at_hand.last().map(|first| first.deadline);
        first.or_else(|| self.later.first_key_value().map(|(slice, _)| beginning(*slice)))
    }

    /// Things whose turn comes next, in order, as far as that is known.
    pub fn soon(&self) -> impl Iterator<Item = u32> {
        self.at_hand.iter().rev().map(|entry| entry.slot)
    }

    /// Takes out the first thing whose deadline is not after `watermark`, if there is one. With
    /// [`Ts::MAX`] this takes out the thing that has been idle for longest, whether due or not.
    #[inline]
    pub fn due(&mut self, watermark: Ts, things: &impl Things) -> Option<Entry> {
        loop {
            let Some(first) = self.at_hand.last().copied() else {
                if self.turn(watermark, things) {
                    continue;
                }
                return None;
            };
            if first.deadline > watermark {
                return None;
            }
            self.at_hand.pop();
            let now = things.deadline(first.slot);
            if now <= first.deadline {
                return Some(first);
            }
            self.arm(Entry { deadline: now, ..first });
        }
    }

    /// Takes the next slice to hand, if it has begun by `watermark`: the deadlines that hold by now.
    fn turn(&mut self, watermark: Ts, things: &impl Things) -> bool {
        let next = self.later.first_entry().filter(|next| beginning(*next.key()) <= watermark);
        let Some((at_hand, entries)) = next.map(OccupiedEntry::remove_entry) else { return false };
        self.slice = Some(at_hand);
        for (number, entry) in entries.iter().enumerate() {
            if let Some(coming) = entries.get(number + AHEAD) {
                things.fetch(coming.slot);
            }
            let deadline = things.deadline(entry.slot).max(entry.deadline);
            let slice = slice(deadline);
            let entry = Entry { deadline, ..*entry };
            if slice > at_hand {
                self.later.entry(slice).or_default().push(entry);
            } else {
                self.at_hand.push(entry);
            }
        }
        self.at_hand.sort_unstable_by(|one, other| other.cmp(one));
        true
    }
}

/// The slice of a time.
const fn slice(at: Ts) -> i64 {
    at.nanos() >> SLICE
}

/// When a slice begins.
const fn beginning(slice: i64) -> Ts {
    Ts::from_nanos(slice << SLICE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Deadlines by slot.
    struct Deadlines(Vec<Ts>);

    impl Things for Deadlines {
        fn deadline(&self, slot: u32) -> Ts {
            self.0[slot as usize]
        }

        fn fetch(&self, _: u32) {}
    }

    #[test]
    fn things_seen_since_are_put_back_and_come_in_order() {
        let mut timer = Timer::default();
        let at = Ts::from_nanos;
        for (slot, deadline, tie) in [(0, 10, 5), (1, 11, 9), (2, 12, 2), (3, 30, 1)] {
            timer.arm(Entry { deadline: at(deadline), tie, slot });
        }
        // 0 was seen since, and is now due at the same moment as 2.
        let now = Deadlines([12, 11, 12, 30].map(at).into());
        assert_eq!(timer.due(at(10), &now), None);
        let order: Vec<_> =
            std::iter::from_fn(|| timer.due(at(12), &now)).map(|entry| entry.slot).collect();
        assert_eq!(order, [1, 2, 0]);
        assert_eq!(timer.due(Ts::MAX, &now).map(|entry| entry.slot), Some(3));
        assert_eq!(timer.due(Ts::MAX, &now), None);
    }

    proptest! {
        /// Deadlines and moves over a few slices, and times at which what is due is taken out.
        #[test]
        fn what_is_due_comes_in_the_order_of_the_deadlines_that_hold(
            things in prop::collection::vec((-3_i64..9, 0_i64..9, 0_u64..3), 1..60),
            steps in prop::collection::vec(0_i64..7, 0..8),
        ) {
            let at = |fifths: i64| Ts::from_nanos(fifths * ((1 << SLICE) / 5 + 1));
            let mut timer = Timer::default();
            let mut expected = Vec::new();
            for (slot, (deadline, moved, tie)) in (0..).zip(&things) {
                timer.arm(Entry { deadline: at(*deadline), tie: *tie, slot });
                expected.push((at(deadline + moved), *tie, slot));
            }
            let now = Deadlines(expected.iter().map(|(deadline, ..)| *deadline).collect());
            expected.sort_unstable();
            let mut order = Vec::new();
            let mut watermark = -3;
            for step in steps.into_iter().chain([100]) {
                watermark += step;
                while timer.next().is_some_and(|next| next <= at(watermark)) {
                    let due = timer.due(at(watermark), &now);
                    order.extend(due.map(|entry| (entry.deadline, entry.tie, entry.slot)));
                }
                let due = expected.iter().take_while(|(deadline, ..)| *deadline <= at(watermark));
                prop_assert_eq!(order.len(), due.count());
            }
            prop_assert_eq!(order, expected);
        }
    }
}
