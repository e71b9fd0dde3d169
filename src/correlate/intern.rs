//! Values that many calls share, kept once: user agents and media descriptions. Both tables are
//! bounded; what does not fit is given out unshared and cut short, so that a flood of different values
//! costs little.

use std::sync::Arc;

use hashbrown::HashTable;

use super::outbox::MediaDescription;
use super::view;

/// Distinct values kept, per table.
const SHARED: usize = 4_096;
/// Octets of a user agent that are kept.
const AGENT_OCTETS: usize = 256;

/// Values by content, each with its hash.
struct Shared<T: ?Sized> {
    table: HashTable<(u64, Arc<T>)>,
    /// Values that did not fit.
    refused: usize,
}

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        Self { table: HashTable::new(), refused: 0 }
    }
}

impl<T: ?Sized> Shared<T> {
    /// The value that `is` recognises under `hash`, else the one that `make` makes; it is told
    /// whether the value will be shared.
    fn get(
        &mut self,
        hash: u64,
        is: impl Fn(&T) -> bool,
        make: impl FnOnce(bool) -> Arc<T>,
    ) -> Arc<T> {
        if let Some((_, found)) = self.table.find(hash, |(have, value)| *have == hash && is(value))
        {
            return Arc::clone(found);
        }
        if self.table.len() >= SHARED {
            // Dropping what nothing uses costs one pass, so it is done once per as many refusals.
            if self.refused.is_multiple_of(SHARED) {
                self.table.retain(|(_, value)| Arc::strong_count(value) > 1);
            }
            self.refused = self.refused.wrapping_add(1);
        }
        let shared = self.table.len() < SHARED;
        let value = make(shared);
        if shared {
            let _slot =
                self.table.insert_unique(hash, (hash, Arc::clone(&value)), |(hash, _)| *hash);
        }
        value
    }
}

/// User-Agent and Server values.
#[derive(Default)]
pub(super) struct Agents {
    shared: Shared<str>,
}

impl Agents {
    /// The text of `value`, at most 256 octets of it, U+FFFD for what is not UTF-8.
    pub(super) fn get(&mut self, value: &[u8]) -> Arc<str> {
        let value = value.get(..AGENT_OCTETS).unwrap_or(value);
        self.shared.get(
            view::hash(value),
            // Written out only if it has to be.
            |have| have.as_bytes() == value || *have == *String::from_utf8_lossy(value),
            |shared| {
                let text = String::from_utf8_lossy(value);
                Arc::from(if shared { &*text } else { short(&text) })
            },
        )
    }
}

/// Media descriptions.
#[derive(Default)]
pub(super) struct Descriptions {
    shared: Shared<MediaDescription>,
}

impl Descriptions {
    /// The description that `is` recognises under `hash`, else the one that `make` makes; it is
    /// told whether the description will be shared, and otherwise has to be small.
    pub(super) fn get(
        &mut self,
        hash: u64,
        is: impl Fn(&MediaDescription) -> bool,
        make: impl FnOnce(bool) -> MediaDescription,
    ) -> Arc<MediaDescription> {
        self.shared.get(hash, is, |shared| Arc::new(make(shared)))
    }
}

/// The first characters of an agent that is not shared.
fn short(text: &str) -> &str {
    text.char_indices().nth(16).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_agents_are_one_and_the_table_is_bounded() {
        let mut agents = Agents::default();
        let first = agents.get(b"Phone/1.0");
        assert!(Arc::ptr_eq(&first, &agents.get(b"Phone/1.0")));
        assert_eq!(&*agents.get(b"\xff"), "\u{fffd}");
        for number in 0..3 * SHARED {
            let _agent = agents.get(format!("scanner-{number}").as_bytes());
        }
        assert!(agents.shared.table.len() <= SHARED);
        assert!(Arc::ptr_eq(&first, &agents.get(b"Phone/1.0")), "one in use is never dropped");
        let used: Vec<_> =
            (0..SHARED).map(|number| agents.get(format!("in use {number}").as_bytes())).collect();
        assert_eq!((used.len(), &*agents.get(b"One agent too many")), (SHARED, "One agent too ma"));
    }

    #[test]
    fn an_agent_is_cut_at_256_octets() {
        assert_eq!(Agents::default().get(&[b'a'; 1_000]).len(), 256);
    }
}
