//! Which call a media stream belongs to.
//!
//! SDP announces where media is expected; a stream is bound when it ends, by its addresses and
//! times. An announcement holds from a few seconds before its frame (packets overtake signalling)
//! to the end of its dialog and a little more. Among the announcers of an address, in this order:
//! one whose call also announced where the stream comes from; the latest one not after the
//! stream's first packet, else the earliest after it; the address of an m-line before an ICE
//! candidate. Where nobody announced the destination, the sender's own address counts (symmetric
//! RTP, a peer behind NAT), then `a=ssrc`.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashTable;

use crate::model::addr::{Endpoint, stable_hash};
use crate::model::fact::length;
use crate::model::id::RecordKey;
use crate::model::record::Side;
use crate::model::stream::StreamEnded;
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

use super::outbox::{Announcement, MediaDescription};

/// Name of the table in `evicted`.
pub const TABLE: &str = "announcements";

/// Octets of one announcement with its places in three indices and in the order of arrival.
pub const ENTRY: usize = size_of::<Entry>() + size_of::<(u32, u64)>() + 3 * 10;

/// How much earlier than its announcement a stream may begin.
const BEFORE: Span = Span::from_secs(5);

/// Announcements of one address, and of one call, that are looked at for one stream: the newest
/// ones. A load generator announces one address for every call.
const LOOKED_AT: usize = 4_096;
const LOOKED_AT_OF_CALL: usize = 64;

/// No entry: the end of a chain.
const NONE: u32 = u32::MAX;

/// What a stream was bound to.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The call.
    pub call: RecordKey,
    /// Who sends the stream.
    pub sender: Side,
    /// The m-line as the receiver described it; as the sender did where the receiver is unknown.
    pub media: Arc<MediaDescription>,
}

/// One announcement, in two chains: of its address and of its call, the newest first.
#[derive(Debug)]
struct Entry {
    endpoint: Endpoint,
    call: RecordKey,
    at: Ts,
    until: Ts,
    ordinal: u64,
    media: Arc<MediaDescription>,
    ssrc: Option<u32>,
    side: Side,
    candidate: bool,
    live: bool,
    next_at_endpoint: u32,
    before_at_endpoint: u32,
    next_of_call: u32,
}

/// The announcements of live and recently ended calls.
#[derive(Debug)]
pub struct MediaBinder {
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// First entry of each address, of each call, of each announced SSRC.
    by_endpoint: HashTable<u32>,
    by_call: HashTable<u32>,
    by_ssrc: HashTable<u32>,
    /// Calls that ended, with the time at which their announcements go.
    leaving: VecDeque<(Ts, RecordKey)>,
    /// Live entries in order of arrival, to evict the oldest; some are gone already.
    arrival: VecDeque<(u32, u64)>,
    live: usize,
    cap: usize,
    linger: Span,
    forget: Span,
    evicted: u64,
}

