//! A table of what was seen lately, for rules and what they share: two generations, of which the older is
//! dropped when the younger is full. What is used is not kept longer than what is not.

use std::hash::Hash;

use hashbrown::HashTable;

use crate::model::addr::stable_hash;
use crate::model::fact::length;
use crate::model::time::Ts;

/// Values by key, at most twice as many as one generation has.
#[derive(Debug)]
pub(super) struct Lately<K, V> {
    half: usize,
    young: Generation<K, V>,
    old: Generation<K, V>,
    evicted: u64,
}

/// Values in the order in which they came, so that taking one in writes to one place at random only.
#[derive(Debug)]
struct Generation<K, V> {
    values: Vec<(K, V)>,
    places: HashTable<u32>,
}

impl<K: Eq + Hash, V: Clone> Lately<K, V> {
    /// An empty table with room for so many values.
    pub(super) fn new(cap: usize) -> Self {
        let half = (cap / 2).max(1);
        Self { half, young: Generation::new(), old: Generation::new(), evicted: 0 }
    }

    /// Whether nothing was ever put in.
    pub(super) fn is_empty(&self) -> bool {
        self.young.values.is_empty()
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        if self.is_empty() {
            return None;
        }
        let hash = stable_hash(key);
        self.young.get(hash, key).or_else(|| self.old.get(hash, key)).cloned()
    }

    /// The value of a key; of one that has none it becomes this one.
    pub(super) fn get_or_put(&mut self, key: K, value: V) -> Option<V> {
        let hash = stable_hash(&key);
        let known = self.young.get(hash, &key).or_else(|| self.old.get(hash, &key)).cloned();
        if known.is_none() {
            self.add(hash, key, value);
        }
        known
    }

    /// Sets the value of a key.
    pub(super) fn put(&mut self, key: K, value: V) {
        let _ = self.turns(key, value);
    }

    /// The same; whether a new generation began with it, for [`Horizon::put`].
    pub(super) fn turns(&mut self, key: K, value: V) -> bool {
        let hash = stable_hash(&key);
        let place = self.young.place(hash, &key);
        if let Some(known) = place.and_then(|place| self.young.values.get_mut(place)) {
            known.1 = value;
            return false;
        }
        self.add(hash, key, value)
    }

    /// Adds a key that is not in the younger generation; whether a new one began with it.
    fn add(&mut self, hash: u64, key: K, value: V) -> bool {
        let full = self.young.values.len() >= self.half;
        if full {
            self.evicted += u64::try_from(self.old.values.len()).unwrap_or(u64::MAX);
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.add(hash, key, value);
        full
    }

    /// Values dropped for want of room.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }
}

impl<K: Eq + Hash, V> Generation<K, V> {
    const fn new() -> Self {
        Self { values: Vec::new(), places: HashTable::new() }
    }

    fn get(&self, hash: u64, key: &K) -> Option<&V> {
        self.values.get(self.place(hash, key)?).map(|(_, value)| value)
    }

    fn place(&self, hash: u64, key: &K) -> Option<usize> {
        let is = |place: &u32| self.values.get(widen(*place)).is_some_and(|(of, _)| of == key);
        self.places.find(hash, is).copied().map(widen)
    }

    fn add(&mut self, hash: u64, key: K, value: V) {
        let Self { values, places } = self;
        let place = length(values.len());
        values.push((key, value));
        let hash_at =
            |place: &u32| values.get(widen(*place)).map_or(0, |(key, _)| stable_hash(key));
        places.insert_unique(hash, place, hash_at);
    }

    /// Empties it, and keeps its memory for the next one.
    fn clear(&mut self) {
        self.values.clear();
        self.places.clear();
    }
}

fn widen(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
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
