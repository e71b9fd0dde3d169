//! TLS over SCTP (RFC 3436): one connection for each stream of an association, its records in user
//! messages of both directions. Handshakes are read as over TCP, and opened with their secrets alike. User
//! messages are taken in the order in which they are whole.

use crate::dissect::tcp_probe::{self, Probe, TlsStart};
use crate::dissect::tls_handshake::TlsHandshake;
use crate::dissect::tls_open::keylog::Random;
use crate::model::addr::{Endpoint, Proto};
use crate::model::evidence::FrameRef;
use crate::model::fact::Body;
use crate::model::time::{Span, Ts};
use crate::model::transport::Transport;

use super::emit::Emitter;
use super::input::Input;
use super::shared::Shared;
use super::tcp_carried::Piece;
use super::tls_flow::sctp_fact;
use super::tls_opening::Opening;

/// Streams of an association whose handshakes are read.
const STREAMS_MAX: usize = 8;

/// Name in `evicted` of unfinished messages for which there was no memory.
const MESSAGES: &str = "tcp_messages";

/// The TLS of one association.
#[derive(Debug)]
pub(super) struct SctpTls {
    /// The smaller and the larger.
    ends: [Endpoint; 2],
    streams: Vec<Stream>,
    flow: u64,
    clipped: bool,
    /// Records without a handshake before them were told of.
    midstream: bool,
    last: FrameRef,
    seen: Ts,
}

/// One stream.
#[derive(Debug)]
struct Stream {
    number: u16,
    /// `None` when it was told of.
    handshake: Option<Box<TlsHandshake>>,
    /// Where it is opened, if there are or may still come secrets.
    opening: Option<Box<Opening>>,
    /// What the purse has paid.
    paid: u64,
}

impl SctpTls {
    /// That of the association of this packet.
    pub(super) fn new(input: &Input) -> Self {
        let (src, dst) = (input.packet.src, input.packet.dst);
        Self {
            ends: if src > dst { [dst, src] } else { [src, dst] },
            streams: Vec::new(),
            flow: input.flow,
            clipped: false,
            midstream: false,
            last: input.frame_ref(),
            seen: input.watermark,
        }
    }

    /// Takes a user message of a stream.
    pub(super) fn message(
        &mut self,
        input: &Input,
        number: u16,
        message: &[u8],
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        (self.last, self.seen) = (input.frame_ref(), input.watermark);
        self.clipped |= input.packet.clipped;
        let side = usize::from(input.packet.src > input.packet.dst);
        let known = self.streams.iter().position(|stream| stream.number == number);
        let common = self.place();
        let place = known.or_else(|| {
            let handshake = begins(message, side, emit)?;
            (self.streams.len() < STREAMS_MAX).then(|| {
                self.streams.push(Stream::new(number, handshake, shared));
                self.streams.len().saturating_sub(1)
            })
        });
        let Some(stream) = place.and_then(|place| self.streams.get_mut(place)) else {
            if !std::mem::replace(&mut self.midstream, true) && self.streams.is_empty() {
                let (src, dst, proto) = (input.packet.src, input.packet.dst, Proto::SCTP);
                emit.fact(Body::MidstreamTls { src, dst, proto });
            }
            return;
        };
        let (src, dst, clipped) = (input.packet.src, input.packet.dst, self.clipped);
        let (transport, encrypted, after_gap) = (Transport::Sctp, false, false);
        let octets = message;
        let piece = Piece { side, src, dst, octets, after_gap, clipped, transport, encrypted };
        stream.open(&piece, self.flow, shared, emit);
        if let Some(handshake) = stream.handshake.as_mut().filter(|of| of.ended.is_none()) {
            handshake.push(side, message, false, emit.frame());
        }
        stream.settle(common, shared, emit);
    }

    /// One side ended the association.
    pub(super) fn closed(
        &mut self,
        input: &Input,
        abort: bool,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        (self.last, self.seen) = (input.frame_ref(), input.watermark);
        let side = usize::from(input.packet.src > input.packet.dst);
        let place = self.place();
        for stream in &mut self.streams {
            if let Some(handshake) = &mut stream.handshake {
                handshake.closed(side, abort, emit.frame());
            }
            stream.settle(place, shared, emit);
        }
    }

    /// What its streams have in common.
    const fn place(&self) -> Place {
        Place { ends: self.ends, clipped: self.clipped, flow: self.flow }
    }

    /// Secrets came for one of its streams.
    pub(super) fn secrets(&mut self, random: &Random, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let place = self.place();
        for stream in &mut self.streams {
            stream.secrets(random, place, shared, emit);
        }
    }

