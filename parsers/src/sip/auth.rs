//! Challenges and credentials (RFC 3261 §20.7, §20.44, RFC 7616, RFC 8760): WWW-Authenticate,
//! Proxy-Authenticate, Authorization, Proxy-Authorization, Authentication-Info; several challenges in
//! one value too. No digest is computed here, and no response can be printed.

use std::fmt;

use super::lex;
use crate::cursor::{cut, find_near, is_lws, tail, trim, trim_start};
use crate::secret::Secret;

/// The authentication scheme.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum AuthScheme {
    /// RFC 7616, RFC 8760.
    Digest,
    /// RFC 7617; RFC 8760 §2.6 forbids it in SIP.
    Basic,
    /// RFC 8898.
    Bearer,
    /// Any other token.
    Other,
}

/// One challenge or one set of credentials.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Auth<'a> {
    /// Which scheme.
    pub scheme: AuthScheme,
    /// The scheme as written.
    pub scheme_text: &'a [u8],
    body: &'a [u8],
    fields: Fields,
}

/// Where the parameters that are asked for stand in the body: one pass finds them all.
#[derive(Copy, Clone, PartialEq, Eq)]
struct Fields([(u16, u16); Fields::NAMES.len()]);

impl Fields {
    const NAMES: [&'static [u8]; 12] = [
        b"algorithm",
        b"cnonce",
        b"nc",
        b"nonce",
        b"opaque",
        b"qop",
        b"realm",
        b"response",
        b"rspauth",
        b"stale",
        b"uri",
        b"username",
    ];
    const ALGORITHM: usize = 0;
    const CNONCE: usize = 1;
    const NONCE: usize = 3;
    const QOP: usize = 5;
    const REALM: usize = 6;
    const RESPONSE: usize = 7;
    const RSPAUTH: usize = 8;
    const URI: usize = 10;
    const USERNAME: usize = 11;
    const ABSENT: (u16, u16) = (u16::MAX, u16::MAX);
    const EMPTY: Self = Self([Self::ABSENT; Self::NAMES.len()]);

    /// Octets within which a name that [`Self::note_plain`] reads ends.
    const SHORT: usize = 16;

    #[inline]
    fn slot(name: &[u8]) -> Option<usize> {
        // As nearly everybody writes them; a test compares this with the names.
        match name {
            b"algorithm" => Some(Self::ALGORITHM),
            b"cnonce" => Some(Self::CNONCE),
            b"nc" => Some(2),
            b"nonce" => Some(Self::NONCE),
            b"opaque" => Some(4),
            b"qop" => Some(Self::QOP),
            b"realm" => Some(Self::REALM),
            b"response" => Some(Self::RESPONSE),
            b"stale" => Some(9),
            b"uri" => Some(Self::URI),
            b"username" => Some(Self::USERNAME),
            _ => Self::slot_in_any_case(name),
        }
    }

