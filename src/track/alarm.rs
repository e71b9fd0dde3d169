//! Deadlines of things that may end early or late: a heap in which an entry may be stale.
//!
//! The owner keeps, with each thing, the deadline it was last armed for; a popped entry with
//! another deadline is stale and means nothing. [`super::timer`] is leaner, for things whose
//! deadline only moves on.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::time::Ts;

/// Deadlines with the flow, which breaks ties, and the place of the thing.
#[derive(Debug, Default)]
pub struct Alarms {
    heap: BinaryHeap<Reverse<(Ts, u64, u32)>>,
}

impl Alarms {
    /// Adds a deadline.
    pub fn arm(&mut self, deadline: Ts, flow: u64, slot: u32) {
        self.heap.push(Reverse((deadline, flow, slot)));
    }

    /// The earliest deadline, stale ones included.
    pub fn next(&self) -> Option<Ts> {
        self.heap.peek().map(|Reverse((deadline, ..))| *deadline)
    }

    /// Entries, stale ones among them.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Keeps the entries of which `is_live` says, by deadline and slot, that they are not stale.
    pub fn retain(&mut self, mut is_live: impl FnMut(Ts, u32) -> bool) {
        self.heap.retain(|Reverse((deadline, _, slot))| is_live(*deadline, *slot));
    }

    /// Takes out the earliest deadline that is not after `watermark`: deadline, flow and slot.
    pub fn pop_due(&mut self, watermark: Ts) -> Option<(Ts, u64, u32)> {
        let Reverse((deadline, ..)) = *self.heap.peek()?;
        if deadline > watermark {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}
