//! DTLS over SCTP (RFC 6083): one connection for an association, whatever the stream, each record in a user
//! message of its own. Its handshake is read as over UDP, and SIP inside, whole in each record (RFC 4168
//! §3), is read where the secrets are known or come later. SCTP repeats what is lost, so a `ClientHello` is
//! never sent again. DTLS 1.3 is not opened.

use overhear_parsers::dtls::{self, Record, Records};
use overhear_parsers::sip;

use crate::dissect::dtls_handshake::DtlsHandshake;
use crate::dissect::tls_open::datagrams::DtlsOpening;
use crate::dissect::tls_open::keylog::Random;
use crate::dissect::tls_open::keys::Keys;
use crate::dissect::tls_open::session::Opened;
use crate::model::addr::{Endpoint, Proto};
use crate::model::evidence::FrameRef;
use crate::model::fact::Body;
use crate::model::handshake::Peer;
use crate::model::time::{Span, Ts};
use crate::model::transport::Transport;

use super::dtls_flows::opening;
use super::dtls_hello::Hello;
use super::emit::Emitter;
use super::input::Input;
use super::shared::Shared;
use super::sip_fact::{Way, sip_fact};
use super::tls_flow::{DtlsAround, dtls_fact};
use super::tls_retained::{Kept, Retained};

/// Name in `evicted` of unfinished messages for which there was no memory.
const MESSAGES: &str = "dtls_messages";

/// The content type of what the peers say to each other.
const APPLICATION_DATA: u8 = 23;

/// The DTLS of one association.
#[derive(Debug)]
pub(super) struct SctpDtls {
    handshake: Option<Box<DtlsHandshake>>,
    inside: Inside,
    client: Endpoint,
    server: Endpoint,
    clipped: bool,
    /// A hello was seen, or it was told that there was none.
    begun: bool,
    flow: u64,
    last: FrameRef,
    seen: Ts,
    /// What the purse has paid.
    paid: u64,
}

/// Where the records behind a handshake are opened.
#[derive(Debug, Default)]
struct Inside {
    opening: Option<Box<DtlsOpening>>,
    /// By which its secrets are found; known with the first encrypted record, when they are looked for.
    random: Option<Random>,
    /// There are secrets, be they the right ones or not.
    known: bool,
    /// The epoch in which the keys hold that were agreed on last, if that was behind the handshake.
    epoch: u16,
    /// Both hellos were seen.
    agreed: bool,
    /// What came, while secrets may still.
    retained: Retained,
}

/// A user message with its sender.
#[derive(Debug)]
struct Message<'a> {
    from: Peer,
    /// How SIP inside travels.
    way: Way,
    octets: &'a [u8],
}

impl SctpDtls {
    /// That of the association of this packet.
    pub(super) fn new(input: &Input) -> Self {
        Self {
            handshake: None,
            inside: Inside::default(),
            client: input.packet.src,
            server: input.packet.dst,
            clipped: false,
            begun: false,
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
            std::mem::take(&mut self.inside).close(self.flow, shared);
            self.handshake = Some(Box::new(DtlsHandshake::new(input.frame_ref())));
            (self.client, self.server) = (input.packet.src, input.packet.dst);
            self.begun = true;
        }
        (self.last, self.seen) = (input.frame_ref(), input.watermark);
        self.clipped |= input.packet.clipped;
        if !std::mem::replace(&mut self.begun, true) {
            let (src, dst, proto) = (input.packet.src, input.packet.dst, Proto::SCTP);
            emit.fact(Body::MidstreamTls { src, dst, proto });
        }
        let from = self.peer(input.packet.src);
        if shared.keys.may_grow() && self.inside.opening.is_none() {
            let side = usize::from(from == Peer::Server);
            self.inside.retained.keep((side, false), message, emit.frame(), shared);
        }
        if self.handshake.is_none() && self.inside.agreed {
            self.renewed(message, emit);
        }
        let waited = self.inside.waits_for();
        let message = self.sent(from, message);
        self.inside.take(self.handshake.as_deref_mut(), &message, &shared.keys, emit);
        if let Some(random) = self.inside.waits_for().filter(|_| waited.is_none()) {
            shared.waiting.insert((random, self.flow));
        }
        self.settle(shared, emit);
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
        let from = self.peer(input.packet.src);
        if let Some(handshake) = &mut self.handshake {
            handshake.closed(from, abort, emit.frame());
        }
        self.settle(shared, emit);
    }

    /// Secrets came, perhaps for this one: what was kept is gone through once more.
    pub(super) fn secrets(&mut self, random: &Random, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if self.inside.waits_for() != Some(*random) {
            return;
        }
        let mut retained = std::mem::take(&mut self.inside.retained);
        if retained.given_up() {
            retained.missed(shared);
            return std::mem::take(&mut self.inside).close(self.flow, shared);
        }
        let mut again = Inside::default();
        let mut handshake = DtlsHandshake::new(self.last);
        let mut first = None;
        for (Kept { side, frame, .. }, message) in retained.pieces() {
            emit.cite(frame);
            first = first.or(Some(frame));
            let from = if side == 0 { Peer::Client } else { Peer::Server };
            let message = self.sent(from, message);
            again.take(Some(&mut handshake), &message, &shared.keys, emit);
        }
        retained.forget(shared);
        let opened = again.opening.as_ref().is_some_and(|opening| opening.has_opened());
        let told = first.filter(|_| opened && self.handshake.is_none());
        self.inside = Inside { retained, epoch: self.inside.epoch, ..again };
        if let Some(first) = told {
            let (client, server, proto) = (self.client, self.server, Proto::SCTP);
            emit.fact(Body::DtlsOpened { client, server, first, proto });
        }
        self.settle(shared, emit);
    }

