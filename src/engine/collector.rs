//! The collector: facts of all lanes in one order, turned into calls, bound streams and findings.

use std::collections::BTreeMap;

use overhear_parsers::sip::Message;

use crate::correlate::archive::Archive;
use crate::correlate::company::{self, Companion, Company};
use crate::correlate::dialogs::Dialogs;
use crate::correlate::event::SipEvent;
use crate::correlate::handshake::{self, HandshakeRead, Memory};
use crate::correlate::media::{self, MediaBinder};
use crate::correlate::outbox::Outbox;
use crate::correlate::rtcp::{self, RtcpReports};
use crate::correlate::srtcp_seen::{self, SrtcpSeen};
use crate::correlate::tls_peers::TlsPeers;
use crate::correlate::zrtp::{self, ZrtpFlows};
use crate::detect::Detectors;
use crate::detect::calls::CallSeen;
use crate::detect::hop::HopSeen;
use crate::detect::seen::{self, HandshakeSeen, TapSeen};
use crate::model::capture::{Counts, PeerRecord};
use crate::model::fact::{Body, EpochFacts, Fact, FactKey, Flow, SipFact, SipMarks};
use crate::model::handshake::HandshakeFacts;
use crate::model::record::HandshakeKind;
use crate::model::tally::Tally;
use crate::model::time::Ts;
use crate::policy::Policy;
use crate::prove::Opened;
use crate::report::events::{Events, Listener};
use crate::report::outcome::Step;

use super::census::Census;
use super::inventory::{self, Inventory};
use super::proof::Prover;
use super::trace::Trace;
use super::watch::Watch;

mod ahead;
mod streams;

/// Everything that has meaning, owned by one thread.
pub struct Collector {
    dialogs: Dialogs,
    media: MediaBinder,
    rtcp: RtcpReports,
    srtcp: SrtcpSeen,
    memory: Memory,
    tls_peers: TlsPeers,
    company: Company,
    zrtp: ZrtpFlows,
    /// Scratch: the company of the stream at hand.
    met: Vec<Companion>,
    detectors: Detectors,
    archive: Archive,
    outbox: Outbox,
    tally: Tally,
    counts: Counts,
    seen: Census,
    inventory: Inventory,
    watch: Watch,
    trace: Trace,
    events: Events,
    prover: Prover,
    order: Vec<(FactKey, u32, u32)>,
    now: Ts,
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").field("now", &self.now).finish_non_exhaustive()
    }
}

/// What the collector leaves behind.
#[derive(Debug)]
pub struct Collected {
    /// Finished records.
    pub archive: Archive,
    /// The rules, for their last word.
    pub detectors: Detectors,
    /// What was counted.
    pub counts: Counts,
    /// Frames of streams, booked as RTP or as look-alikes.
    pub tally: Tally,
    /// Evictions by table.
    pub evicted: BTreeMap<&'static str, u64>,
    /// Messages and streams of the call that was asked for.
    pub ladder: Vec<Step>,
    /// What belongs to the calls that were to be traced.
    pub trace: Trace,
    /// Who was told what happened.
    pub events: Events,
    /// What servers and clients of TLS accept and refuse.
    pub tls_peers: TlsPeers,
    /// What peers write beyond the registries.
    pub peers: Vec<PeerRecord>,
    /// The streams that a key was proven to open.
    pub opened: Vec<Opened>,
}

impl Collector {
    /// A collector; `watch` names a call whose messages are to be kept for a ladder.
    pub fn new(policy: &Policy, watch: Option<String>) -> Self {
        Self {
            dialogs: Dialogs::new(&policy.limits),
            media: MediaBinder::new(&policy.limits),
            rtcp: RtcpReports::new(&policy.limits),
            srtcp: SrtcpSeen::new(&policy.limits),
            memory: Memory::new(policy),
            tls_peers: TlsPeers::new(policy.limits.tls_peers),
            company: Company::new(policy.limits.company),
            zrtp: ZrtpFlows::new(&policy.limits),
            met: Vec::new(),
            detectors: Detectors::new(policy),
            archive: Archive::new(&policy.limits),
            outbox: Outbox::default(),
            tally: Tally::default(),
            counts: Counts::default(),
            seen: Census::default(),
            inventory: Inventory::default(),
            watch: Watch::new(watch),
            trace: Trace::new(Vec::new()),
            events: Events::default(),
            prover: Prover::new(&policy.limits),
            order: Vec::new(),
            now: Ts::MIN,
        }
    }

