//! Which calls were finished lately, so that what comes late begins no new one. Hashes only.

use std::collections::VecDeque;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Calls that were finished lately, by hash, so that what comes late makes no new call.
pub(super) struct Finished {
    order: VecDeque<u64>,
    hashes: HashTable<u64>,
    cap: usize,
}

impl Finished {
    /// Room for `cap` calls.
    pub(super) fn new(cap: usize) -> Self {
        Self { order: VecDeque::new(), hashes: HashTable::new(), cap: cap.max(1) }
    }

    /// Whether the call of this hash was finished lately.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.hashes.find(hash, |&other| other == hash).is_some()
    }

    /// Notes a call that is finished.
    pub(super) fn add(&mut self, hash: u64) {
        let Entry::Vacant(free) = self.hashes.entry(hash, |&other| other == hash, |&hash| hash)
        else {
            return;
        };
        free.insert(hash);
        self.order.push_back(hash);
        if self.order.len() > self.cap
            && let Some(oldest) = self.order.pop_front()
            && let Ok(entry) = self.hashes.find_entry(oldest, |&other| other == oldest)
        {
            entry.remove();
        }
    }
}
