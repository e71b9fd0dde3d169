//! `MEDIA-RTP-PORT-SWEEP`: a few RTP packets to many ports of one host.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{StreamSeen, TapSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::sentence;
use super::sighting::seconds;
use crate::model::addr::{Addr, Endpoint};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::model::time::Ts;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// One host sends a few RTP packets each to 20 and more ports of another within a minute, of one payload
    /// type and with the simplest of headers, to sockets that no call announced to it.
    ///
    /// ## Why it matters
    /// Somebody looks for calls in progress on a media server: one that answers (MEDIA-RTP-BLEED) gives
    /// them away.
    ///
    /// ## Evidence
    /// The first packet to the port that made it 20, and how many ports there were.
    ///
    /// ## False positives
    /// Measurements of a network by short RTP flows. Gateways with many calls of more than 20 packets are
    /// not counted, whether their signalling is seen or not; nor are DNS and other protocols whose first
    /// octets look like RTP now and then, because their payload type would vary.
    ///
    /// ## Fix
    /// Drop packets of foreign sources at the edge, and alarm on hosts that try many ports.
    id: "MEDIA-RTP-PORT-SWEEP",
    name: "media-rtp-port-sweep",
    title: "Somebody searches a host for open media ports",
    severity: High ..= High,
    status: Stable,
    wants: [STREAM, TAP],
    references: ["RFC 3550 §5.1", "RFC 4732"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["sweep_ports", "sweep_seconds", "sweep_packets"],
    since: "0.1.0",
}

/// Tally: the most ports within the time.
const PORTS: usize = 0;

/// Ports remembered of one sweep.
const REMEMBERED: usize = 64;

/// Who tries whom with which payload type.
type Key = (Addr, Addr, u8);

/// The rule at work.
pub(crate) struct RtpPortSweep {
    ports: u64,
    window: u64,
    packets: u64,
    tried: HashMap<Key, VecDeque<(Ts, u16)>, foldhash::fast::FixedState>,
    arrival: VecDeque<Key>,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> RtpPortSweep {
    let thresholds = &policy.thresholds.media;
    RtpPortSweep {
        ports: thresholds.sweep_ports,
        window: thresholds.sweep_seconds,
        packets: thresholds.sweep_packets,
        tried: HashMap::default(),
        arrival: VecDeque::new(),
        cap: policy.limits.peers,
        evicted: 0,
    }
}

impl RtpPortSweep {
    fn probe(
        &mut self,
        ends: (Endpoint, Endpoint),
        payload_type: u8,
        at: FrameRef,
        sink: &mut Sink,
    ) {
        let key = (ends.0.addr, ends.1.addr, payload_type);
        if !self.tried.contains_key(&key) {
            if self.tried.len() >= self.cap
                && let Some(oldest) = self.arrival.pop_front()
            {
                let gone = self.tried.remove(&oldest);
                // One that was silent for longer than the time would start anew anyway.
                let fresh = |(last, _): &(Ts, u16)| at.time.since(*last) <= seconds(self.window);
                let live = gone.is_some_and(|gone| gone.back().is_some_and(fresh));
                self.evicted += u64::from(live);
            }
            self.arrival.push_back(key);
        }
        let tried = self.tried.entry(key).or_default();
        while tried.front().is_some_and(|(then, _)| at.time.since(*then) > seconds(self.window)) {
            tried.pop_front();
        }
        if tried.iter().all(|(_, port)| *port != ends.1.port) {
            if tried.len() >= REMEMBERED {
                tried.pop_front();
            }
            tried.push_back((at.time, ends.1.port));
        }
        let ports = tried.len() as u64;
        if ports < self.ports {
            return;
        }
        let subject = Subject::pair(ends.0.addr, ends.1.addr);
        let sighting = Sighting::new(&META, subject, at).confidence(Confidence::High);
        let before = sink.known(&META, subject).map_or(0, |entry| entry.tally(PORTS));
        let what = |_: &mut _| {
            let (src, dst) = ends;
            let text = sentence!(
                "RTP of payload type {payload_type} from {src} to {dst}, port {ports} \
                of this host within a minute"
            );
            (text, None)
        };
        sink.sighting(sighting, what).add(PORTS, ports.saturating_sub(before));
    }
}

impl Detector for RtpPortSweep {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some((ended, own)) = seen.around.ended.zip(seen.around.own) else { return };
        let announced = own.call.is_some() && own.known_sender;
        if ended.plain && !announced && seen.record.packets <= self.packets {
            let ends = (own.src, own.dst);
            self.probe(ends, ended.main_payload_type(), seen.first(), sink);
        }
    }

    fn tap(&mut self, seen: &TapSeen, sink: &mut Sink) {
        if let &TapSeen::Lookalike { src, dst, at, packets, plain: Some(payload_type) } = seen
            && packets <= self.packets
        {
            self.probe((src, dst), payload_type, at, sink);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "Between {}, {} or more ports were tried with RTP within {} seconds.",
                entry.subject.spoken(),
                entry.tally(PORTS),
                self.window,
            ),
            parameters: vec![
                ("sweep_ports", Figure::Count(self.ports)),
                ("sweep_seconds", Figure::Count(self.window)),
                ("sweep_packets", Figure::Count(self.packets)),
                ("ports", Figure::Count(entry.tally(PORTS))),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("sweeps", self.evicted)
    }
}
