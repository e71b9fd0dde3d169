//! What a SIP message shows at a glance, asked of every message: so it looks for a few octets only, as
//! nearly everybody writes them. Found in the lanes, because there is one collector and many of them.
//! What is found is looked at closely elsewhere.

use std::sync::LazyLock;

use memchr::memmem;
use overhear_parsers::sip::{HeaderName, HeaderSet, Message, Method};

use crate::model::fact::SipMarks;

/// Lines with media keys, those of SDES first (RFC 4568), of MIKEY (RFC 4567) and in clear (RFC 4566
/// §5.12); made once, because making them costs more than a search.
static KEY_LINES: LazyLock<[memmem::Finder<'static>; 3]> =
    LazyLock::new(|| ["a=crypto:", "a=key-mgmt:", "\nk="].map(memmem::Finder::new));

/// What a URI that goes over TLS has in it; the second is found whichever way it begins.
const SIPS: &[u8; 5] = b"sips:";
const TRANSPORT: &[u8] = b"ransport=";
static WORDS: LazyLock<[memmem::Finder<'static>; 2]> =
    LazyLock::new(|| [&SIPS[..], TRANSPORT].map(memmem::Finder::new));

/// Headers that say where later requests go, of those that few messages have.
const RECORDED: HeaderSet = HeaderSet::of(&[
    HeaderName::RecordRoute,
    HeaderName::Route,
    HeaderName::Path,
    HeaderName::ServiceRoute,
]);

/// Everything that a glance shows.
#[inline]
pub fn sip_marks(message: &Message<'_>) -> SipMarks {
    let marks = SipMarks::default().with(SipMarks::KEY, tells_key(message));
    match message.status() {
        None => {
            let opens = opens(message.method());
            let secure = is_sips(message.request_uri()) || opens && names_tls(message);
            let names = opens && (secure || is_recorded(message) || is_sent_over_tls(message));
            marks.with(SipMarks::SECURE, secure).with(SipMarks::NAMES, names)
        }
        Some(200..400) => {
            let contact = || message.headers_named(HeaderName::Contact).any(speaks_of_tls);
            marks.with(SipMarks::NAMES, contact() || is_recorded(message))
        }
        Some(_) => marks,
    }
}

/// Whether requests of this method begin something: a call, a registration, a text.
pub const fn opens(method: Method) -> bool {
    matches!(method, Method::Invite | Method::Register | Method::Message)
}

/// Whether a URI has the scheme `sips`.
pub fn is_sips(uri: &[u8]) -> bool {
    matches!(uri, [b's' | b'S', b'i' | b'I', b'p' | b'P', b's' | b'S', b':', ..])
}

/// Whether the body has a line that may hold a media key.
#[inline]
fn tells_key(message: &Message<'_>) -> bool {
    let body = message.body();
    !body.is_empty() && KEY_LINES.iter().any(|line| line.find(body).is_some())
}

/// Whether a request that begins something has a `sips` URI or a transport over TLS in one of the headers
/// that say where requests go.
fn names_tls(message: &Message<'_>) -> bool {
    let named = |name| message.header(name).is_some_and(speaks_of_tls);
    let rare = HeaderSet::of(&[HeaderName::Route, HeaderName::HistoryInfo, HeaderName::Diversion]);
    speaks_of_tls(message.request_uri())
        || named(HeaderName::Contact)
        || (message.has_any(rare)
            && (named(HeaderName::Route)
                || message.headers_named(HeaderName::HistoryInfo).any(speaks_of_tls)
                || message.headers_named(HeaderName::Diversion).any(speaks_of_tls)))
}

/// Whether one of the rare headers that say where requests go speaks of TLS.
fn is_recorded(message: &Message<'_>) -> bool {
    message.has_any(RECORDED)
        && message.spans.iter().any(|header| match header.name {
            HeaderName::RecordRoute
            | HeaderName::Route
            | HeaderName::Path
            | HeaderName::ServiceRoute => speaks_of_tls(header.value(message.octets)),
            _ => false,
        })
}

/// Whether a value has a `sips` URI, or a transport over TLS or WebSocket, written as nearly everybody
/// does.
#[inline]
fn speaks_of_tls(value: &[u8]) -> bool {
    let [sips, transport] = &*WORDS;
    let secure = |at: usize| {
        let word = value.get(at.saturating_add(TRANSPORT.len())..).unwrap_or_default();
        matches!(word, [b't' | b'T', b'l' | b'L', ..] | [b'w' | b'W', b's' | b'S', ..])
    };
    let first = value.strip_prefix(b"<").unwrap_or(value).first_chunk();
    let sip = |first: &[u8; 4]| first.eq_ignore_ascii_case(b"sip:");
    // Most values have neither a parameter nor a list, and one look for both is enough for these.
    let several = memchr::memchr2(b'=', b',', value).is_some();
    // Behind the first URI there are more in a list only.
    let more = || !first.is_some_and(sip) || several && memchr::memchr(b',', value).is_some();
    several && transport.find_iter(value).any(secure)
        || first.is_some_and(|first| first.eq_ignore_ascii_case(b"sips"))
        || more() && sips.find(value).is_some()
}

/// Whether one of the hops of a request was over TLS.
fn is_sent_over_tls(message: &Message<'_>) -> bool {
    message.headers_named(HeaderName::Via).any(|value| match value.strip_prefix(b"SIP/2.0/") {
        Some([b'U' | b'u', b'D' | b'd', ..] | [b'T' | b't', b'C' | b'c', ..]) => {
            memchr::memchr(b',', value).is_some()
        }
        _ => true,
    })
}
