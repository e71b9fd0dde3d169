//! A bench for tests: messages, streams and tap notes by hand, through the whole catalogue.

use overhear_parsers::sip::{self, Anomalies, Message};

use super::Detectors;
use super::seen::{Around, CaptureSeen, StreamSeen, TapSeen};
use super::sink::{Outcome, Subject};
use crate::correlate::event::SipEvent;
use crate::correlate::placement::Placement;
use crate::dissect::sip_marks::sip_marks;
use crate::model::addr::Endpoint;
use crate::model::capture::CaptureRecord;
use crate::model::evidence::FrameRef;
use crate::model::fact::SipNames;
use crate::model::finding::{Confidence, Finding};
use crate::model::frame::FrameId;
use crate::model::id::{Kind, RecordId, RecordKey};
use crate::model::record::{PayloadType, Protection, StreamRecord, StreamRtcp, VerdictRecord};
use crate::model::time::Ts;
use crate::model::transport::Transport;
use crate::policy::Policy;

pub(super) const A: &str = "192.0.2.1:5060";
pub(super) const B: &str = "198.51.100.2:5060";
pub(super) const PUBLIC: &str = "8.8.8.8:5060";

pub(super) struct Bench {
    pub(super) detectors: Detectors,
    pub(super) policy: Policy,
    pub(super) capture: CaptureRecord,
    pub(super) encrypted: bool,
    pub(super) clipped: bool,
    frame: u64,
}

pub(super) fn endpoint(text: &str) -> Endpoint {
    let socket: std::net::SocketAddr = text.parse().unwrap();
    Endpoint::new(socket.ip().into(), socket.port())
}

/// Frame `number`, 10 ms after the one before.
pub(super) fn frame(number: u64) -> FrameRef {
    let nanos = 1_700_000_000_000_000_000 + i64::try_from(number).unwrap() * 10_000_000;
    FrameRef { frame: FrameId { source: 0, number }, time: Ts::from_nanos(nanos) }
}

pub(super) fn key(kind: Kind, n: u64) -> RecordKey {
    RecordKey { first: frame(n).frame, id: RecordId::new(kind, n << 8) }
}

pub(super) fn in_call(n: u64) -> Placement {
    Placement { call: Some(key(Kind::Call, n)), ..Placement::default() }
}

/// A clear PCMU stream of 100 packets in 30 s, the `n`th.
pub(super) fn stream(n: u64, src: &str, dst: &str) -> StreamRecord<'static> {
    let first = frame(n).time;
    StreamRecord {
        id: RecordId::new(Kind::Stream, n << 8),
        call: None,
        src: endpoint(src),
        dst: endpoint(dst),
        ssrc: 7,
        payload_types: vec![PayloadType {
            pt: 0,
            codec: Some("PCMU".into()),
            clock_rate: Some(8000),
            packets: 100,
        }],
        packets: 100,
        payload_bytes: 16_000,
        wire_bytes: 21_400,
        first,
        last: Ts::from_nanos(first.nanos() + 30_000_000_000),
        duration_s: 30.0,
        first_source: 0,
        first_frame: n,
        last_frame: n + 500,
        last_source: 0,
        expected: 100,
        lost: 0,
        loss_pct: 0.0,
        duplicates: 0,
        reordered: 0,
        jitter_ms: None,
        mos: None,
        dscp: None,
        ttl: None,
        gaps: 0,
        protection: Protection::Cleartext,
        verdict: VerdictRecord {
            test: "CHI".into(),
            confidence: Confidence::High,
            figures: [("chi".into(), 900.0)].into(),
        },
        negotiated: Some("RTP/AVP".into()),
        digits: None,
        rtcp: Some(StreamRtcp::default()),
        quality: None,
        srtcp: None,
        lost_in_pauses: 0,
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Policy::default())
    }

    pub(super) fn with(policy: Policy) -> Self {
        let detectors = Detectors::new(&policy);
        let capture = CaptureRecord::default();
        Self { detectors, policy, capture, encrypted: false, clipped: false, frame: 0 }
    }

    /// One message, LF for CRLF.
    pub(super) fn sip(&mut self, src: &str, dst: &str, placement: &Placement, text: &str) {
        self.frame += 1;
        let octets = text.replace('\n', "\r\n").into_bytes();
        let mut spans = Vec::new();
        let layout = sip::parse_datagram(&octets, &mut spans).unwrap();
        let message = Message::new(&octets, layout, &spans);
        let event = SipEvent {
            at: frame(self.frame),
            ordinal: self.frame,
            watermark: frame(self.frame).time,
            src: endpoint(src),
            dst: endpoint(dst),
            transport: Transport::Udp,
            names: SipNames::default(),
            faults: if self.clipped { Anomalies::NONE } else { message.faults() },
            marks: sip_marks(&message),
            message,
            clipped: self.clipped,
            encrypted: self.encrypted,
            hep: None,
            carriage: crate::model::fact::Carriage::default(),
        };
        self.detectors.sip(&event, placement);
    }

    pub(super) fn stream(&mut self, record: &StreamRecord<'_>, call: Option<u64>) {
        self.seen(&StreamSeen {
            record,
            key: record.key(),
            pair: Subject::pair(record.src.addr, record.dst.addr),
            call: call.map(|n| key(Kind::Call, n)),
            early: false,
            clipped: 0,
            lookalike: false,
            drift_pct: None,
            proof: None,
            agreement: None,
            around: Around::default(),
        });
    }

    pub(super) fn seen(&mut self, seen: &StreamSeen<'_>) {
        self.detectors.stream(*seen);
    }

    pub(super) fn tap(&mut self, seen: &TapSeen) {
        self.detectors.tap(seen);
    }

    pub(super) fn outcome(mut self) -> Outcome {
        for (table, n) in self.detectors.evicted() {
            *self.capture.evicted.entry(table).or_default() += n;
        }
        self.detectors.finish(&CaptureSeen {
            record: &self.capture,
            first: frame(1),
            last: frame(1_000_000),
            policy: &self.policy,
            lossy_seconds: &[],
        })
    }

    /// The findings of one rule.
    pub(super) fn findings(self, rule: &str) -> Vec<Finding> {
        let all = self.outcome().findings;
        all.into_iter().filter(|finding| finding.rule == rule).collect()
    }
}

/// The value of a parameter, as JSON.
pub(super) fn parameter(finding: &Finding, name: &str) -> serde_json::Value {
    let found = finding.parameters.iter().find(|(other, _)| *other == name);
    serde_json::to_value(&found.unwrap_or_else(|| panic!("no {name}")).1).unwrap()
}
