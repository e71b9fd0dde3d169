//! A table of what was seen lately, for rules and what they share: two generations, of which the older is
//! dropped when the younger is full. What is used is not kept longer than what is not.

use std::hash::Hash;

use hashbrown::HashMap;

use crate::model::time::Ts;

/// Values by key, at most twice as many as one generation has.
#[derive(Debug)]
pub(super) struct Lately<K, V> {
    half: usize,
    young: HashMap<K, V, foldhash::fast::FixedState>,
    old: HashMap<K, V, foldhash::fast::FixedState>,
    evicted: u64,
}

impl<K: Eq + Hash, V: Clone> Lately<K, V> {
    /// An empty table with room for so many values.
    pub(super) fn new(cap: usize) -> Self {
        let half = (cap / 2).max(1);
        Self { half, young: HashMap::default(), old: HashMap::default(), evicted: 0 }
    }

    /// Whether nothing was ever put in.
    pub(super) fn is_empty(&self) -> bool {
        self.young.is_empty()
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        if self.is_empty() {
            return None;
        }
        self.young.get(key).or_else(|| self.old.get(key)).cloned()
    }

    /// Sets the value of a key.
    pub(super) fn put(&mut self, key: K, value: V) {
        let _ = self.turns(key, value);
    }

    /// The same; whether a new generation began with it, for [`Horizon::put`].
    pub(super) fn turns(&mut self, key: K, value: V) -> bool {
        let full = self.young.len() >= self.half && !self.young.contains_key(&key);
        if full {
            self.evicted += u64::try_from(self.old.len()).unwrap_or(u64::MAX);
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
        full
    }

    /// Values dropped for want of room.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }
}

/// How far back a [`Lately`] remembers, for rules that draw conclusions from what it does not have.
#[derive(Copy, Clone, Debug)]
pub(super) struct Horizon {
    /// When the younger generation began.
    turned: Ts,
    /// What was put in before this may have been dropped.
    before: Ts,
}

impl Horizon {
    /// Nothing has been dropped.
    pub(super) const fn new() -> Self {
        Self { turned: Ts::MIN, before: Ts::MIN }
    }

    /// A value was put in at `now`; `full` is what [`Lately::turns`] said.
    pub(super) fn put(&mut self, full: bool, now: Ts) {
        if full {
            (self.before, self.turned) = (self.turned, self.turned.max(now));
        }
    }

    /// Whether everything put in since `then` is remembered.
    pub(super) fn reaches(&self, then: Ts) -> bool {
        then >= self.before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_dropped_and_counted() {
        let mut lately = Lately::new(4);
        let mut horizon = Horizon::new();
        for number in 0..5 {
            let full = lately.turns(number, number * 10);
            horizon.put(full, Ts::from_nanos(number));
        }
        assert_eq!(
            (horizon.reaches(Ts::from_nanos(2)), horizon.reaches(Ts::from_nanos(1))),
            (true, false)
        );
        assert_eq!((lately.get(&0), lately.get(&2), lately.get(&4)), (None, Some(20), Some(40)));
        assert_eq!(lately.evicted(), 2);
    }
}
