//! One TCP connection: ordered bytes, what they carry, and the SIP messages on them.
//!
//! A connection is unknown until its octets say what it is. The beginning of a connection decides;
//! where the capture began later, or has a hole, the beginnings of further segments are tried too,
//! because SIP senders begin messages at segment borders. What else is read of is in
//! [`super::tcp_carried`]; what turns out to be none of it costs no more reassembly. All frames of a connection are booked under what it carries, pure
//! acknowledgements too.

use crate::decode::Tcp;
use crate::dissect::sip_stream::SipStream;
use crate::dissect::tcp_probe::{self, Probe};
use crate::model::addr::{Endpoint, FlowKey, Proto};
use crate::model::capture::Reassembly;
use crate::model::evidence::FrameRef;
use crate::model::fact::Body;
use crate::model::tally::{Handled, Skipped, Tally};
use crate::model::time::Ts;
use crate::model::transport::Transport;
use crate::reassemble::tcp::{Delivery, Segment};

use super::emit::Emitter;
use super::input::Input;
use super::shared::Shared;
use super::sip_fact::{Way, found_fact};
use super::tcp_carried::{Carried, Piece};
use super::tls_opening::Opening;

pub(super) use self::reading::Reading;

mod glance;
mod handshake;
mod opening;
mod reading;

/// Octets of a direction kept while it is not known what the connection carries.
const PROBE_OCTETS: usize = 4096;

/// Segment beginnings tried on a connection whose own beginning was not seen.
const PROBE_SEGMENTS: u16 = 64;

/// What a connection carries.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    Unknown,
    Sip,
    /// A TLS handshake, which is read.
    Handshake,
    /// TLS after its handshake.
    Tls,
    /// Copies that a capture agent sent: counted, not read.
    Hep,
    /// SIP over WebSocket.
    WebSocket,
    Msrp,
    /// TURN.
    Turn,
    /// ICE's checks, before any media (RFC 6544).
    Checks,
    /// RTP (RFC 4571).
    Rtp,
    Other,
}

impl Carries {
    /// Whether its octets are looked at.
    pub(super) const fn is_read(self) -> bool {
        !matches!(self, Self::Tls | Self::Hep | Self::Other)
    }
}

/// A connection: of most nothing more is held than this, for a minute after their last packet. What its timer
/// looks at lies together, and so does what every packet looks at beside it.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Connection {
    pub(super) carries: Carries,
    /// The beginning of the connection was captured.
    pub(super) opened: bool,
    /// Either side has ended it.
    pub(super) closed: bool,
    /// The snap length cut a segment: a hole in the octets may come from that.
    pub(super) clipped: bool,
    glance: glance::Glance,
    /// Segment beginnings that said nothing.
    tried: u16,
    pub(super) flow: u64,
    pub(super) last_seen: Ts,
    pub(super) last_frame: FrameRef,
    /// The deadline of its one timer; an older entry of the heap is stale.
    pub(super) armed: Ts,
    /// What is held while its octets are read.
    reading: Option<Box<Reading>>,
    pub(super) key: FlowKey,
    /// Frames to book once it is known what the connection carries.
    pending: u64,
    /// Where the directions stood when reading ended: the next octets wanted.
    next: [Option<u32>; 2],
}

impl Connection {
    /// A connection whose first packet is `input`; what it carries is to be found out.
    pub(super) fn new(key: FlowKey, input: &Input, reading: Box<Reading>) -> Self {
        Self {
            carries: Carries::Unknown,
            opened: false,
            closed: false,
            clipped: false,
            glance: glance::Glance::default(),
            tried: 0,
            flow: input.flow,
            last_seen: input.watermark,
            last_frame: input.frame_ref(),
            armed: Ts::MAX,
            reading: Some(reading),
            key,
            pending: 0,
            next: [None; 2],
        }
    }

    /// Whether its octets are looked at.
    pub(super) fn is_read(&self) -> bool {
        self.carries.is_read() || self.opening().is_some_and(Opening::is_read)
    }

    /// Books frames under what the connection carries, or keeps them until that is known.
    pub(super) fn book(&mut self, frames: u64, tally: &mut Tally) {
        match self.carries {
            Carries::Unknown => self.pending += frames,
            Carries::Sip => tally.handled(Handled::Sip, frames),
            Carries::Handshake | Carries::Tls => tally.handled(Handled::Tls, frames),
            Carries::Hep => tally.handled(Handled::Hep, frames),
            Carries::WebSocket => tally.handled(Handled::Ws, frames),
            Carries::Msrp => tally.handled(Handled::Msrp, frames),
            Carries::Turn => tally.handled(Handled::Turn, frames),
            Carries::Checks => tally.handled(Handled::Stun, frames),
            Carries::Rtp => tally.handled(Handled::Rtp, frames),
            Carries::Other => tally.skipped(Skipped::NotVoip, frames),
        }
    }

