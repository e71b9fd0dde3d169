//! Recognises what repeats: retransmitted requests and responses (RFC 3261 §17.1, §17.2), and which
//! request a response answers (§17.1.3, with the fallback of §17.2.3 for RFC 2543 clients that
//! write no branch). It keeps no transaction state machine: a passive observer needs only to know
//! whether it has seen the same message between the same two endpoints lately.

use std::collections::VecDeque;

use super::event::SipEvent;
use super::placement::Completed;
use super::seen_index::{Alive, Keyed, SHARE, SeenIndex};
use super::view::View;
use crate::model::evidence::FrameRef;
use crate::model::fact::SipNames;
use crate::model::fetch;
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

/// One message seen lately.
struct Entry {
    key: u64,
    /// Watermark when it was first seen.
    seen: Ts,
    at: FrameRef,
    /// Where the index has it.
    home: u32,
    src_port: u16,
    dst_port: u16,
    /// It was a copy sent in HEP.
    hep: bool,
}

/// The oldest entry but so many is asked for when one leaves.
const SOON: usize = 4;

/// Octets of one message with its share of the index.
pub(super) const ENTRY: usize = size_of::<Entry>() + SHARE;

/// The messages of the last [`Limits::transaction_life`], oldest first.
///
/// Entries are found by the 64-bit names that the lane made ([`crate::model::fact::SipNames`]); a
/// collision makes one message look repeated, which loses nothing but its place in the statistics.
pub(super) struct Transactions {
    entries: VecDeque<Entry>,
    /// Number of the oldest entry; entry numbers count up and wrap.
    base: u32,
    index: SeenIndex,
    cap: usize,
    life: Span,
    evicted: u64,
    retransmissions: u64,
}

impl Transactions {
    /// An empty table.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            entries: VecDeque::new(),
            base: 0,
            index: SeenIndex::new(),
            cap: limits.transactions.clamp(1, 1 << 30),
            life: limits.transaction_life,
            evicted: 0,
            retransmissions: 0,
        }
    }

    /// Whether this message repeats one, and the request that it answers.
    pub(super) fn see(
        &mut self,
        event: &SipEvent<'_>,
        view: &View<'_>,
    ) -> (bool, Option<Completed>) {
        let request = Keyed::alone(event.names.request);
        if view.request {
            return (self.repeats(event, request), None);
        }
        let completed = self.find(request).map(|entry| Completed { request: entry.at });
        let response = Keyed::beside(event.names.request, event.names.response);
        let repeated = !event.transport.reliable() && self.repeats(event, response);
        (repeated, completed)
    }

    /// Drops what is older than the limit.
    pub(super) fn advance(&mut self, watermark: Ts) {
        while self.entries.front().is_some_and(|entry| entry.seen.plus(self.life) <= watermark) {
            self.drop_oldest();
        }
    }

    /// Entries dropped because the table was full.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Messages that repeated one.
    pub(super) const fn retransmissions(&self) -> u64 {
        self.retransmissions
    }

    /// Looks for a key, notes it if it is new, and says whether the message repeats another.
    fn repeats(&mut self, event: &SipEvent<'_>, keyed: Keyed) -> bool {
        let hep = event.hep.is_some();
        if let Some(entry) = self.find(keyed) {
            let same = (entry.src_port, entry.dst_port) == (event.src.port, event.dst.port);
            // A copy sent in HEP is none of the message, nor is the message one of its copy.
            if hep != entry.hep {
                return hep && same;
            }
            let repeated = same && !event.transport.reliable();
            self.retransmissions = self.retransmissions.saturating_add(u64::from(repeated && !hep));
            return repeated;
        }
        if self.entries.len() >= self.cap {
            self.drop_oldest();
            self.evicted = self.evicted.saturating_add(1);
        }
        if self.index.is_full(self.entries.len()) {
            self.grow();
        }
        let alive = self.alive();
        self.index.insert(keyed, alive.next(), alive);
        self.entries.push_back(Entry {
            key: keyed.key,
            seen: event.watermark,
            at: event.at,
            home: keyed.home,
            src_port: event.src.port,
            dst_port: event.dst.port,
            hep,
        });
        false
    }

    /// Asks for where the request of this key is looked for.
    pub(super) fn fetch(&self, request: u64) {
        self.index.fetch(Keyed::alone(request));
    }

    /// Asks for where else they are looked for, and for what is probably the entry of a response's request.
    pub(super) fn approach(&self, names: &SipNames) {
        let (request, alive) = (Keyed::alone(names.request), self.alive());
        if names.response == 0 {
            return self.index.fetch_beyond(request, alive);
        }
        self.index.fetch_beyond(Keyed::beside(names.request, names.response), alive);
        let number = self.index.find(request, alive, |_| true);
        let place = number.and_then(|number| age(self.base, number));
        if let Some(entry) = place.and_then(|place| self.entries.get(place)) {
            fetch::line_of(entry);
        }
    }

    fn find(&self, keyed: Keyed) -> Option<&Entry> {
        let entry = |number: u32| self.entries.get(age(self.base, number)?);
        let is = |number| entry(number).is_some_and(|entry| entry.key == keyed.key);
        entry(self.index.find(keyed, self.alive(), is)?)
    }

    fn grow(&mut self) {
        self.index.grow();
        let mut alive = Alive { base: self.base, len: 0 };
        for entry in &self.entries {
            let keyed = Keyed { home: entry.home, key: entry.key };
            self.index.insert(keyed, alive.next(), alive);
            alive.len = alive.len.saturating_add(1);
        }
    }

    fn alive(&self) -> Alive {
        Alive { base: self.base, len: self.entries.len() }
    }

    fn drop_oldest(&mut self) {
        if self.entries.pop_front().is_some() {
            self.base = self.base.wrapping_add(1);
        }
        if let Some(later) = self.entries.get(SOON) {
            fetch::line_of(later);
        }
    }
}

/// The place in the queue of the entry with this number.
fn age(base: u32, number: u32) -> Option<usize> {
    usize::try_from(number.wrapping_sub(base)).ok()
}
