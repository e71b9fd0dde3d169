//! Deadlines on packet time, exact and lazy: one heap entry per tracked thing.
//!
//! Seeing a packet moves a stream's deadline, but not its entry. An entry that comes up early is
//! put back under the deadline that holds by then, so that a packet costs nothing here and things
//! still end in the exact order of their deadlines, ties by flow hash.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::model::time::Ts;

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
    heap: BinaryHeap<Reverse<Entry>>,
}

impl Timer {
    /// Adds the one entry of a new thing.
    pub fn arm(&mut self, entry: Entry) {
        self.heap.push(Reverse(entry));
    }

    /// The earliest deadline; a thing may since have moved on.
    pub fn next(&self) -> Option<Ts> {
        self.heap.peek().map(|first| first.0.deadline)
    }

    /// Up to `few` of the things whose turn comes by `watermark`, in no order.
    pub fn soon(&self, watermark: Ts, few: usize) -> impl Iterator<Item = u32> {
        let first = self.heap.as_slice().iter().take(few);
        first.take_while(move |entry| entry.0.deadline <= watermark).map(|entry| entry.0.slot)
    }

    /// Takes out the first thing whose deadline is not after `watermark`, if there is one.
    ///
    /// `deadline` gives the deadline that holds now. With [`Ts::MAX`] this takes out the thing that
    /// has been idle for longest, whether due or not.
    #[inline]
    pub fn due(&mut self, watermark: Ts, deadline: impl Fn(u32) -> Ts) -> Option<Entry> {
        loop {
            let mut first = self.heap.peek_mut()?;
            if first.0.deadline > watermark {
                return None;
            }
            let now = deadline(first.0.slot);
            if now <= first.0.deadline {
                return Some(PeekMut::pop(first).0);
            }
            // Dropping the guard sifts the entry to its new place; each turn raises one deadline.
            first.0.deadline = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_seen_since_are_put_back_and_come_in_order() {
        let mut timer = Timer::default();
        let at = Ts::from_nanos;
        for (slot, deadline, tie) in [(0, 10, 5), (1, 11, 9), (2, 12, 2), (3, 30, 1)] {
            timer.arm(Entry { deadline: at(deadline), tie, slot });
        }
        // 0 was seen since, and is now due at the same moment as 2.
        let now = |slot| at([12, 11, 12, 30][slot as usize]);
        assert_eq!(timer.due(at(10), now), None);
        let order: Vec<_> =
            std::iter::from_fn(|| timer.due(at(12), now)).map(|entry| entry.slot).collect();
        assert_eq!(order, [1, 2, 0]);
        assert_eq!(timer.due(Ts::MAX, now).map(|entry| entry.slot), Some(3));
        assert_eq!(timer.due(Ts::MAX, now), None);
    }
}
