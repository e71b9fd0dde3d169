//! Headers whose value is a number: Expires and Min-Expires (RFC 3261 §20.19), Retry-After (§20.33),
//! Session-Expires and Min-SE (RFC 4028 §4, §5), `RSeq` and `RAck` (RFC 3262 §7). A number that does not
//! fit 32 bits is none (RFC 4475 §3.1.2.4): it is never cut down to one that would be believed.

use super::{Method, Params, lex};
use crate::cursor::{cut, narrow, tail, trim, word};

/// `delta-seconds`, alone or before parameters.
pub fn seconds(value: &[u8]) -> Option<u32> {
    narrow(trim(cut(value, lex::until(value, b';')).0))
}

/// Who is to refresh a session (RFC 4028 §4).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The client of the request.
    Uac,
    /// Its server.
    Uas,
}

/// Session-Expires (RFC 4028 §4).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SessionExpires<'a> {
    /// How long the session lasts without a refresh, seconds.
    pub seconds: u32,
    /// `refresher`, `generic-param`.
    pub params: Params<'a>,
}

impl<'a> SessionExpires<'a> {
    /// Reads a value; `None` without a number.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let params = Params::new(cut(value, lex::until(value, b';')).1);
        Some(Self { seconds: seconds(value)?, params })
    }

    /// Who refreshes, if it says so.
    pub fn refresher(&self) -> Option<Refresher> {
        match self.params.value(b"refresher")? {
            uac if uac.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            uas if uas.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            _ => None,
        }
    }
}

/// Retry-After (RFC 3261 §20.33): `18000 (busy until noon);duration=3600`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RetryAfter<'a> {
    /// When to try again, seconds from now.
    pub seconds: u32,
    /// What stands in parentheses, without the outer ones; empty without a comment.
    pub comment: &'a [u8],
    /// `duration`, `generic-param`.
    pub params: Params<'a>,
}

impl<'a> RetryAfter<'a> {
    /// Reads a value; `None` without a number at its start.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = trim(value);
        let digits = value.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(value.len());
        let (number, rest) = cut(value, digits);
        let (comment, rest) = comment(trim(rest));
        let params = Params::new(tail(rest, lex::until(rest, b';')));
        Some(Self { seconds: narrow(number)?, comment, params })
    }

    /// For how long the callee will be reachable then, seconds.
    pub fn duration(&self) -> Option<u32> {
        narrow(self.params.value(b"duration")?)
    }
}

/// A comment (RFC 3261 §25.1), which may have others inside, and what follows it.
fn comment(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(inside) = text.strip_prefix(b"(") else { return (&[], text) };
    let (mut depth, mut escaped) = (1_u32, false);
    for (at, &octet) in inside.iter().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let (comment, rest) = cut(inside, at);
            return (comment, tail(rest, 1));
        }
    }
    // Never closed: a semicolon ends it, so that parameters are not lost in it.
    cut(inside, lex::until(inside, b';'))
}

/// `RAck` (RFC 3262 §7.2): which provisional response a PRACK answers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RAck<'a> {
    /// The number in `RSeq` of the response.
    pub response: u32,
    /// The number in `CSeq` of the response.
    pub sequence: u32,
    /// The method in `CSeq` of the response.
    pub method: Method,
    /// The method as written.
    pub method_text: &'a [u8],
}

impl<'a> RAck<'a> {
    /// Reads `response-num LWS CSeq-num LWS Method`; `None` if one of them is missing.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (response, rest) = word(value);
        let (sequence, method_text) = word(rest);
        let method = Method::from(method_text);
        let is_method = !method_text.is_empty() && method_text.iter().copied().all(lex::is_token);
        let (response, sequence) = (narrow(response)?, narrow(sequence)?);
        is_method.then_some(Self { response, sequence, method, method_text })
    }
}

/// `RSeq` (RFC 3262 §7.1), 1 to 2^32 - 1.
pub fn rseq(value: &[u8]) -> Option<u32> {
    narrow(trim(value)).filter(|&number| number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_digits_that_fit() {
        assert_eq!(seconds(b" 3600 "), Some(3600));
        assert_eq!(seconds(b"90;x=1"), Some(90));
        assert_eq!((seconds(b"-1"), seconds(b"4294967296"), seconds(b"")), (None, None, None));
    }

    #[test]
    fn a_session_says_who_refreshes_it() {
        let read = SessionExpires::parse(b"1800 ; Refresher = UAS;x").unwrap();
        assert_eq!((read.seconds, read.refresher()), (1800, Some(Refresher::Uas)));
        assert_eq!(SessionExpires::parse(b"90;refresher=proxy").unwrap().refresher(), None);
        assert_eq!(SessionExpires::parse(b"soon"), None);
    }

    #[test]
    fn a_comment_may_hold_others_and_semicolons() {
        let read = RetryAfter::parse(b"18 (in (a; b) \\) meeting) ;duration=60").unwrap();
        assert_eq!((read.seconds, read.duration()), (18, Some(60)));
        assert_eq!(read.comment, b"in (a; b) \\) meeting");
        let open = RetryAfter::parse(b"18 (never closed;duration=60").unwrap();
        assert_eq!((open.comment, open.duration()), (&b"never closed"[..], Some(60)));
        assert_eq!(RetryAfter::parse(b"949302838503028349304023988"), None);
    }

    #[test]
    fn an_acknowledged_response_is_named_by_two_numbers_and_a_method() {
        let read = RAck::parse(b"776656  1\tINVITE").unwrap();
        assert_eq!((read.response, read.sequence, read.method), (776_656, 1, Method::Invite));
        assert_eq!(RAck::parse(b"1 2"), None);
        assert_eq!(RAck::parse(b"1 2 IN VITE"), None);
        assert_eq!((rseq(b"988789"), rseq(b"0"), rseq(b"x")), (Some(988_789), None, None));
    }
}
