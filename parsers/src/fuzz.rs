//! Bodies for fuzzing, and for the test that sweeps truncations and bit flips: each reads any octets
//! through one entry point and touches everything that comes out. They check only what must hold
//! for every input, and a check that fails is the one way in which they panic.
#![allow(clippy::missing_panics_doc, reason = "to panic on a broken promise is what these are for")]

use std::hint::black_box;

use crate::sip::address::AddressList;
use crate::sip::auth::{Auth, AuthList};
use crate::sip::identity::Identity;
use crate::sip::multipart::BodyParts;
use crate::sip::via::ViaList;
use crate::sip::{
    Framing, HeaderName, HeaderSpan, Layout, Message, NameAddr, Params, Uri, parse_datagram,
    parse_stream, probe,
};
use crate::{fuzz_headers, sdp};

/// One datagram: [`probe`], [`parse_datagram`] and every accessor.
pub fn sip_datagram(data: &[u8]) {
    let mut spans = Vec::new();
    let probed = probe(data);
    match parse_datagram(data, &mut spans) {
        Ok(layout) => message(data, layout, &spans),
        Err(error) => {
            assert!(!probed, "what is probed as SIP is parsed as SIP");
            black_box(error.code());
        }
    }
}

/// A stream: every message, until the octets are used up or more are wanted.
pub fn sip_stream(data: &[u8]) {
    let mut rest = data;
    let mut spans = Vec::new();
    while !rest.is_empty() {
        spans.clear();
        let drop = match parse_stream(rest, &mut spans) {
            Framing::Message(layout) => {
                message(rest, layout, &spans);
                usize::try_from(layout.len).unwrap_or(usize::MAX)
            }
            Framing::Incomplete { wanted } => {
                assert!(spans.is_empty(), "no spans without a message");
                assert!(wanted.is_none_or(|wanted| wanted > rest.len()), "more than there is");
                return;
            }
            Framing::KeepAlive(octets) | Framing::Junk(octets) => octets,
        };
        assert!(drop > 0 && drop <= rest.len(), "every answer takes octets that are there");
        rest = rest.get(drop..).unwrap_or_default();
    }
}

/// A session description, and all that its media say.
pub fn sdp(data: &[u8]) {
    let session = sdp::parse(data);
    black_box((session.origin(), session.name(), session.connection().map(|c| c.ip())));
    black_box((session.direction(), session.key(), session.attribute(b"group")));
    black_box(session.fields().count());
    for media in session.media() {
        black_box((media.connection().map(|c| c.ip()), media.direction(), media.rtcp()));
        black_box((media.is_secure_profile(), media.setup(), media.rtcp_mux(), media.ptime()));
        black_box((media.ice_ufrag(), media.ice_pwd(), media.key(), media.fields().count()));
        for payload_type in media.payload_types().take(4) {
            black_box((media.rtpmap(payload_type), media.fmtp(payload_type)));
        }
        black_box(media.candidates().filter(|c| c.ip().is_some() && c.is_udp()).count());
        black_box((media.fingerprints().count(), media.ssrcs().count()));
        black_box((media.zrtp_hashes().count(), media.key_mgmt().count()));
        for crypto in media.cryptos() {
            black_box((crypto.key_octets(), crypto.session_parameters().count()));
            let mut key = [0; sdp::MAX_KEY];
            for inline in crypto.keys() {
                let octets = inline.octets().filter(|&octets| octets <= key.len());
                assert_eq!(
                    inline.decode(&mut key),
                    octets,
                    "the length told is the length written"
                );
            }
        }
    }
    black_box(format!("{session:?}"));
    fuzz_headers::negotiation(&session);
    black_box(sdp::oddities(data).names().count());
}

/// A URI, with the strict second opinion.
pub fn uri(data: &[u8]) {
    let uri = Uri::parse(data);
    black_box((
        uri.is_strict(),
        uri.address(),
        uri.header_fields().count(),
        uri.params.iter().count(),
    ));
    black_box((uri.user, uri.password, uri.host, uri.port, uri.opaque));
}

/// Challenges and credentials.
pub fn auth(data: &[u8]) {
    for auth in AuthList::new(data) {
        black_box((auth.realm(), auth.nonce(), auth.algorithm(), auth.username(), auth.uri()));
        black_box((auth.response(), auth.rspauth(), auth.nc(), auth.cnonce(), auth.opaque()));
        black_box((auth.stale(), auth.token(), auth.names().count(), auth.qop_options().count()));
        black_box(format!("{auth:?}"));
    }
    black_box(Auth::from_params(data).nc());
}

/// Addresses, alone and in a list.
pub fn address(data: &[u8]) {
    black_box(NameAddr::parse(data).map(|address| (address.tag(), address.uri().scheme)));
    black_box(AddressList::new(data).map(|address| address.params.iter().count()).max());
    black_box(AddressList::is_well_formed(data));
    black_box(Params::new(data).iter().count());
}

/// Via values.
pub fn via(data: &[u8]) {
    for via in ViaList::new(data) {
        black_box((via.branch(), via.rport(), via.received_address(), via.host, via.port));
    }
    black_box(ViaList::is_well_formed(data));
}

/// An Identity value.
pub fn identity(data: &[u8]) {
    if let Some(identity) = Identity::parse(data) {
        black_box((identity.parts(), identity.info(), identity.alg(), identity.ppt()));
        assert!(identity.claims().is_none_or(|claims| claims.len() < data.len()), "it shrinks");
    }
}

/// A multipart body whose delimiter is its own first one.
pub fn multipart(data: &[u8]) {
    for part in BodyParts::new(b"multipart/mixed", data).into_iter().flatten() {
        black_box((part.content_type(), part.header(b"Content-ID"), part.body));
    }
}

/// Every entry point on the same octets.
pub fn all(data: &[u8]) {
    for body in [sip_datagram, sip_stream, sdp, uri, auth, address, via, identity, multipart] {
        body(data);
    }
    for body in [fuzz_headers::headers, fuzz_headers::bodies, fuzz_headers::inspected] {
        body(data);
    }
}

/// Touches all of one message.
fn message(octets: &[u8], layout: Layout, spans: &[HeaderSpan]) {
    let message = Message::new(octets, layout, spans);
    let body = message.body().len();
    let whole = message.trailing().len().saturating_add(usize::try_from(layout.len).unwrap_or(0));
    assert!(whole == octets.len() && body <= octets.len(), "body and rest are in the octets");
    black_box((message.is_request(), message.method(), message.status(), message.reason()));
    black_box((message.request_uri(), message.method_text(), message.call_id(), message.cseq()));
    black_box((message.content_type(), message.inspect(), layout.anomalies.iter().count()));
    black_box((message.from().map(|a| a.tag()), message.to().map(|a| a.tag()), message.top_via()));
    let mut before = 0_u32;
    for span in spans {
        assert!(span.name_at >= before, "headers are in order");
        before = span.value_at.saturating_add(span.value_len);
    }
    for header in message.headers() {
        let blank = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
        assert!(!header.value.first().is_some_and(blank), "values are trimmed");
        match header.name {
            HeaderName::Via => via(header.value),
            HeaderName::Identity => identity(header.value),
            HeaderName::Authorization
            | HeaderName::ProxyAuthorization
            | HeaderName::WwwAuthenticate
            | HeaderName::ProxyAuthenticate
            | HeaderName::AuthenticationInfo => auth(header.value),
            _ => address(header.value),
        }
    }
    uri(message.request_uri());
    if let Some(description) = message.sdp() {
        sdp(description);
    }
    black_box(format!("{message:?}"));
}
