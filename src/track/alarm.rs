//! Deadlines of things that may end early or late: a queue in which an entry may be stale.
//!
//! The owner keeps, with each thing, the deadline it was last armed for; a popped entry with
//! another deadline is stale and means nothing. [`super::timer`] is leaner, for things whose
//! deadline only moves on.
//!
//! What is new is nearly always armed for the same time from now on, and so comes behind all that was
//! armed before: it joins a line, which is read as it was written. Only what comes out of turn is sorted.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::model::time::Ts;

/// A deadline with the flow, which breaks ties, and the place of the thing.
type Entry = (Ts, u64, u32);

/// Deadlines, the earliest first.
#[derive(Debug, Default)]
pub struct Alarms {
    /// In order.
    line: VecDeque<Entry>,
    /// Those armed for a time before the last of the line.
    rest: BinaryHeap<Reverse<Entry>>,
}

impl Alarms {
    /// Adds a deadline.
    pub fn arm(&mut self, deadline: Ts, flow: u64, slot: u32) {
        let entry = (deadline, flow, slot);
        if self.line.back().is_none_or(|last| *last <= entry) {
            self.line.push_back(entry);
        } else {
            self.rest.push(Reverse(entry));
        }
    }

    /// The earliest deadline, stale ones included.
    pub fn next(&self) -> Option<Ts> {
        self.first().map(|(deadline, ..)| deadline)
    }

    /// The place of the thing whose deadline comes first.
    pub fn upcoming(&self) -> Option<u32> {
        self.first().map(|(.., slot)| slot)
    }

    /// Entries, stale ones among them.
    pub fn len(&self) -> usize {
        self.line.len() + self.rest.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty() && self.rest.is_empty()
    }

    /// Keeps the entries of which `is_live` says, by deadline and slot, that they are not stale.
    pub fn retain(&mut self, mut is_live: impl FnMut(Ts, u32) -> bool) {
        self.line.retain(|(deadline, _, slot)| is_live(*deadline, *slot));
        self.rest.retain(|Reverse((deadline, _, slot))| is_live(*deadline, *slot));
    }

    /// Takes out the earliest deadline that is not after `watermark`: deadline, flow and slot.
    pub fn pop_due(&mut self, watermark: Ts) -> Option<Entry> {
        let first = self.first().filter(|(deadline, ..)| *deadline <= watermark)?;
        if self.line.front() == Some(&first) {
            self.line.pop_front()
        } else {
            self.rest.pop().map(|Reverse(entry)| entry)
        }
    }

    fn first(&self) -> Option<Entry> {
        let (line, rest) = (self.line.front().copied(), self.rest.peek().map(|first| first.0));
        line.into_iter().chain(rest).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_come_in_order_however_they_were_armed(
            steps in prop::collection::vec((0_i64..20, 0_u64..3, 0_i64..20), 0..200),
        ) {
            let (mut alarms, mut heap) = (Alarms::default(), BinaryHeap::new());
            for (number, (deadline, flow, due)) in (0_u32..).zip(steps) {
                alarms.arm(Ts::from_nanos(deadline), flow, number);
                heap.push(Reverse((Ts::from_nanos(deadline), flow, number)));
                let due = Ts::from_nanos(due);
                let expected = heap.peek().is_some_and(|first| first.0.0 <= due);
                let expected = if expected { heap.pop().map(|first| first.0) } else { None };
                prop_assert_eq!(alarms.pop_due(due), expected);
                prop_assert_eq!((alarms.len(), alarms.is_empty()), (heap.len(), heap.is_empty()));
                prop_assert_eq!(alarms.next(), heap.peek().map(|first| first.0.0));
            }
        }
    }
}