impl MediaBinder {
    /// An empty table.
    pub fn new(limits: &Limits) -> Self {
        // A stream ends `idle` after its last packet and may begin `linger` after the dialog.
        let forget = Span::from_nanos(
            limits.call_linger.nanos().saturating_add(limits.idle.nanos().saturating_mul(2)),
        );
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            by_endpoint: HashTable::new(),
            by_call: HashTable::new(),
            by_ssrc: HashTable::new(),
            leaving: VecDeque::new(),
            arrival: VecDeque::new(),
            live: 0,
            cap: limits.announcements,
            linger: limits.call_linger,
            forget,
            evicted: 0,
        }
    }

    /// Announcements given up for lack of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Notes an announcement.
    pub fn announce(&mut self, announcement: &Announcement) {
        if self.live >= self.cap {
            self.evict_oldest();
        }
        let endpoint_hash = stable_hash(&announcement.endpoint);
        let call_hash = stable_hash(&announcement.call.id);
        let entry = Entry {
            endpoint: announcement.endpoint,
            call: announcement.call,
            at: announcement.at.time,
            until: Ts::MAX,
            ordinal: announcement.ordinal,
            media: Arc::clone(&announcement.media),
            ssrc: announcement.ssrcs.first().copied(),
            side: announcement.side,
            candidate: announcement.candidate,
            live: true,
            next_at_endpoint: self.head_of_endpoint(endpoint_hash, announcement.endpoint),
            before_at_endpoint: NONE,
            next_of_call: self.head_of_call(call_hash, announcement.call),
        };
        let next = entry.next_at_endpoint;
        let slot = self.place(entry);
        if let Some(next) = self.entries.get_mut(widen(next)) {
            next.before_at_endpoint = slot;
        }
        self.live += 1;
        self.arrival.push_back((slot, announcement.ordinal));
        let entries = &self.entries;
        let at = |slot: &u32| entries.get(widen(*slot));
        let same = |slot: &u32| at(slot).is_some_and(|e| e.endpoint == announcement.endpoint);
        let rehash = |slot: &u32| at(slot).map_or(0, |e| stable_hash(&e.endpoint));
        *self.by_endpoint.entry(endpoint_hash, same, rehash).or_insert(slot).get_mut() = slot;
        let same = |slot: &u32| at(slot).is_some_and(|e| e.call.id == announcement.call.id);
        let rehash = |slot: &u32| at(slot).map_or(0, |e| stable_hash(&e.call.id));
        *self.by_call.entry(call_hash, same, rehash).or_insert(slot).get_mut() = slot;
        if let Some(ssrc) = announcement.ssrcs.first() {
            let same = |slot: &u32| at(slot).is_some_and(|e| e.ssrc == Some(*ssrc));
            let rehash = |slot: &u32| at(slot).map_or(0, |e| stable_hash(&e.ssrc.unwrap_or(0)));
            *self.by_ssrc.entry(stable_hash(ssrc), same, rehash).or_insert(slot).get_mut() = slot;
        }
    }

    /// The call's dialog ended: what it announced holds a little longer, then is forgotten.
    pub fn release(&mut self, call: RecordKey, end: Ts, watermark: Ts) {
        let mut slot = self.head_of_call(stable_hash(&call.id), call);
        while let Some(entry) = self.entries.get_mut(widen(slot)) {
            entry.until = end.plus(self.linger);
            slot = entry.next_of_call;
        }
        if self.head_of_call(stable_hash(&call.id), call) == NONE {
            return;
        }
        // What was evicted since leaves its place here; a burst of calls must not fill memory so.
        if self.leaving.len() > self.live.saturating_mul(2).saturating_add(1_024) {
            let mut leaving = std::mem::take(&mut self.leaving);
            leaving.retain(|(_, call)| self.head_of_call(stable_hash(&call.id), *call) != NONE);
            self.leaving = leaving;
        }
        self.leaving.push_back((end.min(watermark).plus(self.forget), call));
    }

    /// Forgets what is due at `watermark`.
    pub fn advance(&mut self, watermark: Ts) {
        while let Some((due, call)) = self.leaving.front().copied() {
            if due > watermark {
                return;
            }
            self.leaving.pop_front();
            self.forget_call(call);
        }
    }

    /// The call that a stream belongs to.
    pub fn bind(&self, stream: &StreamEnded) -> Option<Binding> {
        let key = &stream.key;
        if let Some(at_receiver) = self.best(key.dst, key.src, stream) {
            let sender = other(at_receiver.side);
            return Some(binding(at_receiver, sender));
        }
        if let Some(at_sender) = self.best(key.src, key.dst, stream) {
            return Some(binding(at_sender, at_sender.side));
        }
        let hash = stable_hash(&key.ssrc);
        let by_ssrc = |slot: &&Entry| slot.ssrc == Some(key.ssrc) && holds(slot, stream);
        let found = self.by_ssrc.find(hash, |slot| {
            self.entries.get(widen(*slot)).is_some_and(|entry| entry.ssrc == Some(key.ssrc))
        });
        let entry = found.and_then(|slot| self.entries.get(widen(*slot))).filter(by_ssrc)?;
        Some(binding(entry, entry.side))
    }

    /// The best announcement of `endpoint` for a stream that has `far` at its other end.
    fn best(&self, endpoint: Endpoint, far: Endpoint, stream: &StreamEnded) -> Option<&Entry> {
        let mut best: Option<(&Entry, Rank)> = None;
        let head = self.head_of_endpoint(stable_hash(&endpoint), endpoint);
        for entry in self.chain(head, |entry| entry.next_at_endpoint).take(LOOKED_AT) {
            if !holds(entry, stream) {
                continue;
            }
            let before = entry.ordinal <= stream.first_ordinal;
            let rank = Rank {
                both_ends: self.announced_by(entry.call, far),
                before,
                near: if before { entry.ordinal } else { u64::MAX - entry.ordinal },
                mline: !entry.candidate,
            };
            if best.as_ref().is_none_or(|(_, other)| rank > *other) {
                best = Some((entry, rank));
            }
        }
        best.map(|(entry, _)| entry)
    }

    fn announced_by(&self, call: RecordKey, endpoint: Endpoint) -> bool {
        let head = self.head_of_call(stable_hash(&call.id), call);
        let mut of_call = self.chain(head, |entry| entry.next_of_call).take(LOOKED_AT_OF_CALL);
        of_call.any(|entry| entry.endpoint == endpoint)
    }

    /// The entries from `head` on.
    fn chain(&self, head: u32, next: impl Fn(&Entry) -> u32) -> impl Iterator<Item = &Entry> {
        let first = self.entries.get(widen(head));
        std::iter::successors(first, move |entry| self.entries.get(widen(next(entry))))
    }

    fn head_of_endpoint(&self, hash: u64, endpoint: Endpoint) -> u32 {
        let same = |slot: &u32| {
            self.entries.get(widen(*slot)).is_some_and(|entry| entry.endpoint == endpoint)
        };
        self.by_endpoint.find(hash, same).copied().unwrap_or(NONE)
    }

    fn head_of_call(&self, hash: u64, call: RecordKey) -> u32 {
        let same = |slot: &u32| {
            self.entries.get(widen(*slot)).is_some_and(|entry| entry.call.id == call.id)
        };
        self.by_call.find(hash, same).copied().unwrap_or(NONE)
    }

    fn place(&mut self, entry: Entry) -> u32 {
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.entries.get_mut(widen(slot))
        {
            *place = entry;
            return slot;
        }
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact((self.entries.len() / 4).max(64));
        }
        self.entries.push(entry);
        length(self.entries.len() - 1)
    }

    fn evict_oldest(&mut self) {
        while let Some((slot, ordinal)) = self.arrival.pop_front() {
            let entry = self.entries.get(widen(slot));
            let Some(entry) = entry.filter(|entry| entry.live && entry.ordinal == ordinal) else {
                continue;
            };
            let call = entry.call;
            let before = self.live;
            self.forget_call(call);
            self.evicted += u64::try_from(before - self.live).unwrap_or(u64::MAX);
            return;
        }
    }

    fn forget_call(&mut self, call: RecordKey) {
        let hash = stable_hash(&call.id);
        let mut slot = self.head_of_call(hash, call);
        let entries = &self.entries;
        let same = |slot: &u32| entries.get(widen(*slot)).is_some_and(|e| e.call.id == call.id);
        if let Ok(head) = self.by_call.find_entry(hash, same) {
            head.remove();
        }
        while let Some(entry) = self.entries.get(widen(slot)) {
            let next = entry.next_of_call;
            self.unlink(slot);
            slot = next;
        }
        while let Some((slot, ordinal)) = self.arrival.front().copied() {
            let entry = self.entries.get(widen(slot));
            if entry.is_some_and(|entry| entry.live && entry.ordinal == ordinal) {
                break;
            }
            self.arrival.pop_front();
        }
    }

    /// Takes an entry out of the chains of its address and SSRC, and frees it.
    fn unlink(&mut self, slot: u32) {
        let Some(entry) = self.entries.get(widen(slot)) else { return };
        let (endpoint, next, ssrc) = (entry.endpoint, entry.next_at_endpoint, entry.ssrc);
        let before = entry.before_at_endpoint;
        let hash = stable_hash(&endpoint);
        if let Some(next) = self.entries.get_mut(widen(next)) {
            next.before_at_endpoint = before;
        }
        if before == NONE {
            let entries = &self.entries;
            let same = |at: &u32| entries.get(widen(*at)).is_some_and(|e| e.endpoint == endpoint);
            if let Ok(mut head) = self.by_endpoint.find_entry(hash, same) {
                if next == NONE {
                    head.remove();
                } else {
                    *head.get_mut() = next;
                }
            }
        } else if let Some(before) = self.entries.get_mut(widen(before)) {
            before.next_at_endpoint = next;
        }
        if let Some(ssrc) = ssrc
            && let Ok(head) = self.by_ssrc.find_entry(stable_hash(&ssrc), |at| *at == slot)
        {
            head.remove();
        }
        if let Some(entry) = self.entries.get_mut(widen(slot)) {
            entry.live = false;
            entry.ssrc = None;
            entry.next_of_call = NONE;
            entry.next_at_endpoint = NONE;
            entry.before_at_endpoint = NONE;
            entry.endpoint = Endpoint::default();
        }
        self.live = self.live.saturating_sub(1);
        self.free.push(slot);
    }
}

/// Better is greater.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    both_ends: bool,
    before: bool,
    near: u64,
    mline: bool,
}

/// Whether the stream's first packet falls into the time that the announcement holds.
fn holds(entry: &Entry, stream: &StreamEnded) -> bool {
    entry.live && entry.at.minus(BEFORE) <= stream.first && stream.first <= entry.until
}

fn binding(entry: &Entry, sender: Side) -> Binding {
    Binding { call: entry.call, sender, media: Arc::clone(&entry.media) }
}

fn other(side: Side) -> Side {
    match side {
        Side::Caller => Side::Callee,
        Side::Callee => Side::Caller,
    }
}

fn widen(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}
