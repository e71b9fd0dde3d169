//! What two readers of one message may read in two ways, so that one of them lets through what the
//! other acts on (request smuggling). Reads values, and is called for messages that are looked at. The
//! scan itself sees what concerns lines and framing; grammar of addresses is in `address.rs`.

use super::address::AddressList;
use super::body::BodyKind;
use super::element::Element;
use super::reason::Warning;
use super::uri::Scheme;
use super::{Anomalies, HeaderName, HeaderSet, Message, NameAddr, Uri, lex, multipart, scalar};
use crate::cursor::{
    cut, find, index, is_lws, narrow, slice, split_once, starts_with_any_case, tail, trim,
};

/// Values of one header, and URIs, that are looked at.
const MAX_LOOKED_AT: usize = 64;

/// Headers whose value is `delta-seconds`, alone or before something else.
const SECONDS: [HeaderName; 3] =
    [HeaderName::MinExpires, HeaderName::MinSe, HeaderName::SessionExpires];

/// Headers of numbers and dates that few messages have.
pub(super) const RARE: HeaderSet = HeaderSet::of(&[
    HeaderName::Date,
    HeaderName::MinExpires,
    HeaderName::MinSe,
    HeaderName::RSeq,
    HeaderName::RetryAfter,
    HeaderName::SessionExpires,
    HeaderName::Warning,
]);

/// All that is found in one message.
pub(super) fn of(message: &Message<'_>) -> Anomalies {
    lines(message)
        | names(message)
        | tokens(message)
        | vias(message)
        | addresses(message)
        | numbers(message)
        | bodies(message)
}

fn set(condition: bool, anomaly: Anomalies) -> Anomalies {
    if condition { anomaly } else { Anomalies::NONE }
}

/// The octets of the header section that the scan does not tell apart.
fn lines(message: &Message<'_>) -> Anomalies {
    let known = message.layout.anomalies;
    let head = slice(message.octets, 0, index(message.layout.body_at));
    let mixed = known.contains(Anomalies::BARE_LF) && head.windows(2).any(|two| two == b"\r\n");
    let control = Anomalies::CONTROL_OCTET | Anomalies::ESCAPED_CONTROL;
    let nul = !known.without(known.without(control)).is_empty() && find(0, head).is_some();
    set(mixed, Anomalies::MIXED_LINE_ENDS) | set(nul, Anomalies::NUL_OCTET)
}

/// Headers in two forms, twice, or under a name that is nearly a known one.
fn names(message: &Message<'_>) -> Anomalies {
    let both = (b'a'..=b'z').map(HeaderName::from_compact).any(|name| {
        let lengths = || message.headers().filter(|h| h.name == name).map(|h| h.raw_name.len());
        name != HeaderName::Other
            && message.header(name).is_some()
            && lengths().any(|len| len == 1)
            && lengths().any(|len| len > 1)
    });
    let odd = message.layout.anomalies.contains(Anomalies::BAD_HEADER_NAME);
    let disguised = odd && message.headers().any(|header| is_disguised(header.raw_name));
    set(both, Anomalies::COMPACT_AND_LONG) | set(disguised, Anomalies::DISGUISED_HEADER)
}

/// True if a name is a known one once the octets that no token has are left out.
fn is_disguised(name: &[u8]) -> bool {
    let mut kept = [0_u8; 40];
    let mut places = kept.iter_mut();
    let mut len = 0_usize;
    for &octet in name.iter().filter(|octet| lex::is_token(**octet)) {
        let Some(place) = places.next() else { return false };
        *place = octet;
        len = len.saturating_add(1);
    }
    len < name.len() && HeaderName::from(cut(&kept, len).0) != HeaderName::Other
}

/// Octets above 127 where only ASCII can stand.
fn tokens(message: &Message<'_>) -> Anomalies {
    let is_odd = |text: &[u8]| !text.is_ascii();
    let tag = |name| message.header(name).is_some_and(|value| is_odd(super::address::tag(value)));
    let branch = |via: super::Via<'_>| via.branch().is_some_and(is_odd);
    let odd = message.headers().any(|header| is_odd(header.raw_name))
        || is_odd(message.call_id())
        || tag(HeaderName::From)
        || tag(HeaderName::To)
        || message.vias().take(MAX_LOOKED_AT).any(branch);
    set(odd, Anomalies::NON_ASCII_TOKEN)
}

