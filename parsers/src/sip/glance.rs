//! A glance that says whether [`Message::inspect`] may find a fault (RFC 3261 §25.1): it costs a
//! hundredth of a close look, so that every request that stands outside of a dialog gets one. It may
//! send a sound message to the close look, never the other way round for what is listed here: who is
//! who, the way, the numbers, dates, warnings and bodies in parts. Of requests inside dialogs and of
//! responses it looks at the rare headers and at bodies in parts only.

use super::body::BodyKind;
use super::via::plain_branch;
use super::{HeaderName, Message, Method, ambiguity};
use crate::cursor::{find, find_near, is_lws, leading_number, split_once, tail};

/// Via lines that are compared with each other; more of them get a close look.
const MAX_VIAS: usize = 8;

/// Whether a close look may find a fault that the layout does not show.
pub(super) fn finds_something(message: &Message<'_>) -> bool {
    let opens = message.is_request()
        && !matches!(
            message.method(),
            Method::Ack
                | Method::Bye
                | Method::Cancel
                | Method::Info
                | Method::Notify
                | Method::Prack
                | Method::Update
        );
    opens && (are_parties_odd(message) || is_way_odd(message) || !message.call_id().is_ascii())
        || (opens || message.has_any(ambiguity::RARE))
            && !ambiguity::header_numbers(message).is_empty()
        || message.header(HeaderName::ContentType).is_some_and(|kind| {
            // Nearly all are `application/sdp`.
            !kind.starts_with(b"a")
                && BodyKind::of(kind) == BodyKind::Multipart
                && !ambiguity::bodies(message).is_empty()
        })
}

/// Whether one of those who call and are called could be read otherwise. Who registers is often written
/// twice, and who is called, too: once is enough to look.
fn are_parties_odd(message: &Message<'_>) -> bool {
    let [from, to] = [HeaderName::From, HeaderName::To].map(|name| message.header(name));
    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
    let called = message.request_uri();
    let known = from.starts_with(to) || matches!(to, [b'<', uri @ .., b'>'] if uri == called);
    is_party_odd(from)
        || is_party_odd(called)
        || !known && is_party_odd(to)
        || message.headers_named(HeaderName::Contact).any(is_contact_odd)
}

/// Whether the Via values are not all plain, or tell one branch twice.
fn is_way_odd(message: &Message<'_>) -> bool {
    let mut branches: [&[u8]; MAX_VIAS] = [b""; MAX_VIAS];
    for (place, via) in message.headers_named(HeaderName::Via).enumerate() {
        let (Some(branch), Some(slot)) = (plain_branch(via), branches.get_mut(place)) else {
            return true;
        };
        *slot = branch;
        if branches.iter().take(place).any(|above| *above == branch) {
            return true;
        }
    }
    false
}

/// Contacts in a comma list are ordinary, and so are their parameters as long as they are these.
fn is_contact_odd(value: &[u8]) -> bool {
    let after = find(b'>', value).map_or(b"".as_slice(), |end| tail(value, end.saturating_add(1)));
    let plain = match after.strip_prefix(b";expires=") {
        Some(seconds) => matches!(leading_number(seconds), Some((_, []))),
        None => after.is_empty(),
    };
    is_party_odd(value) || !plain && !ambiguity::lifetimes(value).is_empty()
}

/// Whether a second reader could read a party otherwise: quotes or brackets that do not match, several
/// addresses, escapes, blanks within brackets, and octets that are no text.
#[inline]
fn is_party_odd(value: &[u8]) -> bool {
    let Some(kinds) = Kinds::of(value) else { return true };
    kinds.strange > 0
        || kinds.quotes % 2 == 1
        || kinds.open != kinds.closed
        || kinds.open > 1
        || kinds.ats > 1
        || kinds.commas > 0 && kinds.quotes == 0
        || kinds.opens_host != kinds.closes_host
        || kinds.open > 0 && is_blank_after_bracket(value)
        || !is_plain_host(value)
}

