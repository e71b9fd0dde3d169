//! The line scan that every SIP message goes through: header names, where the values stand, and
//! what is off (RFC 3261 §7.3, §25.1). One pass over the lines with `memchr`, one over the octets
//! for controls and UTF-8; nothing is copied and no value is interpreted except CSeq and
//! Content-Length.

use super::start::{is_start_line, start_line};
use super::{HeaderName, HeaderSpan, MAX_HEADERS, Method, StartLine, lex};
use crate::anomaly::Anomalies;
use crate::cursor::{
    Ending, count, cut, index, is_lws, line_at, number, offset, slice, tail, trim_end, trim_start,
    word,
};

/// How far [`probe`] looks for a header, octets.
const PROBE_WINDOW: usize = 4096;

/// What the header section says.
#[derive(Copy, Clone)]
pub(super) struct Head {
    pub(super) start: StartLine,
    /// First octet after the empty line.
    pub(super) body_at: usize,
    /// Header lines, those past the limit too.
    pub(super) headers: u32,
    pub(super) anomalies: Anomalies,
    pub(super) content_length: ContentLength,
}

/// The first Content-Length.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum ContentLength {
    Missing,
    Bad,
    Octets(usize),
}

/// True if this looks like a SIP message.
///
/// Wanted: a start line (after any leading CR, LF, SP, HT) and one of Via, From, To, Call-ID or
/// CSeq, long or compact, in the first 4 KiB. So an HTTP answer with a SIP status line is not SIP.
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

/// Reads the header section that starts at `from`, and appends its spans.
///
/// In a stream, a start line among the headers ends the message: the rest of it was lost.
pub(super) fn head(
    octets: &[u8],
    from: usize,
    spans: &mut Vec<HeaderSpan>,
    in_stream: bool,
) -> Option<Head> {
    let first = line_at(octets, from)?;
    let (start, mut anomalies) = start_line(first.text, from)?;
    let mark = spans.len();
    let mut headers = 0_u32;
    let mut ends = Ends::default();
    ends.add(first.ending);
    let mut at = first.next;
    loop {
        let Some(line) = line_at(octets, at) else {
            anomalies |= Anomalies::NO_HEADER_END;
            break;
        };
        ends.add(line.ending);
        match line.text {
            [] => {
                at = line.next;
                break;
            }
            [b'\r'] if line.ending == Ending::None => {}
            [b' ' | b'\t', ..] if headers > 0 => {
                anomalies |= Anomalies::FOLDED_HEADER;
                if index(headers) <= MAX_HEADERS {
                    unfold(spans, mark, line.text, at);
                }
            }
            text => {
                let (span, found) = header(text, at);
                if found.contains(Anomalies::START_LINE_IN_HEADERS) && in_stream {
                    anomalies |= Anomalies::START_LINE_IN_HEADERS | Anomalies::NO_HEADER_END;
                    break;
                }
                anomalies |= found;
                headers = headers.saturating_add(1);
                if index(headers) <= MAX_HEADERS {
                    spans.push(span);
                } else {
                    anomalies |= Anomalies::TOO_MANY_HEADERS;
                }
            }
        }
        at = line.next;
    }
    anomalies |= ends.anomalies(slice(octets, from, at));
    let (required, content_length) = required(octets, tail_spans(spans, mark), start);
    anomalies |= required;
    Some(Head { start, body_at: at, headers, anomalies, content_length })
}

/// Number, method and method text of a CSeq value (RFC 3261 §20.16).
pub(super) fn cseq(value: &[u8]) -> Option<(u32, Method, &[u8])> {
    let (sequence, method) = word(value);
    let sequence = u32::try_from(number(sequence)?).ok()?;
    let valid = !method.is_empty() && !method.iter().any(|&octet| is_lws(octet));
    valid.then(|| (sequence, Method::from(method), method))
}

/// How the lines ended.
#[derive(Default)]
struct Ends {
    crlf: usize,
    lf: bool,
}

impl Ends {
    #[inline]
    fn add(&mut self, ending: Ending) {
        match ending {
            Ending::CrLf => self.crlf = self.crlf.wrapping_add(1),
            Ending::Lf => self.lf = true,
            Ending::None => {}
        }
    }

    /// Looks at every octet of the header section once.
    fn anomalies(&self, head: &[u8]) -> Anomalies {
        let mut found = if self.lf { Anomalies::BARE_LF } else { Anomalies::NONE };
        if count(b'\r', head) != self.crlf {
            found |= Anomalies::BARE_CR;
        }
        // No branch in the loop, so that it becomes vector code.
        let (mut all, mut control) = (0_u8, false);
        for &octet in head {
            all |= octet;
            control |= (octet < 0x20 && !matches!(octet, b'\t' | b'\r' | b'\n')) || octet == 0x7f;
        }
        if control {
            found |= Anomalies::CONTROL_OCTET;
        }
        if all >= 0x80 && std::str::from_utf8(head).is_err() {
            found |= Anomalies::NON_UTF8;
        }
        found
    }
}

/// One header line that stands at `at`.
#[inline]
fn header(text: &[u8], at: usize) -> (HeaderSpan, Anomalies) {
    let Some(colon) = name_end(text) else { return nameless(text, at) };
    let (name_text, rest) = cut(text, colon);
    let mut anomalies = Anomalies::NONE;
    let mut name = HeaderName::from(name_text);
    let mut name_len = name_text.len();
    if name == HeaderName::Other {
        let trimmed = trim_end(name_text);
        if trimmed.len() != name_len {
            anomalies |= Anomalies::SPACE_BEFORE_COLON;
            name = HeaderName::from(trimmed);
            name_len = trimmed.len();
        }
        if !trimmed.iter().copied().all(lex::is_token) {
            anomalies |= Anomalies::BAD_HEADER_NAME;
            if is_start_line(text) {
                anomalies |= Anomalies::START_LINE_IN_HEADERS;
            }
        }
    }
    let Ok(name_len) = u16::try_from(name_len) else { return nameless(text, at) };
    let rest = tail(rest, 1);
    let value = trim_start(rest);
    let before = text.len().saturating_sub(value.len());
    let span = HeaderSpan {
        name,
        name_at: offset(at),
        name_len,
        value_at: offset(at.saturating_add(before)),
        value_len: offset(trim_end(value).len()),
    };
    (span, anomalies)
}

