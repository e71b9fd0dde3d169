//! URIs (RFC 3261 §19.1, RFC 3966 `tel`, RFC 8141 `urn`): cut into parts, never refused. Nothing is
//! unescaped. The only file that names `rsip`, which serves as a strict second opinion.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::{Params, lex};
use crate::cursor::{cut, find, is_lws, narrow, split_once, tail, trim};
use crate::secret::Secret;

/// The scheme of a URI.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip` (RFC 3261).
    Sip,
    /// `sips` (RFC 3261 §26.2.2).
    Sips,
    /// `tel` (RFC 3966).
    Tel,
    /// `urn` (RFC 8141), as in `urn:service:sos`.
    Urn,
    /// Another scheme, or none.
    Other,
}

/// A URI, cut into parts.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Uri<'a> {
    /// What kind of URI this is.
    pub scheme: Scheme,
    /// The scheme as written; empty if there is none.
    pub scheme_text: &'a [u8],
    /// What follows the scheme's colon.
    pub opaque: &'a [u8],
    /// The user of a `sip` URI (with its own parameters, as in `+1555;npdi@h`), the number of a
    /// `tel` URI.
    pub user: Option<&'a [u8]>,
    /// The password, which nobody should send (RFC 3261 §19.1.1).
    pub password: Option<Secret<'a>>,
    /// Host name or address; an IPv6 one without its brackets. Empty for `tel` and `urn`.
    pub host: &'a [u8],
    /// The port; `None` too when it is no number below 65536.
    pub port: Option<u16>,
    /// `;transport=tcp` and so on.
    pub params: Params<'a>,
    /// What follows `?`; empty if there is nothing.
    pub headers: &'a [u8],
    text: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Cuts `text`, outer white space aside; parts that are missing come out empty.
    pub fn parse(text: &'a [u8]) -> Self {
        let text = trim(text);
        let (scheme_text, opaque) = split_scheme(text);
        let scheme = scheme_of(scheme_text);
        let mut uri = Self {
            scheme,
            scheme_text,
            opaque,
            user: None,
            password: None,
            host: &[],
            port: None,
            params: Params::default(),
            headers: &[],
            text,
        };
        match scheme {
            Scheme::Tel => {
                let (number, params) = cut(opaque, find(b';', opaque).unwrap_or(opaque.len()));
                uri.user = Some(number);
                uri.params = Params::new(params);
            }
            Scheme::Urn => {}
            Scheme::Other if !scheme_text.is_empty() && !is_sip_like(opaque) => {}
            _ => uri.read_sip(),
        }
        uri
    }

    /// The URI as written.
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The host as an address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        std::str::from_utf8(self.host).ok()?.parse().ok()
    }

    /// The headers of the URI, as name and value, still escaped.
    pub fn header_fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let pairs = self.headers.split(|&octet| octet == b'&');
        pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = split_once(pair, b'=');
            (name, value.unwrap_or_default())
        })
    }

    /// The URI as written, but for `:password`: what may be shown.
    pub fn without_password(text: &'a [u8]) -> Cow<'a, [u8]> {
        if !may_have_password(text) {
            return Cow::Borrowed(text);
        }
        let uri = Self::parse(text);
        let (Some(user), Some(password)) = (uri.user, uri.password) else {
            return Cow::Borrowed(text);
        };
        let scheme = uri.text.len().saturating_sub(uri.opaque.len());
        let user = scheme.saturating_add(user.len());
        let end = user.saturating_add(1).saturating_add(password.expose().len());
        let uri = uri.text;
        Cow::Owned([uri.get(..user).unwrap_or_default(), tail(uri, end)].concat())
    }

    /// What `rsip` says: `None` for what it is known not to cover (IPv6 hosts, `tel`, `urn`, other
    /// schemes, transports it has no name for), so that its gaps are not held against a message.
    pub fn second_opinion(&self) -> Option<bool> {
        let covered = matches!(self.scheme, Scheme::Sip | Scheme::Sips)
            && !self.host.contains(&b':')
            && self.params.value(b"transport").is_none_or(is_rsip_transport);
        covered.then(|| {
            let text = std::str::from_utf8(self.text);
            text.is_ok_and(|text| rsip::Uri::try_from(text).is_ok())
        })
    }

    /// True if a strict parser takes this URI: what must be there is there, no octet is out of
    /// place, and `rsip` agrees where it can.
    pub fn is_strict(&self) -> bool {
        let graphic =
            |&octet: &u8| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'>' | b'"');
        let whole = match self.scheme {
            Scheme::Sip | Scheme::Sips => {
                !self.host.is_empty() && !self.user.is_some_and(|user| user.contains(&b'@'))
            }
            _ => !self.scheme_text.is_empty() && !self.opaque.is_empty(),
        };
        whole && self.text.iter().all(graphic) && self.second_opinion().unwrap_or(true)
    }

    /// `[user[:password]@]host[:port][;params][?headers]`.
    fn read_sip(&mut self) {
        let at = user_end(self.opaque);
        let rest = match at {
            Some(at) => {
                let (user, password) = split_once(cut(self.opaque, at).0, b':');
                self.user = Some(user);
                self.password = password.map(Secret::new);
                tail(self.opaque, at.saturating_add(1))
            }
            None => self.opaque,
        };
        let (before, headers) = split_once(rest, b'?');
        self.headers = headers.unwrap_or_default();
        let (host_port, params) = cut(before, find(b';', before).unwrap_or(before.len()));
        self.params = Params::new(params);
        (self.host, self.port) = split_host_port(host_port);
    }
}

