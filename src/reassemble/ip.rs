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
//! A fragment cut by the snap length counts with its whole length, so that its datagram becomes
//! whole; the octets of the datagram end where the first cut is.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::purse::Purse;
use crate::decode::{Decoded, Fragment, FragmentKey, Joined, Network, transport};
use crate::model::addr::{STABLE, stable_hash};
use crate::model::frame::FrameId;
use crate::model::time::{Span, Ts};

/// The name under which datagrams given up before their time are counted.
pub const TABLE: &str = "ip_datagrams";

/// The longest datagram: 16 bits of length.
const MAX_DATAGRAM: u32 = 65_535;
/// What one waiting datagram costs besides its octets and pieces.
const OVERHEAD: u64 = 256;
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
    /// Fragments that were another sighting of one seen before.
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
        let joined = Joined { frames: self.frames, overlap: self.overlap };
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

/// A datagram that is not whole.
#[derive(Debug, Default)]
struct Waiting {
    born: u64,
    deadline: Ts,
    first: FrameId,
    network: Network,
    frames: u32,
    overlap: bool,
    /// Its length, once the last fragment came.
    total: Option<u32>,
    /// Octets of it that pieces cover.
    covered: u32,
    /// In order of their offset, none overlapping another.
    pieces: Vec<Piece>,
    data: Vec<u8>,
    taken: u64,
}

/// Octets `offset..offset + wire` of a datagram; the first `len` of them are `data[at..]`.
#[derive(Copy, Clone, Debug)]
struct Piece {
    offset: u32,
    wire: u32,
    at: u32,
    len: u32,
}

impl Piece {
    fn end(&self) -> u32 {
        self.offset.saturating_add(self.wire)
    }
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
            self.counters.duplicates = self.counters.duplicates.saturating_add(1);
            return Pushed::Duplicate;
        }
        let Some(new) = Placed::new(fragment, data) else {
            self.give_up(1);
            return Pushed::Waits;
        };
        if !self.make_room(&fragment.key, new.cost()) {
            self.give_up(1);
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
            self.counters.duplicates = self.counters.duplicates.saturating_add(1);
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
        for piece in &entry.pieces {
            self.joined.extend_from_slice(entry.octets(piece));
            if piece.len < piece.wire {
                break;
            }
        }
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

/// A fragment's data with its place checked.
struct Placed<'a> {
    offset: u32,
    /// Octets on the wire.
    wire: u32,
    data: &'a [u8],
    last: bool,
}

impl<'a> Placed<'a> {
    /// `None` when the fragment brings nothing: it is empty, or points beyond 64 KiB.
    fn new(fragment: &Fragment, data: &'a [u8]) -> Option<Self> {
        // All but the last carry multiples of 8 octets; receivers ignore the rest.
        let wire = if fragment.more { fragment.wire_len & !7 } else { fragment.wire_len };
        let end = fragment.offset.checked_add(wire)?;
        if wire == 0 || end > MAX_DATAGRAM {
            return None;
        }
        let data = data.get(..usize::try_from(wire).ok()?).unwrap_or(data);
        Some(Self { offset: fragment.offset, wire, data, last: !fragment.more })
    }

    /// What keeping it may cost: its octets, its piece, and a datagram's overhead.
    ///
    /// The overhead is paid per fragment: it covers the growth of both vectors, too.
    fn cost(&self) -> u64 {
        u64::try_from(self.data.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(2)
            .saturating_add(OVERHEAD)
    }

    fn end(&self) -> u32 {
        self.offset.saturating_add(self.wire)
    }

    /// The data at `from..to` of the datagram, as far as it is present.
    fn part(&self, from: u32, to: u32) -> &'a [u8] {
        let index = |at: u32| {
            let at = usize::try_from(at.saturating_sub(self.offset)).unwrap_or(usize::MAX);
            at.min(self.data.len())
        };
        self.data.get(index(from)..index(to)).unwrap_or_default()
    }
}

impl Waiting {
    /// Counts a fragment, just covered; `false` when it brought nothing new and does not disagree.
    fn count(&mut self, new: &Placed<'_>, fragment: &Fragment, grown: bool) -> bool {
        let mut differs = self.disagrees(new, grown);
        let ends = new.last && self.total.is_none();
        if new.last {
            // The first last fragment says how long the datagram is.
            differs |= self.total.is_some_and(|total| total != new.end());
            self.total.get_or_insert(new.end());
        }
        if fragment.offset == 0 && grown {
            self.network = fragment.network;
        }
        self.overlap |= differs;
        let counts = grown || differs || ends;
        self.frames = self.frames.saturating_add(u32::from(counts));
        counts
    }

    /// Keeps the octets of a fragment that no other brought; `true` if there were any.
    fn cover(&mut self, new: &Placed<'_>) -> bool {
        let mut at = self.pieces.partition_point(|piece| piece.end() <= new.offset);
        let mut from = new.offset;
        let mut grown = false;
        while from < new.end() {
            let next = self.pieces.get(at).copied();
            let to = next.map_or(new.end(), |next| next.offset.min(new.end()));
            if from < to {
                self.insert(at, from, to.saturating_sub(from), new.part(from, to));
                grown = true;
                at = at.saturating_add(1);
            }
            from = next.map_or(to, |next| next.end().max(to));
            at = at.saturating_add(1);
        }
        grown
    }

    fn insert(&mut self, at: usize, offset: u32, wire: u32, octets: &[u8]) {
        let len = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        let end = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        self.data.extend_from_slice(octets);
        self.covered = self.covered.saturating_add(wire);
        let piece = Piece { offset, wire, at: end, len };
        self.pieces.insert(at.min(self.pieces.len()), piece);
    }

    /// Whether a fragment, just covered, has other octets somewhere than the ones kept.
    fn disagrees(&self, new: &Placed<'_>, grown: bool) -> bool {
        let begin = self.pieces.partition_point(|piece| piece.end() <= new.offset);
        let touched = self.pieces.iter().skip(begin).take_while(|p| p.offset < new.end());
        // Alone, it was only copied.
        if grown && touched.clone().count() == 1 {
            return false;
        }
        touched.into_iter().any(|piece| {
            let (from, to) = (piece.offset.max(new.offset), piece.end().min(new.end()));
            let skip = usize::try_from(from.saturating_sub(piece.offset)).unwrap_or(usize::MAX);
            let kept = self.octets(piece).get(skip..).unwrap_or_default();
            kept.iter().zip(new.part(from, to)).any(|(kept, other)| kept != other)
        })
    }

    /// The octets present of a piece.
    fn octets(&self, piece: &Piece) -> &[u8] {
        let at = usize::try_from(piece.at).unwrap_or(usize::MAX);
        let len = usize::try_from(piece.len).unwrap_or(usize::MAX);
        self.data.get(at..).and_then(|rest| rest.get(..len)).unwrap_or_default()
    }

    /// Every octet from the beginning to the length was brought.
    fn is_whole(&self) -> bool {
        // Pieces do not overlap, so covering as much as the length is covering all of it, unless
        // some lie beyond.
        self.total.is_some_and(|total| {
            self.covered == total && self.pieces.last().is_some_and(|last| last.end() == total)
        })
    }
}

/// Where a whole datagram is remembered.
fn place(key: &FragmentKey) -> usize {
    usize::try_from(stable_hash(key) % 256).unwrap_or_default()
}

#[cfg(test)]
mod tests;
