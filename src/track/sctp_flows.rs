//! SCTP associations of one cell (RFC 9260), as far as SIP needs them (RFC 4168): user messages put
//! together from DATA chunks, repeated chunks left out. SIP is told by content; TLS (RFC 3436) and DTLS
//! (RFC 6083) are read as far as their handshakes show and their secrets open them. All packets of an association are booked under what it
//! carries. Addresses other than those of the packet (multi-homing) and acknowledgements are not
//! looked at.

use overhear_parsers::sctp::{Chunks, Data};
use overhear_parsers::{dtls, sip, tls};

use crate::model::tally::{Handled, Skipped, Tally};
use crate::model::time::{Span, Ts};
use crate::model::transport::Transport;
use crate::policy::Limits;

use super::emit::Emitter;
use super::flow_table::FlowTable;
use super::input::Input;
use super::knock::Knock;
use super::sctp_dtls::SctpDtls;
use super::sctp_tls::SctpTls;
use super::shared::{Awaited, Shared};
use super::sip_fact::{Way, sip_fact};

/// Name of the table in `evicted`.
pub const TABLE: &str = "sctp_flows";

/// Name in `evicted` of unfinished user messages for which there was no room.
const PIECES: &str = "sctp_pieces";

/// Octets of one association, without what the purse pays for.
pub const ENTRY: usize = FlowTable::<Association>::ENTRY;

/// Kinds of chunks (RFC 9260 §3.2).
const INIT: u8 = 1;
const ABORT: u8 = 6;
const SHUTDOWN: u8 = 7;

/// Pieces of unfinished user messages of one direction at most, and their octets.
const PIECES_MAX: usize = 64;
const OCTETS_MAX: usize = 256 << 10;

/// A number so far behind the highest is of an association begun anew.
const RESTART: u32 = 1 << 16;

/// The associations of one cell.
#[derive(Debug)]
pub struct SctpFlows {
    table: FlowTable<Association>,
    idle: Span,
}

/// One association.
#[derive(Debug, Default)]
pub struct Association {
    /// `None` while nothing told.
    carries: Option<Handled>,
    knock: Knock,
    /// Packets to book once it is known what it carries.
    pending: u64,
    /// A user message was seen.
    spoke: bool,
    tls: Option<Box<SctpTls>>,
    dtls: Option<Box<SctpDtls>>,
    /// From the smaller endpoint and from the larger.
    sides: [Side; 2],
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    /// The highest TSN seen, and of the 64 up to it those that came.
    highest: u32,
    window: u64,
    pieces: Vec<Piece>,
    held: usize,
}

/// One chunk of an unfinished user message.
#[derive(Debug)]
struct Piece {
    tsn: u32,
    begins: bool,
    ends: bool,
    octets: Vec<u8>,
}

impl SctpFlows {
    /// A table with one cell's share of the limits.
    pub fn new(limits: &Limits) -> Self {
        let idle = limits.tcp_idle;
        Self { table: FlowTable::new(Limits::per_cell(limits.sctp_flows), idle), idle }
    }

    /// Associations given up for lack of room.
    pub fn evicted(&self) -> u64 {
        self.table.evicted()
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        self.table.next_timer()
    }

    /// Ends associations that have been silent for too long.
    pub fn advance(&mut self, watermark: Ts, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let idle = Some(self.idle);
        self.table.advance(watermark, &mut |association| association.end(idle, shared, emit));
    }

    /// Secrets came for what waits in an association.
    pub fn secrets(
        &mut self,
        (random, flow): Awaited,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        let Some(association) = self.table.peek(flow) else { return };
        if let Some(tls) = &mut association.tls {
            tls.secrets(&random, shared, emit);
        }
        if let Some(dtls) = &mut association.dtls {
            dtls.secrets(&random, shared, emit);
        }
    }

