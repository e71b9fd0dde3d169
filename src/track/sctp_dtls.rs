//! DTLS over SCTP (RFC 6083): one connection for an association, whatever the stream, each record in a user
//! message of its own. Its handshake is read as over UDP, and nothing is opened. SCTP repeats what is
//! lost, so a `ClientHello` is never sent again.

use overhear_parsers::dtls::{self, Records};

use crate::dissect::dtls_handshake::DtlsHandshake;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::handshake::Peer;
use crate::model::time::{Span, Ts};

use super::dtls_flows::Hello;
use super::emit::Emitter;
use super::input::Input;
use super::shared::Shared;
use super::tls_flow::dtls_fact;

/// Name in `evicted` of unfinished messages for which there was no memory.
const MESSAGES: &str = "dtls_messages";

/// The DTLS of one association.
#[derive(Debug)]
pub(super) struct SctpDtls {
    handshake: Option<Box<DtlsHandshake>>,
    client: Endpoint,
    server: Endpoint,
    clipped: bool,
    flow: u64,
    last: FrameRef,
    seen: Ts,
    /// What the purse has paid.
    paid: u64,
}

impl SctpDtls {
    /// That of the association of this packet.
    pub(super) fn new(input: &Input) -> Self {
        Self {
            handshake: None,
            client: input.packet.src,
            server: input.packet.dst,
            clipped: false,
            flow: input.flow,
            last: input.frame_ref(),
            seen: input.watermark,
            paid: 0,
        }
    }

    /// Takes a user message.
    pub(super) fn message(
        &mut self,
        input: &Input,
        message: &[u8],
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        if self.handshake.is_none() && Hello::of(message).is_some() {
            self.handshake = Some(Box::new(DtlsHandshake::new(input.frame_ref())));
            (self.client, self.server) = (input.packet.src, input.packet.dst);
        }
        (self.last, self.seen) = (input.frame_ref(), input.watermark);
        self.clipped |= input.packet.clipped;
        let from = if input.packet.src == self.client { Peer::Client } else { Peer::Server };
        let Some(handshake) = &mut self.handshake else { return };
        let mut records = Records::new(message);
        for record in records.by_ref() {
            handshake.record(from, &record, input.frame_ref());
        }
        if dtls::unified(records.rest()) {
            handshake.unified(from, records.rest().len(), input.frame_ref());
        }
        if handshake.ended.is_some() {
            self.tell(shared, emit);
        } else {
            self.settle(shared);
        }
    }

    /// Tells of what is unfinished, after a silence of `idle`; in the place of a packet of another
    /// association without it.
    pub(super) fn end(mut self, idle: Option<Span>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if let Some(idle) = idle {
            emit.due(self.seen.plus(idle), self.flow, self.last);
        }
        let cited = emit.cite(self.last);
        self.tell(shared, emit);
        emit.cite(cited);
    }

    /// Has the purse pay for the messages; without room they are forgotten, and the handshake is not.
    fn settle(&mut self, shared: &mut Shared) {
        let Some(handshake) = &mut self.handshake else { return };
        let cost = handshake.cost();
        if shared.purse.take(cost.saturating_sub(self.paid)) {
            self.paid = self.paid.max(cost);
        } else {
            shared.purse.evict(MESSAGES, 1);
            shared.purse.give(std::mem::take(&mut self.paid));
            handshake.forget();
        }
    }

    fn tell(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if let Some(handshake) = self.handshake.take() {
            let ends = (self.client, self.server);
            dtls_fact(&handshake, ends, [self.clipped, false, false, true], emit);
        }
        shared.purse.give(std::mem::take(&mut self.paid));
    }
}
