//! The collector: facts of all lanes in one order, turned into calls, bound streams and findings.

use std::collections::BTreeMap;

use overhear_parsers::sip::Message;

use crate::correlate::archive::Archive;
use crate::correlate::dialogs::Dialogs;
use crate::correlate::event::SipEvent;
use crate::correlate::media::{self, MediaBinder};
use crate::correlate::outbox::Outbox;
use crate::correlate::rtcp::{self, RtcpReports};
use crate::correlate::stream_record::{drift_pct, stream_record};
use crate::detect::Detectors;
use crate::detect::seen::{MediaSeen, StreamSeen, TapSeen};
use crate::model::addr::stable_hash;
use crate::model::capture::{Counts, PeerRecord};
use crate::model::evidence::FrameRef;
use crate::model::fact::{Body, EpochFacts, Fact, FactKey, Flow, SipFact};
use crate::model::id::{Kind, RecordId};
use crate::model::record::{HandshakeKind, HandshakeRecord, Protection};
use crate::model::stream::{Standing, StreamEnded};
use crate::model::tally::{Handled, Skipped, Tally};
use crate::model::time::Ts;
use crate::policy::Policy;
use crate::report::events::{Events, Listener};
use crate::report::outcome::Step;

use super::census::Census;
use super::inventory::{self, Inventory};
use super::trace::Trace;
use super::watch::Watch;

/// Facts that are looked at together before any is taken.
const TOGETHER: usize = 16;

/// Where what a fact is about probably stands in its table.
#[derive(Copy, Clone)]
enum Ahead {
    Call(u32),
    Announcement(u32),
}

/// Everything that has meaning, owned by one thread.
pub struct Collector {
    dialogs: Dialogs,
    media: MediaBinder,
    rtcp: RtcpReports,
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
    /// What peers write beyond the registries.
    pub peers: Vec<PeerRecord>,
}

impl Collector {
    /// A collector; `watch` names a call whose messages are to be kept for a ladder.
    pub fn new(policy: &Policy, watch: Option<String>) -> Self {
        Self {
            dialogs: Dialogs::new(&policy.limits),
            media: MediaBinder::new(&policy.limits),
            rtcp: RtcpReports::new(&policy.limits),
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
        for few in order.chunks(TOGETHER) {
            self.together(few, lanes);
        }
        self.order = order;
        self.advance(watermark);
        for (record, finding) in self.detectors.take_links() {
            self.archive.cite(record, finding);
        }
        self.events.flush();
    }

    /// The end of the capture.
    pub fn finish(mut self) -> Collected {
        while self.dialogs.finish(&mut self.outbox) {
            self.drain();
        }
        self.drain();
        let mut evicted: BTreeMap<&'static str, u64> = BTreeMap::new();
        let tables = self
            .dialogs
            .evicted()
            .chain(self.detectors.evicted())
            .chain([(media::TABLE, self.media.evicted()), (rtcp::TABLE, self.rtcp.evicted())])
            .chain([(inventory::TABLE, self.inventory.evicted())]);
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
            peers: self.inventory.finish(),
        }
    }

    /// Takes up to [`TOGETHER`] facts. First it looks at the tables for all of them: the cache misses
    /// of one call do not depend on those of another, so a core can wait for all at once.
    fn together(&mut self, few: &[(FactKey, u32, u32)], lanes: &[&EpochFacts]) {
        let mut facts = [None; TOGETHER];
        for (found, (_, lane, index)) in facts.iter_mut().zip(few) {
            let epoch = usize::try_from(*lane).ok().and_then(|lane| lanes.get(lane));
            let Some(epoch) = epoch.copied() else { continue };
            let fact = usize::try_from(*index).ok().and_then(|index| epoch.facts.get(index));
            *found = fact.map(|fact| (fact, epoch));
        }
        // Indices first, then entries: each of these loops is short enough to run ahead of itself.
        let touched = facts.iter().flatten().fold(0, |all, (fact, _)| match &fact.body {
            Body::Sip(sip) => all ^ self.dialogs.touch_index(&sip.names),
            _ => all,
        });
        // Without this the early reads are dead code.
        std::hint::black_box(touched);
        let mut aheads = [None; TOGETHER];
        for (ahead, (fact, _)) in aheads.iter_mut().zip(facts.iter().flatten()) {
            *ahead = match &fact.body {
                Body::Sip(sip) => self.dialogs.ahead(&sip.names).map(Ahead::Call),
                Body::StreamEnded(stream) => self.media.ahead(stream).map(Ahead::Announcement),
                _ => None,
            };
        }
        let touched = aheads.iter().flatten().fold(0, |all, ahead| {
            all ^ match ahead {
                Ahead::Call(slot) => self.dialogs.touch(*slot),
                Ahead::Announcement(slot) => self.media.touch(*slot),
            }
        });
        std::hint::black_box(touched);
        for (fact, epoch) in facts.iter().flatten() {
            self.fact(fact, epoch);
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
            self.raise(fact.body.flow());
        }
    }

    /// Tells of the findings that a fact raised.
    #[cold]
    fn raise(&mut self, flow: Option<Flow>) {
        for number in self.events.raised()..self.detectors.raised() {
            if let Some(finding) = self.detectors.preview(number) {
                self.events.raise(&finding, flow);
            }
        }
    }

