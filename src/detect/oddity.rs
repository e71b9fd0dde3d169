//! What is off in a SIP message, as far as rules look at it (`CATALOGUE.md` E.3).

use overhear_parsers::sip::{Anomalies, HeaderName, Method};

use super::rule::Interest;
use super::sip::oversize;
use crate::correlate::event::SipEvent;

/// What is off in a message, and whether that is for rules to see. Reading values closely costs as much
/// as all else that is done with a message: it is for messages whose layout is odd already, and for
/// requests that begin something and in which a glance at who is who finds something to read.
#[inline]
pub(super) fn of(event: &SipEvent<'_>) -> (Anomalies, Interest) {
    let message = &event.message;
    let layout = message.layout.anomalies;
    // What the capture cut off is not the sender's fault.
    if event.clipped {
        return (Anomalies::NONE, Interest::END);
    }
    let begins = matches!(message.method(), Method::Invite | Method::Register | Method::Message);
    let parties = || {
        let parties = [HeaderName::From, HeaderName::To].map(|name| message.header(name));
        parties.into_iter().flatten().chain([message.request_uri()])
    };
    let found =
        if !layout.is_empty() || begins && message.is_request() && parties().any(reads_oddly) {
            message.inspect()
        } else {
            layout
        };
    let large = message.octets.len() > oversize::FITS || event.carriage.fragments > 1;
    (found, if large || found.is_malformed() { Interest::ODD } else { Interest::END })
}

/// Whether a second reader could read a party otherwise: quotes or brackets that do not match, several
/// addresses, escapes, and octets that are no text.
#[inline]
fn reads_oddly(value: &[u8]) -> bool {
    // Counts of eight bits each, side by side: what is longer than they reach is odd by itself.
    let counts = value.iter().fold(0_u64, |sum, octet| {
        sum.wrapping_add(KINDS.get(usize::from(*octet)).copied().unwrap_or(0))
    });
    let [quotes, open, closed, ats, commas, strange, ..] = counts.to_le_bytes();
    value.len() > 250
        || strange > 0
        || quotes % 2 == 1
        || open != closed
        || open > 1
        || ats > 1
        || commas > 0 && quotes == 0
}

/// What an octet adds to the counts of [`reads_oddly`].
#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "made by the compiler, from 0 to 255"
)]
static KINDS: [u64; 256] = {
    let mut kinds = [0; 256];
    let mut octet = 0_usize;
    while octet < 256 {
        let lane = match octet as u8 {
            b'"' => 0,
            b'<' => 1,
            b'>' => 2,
            b'@' => 3,
            b',' => 4,
            b'%' | b'?' | b'\\' | 0..=8 | 10..=31 | 127.. => 5,
            _ => 7,
        };
        kinds[octet] = if lane < 7 { 1 << (8 * lane) } else { 0 };
        octet += 1;
    }
    kinds
};
