//! The dispatcher: frames of all sources in one order, decoded, joined, and sent to their cells.
//!
//! It gives each frame its ordinal and the watermark, books the frames that go no further, and
//! cuts epochs. What it does per packet is kept to the minimum that the choice of a cell needs.

use overhear_parsers::sip;

use std::sync::Arc;

use crate::capture::{Live, Merge, MergedBatch};
use crate::decode::{self, Packet};
use crate::dissect::tls_open::keys::Keys;
use crate::model::addr::{Proto, STABLE};
use crate::model::evidence::FrameRef;
use crate::model::fact::{Body, EpochFacts, Fact, FactKey, length};
use crate::model::frame::{FrameId, RawFrame};
use crate::model::tally::Skipped;
use crate::model::time::{Span, Ts};
use crate::policy::{Limits, Policy, limits::CELLS};
use crate::reassemble::ip::{self, IpReassembler};
use crate::track::cell::Totals;
use crate::track::input::Input;

use super::Cut;
use super::batch::{BATCH, Batch, End, FEW, JOINED};
use super::secrets::Blocks;
use past::Past;

use std::hash::{BuildHasher, Hasher};

mod fragments;
mod past;
mod secrets;

/// Frames from which on the streams that are open at the end are ended step by step.
const MANY: u64 = 8_192;

/// By how much the watermark rises at least while no packets come.
const QUIET: Span = Span::from_secs(1);

/// Where full batches go.
pub trait Lanes {
    /// Takes `batch`, which is for lane `lane`, and leaves an empty one in its place.
    fn send(&mut self, lane: usize, batch: &mut Batch);
    /// Takes the dispatcher's own facts of the epoch that just ended, and leaves an empty one.
    fn end_epoch(&mut self, facts: &mut EpochFacts, watermark: Ts);
}

/// Reads, orders, decodes and hands out.
#[derive(Debug)]
pub struct Dispatcher {
    merge: Merge,
    secrets: Blocks,
    fragments: IpReassembler,
    batches: Vec<Batch>,
    /// Which of them each cell's packets join: a look-up costs less than the division.
    lanes: [u8; CELLS],
    /// Where the current merged batch's backings are in each lane's batch.
    placed: Vec<Vec<Option<u16>>>,
    /// Packets that are read, and handed over, at once.
    together: usize,
    cut: Cut,
    backward: Span,
    facts: EpochFacts,
    totals: Totals,
    watermark: Ts,
    /// When so many frames had come.
    past: Past,
    /// Silence after which a stream has ended.
    idle: Span,
    /// Frames read, and with it the number of the last one.
    ordinal: u64,
    octets: u64,
    /// Last capture time of each source.
    last: Vec<Ts>,
    /// The number of the last frame of the epoch before.
    epoch_began: u64,
    /// As many frames and octets read end the epoch.
    epoch_ends: (u64, u64),
}

/// A frame's place, as everything made from it carries it.
#[derive(Copy, Clone)]
struct Place {
    frame: FrameId,
    ts: Ts,
    wire_len: u32,
    interface: u32,
    merged_backing: u16,
}

impl Dispatcher {
    /// A dispatcher for `lanes` lanes.
    pub fn new(merge: Merge, lanes: usize, cut: Cut, policy: &Policy, keys: &Keys) -> Self {
        let sources = merge.facts().count();
        let secrets = Blocks::new(&merge, keys, policy.limits.keylog_sessions);
        let fragments = fragments(&policy.limits);
        Self {
            merge,
            secrets,
            fragments,
            batches: (0..lanes).map(|_| Batch::default()).collect(),
            lanes: std::array::from_fn(|cell| {
                u8::try_from(cell % lanes.clamp(1, CELLS)).unwrap_or_default()
            }),
            placed: vec![Vec::new(); lanes],
            together: if lanes == 1 { FEW } else { BATCH },
            cut,
            backward: Span::from_millis(policy.thresholds.time_backward_ms),
            facts: EpochFacts::default(),
            totals: Totals::default(),
            watermark: Ts::MIN,
            past: Past::new(policy.limits.idle),
            idle: policy.limits.idle,
            ordinal: 0,
            octets: 0,
            last: vec![Ts::MIN; sources],
            epoch_began: 0,
            epoch_ends: cut.after(0, 0),
        }
    }