    /// Tells of what is unfinished, after a silence of `idle`; in the place of a packet of another
    /// association without it.
    pub(super) fn end(mut self, idle: Option<Span>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if let Some(idle) = idle {
            emit.due(self.seen.plus(idle), self.flow, self.last);
        }
        let cited = emit.cite(self.last);
        let place = self.place();
        for stream in &mut self.streams {
            stream.tell(place, shared, emit);
            if let Some(opening) = stream.opening.take() {
                place.close(*opening, shared, emit);
            }
        }
        emit.cite(cited);
    }
}

/// What the streams of an association have in common.
#[derive(Copy, Clone, Debug)]
struct Place {
    /// The smaller and the larger.
    ends: [Endpoint; 2],
    clipped: bool,
    flow: u64,
}

impl Stream {
    fn new(number: u16, handshake: Box<TlsHandshake>, shared: &Shared) -> Self {
        let wanted = shared.keys.are_known() || shared.keys.may_grow();
        let opening = wanted.then(|| Box::new(Opening::over_sctp()));
        Self { number, handshake: Some(handshake), opening, paid: 0 }
    }

    /// Takes octets to where they are opened.
    fn open(&mut self, piece: &Piece<'_>, flow: u64, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let Some(opening) = self.opening.as_mut().filter(|opening| opening.is_read()) else {
            return;
        };
        opening.push(piece, shared, emit);
        if let Some(random) = opening.waits_for() {
            shared.waiting.insert((*random, flow));
        }
    }

    /// Tells of a handshake that is over, unless more of it may show; has the purse pay for what goes on.
    fn settle(&mut self, place: Place, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let may_show_more = self.opening.as_ref().is_some_and(|opening| opening.may_show_more());
        if let Some(handshake) = &mut self.handshake {
            let cost = handshake.cost(0).saturating_add(handshake.cost(1));
            if handshake.ended.is_some() && !(handshake.hides_more() && may_show_more) {
                self.tell(place, shared, emit);
            } else if shared.purse.take(cost.saturating_sub(self.paid)) {
                self.paid = self.paid.max(cost);
            } else {
                shared.purse.evict(MESSAGES, 1);
                shared.purse.give(std::mem::take(&mut self.paid));
                handshake.forget(0);
                handshake.forget(1);
            }
        }
        if let Some(mut opening) = self.opening.take() {
            if opening.settle(shared) {
                self.opening = Some(opening);
            } else {
                place.close(*opening, shared, emit);
            }
        }
    }

    /// Secrets came, perhaps for this one.
    fn secrets(
        &mut self,
        random: &Random,
        place: Place,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        let Some(mut opening) = self.opening.take() else { return };
        let Place { ends, clipped, .. } = place;
        if opening.waits_for() != Some(random) {
            self.opening = Some(opening);
            return;
        }
        let Some(stream) = opening.preview(shared) else {
            shared.waiting.insert((*random, place.flow));
            self.opening = Some(opening);
            return;
        };
        if let Some(handshake) = self.handshake.take_if(|handshake| handshake.ended.is_some()) {
            sctp_fact(&handshake, ends, clipped, Some(&stream), emit);
            shared.purse.give(std::mem::take(&mut self.paid));
        }
        let told = self.handshake.is_none();
        if opening.again(ends, [clipped, told], shared, emit) {
            self.opening = Some(opening);
        } else {
            place.close(*opening, shared, emit);
        }
    }

    fn tell(&mut self, place: Place, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let Place { ends, clipped, .. } = place;
        if let Some(handshake) = self.handshake.take() {
            let stream = self.opening.as_ref().map(|opening| opening.stream());
            sctp_fact(&handshake, ends, clipped, stream, emit);
            self.opening.iter_mut().for_each(|opening| opening.handshake_over());
        }
        shared.purse.give(std::mem::take(&mut self.paid));
    }
}

impl Place {
    /// Ends the opening of a stream: secrets that come later find nothing there any more.
    fn close(self, opening: Opening, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if let Some(random) = opening.waits_for() {
            shared.waiting.remove(&(*random, self.flow));
        }
        opening.close(self.ends, self.clipped, shared, emit);
    }
}

/// The handshake that begins with a user message.
fn begins(message: &[u8], side: usize, emit: &Emitter<'_>) -> Option<Box<TlsHandshake>> {
    let client = match tcp_probe::probe(message) {
        Probe::Tls(TlsStart::Client) => side,
        Probe::Tls(TlsStart::Server) => usize::from(side == 0),
        _ => return None,
    };
    Some(Box::new(TlsHandshake::new(client, false, emit.frame())))
}
