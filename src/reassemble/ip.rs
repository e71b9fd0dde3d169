//! IP fragments to datagrams, RFC 791 §3.2 and RFC 8200 §4.5.
//!
//! Any order, duplicates, overlaps (the first octets seen stay; RFC 5722 would throw the datagram
//! away, and with it what the receiver may have read). A datagram waits 30 s of watermark time
//! from its first fragment; a full table or an empty purse gives up the oldest. Frames joined are
//! booked under their datagram, frames given up as `fragment-incomplete`.
//!
//! A fragment that brings nothing new, with the same octets, is another sighting, as is one that
//! comes within 5 ms after its datagram was whole: both directions of a mirror.
//!
//! Fragments inside a tunnel are joined with those of the same tunnel only; where the tunnel's own
//! packets are fragments, those are joined first, and what comes out may be a fragment again.
//!
//! A fragment cut by the snap length counts with its whole length, so that its datagram becomes
//! whole; the octets of the datagram end where the first cut is.

mod waiting;

use std::collections::VecDeque;

use hashbrown::HashMap;

use self::waiting::{Piece, Placed, Waiting};
use super::purse::Purse;
use crate::decode::{Decoded, Fragment, FragmentKey, Joined, Network, transport};
use crate::model::addr::{STABLE, stable_hash};
use crate::model::frame::FrameId;
use crate::model::time::{Span, Ts};

/// The name under which datagrams given up before their time are counted.
pub const TABLE: &str = "ip_datagrams";

/// Datagrams remembered after they were whole.
const REMEMBERED: usize = 256;
/// How long after that another sighting of a fragment may come.
const SIGHTING: Span = Span::from_millis(5);
/// Buffers kept for the next datagrams.
const SPARE: usize = 16;
/// The largest buffer worth keeping.
const SPARE_OCTETS: usize = 8 * 1024;
/// The most pieces worth keeping room for.
const SPARE_PIECES: usize = 64;

/// How much may wait.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Datagrams that may wait.
    pub datagrams: usize,
    /// Octets they may take together, overhead included.
    pub octets: u64,
    /// How long a datagram waits, from its first fragment.
    pub timeout: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self { datagrams: 4096, octets: 16 << 20, timeout: Span::from_secs(30) }
    }
}

/// What happened so far.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Fragments seen, sightings included.
    pub fragments: u64,
    /// Datagrams made whole.
    pub datagrams: u64,
    /// Datagrams in which fragments disagreed.
    pub overlaps: u64,
    /// Frames whose fragment was another sighting of one seen before.
    pub duplicates: u64,
    /// Frames whose datagram never became whole.
    pub incomplete: u64,
    /// Datagrams that never became whole because their time was up or the capture ended.
    pub timed_out: u64,
}

/// What became of one fragment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pushed<'a> {
    /// It waits; its frame is booked when its datagram is whole or given up.
    Waits,
    /// It was seen before: its frame is a duplicate.
    Duplicate,
    /// It made a datagram whole.
    Whole(Datagram<'a>),
}

/// A datagram joined from fragments.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Its headers, as its first fragment (offset 0) has them.
    pub network: Network,
    /// Its data from the beginning to its end or to the first octet that was not captured.
    pub octets: &'a [u8],
    /// Octets of its data on the wire.
    pub wire_len: u32,
    /// Frames it was joined from.
    pub frames: u32,
    /// Fragments overlapped with different octets; the first ones seen were kept.
    pub overlap: bool,
    /// The first of its frames to come.
    pub first: FrameId,
}

impl Datagram<'_> {
    /// The packet in the datagram; its offsets count from the beginning of `octets`.
    pub fn decode(&self) -> Decoded {
        let joined = Joined { frames: self.frames, overlap: self.overlap, tunnel: false };
        transport(&self.network, joined, self.octets, self.wire_len)
    }
}

/// Fragments of many datagrams, waiting for each other.
#[derive(Debug)]
pub struct IpReassembler {
    limits: Limits,
    purse: Purse,
    waiting: HashMap<FragmentKey, Waiting, foldhash::quality::FixedState>,
    /// Every waiting datagram in the order of its first fragment, and some no longer waiting.
    order: VecDeque<(FragmentKey, u64)>,
    born: u64,
    whole: Vec<Option<(FragmentKey, Ts)>>,
    joined: Vec<u8>,
    spare: Vec<(Vec<u8>, Vec<Piece>)>,
    counters: Counters,
    given_up: u64,
}

