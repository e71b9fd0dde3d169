//! Recognises what repeats: retransmitted requests and responses (RFC 3261 §17.1, §17.2), and which
//! request a response answers (§17.1.3, with the fallback of §17.2.3 for RFC 2543 clients that
//! write no branch). It keeps no transaction state machine: a passive observer needs only to know
//! whether it has seen the same message between the same two endpoints lately.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use overhear_parsers::sip::{Method, Via};

use super::event::SipEvent;
use super::placement::Completed;
use super::view::View;
use crate::model::addr::{Endpoint, STABLE};
use crate::model::evidence::FrameRef;
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

/// One message seen lately.
struct Entry {
    key: u64,
    /// Watermark when it was first seen.
    seen: Ts,
    at: FrameRef,
    src_port: u16,
    dst_port: u16,
    /// It was a copy sent in HEP.
    hep: bool,
}

/// Octets of one message with its index.
pub(super) const ENTRY: usize = size_of::<Entry>() + 10;

/// The messages of the last [`Limits::transaction_life`], oldest first.
///
/// Entries are found by a 64-bit hash of branch, sent-by, `CSeq` and addresses (and of status and To
/// tag for responses); a collision makes one message look repeated, which loses nothing but its
/// place in the statistics.
pub(super) struct Transactions {
    entries: VecDeque<Entry>,
    /// Number of the oldest entry; entry numbers count up and wrap.
    base: u32,
    index: HashTable<u32>,
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
            index: HashTable::new(),
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
        let transaction = transaction_hash(view);
        let (src, dst) = (event.src, event.dst);
        if view.request {
            let key = request_key(transaction, src, dst);
            return (self.repeats(event, key), None);
        }
        let request = request_key(transaction, dst, src);
        let completed = self.find(request).map(|entry| Completed { request: entry.at });
        let repeated = !event.transport.reliable() && {
            self.repeats(event, response_key(request, view.status, view.to_tag))
        };
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

    /// Looks for `key`, notes it if it is new, and says whether the message repeats another.
    fn repeats(&mut self, event: &SipEvent<'_>, key: u64) -> bool {
        let hep = event.hep.is_some();
        if let Some(entry) = self.find(key) {
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
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let number = self.base.wrapping_add(number);
        self.entries.push_back(Entry {
            key,
            seen: event.watermark,
            at: event.at,
            src_port: event.src.port,
            dst_port: event.dst.port,
            hep,
        });
        let (entries, base) = (&self.entries, self.base);
        let _slot = self.index.insert_unique(key, number, |&number| {
            entry(entries, base, number).map_or(0, |e| e.key)
        });
        false
    }

    fn find(&self, key: u64) -> Option<&Entry> {
        let number = self.index.find(key, |&number| {
            entry(&self.entries, self.base, number).is_some_and(|entry| entry.key == key)
        })?;
        entry(&self.entries, self.base, *number)
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.entries.pop_front() else { return };
        let base = self.base;
        self.base = base.wrapping_add(1);
        if let Ok(found) = self.index.find_entry(oldest.key, |&number| number == base) {
            found.remove();
        }
    }
}

/// The entry with this number.
fn entry(entries: &VecDeque<Entry>, base: u32, number: u32) -> Option<&Entry> {
    entries.get(usize::try_from(number.wrapping_sub(base)).ok()?)
}

/// Names the transaction: branch, sent-by, `CSeq` number and method. Without a branch Call-ID and From
/// tag stand in for it. They are part of the name in any case, because a scanner that writes the same
/// branch into every request does not repeat itself.
fn transaction_hash(view: &View<'_>) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(view.from_hash);
    hasher.write_u64(u64::from(view.cseq) << 8 | u64::from(method_octet(view.method)));
    if let Some(via) = Via::parse(view.via) {
        hasher.write(via.branch().unwrap_or_default());
        hasher.write_u16(via.port.unwrap_or(5060));
        hasher.write(via.host);
    }
    hasher.finish()
}

/// The method as one octet; unknown methods share one, their `CSeq` numbers tell them apart.
const fn method_octet(method: Method) -> u8 {
    method as u8
}

/// Names the request of a transaction between two addresses.
fn request_key(transaction: u64, src: Endpoint, dst: Endpoint) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(transaction);
    hasher.write_u128(u128::from_ne_bytes(*src.addr.octets()));
    hasher.write_u128(u128::from_ne_bytes(*dst.addr.octets()));
    hasher.finish()
}

/// Names one response to the request of this key.
fn response_key(request: u64, status: u16, tag: &[u8]) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(request);
    hasher.write_u16(status);
    hasher.write(tag);
    hasher.finish()
}
