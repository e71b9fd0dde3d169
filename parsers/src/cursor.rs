//! Cutting octets without indexing: lines, trimming, numbers, searches. Everything here saturates
//! or answers with an empty slice; nothing copies. The only file that names `memchr`.

use std::ops::BitOr;

use crate::sixteen::Sixteen;

/// One line of a message and where the next one starts.
#[derive(Copy, Clone)]
pub(crate) struct Line<'a> {
    /// The line without its ending.
    pub(crate) text: &'a [u8],
    /// Offset of the octet after the ending.
    pub(crate) next: usize,
    /// How the line ended.
    pub(crate) ending: Ending,
}

/// What stood after a line.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// CR LF, as RFC 3261 §7 wants it.
    CrLf,
    /// LF alone.
    Lf,
    /// The octets ended first.
    None,
}

/// The line that starts at `at`, or `None` at the end of `octets`.
#[inline]
pub(crate) fn line_at(octets: &[u8], at: usize) -> Option<Line<'_>> {
    let rest = octets.get(at..)?;
    if rest.is_empty() {
        return None;
    }
    let Some(length) = memchr::memchr(b'\n', rest) else {
        return Some(Line { text: rest, next: octets.len(), ending: Ending::None });
    };
    let text = rest.get(..length).unwrap_or_default();
    let next = at.saturating_add(length).saturating_add(1);
    Some(match text {
        [text @ .., b'\r'] => Line { text, next, ending: Ending::CrLf },
        _ => Line { text, next, ending: Ending::Lf },
    })
}

/// The lines of `octets` without their endings.
#[derive(Clone, Debug)]
pub(crate) struct Lines<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = line_at(self.octets, self.at)?;
        self.at = line.next;
        Some(line.text)
    }
}

/// Offset of the first CR or LF (SDP lines are met with CRLF, LF and even CR alone), else the
/// length.
#[inline]
pub(crate) fn line_end(text: &[u8]) -> usize {
    memchr::memchr2(b'\r', b'\n', text).unwrap_or(text.len())
}

/// Longest octets that [`find`] looks through without `memchr`.
const NEAR: usize = 64;

/// Offset of the first `needle`.
#[inline]
pub(crate) fn find(needle: u8, octets: &[u8]) -> Option<usize> {
    if octets.len() <= NEAR { find_near([needle], octets) } else { memchr::memchr(needle, octets) }
}

/// Every octet of a word 1, and every octet's highest bit.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Offset of the first octet that is one of `needles`, sixteen octets at a time: for values of a few
/// dozen octets, where setting up `memchr` costs more than the search.
#[inline]
pub(crate) fn find_near<const N: usize>(needles: [u8; N], octets: &[u8]) -> Option<usize> {
    find_marked(octets, |sixteen| is_any(sixteen, needles, 0))
}

/// True if an octet is less than `limit`, which is at most 0x80, or one of `needles`, or no ASCII.
#[inline]
pub(crate) fn any_near<const N: usize>(limit: u8, needles: [u8; N], octets: &[u8]) -> bool {
    find_marked(octets, |sixteen| is_any(sixteen, needles, sixteen.below(limit).bits())).is_some()
}

/// Offset of the first octet that is not a letter, a digit or one of the marks that stand in hosts,
/// tokens and tags without parting anything: of all below `$`, `:` `;` `<`, `[` `\` `]`, and no ASCII.
#[inline]
pub(crate) fn find_delimiter(octets: &[u8]) -> Option<usize> {
    find_marked(octets, |sixteen| {
        let marks = sixteen.within(b':', b'<') | sixteen.within(b'[', b']');
        (marks | sixteen.below(b'$')).bits()
    })
}

/// The octets that are one of `needles`, or in `others`.
#[inline]
fn is_any<const N: usize>(sixteen: Sixteen, needles: [u8; N], others: u32) -> u32 {
    let marks = needles.map(|needle| sixteen.are(needle));
    marks.into_iter().reduce(BitOr::bitor).map_or(others, |marks| marks.bits() | others)
}

/// How many octets stand before the last one of those below `+`, from `:` to `@`, `\` and no ASCII,
/// that one too; 0 without one.
#[inline]
pub(crate) fn through_last_special(octets: &[u8]) -> usize {
    let special = |word: u64| {
        let low = word & !HIGH;
        let sign = from(low, b':') & !from(low, b'A');
        let slash = from(low, b'\\') & !from(low, b']');
        (word | sign | slash | !from(low, b'+')) & HIGH
    };
    let mut before = octets;
    while let Some((rest, word)) = before.split_last_chunk::<8>() {
        let marks = special(u64::from_le_bytes(*word));
        if marks != 0 {
            let after = usize::try_from(marks.leading_zeros() / 8).unwrap_or_default();
            return before.len().saturating_sub(after);
        }
        before = rest;
    }
    while let [rest @ .., last] = before {
        if special(u64::from(*last) | ONES.wrapping_mul(0x30) << 8) != 0 {
            break;
        }
        before = rest;
    }
    before.len()
}

