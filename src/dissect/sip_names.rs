//! The names of a SIP message: hashes by which the collector finds its dialog (RFC 3261 §12) and its
//! transaction (§17.1.3, with the fallback of §17.2.3 for RFC 2543 clients that write no branch).
//! Made in the lanes, because there is one collector and many of them. Looks nothing up.

use std::hash::{BuildHasher, Hasher};

use overhear_parsers::sip::address::tag;
use overhear_parsers::sip::via::Hop;
use overhear_parsers::sip::{HeaderName, Message, Method};

use crate::model::addr::{Endpoint, STABLE};
use crate::model::fact::SipNames;

/// The names of a message that went from `src` to `dst`; all zero for one without a Call-ID, which
/// belongs nowhere.
pub fn sip_names(message: &Message<'_>, src: Endpoint, dst: Endpoint) -> SipNames {
    let id = message.call_id();
    if id.is_empty() {
        return SipNames::default();
    }
    let tag_of = |name| message.header(name).map(tag).unwrap_or_default();
    let (from_tag, to_tag) = (tag_of(HeaderName::From), tag_of(HeaderName::To));
    let call_id = hash(id);
    let (from, to) = (hash_on(call_id, from_tag), hash_on(call_id, to_tag));
    let (request, response) = match message.status() {
        None => (transaction(message, from, src, dst), 0),
        Some(status) => {
            let request = transaction(message, from, dst, src);
            (request, response(request, status, to))
        }
    };
    SipNames {
        call_id,
        from,
        to,
        request,
        response,
        from_tag: message.place_of(from_tag),
        to_tag: message.place_of(to_tag),
    }
}

/// The stable hash of octets.
pub fn hash(octets: &[u8]) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write(octets);
    hasher.finish()
}

/// `seed` and the octets in one hash.
pub fn hash_on(seed: u64, octets: &[u8]) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(seed);
    hasher.write(octets);
    hasher.finish()
}

/// Names the request of a transaction between two addresses: branch, sent-by, `CSeq` number and method.
/// Without a branch Call-ID and From tag stand in for it. They are part of the name in any case,
/// because a scanner that writes the same branch into every request does not repeat itself.
fn transaction(message: &Message<'_>, from: u64, client: Endpoint, server: Endpoint) -> u64 {
    let number = message.cseq().map_or(0, |(number, ..)| number);
    let via = message.header(HeaderName::Via).and_then(Hop::parse);
    let port = via.map_or(0, |via| via.port.unwrap_or(5060));
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(from);
    hasher.write_u64(
        u64::from(number) << 32 | u64::from(port) << 8 | u64::from(method_octet(message.method())),
    );
    if let Some(via) = via {
        hasher.write(via.branch);
        hasher.write(via.host);
    }
    hasher.write_u128(u128::from_ne_bytes(*client.addr.octets()));
    hasher.write_u128(u128::from_ne_bytes(*server.addr.octets()));
    hasher.finish()
}

/// Names one response, of this Call-ID and To tag, to the request of this name.
fn response(request: u64, status: u16, to: u64) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(request);
    hasher.write_u64(to.wrapping_add(u64::from(status)));
    hasher.finish()
}

/// The method as one octet; unknown methods share one, their `CSeq` numbers tell them apart.
#[allow(clippy::as_conversions, reason = "the discriminant of an enum of one octet")]
const fn method_octet(method: Method) -> u8 {
    method as u8
}

#[cfg(test)]
mod tests {
    use overhear_parsers::sip::parse_datagram;

    use super::*;

    fn names(start: &str, via: &str, to: &str, src: u8, dst: u8) -> SipNames {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP {via}\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:c@d>{to}\r\n\
             Call-ID: 1\r\nCSeq: 7 INVITE\r\n\r\n"
        );
        let mut spans = Vec::new();
        let layout = parse_datagram(text.as_bytes(), &mut spans).unwrap();
        let message = Message::new(text.as_bytes(), layout, &spans);
        let end = |n| Endpoint { addr: crate::model::addr::Addr::v4([192, 0, 2, n]), port: 5060 };
        let names = sip_names(&message, end(src), end(dst));
        assert_eq!(names.from_tag.of(text.as_bytes()), b"f");
        names
    }

    #[test]
    fn a_response_names_the_request_that_went_the_other_way() {
        let invite = names("INVITE sip:c@d SIP/2.0", "a;branch=z9hG4bK1;rport", "", 1, 2);
        let via = "a:5060 ;received=192.0.2.1;branch=z9hG4bK1;rport=5060";
        let ringing = names("SIP/2.0 180 Ringing", via, ";tag=t", 2, 1);
        assert_eq!((ringing.request, ringing.from), (invite.request, invite.from));
        assert_ne!(ringing.to, invite.to);
        let ok = names("SIP/2.0 200 OK", via, ";tag=t", 2, 1);
        assert!(invite.response == 0 && ringing.response != ok.response);
        let other = names("SIP/2.0 180 Ringing", "a;branch=z9hG4bK2", ";tag=t", 2, 1);
        assert_ne!(other.request, invite.request);
        assert_ne!(names("SIP/2.0 180 Ringing", via, ";tag=t", 1, 2).request, invite.request);
    }
}