    /// Runs to the end of all sources; `progress` is called once an epoch with the octets read.
    pub fn run(&mut self, lanes: &mut impl Lanes, progress: &mut dyn FnMut(&Merge, u64)) {
        let mut merged = MergedBatch::default();
        while self.merge.next_batch(self.together, &mut merged) {
            for (placed, batch) in self.placed.iter_mut().zip(&mut self.batches) {
                placed.clear();
                placed.resize(merged.backings.len(), None);
                // Nothing of an earlier block is left in an empty batch.
                if batch.inputs.is_empty() {
                    batch.backings.clear();
                }
            }
            if merged.frames.is_empty() {
                self.tick(lanes);
            }
            self.past.note(self.ordinal, self.watermark);
            self.secrets.gather(&self.merge);
            for (source, backing, raw) in &merged.frames {
                if !self.secrets.is_empty()
                    && let Some(fresh) = self.secrets.before(Some((*source, raw.number)))
                {
                    self.new_secrets(fresh, lanes);
                }
                self.frame(*source, *backing, raw, &merged, lanes);
                if self.ordinal >= self.epoch_ends.0 || self.octets >= self.epoch_ends.1 {
                    self.end_epoch(End::Epoch(self.watermark), lanes);
                    progress(&self.merge, self.ordinal);
                }
            }
        }
        let given_up = self.fragments.finish();
        self.totals.tally.skipped(Skipped::FragmentIncomplete, given_up);
        self.secrets.gather(&self.merge);
        if let Some(fresh) = self.secrets.before(None) {
            self.new_secrets(fresh, lanes);
        }
        self.fall_silent(lanes);
        self.end_epoch(End::Capture(self.watermark), lanes);
        progress(&self.merge, self.ordinal);
    }

    /// Nothing comes from the interfaces for a moment: what came is worked off. No packet will come
    /// any more from before the floor, so that timers run up to there, by seconds.
    fn tick(&mut self, lanes: &mut impl Lanes) {
        let floor = self.merge.interfaces().and_then(Live::floor);
        let floor = floor.filter(|_| self.watermark != Ts::MIN).unwrap_or(Ts::MIN);
        let raised = floor >= self.watermark.plus(QUIET);
        if raised {
            self.watermark = floor;
        }
        if raised || self.ordinal > self.epoch_began {
            self.end_epoch(End::Epoch(self.watermark), lanes);
        }
    }

    /// Lets the time after the last frame pass in the steps of the time before, so that the streams still
    /// open end a few hundred at a time: their records would be the peak of memory if they all came at once.
    fn fall_silent(&mut self, lanes: &mut impl Lanes) {
        if self.ordinal < MANY {
            return;
        }
        let end = self.watermark.plus(self.idle);
        let past = std::mem::replace(&mut self.past, Past::new(self.idle));
        for mark in past.into_marks() {
            let at = mark.plus(self.idle);
            if at > self.watermark && at < end {
                self.watermark = at;
                self.end_epoch(End::Epoch(at), lanes);
            }
        }
    }

    /// The secrets that hold.
    pub fn keys(&self) -> &Arc<Keys> {
        self.secrets.keys()
    }

    /// The sources, for their facts.
    pub fn merge(&self) -> &Merge {
        &self.merge
    }

    /// Frames and octets read.
    pub fn read(&self) -> (u64, u64) {
        (self.ordinal, self.octets)
    }

    /// What the dispatcher itself booked.
    pub fn totals(&self) -> Totals {
        let mut totals = self.totals.clone();
        let counters = self.fragments.counters();
        totals.reassembly.ip_fragments = counters.fragments;
        totals.reassembly.ip_datagrams = counters.datagrams;
        totals.duplicates += counters.duplicates;
        for (table, count) in self.fragments.purse().evicted() {
            *totals.evicted.entry(table).or_default() += count;
        }
        totals
    }

