//! The Identity header (RFC 8224 §4, and RFC 4474 §9 with a quoted signature): cut into the signed
//! token and its parameters; what the token claims is decoded on demand. Nothing is verified here.

use super::{Params, lex};
use crate::cursor::{cut, split_once, trim};
use crate::sdp::sextet;

/// Characters of a payload that are decoded: those of any call, and then some.
pub const MAX_CLAIMS: usize = 16 << 10;

/// One Identity value.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The `PASSporT` (`header.payload.signature`, or `..signature` in the compact form), or the
    /// signature of RFC 4474 without its quotes.
    pub token: &'a [u8],
    /// True if the token was in quotes, as RFC 4474 has it.
    pub quoted: bool,
    /// All parameters.
    pub params: Params<'a>,
}

impl<'a> Identity<'a> {
    /// Reads one value; `None` without a token.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = trim(value);
        let (token, params) = cut(value, lex::until(value, b';'));
        let token = trim(token);
        let quoted = lex::quoted(token);
        let params = Params::new(params);
        let token = quoted.map_or(token, |(text, _)| text);
        (!token.is_empty()).then_some(Self { token, quoted: quoted.is_some(), params })
    }

    /// Header, payload and signature of the `PASSporT`, base64url; header and payload are empty in
    /// the compact form. `None` if there are not two dots.
    pub fn parts(&self) -> Option<[&'a [u8]; 3]> {
        let (header, rest) = split_once(self.token, b'.');
        let (payload, signature) = split_once(rest?, b'.');
        let signature = signature?;
        (!signature.contains(&b'.')).then_some([header, payload, signature])
    }

    /// What the `PASSporT` claims: JSON as it was signed (RFC 8225 §4), at most [`MAX_CLAIMS`] octets of
    /// it. `None` in the compact form, and where it is no base64url.
    pub fn claims(&self) -> Option<Vec<u8>> {
        let [_, payload, _] = self.parts()?;
        let claims = base64url(payload.get(..MAX_CLAIMS).unwrap_or(payload))?;
        (!claims.is_empty()).then_some(claims)
    }

    /// Where the certificate is, without angle brackets.
    pub fn info(&self) -> Option<&'a [u8]> {
        self.params.value(b"info").map(|value| match value {
            [b'<', inner @ .., b'>'] => trim(inner),
            _ => value,
        })
    }

    /// The signature algorithm, `ES256` by default.
    pub fn alg(&self) -> Option<&'a [u8]> {
        self.params.value(b"alg")
    }

    /// The `PASSporT` extension: `shaken`, `div`, `rph` and so on, without quotes.
    pub fn ppt(&self) -> Option<&'a [u8]> {
        self.params.value(b"ppt")
    }
}

/// RFC 4648 §5 without padding, as RFC 7515 §2 has it.
fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    for group in text.chunks(4) {
        let mut bits = 0_u32;
        for place in 0..4 {
            let value = match group.get(place) {
                Some(b'-') => 62,
                Some(b'_') => 63,
                Some(b'+' | b'/') => return None,
                Some(octet) => sextet(*octet)?,
                None => 0,
            };
            bits = bits.wrapping_shl(6) | u32::from(value);
        }
        let [_, all @ ..] = bits.to_be_bytes();
        octets.extend(all.iter().take(group.len().saturating_sub(1)));
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_decoded_from_base64url() {
        let claims = |value: &[u8]| Identity::parse(value).and_then(|identity| identity.claims());
        assert_eq!(claims(b"e30.eyJhIjoiw78_In0.c;info=<x>"), Some("{\"a\":\"\u{ff}?\"}".into()));
        assert_eq!(claims(b"e30.e+30.c;info=<x>"), None);
        assert_eq!(claims(b"..c;info=<x>"), None);
        assert_eq!(claims(b"\"c\";info=<x>"), None);
    }

    #[test]
    fn a_full_and_a_compact_token_are_cut() {
        let full =
            Identity::parse(b"aa.bb.cc;info=<https://x/y;z>;alg=ES256;ppt=\"shaken\"").unwrap();
        assert_eq!(full.parts(), Some([&b"aa"[..], b"bb", b"cc"]));
        assert_eq!((full.info(), full.ppt()), (Some(&b"https://x/y;z"[..]), Some(&b"shaken"[..])));
        let compact = Identity::parse(b"..cc ; info=<x>").unwrap();
        assert_eq!(compact.parts(), Some([&b""[..], b"", b"cc"]));
        assert_eq!((compact.alg(), compact.quoted), (None, false));
    }

    #[test]
    fn the_older_form_has_one_quoted_signature() {
        let old = Identity::parse(b"\"abc=\"").unwrap();
        assert_eq!((old.token, old.quoted, old.parts()), (&b"abc="[..], true, None));
        assert_eq!(Identity::parse(b" "), None);
    }
}