/// A line that is not `name: value`: kept whole as a value without a name.
#[cold]
fn nameless(text: &[u8], at: usize) -> (HeaderSpan, Anomalies) {
    let mut anomalies = Anomalies::HEADER_WITHOUT_COLON;
    if is_start_line(text) {
        anomalies |= Anomalies::START_LINE_IN_HEADERS;
    }
    let value = trim_start(text);
    let before = text.len().saturating_sub(value.len());
    let span = HeaderSpan {
        name: HeaderName::Other,
        name_at: offset(at),
        name_len: 0,
        value_at: offset(at.saturating_add(before)),
        value_len: offset(trim_end(value).len()),
    };
    (span, anomalies)
}

/// The colon that ends a header name, unless nothing stands before it.
#[inline]
fn name_end(text: &[u8]) -> Option<usize> {
    text.iter().position(|&octet| octet == b':').filter(|&colon| colon > 0)
}

/// Lets the last value reach to the end of this continuation line (RFC 3261 §7.3.1).
fn unfold(spans: &mut [HeaderSpan], mark: usize, text: &[u8], at: usize) {
    let Some(span) = spans.get_mut(mark..).and_then(<[HeaderSpan]>::last_mut) else { return };
    let value = trim_start(text);
    let start = offset(at.saturating_add(text.len().saturating_sub(value.len())));
    let length = offset(trim_end(value).len());
    if length == 0 {
        return;
    }
    if span.value_len == 0 {
        span.value_at = start;
    }
    span.value_len = start.saturating_add(length).saturating_sub(span.value_at);
}

/// Which of the headers that every message needs are missing or doubled (RFC 3261 §8.1.1).
fn required(octets: &[u8], spans: &[HeaderSpan], start: StartLine) -> (Anomalies, ContentLength) {
    const NEEDED: Anomalies = Anomalies::MISSING_VIA
        .union(Anomalies::MISSING_FROM)
        .union(Anomalies::MISSING_TO)
        .union(Anomalies::MISSING_CALL_ID)
        .union(Anomalies::MISSING_CSEQ);
    let mut found = Anomalies::NONE;
    let mut seen = Anomalies::NONE;
    let mut forwards = false;
    let mut length = ContentLength::Missing;
    for span in spans {
        let (once, twice) = match span.name {
            HeaderName::Via => (Anomalies::MISSING_VIA, Anomalies::NONE),
            HeaderName::From => (Anomalies::MISSING_FROM, Anomalies::DUPLICATE_FROM),
            HeaderName::To => (Anomalies::MISSING_TO, Anomalies::DUPLICATE_TO),
            HeaderName::CallId => (Anomalies::MISSING_CALL_ID, Anomalies::DUPLICATE_CALL_ID),
            HeaderName::CSeq => {
                if !seen.contains(Anomalies::MISSING_CSEQ) {
                    found |= cseq_anomaly(octets, span.value(octets), start);
                }
                (Anomalies::MISSING_CSEQ, Anomalies::DUPLICATE_CSEQ)
            }
            HeaderName::ContentLength => {
                found |= add_length(&mut length, span.value(octets));
                continue;
            }
            HeaderName::MaxForwards => {
                if forwards {
                    found |= Anomalies::DUPLICATE_MAX_FORWARDS;
                }
                forwards = true;
                continue;
            }
            _ => continue,
        };
        if seen.contains(once) {
            found |= twice;
        }
        seen |= once;
    }
    (found | NEEDED.without(seen), length)
}

/// CSeq must be readable, and in a request name the method of the start line.
fn cseq_anomaly(octets: &[u8], value: &[u8], start: StartLine) -> Anomalies {
    match (cseq(value), start) {
        (None, _) => Anomalies::CSEQ_BAD,
        (Some((_, _, method)), StartLine::Request { method_text, .. })
            if method != method_text.of(octets) =>
        {
            Anomalies::CSEQ_METHOD_MISMATCH
        }
        _ => Anomalies::NONE,
    }
}

/// The first Content-Length counts; later ones are compared with it.
fn add_length(length: &mut ContentLength, value: &[u8]) -> Anomalies {
    let read = match number(value).map(usize::try_from) {
        Some(Ok(octets)) => ContentLength::Octets(octets),
        _ => ContentLength::Bad,
    };
    let bad =
        if read == ContentLength::Bad { Anomalies::CONTENT_LENGTH_BAD } else { Anomalies::NONE };
    match *length {
        ContentLength::Missing => {
            *length = read;
            bad
        }
        first if first == read => bad | Anomalies::CONTENT_LENGTH_DUPLICATE,
        _ => bad | Anomalies::CONTENT_LENGTH_DUPLICATE_DIFFERING,
    }
}

/// True if `octets` go on with another message, blank lines aside.
pub(super) fn begins_message(octets: &[u8]) -> bool {
    line_at(trim_start(octets), 0).is_some_and(|line| is_start_line(line.text))
}

fn tail_spans(spans: &[HeaderSpan], mark: usize) -> &[HeaderSpan] {
    spans.get(mark..).unwrap_or_default()
}
