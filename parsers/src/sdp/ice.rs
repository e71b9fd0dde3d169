//! ICE in SDP (RFC 8839 §5; trickling, RFC 8840): the candidates, where else the media may go, and what
//! the agents say of themselves. Host names (`x.local`) are kept as text. No connectivity is judged.

use std::net::IpAddr;

use super::{Media, ip};
use crate::cursor::{is_lws, narrow, word};
use crate::secret::Secret;

/// `candidate:foundation component transport priority address port typ kind ...`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Equal for candidates of one kind, base and server.
    pub foundation: &'a [u8],
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// `UDP` or `TCP`, as written.
    pub transport: &'a [u8],
    /// The address or a name.
    pub address: &'a [u8],
    /// The port.
    pub port: u16,
    /// `host`, `srflx`, `prflx` or `relay`; empty if it is not said.
    pub kind: &'a [u8],
    /// What follows the port: type, related address and extensions, as written.
    rest: &'a [u8],
    priority: &'a [u8],
}

/// Who opens the connection to a TCP candidate (RFC 6544 §4.5).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum IceTcp {
    /// This side.
    Active,
    /// The other side.
    Passive,
    /// Both at once.
    SimultaneousOpen,
}

impl<'a> Candidate<'a> {
    /// Reads what follows `candidate:`; `None` without a component, address and port.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (foundation, rest) = word(value);
        let (component, rest) = word(rest);
        let (transport, rest) = word(rest);
        let (priority, rest) = word(rest);
        let (address, rest) = word(rest);
        let (port, rest) = word(rest);
        let (typ, after) = word(rest);
        let kind = if typ.eq_ignore_ascii_case(b"typ") { word(after).0 } else { &[] };
        let (component, port) = (narrow(component)?, narrow(port)?);
        Some(Self { foundation, component, transport, address, port, kind, rest, priority })
    }

    /// The address, if it is one and no name.
    pub fn ip(&self) -> Option<IpAddr> {
        ip(self.address)
    }

    /// The priority, 1 to 2^31 - 1; larger is better.
    pub fn priority(&self) -> Option<u32> {
        narrow(self.priority).filter(|priority| (1..=0x7fff_ffff).contains(priority))
    }

    /// The address that a reflexive or relayed candidate stands on: behind a NAT, or its outside.
    pub fn related(&self) -> Option<(&'a [u8], u16)> {
        Some((self.extension(b"raddr")?, narrow(self.extension(b"rport")?)?))
    }

    /// Who connects, of a TCP candidate.
    pub fn tcp_type(&self) -> Option<IceTcp> {
        let value = self.extension(b"tcptype")?;
        let named = [
            (&b"active"[..], IceTcp::Active),
            (b"passive", IceTcp::Passive),
            (b"so", IceTcp::SimultaneousOpen),
        ];
        named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(value)).map(|(_, kind)| kind)
    }

    /// True if a name stands for the address, as browsers hide theirs (`x.local`).
    pub fn is_name(&self) -> bool {
        !self.address.is_empty() && self.ip().is_none()
    }

    /// A value by its name among the pairs that follow the port.
    pub fn extension(&self, name: &[u8]) -> Option<&'a [u8]> {
        let mut rest = self.rest;
        while !rest.is_empty() {
            let (other, after) = word(rest);
            let (value, next) = word(after);
            if other.eq_ignore_ascii_case(name) {
                return (!value.is_empty()).then_some(value);
            }
            rest = next;
        }
        None
    }

    /// True if it is for datagrams.
    pub fn is_udp(&self) -> bool {
        self.transport.eq_ignore_ascii_case(b"udp")
    }
}

impl<'a> Media<'a> {
    /// The words of `a=ice-options`: `trickle`, `ice2`, `rtp+ecn`.
    pub fn ice_options(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let words = self.attribute(b"ice-options").unwrap_or_default();
        words.split(|&octet| is_lws(octet)).filter(|word| !word.is_empty())
    }

    /// True if the agent only answers checks (RFC 8839 §5.3).
    pub fn is_ice_lite(&self) -> bool {
        self.attribute(b"ice-lite").is_some()
    }

