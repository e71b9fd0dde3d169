//! Records for tests of what stores, joins and prints them.

use crate::model::addr::{Addr, Endpoint};
use crate::model::code_point::{CipherSuite, Group, Number, Scheme, SrtpProfile, Version};
use crate::model::finding::Confidence;
use crate::model::handshake::{
    AlertRecord, CertificateRecord, Ending, HandshakeRecord, Offered, Outcome, Peer,
};
use crate::model::id::{Kind, RecordId};
use crate::model::record::{
    CallMedia, CallRecord, CallState, HandshakeKind, Jitter, Keying, Party, PayloadType,
    Protection, RegistrationRecord, RegistrationState, Side, Sides, StreamRecord, StreamRtcp,
    VerdictRecord,
};
use crate::model::shared::Shared;
use crate::model::time::{Span, Ts};

/// 2026-11-22T03:06:04Z, the moment frame 0 was captured; each frame is a millisecond later.
const START: i64 = 1_795_316_764_000_000_000;

pub(crate) fn time(frame: u64) -> Ts {
    Ts::from_nanos(START).plus(Span::from_millis(i64::try_from(frame).unwrap_or(i64::MAX)))
}

pub(crate) fn endpoint(last: u8, port: u16) -> Endpoint {
    Endpoint::new(Addr::v4([192, 0, 2, last]), port)
}

pub(crate) fn id(kind: Kind, frame: u64) -> RecordId {
    RecordId::new(kind, frame.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

pub(crate) fn party(user: &str, host: &str) -> Party<'static> {
    Party {
        uri: Some(format!("sip:{user}@{host}").into()),
        user: Some(user.to_owned().into()),
        host: Some(host.to_owned().into()),
        display: None,
    }
}

/// An answered call of 42.5 s that begins in `frame`.
pub(crate) fn call(frame: u64) -> CallRecord<'static> {
    CallRecord {
        id: id(Kind::Call, frame),
        call_id: format!("{frame:08x}-3c26-4b1f@192.0.2.10").into(),
        transport: vec!["UDP".into()],
        caller: party("alice", "example.com"),
        callee: party("bob", "example.net"),
        asserted: Vec::new(),
        request_uri: Some("sip:bob@example.net".into()),
        user_agents: Sides { caller: Some("Example Phone 1.2".into()), callee: None },
        state: CallState::Answered,
        final_status: Some(200),
        ended_by: Some(Side::Caller),
        start: time(frame),
        answer: Some(time(frame + 1_500)),
        end: Some(time(frame + 44_000)),
        setup_ms: Some(210.5),
        ring_ms: Some(1_290.0),
        talk_s: Some(42.5),
        messages: 7,
        first_source: 0,
        first_frame: frame,
        last_source: 0,
        last_frame: frame + 4_400,
        via: "wire".into(),
        endpoints: Sides { caller: Some(endpoint(10, 5060)), callee: Some(endpoint(20, 5060)) },
        trunk: None,
        media: CallMedia {
            offered: vec!["RTP/AVP".into()],
            answered: vec!["RTP/AVP".into()],
            keying: Keying::None,
            codecs: vec!["PCMU".into(), "telephone-event".into()],
            holds: Vec::new(),
            moves: Vec::new(),
            features: Vec::new(),
        },
        transfers: Vec::new(),
        challenges: 1,
        signalling_clear: true,
        key_exposed: false,
    }
}

