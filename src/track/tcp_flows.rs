//! TCP connections of one cell: ordered bytes, what they carry, and the SIP messages on them.
//!
//! A connection is unknown until its octets say what it is. The beginning of a connection decides;
//! where the capture began later, or has a hole, the beginnings of further segments are tried too,
//! because SIP senders begin messages at segment borders. What turns out to be neither SIP nor
//! TLS costs no more reassembly. All frames of a connection are booked under what it carries, pure
//! acknowledgements too.

use hashbrown::HashTable;

use crate::decode::Tcp;
use crate::dissect::sip_stream::SipStream;
use crate::dissect::tcp_probe::{self, Probe};
use crate::model::addr::{Endpoint, FlowKey};
use crate::model::capture::Reassembly;
use crate::model::evidence::FrameRef;
use crate::model::fact::{Body, SipFact, length};
use crate::model::record::HandshakeKind;
use crate::model::tally::{Handled, Skipped, Tally};
use crate::model::time::{Span, Ts};
use crate::model::transport::Transport;
use crate::policy::Limits;
use crate::reassemble::purse::Purse;
use crate::reassemble::tcp::{Direction, Segment};
use overhear_parsers::sip::HeaderSpan;

use super::alarm::Alarms;
use super::emit::Emitter;
use super::input::Input;

/// Name of the table in `evicted`.
pub const TABLE: &str = "tcp_flows";

/// Name in `evicted` of unfinished messages for which there was no memory.
const MESSAGES: &str = "tcp_messages";

/// Octets of one connection with its timer and its index, without what the purse pays for.
pub const ENTRY: usize = size_of::<Option<Connection>>() + 3 * size_of::<Ts>() + 10;

/// Octets of a direction kept while it is not known what the connection carries.
const PROBE_OCTETS: usize = 4096;

/// Segment beginnings tried on a connection whose own beginning was not seen.
const PROBE_SEGMENTS: u16 = 64;

/// What a connection carries.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Carries {
    Unknown,
    Sip,
    Tls,
    Other,
}

#[derive(Debug)]
struct Connection {
    key: FlowKey,
    flow: u64,
    /// From `key.low` and from `key.high`.
    directions: [Direction; 2],
    /// Unfinished SIP messages; while unknown, the octets to judge by.
    messages: [SipStream; 2],
    /// What the purse has paid for `messages`.
    paid: [u64; 2],
    carries: Carries,
    /// Frames to book once it is known what the connection carries.
    pending: u64,
    /// Segment beginnings that said nothing.
    tried: u16,
    /// The beginning of the connection was captured.
    opened: bool,
    /// The snap length cut a segment: a hole in the octets may come from that.
    clipped: bool,
    last_seen: Ts,
    last_frame: FrameRef,
    /// The deadline of its one timer; an older entry of the heap is stale.
    armed: Ts,
}

/// What one cell's connections share with the rest of the cell.
#[derive(Debug)]
pub struct Shared<'a> {
    /// Memory for reassembly.
    pub purse: &'a mut Purse,
    /// Where frames are booked.
    pub tally: &'a mut Tally,
    /// Scratch for header spans.
    pub spans: &'a mut Vec<HeaderSpan>,
}

/// The connections of one cell.
#[derive(Debug)]
pub struct TcpFlows {
    table: HashTable<u32>,
    slots: Vec<Option<Connection>>,
    free: Vec<u32>,
    alarms: Alarms,
    cap: usize,
    idle: Span,
    closed_idle: Span,
    reassembly: Reassembly,
    evicted: u64,
}

impl TcpFlows {
    /// A table with one cell's share of the limits.
    pub fn new(limits: &Limits) -> Self {
        Self {
            table: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            alarms: Alarms::default(),
            cap: Limits::per_cell(limits.tcp_flows),
            idle: limits.tcp_idle,
            closed_idle: limits.idle,
            reassembly: Reassembly::default(),
            evicted: 0,
        }
    }