    /// True if the writer could not use ICE (RFC 8839 §5.3).
    pub fn is_ice_mismatch(&self) -> bool {
        self.attribute(b"ice-mismatch").is_some()
    }

    /// True if no candidates will follow (RFC 8840 §8.2).
    pub fn ends_candidates(&self) -> bool {
        self.attribute(b"end-of-candidates").is_some()
    }

    /// `a=remote-candidates` (RFC 8839 §5.2): component, address and port of the chosen ones.
    pub fn remote_candidates(&self) -> impl Iterator<Item = (u16, &'a [u8], u16)> + use<'a> {
        let mut rest = self.attribute(b"remote-candidates").unwrap_or_default();
        std::iter::from_fn(move || {
            let (component, after) = word(rest);
            let (address, after) = word(after);
            let (port, after) = word(after);
            rest = after;
            Some((narrow(component)?, address, narrow(port)?))
        })
    }
}

/// True if a user name fragment is 4 to 256 `ice-char` (RFC 8839 §5.4).
pub fn is_ice_ufrag(text: &[u8]) -> bool {
    (4..=256).contains(&text.len()) && text.iter().copied().all(is_ice_char)
}

/// True if a password is 22 to 256 `ice-char`: 128 bits and more (RFC 8839 §5.4).
pub fn is_ice_pwd(secret: Secret<'_>) -> bool {
    let text = secret.expose();
    (22..=256).contains(&text.len()) && text.iter().copied().all(is_ice_char)
}

const fn is_ice_char(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn priority_related_address_and_tcp_type_are_read() {
        let read = |text| Candidate::parse(text).unwrap();
        let relayed = read(b"2 1 UDP 16777215 198.51.100.7 40000 typ relay raddr 192.0.2.1 rport 5000 generation 0");
        assert_eq!(
            (relayed.priority(), relayed.related()),
            (Some(16_777_215), Some((&b"192.0.2.1"[..], 5000)))
        );
        assert_eq!(relayed.extension(b"generation"), Some(&b"0"[..]));
        let tcp = read(b"3 1 TCP 2105458943 a-b.local 9 typ host tcptype active");
        assert_eq!(
            (tcp.tcp_type(), tcp.is_name(), tcp.related()),
            (Some(IceTcp::Active), true, None)
        );
        assert_eq!(read(b"1 1 UDP 4294967295 192.0.2.1 5 typ").priority(), None);
    }

    #[test]
    fn an_agent_says_what_it_can_and_whether_more_will_come() {
        let text = b"v=0\r\na=ice-lite\r\na=ice-options:trickle  ice2\r\nm=audio 9 RTP/AVP 0\r\n\
            a=end-of-candidates\r\na=remote-candidates:1 192.0.2.3 45664 2 192.0.2.3 45665 x\r\n";
        let media = parse(text).media().next().unwrap();
        assert_eq!(media.ice_options().collect::<Vec<_>>(), [&b"trickle"[..], b"ice2"]);
        assert!(media.is_ice_lite() && media.ends_candidates() && !media.is_ice_mismatch());
        let remote: Vec<_> = media.remote_candidates().map(|(c, _, port)| (c, port)).collect();
        assert_eq!(remote, [(1, 45_664), (2, 45_665)]);
    }

    #[test]
    fn fragments_and_passwords_have_a_least_length() {
        assert!(is_ice_ufrag(b"F7gI") && !is_ice_ufrag(b"F7g") && !is_ice_ufrag(b"F7g-"));
        assert!(is_ice_pwd(Secret::new(&[b'x'; 22])) && !is_ice_pwd(Secret::new(&[b'x'; 21])));
        assert!(!is_ice_pwd(Secret::new(&[b'x'; 257])));
    }

    #[test]
    fn address_port_and_kind_are_read() {
        let read =
            Candidate::parse(b"1 2 udp 1694498815 2001:db8::1 45664 typ srflx raddr x rport 1");
        let candidate = read.unwrap();
        assert_eq!((candidate.component, candidate.port), (2, 45664));
        assert!(candidate.is_udp() && candidate.ip().is_some());
        assert_eq!(candidate.kind, b"srflx");
        assert_eq!(Candidate::parse(b"1 1 UDP 1 192.0.2.1"), None);
    }
}
