//! UDP flows of one cell that carry DTLS: their handshakes read, a repeated `ClientHello` told from a
//! new handshake, and DTLS 1.3 records, which have no version, known for what they are. Of STUN it is
//! remembered in which flows a check succeeded lately: who greets there was expected.

use hashbrown::HashTable;
use overhear_parsers::dtls::{self, Record, Records};

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
use crate::reassemble::purse::Purse;

use super::alarm::Alarms;
use super::dtls_hello::{Hello, hash_of, is_answer};
use super::dtls_late::{DtlsLate, Late};
use super::emit::Emitter;
use super::input::Input;
use super::shared::{Awaited, Shared};
use super::tls_flow::{DtlsAround, dtls_fact, srtp_keys_fact};
use super::tls_retained::Retained;

/// Name of the table in `evicted`.
pub const TABLE: &str = "udp_flows";

/// Name in `evicted` of handshakes whose messages there was no memory to keep.
const MESSAGES: &str = "dtls_messages";

/// Flows of a cell in which a STUN check succeeded that are remembered: checks are repeated every few
/// seconds (RFC 7675 §4.1), and a handshake follows one at once.
const CHECKED: usize = 512;

/// Octets of one flow with its timer, in a table that is half full after it has grown.
pub const ENTRY: usize = 2 * (size_of::<Flow>() + 1) + 3 * size_of::<Ts>();

#[derive(Debug)]
struct Flow {
    hash: u64,
    last_seen: Ts,
    last_frame: FrameRef,
    armed: Ts,
    /// Hash of the random of the last `ClientHello` seen: a repetition has the same. 0 before any.
    greeting: u32,
    /// The epoch in which the keys hold that were agreed on last, if that was behind the handshake.
    epoch: u16,
    /// Who sent the last `ClientHello` is the larger end.
    by_larger: bool,
    handshake: Option<Box<Pending>>,
}

/// A handshake that is not over.
#[derive(Debug)]
struct Pending {
    handshake: DtlsHandshake,
    client: Endpoint,
    server: Endpoint,
    clipped: bool,
    /// The random of its hello is [`Flow::greeting`]; not yet known while the hello comes in parts.
    named: bool,
    /// A STUN check succeeded before it was over.
    checked: bool,
    /// Its encrypted records, if there are secrets for them.
    opening: Option<Box<DtlsOpening>>,
    /// Secrets were looked for.
    tried: bool,
    /// Its datagrams, while secrets may still come.
    retained: Retained,
    /// What the purse has paid.
    paid: u64,
}

/// The DTLS flows of one cell, by flow hash.
#[derive(Debug)]
pub struct DtlsFlows {
    table: HashTable<Flow>,
    alarms: Alarms,
    /// Hashes of flows in which a STUN check succeeded, each in its place until another takes it;
    /// empty before the first.
    checked: Vec<u64>,
    late: DtlsLate,
    cap: usize,
    idle: Span,
    evicted: u64,
}

impl Flow {
    /// Ends the handshake, if one is under way; gives what of it waits for its secrets.
    fn end(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) -> Option<Late> {
        let mut pending = self.handshake.take()?;
        shared.purse.give(pending.paid);
        let retained = std::mem::take(&mut pending.retained);
        if !pending.named && self.greeting != 0 {
            // Parts of a hello sent again, as far as can be told.
            return forgotten(retained, shared);
        }
        let Pending { handshake, client, server, clipped, checked, opening, .. } = &*pending;
        let (client, server, opening) = (*client, *server, opening.as_deref());
        let random = handshake.random().and_then(|random| Random::try_from(random).ok());
        let sealed = handshake.sealed != [false; 2];
        let known = opening.is_some() || random.is_some_and(|of| shared.keys.find(&of).is_some());
        let late = random.filter(|_| sealed && !known && shared.keys.may_grow());
        let around = DtlsAround {
            client,
            server,
            over_sctp: false,
            clipped: *clipped,
            decrypted: opening.is_some_and(DtlsOpening::has_opened),
            awaits_secrets: late.is_some(),
            checked: *checked,
        };
        dtls_fact(handshake, around, emit);
        if let Some(opening) = opening {
            srtp_keys_fact(opening, (client, server), emit);
        }
        if sealed && handshake.version.is_some() {
            let read = opening.is_some_and(DtlsOpening::has_read);
            shared.openings.over_udp.count(read, known);
        }
        let Some(random) = late else { return forgotten(retained, shared) };
        let (first, flow) = (handshake.first, self.hash);
        Some(Late { random, client, server, first, retained, flow })
    }

