//! The start line: request line and status line of RFC 3261 §7.1 and §7.2, read leniently. The
//! method must be a token and the version must begin with `SIP/`; everything else is an anomaly.
//! It does not judge the Request-URI beyond its delimiters.

use super::{Method, Part, lex};
use crate::anomaly::Anomalies;
use crate::cursor::{
    any_near, cut, find_near, narrow, offset, starts_with_any_case, tail, trim, trim_end,
    trim_start,
};

/// Longest method that is taken for one, octets.
const MAX_METHOD: usize = 64;
/// Longest version token, octets.
const MAX_VERSION: usize = 16;

/// The first line of a message: values and places, so that it can be kept without a borrow.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StartLine {
    /// `Method SP Request-URI SP SIP-Version` (RFC 3261 §7.1).
    Request {
        /// The method; the text tells unknown ones apart.
        method: Method,
        /// The method as written.
        method_text: Part,
        /// The Request-URI as written, without outer spaces.
        uri: Part,
    },
    /// `SIP-Version SP Status-Code SP Reason-Phrase` (RFC 3261 §7.2).
    Response {
        /// 100 to 699; other numbers are kept up to 65535, with an anomaly.
        status: u16,
        /// The reason phrase as written; may be empty.
        reason: Part,
    },
}

/// Reads the line `text` that stands at offset `at`; `None` when it is no start line of SIP.
pub(super) fn start_line(text: &[u8], at: usize) -> Option<(StartLine, Anomalies)> {
    if starts_with_any_case(text, b"SIP/") {
        return status_line(text, at);
    }
    if let Some(start) = plain_request(text, at) {
        return Some((start, Anomalies::NONE));
    }
    let (method_text, rest) = first_word(text);
    if method_text.is_empty() || method_text.len() > MAX_METHOD || rest.is_empty() {
        return None;
    }
    let method = Method::from(method_text);
    if method == Method::Other && !method_text.iter().copied().all(lex::is_token) {
        return None;
    }
    let trimmed = trim_end(rest);
    let blank = trimmed.iter().rposition(|&octet| is_blank(octet))?;
    let version = tail(trimmed, blank.saturating_add(1));
    let uri = trim(cut(trimmed, blank).0);
    if uri.is_empty() || version.len() > MAX_VERSION || !starts_with_any_case(version, b"SIP/") {
        return None;
    }
    let mut anomalies = version_anomaly(version);
    if !method.is_spelled(method_text) {
        anomalies |= Anomalies::METHOD_CASE;
    }
    if uri.iter().any(|octet| matches!(octet, b' ' | b'\t' | b'<' | b'>' | b'"' | b'\r')) {
        anomalies |= Anomalies::BAD_REQUEST_URI;
    }
    // Exactly: method, one octet, URI, one octet, version.
    let tight = method_text.len().saturating_add(uri.len()).saturating_add(version.len());
    if tight.saturating_add(2) != text.len() || text.contains(&b'\t') {
        anomalies |= Anomalies::EXTRA_SPACE_IN_START_LINE;
    }
    let before_uri = rest.len().saturating_sub(trim_start(rest).len());
    let uri_at = at.saturating_add(method_text.len()).saturating_add(before_uri);
    let start = StartLine::Request {
        method,
        method_text: Part::new(at, method_text.len()),
        uri: Part::new(uri_at, uri.len()),
    };
    Some((start, anomalies))
}

/// Stricter than [`start_line`], for finding the next message among junk: an unknown method needs
/// a URI with a scheme, and the version a digit.
pub(super) fn is_start_line(text: &[u8]) -> bool {
    match start_line(text, 0) {
        Some((StartLine::Response { .. }, anomalies)) => {
            !anomalies.contains(Anomalies::BAD_STATUS_CODE)
        }
        Some((StartLine::Request { method, uri, .. }, anomalies)) => {
            let scheme = || uri.of(text).iter().position(|&octet| octet == b':') > Some(0);
            !anomalies.contains(Anomalies::BAD_VERSION) && (method != Method::Other || scheme())
        }
        None => false,
    }
}

/// A request line with nothing odd about it; `None` sends it to the reader of all others.
fn plain_request(text: &[u8], at: usize) -> Option<StartLine> {
    let before = text.strip_suffix(b" SIP/2.0")?;
    let end = find_near([b' '], cut(before, MAX_METHOD).0)?;
    let (method_text, rest) = cut(before, end);
    let method = Method::spelled(method_text)?;
    let uri = tail(rest, 1);
    // No printable ASCII, or what is hardly ever in a URI: below `#` there are blank, `!` and `"`.
    if uri.is_empty() || any_near(b'#', [b'<', b'>'], uri) {
        return None;
    }
    let uri_at = at.saturating_add(end).saturating_add(1);
    Some(StartLine::Request {
        method,
        method_text: Part::new(at, end),
        uri: Part::new(uri_at, uri.len()),
    })
}

