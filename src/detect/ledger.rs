//! What sightings leave outside their entry: which calls and other things have been counted for it,
//! and the links to records. The book of what has been counted is larger than any cache, so it is asked for
//! several things together, whose cache misses overlap; in the order in which they came, so that no answer
//! depends on when.

use super::book::{Book, Noted};
use super::entry::{self, Entry};
use crate::model::id::RecordKey;

/// Things that the book is asked for together: as many cache misses as a core has in flight.
const TOGETHER: usize = 16;

/// The ledger.
#[derive(Debug)]
pub(super) struct Ledger {
    book: Book,
    /// What the book has not been asked for yet.
    waiting: Vec<Question>,
    /// The records a finding concerns, and its number.
    pub(super) links: Vec<(RecordKey, u32)>,
}

/// Whether a thing has been counted for the finding of this number.
#[derive(Copy, Clone, Debug)]
struct Question {
    hash: u64,
    number: u32,
    thing: Thing,
}

/// What is counted once.
#[derive(Copy, Clone, Debug)]
pub(super) enum Thing {
    /// A call.
    Call(RecordKey),
    /// Something of a distinct count of the rule's.
    Of(usize),
    /// Nothing: a link to a record, that keeps its place among those to calls.
    Link(RecordKey),
}

impl Ledger {
    /// An empty one, that counts so many things.
    pub(super) fn new(cap: usize) -> Self {
        Self { book: Book::new(cap), waiting: Vec::new(), links: Vec::new() }
    }

    /// Counts a thing, which `hash` tells from others, for the finding of this number, unless it was
    /// counted just before. Its entry shows it after [`Self::settle`].
    #[inline]
    pub(super) fn count(&mut self, number: u32, thing: Thing, hash: u64) {
        if !self.book.is_recent(hash) {
            self.book.fetch(hash);
            self.waiting.push(Question { hash, number, thing });
        }
    }

    /// Links a record to the finding of this number, behind what waits: where room for links runs out, it
    /// must not depend on when something was settled which of them are kept.
    pub(super) fn link(&mut self, number: u32, key: RecordKey) {
        if self.waiting.is_empty() {
            self.links.push((key, number));
        } else {
            self.waiting.push(Question { hash: 0, number, thing: Thing::Link(key) });
        }
    }

    /// The same of a record that is likely to be named many times in a row.
    #[inline]
    pub(super) fn mention(&mut self, number: u32, key: RecordKey) {
        if !self.book.is_recent(!Book::hash(number, key)) {
            self.link(number, key);
        }
    }

    /// Whether enough waits to be settled.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= TOGETHER
    }

    /// Asks the book for everything that waits, and tells the entries.
    pub(super) fn settle(&mut self, entries: &mut [Entry]) {
        let Self { book, waiting, links } = self;
        for Question { hash, number, thing } in waiting.drain(..) {
            if let Thing::Link(key) = thing {
                links.push((key, number));
                continue;
            }
            let noted = book.count(hash);
            let place = usize::try_from(number).unwrap_or(usize::MAX);
            let Some(entry) = entries.get_mut(place) else { continue };
            let new = noted == Noted::Now;
            entry.exhausted |= noted == Noted::NoRoom;
            match thing {
                Thing::Link(_) => {}
                Thing::Of(slot) => {
                    if let Some(count) = entry.distinct.get_mut(slot) {
                        *count = count.saturating_add(new.into());
                    }
                }
                Thing::Call(key) => {
                    entry.calls = entry.calls.saturating_add(new.into());
                    if new || entry.exhausted {
                        entry::link(&mut entry.call_ids, key.id);
                        links.push((key, number));
                    }
                }
            }
        }
    }
}
