//! The line scan that every SIP message goes through: header names, where the values stand, and
//! what is off (RFC 3261 §7.3, §25.1). One pass over the octets finds line ends and what is no
//! printable ASCII; of a line the first sixteen octets are looked at, where nearly every name ends.
//! Nothing is copied and no value is interpreted except `CSeq` and Content-Length.

use super::lines::Odd;
use super::places::{ContentLength, Places, Seen};
use super::start::{is_start_line, start_line};
use super::{HeaderName, HeaderSpan, MAX_HEADERS, StartLine, lex};
use crate::anomaly::Anomalies;
use crate::cursor::{
    Ending, Line, cut, find_near, index, line_at, offset, slice, tail, trim_end, trim_start,
};

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
    pub(super) places: Places,
}

/// Reads the header section that starts at `from`, and appends its spans. There are less than 2^32
/// `octets`.
///
/// In a stream, a start line among the headers ends the message: the rest of it was lost.
pub(super) fn head(
    octets: &[u8],
    from: usize,
    spans: &mut Vec<HeaderSpan>,
    in_stream: bool,
) -> Option<Head> {
    let (mut is_odd, mut at) = (false, offset(from));
    let mut odd = Odd::new(octets, at);
    let end = odd.next();
    let first = line(octets, at, end, &mut odd, &mut is_odd)?;
    let (start, mut anomalies) = start_line(first.text, from)?;
    anomalies |= ending_anomaly(first.ending);
    let mark = spans.len();
    let mut seen = Seen::new();
    let mut headers = 0_u32;
    at = at.saturating_add(offset(first.next));
    loop {
        let end = odd.next();
        let kept = index(headers) < MAX_HEADERS;
        if kept && let Some(span) = plain_header(octets, at, end) {
            odd.next();
            spans.push(span);
            seen.note(span.name, headers);
            headers = headers.wrapping_add(1);
            at = end.wrapping_add(2);
            continue;
        }
        let Some(line) = line(octets, at, end, &mut odd, &mut is_odd) else {
            anomalies |= Anomalies::NO_HEADER_END;
            break;
        };
        anomalies |= ending_anomaly(line.ending);
        match line.text {
            [] => {
                at = at.saturating_add(offset(line.next));
                break;
            }
            [b'\r'] if line.ending == Ending::None => {}
            [b' ' | b'\t', ..] if headers > 0 => {
                anomalies |= Anomalies::FOLDED_HEADER;
                if index(headers) <= MAX_HEADERS {
                    unfold(spans, mark, line.text, index(at));
                }
            }
            text => {
                let found = header(text, index(at), spans, kept);
                if found.contains(Anomalies::START_LINE_IN_HEADERS) && in_stream {
                    anomalies |= Anomalies::START_LINE_IN_HEADERS | Anomalies::NO_HEADER_END;
                    // Its line was taken for a header.
                    spans.truncate(mark.saturating_add(index(headers)));
                    break;
                }
                anomalies |= found;
                if let Some(span) = spans.last().filter(|_| kept) {
                    seen.note(span.name, headers);
                }
                headers = headers.saturating_add(1);
            }
        }
        at = at.saturating_add(offset(line.next));
    }
    if is_odd {
        anomalies |= octets_anomalies(slice(octets, from, index(at)));
    }
    let (missing, content_length, places) = seen.finish(octets, tail_spans(spans, mark), start);
    anomalies |= missing;
    Some(Head { start, body_at: index(at), headers, anomalies, content_length, places })
}

/// The line at `at`, whose first octet that is no printable ASCII stands at `end` and is the last that
/// `odd` gave; lets `odd` go on behind it. Notes whether that octet is anything but the line's end.
#[inline]
fn line<'a>(
    octets: &'a [u8],
    at: u32,
    end: u32,
    odd: &mut Odd<'a>,
    is_odd: &mut bool,
) -> Option<Line<'a>> {
    let rest = tail(octets, index(at));
    let (text, ending) = cut(rest, index(end.wrapping_sub(at)));
    if ending.starts_with(b"\r\n") {
        odd.next();
        return Some(Line { text, next: text.len().saturating_add(2), ending: Ending::CrLf });
    }
    let line = line_at(rest, 0)?;
    *is_odd |= line.text.len() != text.len();
    *odd = Odd::new(octets, at.saturating_add(offset(line.next)));
    Some(line)
}

#[inline]
fn ending_anomaly(ending: Ending) -> Anomalies {
    if ending == Ending::Lf { Anomalies::BARE_LF } else { Anomalies::NONE }
}