    /// Connections given up for lack of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        self.alarms.next()
    }

    /// What reassembly did so far, ended connections and live ones.
    pub fn reassembly(&self) -> Reassembly {
        self.reassembly
    }

    /// Takes one segment.
    pub fn packet(
        &mut self,
        input: &Input,
        payload: &[u8],
        shared: &mut Shared<'_>,
        emit: &mut Emitter<'_>,
    ) {
        let key = FlowKey::new(input.packet.src, input.packet.dst, input.packet.proto);
        let tcp = input.packet.tcp;
        let mut slot = self.find(input.flow, &key);
        if let Some(found) = slot
            && opens(tcp)
            && self.connection(found).is_some_and(Connection::closed)
        {
            self.remove(found, shared, emit);
            slot = None;
        }
        let slot = match slot {
            Some(slot) => slot,
            None => self.insert(key, input, shared, emit),
        };
        let Some(Some(connection)) = self.slots.get_mut(widen(slot)) else { return };
        connection.last_seen = input.watermark;
        connection.last_frame = input.frame_ref();
        connection.opened |= tcp.flags & Tcp::SYN != 0;
        connection.clipped |= input.packet.clipped;
        connection.book(u64::from(input.frames), shared.tally);
        if matches!(connection.carries, Carries::Unknown | Carries::Sip) {
            connection.segment(input, payload, shared, emit, &mut self.reassembly);
        }
        // A connection that closed ends sooner than its timer says.
        let closed_by = input.watermark.plus(self.closed_idle);
        if self.connection(slot).is_some_and(|found| found.closed() && found.armed > closed_by) {
            self.arm(slot, closed_by);
        }
    }

    /// Ends connections that have been silent for too long.
    pub fn advance(&mut self, watermark: Ts, shared: &mut Shared<'_>, emit: &mut Emitter<'_>) {
        while let Some((armed, _, slot)) = self.alarms.pop_due(watermark) {
            match self.deadline(slot, armed) {
                None => {}
                Some(deadline) if deadline > armed => self.arm(slot, deadline),
                Some(deadline) => {
                    emit.due(deadline, self.flow(slot), self.last_frame(slot));
                    self.remove(slot, shared, emit);
                }
            }
        }
    }

    /// Ends all connections, at the end of the capture.
    pub fn finish(&mut self, shared: &mut Shared<'_>, emit: &mut Emitter<'_>) {
        // As if the capture had gone on in silence: whatever was open times out.
        self.advance(Ts::MAX, shared, emit);
    }

    fn find(&self, flow: u64, key: &FlowKey) -> Option<u32> {
        let same = |slot: &u32| self.connection(*slot).is_some_and(|found| found.key == *key);
        self.table.find(flow, same).copied()
    }

    fn connection(&self, slot: u32) -> Option<&Connection> {
        self.slots.get(widen(slot)).and_then(Option::as_ref)
    }

    fn flow(&self, slot: u32) -> u64 {
        self.connection(slot).map_or(0, |connection| connection.flow)
    }

    fn last_frame(&self, slot: u32) -> FrameRef {
        self.connection(slot).map(|connection| connection.last_frame).unwrap_or_default()
    }

    /// When the connection of a timer armed for `armed` ends; `None` for a stale timer.
    fn deadline(&self, slot: u32, armed: Ts) -> Option<Ts> {
        let connection = self.connection(slot).filter(|found| found.armed == armed)?;
        let idle = if connection.closed() { self.closed_idle } else { self.idle };
        Some(connection.last_seen.plus(idle))
    }

    fn arm(&mut self, slot: u32, deadline: Ts) {
        // Ports that are opened and closed again and again leave a stale timer each.
        if self.alarms.len() > self.table.len().saturating_mul(2).saturating_add(1_024) {
            let slots = &self.slots;
            self.alarms.retain(|armed, slot| {
                let connection = slots.get(widen(slot)).and_then(Option::as_ref);
                connection.is_some_and(|found| found.armed == armed)
            });
        }
        self.alarms.arm(deadline, self.flow(slot), slot);
        if let Some(Some(connection)) = self.slots.get_mut(widen(slot)) {
            connection.armed = deadline;
        }
    }

    fn insert(
        &mut self,
        key: FlowKey,
        input: &Input,
        shared: &mut Shared<'_>,
        emit: &mut Emitter<'_>,
    ) -> u32 {
        if self.table.len() >= self.cap {
            self.evict_longest_idle(shared, emit);
        }
        let connection = Connection {
            key,
            flow: input.flow,
            directions: [Direction::new(), Direction::new()],
            messages: [SipStream::default(), SipStream::default()],
            paid: [0; 2],
            carries: Carries::Unknown,
            pending: 0,
            tried: 0,
            opened: false,
            clipped: false,
            last_seen: input.watermark,
            last_frame: input.frame_ref(),
            armed: Ts::MAX,
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            length(self.slots.len() - 1)
        });
        if let Some(place) = self.slots.get_mut(widen(slot)) {
            *place = Some(connection);
        }
        let slots = &self.slots;
        let flow_of = |slot: &u32| {
            slots.get(widen(*slot)).and_then(Option::as_ref).map_or(0, |found| found.flow)
        };
        self.table.insert_unique(input.flow, slot, flow_of);
        self.arm(slot, input.watermark.plus(self.idle));
        self.reassembly.tcp_streams += 1;
        slot
    }

    fn evict_longest_idle(&mut self, shared: &mut Shared<'_>, emit: &mut Emitter<'_>) {
        while let Some((armed, _, slot)) = self.alarms.pop_due(Ts::MAX) {
            match self.deadline(slot, armed) {
                None => {}
                Some(deadline) if deadline > armed => self.arm(slot, deadline),
                Some(_) => {
                    self.evicted += 1;
                    self.remove(slot, shared, emit);
                    return;
                }
            }
        }
    }

    fn remove(&mut self, slot: u32, shared: &mut Shared<'_>, emit: &mut Emitter<'_>) {
        let Some(mut connection) = self.slots.get_mut(widen(slot)).and_then(Option::take) else {
            return;
        };
        let cited = emit.cite(connection.last_frame);
        connection.close(shared, emit, &mut self.reassembly);
        emit.cite(cited);
        if let Ok(entry) = self.table.find_entry(connection.flow, |found| *found == slot) {
            entry.remove();
        }
        self.free.push(slot);
    }
}