impl Default for IpReassembler {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl IpReassembler {
    /// An empty table.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            purse: Purse::new(limits.octets),
            waiting: HashMap::with_hasher(STABLE),
            order: VecDeque::new(),
            born: 0,
            whole: vec![None; REMEMBERED],
            joined: Vec::new(),
            spare: Vec::new(),
            counters: Counters::default(),
            given_up: 0,
        }
    }

    /// What happened so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Memory in use and what was evicted for lack of it.
    pub const fn purse(&self) -> &Purse {
        &self.purse
    }

    /// Takes one fragment of the frame `frame`; `data` is [`Fragment::data`] of it.
    ///
    /// Frames given up on the way are in the next answer of [`Self::advance`].
    pub fn push(
        &mut self,
        fragment: &Fragment,
        data: &[u8],
        frame: FrameId,
        watermark: Ts,
    ) -> Pushed<'_> {
        self.counters.fragments = self.counters.fragments.saturating_add(1);
        self.sweep(watermark);
        if self.seen_whole(&fragment.key, watermark) {
            self.duplicate(fragment);
            return Pushed::Duplicate;
        }
        let Some(new) = Placed::new(fragment, data) else {
            self.give_up(fragment.frames);
            return Pushed::Waits;
        };
        if !self.make_room(&fragment.key, new.cost()) {
            self.give_up(fragment.frames);
            return Pushed::Waits;
        }
        let entry = self.waiting.entry(fragment.key).or_insert_with(|| {
            self.born = self.born.saturating_add(1);
            self.order.push_back((fragment.key, self.born));
            let (data, pieces) = self.spare.pop().unwrap_or_default();
            let deadline = watermark.plus(self.limits.timeout);
            let network = fragment.network;
            Waiting {
                born: self.born,
                deadline,
                first: frame,
                network,
                data,
                pieces,
                ..Waiting::default()
            }
        });
        let grown = entry.cover(&new);
        // There is room: it was made above.
        if grown && self.purse.take(new.cost()) {
            entry.taken = entry.taken.saturating_add(new.cost());
        }
        if !entry.count(&new, fragment, grown) {
            self.duplicate(fragment);
            return Pushed::Duplicate;
        }
        if !entry.is_whole() {
            return Pushed::Waits;
        }
        let Some(entry) = self.waiting.remove(&fragment.key) else { return Pushed::Waits };
        self.remember(fragment.key, watermark);
        Pushed::Whole(self.join(entry))
    }

    /// Gives up what waited too long; the number of frames given up since the last answer.
    pub fn advance(&mut self, watermark: Ts) -> u64 {
        self.sweep(watermark);
        std::mem::take(&mut self.given_up)
    }

    /// Gives up everything; the number of frames given up since the last answer.
    pub fn finish(&mut self) -> u64 {
        self.advance(Ts::MAX)
    }

    /// The octets and headers of a datagram that is whole.
    fn join(&mut self, entry: Waiting) -> Datagram<'_> {
        self.joined.clear();
        entry.copy_to(&mut self.joined);
        self.counters.datagrams = self.counters.datagrams.saturating_add(1);
        self.counters.overlaps = self.counters.overlaps.saturating_add(u64::from(entry.overlap));
        let Waiting { network, frames, overlap, first, covered, .. } = entry;
        self.purse.give(entry.taken);
        self.recycle(entry.data, entry.pieces);
        Datagram { network, octets: &self.joined, wire_len: covered, frames, overlap, first }
    }

    /// Makes room for a fragment: in the table, if it begins a datagram, and in the purse.
    fn make_room(&mut self, key: &FragmentKey, cost: u64) -> bool {
        if self.limits.datagrams == 0 || cost > self.purse.limit() {
            return false;
        }
        while self.waiting.len() >= self.limits.datagrams && !self.waiting.contains_key(key) {
            self.evict();
        }
        while self.purse.limit().saturating_sub(self.purse.used()) < cost {
            self.evict();
        }
        true
    }

    /// Gives up the oldest datagram.
    fn evict(&mut self) {
        while let Some((key, born)) = self.order.pop_front() {
            if self.remove(&key, born) {
                self.purse.evict(TABLE, 1);
                return;
            }
        }
    }

    /// Gives up every datagram whose time is up.
    fn sweep(&mut self, watermark: Ts) {
        while let Some(&(key, born)) = self.order.front() {
            match self.waiting.get(&key).filter(|entry| entry.born == born) {
                Some(entry) if entry.deadline > watermark => return,
                waits => {
                    let timed_out = u64::from(waits.is_some());
                    self.counters.timed_out = self.counters.timed_out.saturating_add(timed_out);
                    self.remove(&key, born);
                    self.order.pop_front();
                }
            }
        }
    }

    /// Gives up a datagram, if it still waits.
    fn remove(&mut self, key: &FragmentKey, born: u64) -> bool {
        if self.waiting.get(key).is_none_or(|entry| entry.born != born) {
            return false;
        }
        let Some(entry) = self.waiting.remove(key) else { return false };
        self.purse.give(entry.taken);
        self.give_up(entry.frames);
        self.recycle(entry.data, entry.pieces);
        true
    }

    fn duplicate(&mut self, fragment: &Fragment) {
        let frames = u64::from(fragment.frames);
        self.counters.duplicates = self.counters.duplicates.saturating_add(frames);
    }

    fn give_up(&mut self, frames: u32) {
        self.given_up = self.given_up.saturating_add(u64::from(frames));
        self.counters.incomplete = self.counters.incomplete.saturating_add(u64::from(frames));
    }

    fn recycle(&mut self, mut data: Vec<u8>, mut pieces: Vec<Piece>) {
        let small = data.capacity() <= SPARE_OCTETS && pieces.capacity() <= SPARE_PIECES;
        if self.spare.len() < SPARE && small {
            data.clear();
            pieces.clear();
            self.spare.push((data, pieces));
        }
        // Datagrams that became whole leave their place in the queue; it must not outgrow them.
        if self.order.len() > self.waiting.len().saturating_mul(2).saturating_add(64) {
            let waiting = &self.waiting;
            self.order.retain(|(key, born)| waiting.get(key).is_some_and(|w| w.born == *born));
        }
    }

    /// Whether the datagram was whole a moment ago.
    fn seen_whole(&self, key: &FragmentKey, watermark: Ts) -> bool {
        self.whole
            .get(place(key))
            .and_then(Option::as_ref)
            .is_some_and(|(whole, at)| whole == key && watermark.since(*at) <= SIGHTING)
    }

    fn remember(&mut self, key: FragmentKey, watermark: Ts) {
        if let Some(slot) = self.whole.get_mut(place(&key)) {
            *slot = Some((key, watermark));
        }
    }
}

/// Where a whole datagram is remembered.
fn place(key: &FragmentKey) -> usize {
    usize::try_from(stable_hash(key) % 256).unwrap_or_default()
}

#[cfg(test)]
mod tests;