    /// Looks whether a datagram behind the handshake shows that keys were agreed on once more. What they
    /// are cannot be read.
    fn renewed(
        &mut self,
        input: &Input,
        payload: &[u8],
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        if self.greeting == 0 {
            return;
        }
        for record in Records::new(payload) {
            if DtlsHandshake::renews(&record, &mut self.epoch) {
                let (src, dst) = (input.packet.src, input.packet.dst);
                let by_sender = (src > dst) == self.by_larger;
                let (client, server) = if by_sender { (src, dst) } else { (dst, src) };
                shared.openings.renewed += 1;
                emit.fact(Body::Renegotiated { client, server, proto: Proto::UDP });
            }
        }
    }

    /// A `ClientHello` came, or a part of one: a new handshake, unless it belongs to the one under way
    /// or repeats the last one.
    fn greet(
        &mut self,
        input: &Input,
        hello: Hello,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) -> Option<Late> {
        let repeated = hello == Hello::Random(self.greeting);
        let continues = match &self.handshake {
            Some(pending) => hello == Hello::Part || !pending.named,
            None => false,
        };
        if repeated || continues {
            return None;
        }
        let cited = emit.cite(self.last_frame);
        let late = self.end(shared, emit);
        emit.cite(cited);
        if let Hello::Random(random) = hello {
            self.greeting = random;
        }
        (self.epoch, self.by_larger) = (0, input.packet.src > input.packet.dst);
        self.handshake = Some(Box::new(Pending {
            handshake: DtlsHandshake::new(input.frame_ref()),
            client: input.packet.src,
            server: input.packet.dst,
            clipped: false,
            named: hello != Hello::Part,
            checked: false,
            opening: None,
            tried: false,
            retained: Retained::default(),
            paid: 0,
        }));
        late
    }

    /// Looks whether the random of a hello that came in parts is known by now; forgets the handshake if it
    /// turns out to be the last one's, repeated.
    fn name(&mut self, shared: &mut Shared) {
        let Some(pending) = self.handshake.as_mut().filter(|pending| !pending.named) else {
            return;
        };
        let Some(random) = pending.handshake.random().map(hash_of) else { return };
        if random == self.greeting {
            shared.purse.give(pending.paid);
            pending.retained.forget(shared);
            self.handshake = None;
        } else {
            (self.greeting, pending.named) = (random, true);
        }
    }

    /// Hands a datagram to the handshake, and ends it when it is over.
    fn take(
        &mut self,
        input: &Input,
        payload: &[u8],
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) -> Option<Late> {
        let Some(pending) = self.handshake.as_mut() else {
            self.renewed(input, payload, shared, emit);
            return None;
        };
        let (from, at) = (pending.peer(input.packet.src), input.frame_ref());
        if shared.keys.may_grow() && pending.opening.is_none() {
            let side = usize::from(from == Peer::Server);
            pending.retained.keep((side, false), payload, at, shared);
        }
        let mut records = Records::new(payload);
        for record in records.by_ref() {
            pending.open(from, &record, &shared.keys);
            pending.handshake.record(from, &record, at);
        }
        if dtls::unified(records.rest()) {
            pending.handshake.unified(from, records.rest().len(), at);
        }
        pending.clipped |= input.packet.clipped;
        pending.settle(&mut shared.purse);
        self.name(shared);
        let pending = self.handshake.as_ref()?;
        pending.handshake.ended.and_then(|_| self.end(shared, emit))
    }
}

impl Pending {
    fn peer(&self, sender: Endpoint) -> Peer {
        if sender == self.client { Peer::Client } else { Peer::Server }
    }

    /// Opens an encrypted record, if there are secrets for it.
    fn open(&mut self, from: Peer, record: &Record<'_>, keys: &Keys) {
        if record.epoch == 0 || !keys.are_known() {
            return;
        }
        if !std::mem::replace(&mut self.tried, true) {
            self.opening = opening(&self.handshake, keys);
        }
        if let Some(opening) = &mut self.opening {
            opening.record(usize::from(from == Peer::Server), record, keys);
        }
    }

    /// Has the purse pay; where it cannot, the messages are forgotten.
    fn settle(&mut self, purse: &mut Purse) {
        let cost = self.handshake.cost();
        if cost > self.paid && !purse.take(cost - self.paid) {
            purse.give(std::mem::take(&mut self.paid));
            purse.evict(MESSAGES, 1);
            self.handshake.forget();
        } else {
            purse.give(self.paid.saturating_sub(cost));
            self.paid = cost;
        }
    }
}

impl DtlsFlows {
    /// A table with one cell's share of the limits.
    pub fn new(limits: &Limits) -> Self {
        Self {
            table: HashTable::new(),
            alarms: Alarms::default(),
            checked: Vec::new(),
            late: DtlsLate::new(limits),
            cap: Limits::per_cell(limits.udp_flows),
            idle: limits.idle,
            evicted: 0,
        }
    }

