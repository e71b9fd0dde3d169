//! Whether octets look like SIP at all: cheap, so that it can be asked of every datagram of a flow
//! that nothing is known about.

use super::scan::name_end;
use super::start::start_line;
use super::{HeaderName, Method, StartLine, lex};
use crate::anomaly::Anomalies;
use crate::cursor::{
    cut, find, find_near, line_at, starts_with_any_case, tail, trim_end, trim_start,
};

/// How far [`probe`] looks for a header, octets.
const PROBE_WINDOW: usize = 4096;
/// Octets of the longest reason phrase, and of the longest method with its blank, that are usual.
const USUAL_REASON: usize = 64;
const USUAL_METHOD: usize = 16;

/// True if this looks like a SIP message.
///
/// Wanted: a start line (after any leading CR, LF, SP, HT) and one of Via, From, To, Call-ID or
/// `CSeq`, long or compact, in the first 4 KiB. So an HTTP answer with a SIP status line is not SIP.
/// A request line of a known method and a URI of SIP or of a telephone number needs no more.
pub fn probe(octets: &[u8]) -> bool {
    let octets = cut(octets, PROBE_WINDOW).0;
    is_usual(octets) || is_message(octets)
}

/// The same by reading all of the start line, and headers where it says too little.
fn is_message(octets: &[u8]) -> bool {
    let octets = trim_start(octets);
    if !octets.first().copied().is_some_and(lex::is_token) {
        return false;
    }
    let Some(first) = line_at(octets, 0) else { return false };
    match start_line(first.text, 0) {
        None => return false,
        Some((start, anomalies)) if is_plain_request(&start, anomalies, first.text) => return true,
        Some(_) => {}
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

/// What nearly every message begins with, told without reading all of it: a request line of a known
/// method and a SIP URI, or a status line and a Via.
#[inline]
fn is_usual(octets: &[u8]) -> bool {
    if let Some(status) = octets.strip_prefix(b"SIP/2.0 ") {
        let &[b'1'..=b'6', b'0'..=b'9', b'0'..=b'9', b' ', ref reason @ ..] = status else {
            return false;
        };
        let end = find(b'\n', cut(reason, USUAL_REASON).0);
        return end.is_some_and(|end| tail(reason, end.saturating_add(1)).starts_with(b"Via:"));
    }
    let Some((method, rest)) =
        find_near([b' '], cut(octets, USUAL_METHOD).0).and_then(|end| octets.split_at_checked(end))
    else {
        return false;
    };
    let line = |rest| find(b'\n', rest).map(|end| cut(rest, end).0);
    rest.starts_with(b" sip:")
        && Method::spelled(method).is_some()
        && line(rest).is_some_and(|line| line.ends_with(b" SIP/2.0\r"))
}

/// `INVITE sip:bob@example.net SIP/2.0`: nothing else begins like that.
fn is_plain_request(start: &StartLine, anomalies: Anomalies, text: &[u8]) -> bool {
    let StartLine::Request { method, uri, .. } = start else { return false };
    let schemes: [&[u8]; 3] = [b"sip:", b"sips:", b"tel:"];
    *method != Method::Other
        && !anomalies.contains(Anomalies::BAD_VERSION)
        && schemes.iter().any(|scheme| starts_with_any_case(uri.of(text), scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_what_would_be_found_by_reading_on() {
        let heads = ["INVITE", "REGISTER", "invite", "WORK", "SIP/2.0", "sip/2.0", "SIP/2.0 ", ""];
        let seconds =
            ["sip:a", "sips:a", "tel:1", "200", "099", "700", "20x", "2000", "<sip:a>", " sip:a"];
        let thirds = ["SIP/2.0", "SIP/2.1", "OK", "", " SIP/2.0", "SIP/2.0 "];
        let ends =
            ["\r\nVia: a\r\n", "\nVia: a", "\r\nServer: a\r\n", "\r\nVia", "\r\n\r\nVia:", ""];
        let mut usual = 0;
        for head in heads {
            for second in seconds {
                for third in thirds {
                    for end in ends {
                        let text = format!("{head} {second} {third}{end}");
                        let quick = is_usual(text.as_bytes());
                        assert!(!quick || is_message(text.as_bytes()), "{text:?}");
                        usual += u32::from(quick);
                    }
                }
            }
        }
        assert!(usual > 20, "{usual}");
    }

    #[test]
    fn only_what_has_a_sip_header_is_probed_as_sip() {
        assert!(
            probe(b"\r\n\r\n OPTIONS sip:x SIP/2.0\r\nX: y\r\nCSeq: 1 OPTIONS\r\n")
                && probe(b"sip/2.0 200 ok\nx: y\nI : z\n")
        );
        assert!(probe(b"REGISTER sip:1.1.1.1:5060 SIP/2.0\r\nExpires: 3600\r\n\r\n"));
        assert!(!probe(b"REGISTER sip:1.1.1.1:5060 HTTP/1.1\r\nExpires: 3600\r\n\r\n"));
        assert!(!probe(b"WORK sip:1.1.1.1:5060 SIP/2.0\r\nExpires: 3600\r\n\r\n"));
        let http = b"SIP/2.0 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n";
        let late = b"SIP/2.0 200 OK\r\nServer: x\r\n\r\nVia: x\r\n";
        for other in
            [&http[..], late, b"OPTIONS xyz ", b"GET / HTTP/1.1\r\nVia: x\r\n", b"", b"\r\n\r\n"]
        {
            assert!(!probe(other));
        }
    }
}