/// What the Via values say of transactions, and of where the message came from.
fn vias(message: &Message<'_>) -> Anomalies {
    let mut found = Anomalies::NONE;
    let spaced = |value: &[u8]| {
        !starts_with_any_case(value, b"SIP/2.0/")
            && lex::sent_protocol(value).is_some_and(|(_, rest)| {
                let before = cut(value, value.len().saturating_sub(rest.len())).0;
                before.iter().copied().any(is_lws)
            })
    };
    found |= set(message.headers_named(HeaderName::Via).any(spaced), Anomalies::SPACED_VIA);
    let Some(top) = message.top_via() else { return found };
    let named = top.branch().is_some_and(|branch| !branch.is_empty() && branch != b"z9hG4bK");
    found |= set(!named, Anomalies::BRANCH_MISSING);
    let told = top.received().is_some() || top.rport().is_some_and(|port| port.is_some());
    found |= set(message.is_request() && told, Anomalies::RECEIVED_IN_REQUEST);
    let branches = |via: super::Via<'_>| {
        via.params.iter().filter(|param| param.name.eq_ignore_ascii_case(b"branch")).count()
    };
    let twice = message.vias().take(MAX_LOOKED_AT).any(|via| branches(via) > 1);
    // Sixteen hops are many: pairs of more would cost more than they tell.
    let same = message.vias().take(16).enumerate().any(|(place, via)| {
        let mut below = message.vias().take(16).skip(place.saturating_add(1));
        via.branch().is_some_and(|branch| below.any(|other| other.branch() == Some(branch)))
    });
    found | set(twice || same, Anomalies::BRANCH_REPEATED)
}

/// Display names and URIs of who calls and is called.
fn addresses(message: &Message<'_>) -> Anomalies {
    let mut found = uri(message.request_uri());
    for name in [
        HeaderName::From,
        HeaderName::To,
        HeaderName::Contact,
        HeaderName::PAssertedIdentity,
        HeaderName::ReferTo,
        HeaderName::Route,
    ] {
        for address in message.addresses(name).take(MAX_LOOKED_AT) {
            let brackets = address.display.iter().any(|octet| matches!(octet, b'<' | b'>'));
            found |= set(brackets, Anomalies::ADDRESS_IN_DISPLAY) | uri(address.uri);
        }
    }
    found
}

/// What is ambiguous about one URI; of other schemes than `sip` and `sips` only the escapes.
fn uri(text: &[u8]) -> Anomalies {
    let escaped = |wanted: &[u8; 2]| {
        text.windows(3).any(|window| {
            window.strip_prefix(b"%").is_some_and(|digits| digits.eq_ignore_ascii_case(wanted))
        })
    };
    let mut found = set(escaped(b"0d") || escaped(b"0a"), Anomalies::ESCAPED_LINE_END)
        | set(escaped(b"00"), Anomalies::ESCAPED_NUL);
    let uri = Uri::parse(text);
    if !matches!(uri.scheme, Scheme::Sip | Scheme::Sips) {
        return found;
    }
    let user = uri.user.unwrap_or_default();
    let delimiter = user.windows(3).any(|window| {
        let digits = window.strip_prefix(b"%").unwrap_or_default();
        [b"40", b"3a", b"3b", b"3f", b"3c", b"3e", b"22"]
            .into_iter()
            .any(|delimiter| digits.eq_ignore_ascii_case(delimiter))
    });
    found |= set(delimiter, Anomalies::ESCAPED_DELIMITER);
    let before_host = match (uri.user, uri.password) {
        (Some(user), Some(password)) => {
            user.len().saturating_add(password.expose().len()).saturating_add(2)
        }
        (Some(user), None) => user.len().saturating_add(1),
        _ => 0,
    };
    let host_port = split_once(split_once(tail(uri.opaque, before_host), b'?').0, b';').0;
    let twice = find(b'@', user).is_some()
        || uri.password.is_some_and(|password| find(b'@', password.expose()).is_some());
    found | set(twice || !is_host_port(trim(host_port)), Anomalies::AMBIGUOUS_URI)
}