/// Marks the octets from `least` on; those of the word are ASCII.
#[inline]
const fn from(word: u64, least: u8) -> u64 {
    let [up, ..] = 0x80_u8.wrapping_sub(least).to_le_bytes();
    word.wrapping_add(u64::from_le_bytes([up; 8]))
}

/// The octets of a word up to and with the first `needle`, the others 0, and how many stand before it.
#[inline]
pub(crate) fn through(needle: u8, word: u64) -> Option<(u64, u32)> {
    let marks = zeros(word ^ u64::from(needle).wrapping_mul(ONES)) & HIGH;
    let through = marks ^ marks.wrapping_sub(1);
    (marks != 0).then(|| (word & through, marks.trailing_zeros() / 8))
}

/// The low and the high half of a word.
#[inline]
#[allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "halves of a word")]
pub(crate) const fn halves(word: u128) -> (u64, u64) {
    (word as u64, (word >> 64) as u64)
}

/// Marks the octets that are zero by their highest bit. The lowest marked is one of them; those above
/// may be marked by a borrow. Other bits mean nothing.
#[inline]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

/// The place of the lowest bit.
#[inline]
fn first_mark(marks: u32) -> usize {
    index(marks.trailing_zeros())
}

/// Offset of the first octet that `marks` gives a bit to.
#[inline]
fn find_marked(octets: &[u8], marks: impl Fn(Sixteen) -> u32) -> Option<usize> {
    let mut rest = octets;
    while let Some((sixteen, next)) = rest.split_first_chunk() {
        let found = marks(Sixteen::whole(sixteen));
        if found != 0 {
            return octets.len().checked_sub(rest.len())?.checked_add(first_mark(found));
        }
        rest = next;
    }
    if rest.is_empty() {
        return None;
    }
    let found = match octets.last_chunk() {
        // The last octets again, those that have been looked at shifted out.
        Some(sixteen) => {
            let seen = offset(16_usize.saturating_sub(rest.len()));
            marks(Sixteen::whole(sixteen)).wrapping_shr(seen)
        }
        // Behind the octets of the text there are none.
        None => marks(Sixteen::part(rest)) & !u32::MAX.wrapping_shl(offset(rest.len())),
    };
    if found == 0 {
        return None;
    }
    octets.len().checked_sub(rest.len())?.checked_add(first_mark(found))
}

/// Offset of the first empty line's LF-preceded start: the octet after the LF that ends the last
/// header line, and the octet after the empty line itself.
pub(crate) fn header_end(octets: &[u8]) -> Option<(usize, usize)> {
    for at in memchr::memchr_iter(b'\n', octets) {
        let next = at.saturating_add(1);
        match tail(octets, next) {
            [b'\n', ..] => return Some((next, next.saturating_add(1))),
            [b'\r', b'\n', ..] => return Some((next, next.saturating_add(2))),
            _ => {}
        }
    }
    None
}

/// `octets[at..]`, or nothing.
#[inline]
pub(crate) fn tail(octets: &[u8], at: usize) -> &[u8] {
    octets.get(at..).unwrap_or_default()
}

/// `octets[from..to]`, or nothing.
#[inline]
pub(crate) fn slice(octets: &[u8], from: usize, to: usize) -> &[u8] {
    octets.get(from..to).unwrap_or_default()
}

/// Cuts at the first `at` octets; everything and nothing when there are fewer.
#[inline]
pub(crate) fn cut(octets: &[u8], at: usize) -> (&[u8], &[u8]) {
    octets.split_at_checked(at).unwrap_or((octets, &[]))
}

/// What stands before and after the first `separator`; the second is `None` without one.
#[inline]
pub(crate) fn split_once(octets: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match find(separator, octets) {
        Some(at) => (slice(octets, 0, at), Some(tail(octets, at.saturating_add(1)))),
        None => (octets, None),
    }
}

/// SP, HT, and the CR LF of a fold (RFC 3261 §25.1 `LWS`).
#[inline]
pub(crate) const fn is_lws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without linear white space at both ends.
#[inline]
pub(crate) fn trim(octets: &[u8]) -> &[u8] {
    trim_end(trim_start(octets))
}

#[inline]
pub(crate) fn trim_start(mut octets: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = octets {
        if !is_lws(*first) {
            break;
        }
        octets = rest;
    }
    octets
}

#[inline]
pub(crate) fn trim_end(mut octets: &[u8]) -> &[u8] {
    while let [rest @ .., last] = octets {
        if !is_lws(*last) {
            break;
        }
        octets = rest;
    }
    octets
}

/// The first word and what follows it, both trimmed.
pub(crate) fn word(octets: &[u8]) -> (&[u8], &[u8]) {
    let octets = trim_start(octets);
    let end = octets.iter().position(|&octet| is_lws(octet)).unwrap_or(octets.len());
    let (word, rest) = cut(octets, end);
    (word, trim(rest))
}