    #[cold]
    fn slot_in_any_case(name: &[u8]) -> Option<usize> {
        Self::NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    /// Notes the first element of `list`, a part of `body`, and gives what follows its comma, if it
    /// is `name=value` or `name="value"` without white space or escapes, as nearly all are: what
    /// [`lex::element`] and [`lex::assignment`] find, in one look at each octet. `None` says
    /// nothing about the element.
    #[inline]
    fn note_plain<'a>(&mut self, body: &'a [u8], list: &'a [u8]) -> Option<&'a [u8]> {
        let list = list.strip_prefix(b" ").unwrap_or(list);
        let (name, rest) = cut(list, find_near([b'='], cut(list, Self::SHORT).0)?);
        let slot = Self::slot(name);
        if slot.is_none() && (name.is_empty() || !name.iter().all(|octet| lex::is_token(*octet))) {
            return None;
        }
        let (value, rest) = match rest {
            [b'=', b'"', quoted @ ..] => {
                let (value, rest) = cut(quoted, find_near([b'"', b'\\'], quoted)?);
                (value, rest.strip_prefix(b"\"")?)
            }
            [_, value @ ..] if !value.first().copied().is_none_or(is_lws) => {
                let end = find_near([b',', b'"', b'<', b'\\'], value).unwrap_or(value.len());
                cut(value, end)
            }
            _ => return None,
        };
        let after = match rest {
            [] => rest,
            [b',', after @ ..] => after,
            _ => return None,
        };
        if let Some(slot) = slot {
            self.put(body, slot, value);
        }
        Some(after)
    }

    /// Notes the parameter in `piece`, if it is one of them and the first of its name.
    fn note(&mut self, body: &[u8], piece: &[u8]) {
        if let Some((name, value)) = lex::assignment(piece)
            && let Some(slot) = Self::slot(name)
        {
            self.put(body, slot, value);
        }
    }

    /// Notes where in `body` the value of a parameter stands, unless there was one.
    #[inline]
    fn put(&mut self, body: &[u8], slot: usize, value: &[u8]) {
        let slot = self.0.get_mut(slot).filter(|slot| **slot == Self::ABSENT);
        let at = value.as_ptr().addr().checked_sub(body.as_ptr().addr());
        let at = at.and_then(|at| u16::try_from(at).ok());
        if let (Some(slot), Some(at), Ok(len)) = (slot, at, u16::try_from(value.len())) {
            *slot = (at, len);
        }
    }

    #[inline]
    fn value<'a>(&self, body: &'a [u8], slot: usize) -> Option<&'a [u8]> {
        let (at, len) = self.0.get(slot).copied().filter(|found| *found != Self::ABSENT)?;
        body.get(usize::from(at)..)?.get(..usize::from(len))
    }
}

impl<'a> Auth<'a> {
    /// Reads the first challenge or the credentials of one header value.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        AuthList::new(value).next()
    }

    /// Reads a value without a scheme: Authentication-Info (RFC 7616 §3.5).
    pub fn from_params(value: &'a [u8]) -> Self {
        let mut fields = Fields::EMPTY;
        let mut rest = value;
        while !rest.is_empty() {
            fields.note(value, lex::element(&mut rest, b','));
        }
        Self { scheme: AuthScheme::Other, scheme_text: &[], body: value, fields }
    }

    /// The value of a parameter without its quotes, name in any case of letters.
    ///
    /// `None` for `response` and `rspauth`: see [`Auth::response`].
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        match Fields::slot(name) {
            Some(Fields::RESPONSE | Fields::RSPAUTH) => None,
            slot => self.at(slot, name),
        }
    }

    /// Names of all parameters, in order.
    pub fn names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        Assignments { rest: self.body }.map(|(name, _)| name)
    }

    /// The protection space.
    pub fn realm(&self) -> Option<&'a [u8]> {
        self.fields.value(self.body, Fields::REALM)
    }

    /// The server's nonce.
    pub fn nonce(&self) -> Option<&'a [u8]> {
        self.fields.value(self.body, Fields::NONCE)
    }

    /// The hash; without one it is MD5 (RFC 7616 §3.3).
    pub fn algorithm(&self) -> Option<&'a [u8]> {
        self.fields.value(self.body, Fields::ALGORITHM)
    }

    /// In a challenge a comma list of what is offered, in credentials what was chosen.
    pub fn qop(&self) -> Option<&'a [u8]> {
        self.fields.value(self.body, Fields::QOP)
    }

    /// The elements of [`Auth::qop`], trimmed.
    pub fn qop_options(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let list = self.qop().unwrap_or_default().split(|&octet| octet == b',');
        list.map(trim).filter(|option| !option.is_empty())
    }

    /// The user; of a Basic scheme it is inside [`Auth::token`].
    pub fn username(&self) -> Option<&'a [u8]> {
        self.fields.value(self.body, Fields::USERNAME)
    }

    /// The digest-uri.
    pub fn uri(&self) -> Option<&'a [u8]> {
        self.fields.value(self.body, Fields::URI)
    }

    /// The digest: with it a password can be guessed offline.
    pub fn response(&self) -> Option<Secret<'a>> {
        self.fields.value(self.body, Fields::RESPONSE).map(Secret::new)
    }

    /// The server's digest in Authentication-Info.
    pub fn rspauth(&self) -> Option<Secret<'a>> {
        self.fields.value(self.body, Fields::RSPAUTH).map(Secret::new)
    }

    /// The nonce count, eight hexadecimal digits.
    pub fn nc(&self) -> Option<u32> {
        let text = std::str::from_utf8(self.param(b"nc")?).ok()?;
        u32::from_str_radix(text, 16).ok()
    }

    /// The client's nonce.
    pub fn cnonce(&self) -> Option<&'a [u8]> {
        self.fields.value(self.body, Fields::CNONCE)
    }

    /// The server's opaque.
    pub fn opaque(&self) -> Option<&'a [u8]> {
        self.param(b"opaque")
    }

    /// True if the nonce was stale and the password right.
    pub fn stale(&self) -> bool {
        self.param(b"stale").is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
    }

    /// The `token68` of Basic, Bearer and the like: it holds the password, or is one.
    pub fn token(&self) -> Option<Secret<'a>> {
        let mut rest = self.body;
        let first = trim(lex::element(&mut rest, b','));
        let is_token = !first.is_empty() && self.scheme != AuthScheme::Digest && !is_param(first);
        is_token.then(|| Secret::new(first))
    }

    fn at(&self, slot: Option<usize>, name: &[u8]) -> Option<&'a [u8]> {
        match slot {
            Some(slot) => self.fields.value(self.body, slot),
            None => Assignments { rest: self.body }
                .find(|(other, _)| other.eq_ignore_ascii_case(name))
                .map(|(_, value)| value),
        }
    }
}