impl Connection {
    fn closed(&self) -> bool {
        self.directions.iter().any(Direction::closed)
    }

    /// Books frames under what the connection carries, or keeps them until that is known.
    fn book(&mut self, frames: u64, tally: &mut Tally) {
        match self.carries {
            Carries::Unknown => self.pending += frames,
            Carries::Sip => tally.handled(Handled::Sip, frames),
            Carries::Tls => tally.handled(Handled::Tls, frames),
            Carries::Other => tally.skipped(Skipped::NotVoip, frames),
        }
    }

    fn becomes(&mut self, carries: Carries, tally: &mut Tally) {
        self.carries = carries;
        let pending = std::mem::take(&mut self.pending);
        self.book(pending, tally);
    }

    fn segment(
        &mut self,
        input: &Input,
        payload: &[u8],
        shared: &mut Shared<'_>,
        emit: &mut Emitter<'_>,
        reassembly: &mut Reassembly,
    ) {
        let (side, src, dst) = self.side(input.packet.src);
        let segment = Segment {
            seq: input.packet.tcp.seq,
            flags: input.packet.tcp.flags,
            payload,
            wire_len: input.packet.wire_payload_len,
        };
        self.deliver(
            side,
            Some(&segment),
            &mut Arrival { src, dst, clipped: input.packet.clipped, shared, emit, reassembly },
        );
    }

    /// Which direction a sender's octets belong to, with both endpoints.
    fn side(&self, sender: Endpoint) -> (usize, Endpoint, Endpoint) {
        if sender == self.key.low {
            (0, self.key.low, self.key.high)
        } else {
            (1, self.key.high, self.key.low)
        }
    }

