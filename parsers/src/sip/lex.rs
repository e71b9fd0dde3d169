//! The small pieces of the SIP grammar (RFC 3261 §25.1): token, quoted-string, LWS, and lists cut
//! at a delimiter outside quotes and angle brackets. The only file that names `nom`.

use nom::bytes::complete::{tag, take_while, take_while1};
use nom::{IResult, Parser};

use crate::cursor::{cut, find, find_near, is_lws, tail, trim_start};

/// Longest text in angle brackets that hides delimiters, octets.
pub(super) const MAX_BRACKETED: usize = 4096;

/// A reading step: the rest and what was read. Without an error value there is none to build.
type Step<'a, T> = IResult<&'a [u8], T, ()>;

/// [`is_token`] of every octet.
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0_u8;
    let mut rest: &mut [bool] = &mut table;
    while let [first, next @ ..] = rest {
        *first = is_token_char(octet);
        octet = octet.wrapping_add(1);
        rest = next;
    }
    table
};

/// `token` characters of RFC 3261 §25.1.
#[inline]
pub(super) fn is_token(octet: u8) -> bool {
    TOKEN.get(usize::from(octet)).copied().unwrap_or_default()
}

const fn is_token_char(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// A token and the rest after it.
pub(super) fn token(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = input.iter().position(|octet| !is_token(*octet)).unwrap_or(input.len());
    (end > 0).then(|| cut(input, end))
}

/// A quoted-string at the start of `input`: what is between the quotes (escapes kept), the rest.
pub(super) fn quoted(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = input.strip_prefix(b"\"")?;
    let (text, rest) = cut(inside, closing_quote(inside)?);
    Some((text, tail(rest, 1)))
}

/// `token LWS / LWS token LWS / LWS token LWS`: protocol, version, transport of a Via.
pub(super) fn sent_protocol(input: &[u8]) -> Option<([&[u8]; 3], &[u8])> {
    if let Some((protocol, rest)) = input.split_at_checked(3).filter(|(start, _)| start == b"SIP")
        && let Some(rest) = rest.strip_prefix(b"/2.0/")
        && let Some((transport, rest)) = token(rest)
        && rest.first().copied().is_none_or(is_lws)
    {
        return Some(([protocol, b"2.0", transport], rest));
    }
    spaced_protocol(input)
}

/// The same with white space where nobody writes it.
fn spaced_protocol(input: &[u8]) -> Option<([&[u8]; 3], &[u8])> {
    let slash = || (lws, tag(&b"/"[..]), lws);
    let word = || take_while1::<_, _, ()>(is_token);
    let (rest, (_, protocol, _, version, _, transport)) =
        (lws, word(), slash(), word(), slash(), word()).parse(input).ok()?;
    // Something must part the transport from the sent-by.
    let blank = rest.first().copied().is_none_or(is_lws);
    blank.then_some(([protocol, version, transport], rest))
}

/// `name LWS = LWS value`, value a quoted-string (without its quotes) or anything up to the end.
pub(super) fn assignment(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = token(trim_start(input))?;
    let value = trim_start(rest).strip_prefix(b"=")?;
    Some((name, unquoted(trim_start(value))))
}

/// A value without its quotes, if it has them; otherwise as it is.
pub(super) fn unquoted(value: &[u8]) -> &[u8] {
    match quoted(value) {
        Some((text, _)) => text,
        None => value,
    }
}

/// Where the first `stop` stands outside quotes and angle brackets, or the length.
///
/// A quote or bracket that is never closed is an octet like any other (RFC 4475 §3.1.2.6).
pub(super) fn until(input: &[u8], stop: u8) -> usize {
    let (mut quotes, mut angles) = (true, true);
    let mut rest = input;
    while let Some(at) = find_near([stop, b'"', b'<', b'\\'], rest) {
        rest = tail(rest, at);
        let [octet, next @ ..] = rest else { break };
        if *octet == stop {
            return input.len().saturating_sub(rest.len());
        }
        rest = next;
        match octet {
            b'"' if quotes => match after_quote(next) {
                Some(after) => rest = after,
                None => quotes = false,
            },
            // A pair outside quotes means nothing, but read like one inside it keeps a line of
            // escaped quotes from being searched once per quote.
            b'\\' => rest = tail(next, 1),
            b'<' if angles => match find(b'>', cut(next, MAX_BRACKETED).0) {
                Some(close) => rest = tail(next, close.saturating_add(1)),
                None => angles = false,
            },
            _ => {}
        }
    }
    input.len()
}

/// Takes the next element of a list off `rest`; the separator goes with it.
pub(super) fn element<'a>(rest: &mut &'a [u8], separator: u8) -> &'a [u8] {
    let (piece, after) = cut(rest, until(rest, separator));
    *rest = tail(after, 1);
    piece
}

/// The octets after the quote that closes the string whose first octet is `input`'s first.
fn after_quote(input: &[u8]) -> Option<&[u8]> {
    closing_quote(input).map(|close| tail(input, close.saturating_add(1)))
}

/// Where the quote stands that closes `*(qdtext / quoted-pair)`.
fn closing_quote(input: &[u8]) -> Option<usize> {
    let mut rest = input;
    loop {
        let at = find_near([b'"', b'\\'], rest)?;
        match tail(rest, at) {
            [b'"', ..] => return input.len().checked_sub(rest.len())?.checked_add(at),
            pair => rest = pair.get(2..)?,
        }
    }
}

fn lws(input: &[u8]) -> Step<'_, &[u8]> {
    take_while(is_lws).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_strings_end_at_the_first_quote_that_is_not_escaped() {
        assert_eq!(quoted(br#""a\"b" rest"#), Some((&br#"a\"b"#[..], &b" rest"[..])));
        assert_eq!(quoted(br#""""#), Some((&b""[..], &b""[..])));
        assert_eq!(quoted(br#""open"#), None);
        assert_eq!(quoted(br#""open\""#), None);
    }

    #[test]
    fn commas_in_quotes_and_brackets_do_not_part_a_list() {
        let mut rest = &br#""a,b" <sip:c,d>;x=1, <sip:e>"#[..];
        assert_eq!(element(&mut rest, b','), br#""a,b" <sip:c,d>;x=1"#);
        assert_eq!(element(&mut rest, b','), b" <sip:e>");
        assert!(rest.is_empty());
    }

    #[test]
    fn an_open_quote_hides_nothing() {
        let mut rest = &br#""a, b"#[..];
        assert_eq!(element(&mut rest, b','), br#""a"#);
        assert_eq!(until(b"<a,b", b','), 2);
    }

    #[test]
    fn the_stop_may_be_a_bracket_or_stand_after_open_ones() {
        assert_eq!(until(br#""Bob <x>" <sip:a>"#, b'<'), 10);
        assert_eq!(until(b"a < b < c; d", b';'), 9);
        assert_eq!(until(b"plain and long enough", b';'), 21);
        assert_eq!(until(b"", b';'), 0);
        assert_eq!(until(b"a\\", b';'), 2);
    }

    #[test]
    fn a_line_of_escaped_quotes_costs_linear_time() {
        let hostile = b"\"\\\"".repeat(40_000);
        assert_eq!(until(&hostile, b','), hostile.len());
        let hostile = [&b"\""[..], &b"\\\",".repeat(40_000)].concat();
        let mut rest = &hostile[..];
        let mut elements = 0;
        while !rest.is_empty() {
            element(&mut rest, b',');
            elements += 1;
        }
        assert_eq!(elements, 40_000);
    }
}
