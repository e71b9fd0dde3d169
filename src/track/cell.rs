//! One cell: every table, purse, timer and eviction order of the flows that hash to it.
//!
//! A cell does the same whatever lane runs it and wherever epochs end: it sees its packets in
//! order, and before each one its timers up to the packet's watermark.

use std::collections::BTreeMap;
use std::sync::Arc;

use overhear_parsers::demux::{self, Kind};
use overhear_parsers::rtp::header::Header;
use overhear_parsers::{dtls, stun};

use crate::dissect::tls_open::keys::Keys;
use crate::model::addr::Proto;
use crate::model::capture::Reassembly;
use crate::model::evidence::FrameRef;
use crate::model::fact::{Body, EpochFacts, length};
use crate::model::stream::StreamEvent;
use crate::model::tally::{Handled, Skipped, Tally};
use crate::model::time::{Span, Ts};
use crate::policy::Limits;
use crate::reassemble::duplicate::{self, Duplicates};

use super::dtls_flows::{self, DtlsFlows};
use super::emit::Emitter;
use super::input::Input;
use super::quic_flows::{self, QuicFlows};
use super::sctp_flows::{self, SctpFlows};
use super::shared::{Inner, Openings, Shared};
use super::srtcp_flows::{self, SrtcpFlows};
use super::stream::{Sought, StreamLimits, Streams};
use super::tcp_flows::{self, TcpFlows};
use super::turn_flows::{self, TurnFlows};
use super::udptl_flows::{self, UdptlFlows};

mod copies;
mod inside;
mod messages;
mod secrets;
mod srtcp;

/// Duplicates that a cell reports one by one; all are counted.
const DUPLICATE_FACTS: u64 = 2;

/// The flows of one cell. What every packet reads lies together.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Cell {
    duplicates: Duplicates,
    /// No timer is due before this.
    next: Ts,
    streams: Streams,
    tcp: TcpFlows,
    dtls: DtlsFlows,
    sctp: SctpFlows,
    srtcp: SrtcpFlows,
    turn: TurnFlows,
    udptl: UdptlFlows,
    quic: QuicFlows,
    shared: Shared,
    duplicates_seen: u64,
    passed: copies::Passed,
    /// The shortest time that any timer is armed for.
    shortest: Span,
}

/// What is worked out for a packet before its turn: its octets, hashes, and where its stream is.
///
/// Each packet misses the cache a few times. Several packets are prepared together, step by step,
/// so that their misses overlap; one packet at a time they would add up.
#[derive(Copy, Clone, Debug, Default)]
pub struct Ahead<'a> {
    /// What the packet's offsets refer to.
    pub octets: &'a [u8],
    likeness: u64,
    ssrc: u32,
    /// Whether its first octet allows RTP.
    streams: bool,
    /// Where its stream was a moment ago.
    sought: Sought,
}

impl<'a> Ahead<'a> {
    /// The first step: what the packet alone says.
    #[inline]
    pub fn of(input: &Input, octets: &'a [u8]) -> Self {
        let packet = &input.packet;
        let likeness = duplicate::likeness(packet, input.flow, octets);
        let mut ahead = Self { octets, likeness, ..Self::default() };
        if packet.proto == Proto::UDP
            && let Some(&[first, _, _, _, _, _, _, _, a, b, c, d]) =
                packet.payload(octets).first_chunk::<12>()
            && first >> 6 == 2
        {
            ahead.ssrc = u32::from_be_bytes([a, b, c, d]);
            ahead.streams = true;
            ahead.sought.hash = input.stream_key(ahead.ssrc).hash_in(input.flow);
        }
        ahead
    }
}

/// What a cell counted.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Frames by destination; those of RTP streams are booked by the collector.
    pub tally: Tally,
    /// What reassembly did.
    pub reassembly: Reassembly,
    /// Evictions by table.
    pub evicted: BTreeMap<&'static str, u64>,
    /// Mirror duplicates.
    pub duplicates: u64,
    /// Messages inside connections.
    pub inner: Inner,
    /// TLS sessions, by whether they opened.
    pub openings: Openings,
}

