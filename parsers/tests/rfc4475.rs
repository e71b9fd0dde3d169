//! RFC 4475 and RFC 5118: what each torture message reads as, and which anomaly names its fault. A
//! tap refuses nothing: what an endpoint would reject is parsed as far as it goes, and said.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use overhear_parsers::sip::{
    Anomalies, HeaderName, HeaderSpan, Layout, Message, parse_datagram, probe,
};

type Read = (Vec<u8>, Layout, Vec<HeaderSpan>);

fn read(file: &str) -> Read {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/torture");
    let octets = std::fs::read(folder.join(file)).expect("a torture fixture");
    let mut spans = Vec::new();
    let layout = parse_datagram(&octets, &mut spans).expect("every torture message is parsed");
    (octets, layout, spans)
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).expect("text")
}

/// File, method text or status, `CSeq` number, `CSeq` method, Call-ID.
const VALID: &[(&str, &str, u32, &str, &str)] = &[
    ("wsinv", "INVITE", 9, "INVITE", "wsinv.ndaksdj@192.0.2.1"),
    (
        "intmeth",
        "!interesting-Method0123456789_*+`.%indeed'~",
        139_122_385,
        "!interesting-Method0123456789_*+`.%indeed'~",
        "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
    ),
    ("esc01", "INVITE", 234_234, "INVITE", "esc01.239409asdfakjkn23onasd0-3234"),
    ("escnull", "REGISTER", 14_398_234, "REGISTER", "escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd"),
    ("esc02", "RE%47IST%45R", 29_344, "RE%47IST%45R", "esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf"),
    ("lwsdisp", "OPTIONS", 60, "OPTIONS", "lwsdisp.1234abcd@funky.example.com"),
    ("longreq", "INVITE", 3_882_340, "INVITE", "longreq.onereallyreallyreallyreally"),
    ("dblreq", "REGISTER", 8, "REGISTER", "dblreq.0ha0isndaksdj99sdfafnl3lk233412"),
    ("semiuri", "OPTIONS", 8, "OPTIONS", "semiuri.0ha0isndaksdj"),
    ("transports", "OPTIONS", 60, "OPTIONS", "transports.kijh4akdnaqjkwendsasfdj"),
    ("mpart01", "MESSAGE", 1, "MESSAGE", "3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA.."),
    ("unreason", "200", 35, "INVITE", "unreason.1234ksdfak3j2erwedfsASdf"),
    ("noreason", "100", 35, "INVITE", "noreason.asndj203insdf99223ndf"),
    ("badbranch", "OPTIONS", 8, "OPTIONS", "badbranch.sadonfo23i420jv0as0derf3j3n"),
    ("unkscm", "OPTIONS", 3_923_423, "OPTIONS", "unkscm.nasdfasser0q239nwsdfasdkl34"),
    ("novelsc", "OPTIONS", 3_923_423, "OPTIONS", "novelsc.asdfasser0q239nwsdfasdkl34"),
    ("bext01", "OPTIONS", 8, "OPTIONS", "bext01.0ha0isndaksdj"),
    ("invut", "INVITE", 235_448, "INVITE", "invut.0ha0isndaksdjadsfij34n23d"),
    ("bcast", "200", 35, "INVITE", "bcast.0384840201234ksdfak3j2erwedfsASdf"),
    ("zeromf", "OPTIONS", 39_234_321, "OPTIONS", "zeromf.jfasdlfnm2o2l43r5u0asdfas"),
    ("inv2543", "INVITE", 56, "INVITE", "inv2543.1717@ift.client.example.com"),
];

#[test]
fn valid_messages_give_their_method_call_id_and_cseq() {
    for &(file, start, sequence, method, call_id) in VALID {
        let (octets, layout, spans) = read(&format!("rfc4475/{file}.dat"));
        assert!(probe(&octets), "{file}");
        let message = Message::new(&octets, layout, &spans);
        match message.status() {
            Some(status) => assert_eq!(status.to_string(), start, "{file}"),
            None => assert_eq!(text(message.method_text()), start, "{file}"),
        }
        let (number, _, method_text) = message.cseq().expect("a CSeq");
        assert_eq!((number, text(method_text)), (sequence, method), "{file}");
        assert!(
            text(message.call_id()).starts_with(call_id),
            "{file}: {}",
            text(message.call_id())
        );
        let faults = message.inspect().without(LEGAL);
        assert!(faults.is_empty(), "{file}: {:?}", faults.iter().collect::<Vec<_>>());
    }
}

/// Unusual, and legal.
const LEGAL: Anomalies = Anomalies::FOLDED_HEADER
    .union(Anomalies::SPACE_BEFORE_COLON)
    .union(Anomalies::CONTROL_OCTET)
    .union(Anomalies::CONTENT_LENGTH_TOO_SMALL)
    .union(Anomalies::MESSAGE_AFTER_BODY);