    fn dispatch(&mut self, fact: &Fact, epoch: &EpochFacts) {
        match &fact.body {
            Body::Sip(sip) => self.sip(fact, sip, epoch),
            Body::StreamEnded(stream) => self.stream(stream),
            Body::StreamLoss { second } => {
                self.detectors.tap(&TapSeen::StreamLoss { second: *second, at: fact.frame });
            }
            // Proofs come here.
            Body::SrtpSample { .. } => {}
            Body::SrtcpClear { src, dst, ssrc } => {
                let (src, dst, ssrc) = (*src, *dst, *ssrc);
                self.detectors.media(&MediaSeen::SrtcpClear { src, dst, at: fact.frame, ssrc });
            }
            Body::Rtcp { src, dst, octets } => {
                let (src, dst, octets) = (*src, *dst, epoch.octets(octets));
                self.rtcp.datagram(src, dst, octets);
                let (at, call) = (fact.frame, None);
                self.detectors.media(&MediaSeen::Rtcp { src, dst, at, octets, call });
            }
            Body::Handshake { kind, client, server, clipped } => {
                let hash = stable_hash(&(client, server, fact.frame.time.nanos() / 1_000_000));
                let record = HandshakeRecord {
                    id: RecordId::new(Kind::Handshake, hash),
                    kind: *kind,
                    client: *client,
                    server: *server,
                    first_source: fact.frame.frame.source,
                    first_frame: fact.frame.frame.number,
                };
                self.handshake(&record, *clipped, fact.frame);
            }
            Body::MidstreamTls { src, dst } => {
                let seen = TapSeen::MidstreamTls { src: *src, dst: *dst, at: fact.frame };
                self.detectors.tap(&seen);
            }
            Body::Duplicate { .. } => {
                self.detectors.tap(&TapSeen::Duplicate { at: fact.frame, frames: 1 });
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
            clipped: sip.clipped,
            encrypted: false,
            hep: sip.hep,
        };
        if sip.hep.is_some() {
            self.counts.hep_messages += 1;
        } else {
            self.seen.message(&event);
            self.inventory.message(&event);
        }
        let placement = self.dialogs.sip(&event, &mut self.outbox);
        self.trace.sip(&event, &placement);
        self.drain();
        // What a copy says of the wire is for a rule of its own: how the message itself travelled
        // cannot be seen from it.
        if sip.hep.is_none() {
            self.detectors.sip(&event, &placement);
        }
        self.watch.sip(&event, &placement);
    }

    fn stream(&mut self, stream: &StreamEnded) {
        let rtcp = self.rtcp.take(&stream.key);
        let binding = self.media.bind(stream);
        let packets = u64::from(stream.packets);
        let lookalike = binding.is_none() && stream.standing == Standing::Candidate;
        let frames = if stream.framed { 0 } else { packets };
        if lookalike {
            self.tally.skipped(Skipped::Lookalike, frames);
            self.detectors.tap(&TapSeen::Lookalike {
                src: stream.key.src,
                dst: stream.key.dst,
                at: FrameRef { frame: stream.first_frame, time: stream.first },
                packets,
            });
            return;
        }
        self.tally.handled(Handled::Rtp, frames);
        let record = stream_record(stream, binding.as_ref(), rtcp);
        self.counts.rtp_streams += 1;
        self.counts.rtp_packets += packets;
        if matches!(record.protection, Protection::EncryptedLike | Protection::SrtpProven) {
            self.counts.srtp_streams += 1;
        }
        let call = binding.as_ref().map(|binding| binding.call);
        let clock = record.payload_types.first().and_then(|pt| pt.clock_rate);
        self.detectors.stream(&StreamSeen {
            record: &record,
            key: record.key(),
            call,
            early: binding.as_ref().is_some_and(|binding| binding.early),
            clipped: u64::from(stream.clipped),
            lookalike: false,
            drift_pct: drift_pct(stream, clock),
        });
        self.watch.stream(&record, call);
        self.trace.stream(&record, call);
        self.archive.push_stream(&record, call);
        self.events.tell(|listener| listener.stream(&record));
    }

    fn handshake(&mut self, record: &HandshakeRecord, clipped: bool, at: FrameRef) {
        match record.kind {
            HandshakeKind::Tls => self.counts.tls_handshakes += 1,
            HandshakeKind::Dtls => self.counts.dtls_handshakes += 1,
        }
        if clipped {
            self.detectors.tap(&TapSeen::Clipped { what: "TLS handshake", at });
        }
        self.archive.push_handshake(record);
        self.events.tell(|listener| listener.handshake(record, at.time));
    }

    /// Hands on what correlation has finished or learned.
    fn drain(&mut self) {
        if self.outbox.is_empty() {
            return;
        }
        for announcement in self.outbox.announcements.drain(..) {
            self.trace.announced(&announcement);
            self.media.announce(&announcement);
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

fn message<'a>(sip: &SipFact, epoch: &'a EpochFacts) -> Message<'a> {
    Message::new(epoch.octets(&sip.octets), sip.layout, epoch.spans(&sip.spans))
}
