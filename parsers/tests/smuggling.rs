//! What one reader lets through and another acts on: each group of such messages has its anomaly, so
//! that a rule can tell them apart. A message without any trick has none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use overhear_parsers::fuzz_headers;
use overhear_parsers::sip::{
    Anomalies, Framing, HeaderName, MAX_BODY, MAX_HEADER_SECTION, MAX_HEADERS, Message,
    parse_datagram, parse_stream,
};
use proptest::prelude::*;

type Edit<'a> = (&'a str, &'a str);

const PLAIN: &str = "INVITE sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n\
    Max-Forwards: 70\r\nFrom: \"A\" <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: c1\r\n\
    CSeq: 1 INVITE\r\nContact: <sip:a@a.example:5062>\r\nContent-Length: 0\r\n\r\n";

fn inspect(octets: &[u8]) -> Anomalies {
    let mut spans = Vec::new();
    let layout = parse_datagram(octets, &mut spans).expect("a message");
    Message::new(octets, layout, &spans).inspect()
}

/// The plain message with one piece replaced; which must be there.
fn with((from, to): Edit<'_>) -> Vec<u8> {
    assert!(PLAIN.contains(from), "{from}");
    PLAIN.replacen(from, to, 1).into_bytes()
}

/// Each edit must show exactly these anomalies.
fn expect(edits: &[Edit<'_>], expected: Anomalies) {
    for edit in edits {
        let found = inspect(&with(*edit));
        let names: Vec<_> = found.iter().collect();
        assert_eq!(found, expected, "{edit:?}: {names:?}");
    }
}

/// The same body under a Content-Type.
fn body(kind: &str, body: &str) -> Anomalies {
    let end = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    inspect(&with(("Content-Length: 0\r\n\r\n", &end)))
}

#[test]
fn a_plain_message_has_no_anomaly() {
    assert_eq!(inspect(PLAIN.as_bytes()), Anomalies::NONE);
}

#[test]
fn several_or_odd_content_lengths_are_told_apart() {
    let length = "Content-Length: 0\r\n";
    expect(
        &[(length, "Content-Length: 0\r\nContent-Length: 0\r\n")],
        Anomalies::CONTENT_LENGTH_DUPLICATE,
    );
    let differing = Anomalies::CONTENT_LENGTH_DUPLICATE_DIFFERING;
    expect(&[(length, "Content-Length: 0\r\nContent-Length: 5\r\n")], differing);
    let both = Anomalies::COMPACT_AND_LONG;
    expect(
        &[(length, "Content-Length: 0\r\nl: 0\r\n")],
        both | Anomalies::CONTENT_LENGTH_DUPLICATE,
    );
    expect(&[(length, "Content-Length: 0\r\nl: 7\r\n")], both | differing);
    for bad in
        ["+0", "-0", "-1", "0x0", "0 0", "0, 0", "0;x", "", "18446744073709551616", "\u{660}"]
    {
        expect(&[(length, &format!("Content-Length: {bad}\r\n"))], Anomalies::CONTENT_LENGTH_BAD);
    }
    for large in ["1", "4294967296", "18446744073709551615"] {
        expect(
            &[(length, &format!("Content-Length: {large}\r\n"))],
            Anomalies::CONTENT_LENGTH_TOO_LARGE,
        );
    }
    for fine in ["  0", "00", "0\t "] {
        expect(&[(length, &format!("Content-Length: {fine}\r\n"))], Anomalies::NONE);
    }
}

#[test]
fn a_message_behind_the_body_is_seen_and_not_read() {
    let two = [PLAIN, PLAIN].concat();
    let found = inspect(two.as_bytes());
    assert_eq!(found, Anomalies::CONTENT_LENGTH_TOO_SMALL | Anomalies::MESSAGE_AFTER_BODY);
    let noise = [PLAIN, "noise"].concat();
    assert_eq!(inspect(noise.as_bytes()), Anomalies::CONTENT_LENGTH_TOO_SMALL);
    let nested = ("Max-Forwards: 70\r\n", "BYE sip:x SIP/2.0\r\n");
    expect(&[nested], Anomalies::START_LINE_IN_HEADERS | Anomalies::BAD_HEADER_NAME);
    // In a stream the lengths are believed: one that is too small shows as junk, then a message.
    let short =
        [&with(("Content-Length: 0\r\n\r\n", "l: 2\r\n\r\nabcdef\r\n"))[..], PLAIN.as_bytes()]
            .concat();
    let Framing::Message(layout) = parse_stream(&short, &mut Vec::new()) else {
        panic!("a message")
    };
    let rest = &short[usize::try_from(layout.len).unwrap()..];
    assert_eq!(parse_stream(rest, &mut Vec::new()), Framing::Junk(6));
}

#[test]
fn methods_and_single_headers_are_compared() {
    expect(&[("1 INVITE", "1 BYE"), ("1 INVITE", "1 invite")], Anomalies::CSEQ_METHOD_MISMATCH);
    for (header, anomaly) in [
        ("From: <sip:a@a.example>;tag=2", Anomalies::DUPLICATE_FROM),
        ("To: <sip:x@b.example>", Anomalies::DUPLICATE_TO),
        ("Call-ID: c2", Anomalies::DUPLICATE_CALL_ID),
        ("CSeq: 2 INVITE", Anomalies::DUPLICATE_CSEQ),
        ("Max-Forwards: 7", Anomalies::DUPLICATE_MAX_FORWARDS),
        ("Expires: 1\r\nExpires: 2", Anomalies::DUPLICATE_SINGLE),
        ("Refer-To: <sip:a>\r\nRefer-To: <sip:b>", Anomalies::DUPLICATE_SINGLE),
        ("f: <sip:x@a.example>", Anomalies::DUPLICATE_FROM | Anomalies::COMPACT_AND_LONG),
        ("i: c2", Anomalies::DUPLICATE_CALL_ID | Anomalies::COMPACT_AND_LONG),
        ("m: <sip:x@a.example>", Anomalies::COMPACT_AND_LONG),
        ("Supported: timer\r\nk: path", Anomalies::COMPACT_AND_LONG),
        ("k: timer\r\nk: path", Anomalies::NONE),
    ] {
        expect(&[("Content-Length", &format!("{header}\r\nContent-Length"))], anomaly);
    }
}

#[test]
fn white_space_line_ends_and_odd_octets_have_their_bits() {
    expect(&[("Max-Forwards:", "Max-Forwards :"), ("To:", "To\t:")], Anomalies::SPACE_BEFORE_COLON);
    expect(
        &[("INVITE sip", "INVITE  sip"), ("example SIP", "example\tSIP")],
        Anomalies::EXTRA_SPACE_IN_START_LINE,
    );
    expect(
        &[("70\r\n", "\r\n 70\r\n"), ("<sip:b@b.example>\r", "<sip:b@b.example>\r\n\t;x\r")],
        Anomalies::FOLDED_HEADER,
    );
    expect(&[("70\r\n", "70\n")], Anomalies::BARE_LF | Anomalies::MIXED_LINE_ENDS);
    let all_lf = PLAIN.replace("\r\n", "\n");
    assert_eq!(inspect(all_lf.as_bytes()), Anomalies::BARE_LF);
    expect(&[("c1\r\n", "c\r1\r\n")], Anomalies::BARE_CR);
    expect(&[("c1\r\n", "c\u{1}\r\n")], Anomalies::CONTROL_OCTET);
    expect(&[("c1\r\n", "c\0\r\n")], Anomalies::CONTROL_OCTET | Anomalies::NUL_OCTET);
    expect(
        &[("c1\r\n", "c\u{e9}\r\n"), ("tag=1", "tag=\u{e9}"), ("bK1", "bK\u{e9}")],
        Anomalies::NON_ASCII_TOKEN,
    );
    expect(&[("\"A\"", "\"\u{e9}\"")], Anomalies::NONE);
}

#[test]
fn names_and_addresses_in_quotes_are_looked_through() {
    let from = "\"A\" <sip:a@a.example>;tag=1";
    expect(
        &[(from, "\"a\\\" <sip:evil@x.example>;tag=1"), (from, "\"a <sip:a@a.example>;tag=1")],
        Anomalies::BAD_FROM,
    );
    expect(&[(from, "Bell, A <sip:a@a.example>;tag=1")], Anomalies::BAD_FROM);
    expect(
        &[(from, "\"<sip:evil@x.example>\" <sip:a@a.example>;tag=1")],
        Anomalies::ADDRESS_IN_DISPLAY,
    );
    expect(
        &[(from, "\"a\\\" <sip:evil@x.example>\" <sip:a@a.example>;tag=1")],
        Anomalies::ADDRESS_IN_DISPLAY,
    );
}

#[test]
fn uris_that_can_be_read_in_two_ways_are_noted() {
    let uri = "sip:b@b.example SIP";
    for odd in [
        "sip:a@b@c.example",
        "sip:b@[2001:db8::1",
        "sip:b@2001:db8::1",
        "sip:b@b.example:65536",
        "sip:b@b.example:0",
        "sip:b@b.example:",
        "sip:b@b%2eexample",
        "sip:b@",
        "sip:b:p@w@b.example",
        "sip:b@[::1]x",
    ] {
        expect(&[(uri, &format!("{odd} SIP"))], Anomalies::AMBIGUOUS_URI);
    }
    for fine in
        ["sip:b:pw@b.example", "sip:b;x=y@[2001:db8::1]:5060;lr", "tel:+1555", "sip:b_c.example"]
    {
        expect(&[(uri, &format!("{fine} SIP"))], Anomalies::NONE);
    }
    expect(
        &[(uri, "sip:u;par=%40x@b.example SIP"), (uri, "sip:a%3ab@b.example SIP")],
        Anomalies::ESCAPED_DELIMITER,
    );
    expect(
        &[(uri, "sip:a%0D%0Aroute@b.example SIP"), (uri, "tel:1%0a SIP")],
        Anomalies::ESCAPED_LINE_END,
    );
    expect(&[(uri, "sip:a%00@b.example SIP")], Anomalies::ESCAPED_NUL);
    expect(&[(uri, "sip:b@b.example?Route=x SIP")], Anomalies::REQUEST_URI_WITH_HEADERS);
    expect(&[("a.example:5062", "a.example:70000")], Anomalies::AMBIGUOUS_URI);
}

#[test]
fn what_a_via_cannot_say_is_noted() {
    let via = "SIP/2.0/UDP a.example;branch=z9hG4bK1";
    expect(&[(via, "SIP / 2.0 / UDP a.example;branch=z9hG4bK1")], Anomalies::SPACED_VIA);
    expect(
        &[(via, "SIP/2.0/UDP a.example"), (via, "SIP/2.0/UDP a.example;branch=z9hG4bK")],
        Anomalies::BRANCH_MISSING,
    );
    let again = [via, ", ", via].concat();
    expect(
        &[(via, &again), (via, "SIP/2.0/UDP a;branch=z9hG4bK1;branch=z9hG4bK2")],
        Anomalies::BRANCH_REPEATED,
    );
    let told = Anomalies::RECEIVED_IN_REQUEST;
    expect(&[(";branch", ";received=192.0.2.1;branch"), (";branch", ";rport=5060;branch")], told);
    expect(&[(";branch", ";rport;branch")], Anomalies::NONE);
    let bad = [
        (via, "SIP/2.0/UDP a.example (Acme);branch=z9hG4bK1"),
        (via, "SIP/2.0/UDP a;;branch=z9hG4bK1"),
    ];
    expect(&bad, Anomalies::BAD_VIA);
    // In a response the next hop has written it.
    let answer = PLAIN
        .replace("INVITE sip:b@b.example SIP/2.0", "SIP/2.0 200 OK")
        .replace(";branch", ";received=::1;branch");
    assert_eq!(inspect(answer.as_bytes()), Anomalies::NONE);
}

#[test]
fn multiparts_name_their_boundary_end_once_and_hold_one_description() {
    let part = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
    let whole = [part, "--b--\r\n"].concat();
    assert_eq!(body("multipart/mixed;boundary=b", &whole), Anomalies::NONE);
    assert_eq!(body("multipart/mixed", &whole), Anomalies::BAD_MULTIPART);
    assert_eq!(body("multipart/mixed;boundary=c", &whole), Anomalies::BAD_MULTIPART);
    assert_eq!(body("multipart/mixed;boundary=b", part), Anomalies::BAD_MULTIPART);
    assert_eq!(body("multipart/mixed;boundary=b", &whole.repeat(2)), Anomalies::BAD_MULTIPART);
    let second = [part, &whole].concat();
    assert_eq!(body("multipart/mixed;boundary=b", &second), Anomalies::SEVERAL_DESCRIPTIONS);
    assert_eq!(body("application/sdp", "v=0\r\n"), Anomalies::NONE);
}

#[test]
fn a_header_in_disguise_is_recognised() {
    let asserted = "P-Asserted-Identity";
    let before = "Content-Length";
    for name in ["P-Asserted-Identity(", "P-Asserted-Identity@x", "P Asserted-Identity", "X Y"] {
        let known = name.starts_with("P-Asserted-Identity(");
        let disguised = if known { Anomalies::DISGUISED_HEADER } else { Anomalies::NONE };
        expect(
            &[(before, &format!("{name}: <sip:a@a.example>\r\n{before}"))],
            disguised | Anomalies::BAD_HEADER_NAME,
        );
    }
    let spaced = format!("{asserted}\t: <sip:a@a.example>\r\n{before}");
    expect(&[(before, &spaced)], Anomalies::SPACE_BEFORE_COLON);
    let odd = inspect(&with((before, &format!("{asserted}\u{7f}: <sip:a>\r\n{before}"))));
    assert!(odd.contains(Anomalies::DISGUISED_HEADER | Anomalies::CONTROL_OCTET));
}

#[test]
fn dates_warnings_and_numbers_are_checked() {
    let end = "Content-Length";
    for (header, anomaly) in [
        ("Date: yesterday", Anomalies::BAD_DATE),
        ("Warning: 1 a \"b\"", Anomalies::BAD_WARNING),
        ("Warning: 399 a \"b\", 300 c \"d\"", Anomalies::NONE),
        ("Expires: 4294967296", Anomalies::BAD_NUMBER),
        ("Session-Expires: x;refresher=uac", Anomalies::BAD_NUMBER),
        ("RSeq: 0", Anomalies::BAD_NUMBER),
        ("Retry-After: (soon)", Anomalies::BAD_NUMBER),
        ("Min-SE: 90", Anomalies::NONE),
    ] {
        expect(&[(end, &format!("{header}\r\n{end}"))], anomaly);
    }
    expect(
        &[("Max-Forwards: 70", "Max-Forwards: 256"), ("5062>", "5062>;expires=x")],
        Anomalies::BAD_NUMBER,
    );
}

#[test]
fn limits_hold_and_what_exceeds_them_is_said() {
    let many = with((
        "Content-Length",
        &["X: y\r\n".repeat(MAX_HEADERS), "Content-Length".into()].concat(),
    ));
    assert!(inspect(&many).contains(Anomalies::TOO_MANY_HEADERS));
    let mut spans = Vec::new();
    let layout = parse_datagram(&many, &mut spans).unwrap();
    assert_eq!(
        (spans.len(), usize::try_from(layout.headers).unwrap()),
        (MAX_HEADERS, MAX_HEADERS + 8)
    );
    // One header as long as the whole section may be in a stream: given up, and the next is found.
    let long = with(("c1", &"c".repeat(MAX_HEADER_SECTION)));
    assert!(matches!(parse_stream(&long, &mut Vec::new()), Framing::Junk(_)));
    let large = with(("Content-Length: 0", &format!("Content-Length: {}", MAX_BODY + 1)));
    let Framing::Message(layout) = parse_stream(&large, &mut Vec::new()) else {
        panic!("a message")
    };
    assert!(layout.anomalies.contains(Anomalies::CONTENT_LENGTH_TOO_LARGE));
    // Headers without a span are not asked for, and cannot hide the others.
    assert_eq!(
        Message::new(&many, layout, &spans).header(HeaderName::To),
        Some(&b"<sip:b@b.example>"[..])
    );
}

proptest! {
    #[test]
    fn the_readers_of_headers_and_bodies_return_for_any_octets(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz_headers::headers(&octets);
        fuzz_headers::bodies(&octets);
        fuzz_headers::inspected(&[PLAIN.as_bytes(), &octets].concat());
    }

    #[test]
    fn the_readers_return_for_what_looks_like_headers(value in "[a-z0-9=;,\"<>()%.:@/\\\\ \r\n\t-]{0,120}") {
        fuzz_headers::headers(value.as_bytes());
        fuzz_headers::inspected(PLAIN.replace("70\r\n", &format!("70\r\nX: {value}\r\nDate: {value}\r\nVia: {value}\r\n")).as_bytes());
    }

    #[test]
    fn bodies_of_delimiters_return(body in "(--b(--)?|\r\n|v=0|Content-Type: (multipart/mixed;boundary=b|application/sdp)|x){0,40}") {
        fuzz_headers::bodies(body.as_bytes());
    }
}
