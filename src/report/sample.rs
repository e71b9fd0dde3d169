//! An outcome for tests of the writers: three calls, one of them with hostile names.

use super::outcome::{Outcome, Step, StepKind};
use crate::correlate::archive::Archive;
use crate::correlate::sample::{call, endpoint, handshake, registration, stream, time};
use crate::model::addr::Endpoint;
use crate::model::capture::{Accounting, CaptureRecord, Counts, SourceRecord};
use crate::model::evidence::{Evidence, FrameRef};
use crate::model::finding::{Confidence, Figure, Finding, Scope, Severity};
use crate::model::frame::FrameId;
use crate::model::id::RecordId;
use crate::model::record::{CallRecord, CallState, Party, Protection};
use crate::policy::Policy;

/// Everything a caller can put into a name to fool a reader.
pub(crate) const HOSTILE: &str = "\u{1b}[2J\u{202e}evil\u{9b}31m\r\nVERDICT  fine\u{200b}\u{7f}";

pub(crate) fn at(number: u64) -> FrameRef {
    FrameRef { frame: FrameId { source: 0, number }, time: time(number) }
}

fn hostile_call(frame: u64) -> CallRecord<'static> {
    let long = "東".repeat(200);
    let party = |text: &str| Party {
        uri: Some(format!("sip:{text}@x").into()),
        user: Some(text.to_owned().into()),
        host: Some("x".into()),
        display: Some(text.to_owned().into()),
    };
    CallRecord {
        call_id: HOSTILE.into(),
        caller: party(HOSTILE),
        callee: party(&long),
        state: CallState::Failed,
        final_status: Some(486),
        answer: None,
        talk_s: None,
        ..call(frame)
    }
}

pub(crate) fn finding(rule: &'static str, severity: Severity, calls: Vec<RecordId>) -> Finding {
    Finding {
        id: format!("{rule}-0a1b2c3d"),
        rule,
        severity,
        confidence: Confidence::Certain,
        title: "Media is sent as plain RTP".to_owned(),
        summary: "2 of 3 streams, 1 min 25 s of media, can be played by anyone on the path."
            .to_owned(),
        scope: Scope {
            calls,
            addresses: vec![endpoint(10, 0).addr, endpoint(20, 0).addr],
            ..Scope::default()
        },
        first_seen: at(21),
        last_seen: at(4_271),
        count: 2,
        first_alert: at(40),
        evidence: vec![Evidence {
            at: at(21),
            what: format!("PCMU as sent by {HOSTILE}"),
            excerpt: None,
            sightings: vec![FrameRef { frame: FrameId { source: 1, number: 17 }, ..at(21) }],
        }],
        parameters: vec![
            ("min_packets", Figure::Count(20)),
            ("share", Figure::Number(0.5)),
            ("profile", Figure::Text("RTP/AVP".to_owned())),
            ("announced", Figure::Flag(true)),
        ],
        remediation: "Offer RTP/SAVP and refuse RTP/AVP.",
        references: &["RFC 3711 §3.1"],
    }
}

pub(super) fn source() -> SourceRecord {
    SourceRecord {
        path: "office.pcapng".to_owned(),
        format: "pcapng".to_owned(),
        via: "file".to_owned(),
        compression: "none".to_owned(),
        sha256: None,
        bytes: 1_234_567,
        clock_offset: None,
        packets: 6_420,
        link_types: vec!["ethernet".to_owned()],
        first_packet: Some(time(0)),
        last_packet: Some(time(187_000)),
        truncated: true,
        fault: Some("block 6421 ends beyond the file".to_owned()),
        clipped_packets: 3,
        oddities: [("option-length".to_owned(), 1)].into(),
    }
}

fn counts() -> Counts {
    Counts {
        sip_messages: 68,
        sip_requests: [("INVITE".to_owned(), 9), ("ACK".to_owned(), 9)].into(),
        sip_responses: [("200".to_owned(), 12)].into(),
        calls: 3,
        rtp_streams: 3,
        rtp_packets: 6_378,
        ..Counts::default()
    }
}

/// A capture with a clear call, a protected one and a failed one of a stranger.
pub(crate) fn outcome() -> Outcome {
    let policy = Policy::default();
    let mut archive = Archive::new(&policy.limits);
    let (clear, protected, hostile) = (call(1), call(900), hostile_call(1_700));
    for (frame, call, protection) in [
        (21, &clear, Protection::Cleartext),
        (22, &clear, Protection::Cleartext),
        (950, &protected, Protection::EncryptedLike),
    ] {
        let mut stream = stream(frame);
        stream.call = Some(call.id);
        stream.protection = protection;
        archive.push_stream(&stream, Some(call.key()), None);
    }
    for call in [&hostile, &clear, &protected] {
        archive.push_call(call);
    }
    archive.push_registration(&registration(3));
    archive.push_handshake(&mut handshake(5));
    let findings = vec![
        finding("MEDIA-CLEARTEXT-RTP", Severity::Critical, vec![clear.id]),
        finding("SENSOR-TRUNCATED", Severity::Info, vec![]),
    ];
    archive.cite(&[(clear.key(), 0)]);
    Outcome {
        capture: CaptureRecord {
            sources: vec![source()],
            packets: 6_420,
            bytes: 1_200_000,
            first_packet: Some(time(0)),
            last_packet: Some(time(187_000)),
            duration_s: Some(187.0),
            accounting: Accounting {
                handled: [("sip", 34), ("rtp", 6_378)].into(),
                skipped: [("not-voip", 8)].into(),
            },
            ..CaptureRecord::default()
        },
        counts: counts(),
        archive,
        findings,
        limits: vec!["Signalling inside TLS cannot be read without the session's keys.".to_owned()],
        policy,
        ladder: Vec::new(),
        tls: crate::correlate::tls_peers::TlsSummary::default(),
        peers: Vec::new(),
        secrets: Vec::new(),
        recording: None,
    }
}

/// One step of a ladder.
pub(crate) fn step(frame: u64, src: Endpoint, dst: Endpoint, label: &str) -> Step {
    Step {
        at: at(frame),
        src,
        dst,
        label: label.to_owned(),
        note: None,
        retransmission: false,
        kind: StepKind::Message,
    }
}
