//! Via (RFC 3261 §20.42, rport of RFC 3581): each hop's transport, address and branch, alone or in a
//! comma list, with white space around the slashes. An element that is no Via is skipped.

use std::net::IpAddr;

use super::uri::split_host_port;
use super::{Params, lex};
use crate::cursor::{cut, find, find_delimiter, is_lws, leading_number, narrow, slice, tail, trim};

/// One Via value.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `SIP`.
    pub protocol: &'a [u8],
    /// `2.0`.
    pub version: &'a [u8],
    /// `UDP`, `TCP`, `TLS`, `WS` or any other token, as written.
    pub transport: &'a [u8],
    /// Host of the sent-by; an IPv6 one without its brackets.
    pub host: &'a [u8],
    /// Port of the sent-by.
    pub port: Option<u16>,
    /// branch, received, rport and others.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one value; `None` without `protocol/version/transport`.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let ([protocol, version, transport], rest) = lex::sent_protocol(value)?;
        let (sent_by, params) = cut(rest, lex::until(rest, b';'));
        let (host, port) = split_host_port(sent_by);
        Some(Self { protocol, version, transport, host, port, params: Params::new(params) })
    }

    /// The transaction's name (RFC 3261 §8.1.1.7); `None` from an RFC 2543 client.
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.value(b"branch")
    }

    /// The address that the next hop saw, if it wrote one; brackets are tolerated (RFC 5118 §4.5).
    pub fn received(&self) -> Option<&'a [u8]> {
        self.params.value(b"received").map(|value| match value {
            [b'[', inner @ .., b']'] => inner,
            _ => value,
        })
    }

    /// [`Via::received`] as an address.
    pub fn received_address(&self) -> Option<IpAddr> {
        std::str::from_utf8(self.received()?).ok()?.parse().ok()
    }

    /// RFC 3581: `None` if not asked for, `Some(None)` asked, `Some(Some(port))` answered.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get(b"rport").map(|param| param.value.and_then(|port| narrow(trim(port))))
    }
}

/// What of a Via names a transaction (RFC 3261 §17.2.3).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Hop<'a> {
    /// Host of the sent-by; an IPv6 one without its brackets.
    pub host: &'a [u8],
    /// Port of the sent-by.
    pub port: Option<u16>,
    /// The branch; empty from an RFC 2543 client.
    pub branch: &'a [u8],
}

impl<'a> Hop<'a> {
    /// Reads what [`Via::parse`] and [`Via::branch`] say of one value.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        Self::plain(value).or_else(|| {
            let via = Via::parse(value)?;
            Some(Self { host: via.host, port: via.port, branch: via.branch().unwrap_or_default() })
        })
    }

    /// A value without white space, quotes, brackets or capitals where nearly nobody writes them, and
    /// with a branch by RFC 3261: one look at each octet up to its end. `None` says nothing.
    #[inline]
    fn plain(value: &'a [u8]) -> Option<Self> {
        let (transport, sent_by) = value.strip_prefix(b"SIP/2.0/")?.split_first_chunk::<4>()?;
        if !matches!(transport, b"UDP " | b"TCP " | b"TLS ") {
            return None;
        }
        let (host, rest) = cut(sent_by, find_delimiter(sent_by)?);
        let (port, mut rest) = match rest {
            [b':', digits @ ..] => {
                let (port, rest) = leading_number(digits)?;
                (Some(u16::try_from(port).ok()?), rest)
            }
            rest => (None, rest),
        };
        loop {
            let [b';', param @ ..] = rest else { return None };
            if let Some((b"branch=z", after)) = param.split_first_chunk::<8>() {
                let end = find_delimiter(after).unwrap_or(after.len());
                let branch = slice(param, 7, end.saturating_add(8));
                let ended = matches!(tail(after, end), [] | [b';', ..]);
                return ended.then_some(Self { host, port, branch });
            }
            // It may be a branch in other letters, or nothing.
            if let [b'b' | b'B' | b';', ..] = param {
                return None;
            }
            rest = tail(param, find_delimiter(param)?);
        }
    }
}

/// The branch of a value that can be read in one way: as [`Hop`] has it in the common case, with one
/// branch, no empty parameter, and no second value behind a comma.
pub(super) fn plain_branch(value: &[u8]) -> Option<&[u8]> {
    let branch = Hop::plain(value)?.branch;
    let end = branch.as_ptr_range().end.addr().wrapping_sub(value.as_ptr().addr());
    let mut rest = tail(value, end);
    while let [b';', param @ ..] = rest {
        if matches!(param, [] | [b';' | b'b' | b'B', ..]) {
            return None;
        }
        rest = tail(param, find(b';', param).unwrap_or(param.len()));
    }
    find(b',', value).is_none().then_some(branch)
}

/// The Via values of a comma list, in order.
#[derive(Clone, Debug)]
pub struct ViaList<'a> {
    rest: &'a [u8],
}

