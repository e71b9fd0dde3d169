//! Which rules a SIP message is for, as far as method, status, addresses and URIs decide it: asked once for
//! every message, so the cheap tests come first.

use overhear_parsers::sip::Method;

use super::rule::Interest;
use crate::correlate::event::SipEvent;
use crate::dissect::sip_marks::opens;
use crate::model::fact::SipMarks;
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
        let secure = event.marks.has(SipMarks::SECURE);
        return if secure { kind | Interest::SIPS } else { kind };
    };
    if matches!(status, 403 | 416 | 480) {
        kind = kind | Interest::REFUSED;
    }
    kind
}
