//! Which call a media stream belongs to.
//!
//! SDP announces where media is expected; a stream is bound when it ends, by its addresses and
//! times. An announcement holds from a few seconds before its frame (packets overtake signalling)
//! to the end of its dialog and a little more. Among the announcers of an address, in this order:
//! one whose call also announced where the stream comes from; the latest one not after the
//! stream's first packet, else the earliest after it; of m-lines bundled at one address (RFC 9143)
//! the one with the stream's SSRC or payload type; the address of an m-line before an ICE candidate.
//! A stream through a TURN relay is looked for by its addresses outside of it. Where nobody announced the destination, the sender's own address counts (symmetric
//! RTP, a peer behind NAT), then `a=ssrc`.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::addr::{Endpoint, stable_hash};
use crate::model::fetch;
use crate::model::frame::FrameId;
use crate::model::id::{RecordId, RecordKey};
use crate::model::record::Side;
use crate::model::stream::StreamEnded;
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

use super::index::Index;
use super::outbox::MediaDescription;
use super::view::hash_on;

mod asides;
mod life;
mod lookup;
mod waiting;

use self::asides::Asides;
pub use self::asides::Circumstances;
pub use self::lookup::{Announced, Greeting, Place};
use self::waiting::Waiting;

/// Name of the table in `evicted`.
pub const TABLE: &str = "announcements";

/// Octets of one announcement with its places in three indices and in the order of arrival.
pub const ENTRY: usize = size_of::<Entry>() + size_of::<(u32, u64)>() + 3 * Index::ENTRY;

/// How much earlier than its announcement a stream may begin.
const BEFORE: Span = Span::from_secs(5);

/// Announcements of one address, and of one call, that are looked at for one stream: the newest
/// ones. A load generator announces one address for every call.
const LOOKED_AT: usize = 4_096;
const LOOKED_AT_OF_CALL: usize = 64;

/// No entry: the end of a chain.
const NONE: u32 = u32::MAX;

/// The bits of [`Entry::place`].
const MLINE: u8 = 0x1f;
/// An entry that holds an announcement.
const LIVE: u8 = 0x20;
const HAS_SSRC: u8 = 0x40;
/// An ICE candidate.
const CANDIDATE: u8 = 0x80;

/// What a stream was bound to.
#[derive(Clone, Debug)]
pub struct Binding<'a> {
    /// The call.
    pub call: RecordKey,
    /// Who sends the stream.
    pub sender: Side,
    /// The call announced an address of the sender's host.
    pub known_sender: bool,
    /// The call announced the receiver's address.
    pub known_receiver: bool,
    /// When the call's dialog ended, if it has.
    pub ended: Option<Ts>,
    /// The stream began before its call was answered.
    pub early: bool,
    /// When the call was answered, if it was, to 10 ms.
    pub answered: Option<Ts>,
    /// What its call says of its media as a whole.
    pub circumstances: Circumstances,
    /// The m-line as the receiver described it; as the sender did where the receiver is unknown.
    pub media: &'a MediaDescription,
}

/// One announcement: in the chain of its address, the newest first, and in the ring of its call,
/// the oldest after the newest.
#[derive(Debug)]
struct Entry {
    at: Ts,
    until: Ts,
    ordinal: u64,
    media: Arc<MediaDescription>,
    /// The call, whose key would take more room in one piece.
    call: RecordId,
    frame: u64,
    source: u16,
    endpoint: Endpoint,
    /// The first `a=ssrc`, if there is one.
    ssrc: u32,
    next_at_endpoint: u32,
    before_at_endpoint: u32,
    next_of_call: u32,
    /// When the call was answered, 10 ms each from `at`: see [`life`].
    answered: i16,
    side: Side,
    /// The number of the m-line, up to 31, and the three bits below.
    place: u8,
}

impl Entry {
    fn ssrc(&self) -> Option<u32> {
        (self.place & HAS_SSRC != 0).then_some(self.ssrc)
    }

    const fn is_live(&self) -> bool {
        self.place & LIVE != 0
    }

    const fn mline(&self) -> u8 {
        self.place & MLINE
    }

    const fn call(&self) -> RecordKey {
        let first = FrameId { source: self.source, number: self.frame };
        RecordKey { first, id: self.call }
    }
}