impl fmt::Debug for Uri<'_> {
    /// Without the user and the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uri").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// Host without brackets and port of `host [ ":" port ]` with white space anywhere between.
pub(super) fn split_host_port(text: &[u8]) -> (&[u8], Option<u16>) {
    let text = trim(text);
    let (host, port) = match text {
        [b'[', rest @ ..] => {
            let (host, rest) = split_once(rest, b']');
            (host, split_once(rest.unwrap_or_default(), b':').1)
        }
        // More than one colon without brackets: an address, not a port (RFC 5118 §4.3).
        _ => match split_once(text, b':') {
            (host, Some(port)) if !port.contains(&b':') => (host, Some(port)),
            (_, Some(_)) => (text, None),
            (host, None) => (host, None),
        },
    };
    (trim(host), port.and_then(|port| narrow(trim(port))))
}

/// The last `@` before the headers: an e-mail address as user is common, an `@` in a host is not.
fn user_end(opaque: &[u8]) -> Option<usize> {
    let before_headers = cut(opaque, find(b'?', opaque).unwrap_or(opaque.len())).0;
    let last = |octets: &[u8]| octets.iter().rposition(|&octet| octet == b'@');
    last(before_headers).or_else(|| last(opaque))
}

/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`, then a colon (RFC 3986 §3.1).
fn split_scheme(text: &[u8]) -> (&[u8], &[u8]) {
    let legal = |&octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.');
    match split_once(text, b':') {
        (scheme @ [first, ..], Some(opaque))
            if first.is_ascii_alphabetic() && scheme.iter().all(legal) && !is_port(opaque) =>
        {
            (scheme, opaque)
        }
        _ => (&[], text),
    }
}

/// `example.com:5060` has no scheme: what follows the colon is a port.
fn is_port(opaque: &[u8]) -> bool {
    let digits = cut(opaque, find(b';', opaque).unwrap_or(opaque.len())).0;
    (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

fn scheme_of(text: &[u8]) -> Scheme {
    [
        (&b"sip"[..], Scheme::Sip),
        (b"sips", Scheme::Sips),
        (b"tel", Scheme::Tel),
        (b"urn", Scheme::Urn),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(text))
    .map_or(Scheme::Other, |(_, scheme)| scheme)
}

/// Whether an unknown scheme is cut like `sip` is (`im:user@host`, not `http://host/`).
fn is_sip_like(opaque: &[u8]) -> bool {
    !opaque.starts_with(b"/") && opaque.contains(&b'@') && !opaque.iter().copied().any(is_lws)
}