impl fmt::Debug for Auth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// The challenges of one header value, in order: the order is the server's preference
/// (RFC 8760 §2.3).
#[derive(Clone)]
pub struct AuthList<'a> {
    rest: &'a [u8],
}

impl<'a> AuthList<'a> {
    /// Reads one header value.
    pub const fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }
}

impl<'a> Iterator for AuthList<'a> {
    type Item = Auth<'a>;

    fn next(&mut self) -> Option<Auth<'a>> {
        while !self.rest.is_empty() {
            let Some((scheme_text, body)) = lex::token(trim_start(self.rest)) else {
                // An empty element, or one that starts with no token.
                lex::element(&mut self.rest, b',');
                continue;
            };
            let mut fields = Fields::EMPTY;
            let mut rest = body;
            match fields.note_plain(body, body) {
                Some(after) => rest = after,
                None => fields.note(body, lex::element(&mut rest, b',')),
            }
            // Elements go on belonging to this challenge until one begins with a new scheme.
            loop {
                if let Some(after) = fields.note_plain(body, rest) {
                    rest = after;
                    continue;
                }
                let mut after = rest;
                let piece = lex::element(&mut after, b',');
                if rest.is_empty() {
                    break;
                }
                if lex::assignment(piece).is_none() && begins_challenge(piece) {
                    break;
                }
                fields.note(body, piece);
                rest = after;
            }
            let body = cut(body, body.len().saturating_sub(rest.len())).0;
            self.rest = rest;
            return Some(Auth { scheme: scheme_of(scheme_text), scheme_text, body, fields });
        }
        None
    }
}

/// `name=value` elements of a comma list.
struct Assignments<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Assignments<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        while !self.rest.is_empty() {
            let piece = trim(lex::element(&mut self.rest, b','));
            if let Some(pair) = lex::assignment(piece) {
                return Some(pair);
            }
        }
        None
    }
}

/// A token and a space, and no `=` after it.
fn begins_challenge(piece: &[u8]) -> bool {
    match lex::token(trim_start(piece)) {
        Some((_, rest)) => {
            let word_ends = rest.first().copied().is_none_or(is_lws);
            word_ends && !trim_start(rest).starts_with(b"=")
        }
        None => false,
    }
}

/// `name=value`, and not base64 with its padding.
fn is_param(piece: &[u8]) -> bool {
    lex::assignment(piece).is_some_and(|(_, value)| !matches!(value, [] | [b'=', ..]))
        || tail(piece, 0).ends_with(b"\"")
}

fn scheme_of(text: &[u8]) -> AuthScheme {
    if text == b"Digest" {
        return AuthScheme::Digest;
    }
    [
        (&b"Digest"[..], AuthScheme::Digest),
        (b"Basic", AuthScheme::Basic),
        (b"Bearer", AuthScheme::Bearer),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(text))
    .map_or(AuthScheme::Other, |(_, scheme)| scheme)
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
