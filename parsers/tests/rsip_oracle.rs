//! What the strict parser `rsip` accepts, this one accepts too, and both agree on what names a call.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use overhear_parsers::sip::{HeaderName, Message, Uri, parse_datagram, probe};
use rsip::prelude::{HasHeaders, HeadersExt, ToTypedHeader, UntypedHeader};

const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "REGISTER",
    "OPTIONS",
    "SUBSCRIBE",
    "NOTIFY",
    "PUBLISH",
    "INFO",
    "REFER",
    "MESSAGE",
    "UPDATE",
    "PRACK",
];

fn plain() -> Vec<String> {
    let mut all = Vec::new();
    for (number, method) in METHODS.iter().enumerate() {
        for uri in ["sip:b@b.example", "sips:b@192.0.2.7:5061;transport=tls", "sip:b.example"] {
            let headers = format!(
                "Via: SIP/2.0/UDP a.example:5060;branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n\
                 From: \"A B\" <sip:a@a.example>;tag=t{number}\r\nTo: <{uri}>\r\n\
                 Call-ID: {number}@a.example\r\nCSeq: {} {method}\r\nX-New: y\r\n\
                 Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody",
                number * 1000
            );
            all.push(format!("{method} {uri} SIP/2.0\r\n{headers}"));
            all.push(format!("SIP/2.0 {} Reason {number}\r\n{headers}", 180 + number));
        }
    }
    all
}

#[test]
fn messages_that_rsip_accepts_are_read_the_same() {
    for text in plain() {
        let strict = rsip::SipMessage::try_from(text.as_str()).expect("rsip takes plain messages");
        let mut spans = Vec::new();
        assert!(probe(text.as_bytes()));
        let layout = parse_datagram(text.as_bytes(), &mut spans).expect("and so do we");
        assert!(layout.anomalies.is_empty(), "{text}");
        let message = Message::new(text.as_bytes(), layout, &spans);
        assert_eq!(message.call_id(), strict.call_id_header().unwrap().value().as_bytes());
        let cseq = strict.cseq_header().unwrap().typed().unwrap();
        let (sequence, method, _) = message.cseq().unwrap();
        assert_eq!((sequence, method.as_str()), (cseq.seq, cseq.method.to_string().as_str()));
        let from = strict.from_header().unwrap().typed().unwrap();
        let tag = from.tag().unwrap().to_string();
        assert_eq!(message.from().unwrap().tag(), Some(tag.as_bytes()));
        assert_eq!(message.headers().count(), strict.headers().iter().count());
        assert_eq!(message.body(), &strict.body()[..]);
        match &strict {
            rsip::SipMessage::Request(request) => {
                assert_eq!(message.method().as_str(), request.method.to_string());
                let uri = Uri::parse(message.request_uri());
                assert!(uri.is_strict());
                assert_eq!(uri.host, request.uri.host().to_string().as_bytes());
            }
            rsip::SipMessage::Response(response) => {
                assert_eq!(message.status(), Some(response.status_code.code()));
            }
        }
    }
}

#[test]
fn what_rsip_is_known_to_refuse_is_read_all_the_same() {
    let text = "SERVICE tel:+1555 SIP/2.0\r\nv : SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1\r\n\
                f: <tel:+1555>;tag=1\r\nt: <sip:b@[::1]>\r\ni: x\r\nCSeq: 1\r\n SERVICE\r\n\r\n";
    assert!(rsip::SipMessage::try_from(text).is_err());
    let mut spans = Vec::new();
    let layout = parse_datagram(text.as_bytes(), &mut spans).expect("a message");
    let message = Message::new(text.as_bytes(), layout, &spans);
    assert_eq!((message.call_id(), message.cseq().unwrap().2), (&b"x"[..], &b"SERVICE"[..]));
    assert_eq!(message.header(HeaderName::From), Some(&b"<tel:+1555>;tag=1"[..]));
    assert_eq!(message.top_via().unwrap().host, b"2001:db8::1");
}
