//! DTLS over UDP whose secrets came after its handshake: what was received of the handshake waits for
//! them, and gives the keys of SRTP when they come (RFC 5764 §4.2). The handshake itself was told of, and
//! is told to have opened.

use overhear_parsers::dtls::Records;

use crate::dissect::dtls_handshake::DtlsHandshake;
use crate::dissect::tls_open::datagrams::DtlsOpening;
use crate::dissect::tls_open::keylog::Random;
use crate::dissect::tls_open::keys::Keys;
use crate::model::addr::{Endpoint, Proto};
use crate::model::evidence::FrameRef;
use crate::model::fact::Body;
use crate::model::handshake::Peer;
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

use super::dtls_flows::opening;
use super::emit::Emitter;
use super::flow_table::FlowTable;
use super::shared::{Awaited, Shared};
use super::tls_flow::srtp_keys_fact;
use super::tls_retained::{Kept, Retained};

/// A handshake that waits.
#[derive(Debug)]
pub(super) struct Late {
    /// By which its secrets are found.
    pub(super) random: Random,
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    /// The first message of its handshake.
    pub(super) first: FrameRef,
    /// Its datagrams; 0 is the client.
    pub(super) retained: Retained,
    pub(super) flow: u64,
}

/// The handshakes of one cell that wait, by flow hash.
#[derive(Debug)]
pub(super) struct DtlsLate {
    table: FlowTable<Option<Late>>,
}

impl Late {
    /// Nothing will come of it any more.
    fn forget(mut self, shared: &mut Shared) {
        shared.waiting.remove(&(self.random, self.flow));
        self.retained.forget(shared);
    }

    /// Goes through the datagrams once more, with the secrets.
    fn open(&self, keys: &Keys) -> Option<(Box<DtlsOpening>, FrameRef)> {
        let (mut handshake, mut found, mut last) = (None, None, FrameRef::default());
        for (Kept { side, frame, .. }, datagram) in self.retained.pieces() {
            let handshake = handshake.get_or_insert_with(|| DtlsHandshake::new(frame));
            last = frame;
            for record in Records::new(datagram) {
                if record.epoch > 0 {
                    let opening = found.get_or_insert_with(|| opening(handshake, keys));
                    if let Some(opening) = opening {
                        opening.record(side, &record, keys);
                    }
                }
                let from = if side == 0 { Peer::Client } else { Peer::Server };
                handshake.record(from, &record, frame);
            }
        }
        found.flatten().map(|opening| (opening, last))
    }
}

impl DtlsLate {
    /// A table with one cell's share of the limits.
    pub(super) fn new(limits: &Limits) -> Self {
        let idle: Span = limits.tcp_idle;
        Self { table: FlowTable::new(Limits::per_cell(limits.udp_flows), idle) }
    }

    /// When the first one is forgotten, at the earliest.
    pub(super) fn next_timer(&self) -> Option<Ts> {
        self.table.next_timer()
    }

    /// Has a handshake wait, in the place of an earlier one of its flow.
    pub(super) fn keep(&mut self, late: Late, watermark: Ts, shared: &mut Shared) {
        let mut gone = |it: Option<Late>| it.into_iter().for_each(|it| it.forget(shared));
        let place = self.table.get_or_insert(late.flow, watermark, || None, &mut gone);
        let before = place.take();
        let session = (late.random, late.flow);
        *place = Some(late);
        gone(before);
        shared.waiting.insert(session);
    }

    /// Secrets came for what waits in a flow.
    pub(super) fn secrets(
        &mut self,
        (random, flow): Awaited,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        let place = self.table.peek(flow);
        let Some(mut late) = place.and_then(|late| late.take_if(|it| it.random == random)) else {
            return;
        };
        if late.retained.given_up() {
            return late.retained.missed(shared);
        }
        let opened = late.open(&shared.keys);
        late.retained.forget(shared);
        let read = opened.as_ref().is_some_and(|(opening, _)| opening.has_read());
        shared.openings.over_udp.came(read);
        let Some((opening, last)) = opened.filter(|(opening, _)| opening.has_opened()) else {
            return;
        };
        emit.cite(last);
        let Late { client, server, first, .. } = late;
        emit.fact(Body::DtlsOpened { client, server, first, proto: Proto::UDP });
        srtp_keys_fact(&opening, (client, server), emit);
    }

    /// Forgets those that have waited for too long.
    pub(super) fn advance(&mut self, watermark: Ts, shared: &mut Shared) {
        let mut gone = |it: Option<Late>| it.into_iter().for_each(|it| it.forget(shared));
        self.table.advance(watermark, &mut gone);
    }
}