/// `1*DIGIT` as a number; `None` for anything else and for more than 64 bits.
pub(crate) fn number(octets: &[u8]) -> Option<u64> {
    if octets.is_empty() {
        return None;
    }
    // Nineteen digits fit in 64 bits.
    let near = octets.len() < 20;
    octets.iter().try_fold(0_u64, |sum, &octet| {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        if near {
            return Some(sum.wrapping_mul(10).wrapping_add(u64::from(digit)));
        }
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// One to nine digits that nothing or something else follows, as a number, and that rest.
#[inline]
pub(crate) fn leading_number(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (mut number, mut rest) = (0_u32, octets);
    while let [digit @ b'0'..=b'9', next @ ..] = rest {
        number = number.wrapping_mul(10).wrapping_add(u32::from(digit.wrapping_sub(b'0')));
        rest = next;
    }
    let digits = octets.len().saturating_sub(rest.len());
    (1..10).contains(&digits).then_some((number, rest))
}

/// `1*DIGIT` in the range of a smaller integer.
pub(crate) fn narrow<T: TryFrom<u64>>(octets: &[u8]) -> Option<T> {
    number(octets).and_then(|value| T::try_from(value).ok())
}

/// An offset as the 32 bits that spans are kept in; parsers refuse longer inputs first.
#[inline]
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A stored offset as an index.
#[inline]
pub(crate) fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// True if `octets` begins with `prefix` in any case of letters.
#[inline]
pub(crate) fn starts_with_any_case(octets: &[u8], prefix: &[u8]) -> bool {
    octets.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_crlf_lf_or_the_end() {
        let all: Vec<_> = Lines::new(b"a\r\nb\n\nc").collect();
        assert_eq!(all, [&b"a"[..], b"b", b"", b"c"]);
    }

    #[test]
    fn the_header_end_is_the_first_empty_line_of_either_kind() {
        assert_eq!(header_end(b"a\r\n\r\nb"), Some((3, 5)));
        assert_eq!(header_end(b"a\n\nb"), Some((2, 3)));
        assert_eq!(header_end(b"a\r\nb\r\n\r"), None);
    }

    #[test]
    fn near_search_agrees_with_looking_at_each_octet() {
        let text: Vec<u8> = (0..64_u8).map(|n| b"ab;c<\x80\xff:d\0"[usize::from(n % 10)]).collect();
        for from in 0..text.len() {
            for to in from..=text.len() {
                let part = &text[from..to];
                let slow = part.iter().position(|octet| matches!(octet, b';' | b'<'));
                assert_eq!(find_near([b';', b'<'], part), slow, "{from}..{to}");
                let slow = part.iter().position(|octet| *octet == b':');
                assert_eq!(find_near([b':'], part), slow, "{from}..{to}");
                let slow = part.iter().position(|octet| *octet == 0);
                assert_eq!(find_near([0], part), slow, "{from}..{to}");
                let slow = part.iter().any(|&o| !(b'b'..0x80).contains(&o) || o == b'd');
                assert_eq!(any_near(b'b', [b'd'], part), slow, "{from}..{to}");
                if let Some(word) = part.first_chunk() {
                    let slow = word.iter().position(|octet| *octet == 0xff);
                    let found = through(0xff, u64::from_le_bytes(*word));
                    assert_eq!(found.map(|(_, before)| index(before)), slow);
                }
            }
        }
        for octet in 0..=255 {
            let text = [b'a', b'b', octet];
            let slow = !octet.is_ascii() || octet < b'$' || b":;<[\\]".contains(&octet);
            assert_eq!(find_delimiter(&text), slow.then_some(2), "{octet}");
            let slow = !octet.is_ascii() || octet < b'+' || b":;<=>?@\\".contains(&octet);
            for (before, after) in (0..20).flat_map(|n| (0..20).map(move |m| (n, m))) {
                let text = [&vec![b'('; before][..], &[octet], &vec![b'0'; after]].concat();
                let through = before + usize::from(slow);
                assert_eq!(through_last_special(&text), through, "{octet} {before} {after}");
            }
            assert_eq!(
                any_near(b'!', [b'<'], &[octet]),
                octet <= b' ' || octet == b'<' || octet > 127
            );
        }
    }

    #[test]
    fn numbers_are_digits_only_and_do_not_wrap() {
        assert_eq!(number(b"0009"), Some(9));
        assert_eq!(number(b"-1"), None);
        assert_eq!(number(b""), None);
        assert_eq!(number(b"99999999999999999999999"), None);
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(number(b"18446744073709551616"), None);
        assert_eq!(number(b"9999999999999999999"), Some(9_999_999_999_999_999_999));
        assert_eq!(narrow::<u16>(b"65536"), None);
        assert_eq!(leading_number(b"999999999;"), Some((999_999_999, &b";"[..])));
        assert_eq!((leading_number(b"0000000001"), leading_number(b"-1")), (None, None));
    }
}
