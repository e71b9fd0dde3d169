//! Cutting octets without indexing: lines, trimming, numbers, searches. Everything here saturates
//! or answers with an empty slice; nothing copies. The only file that names `memchr`.

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

impl Ending {
    /// How many octets it is.
    #[inline]
    pub(crate) const fn octets(self) -> usize {
        match self {
            Self::CrLf => 2,
            Self::Lf => 1,
            Self::None => 0,
        }
    }
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

/// Longest octets that [`find`] looks through word by word.
const NEAR: usize = 64;

/// Offset of the first `needle`, which may not be NUL.
#[inline]
pub(crate) fn find(needle: u8, octets: &[u8]) -> Option<usize> {
    if octets.len() <= NEAR { find_near([needle], octets) } else { memchr::memchr(needle, octets) }
}

/// Every octet of a word 1, and every octet's highest bit.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Offset of the first octet that is one of `needles`, eight octets at a time: for values of a few
/// dozen octets, where setting up `memchr` costs more than the search. No needle may be NUL.
#[inline]
pub(crate) fn find_near<const N: usize>(needles: [u8; N], octets: &[u8]) -> Option<usize> {
    let wanted = needles.map(|needle| u64::from(needle).wrapping_mul(ONES));
    // The lowest octet marked is one of them; those above may be marked by a borrow.
    let marks = |word: u64| {
        wanted.iter().fold(0, |marks, needle| {
            let odd = word ^ needle;
            marks | (odd.wrapping_sub(ONES) & !odd)
        }) & HIGH
    };
    let first = |marks: u64| usize::try_from(marks.trailing_zeros() / 8).unwrap_or_default();
    let mut rest = octets;
    while let Some((word, next)) = rest.split_first_chunk::<8>() {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            return octets.len().checked_sub(rest.len())?.checked_add(first(found));
        }
        rest = next;
    }
    let at = match octets.last_chunk::<8>() {
        // The last octets again, those that have been looked at shifted out.
        Some(word) if !rest.is_empty() => {
            let seen = 8_usize.saturating_sub(rest.len()).saturating_mul(8);
            let word = u64::from_le_bytes(*word) >> (seen & 63);
            let found = marks(word);
            if found == 0 {
                return None;
            }
            first(found)
        }
        _ => rest.iter().position(|octet| needles.contains(octet))?,
    };
    octets.len().checked_sub(rest.len())?.checked_add(at)
}

/// Offset of the first CR or LF (SDP lines are met with CRLF, LF and even CR alone), else the
/// length.
#[inline]
pub(crate) fn line_end(text: &[u8]) -> usize {
    memchr::memchr2(b'\r', b'\n', text).unwrap_or(text.len())
}

/// How many octets are no printable ASCII: controls, DEL and everything above.
pub(crate) fn count_unprintable(octets: &[u8]) -> usize {
    let mut total = 0_usize;
    // As many words as an octet counts.
    for part in octets.chunks(255 * 8) {
        let (words, rest) = part.as_chunks::<8>();
        let lanes = words.iter().fold(0_u64, |lanes, word| {
            let word = u64::from_le_bytes(*word);
            let low = word & !HIGH;
            // The highest bit of each octet: at least 0x20, and 0x7f.
            let graphic = low.wrapping_add(ONES.wrapping_mul(0x60));
            let delete = low.wrapping_add(ONES);
            lanes.wrapping_add(((word | !graphic | delete) >> 7) & ONES)
        });
        let odd = |octet: u8| usize::from(octet.wrapping_sub(0x20) >= 0x5f);
        let lanes = lanes.to_le_bytes().iter().fold(0, |sum, &n| usize::from(n).wrapping_add(sum));
        let rest = rest.iter().fold(0, |sum, &octet| odd(octet).wrapping_add(sum));
        total = total.wrapping_add(lanes).wrapping_add(rest);
    }
    total
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
        let text: Vec<u8> = (0..64_u8).map(|n| b"ab;c<\x80\xff:d"[usize::from(n % 9)]).collect();
        for from in 0..text.len() {
            for to in from..=text.len() {
                let part = &text[from..to];
                let slow = part.iter().position(|octet| matches!(octet, b';' | b'<'));
                assert_eq!(find_near([b';', b'<'], part), slow, "{from}..{to}");
                let slow = part.iter().position(|octet| *octet == b':');
                assert_eq!(find_near([b':'], part), slow, "{from}..{to}");
            }
        }
    }

    #[test]
    fn what_is_not_printable_is_counted_wherever_it_stands() {
        for at in [0, 7, 8, 2039, 2040, 2041, 4999] {
            let mut text = vec![b' '; 5000];
            assert_eq!(count_unprintable(&text), 0);
            for octet in [0, 0x1f, 0x7f, 0x80, 0xff, b'\n'] {
                text[at] = octet;
                assert_eq!(count_unprintable(&text), 1, "{at} {octet}");
            }
            text[at] = b'~';
            assert_eq!(count_unprintable(&text), 0);
        }
        assert_eq!(count_unprintable(&vec![b'\n'; 5000]), 5000);
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
    }
}