impl Totals {
    /// Adds another cell's totals.
    pub fn add(&mut self, other: &Self) {
        self.tally.add(&other.tally);
        self.reassembly.ip_fragments += other.reassembly.ip_fragments;
        self.reassembly.ip_datagrams += other.reassembly.ip_datagrams;
        self.reassembly.tcp_streams += other.reassembly.tcp_streams;
        self.reassembly.tcp_gaps += other.reassembly.tcp_gaps;
        self.reassembly.tcp_overlaps += other.reassembly.tcp_overlaps;
        for (table, count) in &other.evicted {
            *self.evicted.entry(table).or_default() += count;
        }
        self.duplicates += other.duplicates;
        self.inner.add(&other.inner);
        self.openings.add(&other.openings);
    }
}

impl Cell {
    /// An empty cell with its share of the limits, and the secrets that hold at the beginning.
    pub fn new(limits: &Limits, keys: &Arc<Keys>) -> Self {
        Self {
            streams: Streams::new(StreamLimits {
                streams: length(Limits::per_cell(limits.streams)),
                armed: length(Limits::per_cell(limits.armed)),
                noted: length(Limits::per_cell(limits.noted)),
                replays: Limits::per_cell(limits.replays),
                idle: limits.idle,
            }),
            tcp: TcpFlows::new(limits),
            dtls: DtlsFlows::new(limits),
            duplicates: Duplicates::new(Limits::per_cell(limits.duplicates)),
            sctp: SctpFlows::new(limits),
            srtcp: SrtcpFlows::new(limits),
            turn: TurnFlows::new(limits),
            udptl: UdptlFlows::new(limits),
            quic: QuicFlows::default(),
            shared: Shared::new(
                Limits::per_cell(limits.reassembly_octets),
                Limits::per_cell(limits.tls_retain),
                keys,
            ),
            duplicates_seen: 0,
            passed: copies::Passed::default(),
            next: Ts::MIN,
            shortest: limits.idle.min(limits.tcp_idle),
        }
    }

    /// The second step: asks for the places that the packet's hashes lead to.
    #[inline]
    pub fn fetch(&self, input: &Input, ahead: &Ahead<'_>) {
        if ahead.streams {
            self.streams.fetch_index(ahead.sought.hash);
        }
        self.duplicates.fetch(&input.packet, ahead.likeness);
    }

    /// The third step: asks for the lines of the packet's stream.
    #[inline]
    pub fn approach(&self, ahead: &mut Ahead<'_>) {
        if ahead.streams {
            self.streams.approach(&mut ahead.sought);
        }
    }

    /// Takes one packet; `ahead` is what the three steps before said of it.
    #[inline]
    pub fn packet(&mut self, input: &Input, ahead: &Ahead<'_>, epoch: &mut EpochFacts) {
        self.advance(input.watermark, epoch);
        let (packet, octets) = (&input.packet, ahead.octets);
        let mut emit = Emitter::of_packet(epoch, input);
        let (ts, watermark) = (input.ts, input.watermark);
        if self.duplicates.is_duplicate(packet, ahead.likeness, ts, watermark, input.interface) {
            return self.copy(input, ahead, &mut emit);
        }
        if packet.tunnels.is_hep() {
            return self.hep(input, packet.l4(octets), &mut emit);
        }
        let payload = packet.payload(octets);
        if packet.proto != Proto::UDP {
            self.connection(input, payload, &mut emit);
        } else if input.sip {
            self.sip_datagram(input, payload, ahead, &mut emit);
        } else {
            self.udp(input, payload, ahead, &mut emit);
        }
    }

    /// No timer is due before this.
    pub const fn next_timer(&self) -> Ts {
        self.next
    }