/// Looks at every octet of the header section once. There is no branch in the loop, so that it
/// becomes vector code.
fn octets_anomalies(head: &[u8]) -> Anomalies {
    let is_control =
        |octet: u8| (octet < 0x20 && !matches!(octet, b'\t' | b'\r' | b'\n')) || octet == 0x7f;
    let first = head.first().copied().unwrap_or(0x20);
    let (mut all, mut control, mut escaped, mut bare) = (first, is_control(first), false, false);
    for (&octet, &next) in head.iter().zip(tail(head, 1)) {
        all |= next;
        control |= is_control(next) && octet != b'\\';
        escaped |= is_control(next) && octet == b'\\';
        bare |= octet == b'\r' && next != b'\n';
    }
    let mut found = if bare { Anomalies::BARE_CR } else { Anomalies::NONE };
    if control {
        found |= Anomalies::CONTROL_OCTET;
    }
    if escaped {
        found |= Anomalies::ESCAPED_CONTROL;
    }
    if all >= 0x80 && std::str::from_utf8(head).is_err() {
        found |= Anomalies::NON_UTF8;
    }
    found
}

/// Reads the line from `at` to `end` as nearly all are: a name as its RFC writes it and shorter than
/// sixteen octets, a colon, a blank, a value with no more blanks around it, CR LF. Its octets are
/// printable ASCII.
#[inline]
fn plain_header(octets: &[u8], at: u32, end: u32) -> Option<HeaderSpan> {
    let rest = tail(octets, index(at));
    let (name, len) = HeaderName::at_start_of(rest.first_chunk::<16>()?)?;
    let octets = end.wrapping_sub(at);
    let [text @ .., b'\r', b'\n'] = rest.get(..index(octets).wrapping_add(2))? else { return None };
    // The colon may be another line's.
    let value = text.get(index(len).wrapping_add(1)..)?;
    let ([b' ', first, ..], [.., last]) = (value, value) else { return None };
    if *first == b' ' || *last == b' ' {
        return None;
    }
    // Offsets into less than 2^32 octets, the value's after the name's.
    let value_at = len.wrapping_add(2);
    Some(HeaderSpan {
        name,
        name_at: at,
        name_len: u16::try_from(len).ok()?,
        value_at: at.wrapping_add(value_at),
        value_len: octets.wrapping_sub(value_at),
    })
}

/// Reads any other header line that stands at `at`.
fn header(text: &[u8], at: usize, spans: &mut Vec<HeaderSpan>, kept: bool) -> Anomalies {
    let Some(colon) = name_end(text) else { return nameless(text, at, spans, kept) };
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
        if trimmed.is_empty() || !trimmed.iter().copied().all(lex::is_token) {
            anomalies |= Anomalies::BAD_HEADER_NAME;
            if is_start_line(text) {
                anomalies |= Anomalies::START_LINE_IN_HEADERS;
            }
        }
    }
    let Ok(name_len) = u16::try_from(name_len) else { return nameless(text, at, spans, kept) };
    if !kept {
        return anomalies | Anomalies::TOO_MANY_HEADERS;
    }
    let value = trim_start(tail(rest, 1));
    let before = text.len().saturating_sub(value.len());
    spans.push(HeaderSpan {
        name,
        name_at: offset(at),
        name_len,
        value_at: offset(at.saturating_add(before)),
        value_len: offset(trim_end(value).len()),
    });
    anomalies
}

/// A line that is not `name: value`: kept whole as a value without a name.
#[cold]
fn nameless(text: &[u8], at: usize, spans: &mut Vec<HeaderSpan>, kept: bool) -> Anomalies {
    let mut anomalies = Anomalies::HEADER_WITHOUT_COLON;
    if is_start_line(text) {
        anomalies |= Anomalies::START_LINE_IN_HEADERS;
    }
    if !kept {
        return anomalies | Anomalies::TOO_MANY_HEADERS;
    }
    let value = trim_start(text);
    let before = text.len().saturating_sub(value.len());
    spans.push(HeaderSpan {
        name: HeaderName::Other,
        name_at: offset(at),
        name_len: 0,
        value_at: offset(at.saturating_add(before)),
        value_len: offset(trim_end(value).len()),
    });
    anomalies
}