/// The announcements of live and recently ended calls.
#[derive(Debug)]
pub struct MediaBinder {
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// What was said of announcements and is not in the tables yet.
    waiting: Vec<Waiting>,
    /// What few calls say besides.
    asides: Asides,
    /// The newest entry of each address, of each call, of each announced SSRC.
    by_endpoint: Index,
    by_call: Index,
    by_ssrc: Index,
    /// Calls that ended, with the time at which their announcements go.
    leaving: VecDeque<(Ts, RecordId)>,
    /// How many of the first of these have been looked at ahead.
    looked_at: usize,
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
            waiting: Vec::new(),
            asides: Asides::default(),
            by_endpoint: Index::default(),
            by_call: Index::default(),
            by_ssrc: Index::default(),
            leaving: VecDeque::new(),
            looked_at: 0,
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

    /// Asks for where the announcement of an ended stream is looked for; its hash there.
    pub fn fetch_index(&self, stream: &StreamEnded) -> u64 {
        let hash = hash_of_endpoint(stream.ends().1);
        self.by_endpoint.fetch(hash);
        hash
    }

    /// Asks for what is probably that announcement.
    pub fn fetch(&self, hash: u64) {
        if let Some(slot) = self.by_endpoint.find(hash, |_| true) {
            self.fetch_entry(slot);
        }
    }

    /// Asks for an announcement.
    fn fetch_entry(&self, slot: u32) {
        if let Some(entry) = self.entries.get(widen(slot)) {
            fetch::line_of(&entry.ordinal);
            fetch::line_of(&entry.next_of_call);
        }
    }

