//! One purse of memory: how many octets the tables that share it may hold.
//!
//! A table takes before it keeps and gives back when it lets go; what it must evict because the
//! purse is empty it says by name. Nothing is allocated here but the list of names.

/// A bounded number of octets and what was given up for lack of them.
#[derive(Clone, Debug, Default)]
pub struct Purse {
    limit: u64,
    used: u64,
    peak: u64,
    evicted: Vec<(&'static str, u64)>,
}

impl Purse {
    /// A purse of `limit` octets.
    pub const fn new(limit: u64) -> Self {
        Self { limit, used: 0, peak: 0, evicted: Vec::new() }
    }

    /// Takes `octets`; `false`, and nothing taken, when they are not there.
    #[must_use]
    pub fn take(&mut self, octets: u64) -> bool {
        match self.used.checked_add(octets) {
            Some(used) if used <= self.limit => {
                self.used = used;
                self.peak = self.peak.max(used);
                true
            }
            _ => false,
        }
    }

    /// Gives `octets` back.
    pub fn give(&mut self, octets: u64) {
        debug_assert!(octets <= self.used, "given back more than was taken");
        self.used = self.used.saturating_sub(octets);
    }

    /// The limit, in octets.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// Octets taken at the moment.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// The most octets that were ever taken at once.
    pub const fn peak(&self) -> u64 {
        self.peak
    }

    /// Counts `entries` of `table` given up.
    pub fn evict(&mut self, table: &'static str, entries: u64) {
        match self.evicted.iter_mut().find(|(name, _)| *name == table) {
            Some((_, count)) => *count = count.saturating_add(entries),
            None => self.evicted.push((table, entries)),
        }
    }

    /// Entries given up, by table, in the order in which the tables first had to.
    pub fn evicted(&self) -> &[(&'static str, u64)] {
        &self.evicted
    }

    /// Entries of one table given up.
    pub fn evicted_from(&self, table: &str) -> u64 {
        self.evicted.iter().find(|(name, _)| *name == table).map_or(0, |&(_, count)| count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purse_never_holds_more_than_its_limit() {
        let mut purse = Purse::new(10);
        assert!(purse.take(7));
        assert!(!purse.take(4));
        assert!(!purse.take(u64::MAX));
        assert!(purse.take(3));
        purse.give(10);
        assert_eq!((purse.used(), purse.peak(), purse.limit()), (0, 10, 10));
    }

    #[test]
    fn evictions_are_counted_by_name() {
        let mut purse = Purse::new(0);
        purse.evict("ip_datagrams", 1);
        purse.evict("tcp_pieces", 2);
        purse.evict("ip_datagrams", 3);
        assert_eq!(purse.evicted(), [("ip_datagrams", 4), ("tcp_pieces", 2)]);
        assert_eq!(purse.evicted_from("tcp_pieces"), 2);
    }
}