    /// Notes what belongs to the calls with these ids or Call-IDs.
    pub fn trace(&mut self, wanted: Vec<String>) {
        self.trace = Trace::new(wanted);
    }

    /// Tells these what happens.
    pub fn listen(&mut self, listeners: Vec<Box<dyn Listener>>) {
        self.events = Events::new(listeners);
    }

    /// Takes all facts of one epoch, which ended at `watermark`.
    pub fn epoch(&mut self, lanes: &[&EpochFacts], watermark: Ts) {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        for (lane, epoch) in (0_u32..).zip(lanes) {
            order.extend((0_u32..).zip(&epoch.facts).map(|(index, fact)| (fact.key, lane, index)));
        }
        // A stable sort of a few sorted runs is close to a merge of them.
        order.sort();
        for some in order.chunks(ahead::WINDOW) {
            self.window(some, lanes);
        }
        self.order = order;
        self.advance(watermark);
        self.archive.cite(&self.detectors.take_links());
        self.events.flush();
    }

    /// The end of the capture.
    pub fn finish(mut self) -> Collected {
        while self.dialogs.finish(&mut self.outbox) {
            self.drain();
        }
        self.drain();
        self.media.settle();
        let mut evicted: BTreeMap<&'static str, u64> = BTreeMap::new();
        let tables = self
            .dialogs
            .evicted()
            .chain(self.detectors.evicted())
            .chain([(media::TABLE, self.media.evicted()), (rtcp::TABLE, self.rtcp.evicted())])
            .chain([(company::TABLE, self.company.evicted()), (zrtp::TABLE, self.zrtp.evicted())])
            .chain([(inventory::TABLE, self.inventory.evicted())])
            .chain([(srtcp_seen::TABLE, self.srtcp.evicted())])
            .chain(self.tls_peers.evicted())
            .chain(self.prover.evicted());
        for (table, count) in tables.filter(|(_, count)| *count > 0) {
            *evicted.entry(table).or_default() += count;
        }
        for (table, count) in self.archive.refused() {
            *evicted.entry(table).or_default() += count;
        }
        self.counts.sip_retransmissions = self.dialogs.retransmissions();
        self.seen.finish(&mut self.counts);
        Collected {
            archive: self.archive,
            detectors: self.detectors,
            counts: self.counts,
            tally: self.tally,
            evicted,
            ladder: self.watch.into_steps(),
            trace: self.trace.finish(),
            events: self.events,
            tls_peers: self.tls_peers,
            peers: self.inventory.finish(),
            opened: self.prover.into_opened(),
        }
    }

    /// Brings everything that waits for a time up to `at`.
    fn advance(&mut self, at: Ts) {
        if at <= self.now {
            return;
        }
        self.now = at;
        while self.dialogs.advance(at, &mut self.outbox) {
            self.drain();
        }
        self.drain();
        self.media.advance(at);
    }

    fn fact(&mut self, fact: &Fact, epoch: &EpochFacts) {
        self.advance(fact.key.at);
        self.dispatch(fact, epoch);
        if !self.events.is_idle() && self.events.raised() < self.detectors.raised() {
            self.raise(fact.body.flow(epoch));
        }
    }

    /// Tells of the findings that a fact raised.
    #[cold]
    fn raise(&mut self, flow: Option<Flow>) {
        self.detectors.settle();
        for number in self.events.raised()..self.detectors.raised() {
            if let Some(finding) = self.detectors.preview(number) {
                self.events.raise(&finding, flow);
            }
        }
    }