    /// Brings the timers up to `watermark`.
    pub fn advance(&mut self, watermark: Ts, epoch: &mut EpochFacts) {
        if watermark < self.next {
            return;
        }
        self.run_timers(watermark, epoch);
        // Whatever is armed from now on is armed for at least the shortest time.
        let armed = [
            self.streams.next_timer(),
            self.tcp.next_timer(),
            self.dtls.next_timer(),
            self.sctp.next_timer(),
            self.srtcp.next_timer(),
            self.turn.next_timer(),
            self.udptl.next_timer(),
        ];
        let first = armed.into_iter().flatten().min().unwrap_or(Ts::MAX);
        self.next = first.min(watermark.plus(self.shortest));
    }

    fn run_timers(&mut self, watermark: Ts, epoch: &mut EpochFacts) {
        let mut emit = Emitter::of_timers(epoch);
        let turn = &mut self.turn;
        self.streams.advance(watermark, &mut |event| timer_fact(&mut emit, turn, event));
        // Nearly always it is the turn of one table only.
        let due = |next: Option<Ts>| next.is_some_and(|next| next <= watermark);
        if due(self.tcp.next_timer()) {
            self.tcp.advance(watermark, &mut self.shared, &mut emit);
        }
        if due(self.dtls.next_timer()) {
            self.dtls.advance(watermark, &mut self.shared, &mut emit);
        }
        if due(self.sctp.next_timer()) {
            self.sctp.advance(watermark, &mut self.shared, &mut emit);
        }
        if due(self.srtcp.next_timer()) {
            self.srtcp.advance(watermark);
        }
        if due(self.turn.next_timer()) {
            self.turn.advance(watermark);
        }
        if due(self.udptl.next_timer()) {
            self.udptl.advance(watermark, &mut emit);
        }
    }

    /// Ends everything, at the end of the capture.
    pub fn finish(&mut self, epoch: &mut EpochFacts) {
        let mut emit = Emitter::of_timers(epoch);
        let turn = &mut self.turn;
        self.streams.finish(&mut |event| timer_fact(&mut emit, turn, event));
        self.tcp.finish(&mut self.shared, &mut emit);
        self.dtls.advance(Ts::MAX, &mut self.shared, &mut emit);
        self.sctp.advance(Ts::MAX, &mut self.shared, &mut emit);
        self.udptl.advance(Ts::MAX, &mut emit);
    }

