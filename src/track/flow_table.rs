//! What one cell remembers of some of its flows, by flow hash: bounded, forgotten after silence.

use hashbrown::HashTable;

use crate::model::time::{Span, Ts};

use super::alarm::Alarms;

/// Values by flow.
#[derive(Debug)]
pub struct FlowTable<T> {
    table: HashTable<Entry<T>>,
    alarms: Alarms,
    cap: usize,
    idle: Span,
    evicted: u64,
}

#[derive(Debug)]
struct Entry<T> {
    hash: u64,
    last_seen: Ts,
    armed: Ts,
    value: T,
}

impl<T> FlowTable<T> {
    /// Octets of one flow with its timer, in a table that is half full after it has grown.
    pub const ENTRY: usize = 2 * (size_of::<Entry<T>>() + 1) + 3 * size_of::<Ts>();

    /// A table of at most `cap` flows, each forgotten after `idle`.
    pub fn new(cap: usize, idle: Span) -> Self {
        Self { table: HashTable::new(), alarms: Alarms::default(), cap, idle, evicted: 0 }
    }

    /// Flows given up for lack of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        self.alarms.next()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// What is remembered of a flow of which a packet came.
    pub fn get(&mut self, hash: u64, watermark: Ts) -> Option<&mut T> {
        let entry = self.table.find_mut(hash, |entry| entry.hash == hash)?;
        entry.last_seen = watermark;
        Some(&mut entry.value)
    }

    /// What is remembered of a flow of which no packet came now.
    pub fn peek(&mut self, hash: u64) -> Option<&mut T> {
        Some(&mut self.table.find_mut(hash, |entry| entry.hash == hash)?.value)
    }

    /// The same as [`Self::get`], remembered from now on if it was not; `gone` takes the one that had to make room.
    pub fn get_or_insert(
        &mut self,
        hash: u64,
        watermark: Ts,
        new: impl FnOnce() -> T,
        gone: &mut impl FnMut(T),
    ) -> &mut T {
        let is_known = self.table.find(hash, |entry| entry.hash == hash).is_some();
        if !is_known && self.table.len() >= self.cap {
            self.next_to_go(Ts::MAX, true, gone);
        }
        let armed = watermark.plus(self.idle);
        if !is_known {
            self.alarms.arm(armed, hash, 0);
        }
        let place = self.table.entry(hash, |entry| entry.hash == hash, |entry| entry.hash);
        let new = || Entry { hash, last_seen: watermark, armed, value: new() };
        let entry = place.or_insert_with(new).into_mut();
        entry.last_seen = watermark;
        &mut entry.value
    }

    /// Forgets flows that have been silent for too long; `gone` takes them.
    pub fn advance(&mut self, watermark: Ts, gone: &mut impl FnMut(T)) {
        while self.next_to_go(watermark, false, gone) {}
    }

    /// Removes the flow that has been idle for longest, if it is due.
    fn next_to_go(&mut self, watermark: Ts, evict: bool, gone: &mut impl FnMut(T)) -> bool {
        while let Some((armed, hash, _)) = self.alarms.pop_due(watermark) {
            let Ok(mut found) = self.table.find_entry(hash, |entry| entry.hash == hash) else {
                continue;
            };
            let entry = found.get_mut();
            let deadline = entry.last_seen.plus(self.idle);
            if entry.armed == armed && deadline > armed {
                entry.armed = deadline;
                self.alarms.arm(deadline, hash, 0);
            } else if entry.armed == armed {
                self.evicted += u64::from(evict);
                gone(found.remove().0.value);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_idle_makes_room_and_silence_ends() {
        let mut table = FlowTable::new(2, Span::from_secs(10));
        let at = |seconds: i64| Ts::from_nanos(seconds * 1_000_000_000);
        let mut gone = Vec::new();
        table.get_or_insert(1, at(0), || 'a', &mut |value| gone.push(value));
        table.get_or_insert(2, at(1), || 'b', &mut |value| gone.push(value));
        assert_eq!(table.get(1, at(2)), Some(&mut 'a'));
        table.get_or_insert(3, at(3), || 'c', &mut |value| gone.push(value));
        assert_eq!((gone.as_slice(), table.evicted()), (&['b'][..], 1));
        table.advance(at(12), &mut |value| gone.push(value));
        assert_eq!(gone, ['b', 'a']);
        table.advance(Ts::MAX, &mut |value| gone.push(value));
        assert!(table.is_empty() && table.next_timer().is_none());
    }
}