    /// Runs a segment, or the end of the direction, through reassembly into the messages.
    fn deliver(
        &mut self,
        side: usize,
        segment: Option<&Segment<'_>>,
        arrival: &mut Arrival<'_, '_, '_>,
    ) {
        let Some(direction) = self.directions.get_mut(side) else { return };
        let mut direction = std::mem::take(direction);
        let before = *direction.counters();
        // The purse is lent to reassembly for the time of the push and pays for messages after it.
        let mut purse = std::mem::take(arrival.shared.purse);
        let mut each = |delivery: crate::reassemble::tcp::Delivery<'_>| {
            self.octets(side, delivery.octets, delivery.gap_before > 0, arrival);
        };
        match segment {
            Some(segment) => direction.push(segment, &mut purse, &mut each),
            None => direction.finish(&mut purse, &mut each),
        }
        *arrival.shared.purse = purse;
        let after = *direction.counters();
        arrival.reassembly.tcp_gaps += after.gaps.saturating_sub(before.gaps);
        arrival.reassembly.tcp_overlaps += after.overlaps.saturating_sub(before.overlaps);
        if let Some(place) = self.directions.get_mut(side) {
            *place = direction;
        }
        self.settle(side, arrival);
    }

    /// Has the purse pay for the memory of an unfinished message. Where it cannot, the message is
    /// given out as far as it goes.
    fn settle(&mut self, side: usize, arrival: &mut Arrival<'_, '_, '_>) {
        let (Some(stream), Some(paid)) = (self.messages.get_mut(side), self.paid.get_mut(side))
        else {
            return;
        };
        let cost = stream.cost();
        if cost <= *paid {
            arrival.shared.purse.give(*paid - cost);
            *paid = cost;
        } else if arrival.shared.purse.take(cost - *paid) {
            *paid = cost;
        } else {
            arrival.shared.purse.give(std::mem::take(paid));
            arrival.shared.purse.evict(MESSAGES, 1);
            if self.carries == Carries::Sip {
                self.sip(side, &[], true, arrival);
            }
            if let Some(stream) = self.messages.get_mut(side) {
                stream.forget();
            }
        }
    }

    /// Takes ordered octets: messages if this is SIP, otherwise something to judge by.
    fn octets(
        &mut self,
        side: usize,
        octets: &[u8],
        after_gap: bool,
        arrival: &mut Arrival<'_, '_, '_>,
    ) {
        if self.carries == Carries::Unknown {
            self.judge(side, octets, after_gap, arrival);
        } else if self.carries == Carries::Sip {
            self.sip(side, octets, after_gap, arrival);
        }
    }

    fn sip(
        &mut self,
        side: usize,
        octets: &[u8],
        after_gap: bool,
        arrival: &mut Arrival<'_, '_, '_>,
    ) {
        let Some(stream) = self.messages.get_mut(side) else { return };
        let (src, dst, clipped) = (arrival.src, arrival.dst, self.clipped);
        let emit = &mut *arrival.emit;
        stream.push(octets, after_gap, arrival.shared.spans, &mut |found| {
            let octets = emit.epoch.keep(found.octets);
            let start = length(emit.epoch.spans.len());
            emit.epoch.spans.extend_from_slice(found.spans);
            emit.fact(Body::Sip(SipFact {
                src,
                dst,
                transport: Transport::Tcp,
                octets,
                spans: start..length(emit.epoch.spans.len()),
                layout: found.layout,
                clipped: found.cut && clipped,
            }));
        });
    }

    fn judge(
        &mut self,
        side: usize,
        octets: &[u8],
        after_gap: bool,
        arrival: &mut Arrival<'_, '_, '_>,
    ) {
        let Some(stream) = self.messages.get_mut(side) else { return };
        let judged = if stream.held() == 0 || after_gap {
            stream.forget();
            tcp_probe::probe(octets)
        } else {
            stream.hold(octets);
            tcp_probe::probe(stream.octets())
        };
        match judged {
            Probe::Sip => {
                let held = stream.take();
                self.becomes(Carries::Sip, arrival.shared.tally);
                let octets = if held.is_empty() { octets } else { &held };
                self.sip(side, octets, false, arrival);
            }
            Probe::Tls { client_hello, handshake } => {
                stream.forget();
                self.becomes(Carries::Tls, arrival.shared.tally);
                let (src, dst) = (arrival.src, arrival.dst);
                if client_hello {
                    let (kind, clipped) = (HandshakeKind::Tls, arrival.clipped);
                    arrival.emit.fact(Body::Handshake { kind, client: src, server: dst, clipped });
                } else if !handshake && !self.opened {
                    arrival.emit.fact(Body::MidstreamTls { src, dst });
                }
            }
            Probe::More if stream.held() < PROBE_OCTETS => {
                if stream.held() == 0 {
                    stream.hold(octets);
                }
            }
            Probe::More | Probe::Other => {
                stream.forget();
                self.tried = self.tried.saturating_add(1);
                let begun = self.opened && !after_gap;
                if begun || self.tried >= PROBE_SEGMENTS {
                    self.becomes(Carries::Other, arrival.shared.tally);
                }
            }
        }
    }

    /// Flushes what is held and books what is pending.
    fn close(
        &mut self,
        shared: &mut Shared<'_>,
        emit: &mut Emitter<'_>,
        reassembly: &mut Reassembly,
    ) {
        for (side, src, dst) in [(0, self.key.low, self.key.high), (1, self.key.high, self.key.low)]
        {
            let mut arrival = Arrival { src, dst, clipped: false, shared, emit, reassembly };
            self.deliver(side, None, &mut arrival);
            if self.carries == Carries::Sip {
                // A gap with nothing behind it makes the stream give out what it holds.
                self.sip(side, &[], true, &mut arrival);
            }
            shared.purse.give(self.paid.get_mut(side).map(std::mem::take).unwrap_or_default());
        }
        let reason = if self.tried > 0 { Skipped::NotVoip } else { Skipped::Unclassified };
        shared.tally.skipped(reason, std::mem::take(&mut self.pending));
    }
}

/// The surroundings of octets that arrive.
struct Arrival<'a, 'b, 'c> {
    src: Endpoint,
    dst: Endpoint,
    clipped: bool,
    shared: &'a mut Shared<'b>,
    emit: &'a mut Emitter<'c>,
    reassembly: &'a mut Reassembly,
}

/// A SYN without ACK opens a connection.
fn opens(tcp: Tcp) -> bool {
    tcp.flags & (Tcp::SYN | Tcp::ACK) == Tcp::SYN
}

fn widen(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}