    /// Takes the chunks of one packet.
    pub fn packet(
        &mut self,
        input: &Input,
        chunks: &[u8],
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        let association = self.table.get_or_insert(
            input.flow,
            input.watermark,
            Association::default,
            &mut |association| association.end(None, shared, emit),
        );
        association.book(u64::from(input.frames), &mut shared.tally);
        let side = usize::from(input.packet.src > input.packet.dst);
        for chunk in Chunks::new(chunks) {
            association.knock.chunk(input, chunk.kind, emit);
            association.control(input, chunk.kind, shared, emit);
            let Some(data) = chunk.data() else { continue };
            let stream = data.stream;
            let Some(from) = association.sides.get_mut(side) else {
                continue;
            };
            if !from.is_new(data.tsn) {
                continue;
            }
            if data.begins && data.ends {
                association.message(input, stream, data.payload, shared, emit);
            } else if let Some(message) = from.take(&data, shared) {
                association.message(input, stream, &message, shared, emit);
            }
        }
    }
}

impl Association {
    fn book(&mut self, frames: u64, tally: &mut Tally) {
        match self.carries {
            Some(protocol) => tally.handled(protocol, frames),
            None => self.pending += frames,
        }
    }

    /// Takes the kind of a chunk: of an association begun anew nothing is left of the one before, and one
    /// that is ended ends what goes on in it.
    fn control(&mut self, input: &Input, kind: u8, shared: &mut Shared, emit: &mut Emitter<'_>) {
        match kind {
            INIT => self.end_inside(None, shared, emit),
            ABORT | SHUTDOWN => {
                if let Some(tls) = &mut self.tls {
                    tls.closed(input, kind == ABORT, shared, emit);
                }
                if let Some(dtls) = &mut self.dtls {
                    dtls.closed(input, kind == ABORT, shared, emit);
                }
            }
            _ => {}
        }
    }

    fn message(
        &mut self,
        input: &Input,
        stream: u16,
        message: &[u8],
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        self.spoke = true;
        let protocol = if sip::probe(message) {
            let ends = (input.packet.src, input.packet.dst);
            let way = Way::within(ends, Transport::Sctp, input.packet.clipped, false);
            sip_fact(&way, message, emit);
            Handled::Sip
        } else if tls::start(message) == tls::Start::Tls {
            let tls = self.tls.get_or_insert_with(|| Box::new(SctpTls::new(input)));
            tls.message(input, stream, message, shared, emit);
            Handled::Tls
        } else if dtls::looks_like(message) {
            let dtls = self.dtls.get_or_insert_with(|| Box::new(SctpDtls::new(input)));
            dtls.message(input, message, shared, emit);
            Handled::Dtls
        } else {
            return;
        };
        if self.carries.is_none() {
            self.carries = Some(protocol);
            shared.tally.handled(protocol, std::mem::take(&mut self.pending));
        }
    }

    fn end_inside(&mut self, idle: Option<Span>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if let Some(tls) = self.tls.take() {
            tls.end(idle, shared, emit);
        }
        if let Some(dtls) = self.dtls.take() {
            dtls.end(idle, shared, emit);
        }
    }

    fn end(mut self, idle: Option<Span>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        self.end_inside(idle, shared, emit);
        for side in &self.sides {
            shared.purse.give(u64::try_from(side.held).unwrap_or(u64::MAX));
        }
        let reason = if self.spoke { Skipped::NotVoip } else { Skipped::Unclassified };
        shared.tally.skipped(reason, self.pending);
    }
}

impl Side {
    /// Whether a chunk of this number is the first one, by a window of 64; notes it.
    fn is_new(&mut self, tsn: u32) -> bool {
        let ahead = tsn.wrapping_sub(self.highest);
        if self.window == 0 || (1..1 << 31).contains(&ahead) {
            self.window = self.window.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = tsn;
            return true;
        }
        let behind = self.highest.wrapping_sub(tsn);
        if behind > RESTART {
            (self.highest, self.window) = (tsn, 1);
            return true;
        }
        let Some(bit) = 1_u64.checked_shl(behind) else { return false };
        let is_new = self.window & bit == 0;
        self.window |= bit;
        is_new
    }