    fn frame(
        &mut self,
        source: u16,
        backing: u16,
        raw: &RawFrame,
        merged: &MergedBatch,
        lanes: &mut impl Lanes,
    ) {
        self.ordinal += 1;
        self.octets += u64::from(raw.captured);
        let octets = merged
            .backings
            .get(usize::from(backing))
            .and_then(|owner| owner.octets().get(raw.offset..))
            .and_then(|rest| rest.get(..usize::try_from(raw.captured).unwrap_or(usize::MAX)))
            .unwrap_or_default();
        if !self.merge.takes(raw, octets) {
            return self.totals.tally.skipped(Skipped::Filtered, 1);
        }
        let frame = FrameId { source, number: raw.number };
        let ts = self.clock(frame, raw);
        let place = Place {
            frame,
            ts,
            wire_len: raw.original.max(raw.captured),
            // Two sources are two interfaces.
            interface: raw.interface.wrapping_add(u32::from(source) << 16),
            merged_backing: backing,
        };
        if raw.damaged {
            return self.totals.tally.skipped(Skipped::MalformedCapture, 1);
        }
        let whereabouts = Whereabouts::Frame { at: raw.offset, len: raw.captured };
        // Nearly every packet, and not moved through a larger value on its way.
        if let Some(packet) = decode::common(raw.link, octets) {
            let payload = packet.payload(octets);
            return self.packet(
                &Arrived { packet: &packet, payload, whereabouts },
                &place,
                merged,
                lanes,
            );
        }
        self.segment(raw, octets, &place, merged, lanes);
    }

    /// Takes a frame that is no datagram of the common shape: nearly always a segment of it.
    #[inline(never)]
    fn segment(
        &mut self,
        raw: &RawFrame,
        octets: &[u8],
        place: &Place,
        merged: &MergedBatch,
        lanes: &mut impl Lanes,
    ) {
        let Some(packet) = decode::common_segment(raw.link, octets) else {
            return self.uncommon(raw, octets, place, merged, lanes);
        };
        let whereabouts = Whereabouts::Frame { at: raw.offset, len: raw.captured };
        let payload = packet.payload(octets);
        self.packet(&Arrived { packet: &packet, payload, whereabouts }, place, merged, lanes);
    }

    /// The frame's time: that of the watermark where the format has none. Raises the watermark.
    fn clock(&mut self, frame: FrameId, raw: &RawFrame) -> Ts {
        let last = self.last.get_mut(usize::from(frame.source));
        let ts = match (raw.ts, &last) {
            (Some(ts), _) => ts,
            (None, Some(last)) if **last != Ts::MIN => **last,
            (None, _) if self.watermark != Ts::MIN => self.watermark,
            (None, _) => Ts::default(),
        };
        if let Some(last) = last {
            let back = last.since(ts);
            if *last != Ts::MIN && back > self.backward {
                let key = FactKey {
                    at: self.watermark.max(ts),
                    ordinal: self.ordinal,
                    flow: 0,
                    sequence: 0,
                };
                let frame = FrameRef { frame, time: ts };
                self.facts.facts.push(Fact { key, frame, body: Body::BackwardJump { by: back } });
            }
            *last = ts;
        }
        self.watermark = self.watermark.max(ts);
        ts
    }

