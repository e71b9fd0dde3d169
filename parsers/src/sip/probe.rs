//! Whether octets look like SIP at all: cheap, so that it can be asked of every datagram of a flow
//! that nothing is known about.

use super::scan::name_end;
use super::start::start_line;
use super::{HeaderName, lex};
use crate::cursor::{cut, line_at, trim_end, trim_start};

/// How far [`probe`] looks for a header, octets.
const PROBE_WINDOW: usize = 4096;

/// True if this looks like a SIP message.
///
/// Wanted: a start line (after any leading CR, LF, SP, HT) and one of Via, From, To, Call-ID or
/// `CSeq`, long or compact, in the first 4 KiB. So an HTTP answer with a SIP status line is not SIP.
pub fn probe(octets: &[u8]) -> bool {
    let octets = trim_start(cut(octets, PROBE_WINDOW).0);
    if !octets.first().copied().is_some_and(lex::is_token) {
        return false;
    }
    let Some(first) = line_at(octets, 0) else { return false };
    if start_line(first.text, 0).is_none() {
        return false;
    }
    let mut at = first.next;
    while let Some(line) = line_at(octets, at) {
        if line.text.is_empty() {
            return false;
        }
        let (name, _) = cut(line.text, name_end(line.text).unwrap_or(0));
        if matches!(
            HeaderName::from(trim_end(name)),
            HeaderName::Via
                | HeaderName::From
                | HeaderName::To
                | HeaderName::CallId
                | HeaderName::CSeq
        ) {
            return true;
        }
        at = line.next;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_a_sip_header_is_probed_as_sip() {
        assert!(
            probe(b"\r\n\r\n OPTIONS sip:x SIP/2.0\r\nX: y\r\nCSeq: 1 OPTIONS\r\n")
                && probe(b"sip/2.0 200 ok\nx: y\nI : z\n")
        );
        let http = b"SIP/2.0 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n";
        let late = b"SIP/2.0 200 OK\r\nServer: x\r\n\r\nVia: x\r\n";
        for other in
            [&http[..], late, b"OPTIONS xyz ", b"GET / HTTP/1.1\r\nVia: x\r\n", b"", b"\r\n\r\n"]
        {
            assert!(!probe(other));
        }
    }
}