/// A readable stream of 42.5 s that begins in `frame`.
pub(crate) fn stream(frame: u64) -> StreamRecord<'static> {
    StreamRecord {
        id: id(Kind::Stream, frame),
        call: None,
        src: endpoint(10, 4000),
        dst: endpoint(20, 6000),
        ssrc: 0x1234_abcd,
        payload_types: vec![PayloadType {
            pt: 0,
            codec: Some("PCMU".into()),
            clock_rate: Some(8000),
            packets: 2_126,
        }],
        packets: 2_126,
        payload_bytes: 340_160,
        wire_bytes: 454_964,
        first: time(frame),
        last: time(frame + 42_500),
        duration_s: 42.5,
        first_source: 0,
        first_frame: frame,
        last_frame: frame + 4_250,
        last_source: 0,
        expected: 2_126,
        lost: 3,
        loss_pct: 0.141_11,
        duplicates: 0,
        reordered: 1,
        jitter_ms: Some(Jitter { mean: 0.412, max: 2.25, p95: Some(12.0) }),
        mos: None,
        dscp: Some(46),
        ttl: Some(64),
        gaps: 2,
        protection: Protection::Cleartext,
        verdict: VerdictRecord {
            test: "T1".into(),
            confidence: Confidence::Certain,
            figures: [("matching_share", 0.998), ("packets", 2126.0), ("step", 160.0)]
                .map(|(name, figure)| (name.into(), figure))
                .into(),
        },
        negotiated: Some("RTP/AVP".into()),
        digits: None,
        rtcp: Some(StreamRtcp { sender_reports: 8, report_blocks: 8, ..StreamRtcp::default() }),
        quality: None,
        srtcp: None,
        lost_in_pauses: 0,
    }
}

pub(crate) fn registration(frame: u64) -> RegistrationRecord<'static> {
    RegistrationRecord {
        id: id(Kind::Registration, frame),
        aor: "sip:alice@example.com".into(),
        contact: Some("sip:alice@192.0.2.10:5060".into()),
        source: endpoint(10, 5060),
        registrar: endpoint(20, 5060),
        state: RegistrationState::Ok,
        attempts: 2,
        expires_s: Some(3600),
        user_agent: Some("Example Phone 1.2".into()),
        call_id: format!("{frame:08x}-reg@192.0.2.10").into(),
        first_source: 0,
        first_frame: frame,
        last_frame: frame + 3,
    }
}

fn certificate() -> CertificateRecord {
    CertificateRecord {
        subject: "CN=sip.example.com".into(),
        issuer: "CN=Example CA".into(),
        serial: "01".into(),
        not_before: "2025-01-01T00:00:00Z".into(),
        not_after: "2035-12-31T00:00:00Z".into(),
        key: "rsa-2048".into(),
        signature: "sha256WithRSAEncryption".into(),
        san: vec!["DNS:sip.example.com".into()],
        sha256: "00ff".into(),
        self_signed: false,
    }
}

pub(crate) fn handshake(frame: u64) -> HandshakeRecord<'static> {
    HandshakeRecord {
        id: id(Kind::Handshake, frame),
        kind: HandshakeKind::Tls,
        over_sctp: false,
        client: endpoint(10, 40_000),
        server: endpoint(20, 5061),
        first_source: 0,
        first_frame: frame,
        last_source: 0,
        last_frame: frame + 7,
        start: time(frame),
        setup_ms: Some(12.5),
        sni: Some("sip.example.com".into()),
        alpn: Some(vec!["sip/2".into()]),
        alpn_chosen: None,
        offered: Some(Shared::owned(Offered {
            versions: vec![Version(0x0304), Version(0x0303)],
            ciphers: vec![CipherSuite(0x1301), CipherSuite(0x9999)],
            groups: vec![Group(0x1d)],
            signature_algorithms: vec![Scheme(0x0804)],
            srtp_profiles: vec![SrtpProfile(7)],
        })),
        version: Some(Version(0x0303)),
        cipher: Some(CipherSuite(0xc02f)),
        cipher_id: Some(Number(0xc02f)),
        group: Some(Group(0x17)),
        dh_bits: None,
        srtp_profile: None,
        certificates: Some(Shared::owned(vec![certificate()])),
        client_certificates: None,
        certificate_requested: Some(true),
        client_certificate: Some(false),
        resumed: Some(false),
        retried: Some(false),
        extended_master_secret: Some(true),
        encrypt_then_mac: Some(false),
        secure_renegotiation: Some(true),
        compression: Some(false),
        early_data: false,
        encrypted_client_hello: Some(false),
        outcome: Outcome::Completed,
        ended_by: Ending::Finished,
        alert: Some(AlertRecord {
            level: "warning".into(),
            description: "unrecognized_name".into(),
            from: Peer::Server,
        }),
        ja3: Some("0123".into()),
        ja3s: None,
        ja4: Some("t13d0206h2_8daaf6152771_e5627efa2ab1".into()),
        decrypted: false,
    }
}