    /// Sends a packet to its cell.
    ///
    /// Inlined where nearly every packet comes along: it is written to its batch as it is decoded, and
    /// copied through nothing on its way.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a packet that is handed on is copied")]
    fn packet(
        &mut self,
        arrived: &Arrived<'_>,
        place: &Place,
        merged: &MergedBatch,
        lanes: &mut impl Lanes,
    ) {
        let &Arrived { packet, payload, whereabouts } = arrived;
        let sip = packet.proto == Proto::UDP && looks_like_sip(payload);
        let flow = Input::flow_hash(packet);
        let cell = Input::cell_of(if sip { datagram_hash(packet, payload) } else { flow });
        let lane = self.lanes.get(usize::from(cell)).map_or(0, |lane| usize::from(*lane));
        let Some(batch) = self.batches.get_mut(lane) else { return };
        let (backing, at, len, frames) = match whereabouts {
            Whereabouts::Frame { at, len } => {
                let placed = self.placed.get_mut(lane);
                let placed = placed.and_then(|of| of.get_mut(usize::from(place.merged_backing)));
                let Some(placed) = placed else { return };
                let backing = *placed.get_or_insert_with(|| {
                    if let Some(owner) = merged.backings.get(usize::from(place.merged_backing)) {
                        batch.backings.push(owner.clone());
                    }
                    u16::try_from(batch.backings.len() - 1).unwrap_or(JOINED)
                });
                (backing, at, len, 1)
            }
            Whereabouts::Joined { octets, frames } => {
                let at = batch.joined.len();
                batch.joined.extend_from_slice(octets);
                (JOINED, at, length(octets.len()), frames)
            }
        };
        batch.inputs.push(Input {
            packet: *packet,
            frame: place.frame,
            ts: place.ts,
            watermark: self.watermark,
            ordinal: self.ordinal,
            flow,
            cell,
            sip,
            frames,
            wire_len: place.wire_len,
            interface: place.interface,
            backing,
            at,
            len,
        });
        if batch.inputs.len() >= self.together {
            lanes.send(lane, batch);
            self.forget_backings(lane);
        }
    }

    /// After a batch left, its successor owns no blocks yet.
    fn forget_backings(&mut self, lane: usize) {
        if let Some(placed) = self.placed.get_mut(lane) {
            placed.fill(None);
        }
    }

    fn end_epoch(&mut self, end: End, lanes: &mut impl Lanes) {
        for lane in 0..self.batches.len() {
            if let Some(batch) = self.batches.get_mut(lane) {
                batch.end = end;
                lanes.send(lane, batch);
            }
            self.forget_backings(lane);
        }
        let watermark = self.watermark;
        lanes.end_epoch(&mut self.facts, watermark);
        self.epoch_began = self.ordinal;
        self.epoch_ends = self.cut.after(self.ordinal, self.octets);
    }
}

/// A packet on its way to a cell.
struct Arrived<'a> {
    packet: &'a Packet,
    payload: &'a [u8],
    whereabouts: Whereabouts<'a>,
}

/// Where a packet's octets are.
#[derive(Copy, Clone)]
enum Whereabouts<'a> {
    Frame { at: usize, len: u32 },
    Joined { octets: &'a [u8], frames: u32 },
}

/// An empty table of fragments.
pub(super) fn fragments(limits: &Limits) -> IpReassembler {
    IpReassembler::new(ip::Limits {
        octets: limits.fragment_octets as u64,
        timeout: limits.fragment_wait,
        ..ip::Limits::default()
    })
}

/// A start line in text; the first octet settles most packets.
pub(super) fn looks_like_sip(payload: &[u8]) -> bool {
    match payload.first() {
        Some(first) if first.is_ascii_alphabetic() || b"\r\n\t ".contains(first) => {
            sip::probe(payload)
        }
        // Junk before a request is tolerated where a start line follows.
        Some(first) if first.is_ascii_graphic() => sip::probe(payload),
        _ => false,
    }
}

/// SIP over UDP needs no state to parse, so datagrams of one pair of addresses spread over cells;
/// copies of one datagram still meet.
fn datagram_hash(packet: &Packet, payload: &[u8]) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write(packet.src.addr.octets());
    hasher.write(packet.dst.addr.octets());
    let ports = u64::from(packet.src.port) << 16 | u64::from(packet.dst.port);
    hasher.write_u64(ports << 32 | u64::from(packet.ip_id) << 16 | payload.len() as u64);
    hasher.write(payload.get(..32).unwrap_or(payload));
    hasher.write(payload.last_chunk::<8>().map_or(payload, <[u8; 8]>::as_slice));
    hasher.finish()
}