/// How often the octets stand in a value that may make two readings of it.
struct Kinds {
    quotes: u8,
    open: u8,
    closed: u8,
    ats: u8,
    commas: u8,
    opens_host: u8,
    closes_host: u8,
    /// `%`, `?`, a backslash, and what is no printable ASCII.
    strange: u8,
}

/// Octets of a value that is not longer than any honest one. No count of them leaves an octet.
const MAX_VALUE: usize = 192;

/// A 1 in one of eight octets for each octet that is of a kind: their sum is how often each stands.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "while compiling, of numbers below 256"
)]
const KINDS: [u64; 256] = {
    let mut kinds = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let kind = match octet as u8 {
            b'"' => 0,
            b'<' => 1,
            b'>' => 2,
            b'@' => 3,
            b',' => 4,
            b'[' => 5,
            b']' => 6,
            b'%' | b'?' | b'\\' | 0..b' ' | 0x7f.. => 7,
            _ => 8,
        };
        kinds[octet] = if kind < 8 { 1 << (8 * kind) } else { 0 };
        octet += 1;
    }
    kinds
};

impl Kinds {
    /// Counts; `None` for a value that is longer than any honest one.
    #[inline]
    fn of(value: &[u8]) -> Option<Self> {
        if value.len() > MAX_VALUE {
            return None;
        }
        let kind = |octet: &u8| KINDS.get(usize::from(*octet)).copied().unwrap_or_default();
        let sum = |octets: &[u8]| octets.iter().map(kind).fold(0, u64::wrapping_add);
        // Eight at a time the loop costs nothing beside what it does.
        let (words, rest) = value.as_chunks::<8>();
        let sums = words.iter().fold(sum(rest), |all, word| all.wrapping_add(sum(word)));
        let [quotes, open, closed, ats, commas, opens_host, closes_host, strange] =
            sums.to_le_bytes();
        Some(Self { quotes, open, closed, ats, commas, opens_host, closes_host, strange })
    }
}

/// Whether a port is one, and the brackets of an IPv6 address hold nothing else. Of other schemes than
/// `sip` and `sips` nothing is asked.
#[inline]
fn is_plain_host(value: &[u8]) -> bool {
    let host = match split_once(value, b'@') {
        (_, Some(host)) => host,
        (whole, None) => match split_once(whole, b':') {
            (scheme, Some(host)) if ends_with_sip(scheme) => host,
            _ => return true,
        },
    };
    let after = match host {
        [b'[', inside @ ..] => {
            let (address, Some(after)) = split_once(inside, b']') else { return false };
            if !address
                .iter()
                .all(|octet| octet.is_ascii_hexdigit() || matches!(octet, b':' | b'.'))
            {
                return false;
            }
            after
        }
        _ => tail(host, find_near([b':', b';', b'>'], host).unwrap_or(host.len())),
    };
    match after {
        [b':', port @ ..] => {
            matches!(leading_number(port), Some((1..=0xffff, [] | [b';' | b'>', ..])))
        }
        _ => true,
    }
}

fn ends_with_sip(scheme: &[u8]) -> bool {
    let end = scheme.strip_suffix(b"s").or(scheme.strip_suffix(b"S")).unwrap_or(scheme);
    end.last_chunk::<3>().is_some_and(|last| last.eq_ignore_ascii_case(b"sip"))
}

/// `< sip:...`.
#[inline]
fn is_blank_after_bracket(value: &[u8]) -> bool {
    matches!(split_once(value, b'<').1, Some([blank, ..]) if is_lws(*blank))
}

#[cfg(test)]
mod tests {
    use super::super::{Anomalies, parse_datagram};
    use super::*;

