//! TLS over SCTP (RFC 3436): one connection for each stream of an association, its records in user
//! messages of both directions. Handshakes are read as over TCP; nothing is opened. User messages are
//! taken in the order in which they are whole.

use crate::dissect::tcp_probe::{self, Probe, TlsStart};
use crate::dissect::tls_handshake::TlsHandshake;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::time::{Span, Ts};

use super::emit::Emitter;
use super::input::Input;
use super::shared::Shared;
use super::tls_flow::sctp_fact;

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
    last: FrameRef,
    seen: Ts,
}

/// One stream.
#[derive(Debug)]
struct Stream {
    number: u16,
    /// `None` when it was told of.
    handshake: Option<Box<TlsHandshake>>,
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
        let place = known.or_else(|| {
            let handshake = begins(message, side, emit)?;
            (self.streams.len() < STREAMS_MAX).then(|| {
                self.streams.push(Stream { number, handshake: Some(handshake), paid: 0 });
                self.streams.len().saturating_sub(1)
            })
        });
        let Some(stream) = place.and_then(|place| self.streams.get_mut(place)) else { return };
        let Some(handshake) = &mut stream.handshake else { return };
        handshake.push(side, message, false, emit.frame());
        if handshake.ended.is_some() {
            stream.tell(self.ends, self.clipped, shared, emit);
        } else {
            stream.settle(shared);
        }
    }

    /// Tells of what is unfinished, after a silence of `idle`; in the place of a packet of another
    /// association without it.
    pub(super) fn end(mut self, idle: Option<Span>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if let Some(idle) = idle {
            emit.due(self.seen.plus(idle), self.flow, self.last);
        }
        let cited = emit.cite(self.last);
        for stream in &mut self.streams {
            stream.tell(self.ends, self.clipped, shared, emit);
        }
        emit.cite(cited);
    }
}

impl Stream {
    /// Has the purse pay for the messages; without room they are forgotten, and the handshake is not.
    fn settle(&mut self, shared: &mut Shared) {
        let Some(handshake) = &mut self.handshake else { return };
        let cost = handshake.cost(0).saturating_add(handshake.cost(1));
        if shared.purse.take(cost.saturating_sub(self.paid)) {
            self.paid = self.paid.max(cost);
        } else {
            shared.purse.evict(MESSAGES, 1);
            shared.purse.give(std::mem::take(&mut self.paid));
            handshake.forget(0);
            handshake.forget(1);
        }
    }

    fn tell(
        &mut self,
        ends: [Endpoint; 2],
        clipped: bool,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        if let Some(handshake) = self.handshake.take() {
            sctp_fact(&handshake, ends, clipped, emit);
        }
        shared.purse.give(std::mem::take(&mut self.paid));
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