/// `rsip` refuses any other transport.
fn is_rsip_transport(name: &[u8]) -> bool {
    [&b"udp"[..], b"tcp", b"tls", b"sctp", b"ws", b"wss"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
        && name.iter().copied().all(lex::is_token)
}

/// Whether a colon stands where one before a password would: spares most URIs a closer look.
fn may_have_password(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"sip:").or_else(|| text.strip_prefix(b"sips:")) else {
        return true;
    };
    let before = memchr::memrchr(b'@', rest).map_or(&[][..], |at| cut(rest, at).0);
    find(b':', before).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_left_out_and_nothing_else() {
        for (with, without) in [
            ("sip:bob:pw@example.org:5070;a=b?c=d", "sip:bob@example.org:5070;a=b?c=d"),
            ("sips:bob:@x", "sips:bob@x"),
            ("sip:bob:p:w@x", "sip:bob@x"),
            ("sip:bob@x:5060", "sip:bob@x:5060"),
            ("tel:+1:2@3", "tel:+1:2@3"),
            ("sip:bob@x:p@y", "sip:bob@x@y"),
            ("1b:pw@x", "1b@x"),
            ("bob", "bob"),
            ("", ""),
        ] {
            assert_eq!(&*Uri::without_password(with.as_bytes()), without.as_bytes(), "{with}");
        }
    }

    #[test]
    fn a_full_sip_uri_is_cut_into_its_parts() {
        let uri = Uri::parse(b"sips:al:pw@b.example:5061;transport=tcp;lr?Subject=x&To=y");
        assert_eq!(
            (uri.scheme, uri.user, uri.host),
            (Scheme::Sips, Some(&b"al"[..]), &b"b.example"[..])
        );
        assert_eq!(uri.password.map(Secret::expose), Some(&b"pw"[..]));
        assert_eq!((uri.port, uri.params.value(b"transport")), (Some(5061), Some(&b"tcp"[..])));
        assert_eq!(uri.header_fields().count(), 2);
        assert!(!format!("{:?}", uri.password).contains("pw"));
    }

    #[test]
    fn ipv6_hosts_lose_their_brackets_and_nothing_else() {
        let uri = Uri::parse(b"sip:[2001:db8::10]:5070");
        assert_eq!((uri.host, uri.port), (&b"2001:db8::10"[..], Some(5070)));
        assert_eq!(Uri::parse(b"sip:[2001:db8::10:5070]").port, None);
        assert_eq!(Uri::parse(b"sip:2001:db8::10").host, b"2001:db8::10");
        assert!(uri.address().is_some_and(|address| address.is_ipv6()) && uri.is_strict());
    }

    #[test]
    fn users_may_hold_semicolons_and_at_signs() {
        let uri = Uri::parse(b"sip:user;par=u%40example.net@example.com");
        assert_eq!(
            (uri.user, uri.host),
            (Some(&b"user;par=u%40example.net"[..]), &b"example.com"[..])
        );
        let uri = Uri::parse(b"sip:a@b@c");
        assert_eq!((uri.user, uri.host, uri.is_strict()), (Some(&b"a@b"[..]), &b"c"[..], false));
        let uri = Uri::parse(b"sip:a@b?To=c@d");
        assert_eq!((uri.user, uri.host), (Some(&b"a"[..]), &b"b"[..]));
    }

    #[test]
    fn other_schemes_and_no_scheme_are_kept() {
        let tel = Uri::parse(b"tel:+1555;phone-context=x");
        assert_eq!((tel.scheme, tel.user), (Scheme::Tel, Some(&b"+1555"[..])));
        assert_eq!(Uri::parse(b"urn:service:sos").opaque, b"service:sos");
        assert_eq!(Uri::parse(b"nobodyKnowsThisScheme:totallyopaque").scheme, Scheme::Other);
        let bare = Uri::parse(b"example.com:5060;lr");
        assert_eq!(
            (bare.scheme_text, bare.host, bare.port),
            (&b""[..], &b"example.com"[..], Some(5060))
        );
        assert_eq!(Uri::parse(b"").host, b"");
    }

    #[test]
    fn the_second_opinion_is_only_asked_where_it_is_good() {
        assert_eq!(Uri::parse(b"sip:a@b.example").second_opinion(), Some(true));
        assert_eq!(Uri::parse(b"tel:+1555").second_opinion(), None);
        assert_eq!(Uri::parse(b"sip:a@[::1]").second_opinion(), None);
        assert!(Uri::parse(b"sip:a@b.example;transport=foo").is_strict());
        assert!(!Uri::parse(b"sip:a b@c").is_strict());
    }
}
