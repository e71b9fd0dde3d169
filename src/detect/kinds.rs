//! Which rules a SIP message is for, as far as method, status, addresses and URIs decide it: asked once for
//! every message, so the cheap tests come first.

use overhear_parsers::sip::{HeaderName, HeaderSet, Message, Method};

use super::rule::Interest;
use crate::correlate::event::SipEvent;
use crate::correlate::tls_named::speaks_of_tls;
use crate::model::transport::Transport;

/// The port of SIP over TLS (RFC 3261 §19.1.2).
pub(super) const SIPS_PORT: u16 = 5061;

/// The bits that method, status and addresses decide.
#[inline]
pub(super) fn about(event: &SipEvent<'_>) -> Interest {
    let message = &event.message;
    let mut kind = if event.transport == Transport::Tcp
        && (event.src.port == SIPS_PORT || event.dst.port == SIPS_PORT)
    {
        Interest::SIPS
    } else {
        Interest::END
    };
    let Some(status) = message.status() else {
        let method = message.method();
        let opens = opens(method);
        if opens {
            kind = kind | Interest::OPENS;
        } else if matches!(method, Method::Info | Method::Notify) && !message.body().is_empty() {
            kind = kind | Interest::DIGITS;
        }
        let secure = is_sips(message.request_uri()) || (opens && names_tls(message));
        return if secure { kind | Interest::SIPS } else { kind };
    };
    if matches!(status, 403 | 416 | 480) {
        kind = kind | Interest::REFUSED;
    }
    kind
}

/// Whether requests of this method begin something: a call, a registration, a text.
pub(super) const fn opens(method: Method) -> bool {
    matches!(method, Method::Invite | Method::Register | Method::Message)
}

/// Whether a URI has the scheme `sips`.
pub(super) fn is_sips(uri: &[u8]) -> bool {
    matches!(uri, [b's' | b'S', b'i' | b'I', b'p' | b'P', b's' | b'S', b':', ..])
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
