//! Whether a call is a recording session: audio of another call on its way to a recorder (RFC 7866).
//!
//! Any of its marks will do: the option tag that an INVITE must require (§6.1.1), the feature tag in its Contact
//! (§11), or the metadata beside the session description (RFC 7865). What the metadata says is not read. A recorder
//! that asks for the session itself wants the same (§6.2.1), with a feature tag of its own.

use memchr::memmem;
use overhear_parsers::sip::{HeaderName, HeaderSet, Message, Method};

/// Whether this message begins a recording session; `description` is its session description, empty for none.
#[inline]
pub(super) fn is_recording(message: &Message<'_>, description: &[u8]) -> bool {
    let beside = message.body().len() != description.len();
    let requires = message.has_any(HeaderSet::of(&[HeaderName::Require]));
    let invites = message.is_request() && message.method() == Method::Invite;
    invites && (beside || requires) && is_marked(message)
}

#[cold]
fn is_marked(message: &Message<'_>) -> bool {
    let has = |octets: &[u8], word: &[u8]| memmem::find(octets, word).is_some();
    message.lists(HeaderName::Require, b"siprec")
        || message
            .header(HeaderName::Contact)
            .is_some_and(|contact| has(contact, b"+sip.src") || has(contact, b"+sip.srs"))
        || has(message.body(), b"application/rs-metadata")
}

#[cfg(test)]
mod tests {
    use overhear_parsers::sip::parse_datagram;

    use super::*;

    fn is(head: &str, body: &str) -> bool {
        let text =
            format!("INVITE sip:r@x SIP/2.0\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{head}\r\n{body}");
        let mut spans = Vec::new();
        let layout = parse_datagram(text.as_bytes(), &mut spans).unwrap();
        is_recording(&Message::new(text.as_bytes(), layout, &spans), b"v=0\r\n")
    }

    #[test]
    fn each_mark_is_enough_and_a_plain_call_has_none() {
        assert!(is("Require: timer, siprec\r\n", "v=0\r\n"));
        assert!(is("Require: 100rel\r\nContact: <sip:s@x>;+sip.src\r\n", "v=0\r\n"));
        assert!(is("", "--b\r\nContent-Type: application/rs-metadata+xml\r\n\r\n<a/>"));
        assert!(!is("Require: 100rel\r\nContact: <sip:s@x>\r\n", "v=0\r\n"));
        assert!(!is("Supported: siprec\r\n", "v=0\r\n"));
    }
}