    /// The call that a stream belongs to, once all announcements are in place.
    pub fn bind(&self, stream: &StreamEnded) -> Option<Binding<'_>> {
        let key = &stream.key;
        if let Some(bound) = self.bind_ends(stream.ends(), stream) {
            return Some(bound);
        }
        // The client may announce its own address beside the relayed one.
        if stream.relay.is_some()
            && let Some(bound) = self.bind_ends((key.src, key.dst), stream)
        {
            return Some(bound);
        }
        let found = self.by_ssrc.find(stable_hash(&key.ssrc), |slot| {
            self.entries.get(widen(slot)).is_some_and(|entry| entry.ssrc() == Some(key.ssrc))
        });
        let entry = self.entries.get(widen(found?)).filter(|entry| holds(entry, stream))?;
        let (src, dst) = stream.ends();
        let known = (self.names_host(entry, src), self.names_host(entry, dst));
        Some(self.binding(entry, entry.side, known, stream))
    }

    fn bind_ends(&self, ends: (Endpoint, Endpoint), stream: &StreamEnded) -> Option<Binding<'_>> {
        let (src, dst) = ends;
        if let Some(at_receiver) = self.best(dst, src, stream) {
            let known = (self.names_host(at_receiver, src), true);
            return Some(self.binding(at_receiver, other(at_receiver.side), known, stream));
        }
        let at_sender = self.best(src, dst, stream)?;
        let known = (true, self.names_host(at_sender, dst));
        Some(self.binding(at_sender, at_sender.side, known, stream))
    }

    /// The best announcement of `endpoint` for a stream that has `far` at its other end.
    fn best(&self, endpoint: Endpoint, far: Endpoint, stream: &StreamEnded) -> Option<&Entry> {
        let mut best: Option<(&Entry, Rank)> = None;
        let newest = self.newest_at(endpoint);
        let mut next = newest.and_then(|slot| self.entries.get(widen(slot)));
        for _ in 0..LOOKED_AT {
            let Some(entry) = next else { break };
            next = self.entries.get(widen(entry.next_at_endpoint));
            if !holds(entry, stream) {
                continue;
            }
            // Nearly always one announcement holds.
            if best.is_none() && next.is_none() {
                return Some(entry);
            }
            let before = entry.ordinal <= stream.first_ordinal;
            let rank = Rank {
                both_ends: self.announced_by_call_of(entry, far),
                before,
                near: if before { entry.ordinal } else { u64::MAX - entry.ordinal },
            };
            let better = best.as_ref().is_none_or(|(other, than)| match rank.cmp(than) {
                Ordering::Equal => self.fits(entry, stream) > self.fits(other, stream),
                order => order == Ordering::Greater,
            });
            if better {
                best = Some((entry, rank));
            }
        }
        best.map(|(entry, _)| entry)
    }

    /// How well a stream fits one of several m-lines that share an address (RFC 9143 §9.2): its SSRC
    /// is that of the sender's m-line of this number, its payload type is listed here, the address
    /// is that of an m-line rather than a candidate. Greater is better.
    fn fits(&self, entry: &Entry, stream: &StreamEnded) -> (bool, bool, bool) {
        let ssrc = stream.key.ssrc;
        let of_sender = self.by_ssrc.find(stable_hash(&ssrc), |slot| {
            self.entries.get(widen(slot)).is_some_and(|entry| entry.ssrc() == Some(ssrc))
        });
        let of_sender = of_sender.and_then(|slot| self.entries.get(widen(slot)));
        let named =
            of_sender.is_some_and(|of| of.call == entry.call && of.mline() == entry.mline());
        let main = stream.main_payload_type();
        let listed = entry.media.codecs.iter().any(|(payload_type, ..)| *payload_type == main);
        (named, listed, entry.place & CANDIDATE == 0)
    }

    /// Whether the call of this announcement announced `endpoint`, in this one or in the next few
    /// of its ring.
    fn announced_by_call_of(&self, first: &Entry, endpoint: Endpoint) -> bool {
        self.ring(first).any(|entry| entry.endpoint == endpoint)
    }

    fn newest_at(&self, endpoint: Endpoint) -> Option<u32> {
        self.by_endpoint.find(hash_of_endpoint(endpoint), |slot| {
            self.entries.get(widen(slot)).is_some_and(|entry| entry.endpoint == endpoint)
        })
    }

    fn newest_of_call(&self, call: RecordId) -> Option<u32> {
        self.by_call.find(stable_hash(&call), |slot| {
            self.entries.get(widen(slot)).is_some_and(|entry| entry.call == call)
        })
    }

    fn evict_oldest(&mut self) {
        while let Some((slot, ordinal)) = self.arrival.pop_front() {
            let entry = self.entries.get(widen(slot));
            let Some(entry) = entry.filter(|entry| entry.is_live() && entry.ordinal == ordinal)
            else {
                continue;
            };
            let call = entry.call;
            let before = self.live;
            self.forget_call(call);
            self.evicted += u64::try_from(before - self.live).unwrap_or(u64::MAX);
            return;
        }
    }

    fn forget_call(&mut self, call: RecordId) {
        self.asides.forget(call);
        let entries = &self.entries;
        let same = |slot: u32| entries.get(widen(slot)).is_some_and(|entry| entry.call == call);
        let newest = self.by_call.take(stable_hash(&call), same);
        let mut next = newest;
        while let Some(slot) = next {
            next = self.unlink(slot).filter(|&next| Some(next) != newest);
        }
        while let Some((slot, ordinal)) = self.arrival.front().copied() {
            let entry = self.entries.get(widen(slot));
            if entry.is_some_and(|entry| entry.is_live() && entry.ordinal == ordinal) {
                break;
            }
            self.arrival.pop_front();
        }
    }

    /// Takes an entry out of the chain of its address and from its SSRC, frees it, and returns the
    /// next one of its call.
    fn unlink(&mut self, slot: u32) -> Option<u32> {
        let entry = self.entries.get_mut(widen(slot)).filter(|entry| entry.is_live())?;
        entry.place &= !LIVE;
        let (endpoint, ssrc, of_call) = (entry.endpoint, entry.ssrc(), entry.next_of_call);
        let (before, next) = (entry.before_at_endpoint, entry.next_at_endpoint);
        if let Some(next) = self.entries.get_mut(widen(next)) {
            next.before_at_endpoint = before;
        }
        if let Some(before) = self.entries.get_mut(widen(before)) {
            before.next_at_endpoint = next;
        } else {
            let next = Some(next).filter(|&next| next != NONE);
            self.by_endpoint.replace(hash_of_endpoint(endpoint), slot, next);
        }
        if let Some(ssrc) = ssrc {
            self.by_ssrc.replace(stable_hash(&ssrc), slot, None);
        }
        self.live = self.live.saturating_sub(1);
        self.free.push(slot);
        Some(of_call)
    }
}

/// Better is greater.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    both_ends: bool,
    before: bool,
    near: u64,
}

/// Whether the stream's first packet falls into the time that the announcement holds.
fn holds(entry: &Entry, stream: &StreamEnded) -> bool {
    entry.is_live() && entry.at.minus(BEFORE) <= stream.first && stream.first <= entry.until
}

fn other(side: Side) -> Side {
    match side {
        Side::Caller => Side::Callee,
        Side::Callee => Side::Caller,
    }
}

fn hash_of_endpoint(endpoint: Endpoint) -> u64 {
    hash_on(u64::from(endpoint.port), endpoint.addr.octets())
}

fn widen(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}