    /// Takes a piece; gives the user message that it makes whole.
    fn take(&mut self, data: &Data<'_>, shared: &mut Shared) -> Option<Vec<u8>> {
        let (tsn, begins, ends) = (data.tsn, data.begins, data.ends);
        let cost = data.payload.len();
        if self.pieces.len() >= PIECES_MAX || self.held + cost > OCTETS_MAX {
            self.give_up(shared);
        }
        if !shared.purse.take(u64::try_from(cost).unwrap_or(u64::MAX)) {
            shared.purse.evict(PIECES, 1);
            return None;
        }
        self.held += cost;
        self.pieces.push(Piece { tsn, begins, ends, octets: data.payload.to_vec() });
        let find = |tsn: u32| self.pieces.iter().find(|piece| piece.tsn == tsn);
        let (mut first, mut last) = (tsn, tsn);
        while !find(first)?.begins {
            first = first.wrapping_sub(1);
        }
        while !find(last)?.ends {
            last = last.wrapping_add(1);
        }
        let count = last.wrapping_sub(first);
        let mut message = Vec::new();
        for number in 0..=count {
            message.extend_from_slice(&find(first.wrapping_add(number))?.octets);
        }
        self.pieces.retain(|piece| piece.tsn.wrapping_sub(first) > count);
        let held = self.pieces.iter().map(|piece| piece.octets.len()).sum();
        let freed = std::mem::replace(&mut self.held, held).saturating_sub(held);
        shared.purse.give(u64::try_from(freed).unwrap_or(u64::MAX));
        Some(message)
    }

    /// Forgets all pieces: something that they wait for was not captured.
    fn give_up(&mut self, shared: &mut Shared) {
        shared.purse.give(u64::try_from(std::mem::take(&mut self.held)).unwrap_or(u64::MAX));
        shared.purse.evict(PIECES, 1);
        self.pieces.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        Shared::new(1 << 20, 0, &std::sync::Arc::default())
    }

    fn piece(tsn: u32, flags: u8, payload: &[u8]) -> Data<'_> {
        let (begins, ends) = (flags & 2 != 0, flags & 1 != 0);
        Data { begins, ends, tsn, stream: 0, protocol: 0, payload, cut: false }
    }

    #[test]
    fn pieces_in_any_order_make_a_message_across_the_end_of_the_numbers() {
        let (mut side, mut shared) = (Side::default(), shared());
        let max = u32::MAX;
        assert_eq!(side.take(&piece(0, 0, b"c"), &mut shared), None);
        assert_eq!(side.take(&piece(max - 1, 2, b"a"), &mut shared), None);
        assert_eq!(side.take(&piece(1, 1, b"d"), &mut shared), None);
        assert_eq!(side.take(&piece(2, 2, b"next"), &mut shared), None);
        assert_eq!(side.take(&piece(max, 0, b"b"), &mut shared), Some(b"abcd".to_vec()));
        assert_eq!((side.pieces.len(), side.held, shared.purse.used()), (1, 4, 4));
    }

    #[test]
    fn a_repeated_number_is_not_new() {
        let mut side = Side::default();
        let new: Vec<bool> = [5, 6, 5, 8, 7, 7, 200, 8].map(|tsn| side.is_new(tsn)).to_vec();
        assert_eq!(new, [true, true, false, true, true, false, true, false]);
    }

    #[test]
    fn pieces_that_wait_for_ever_are_bounded() {
        let (mut side, mut shared) = (Side::default(), shared());
        for tsn in 0..1_000 {
            assert_eq!(side.take(&piece(2 * tsn, 0, &[0; 9_000]), &mut shared), None);
            assert!(side.pieces.len() <= PIECES_MAX && side.held <= OCTETS_MAX);
        }
        assert!(!shared.purse.evicted().is_empty());
    }
}