#[test]
fn faults_are_named() {
    let faults = [
        ("badinv01", Anomalies::BAD_VIA.union(Anomalies::BAD_CONTACT)),
        ("clerr", Anomalies::CONTENT_LENGTH_TOO_LARGE),
        ("ncl", Anomalies::CONTENT_LENGTH_BAD),
        ("scalar02", Anomalies::CSEQ_BAD),
        ("scalarlg", Anomalies::CSEQ_BAD),
        ("quotbal", Anomalies::BAD_TO),
        ("ltgtruri", Anomalies::BAD_REQUEST_URI),
        ("lwsruri", Anomalies::BAD_REQUEST_URI),
        ("lwsstart", Anomalies::EXTRA_SPACE_IN_START_LINE),
        ("trws", Anomalies::EXTRA_SPACE_IN_START_LINE),
        ("escruri", Anomalies::REQUEST_URI_WITH_HEADERS),
        ("regbadct", Anomalies::BAD_CONTACT),
        ("badaspec", Anomalies::BAD_TO),
        ("baddn", Anomalies::BAD_FROM),
        ("badvers", Anomalies::BAD_VERSION),
        ("mismatch01", Anomalies::CSEQ_METHOD_MISMATCH),
        ("mismatch02", Anomalies::CSEQ_METHOD_MISMATCH),
        ("bigcode", Anomalies::BAD_STATUS_CODE),
        (
            "insuf",
            Anomalies::MISSING_CALL_ID.union(Anomalies::MISSING_FROM).union(Anomalies::MISSING_TO),
        ),
        (
            "multi01",
            Anomalies::DUPLICATE_CALL_ID
                .union(Anomalies::DUPLICATE_CSEQ)
                .union(Anomalies::DUPLICATE_FROM)
                .union(Anomalies::DUPLICATE_TO)
                .union(Anomalies::DUPLICATE_MAX_FORWARDS),
        ),
        ("mcl01", Anomalies::CONTENT_LENGTH_DUPLICATE_DIFFERING),
        ("dblreq", Anomalies::CONTENT_LENGTH_TOO_SMALL.union(Anomalies::MESSAGE_AFTER_BODY)),
    ];
    for (file, expected) in faults {
        let (octets, layout, spans) = read(&format!("rfc4475/{file}.dat"));
        let found = Message::new(&octets, layout, &spans).inspect();
        let names: Vec<_> = found.iter().collect();
        assert!(found.contains(expected), "{file}: {names:?}");
    }
}

#[test]
fn the_tortuous_invite_is_read_through_its_folds() {
    let (octets, layout, spans) = read("rfc4475/wsinv.dat");
    let message = Message::new(&octets, layout, &spans);
    let to = message.to().expect("a To");
    assert_eq!(
        (text(to.uri), to.tag().map(text)),
        ("sip:vivekg@chair-dnrc.example.com", Some("1918181833n"))
    );
    assert_eq!(message.from().expect("a From").display, br#"J Rosenberg \\\""#);
    let vias: Vec<_> = message.vias().map(|via| (via.transport, text(via.host))).collect();
    assert_eq!(
        vias,
        [(&b"UDP"[..], "192.0.2.2"), (b"TCP", "spindle.example.com"), (b"UDP", "192.168.255.111"),]
    );
    assert_eq!(message.addresses(HeaderName::Route).count(), 1);
    assert_eq!(message.header(HeaderName::Subject), Some(&b""[..]));
    assert!(message.sdp().is_some_and(|sdp| sdp.starts_with(b"v=0")));
    let unknown = message.headers_called(b"NewFangledHeader").next().expect("an unknown header");
    assert!(unknown.starts_with(b"newfangled value"));
}

#[test]
fn a_percent_escape_is_never_undone() {
    let (octets, layout, spans) = read("rfc4475/esc02.dat");
    let message = Message::new(&octets, layout, &spans);
    assert_eq!(message.headers_named(HeaderName::Contact).count(), 2);
    assert!(message.headers_called(b"C%6Fntact").next().is_some());
    let (octets, layout, spans) = read("rfc4475/semiuri.dat");
    let message = Message::new(&octets, layout, &spans);
    let uri = overhear_parsers::sip::Uri::parse(message.request_uri());
    assert_eq!(uri.user, Some(&b"user;par=u%40example.net"[..]));
}

#[test]
fn a_binary_body_is_framed_by_its_length() {
    let (octets, layout, spans) = read("rfc4475/mpart01.dat");
    let message = Message::new(&octets, layout, &spans);
    assert_eq!((message.body().len(), message.trailing().len()), (553, 0));
    let parts = overhear_parsers::sip::multipart::BodyParts::new(
        message.header(HeaderName::ContentType).expect("a type"),
        message.body(),
    );
    assert_eq!(parts.expect("multipart").count(), 2);
}

#[test]
fn ipv6_messages_are_read_and_only_the_bad_one_is_strictly_wrong() {
    let files = [
        "ipv4-mapped-ipv6",
        "ipv6-bad",
        "ipv6-bug-abnf-3-colons",
        "ipv6-correct-abnf-2-colons",
        "ipv6-good",
        "ipv6-in-sdp",
        "mult-ip-in-header",
        "mult-ip-in-sdp",
        "port-ambiguous",
        "port-unambiguous",
        "via-received-param-no-delim",
        "via-received-param-with-delim",
    ];
    for file in files {
        let (octets, layout, spans) = read(&format!("rfc5118/{file}.sip"));
        let message = Message::new(&octets, layout, &spans);
        assert!(
            message.inspect().is_empty(),
            "{file}: {:?}",
            message.inspect().iter().collect::<Vec<_>>()
        );
        let via = message.top_via().expect("a Via");
        assert!(!via.host.is_empty() && via.branch().is_some(), "{file}");
        if file.starts_with("via-received") {
            assert!(via.received_address().is_some_and(|address| address.is_ipv6()), "{file}");
        }
        if file == "port-ambiguous" || file == "port-unambiguous" {
            let uri = overhear_parsers::sip::Uri::parse(message.request_uri());
            assert_eq!(uri.port.is_some(), file == "port-unambiguous");
        }
        if let Some(sdp) = message.sdp() {
            let session = overhear_parsers::sdp::parse(sdp);
            assert_eq!(session.malformed, 0, "{file}");
            let reachable = |media: overhear_parsers::sdp::Media<'_>| {
                media.connection().is_some_and(|connection| connection.ip().is_some())
            };
            assert!(session.media().all(reachable), "{file}");
        }
    }
}