    fn becomes(&mut self, carries: Carries, tally: &mut Tally) {
        self.carries = carries;
        let pending = std::mem::take(&mut self.pending);
        self.book(pending, tally);
    }

    /// Takes the octets of one segment.
    pub(super) fn segment(
        &mut self,
        input: &Input,
        payload: &[u8],
        shared: &mut Shared,
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
        let reading = self.reading.as_mut();
        let Some(direction) = reading.and_then(|it| it.directions.get_mut(side)) else { return };
        if segment.is_bare() && !direction.closed() || direction.begins(&segment) {
            return;
        }
        let mut arrival = Arrival { src, dst, shared, emit, reassembly };
        self.deliver(side, &segment, &mut arrival);
        self.closed = self.reading.as_ref().is_some_and(|reading| reading.closed());
        if self.carries == Carries::Handshake {
            let reset = segment.flags & Tcp::RST != 0;
            self.watch_handshake(side, reset, &mut arrival);
        }
        self.end_reading(&mut arrival);
    }

    /// Which direction a sender's octets belong to, with both endpoints.
    fn side(&self, sender: Endpoint) -> (usize, Endpoint, Endpoint) {
        if sender == self.key.low {
            (0, self.key.low, self.key.high)
        } else {
            (1, self.key.high, self.key.low)
        }
    }

    /// Takes a segment into the messages.
    fn deliver(&mut self, side: usize, segment: &Segment<'_>, arrival: &mut Arrival<'_, '_>) {
        let reading = self.reading.as_mut();
        let Some(direction) = reading.and_then(|it| it.directions.get_mut(side)) else { return };
        match direction.straight(segment) {
            Some(Delivery { octets, gap_before }) => {
                self.octets(side, octets, gap_before > 0, arrival);
            }
            None => self.reassemble(side, Some(segment), arrival),
        }
        self.settle(side, arrival);
        self.settle_opening(arrival);
    }

