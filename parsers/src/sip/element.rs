//! Comma lists of `word *(;param)`: option tags, media ranges, feature tags and all else that RFC 3261
//! §25.1 builds from a token and parameters. An element without a word is skipped. What a word means
//! is said by the types that are read from it.

use std::marker::PhantomData;

use super::{Params, lex};
use crate::cursor::{cut, narrow, split_once, trim};

/// What can be read from one element of a comma list.
pub trait Element<'a>: Sized {
    /// Reads one element; `None` if there is nothing in it that the header could mean.
    fn read(element: &'a [u8]) -> Option<Self>;
}

/// The elements of a header value, in order; those that cannot be read are skipped.
#[derive(Clone, Debug)]
pub struct List<'a, T> {
    rest: &'a [u8],
    of: PhantomData<T>,
}

impl<'a, T: Element<'a>> List<'a, T> {
    /// Reads one header value.
    pub const fn new(value: &'a [u8]) -> Self {
        Self { rest: value, of: PhantomData }
    }
}

impl<'a, T: Element<'a>> Iterator for List<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        while !self.rest.is_empty() {
            if let Some(element) = T::read(lex::element(&mut self.rest, b',')) {
                return Some(element);
            }
        }
        None
    }
}

/// `word *(;param)`: an entry of Allow, Supported, Require, Proxy-Require, Unsupported, Allow-Events,
/// Accept, Accept-Encoding, Accept-Language, Accept-Contact, Feature-Caps, Resource-Priority.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// The word without quotes: `INVITE`, `100rel`, `text/*`, `*`; compare as its header says.
    pub text: &'a [u8],
    /// What follows its first semicolon.
    pub params: Params<'a>,
}

impl<'a> Element<'a> for Word<'a> {
    fn read(element: &'a [u8]) -> Option<Self> {
        let element = trim(element);
        let (word, params) = cut(element, lex::until(element, b';'));
        let text = lex::unquoted(trim(word));
        (!text.is_empty()).then_some(Self { text, params: Params::new(params) })
    }
}

impl<'a> Word<'a> {
    /// Type and subtype of a media range (RFC 3261 §20.1): `text` and `plain`, `*` and `*`.
    pub fn media_range(&self) -> Option<(&'a [u8], &'a [u8])> {
        let (kind, subtype) = split_once(self.text, b'/');
        let (kind, subtype) = (trim(kind), trim(subtype?));
        (!kind.is_empty() && !subtype.is_empty()).then_some((kind, subtype))
    }

    /// The preference in thousandths, 1000 without one; `None` if there is one that is no number.
    pub fn q(&self) -> Option<u16> {
        self.params.get(b"q").map_or(Some(1000), |q| quality(q.value?))
    }
}

/// `qvalue` of RFC 3261 §25.1 in thousandths: `0.5` is 500; digits past the third are not looked at.
pub fn quality(text: &[u8]) -> Option<u16> {
    let (whole, fraction) = split_once(trim(text), b'.');
    let whole: u16 = if whole.is_empty() { 0 } else { narrow(whole)? };
    let mut thousandths = 0_u16;
    let mut digits = fraction.unwrap_or_default().iter();
    for _ in 0..3 {
        let digit = digits.next().map_or(0, |digit| digit.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        thousandths = thousandths.saturating_mul(10).saturating_add(u16::from(digit));
    }
    let value = whole.saturating_mul(1000).saturating_add(thousandths);
    (value <= 1000 && digits.all(u8::is_ascii_digit)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_tags_and_methods_are_listed_and_empty_elements_skipped() {
        let tags: Vec<_> = List::<Word<'_>>::new(b"100rel, , timer ,\r\n  path").collect();
        let texts: Vec<_> = tags.iter().map(|tag| tag.text).collect();
        assert_eq!(texts, [&b"100rel"[..], b"timer", b"path"]);
        assert_eq!(List::<Word<'_>>::new(b" , ;x,").count(), 0);
    }

    #[test]
    fn media_ranges_have_two_parts_and_a_preference() {
        let ranges: Vec<_> =
            List::<Word<'_>>::new(b"application/sdp;level=1;q=0.75, text/ *, plain;q=2").collect();
        assert_eq!(ranges[0].media_range(), Some((&b"application"[..], &b"sdp"[..])));
        assert_eq!((ranges[0].q(), ranges[1].q(), ranges[2].q()), (Some(750), Some(1000), None));
        assert_eq!(ranges[1].media_range(), Some((&b"text"[..], &b"*"[..])));
        assert_eq!(ranges[2].media_range(), None);
    }

    #[test]
    fn feature_tags_hide_their_commas_in_quotes() {
        let caps: Vec<_> =
            List::<Word<'_>>::new(br#"*;+g.3gpp.srvcc="<a,b>";+sip.x, *;+y"#).collect();
        assert_eq!(caps.len(), 2);
        assert_eq!(caps[0].params.value(b"+g.3gpp.srvcc"), Some(&b"<a,b>"[..]));
    }

    #[test]
    fn a_preference_is_at_most_one() {
        for (text, expected) in [
            ("1", Some(1000)),
            ("0.5", Some(500)),
            (".05", Some(50)),
            ("0.1239", Some(123)),
            ("1.001", None),
            ("0.x", None),
            ("", Some(0)),
            ("9", None),
        ] {
            assert_eq!(quality(text.as_bytes()), expected, "{text}");
        }
    }
}