/// A status line with nothing odd about it.
fn plain_status(text: &[u8], at: usize) -> Option<StartLine> {
    let rest = text.strip_prefix(b"SIP/2.0 ")?;
    let ([hundreds @ b'1'..=b'6', tens @ b'0'..=b'9', ones @ b'0'..=b'9'], after) =
        rest.split_first_chunk::<3>()?
    else {
        return None;
    };
    if !after.is_empty() && !after.starts_with(b" ") {
        return None;
    }
    let digit = |octet: &u8| u16::from(octet.wrapping_sub(b'0'));
    let status = digit(hundreds).wrapping_mul(100);
    let status = status.wrapping_add(digit(tens).wrapping_mul(10)).wrapping_add(digit(ones));
    let reason = trim_start(after);
    let reason_at = text.len().saturating_sub(reason.len());
    let reason = Part::new(at.saturating_add(reason_at), trim_end(reason).len());
    Some(StartLine::Response { status, reason })
}

/// `SIP/2.0 200 OK`.
fn status_line(text: &[u8], at: usize) -> Option<(StartLine, Anomalies)> {
    if let Some(start) = plain_status(text, at) {
        return Some((start, Anomalies::NONE));
    }
    let (version, rest) = first_word(text);
    let (status_text, after) = first_word(trim_start(rest));
    if version.len() > MAX_VERSION || status_text.is_empty() {
        return None;
    }
    if !status_text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut anomalies = version_anomaly(version);
    let status = narrow::<u16>(status_text).unwrap_or(u16::MAX);
    if status_text.len() != 3 || !(100..=699).contains(&status) {
        anomalies |= Anomalies::BAD_STATUS_CODE;
    }
    let before_status = rest.len().saturating_sub(trim_start(rest).len());
    if before_status != 1 || rest.first() == Some(&b'\t') {
        anomalies |= Anomalies::EXTRA_SPACE_IN_START_LINE;
    }
    let reason = trim(after);
    let before_reason = after.len().saturating_sub(trim_start(after).len());
    let reason_at = text.len().saturating_sub(after.len()).saturating_add(before_reason);
    let reason = Part::new(at.saturating_add(reason_at), reason.len());
    Some((StartLine::Response { status, reason }, anomalies))
}

/// RFC 3261 §7.1: the version is case-insensitive, and `SIP/2.0` is the only one.
fn version_anomaly(version: &[u8]) -> Anomalies {
    if version.eq_ignore_ascii_case(b"SIP/2.0") { Anomalies::NONE } else { Anomalies::BAD_VERSION }
}

/// Up to the first SP or HT, and the rest with it.
fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|&octet| is_blank(octet)).unwrap_or(text.len());
    cut(text, end)
}

const fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

impl Part {
    /// `len` octets from `at`.
    pub(super) fn new(at: usize, len: usize) -> Self {
        Self { at: offset(at), len: offset(len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Option<(Method, &str, Anomalies)> {
        let (start, anomalies) = start_line(text.as_bytes(), 0)?;
        let StartLine::Request { method, uri, .. } = start else { return None };
        Some((method, std::str::from_utf8(uri.of(text.as_bytes())).unwrap(), anomalies))
    }

    #[test]
    fn a_plain_request_line_has_no_anomaly() {
        let read = request("INVITE sip:a@b.example SIP/2.0");
        assert_eq!(read, Some((Method::Invite, "sip:a@b.example", Anomalies::NONE)));
    }

    #[test]
    fn spaces_case_and_version_are_anomalies_not_errors() {
        let space = Anomalies::EXTRA_SPACE_IN_START_LINE;
        assert_eq!(request("OPTIONS  sip:a  SIP/2.0 "), Some((Method::Options, "sip:a", space)));
        let both = Anomalies::METHOD_CASE | Anomalies::BAD_VERSION;
        assert_eq!(request("invite sip:a SIP/7.0"), Some((Method::Invite, "sip:a", both)));
        let (_, uri, anomalies) = request("INVITE sip:u@h; lr SIP/2.0").unwrap();
        assert_eq!((uri, anomalies), ("sip:u@h; lr", Anomalies::BAD_REQUEST_URI));
    }

    #[test]
    fn a_status_line_keeps_its_number_and_reason() {
        let text = b"SIP/2.0 200 OK then";
        let (start, anomalies) = start_line(text, 0).unwrap();
        let StartLine::Response { status, reason } = start else { panic!("a response") };
        assert_eq!((status, reason.of(text), anomalies), (200, &b"OK then"[..], Anomalies::NONE));
        let (start, anomalies) = start_line(b"SIP/2.0 4294967301 x", 0).unwrap();
        assert!(matches!(start, StartLine::Response { status: u16::MAX, .. }));
        assert!(anomalies.contains(Anomalies::BAD_STATUS_CODE));
        assert!(start_line(b"SIP/2.0 100 ", 0).unwrap().1.is_empty());
    }

    #[test]
    fn other_protocols_are_refused() {
        for text in
            ["GET / HTTP/1.1", "OPTIONS xyz ", "", "SIP/2.0 OK", "SIP/2.0", "\u{1}b c SIP/2.0"]
        {
            assert_eq!(start_line(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn prose_in_a_body_is_not_taken_for_the_next_message() {
        assert!(is_start_line(b"SIP/2.0 180 Ringing") && is_start_line(b"X-NEW tel:1 SIP/2.0"));
        assert!(!is_start_line(b"talk about SIP/2.0") && !is_start_line(b"Subject: x SIP/2.0"));
    }
}