    fn dispatch(&mut self, fact: &Fact, epoch: &EpochFacts) {
        if let Body::Sip(sip) = &fact.body {
            return self.sip(fact, sip, epoch);
        }
        self.media.settle();
        match &fact.body {
            Body::Sip(_) => {}
            Body::StreamEnded(place) => self.stream(*place, epoch),
            &Body::StreamLoss { second, stream } => {
                self.detectors.tap(&TapSeen::StreamLoss { second, stream, at: fact.frame });
            }
            Body::SrtpSample { key, octets, frames } => {
                self.prover.sample(*key, epoch.octets(octets), *frames, fact.frame.time);
            }
            Body::Rtcp { .. }
            | Body::SrtcpClear { .. }
            | Body::Srtcp { .. }
            | Body::Zrtp { .. }
            | Body::Msrp { .. }
            | Body::UdptlEnded(_) => self.beside(fact, epoch),
            Body::QuicHello { server, message, .. } => {
                self.tls_peers.quic.hello(*server, epoch.octets(message), fact.frame);
            }
            Body::Handshake(place) => {
                if let Some(handshake) = epoch.handshake(*place) {
                    self.handshake(handshake, epoch);
                }
            }
            Body::DtlsSrtpKeys { client, server, profile, material } => {
                let material = epoch.octets(material);
                self.prover.handshake((*client, *server), *profile, material, fact.frame);
            }
            Body::DtlsOpened { client, server, first, .. } => {
                self.archive.opened(handshake::key(*client, *server, *first));
            }
            Body::MidstreamTls { src, dst, .. } => {
                let seen = TapSeen::MidstreamTls { src: *src, dst: *dst, at: fact.frame };
                self.detectors.tap(&seen);
            }
            &Body::Unanswered { src: client, dst: server, reset, .. } => {
                self.detectors.hop(&HopSeen::Unanswered { client, server, at: fact.frame, reset });
            }
            &Body::Renegotiated { client, server, .. } => {
                self.detectors.hop(&HopSeen::Renegotiated { client, server, at: fact.frame });
            }
            Body::Duplicate { .. } => {
                self.detectors.tap(&TapSeen::Duplicate { at: fact.frame, frames: 1 });
            }
            Body::Remarked { src, dst, marked } => {
                let (src, dst, marked) = (*src, *dst, *marked);
                self.detectors.tap(&TapSeen::Remarked { src, dst, marked });
            }
            Body::BackwardJump { by } => {
                self.detectors.tap(&TapSeen::BackwardJump { by: *by, at: fact.frame });
            }
        }
    }

    fn sip(&mut self, fact: &Fact, sip: &SipFact, epoch: &EpochFacts) {
        let event = SipEvent {
            at: fact.frame,
            ordinal: fact.key.ordinal,
            watermark: fact.key.at,
            src: sip.src,
            dst: sip.dst,
            transport: sip.transport,
            message: message(sip, epoch),
            names: sip.names,
            faults: sip.faults,
            marks: sip.marks,
            clipped: sip.clipped,
            encrypted: sip.encrypted,
            hep: sip.hep,
            carriage: sip.carriage,
        };
        if sip.hep.is_some() {
            self.counts.hep_messages += 1;
        } else {
            self.seen.message(&event);
            if sip.encrypted {
                self.counts.sip_decrypted += 1;
                self.tls_peers.inside(sip.src.addr, sip.dst.addr);
            }
            self.inventory.message(&event);
        }
        let placement = self.dialogs.sip(&event, &mut self.outbox);
        self.trace.sip(&event, &placement);
        self.drain();
        // What a copy says of the wire is for a rule of its own: how the message itself travelled
        // cannot be seen from it.
        let keyed = if sip.hep.is_none() {
            if !sip.encrypted && seen::opens(&event) {
                self.tls_peers.clear(sip.src.addr, sip.dst.addr, fact.frame.time);
            }
            let looked = self.detectors.sip(&event, &placement);
            self.counts.sip_malformed += u64::from(looked.malformed);
            if let Some(is_sha2) = looked.digest {
                self.tls_peers.digest(sip.src.addr, sip.dst.addr, is_sha2);
            }
            if looked.names_tls {
                self.tls_peers.named.sip(&event.message, event.at);
            }
            looked.keyed
        } else {
            if self.detectors.copy(&event, &placement) {
                self.tls_peers.named.sip(&event.message, event.at);
            }
            sip.marks.has(SipMarks::KEY)
        };
        if keyed {
            let Self { prover, detectors, .. } = self;
            prover.message(&event, &placement, |key| detectors.key(key));
        }
        self.watch.sip(&event, &placement);
    }