    /// Flows given up for lack of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        [self.alarms.next(), self.late.next_timer()].into_iter().flatten().min()
    }

    /// Whether the flow is known to carry DTLS.
    pub fn contains(&self, hash: u64) -> bool {
        self.table.find(hash, |flow| flow.hash == hash).is_some()
    }

    /// A STUN check succeeded in this flow (RFC 8445 §7.2.5.3).
    pub fn check(&mut self, flow: u64) {
        if self.checked.is_empty() {
            self.checked = vec![0; CHECKED];
        }
        if let Some(place) = self.checked.get_mut(place(flow)) {
            *place = flow;
        }
    }

    /// Takes a datagram with records.
    pub fn datagram(
        &mut self,
        input: &Input,
        payload: &[u8],
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        let hello = Hello::of(payload);
        if !self.contains(input.flow) {
            self.insert(input, shared, emit);
            if hello.is_none() && is_answer(payload) {
                let (src, dst, proto) = (input.packet.src, input.packet.dst, Proto::UDP);
                emit.fact(Body::MidstreamTls { src, dst, proto });
            }
        }
        let hash = input.flow;
        let checked = self.checked.get(place(hash)).is_some_and(|flow| *flow == hash);
        let Some(flow) = self.table.find_mut(hash, |flow| flow.hash == hash) else { return };
        let before = hello.and_then(|hello| flow.greet(input, hello, shared, emit));
        if let Some(pending) = flow.handshake.as_mut().filter(|_| checked) {
            pending.checked = true;
        }
        (flow.last_seen, flow.last_frame) = (input.watermark, input.frame_ref());
        let late = flow.take(input, payload, shared, emit);
        if let Some(late) = before {
            self.late.keep(late, input.watermark, shared);
        }
        if let Some(late) = late {
            self.late.keep(late, input.watermark, shared);
        }
    }

    /// Secrets came for what waits in a flow.
    pub fn secrets(&mut self, of: Awaited, shared: &mut Shared, emit: &mut Emitter<'_>) {
        self.late.secrets(of, shared, emit);
    }

    fn insert(&mut self, input: &Input, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if self.table.len() >= self.cap {
            self.next_to_go(Ts::MAX, true, shared, emit);
        }
        let (hash, watermark) = (input.flow, input.watermark);
        let (armed, last_frame) = (watermark.plus(self.idle), input.frame_ref());
        let flow = Flow {
            hash,
            last_seen: watermark,
            last_frame,
            armed,
            greeting: 0,
            epoch: 0,
            by_larger: false,
            handshake: None,
        };
        self.table.insert_unique(hash, flow, |flow| flow.hash);
        self.alarms.arm(armed, hash, 0);
    }

    /// Ends flows that have been silent for too long.
    pub fn advance(&mut self, watermark: Ts, shared: &mut Shared, emit: &mut Emitter<'_>) {
        while self.next_to_go(watermark, false, shared, emit) {}
        self.late.advance(watermark, shared);
    }

    /// Removes the flow that has been idle for longest, if it is due.
    fn next_to_go(
        &mut self,
        watermark: Ts,
        evict: bool,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) -> bool {
        while let Some((armed, hash, _)) = self.alarms.pop_due(watermark) {
            let Ok(mut entry) = self.table.find_entry(hash, |flow| flow.hash == hash) else {
                continue;
            };
            let flow = entry.get_mut();
            let deadline = flow.last_seen.plus(self.idle);
            if flow.armed == armed && deadline > armed {
                flow.armed = deadline;
                self.alarms.arm(deadline, hash, 0);
            } else if flow.armed == armed {
                let (mut flow, _) = entry.remove();
                let late = if evict {
                    self.evicted += 1;
                    let cited = emit.cite(flow.last_frame);
                    let late = flow.end(shared, emit);
                    emit.cite(cited);
                    late
                } else {
                    emit.due(deadline, hash, flow.last_frame);
                    flow.end(shared, emit)
                };
                // Of one that is not completed nothing waits.
                if let Some(mut late) = late {
                    late.retained.forget(shared);
                }
                return true;
            }
        }
        false
    }
}

/// Nothing waits.
fn forgotten(mut retained: Retained, shared: &mut Shared) -> Option<Late> {
    retained.forget(shared);
    None
}

/// The session of a handshake, to be opened.
pub(super) fn opening(handshake: &DtlsHandshake, keys: &Keys) -> Option<Box<DtlsOpening>> {
    DtlsOpening::new(handshake.messages(), keys).map(Box::new)
}

/// Where a flow in which a STUN check succeeded has its place.
fn place(flow: u64) -> usize {
    usize::try_from(flow >> 16).unwrap_or_default() % CHECKED
}
