//! Messages in a datagram and in a stream (RFC 3261 §18.3): where one ends, what to drop between
//! two, and how to go on after octets that are no message. It keeps no state: the caller drops what
//! an answer covers and asks again. Whatever the chunks, the same messages come out.

use super::places::ContentLength;
use super::scan::{self, Head};
use super::start::is_start_line;
use super::{HeaderSpan, Layout, MAX_BODY, MAX_HEADER_SECTION, MAX_START_LINE, SipError};
use crate::anomaly::Anomalies;
use crate::cursor::{Ending, cut, header_end, line_at, offset, tail};

/// What stands at the head of a stream's octets.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A whole message; its `len` octets are to be dropped.
    Message(Layout),
    /// The octets may become a message.
    Incomplete {
        /// Ask again when there are at least this many octets; `None` when that is not known.
        wanted: Option<usize>,
    },
    /// CRLF or CRLFCRLF between messages (RFC 5626 §4.4.1): octets to drop, at least one.
    KeepAlive(usize),
    /// No message: octets to drop up to the next possible start line, at least one.
    Junk(usize),
}

/// Reads one datagram and appends its header spans to `spans`.
///
/// The body is the rest of the datagram, or less if Content-Length says so.
///
/// # Errors
/// [`SipError::Empty`] when there is nothing but blank space, [`SipError::TooLong`] past 32 bits of
/// length, [`SipError::NotSip`] when the first line is no SIP start line.
pub fn parse_datagram(octets: &[u8], spans: &mut Vec<HeaderSpan>) -> Result<Layout, SipError> {
    if u32::try_from(octets.len()).is_err() {
        return Err(SipError::TooLong);
    }
    let mut anomalies = Anomalies::NONE;
    let mut from = 0_usize;
    for &octet in octets {
        match octet {
            b'\r' | b'\n' => anomalies |= Anomalies::LEADING_OCTETS,
            b' ' | b'\t' => anomalies |= Anomalies::LEADING_WHITESPACE,
            _ => break,
        }
        from = from.saturating_add(1);
    }
    if from >= octets.len() {
        return Err(SipError::Empty);
    }
    let head = scan::head(octets, from, spans, false).ok_or(SipError::NotSip)?;
    anomalies |= head.anomalies;
    let rest = tail(octets, head.body_at);
    let body = match head.content_length {
        ContentLength::Octets(length) if length > rest.len() => {
            anomalies |= Anomalies::CONTENT_LENGTH_TOO_LARGE;
            rest.len()
        }
        ContentLength::Octets(length) if length < rest.len() => {
            anomalies |= Anomalies::CONTENT_LENGTH_TOO_SMALL;
            if scan::begins_message(tail(rest, length)) {
                anomalies |= Anomalies::MESSAGE_AFTER_BODY;
            }
            length
        }
        _ => rest.len(),
    };
    Ok(layout(head, anomalies, body))
}

/// Looks at the head of a stream; header spans are appended only for [`Framing::Message`].
///
/// Content-Length frames the body; without one (or with a bad one) the body is taken as empty, with
/// an anomaly, and what follows is found again by its start line.
pub fn parse_stream(octets: &[u8], spans: &mut Vec<HeaderSpan>) -> Framing {
    match octets {
        [] | [b'\r'] | [b'\r', b'\n', b'\r'] => return Framing::Incomplete { wanted: None },
        [b'\r', b'\n', b'\r', b'\n', ..] => return Framing::KeepAlive(4),
        [b'\r', b'\n', ..] => return Framing::KeepAlive(2),
        [b'\n', ..] => return Framing::KeepAlive(1),
        _ => {}
    }
    match bounded_line(octets, 0) {
        Piece::Line(text, _) if is_start_line(text) => {}
        Piece::Partial => return Framing::Incomplete { wanted: None },
        _ => return Framing::Junk(resync(octets)),
    }
    let section = cut(octets, MAX_HEADER_SECTION).0;
    let Some((_, end)) = header_end(section) else {
        if section.len() < MAX_HEADER_SECTION {
            return Framing::Incomplete { wanted: None };
        }
        return Framing::Junk(resync(octets));
    };
    let mark = spans.len();
    let Some(head) = scan::head(cut(octets, end).0, 0, spans, true) else {
        return Framing::Junk(resync(octets));
    };
    let mut anomalies = head.anomalies;
    let body = match head.content_length {
        // The blank line was lost, and with it whatever body there was.
        _ if anomalies.contains(Anomalies::START_LINE_IN_HEADERS) => 0,
        ContentLength::Octets(length) if length <= MAX_BODY => length,
        ContentLength::Octets(_) => {
            anomalies |= Anomalies::CONTENT_LENGTH_TOO_LARGE;
            0
        }
        ContentLength::Missing => {
            anomalies |= Anomalies::CONTENT_LENGTH_MISSING;
            0
        }
        ContentLength::Bad => 0,
    };
    let wanted = head.body_at.saturating_add(body);
    if octets.len() < wanted {
        spans.truncate(mark);
        return Framing::Incomplete { wanted: Some(wanted) };
    }
    Framing::Message(layout(head, anomalies, body))
}

/// Octets up to the next start line or to the last line, which has not ended; at least one.
fn resync(octets: &[u8]) -> usize {
    let mut at = 0_usize;
    loop {
        match bounded_line(octets, at) {
            Piece::Line(text, _) if at > 0 && is_start_line(text) => break,
            Piece::Line(_, next) | Piece::TooLong(next) => at = next,
            Piece::Partial => break,
        }
    }
    at.max(1)
}

/// A line that could be a start line; where one is cut does not depend on how the octets came.
enum Piece<'a> {
    /// A line, and the offset after its ending.
    Line(&'a [u8], usize),
    /// No line end within the limit: the offset of the octet at the limit.
    TooLong(usize),
    /// The octets end before the line does.
    Partial,
}

fn bounded_line(octets: &[u8], at: usize) -> Piece<'_> {
    let limit = at.saturating_add(MAX_START_LINE);
    match line_at(cut(octets, limit).0, at) {
        Some(line) if line.ending != Ending::None => Piece::Line(line.text, line.next),
        _ if octets.len() < limit => Piece::Partial,
        _ => Piece::TooLong(limit),
    }
}

fn layout(head: Head, anomalies: Anomalies, body: usize) -> Layout {
    Layout {
        start: head.start,
        body_at: offset(head.body_at),
        len: offset(head.body_at.saturating_add(body)),
        headers: head.headers,
        anomalies,
        places: head.places,
    }
}