    fn handshake(&mut self, facts: &HandshakeFacts, epoch: &EpochFacts) {
        let client = epoch.octets(&facts.client_messages);
        let server = epoch.octets(&facts.server_messages);
        if facts.preliminary {
            let read = HandshakeRead::new(facts, client, server, &mut self.memory);
            self.tls_peers.tries(&read);
            let (client, server) = (facts.client, facts.server);
            return self.detectors.hop(&HopSeen::Established { client, server });
        }
        match facts.kind {
            HandshakeKind::Tls => self.counts.tls_handshakes += 1,
            HandshakeKind::Dtls => self.counts.dtls_handshakes += 1,
        }
        if facts.clipped {
            self.detectors.tap(&TapSeen::Clipped { what: "TLS handshake", at: facts.first });
        }
        let read = HandshakeRead::new(facts, client, server, &mut self.memory);
        self.tls_peers.handshake(&read);
        let mut record = read.record();
        if facts.awaits_secrets && record.srtp_profile.is_some() {
            self.prover.await_secrets(facts.client, facts.server);
        }
        let greeting = match facts.kind {
            HandshakeKind::Dtls if !facts.over_sctp => {
                self.media.greeting(facts.client, facts.server, facts.first.time)
            }
            _ => None,
        };
        let named = self.tls_peers.named.of(facts.server, read.server_name());
        let seen = HandshakeSeen::new(&read, &record);
        self.detectors.handshake(&HandshakeSeen { greeting, named, ..seen });
        self.archive.push_handshake(&mut record);
        self.events.tell(|listener| listener.handshake(&record, facts.first.time));
    }

    /// Hands on what correlation has finished or learned.
    fn drain(&mut self) {
        if self.outbox.is_empty() {
            return;
        }
        for (call, fork) in self.outbox.forks.drain(..) {
            self.media.fork(call, fork);
        }
        for announcement in self.outbox.announcements.drain(..) {
            self.trace.announced(&announcement);
            if is_over_tls(&announcement.media.profile) {
                self.tls_peers.named.media(announcement.endpoint, announcement.at);
            }
            self.zrtp.announce(announcement.call.id, announcement.side, &announcement.zrtp);
            self.media.announce(&announcement);
        }
        for (call, at, aside) in self.outbox.asides.drain(..) {
            self.media.aside(call, at, aside);
        }
        for exchange in self.outbox.exchanges.drain(..) {
            self.detectors.exchange(&exchange);
        }
        for (call, answered) in self.outbox.answered.drain(..) {
            self.media.answer(call, answered);
        }
        for (call, end) in self.outbox.released.drain(..) {
            self.media.release(call, end, self.now);
        }
        for call in self.outbox.calls.drain(..) {
            self.counts.calls += 1;
            let record = call.record();
            self.detectors.call(&CallSeen::new(&record));
            self.archive.push_call(&record);
            self.events.tell(|listener| listener.call(&record));
        }
        for registration in self.outbox.registrations.drain(..) {
            self.counts.registrations += 1;
            let record = registration.record();
            self.archive.push_registration(&record);
            let at = registration.last_seen();
            self.events.tell(|listener| listener.registration(&record, at));
        }
    }
}

/// Whether the media of a profile goes over TLS (RFC 8122 §3, RFC 4975 §8.1): not DTLS, nor what DTLS keys.
fn is_over_tls(profile: &str) -> bool {
    profile.starts_with("TCP/TLS")
}

fn message<'a>(sip: &SipFact, epoch: &'a EpochFacts) -> Message<'a> {
    Message::new(epoch.octets(&sip.octets), sip.layout, epoch.spans(&sip.spans))
}