    /// What the cell counted.
    pub fn totals(&self) -> Totals {
        let mut evicted = BTreeMap::new();
        let mut note = |table: &'static str, count: u64| {
            if count > 0 {
                *evicted.entry(table).or_default() += count;
            }
        };
        note("streams", self.streams.evicted());
        note("noted", self.streams.unnoted());
        note("replays", self.streams.unwatched());
        note(udptl_flows::TABLE, self.udptl.evicted());
        note(quic_flows::TABLE, self.quic.evicted());
        note(tcp_flows::TABLE, self.tcp.evicted());
        note(dtls_flows::TABLE, self.dtls.evicted());
        note(sctp_flows::TABLE, self.sctp.evicted());
        note(srtcp_flows::TABLE, self.srtcp.evicted());
        note(turn_flows::TABLE, self.turn.evicted());
        note("duplicates", self.duplicates.overwritten());
        for (table, count) in self.shared.purse.evicted() {
            note(table, *count);
        }
        Totals {
            tally: self.shared.tally.clone(),
            reassembly: self.tcp.reassembly(),
            evicted,
            duplicates: self.duplicates_seen,
            inner: self.shared.inner,
            openings: self.shared.openings,
        }
    }

    fn udp(&mut self, input: &Input, payload: &[u8], ahead: &Ahead<'_>, emit: &mut Emitter<'_>) {
        if let Ok(header) = demux::rtp(payload) {
            return self.rtp(input, &header, ahead.sought, emit);
        }
        let frames = u64::from(input.frames);
        let handled = match demux::classify(payload) {
            Kind::Stun => self.turn_message(input, payload, emit),
            Kind::TurnChannel => self.turn_channel(input, stun::channel_data(payload), emit),
            Kind::Other if input.packet.clipped && self.turn.knows(input) => {
                let wire = usize::try_from(input.packet.wire_payload_len).unwrap_or(usize::MAX);
                self.turn_channel(input, stun::channel_data_cut(payload, wire), emit)
            }
            Kind::Other if dtls::unified(payload) && self.dtls.contains(input.flow) => {
                self.dtls.datagram(input, payload, &mut self.shared, emit);
                Some(Handled::Dtls)
            }
            Kind::Other if is_keep_alive(payload) => Some(Handled::Sip),
            kind => self.media(input, payload, kind, emit),
        };
        match handled {
            // Its stream books it.
            Some(Handled::Rtp) => {}
            Some(handled) => {
                self.shared.inner.stun += u64::from(handled == Handled::Stun);
                self.shared.tally.handled(handled, frames);
            }
            // Booked when it is known whether it is fax.
            None if self.udptl.packet(input, payload, emit) => {}
            None => self.shared.tally.skipped(Skipped::NotVoip, frames),
        }
    }

    /// What belongs to media and is not RTP; `None` for anything else.
    fn media(
        &mut self,
        input: &Input,
        payload: &[u8],
        kind: Kind,
        emit: &mut Emitter<'_>,
    ) -> Option<Handled> {
        Some(match kind {
            Kind::Rtcp => {
                let octets = emit.epoch.keep(payload);
                let (src, dst) = (input.packet.src, input.packet.dst);
                emit.fact(Body::Rtcp { src, dst, octets });
                Handled::Rtcp
            }
            Kind::Srtcp => {
                self.srtcp(input, payload, emit);
                Handled::Srtcp
            }
            Kind::Other if self.srtcp(input, payload, emit) => Handled::Srtcp,
            Kind::Dtls => {
                self.dtls.datagram(input, payload, &mut self.shared, emit);
                Handled::Dtls
            }
            Kind::Zrtp => {
                let octets = emit.epoch.keep(payload);
                let (src, dst) = (input.packet.src, input.packet.dst);
                emit.fact(Body::Zrtp { src, dst, octets });
                Handled::Zrtp
            }
            Kind::Stun => Handled::Stun,
            Kind::Rtp | Kind::TurnChannel | Kind::Other => {
                self.quic.datagram(input, payload, emit);
                return None;
            }
        })
    }

    fn rtp(&mut self, input: &Input, header: &Header<'_>, sought: Sought, emit: &mut Emitter<'_>) {
        // A stream books one frame a packet when it ends; further fragments are booked here.
        if input.frames > 1 && !input.framed() {
            self.shared.tally.handled(Handled::Rtp, u64::from(input.frames) - 1);
        }
        let turn = &mut self.turn;
        self.streams.packet(sought, header, input, &mut |event| {
            packet_fact(emit, turn, event);
        });
    }
}

/// The fact of a stream event that a packet caused.
fn packet_fact(emit: &mut Emitter<'_>, turn: &mut TurnFlows, event: StreamEvent) {
    let body = match event {
        StreamEvent::Lossy { key, second, .. } => Body::StreamLoss { second, stream: key.hash64() },
        StreamEvent::Sample(sample) => {
            let octets = emit.epoch.keep(&sample.octets);
            Body::SrtpSample { key: sample.key, octets, frames: sample.frames }
        }
        StreamEvent::Ended(ended) => {
            // It is large: moved to where it stays, and changed there.
            let place = emit.epoch.end(ended);
            if let Some(ended) = emit.epoch.streams.last_mut() {
                turn.end(ended);
            }
            Body::StreamEnded(place)
        }
    };
    emit.fact(body);
}

/// The fact of a stream event that a timer caused, under its deadline.
fn timer_fact(emit: &mut Emitter<'_>, turn: &mut TurnFlows, event: StreamEvent) {
    if let StreamEvent::Ended(ended) = &event {
        let last = FrameRef { frame: ended.last_frame, time: ended.last };
        emit.due(ended.deadline, ended.flow_hash, last);
    }
    packet_fact(emit, turn, event);
}

/// A line end or two, or zeros: what SIP clients send to keep a binding open (RFC 5626 §3.5.1).
fn is_keep_alive(payload: &[u8]) -> bool {
    matches!(payload, b"\r\n" | b"\r\n\r\n" | [0] | [0, 0] | [0, 0, 0, 0])
}