/// The colon that ends a header name, unless nothing stands before it.
#[inline]
pub(super) fn name_end(text: &[u8]) -> Option<usize> {
    find_near([b':'], text).filter(|&colon| colon > 0)
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

/// True if `octets` go on with another message, blank lines aside.
pub(super) fn begins_message(octets: &[u8]) -> bool {
    line_at(trim_start(octets), 0).is_some_and(|line| is_start_line(line.text))
}

fn tail_spans(spans: &[HeaderSpan], mark: usize) -> &[HeaderSpan] {
    spans.get(mark..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Layout, parse_datagram};
    use super::*;

    const HEAD: &str = "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: a\r\nTo: b\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n";

    fn parsed(text: &[u8]) -> (Layout, Vec<HeaderSpan>) {
        let mut spans = Vec::new();
        (parse_datagram(text, &mut spans).unwrap(), spans)
    }

    fn oddities(header: &str) -> Anomalies {
        parsed([HEAD, header, "\r\n"].concat().as_bytes()).0.anomalies
    }

    #[test]
    fn each_header_oddity_has_its_bit_and_a_plain_header_none() {
        assert_eq!(oddities("X-New: y\r\nSubject:\r\n"), Anomalies::NONE);
        assert_eq!(oddities("X: y\n"), Anomalies::BARE_LF);
        assert_eq!(oddities("X: y\rz\r\n"), Anomalies::BARE_CR);
        assert_eq!(oddities("X: y\r\n z\r\n"), Anomalies::FOLDED_HEADER);
        assert_eq!(oddities("X\t: y\r\n"), Anomalies::SPACE_BEFORE_COLON);
        assert_eq!(oddities("nothing\r\n"), Anomalies::HEADER_WITHOUT_COLON);
        assert_eq!(oddities(": x\r\n"), Anomalies::HEADER_WITHOUT_COLON);
        assert_eq!(oddities("X Y: z\r\n"), Anomalies::BAD_HEADER_NAME);
        assert_eq!(oddities("X: \u{0}\r\n"), Anomalies::CONTROL_OCTET);
        assert_eq!(oddities("f: again\r\n"), Anomalies::DUPLICATE_FROM);
        assert_eq!(oddities("l: 0\r\nl: 0\r\n"), Anomalies::CONTENT_LENGTH_DUPLICATE);
        assert_eq!(oddities("l: +0\r\n"), Anomalies::CONTENT_LENGTH_BAD);
        assert_eq!(oddities("Subject: caf\u{e9}\r\n"), Anomalies::NONE);
        let latin = [HEAD.as_bytes(), b"Subject: caf\xe9\r\n\r\n"].concat();
        assert_eq!(parsed(&latin).0.anomalies, Anomalies::NON_UTF8);
    }

    #[test]
    fn values_are_trimmed_and_folds_are_kept_inside() {
        let text = [HEAD, "Subject : \t\r\n  a\r\n\tb  \r\nX: y \r\n\r\nbody"].concat();
        let (layout, spans) = parsed(text.as_bytes());
        let subject = spans.iter().find(|span| span.name == HeaderName::Subject).unwrap();
        assert_eq!(subject.value(text.as_bytes()), b"a\r\n\tb");
        assert_eq!(subject.raw_name(text.as_bytes()), b"Subject");
        let last = spans.last().unwrap();
        assert_eq!(
            (last.raw_name(text.as_bytes()), last.value(text.as_bytes())),
            (&b"X"[..], &b"y"[..])
        );
        assert_eq!(
            (index(layout.len), tail(text.as_bytes(), index(layout.body_at))),
            (text.len(), &b"body"[..])
        );
    }

    #[test]
    fn leading_blank_lines_are_noted_and_offsets_still_count_them() {
        let text = ["\r\n\r\n ", HEAD, "\r\n"].concat();
        let (layout, spans) = parsed(text.as_bytes());
        assert_eq!(layout.anomalies, Anomalies::LEADING_OCTETS | Anomalies::LEADING_WHITESPACE);
        assert_eq!(spans.first().unwrap().raw_name(text.as_bytes()), b"Via");
    }

    #[test]
    fn headers_beyond_the_limit_are_counted_without_a_span() {
        let text = [HEAD, &"X: y\r\n".repeat(600), " z\r\n\r\nbody"].concat();
        let (layout, spans) = parsed(text.as_bytes());
        assert_eq!((layout.headers, spans.len()), (605, MAX_HEADERS));
        assert!(layout.anomalies.contains(Anomalies::TOO_MANY_HEADERS));
        assert_eq!(tail(text.as_bytes(), index(layout.body_at)), b"body");
    }

    #[test]
    fn a_message_that_is_cut_off_says_so() {
        let (layout, spans) = parsed(HEAD.as_bytes());
        assert_eq!((layout.anomalies, spans.len()), (Anomalies::NO_HEADER_END, 5));
        let (layout, _) = parsed([HEAD, "\r"].concat().as_bytes());
        assert_eq!(layout.anomalies, Anomalies::NO_HEADER_END);
    }
}