    const INVITE: &str = "INVITE sip:1000@example.net SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK-1\r\n\
        Via: SIP/2.0/TLS pbx.example.net;branch=z9hG4bK-2;received=192.0.2.9\r\n\
        Max-Forwards: 70\r\n\
        From: \"Bell, Al\" <sip:al@example.net>;tag=1\r\n\
        To: <sip:1000@example.net>\r\n\
        Call-ID: a@192.0.2.1\r\n\
        CSeq: 1 INVITE\r\n\
        Contact: <sip:al@192.0.2.1:5060;transport=udp>\r\n\
        Session-Expires: 1800;refresher=uac\r\n\
        Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n\
        Content-Length: 0\r\n\r\n";

    /// Whether a glance sends this INVITE on, and what a close look finds in it.
    fn looks(old: &str, new: &str) -> (bool, Anomalies) {
        assert!(INVITE.contains(old), "{old}");
        let text = INVITE.replacen(old, new, 1).into_bytes();
        let mut spans = Vec::new();
        let layout = parse_datagram(&text, &mut spans).unwrap();
        let message = Message::new(&text, layout, &spans);
        (message.needs_inspection(), message.inspect())
    }

    #[test]
    fn a_plain_invite_is_not_looked_at_closely() {
        assert_eq!(looks("", ""), (false, Anomalies::NONE));
    }

    #[test]
    fn one_thing_off_in_an_invite_is_seen() {
        for (old, new) in [
            // Several of what stands once; forms of one header.
            ("Max-Forwards: 70", "Max-Forwards: 70\r\nMax-Forwards: 7"),
            ("Date:", "Subject: a\r\nSubject: b\r\nDate:"),
            ("Content-Length: 0", "Content-Length: 0\r\nl: 4"),
            // Quotes and brackets.
            ("\"Bell, Al\"", "\"Bell, Al"),
            ("\"Bell, Al\"", "Bell, Al"),
            ("\"Bell, Al\" <", "\"a\\\" <sip:evil@x>\" <sip:b@c> <"),
            ("<sip:1000@example.net>", "< sip:1000@example.net >"),
            // URIs.
            ("sip:1000@", "sip:a@b@"),
            ("sip:1000@example.net ", "sip:1000@[::1 "),
            ("sip:1000@example.net ", "sip:1000@[fe80::x] "),
            ("sip:1000@example.net ", "sip:1000@example.net:65536 "),
            ("sip:1000@example.net ", "sip:1000@example.net:0 "),
            ("sip:1000@example.net ", "sip:1000@example.net?Route=%3Cx%3E "),
            ("sip:al@example.net", "sip:al%0d%0a@example.net"),
            // The way.
            ("branch=z9hG4bK-1", "branch=z9hG4bK-1;branch=z9hG4bK-3"),
            ("branch=z9hG4bK-1", "branch=z9hG4bK-1;Branch=z9hG4bK-3"),
            ("branch=z9hG4bK-1", "branch=z9hG4bK-2"),
            ("SIP/2.0/UDP 192.0.2.1:5060", "SIP/2.0/UDP"),
            (";rport;", ";;"),
            ("branch=z9hG4bK-1", "branch=z9hG4bK-\u{e9}"),
            // Numbers and dates.
            ("Max-Forwards: 70", "Max-Forwards: 300"),
            ("Session-Expires: 1800", "Session-Expires: 99999999999"),
            ("13 Nov 2010", "13 Nvo 2010"),
            ("23:29:00 GMT", "23:29:00 EST"),
            ("transport=udp>", "transport=udp>;expires=soon"),
            ("Content-Length: 0", "Warning: 1812 nobody\r\nContent-Length: 0"),
            // Bodies.
            ("Content-Length: 0", "Content-Type: multipart/mixed\r\nContent-Length: 0"),
            // Tokens.
            ("Call-ID: a", "Call-ID: \u{e9}"),
        ] {
            let (glance, found) = looks(old, new);
            assert!(found.is_malformed(), "{new:?}: a close look finds nothing");
            assert!(glance, "{new:?}: no close look for {found:?}");
        }
    }
}
