//! Which subjects have been counted among the rest of which rules: a bit for each rule. What is odd about
//! two peers is odd to many rules at once, and so one look answers for all of them.

use crate::model::fetch;

/// A subject, and for each of 64 entries of the rest whether it has been counted there.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Peer {
    /// 0 is an empty place.
    key: u64,
    counted: u64,
}

/// A table with linear probing that is never more than three quarters full. Hashes with a fixed seed need
/// no further hashing.
#[derive(Debug, Default)]
pub(super) struct Peers {
    /// A power of two of them, or none.
    slots: Vec<Peer>,
    held: usize,
    counted: usize,
}

impl Peers {
    /// Places of the first table.
    const FIRST: usize = 1 << 9;

    /// What a subject with this hash is known by to the entry of the rest with this ordinal.
    #[inline]
    pub(super) fn key(subject: u64, ordinal: u32) -> u64 {
        let others = u64::from(ordinal / u64::BITS);
        (subject ^ others.wrapping_mul(0x9e37_79b9_7f4a_7c15)).max(1)
    }

    /// How often a subject was counted in an entry.
    pub(super) const fn counted(&self) -> usize {
        self.counted
    }

    /// Asks for where a key is looked for first.
    #[inline]
    pub(super) fn fetch(&self, key: u64) {
        fetch::element(&self.slots, self.home(key));
    }

    /// Whether the subject has been counted in the entry of this ordinal.
    pub(super) fn is_counted(&self, key: u64, ordinal: u32) -> bool {
        let known = self.slots.get(self.seek(key)).filter(|peer| peer.key == key);
        known.is_some_and(|peer| peer.counted & bit(ordinal) != 0)
    }

    /// Counts it there; whether it was not yet.
    pub(super) fn count(&mut self, key: u64, ordinal: u32) -> bool {
        if self.held >= self.slots.len() / 4 * 3 {
            self.grow();
        }
        let at = self.seek(key);
        let Some(peer) = self.slots.get_mut(at) else { return false };
        self.held += usize::from(peer.key == 0);
        peer.key = key;
        let new = peer.counted & bit(ordinal) == 0;
        peer.counted |= bit(ordinal);
        self.counted += usize::from(new);
        new
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        usize::try_from(key).unwrap_or(usize::MAX) & self.slots.len().wrapping_sub(1)
    }

    /// Where the key stands, or is to be put.
    #[inline]
    fn seek(&self, key: u64) -> usize {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = self.home(key);
        while self.slots.get(at).is_some_and(|peer| peer.key != key && peer.key != 0) {
            at = at.wrapping_add(1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let places = self.slots.len().saturating_mul(2).max(Self::FIRST);
        let before = std::mem::replace(&mut self.slots, vec![Peer::default(); places]);
        for peer in before.into_iter().filter(|peer| peer.key != 0) {
            let at = self.seek(peer.key);
            self.slots.get_mut(at).into_iter().for_each(|place| *place = peer);
        }
    }
}

/// The bit of an entry of the rest.
const fn bit(ordinal: u32) -> u64 {
    1 << (ordinal % u64::BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_once_in_each_entry_however_the_table_grows() {
        let mut peers = Peers::default();
        let subjects = || (0_u64..5_000).map(|n| n.wrapping_mul(1 << 40 | 4));
        let each = || subjects().flat_map(|of| [0, 63, 64, 130].map(|n| (Peers::key(of, n), n)));
        assert!(each().all(|(key, ordinal)| !peers.is_counted(key, ordinal)));
        assert!(each().all(|(key, ordinal)| peers.count(key, ordinal)));
        assert!(each().all(|(key, ordinal)| peers.is_counted(key, ordinal)));
        assert!(each().all(|(key, ordinal)| !peers.count(key, ordinal)));
        assert_eq!(peers.counted(), 20_000);
        assert!(!peers.is_counted(Peers::key(3, 1), 1));
    }
}
