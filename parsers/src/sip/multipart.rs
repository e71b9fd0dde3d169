//! Multipart bodies (RFC 2046 §5.1, RFC 5621) and the session description in them. Transfer
//! encodings are not undone (RFC 3261 §7.4.1 has none but binary and 8bit on the wire).

use super::Params;
use crate::cursor::{
    Lines, cut, line_at, slice, split_once, starts_with_any_case, tail, trim, trim_end,
};

/// How deep multiparts are opened inside multiparts.
const MAX_DEPTH: u32 = 4;

/// One body part.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct BodyPart<'a> {
    /// The MIME headers, as they stand.
    pub headers: &'a [u8],
    /// What they describe.
    pub body: &'a [u8],
}

impl<'a> BodyPart<'a> {
    /// The value of the first header of this name, in any case of letters; folds are not joined.
    pub fn header(&self, name: &[u8]) -> Option<&'a [u8]> {
        Lines::new(self.headers)
            .map(|line| split_once(line, b':'))
            .find(|(other, _)| trim_end(other).eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value)
            .map(trim)
    }

    /// Content-Type with its parameters, the compact `c` too.
    pub fn content_type(&self) -> Option<&'a [u8]> {
        self.header(b"Content-Type").or_else(|| self.header(b"c"))
    }
}

/// The parts of a multipart body, in order.
#[derive(Clone)]
pub struct BodyParts<'a> {
    boundary: &'a [u8],
    body: &'a [u8],
    /// Offset of the next part, after its delimiter line; `None` after the last.
    at: Option<usize>,
}

impl<'a> BodyParts<'a> {
    /// Parts of `body` by the Content-Type `value`; without a boundary parameter, the first line
    /// that begins with `--` is taken for the delimiter. `None` if it is not multipart.
    pub fn new(value: &'a [u8], body: &'a [u8]) -> Option<Self> {
        if !starts_with_any_case(value, b"multipart/") {
            return None;
        }
        let params = Params::new(split_once(value, b';').1.unwrap_or_default());
        let boundary = match params.value(b"boundary") {
            Some(boundary) if !boundary.is_empty() => boundary,
            _ => {
                let line = Lines::new(body).find(|line| line.starts_with(b"--"))?;
                trim_end(tail(line, 2))
            }
        };
        let mut parts = Self { boundary, body, at: Some(0) };
        parts.at = parts.delimiter(0).filter(|found| !found.last).map(|found| found.next);
        Some(parts)
    }

    /// The first delimiter line at or after `from`.
    fn delimiter(&self, from: usize) -> Option<Delimiter> {
        let mut at = from;
        while let Some(line) = line_at(self.body, at) {
            let rest = line.text.strip_prefix(b"--").and_then(|r| r.strip_prefix(self.boundary));
            match rest.map(trim_end) {
                Some([]) => return Some(Delimiter { at, next: line.next, last: false }),
                Some(b"--") => return Some(Delimiter { at, next: line.next, last: true }),
                _ => at = line.next,
            }
        }
        None
    }
}

impl<'a> Iterator for BodyParts<'a> {
    type Item = BodyPart<'a>;

    fn next(&mut self) -> Option<BodyPart<'a>> {
        let start = self.at.take()?;
        let end = match self.delimiter(start) {
            Some(found) => {
                self.at = (!found.last).then_some(found.next);
                found.at
            }
            None => self.body.len(),
        };
        Some(part(slice(self.body, start, end)))
    }
}

struct Delimiter {
    at: usize,
    next: usize,
    last: bool,
}

/// Headers up to the empty line, body without the line end that belongs to the delimiter.
fn part(octets: &[u8]) -> BodyPart<'_> {
    let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
    let octets = octets.strip_suffix(b"\r").unwrap_or(octets);
    let mut at = 0_usize;
    while let Some(line) = line_at(octets, at) {
        if line.text.is_empty() {
            return BodyPart { headers: cut(octets, at).0, body: tail(octets, line.next) };
        }
        at = line.next;
    }
    BodyPart { headers: octets, body: &[] }
}

/// The first session description under a Content-Type value.
pub(super) fn find_sdp<'a>(content_type: &'a [u8], body: &'a [u8]) -> Option<&'a [u8]> {
    search(content_type, body, MAX_DEPTH)
}

fn search<'a>(content_type: &'a [u8], body: &'a [u8], depth: u32) -> Option<&'a [u8]> {
    let kind = trim(split_once(content_type, b';').0);
    if kind.eq_ignore_ascii_case(b"application/sdp") {
        return Some(body);
    }
    let deeper = depth.checked_sub(1)?;
    BodyParts::new(content_type, body)?.find_map(|part| match part.content_type() {
        Some(kind) => search(kind, part.body, deeper),
        None => part.body.starts_with(b"v=0").then_some(part.body),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"preamble\r\n--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b1 \r\n\
        c: Application/SDP\r\n\r\nv=0\r\ns=-\r\n\r\n--b1--\r\nepilogue";

    #[test]
    fn parts_end_before_the_line_end_of_the_delimiter() {
        let parts: Vec<_> =
            BodyParts::new(b"multipart/mixed; boundary=\"b1\"", BODY).unwrap().collect();
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].body, parts[1].body), (&b"hello"[..], &b"v=0\r\ns=-\r\n"[..]));
        assert_eq!(parts[0].content_type(), Some(&b"text/plain"[..]));
    }

    #[test]
    fn a_session_description_is_found_in_any_part_and_without_a_boundary() {
        for kind in [&b"Multipart/Mixed;boundary=b1"[..], b"multipart/related"] {
            assert_eq!(find_sdp(kind, BODY), Some(&b"v=0\r\ns=-\r\n"[..]));
        }
        assert_eq!(find_sdp(b"application/SDP ; x=y", b"v=0"), Some(&b"v=0"[..]));
        assert_eq!(find_sdp(b"text/plain", b"v=0"), None);
    }

    #[test]
    fn a_body_that_is_cut_off_still_gives_its_last_part() {
        let cut = b"--x\r\n\r\nv=0\r\ns=-";
        assert_eq!(find_sdp(b"multipart/mixed;boundary=x", cut), Some(&b"v=0\r\ns=-"[..]));
    }
}
