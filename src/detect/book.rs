//! Which things have been counted for which finding: calls, users, keys, further peers.
//!
//! Counting distinct things exactly needs all of them at hand; what is kept of each is one hash.
//! Most sightings concern something seen a moment ago, so a small table of recent hashes answers
//! first, and the large one is asked in one cache line. It takes `limits.calls` hashes, then it
//! says that it has no room.

use std::hash::Hash;

use super::peers::Peers;
use crate::model::addr::stable_hash;
use crate::model::fetch;

/// Recent hashes remembered, so that a call's hundredth message costs no look-up in the big table.
const RECENT: usize = 1 << 14;

/// What the book says of a thing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// Noted for this finding before.
    Before,
    /// Noted now.
    Now,
    /// Not noted, and there is no room to do so.
    NoRoom,
}

impl Noted {
    const fn new(new: bool) -> Self {
        if new { Self::Now } else { Self::Before }
    }
}

/// The book.
#[derive(Debug)]
pub(super) struct Book {
    counted: Hashes,
    peers: Peers,
    cap: usize,
    recent: Box<[u64]>,
}

impl Book {
    /// An empty book for `cap` things.
    pub(super) fn new(cap: usize) -> Self {
        let recent = vec![0; RECENT].into_boxed_slice();
        Self { counted: Hashes::default(), peers: Peers::default(), cap, recent }
    }

    /// What stands for `thing` of the finding with this number.
    #[inline]
    pub(super) fn hash(finding: u32, thing: impl Hash) -> u64 {
        stable_hash(&(finding, thing))
    }

    /// Asks for where [`Self::count`] looks for `hash`.
    #[inline]
    pub(super) fn fetch(&self, hash: u64) {
        self.counted.fetch(hash);
    }

    /// Asks for where [`Self::count_peer`] looks for what [`Peers::key`] gave.
    #[inline]
    pub(super) fn fetch_peer(&self, key: u64) {
        self.peers.fetch(key);
    }

    /// Notes what `hash` stands for.
    pub(super) fn count(&mut self, hash: u64) -> Noted {
        if self.is_full() {
            if self.counted.contains(hash) { Noted::Before } else { Noted::NoRoom }
        } else {
            Noted::new(self.counted.insert(hash))
        }
    }

    /// Notes a subject in the entry of the rest with this ordinal.
    pub(super) fn count_peer(&mut self, key: u64, ordinal: u32) -> Noted {
        if self.is_full() {
            if self.peers.is_counted(key, ordinal) { Noted::Before } else { Noted::NoRoom }
        } else {
            Noted::new(self.peers.count(key, ordinal))
        }
    }

    fn is_full(&self) -> bool {
        self.counted.len().saturating_add(self.peers.counted()) >= self.cap
    }

    /// Whether `hash` is among the recent ones; it is afterwards. One of long ago may be answered like one
    /// that never was.
    #[inline]
    pub(super) fn is_recent(&mut self, hash: u64) -> bool {
        let hash = hash | 1; // 0 is an empty place
        self.recent
            .get_mut(recent_slot(hash))
            .is_some_and(|recent| std::mem::replace(recent, hash) == hash)
    }
}

/// Where a hash is remembered for a while.
#[inline]
fn recent_slot(hash: u64) -> usize {
    usize::try_from(hash >> 8).unwrap_or(usize::MAX) % RECENT
}

/// A set of hashes with a fixed seed: they need no further hashing. Linear probing in a table that
/// is never more than three quarters full.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    /// 0 is an empty place; a power of two of them, or none.
    slots: Vec<u64>,
    held: usize,
}

impl Hashes {
    /// Places of the first table.
    const FIRST: usize = 1 << 10;

    const fn len(&self) -> usize {
        self.held
    }

    pub(super) fn contains(&self, hash: u64) -> bool {
        self.seek(hash.max(1)).is_none()
    }

    /// Whether `hash` is new.
    pub(super) fn insert(&mut self, hash: u64) -> bool {
        if self.held >= self.slots.len() / 4 * 3 {
            self.grow();
        }
        let hash = hash.max(1);
        let Some(slot) = self.seek(hash).and_then(|free| self.slots.get_mut(free)) else {
            return false;
        };
        *slot = hash;
        self.held += 1;
        true
    }

    /// Asks for where `hash` is looked for first.
    #[inline]
    fn fetch(&self, hash: u64) {
        let mask = self.slots.len().wrapping_sub(1);
        fetch::element(&self.slots, usize::try_from(hash).unwrap_or(usize::MAX) & mask);
    }

    /// Where `hash`, which is not 0, is to be put; `None` if it is there.
    #[inline]
    fn seek(&self, hash: u64) -> Option<usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = usize::try_from(hash).unwrap_or(usize::MAX) & mask;
        loop {
            match self.slots.get(at) {
                Some(&known) if known == hash => return None,
                Some(0) | None => return Some(at),
                Some(_) => at = at.wrapping_add(1) & mask,
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let places = self.slots.len().saturating_mul(2).max(Self::FIRST);
        let before = std::mem::replace(&mut self.slots, vec![0; places]);
        for hash in before.into_iter().filter(|hash| *hash != 0) {
            if let Some(slot) = self.seek(hash).and_then(|free| self.slots.get_mut(free)) {
                *slot = hash;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_hashes_holds_each_once_however_it_grows() {
        let mut set = Hashes::default();
        assert!(!set.contains(0) && !set.contains(7));
        let hashes = || (0_u64..10_000).map(|n| n.wrapping_mul(1 << 40 | 4));
        assert!(hashes().all(|hash| set.insert(hash)));
        assert!(hashes().all(|hash| set.contains(hash) && !set.insert(hash)));
        assert!(!set.contains(3));
        assert_eq!(set.len(), 10_000);
    }

    #[test]
    fn each_finding_has_its_own_things() {
        let mut book = Book::new(2);
        let note = |book: &mut Book, finding, thing: i32| {
            let hash = Book::hash(finding, thing);
            (!book.is_recent(hash)).then(|| book.count(hash))
        };
        assert_eq!(note(&mut book, 1, 7), Some(Noted::Now));
        assert_eq!(note(&mut book, 2, 7), Some(Noted::Now));
        assert_eq!(note(&mut book, 1, 7), None);
        assert_eq!(note(&mut book, 1, 8), Some(Noted::NoRoom));
        book.recent.fill(0);
        assert_eq!(note(&mut book, 2, 7), Some(Noted::Before));
        assert!(!book.is_recent(9));
        assert!(book.is_recent(9));
    }
}