impl<'a> ViaList<'a> {
    /// Reads one header value.
    pub const fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    /// True if every element is a Via by RFC 3261 §25.1.
    pub fn is_well_formed(value: &[u8]) -> bool {
        let mut rest = value;
        loop {
            let last = lex::until(rest, b',') >= rest.len();
            let well = Via::parse(lex::element(&mut rest, b',')).is_some_and(|via| {
                !via.host.is_empty()
                    && !via.host.iter().copied().any(is_lws)
                    && via.params.is_well_formed()
            });
            if !well || last {
                return well;
            }
        }
    }
}

impl<'a> Iterator for ViaList<'a> {
    type Item = Via<'a>;

    fn next(&mut self) -> Option<Via<'a>> {
        while !self.rest.is_empty() {
            // The first value is nearly always the only one: no comma, no quote to mind.
            if let Some(via) = Via::parse(lex::element(&mut self.rest, b',')) {
                return Some(via);
            }
        }
        None
    }
}

/// The branch of a value without its magic cookie (RFC 3261 §8.1.1.7), for an RFC 3261 client.
pub fn after_cookie(branch: &[u8]) -> Option<&[u8]> {
    branch.starts_with(b"z9hG4bK").then(|| tail(branch, 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_value_is_cut_into_its_parts() {
        let via =
            Via::parse(b"SIP/2.0/UDP [2001:db8::9]:5070;rport=5061;received=[::1];branch=z9hG4bKx")
                .unwrap();
        assert_eq!(
            (via.transport, via.host, via.port),
            (&b"UDP"[..], &b"2001:db8::9"[..], Some(5070))
        );
        assert_eq!((via.branch(), via.rport()), (Some(&b"z9hG4bKx"[..]), Some(Some(5061))));
        assert!(via.received_address().is_some());
        assert_eq!(via.branch().and_then(after_cookie), Some(&b"x"[..]));
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "mostly the forms that are combined")]
    fn the_short_way_to_a_hop_and_the_long_one_agree() {
        let mut short = 0;
        let rests = [
            ";branch=z9hG4bK1",
            ";branch=z9hG4bK-524287-1---a.b~c_d%20!;rport=5060;received=192.0.2.1",
            ";rport;received=192.0.2.1;alias;branch=z9hG4bKnashds8;x=y",
            ";Branch=z9hG4bK1;branch=z9hG4bK2",
            ";b=1;branch=z9hG4bK2",
            ";x=\";branch=z9\";branch=z9hG4bK2",
            ";branch=\"z9hG4bK2\"",
            ";branch=z9hG4bK2 ;x",
            ";branch=z9hG4bK2\\;x",
            ";branch= z9hG4bK2",
            ";branch =z9hG4bK2",
            ";branch=z9h,SIP/2.0/UDP b;branch=z",
            ";branch=z9h=,=;ttl=1",
            ";branch=z9h:1<2>;ttl=1",
            ";;branch=z9hG4bK2;",
            ";branch=z",
            ";branch=1",
            ";branch",
            ";received=2001:db8::1;branch=z9hG4bK2",
            ";received=[2001:db8::1];branch=z9hG4bK2",
            "",
        ];
        for start in
            ["SIP/2.0/UDP ", "SIP/2.0/TLS ", "SIP/2.0/WSS ", "SIP / 2.0/UDP ", "SIP/2.0/UDP"]
        {
            for sent_by in [
                "192.0.2.1:5060",
                "a.example",
                "a-b_c:5",
                "a:65535",
                "a:000005060",
                "a:",
                "a:0",
                "a:65536",
                "a:506x",
                "a:1:2",
                "",
                ":5060",
                " a",
                "a ",
                "a :5060",
                "a: 5060",
                "[::1]:5060",
                "::1",
                "a\"b",
                "\u{e9}:1",
            ] {
                for rest in rests {
                    let value = [start, sent_by, rest].concat();
                    let plain = Hop::plain(value.as_bytes());
                    let via = Via::parse(value.as_bytes());
                    let long = via.map(|via| {
                        let branch = via.branch().unwrap_or_default();
                        Hop { host: via.host, port: via.port, branch }
                    });
                    assert!(plain.is_none() || plain == long, "{value}: {plain:?} {long:?}");
                    assert_eq!(Hop::parse(value.as_bytes()), long);
                    short += usize::from(plain.is_some());
                }
            }
        }
        assert!(short > 40, "{short}");
    }

    #[test]
    fn slashes_may_stand_in_white_space() {
        let list = b"SIP  / 2.0\r\n / TCP  a.example : 5062 ;\r\n branch = b1, SIP/2.0/UDP c;rport";
        let vias: Vec<_> = ViaList::new(list).collect();
        assert_eq!((vias.len(), vias[0].transport, vias[0].port), (2, &b"TCP"[..], Some(5062)));
        assert_eq!((vias[0].host, vias[0].branch()), (&b"a.example"[..], Some(&b"b1"[..])));
        assert_eq!((vias[1].rport(), vias[1].branch()), (Some(None), None));
        assert!(ViaList::is_well_formed(list));
    }

    #[test]
    fn extra_separators_are_skipped_and_noticed() {
        let list = b"SIP/2.0/UDP 192.0.2.15;;,;,,";
        assert_eq!(ViaList::new(list).count(), 1);
        assert!(!ViaList::is_well_formed(list));
        assert_eq!(Via::parse(b"SIP/2.0/"), None);
    }
}
