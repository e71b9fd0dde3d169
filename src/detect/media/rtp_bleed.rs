//! `MEDIA-RTP-BLEED`: a media server that answers whoever sends to its port.

use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen, TapSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::sighting::{companion, millis};
use crate::correlate::company::Companion;
use crate::model::addr::{Addr, Endpoint};
use crate::model::finding::{Confidence, Figure};
use crate::model::id::RecordKey;
use crate::model::stream::Standing;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A media server sends a call's media from the call's socket to an address that neither SDP nor ICE
    /// named and that sent packets to this socket before, while the call's real peer is there too; or, without
    /// the peer, to an address that tried five ports of the server.
    ///
    /// ## Why it matters
    /// Whoever sends a few packets to a port of the server gets the call: no key and no position on the
    /// path is needed.
    ///
    /// ## Evidence
    /// The packets that provoked it, and the first packet that the server sent there.
    ///
    /// ## False positives
    /// A client behind NAT is served at the address it sends from: it is then the only peer. A client that
    /// changes its address while the old one is still answered for more than a second.
    ///
    /// ## Fix
    /// Update the media server and turn on strict source checking; authenticate media with SRTP.
    id: "MEDIA-RTP-BLEED",
    name: "media-rtp-bleed",
    title: "A media server sends a call to whoever asks",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [STREAM, TAP],
    references: ["RFC 3550 §9", "RFC 7362 §5"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["foreign_overlap_ms", "bleed_ports"],
    since: "0.1.0",
}

/// Tally: packets that went astray.
const PACKETS: usize = 0;

/// Who tries ports, and whose.
type Prober = (Addr, Addr);

/// The rule at work.
pub(crate) struct RtpBleed {
    overlap_ms: u64,
    /// Ports that make a search, and packets that each of them gets at most.
    ports: usize,
    packets: u64,
    tried: HashMap<Prober, Vec<u16>, foldhash::fast::FixedState>,
    /// What was sent to who asked, and no peer was seen.
    alone: Vec<(Companion, Companion, Option<RecordKey>)>,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> RtpBleed {
    let thresholds = &policy.thresholds.media;
    RtpBleed {
        overlap_ms: thresholds.foreign_overlap_ms,
        ports: usize::try_from(thresholds.bleed_ports).unwrap_or(usize::MAX),
        packets: thresholds.sweep_packets,
        tried: HashMap::default(),
        alone: Vec::new(),
        cap: policy.limits.peers,
        evicted: 0,
    }
}

/// The server's stream to the stranger, and the packets that provoked it.
type Leak<'a> = (&'a Companion, &'a Companion);

impl RtpBleed {
    /// What a server sends to who asked, and whether the peer of the call is there.
    fn leaks<'a>(&self, streams: &[&'a Companion]) -> Option<(Leak<'a>, bool)> {
        let leaks = streams.iter().filter(|out| out.known_sender && !out.known_receiver);
        let leaks = leaks.copied().filter_map(|out| {
            let probe = streams.iter().copied().find(|probe| {
                (probe.src, probe.dst) == (out.dst, out.src) && probe.first.time <= out.first.time
            })?;
            let peer = |other: &&Companion| {
                let served = other.src == out.src && other.dst.addr != out.dst.addr;
                let serves = other.dst == out.src && other.src.addr != out.dst.addr;
                (served || serves)
                    && other.call == out.call
                    && other.standing > Standing::Candidate
                    && other.first.time <= out.last.time
                    && other.last.time.since(out.first.time) > millis(self.overlap_ms)
            };
            Some(((out, probe), streams.iter().copied().any(|other| peer(&other))))
        });
        leaks.max_by_key(|(_, peer)| *peer)
    }

    /// Notes that a port was tried; as many as make a search are kept.
    fn tries(&mut self, src: Endpoint, dst: Endpoint) {
        let key = (src.addr, dst.addr);
        if self.tried.len() >= self.cap && !self.tried.contains_key(&key) {
            self.evicted += 1;
            return;
        }
        let ports = self.tried.entry(key).or_default();
        if ports.len() < self.ports && !ports.contains(&dst.port) {
            ports.push(dst.port);
        }
    }
}

impl Detector for RtpBleed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tap(&mut self, seen: &TapSeen, _: &mut Sink) {
        if let TapSeen::Lookalike { src, dst, plain: Some(_), .. } = seen {
            self.tries(*src, *dst);
        }
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some(own) = seen.around.own else { return };
        if !own.known_sender && seen.record.packets <= self.packets {
            self.tries(own.src, own.dst);
        }
        if seen.around.company.is_empty() {
            return;
        }
        let mut streams: Vec<&Companion> = Vec::with_capacity(seen.around.company.len() + 1);
        streams.extend(seen.around.company);
        let before = self.leaks(&streams);
        streams.push(own);
        // What those that ended before show by themselves has been told.
        match (before, self.leaks(&streams)) {
            (Some((_, true)), _) | (_, None) | (Some(_), Some((_, false))) => {}
            (_, Some((leak, true))) => tell(leak, seen.call, sink),
            (None, Some(((out, probe), false))) if self.alone.len() < self.cap => {
                self.alone.push((*out, *probe, seen.call));
            }
            (None, Some((_, false))) => self.evicted += 1,
        }
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        for (out, probe, call) in std::mem::take(&mut self.alone) {
            let tried = self.tried.get(&(probe.src.addr, probe.dst.addr));
            if tried.is_some_and(|ports| ports.len() >= self.ports) {
                tell((&out, &probe), call, sink);
            }
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "Of {}, {} went to somebody who had only sent a packet there; between {}.",
                plural(entry.calls, "call"),
                plural(entry.tally(PACKETS), "packet"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("foreign_overlap_ms", Figure::Count(self.overlap_ms)),
                ("calls", Figure::Count(entry.calls)),
                ("packets", Figure::Count(entry.tally(PACKETS))),
            ],
        }
    }
    fn evicted(&self) -> (&'static str, u64) {
        ("bleeds", self.evicted)
    }
}

fn tell((out, probe): Leak<'_>, call: Option<RecordKey>, sink: &mut Sink) {
    let subject = Subject::pair(out.src.addr, out.dst.addr);
    let sighting = Sighting::new(&META, subject, out.first).confidence(Confidence::High);
    let what = |_: &mut _| {
        let (out, probe) = (companion(out), companion(probe));
        (sentence!("{out}; before it {probe}"), None)
    };
    sink.sighting(sighting, what)
        .until(out.last)
        .add(PACKETS, u64::from(out.packets))
        .stream(out.record)
        .stream(probe.record)
        .call(call);
}
