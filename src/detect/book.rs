//! Which things have been counted for which finding: calls, users, keys.
//!
//! Counting distinct things exactly needs all of them at hand; what is kept of each is one hash.
//! Most sightings concern something seen a moment ago, so a small table of recent hashes answers
//! first, and the large one is asked in one cache line. It takes `limits.calls` hashes, then it
//! says that it has no room.

use std::hash::Hash;

use super::by_hash::ByHash;
use crate::model::addr::stable_hash;

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

/// The book.
#[derive(Debug)]
pub(super) struct Book {
    counted: ByHash<()>,
    cap: usize,
    recent: Box<[u64]>,
}

impl Book {
    /// An empty book for `cap` things.
    pub(super) fn new(cap: usize) -> Self {
        let recent = vec![0; RECENT].into_boxed_slice();
        Self { counted: ByHash::default(), cap, recent }
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

    /// Notes what `hash` stands for.
    pub(super) fn count(&mut self, hash: u64) -> Noted {
        if self.counted.len() < self.cap {
            if self.counted.insert(hash, ()) { Noted::Now } else { Noted::Before }
        } else {
            self.counted.get(hash).map_or(Noted::NoRoom, |()| Noted::Before)
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