    /// Runs a segment, or the end of the direction, through reassembly into the messages.
    fn reassemble(
        &mut self,
        side: usize,
        segment: Option<&Segment<'_>>,
        arrival: &mut Arrival<'_, '_>,
    ) {
        let reading = self.reading.as_mut();
        let Some(direction) = reading.and_then(|it| it.directions.get_mut(side)) else { return };
        let mut direction = std::mem::take(direction);
        let before = *direction.counters();
        // The purse is lent to reassembly for the time of the push and pays for messages after it.
        let mut purse = std::mem::take(&mut arrival.shared.purse);
        let mut each = |delivery: Delivery<'_>| {
            self.octets(side, delivery.octets, delivery.gap_before > 0, arrival);
        };
        match segment {
            Some(segment) => direction.push(segment, &mut purse, &mut each),
            None => direction.finish(&mut purse, &mut each),
        }
        arrival.shared.purse = purse;
        let after = *direction.counters();
        arrival.reassembly.tcp_gaps += after.gaps.saturating_sub(before.gaps);
        arrival.reassembly.tcp_overlaps += after.overlaps.saturating_sub(before.overlaps);
        let reading = self.reading.as_mut();
        if let Some(place) = reading.and_then(|it| it.directions.get_mut(side)) {
            *place = direction;
        }
    }

    /// Takes ordered octets: messages if this is SIP, otherwise something to judge by.
    fn octets(
        &mut self,
        side: usize,
        octets: &[u8],
        after_gap: bool,
        arrival: &mut Arrival<'_, '_>,
    ) {
        if self.carries == Carries::Unknown {
            self.judge(side, octets, after_gap, arrival);
        } else if self.carries == Carries::Sip {
            self.sip(side, octets, after_gap, arrival);
        } else {
            self.other(side, octets, after_gap, arrival);
        }
    }

    /// Takes ordered octets of what is carried other than plain SIP.
    fn other(
        &mut self,
        side: usize,
        octets: &[u8],
        after_gap: bool,
        arrival: &mut Arrival<'_, '_>,
    ) {
        let (src, dst) =
            if side == 0 { (self.key.low, self.key.high) } else { (self.key.high, self.key.low) };
        let (clipped, transport, encrypted) = (self.clipped, Transport::Tcp, false);
        let piece = Piece { side, src, dst, octets, after_gap, clipped, transport, encrypted };
        self.open(&piece, arrival);
        let carried = self.reading.as_mut().and_then(|reading| reading.carried.as_mut());
        let Some(carried) = carried else { return };
        let media = carried.push(&piece, arrival.shared, arrival.emit);
        if media && self.carries == Carries::Checks {
            self.carries = Carries::Rtp;
        }
    }

    /// The octets showed what is carried: those held of both directions are the first.
    fn begins(
        &mut self,
        (carried, carries): (Carried, Carries),
        side: usize,
        octets: &[u8],
        arrival: &mut Arrival<'_, '_>,
    ) {
        let Some(reading) = &mut self.reading else { return };
        reading.carried = Some(carried);
        self.carries = carries;
        let held = reading.messages.each_mut().map(SipStream::take);
        for (of, held) in held.iter().enumerate() {
            if of != side && !held.is_empty() {
                self.other(of, held, false, arrival);
            }
        }
        let held = held.get(side).filter(|held| !held.is_empty());
        self.other(side, held.map_or(octets, Vec::as_slice), false, arrival);
        self.becomes(self.carries, &mut arrival.shared.tally);
    }

    fn sip(&mut self, side: usize, octets: &[u8], after_gap: bool, arrival: &mut Arrival<'_, '_>) {
        let reading = self.reading.as_mut();
        let Some(stream) = reading.and_then(|it| it.messages.get_mut(side)) else { return };
        let (src, dst, clipped) = (arrival.src, arrival.dst, self.clipped);
        let way = Way::within((src, dst), Transport::Tcp, clipped, false);
        let emit = &mut *arrival.emit;
        stream.push(octets, after_gap, &mut arrival.shared.spans, &mut |found| {
            found_fact(&way, found, emit);
        });
    }

    fn judge(
        &mut self,
        side: usize,
        octets: &[u8],
        after_gap: bool,
        arrival: &mut Arrival<'_, '_>,
    ) {
        let Some(Reading { messages, paid, opening, .. }) = self.reading.as_deref_mut() else {
            return;
        };
        let Some(stream) = messages.get_mut(side) else { return };
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
                self.becomes(Carries::Sip, &mut arrival.shared.tally);
                let octets = if held.is_empty() { octets } else { &held };
                self.sip(side, octets, false, arrival);
            }
            Probe::Tls(start) => {
                if let Some(carried) = Carried::tls(start, side, arrival.shared, arrival.emit) {
                    let first = if stream.held() == 0 { octets } else { stream.octets() };
                    let opens = Opening::is_worthwhile(start, first, &arrival.shared.keys);
                    *opening = opens.then(Box::default);
                    for (side, paid) in paid.iter_mut().enumerate() {
                        *paid = paid.saturating_add(carried.cost(side));
                    }
                    return self.begins((carried, Carries::Handshake), side, octets, arrival);
                }
                stream.forget();
                self.becomes(Carries::Tls, &mut arrival.shared.tally);
                if !self.opened {
                    let (src, dst, proto) = (arrival.src, arrival.dst, Proto::TCP);
                    arrival.emit.fact(Body::MidstreamTls { src, dst, proto });
                }
            }
            Probe::Hep => {
                stream.forget();
                self.becomes(Carries::Hep, &mut arrival.shared.tally);
            }
            Probe::WebSocket | Probe::Msrp | Probe::Framed(_) => {
                if let Some(begun) = Carried::of(judged) {
                    self.begins(begun, side, octets, arrival);
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
                    self.becomes(Carries::Other, &mut arrival.shared.tally);
                }
            }
        }
    }

    /// Flushes what is held and books what is pending.
    pub(super) fn close(
        &mut self,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
        reassembly: &mut Reassembly,
    ) {
        if self.reading.is_some() {
            self.flush(shared, emit, reassembly);
        }
        if self.carries == Carries::Unknown {
            let reason = if self.tried > 0 { Skipped::NotVoip } else { Skipped::Unclassified };
            shared.tally.skipped(reason, std::mem::take(&mut self.pending));
        }
    }
}

/// The surroundings of octets that arrive.
struct Arrival<'a, 'c> {
    src: Endpoint,
    dst: Endpoint,
    shared: &'a mut Shared,
    emit: &'a mut Emitter<'c>,
    reassembly: &'a mut Reassembly,
}

/// A SYN without ACK opens a connection.
pub(super) fn opens(tcp: Tcp) -> bool {
    tcp.flags & (Tcp::SYN | Tcp::ACK) == Tcp::SYN
}
