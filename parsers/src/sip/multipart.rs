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

/// Parts of one body that are looked at, at all depths together.
pub const MAX_PARTS: usize = 64;

/// The parts of a body that are no multiparts themselves, in order: of a plain body, the body. Opens
/// multiparts inside multiparts to a depth of four; a deeper one is a part like any other.
#[derive(Clone)]
pub struct Leaves<'a> {
    whole: Option<(&'a [u8], &'a [u8])>,
    open: [Option<BodyParts<'a>>; DEPTHS],
    left: usize,
}

/// One part that is no multipart.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// Content-Type with parameters; empty if it has none.
    pub content_type: &'a [u8],
    /// The MIME headers, as they stand; empty for a body that is no multipart.
    pub headers: &'a [u8],
    /// What they describe.
    pub body: &'a [u8],
}

const DEPTHS: usize = 4;

impl<'a> Leaves<'a> {
    /// The parts of `body` under a Content-Type value, which may be empty.
    pub const fn new(content_type: &'a [u8], body: &'a [u8]) -> Self {
        let whole = if body.is_empty() { None } else { Some((content_type, body)) };
        Self { whole, open: [const { None }; DEPTHS], left: MAX_PARTS }
    }

    /// Opens a multipart below those that are open; false if it is none, or too deep.
    fn enter(&mut self, content_type: &'a [u8], body: &'a [u8]) -> bool {
        let Some(place) = self.open.iter_mut().find(|place| place.is_none()) else { return false };
        *place = BodyParts::new(content_type, body);
        place.is_some()
    }
}

impl<'a> Iterator for Leaves<'a> {
    type Item = Leaf<'a>;

    fn next(&mut self) -> Option<Leaf<'a>> {
        if let Some((content_type, body)) = self.whole.take()
            && !self.enter(content_type, body)
        {
            return Some(Leaf { content_type, headers: &[], body });
        }
        while let Some(place) = self.open.iter_mut().rev().find(|place| place.is_some()) {
            let Some(part) = place.as_mut().and_then(BodyParts::next) else {
                *place = None;
                continue;
            };
            self.left = self.left.checked_sub(1)?;
            let content_type = part.content_type().unwrap_or_default();
            if !self.enter(content_type, part.body) {
                return Some(Leaf { content_type, headers: part.headers, body: part.body });
            }
        }
        None
    }
}

/// Whether a body is what its multipart type says (RFC 2046 §5.1.1): a boundary that is named, found and
/// closed, and not found again behind its end. True for a type that is no multipart.
pub fn is_well_formed(content_type: &[u8], body: &[u8]) -> bool {
    if !starts_with_any_case(content_type, b"multipart/") {
        return true;
    }
    let params = Params::new(split_once(content_type, b';').1.unwrap_or_default());
    let mut boundaries = params.iter().filter(|param| param.name.eq_ignore_ascii_case(b"boundary"));
    let named =
        boundaries.next().and_then(|param| param.value).is_some_and(|text| !text.is_empty());
    let Some(mut parts) = BodyParts::new(content_type, body) else { return false };
    let Some(mut at) = parts.at.take() else { return false };
    let closed = loop {
        match parts.delimiter(at) {
            Some(found) if found.last => break parts.delimiter(found.next).is_none(),
            Some(found) => at = found.next,
            None => break false,
        }
    };
    named && boundaries.next().is_none() && closed
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
    fn parts_of_parts_are_found_in_order_and_not_without_end() {
        let inner =
            "--i\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--i\r\n\r\nplain\r\n--i--\r\n";
        let body = format!(
            "--o\r\nContent-Type: multipart/alternative;boundary=i\r\n\r\n{inner}\r\n--o\r\nc: application/isup\r\n\r\n\x01\r\n--o--"
        );
        let leaves: Vec<_> = Leaves::new(b"multipart/mixed;boundary=o", body.as_bytes()).collect();
        let bodies: Vec<_> = leaves.iter().map(|leaf| leaf.body).collect();
        assert_eq!(bodies, [&b"v=0"[..], b"plain", b"\x01"]);
        assert_eq!(
            (leaves[1].content_type, leaves[2].content_type),
            (&b""[..], &b"application/isup"[..])
        );
        assert_eq!(Leaves::new(b"text/plain", b"x").count(), 1);
        assert_eq!(Leaves::new(b"text/plain", b"").count(), 0);
        let many = b"--x\r\n\r\ny\r\n".repeat(100);
        assert_eq!(Leaves::new(b"multipart/mixed;boundary=x", &many).count(), MAX_PARTS);
        let deep = b"--x\r\nc: multipart/mixed;boundary=x\r\n\r\n".repeat(100);
        assert!(Leaves::new(b"multipart/mixed;boundary=x", &deep).count() <= MAX_PARTS);
    }

    #[test]
    fn a_multipart_names_its_boundary_and_ends_once() {
        let good = b"--x\r\n\r\ny\r\n--x--\r\n";
        assert!(is_well_formed(b"multipart/mixed;boundary=x", good));
        assert!(is_well_formed(b"text/plain", b""));
        assert!(!is_well_formed(b"multipart/mixed", good));
        assert!(!is_well_formed(b"multipart/mixed;boundary=x;boundary=y", good));
        assert!(!is_well_formed(b"multipart/mixed;boundary=z", good));
        assert!(!is_well_formed(b"multipart/mixed;boundary=x", b"--x\r\n\r\ny\r\n"));
        let again = [&good[..], good].concat();
        assert!(!is_well_formed(b"multipart/mixed;boundary=x", &again));
    }

    #[test]
    fn a_body_that_is_cut_off_still_gives_its_last_part() {
        let cut = b"--x\r\n\r\nv=0\r\ns=-";
        assert_eq!(find_sdp(b"multipart/mixed;boundary=x", cut), Some(&b"v=0\r\ns=-"[..]));
    }
}