/// `host [":" port]` that can be read in one way; whether an IPv6 address is one is not asked.
fn is_host_port(text: &[u8]) -> bool {
    let (host, port) = match text.strip_prefix(b"[") {
        Some(inside) => {
            let (host, Some(after)) = split_once(inside, b']') else { return false };
            let legal =
                |octet: &u8| octet.is_ascii_hexdigit() || matches!(octet, b':' | b'.' | b'%');
            if !host.iter().all(legal) {
                return false;
            }
            match after {
                [] => (host, None),
                [b':', port @ ..] => (host, Some(port)),
                _ => return false,
            }
        }
        None => split_once(text, b':'),
    };
    let legal = |octet: &u8| {
        octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b':' | b'%')
    };
    let named = text.starts_with(b"[") || host.iter().all(|octet| legal(octet) && *octet != b'%');
    let port = port.is_none_or(|port| narrow::<u16>(trim(port)).is_some_and(|port| port > 0));
    !host.is_empty() && named && port
}

/// Dates, warnings and numbers that are none.
fn numbers(message: &Message<'_>) -> Anomalies {
    message
        .headers_named(HeaderName::Contact)
        .fold(header_numbers(message), |found, contact| found | lifetimes(contact))
}

/// Dates, warnings and numbers that are none, outside of Contact. Of those that stand once, the first.
pub(super) fn header_numbers(message: &Message<'_>) -> Anomalies {
    let bad =
        |name, read: fn(&[u8]) -> bool| message.header(name).is_some_and(|value| !read(value));
    let is_seconds = |value: &[u8]| scalar::seconds(value).is_some();
    let usual = bad(HeaderName::MaxForwards, |value| narrow::<u8>(trim(value)).is_some())
        || bad(HeaderName::Expires, is_seconds);
    let found = set(usual, Anomalies::BAD_NUMBER);
    if !message.has_any(RARE) {
        return found;
    }
    let date = message.header(HeaderName::Date).is_some() && message.date().is_none();
    let number = SECONDS.into_iter().any(|name| bad(name, is_seconds))
        || bad(HeaderName::RSeq, |value| scalar::rseq(value).is_some())
        || bad(HeaderName::RetryAfter, |value| scalar::RetryAfter::parse(value).is_some());
    found
        | set(date, Anomalies::BAD_DATE)
        | set(bad(HeaderName::Warning, are_warnings), Anomalies::BAD_WARNING)
        | set(number, Anomalies::BAD_NUMBER)
}

/// Bindings of one Contact header whose lifetime is no number.
pub(super) fn lifetimes(contact: &[u8]) -> Anomalies {
    let bad = |address: NameAddr<'_>| {
        let expires = address.params.get(b"expires");
        expires.is_some_and(|param| param.value.and_then(narrow::<u32>).is_none())
    };
    set(AddressList::new(contact).take(MAX_LOOKED_AT).any(bad), Anomalies::BAD_NUMBER)
}

fn are_warnings(value: &[u8]) -> bool {
    let mut rest = value;
    while !rest.is_empty() {
        if Warning::read(lex::element(&mut rest, b',')).is_none() {
            return false;
        }
    }
    !value.iter().copied().all(is_lws)
}

/// Bodies that one reader takes for more, or for other, parts than another.
pub(super) fn bodies(message: &Message<'_>) -> Anomalies {
    let Some(kind) = message.header(HeaderName::ContentType) else { return Anomalies::NONE };
    if BodyKind::of(kind) != BodyKind::Multipart {
        return Anomalies::NONE;
    }
    let mut descriptions = message.leaves().filter(|leaf| leaf.kind() == BodyKind::Sdp);
    set(!multipart::is_well_formed(kind, message.body()), Anomalies::BAD_MULTIPART)
        | set(descriptions.nth(1).is_some(), Anomalies::SEVERAL_DESCRIPTIONS)
}