    /// Tells of what is unfinished, after a silence of `idle`; in the place of a packet of another
    /// association without it.
    pub(super) fn end(mut self, idle: Option<Span>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if let Some(idle) = idle {
            emit.due(self.seen.plus(idle), self.flow, self.last);
        }
        let cited = emit.cite(self.last);
        self.tell(emit);
        shared.purse.give(self.paid);
        self.inside.close(self.flow, shared);
        emit.cite(cited);
    }

    /// Looks whether keys were agreed on once more.
    fn renewed(&mut self, message: &[u8], emit: &mut Emitter<'_>) {
        for record in Records::new(message) {
            if DtlsHandshake::renews(&record, &mut self.inside.epoch) {
                let (client, server, proto) = (self.client, self.server, Proto::SCTP);
                emit.fact(Body::Renegotiated { client, server, proto });
            }
        }
    }

    fn peer(&self, sender: Endpoint) -> Peer {
        if sender == self.client { Peer::Client } else { Peer::Server }
    }

    fn sent<'a>(&self, from: Peer, octets: &'a [u8]) -> Message<'a> {
        let (client, server) = (self.client, self.server);
        let ends = if from == Peer::Client { (client, server) } else { (server, client) };
        let way = Way::within(ends, Transport::TlsSctp, self.clipped, true);
        Message { from, way, octets }
    }

    /// Tells of a handshake that is over; has the purse pay for what goes on. Without room messages are
    /// forgotten, and the handshake is not.
    fn settle(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if self.handshake.as_ref().is_some_and(|handshake| handshake.ended.is_some()) {
            self.tell(emit);
        }
        let handshake = self.handshake.as_ref().map_or(0, |handshake| handshake.cost());
        let opening = self.inside.opening.as_ref().map_or(0, |opening| opening.cost());
        let cost = handshake.saturating_add(opening);
        if shared.purse.take(cost.saturating_sub(self.paid)) {
            shared.purse.give(self.paid.saturating_sub(cost));
            self.paid = cost;
        } else {
            shared.purse.evict(MESSAGES, 1);
            shared.purse.give(std::mem::take(&mut self.paid));
            self.handshake.iter_mut().for_each(|handshake| handshake.forget());
            std::mem::take(&mut self.inside).close(self.flow, shared);
        }
    }

    fn tell(&mut self, emit: &mut Emitter<'_>) {
        if let Some(handshake) = self.handshake.take() {
            let opening = self.inside.opening.as_ref();
            let around = DtlsAround {
                client: self.client,
                server: self.server,
                over_sctp: true,
                clipped: self.clipped,
                decrypted: opening.is_some_and(|opening| opening.has_opened()),
                awaits_secrets: false,
                checked: false,
            };
            dtls_fact(&handshake, around, emit);
        }
    }
}

impl Inside {
    /// Takes the records of a user message to the handshake, if one is under way, and opens them.
    fn take(
        &mut self,
        mut handshake: Option<&mut DtlsHandshake>,
        message: &Message<'_>,
        keys: &Keys,
        emit: &mut Emitter<'_>,
    ) {
        let (from, at) = (message.from, emit.frame());
        let mut records = Records::new(message.octets);
        for record in records.by_ref() {
            self.open(handshake.as_deref(), message, &record, keys, emit);
            if let Some(handshake) = &mut handshake {
                handshake.record(from, &record, at);
            }
        }
        if let Some(handshake) = handshake.filter(|_| dtls::unified(records.rest())) {
            handshake.unified(from, records.rest().len(), at);
        }
    }

    /// Opens a record, if it is encrypted and there are secrets for it.
    fn open(
        &mut self,
        handshake: Option<&DtlsHandshake>,
        message: &Message<'_>,
        record: &Record<'_>,
        keys: &Keys,
        emit: &mut Emitter<'_>,
    ) {
        if record.epoch == 0 {
            return;
        }
        if let Some(handshake) = handshake.filter(|_| self.random.is_none()) {
            self.random = handshake.random().and_then(|random| random.try_into().ok());
            self.agreed = handshake.version.is_some();
            self.opening = opening(handshake, keys);
            let secrets = self.random.is_some_and(|random| keys.find(&random).is_some());
            self.known = secrets || self.opening.is_some();
        }
        let Some(opening) = &mut self.opening else { return };
        let role = usize::from(message.from == Peer::Server);
        let opened = opening.record(role, record, keys);
        if opened == Opened::Plain(APPLICATION_DATA) && sip::probe(opening.plain()) {
            let way = Way { encrypted: !opening.is_null(), ..message.way };
            sip_fact(&way, opening.plain(), emit);
        }
    }

    /// The random by which secrets that come later find it.
    fn waits_for(&self) -> Option<Random> {
        self.random.filter(|_| self.opening.is_none() && !self.known)
    }

    /// Ends it, and counts: secrets that come later find nothing there any more.
    fn close(mut self, flow: u64, shared: &mut Shared) {
        if let Some(random) = self.waits_for() {
            shared.waiting.remove(&(random, flow));
        }
        self.retained.forget(shared);
        let read = self.opening.is_some_and(|opening| opening.has_read());
        if self.agreed {
            shared.openings.tls.count(read, self.known);
            shared.openings.over_sctp += 1;
        }
    }
}
