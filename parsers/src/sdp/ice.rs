//! ICE candidates in SDP (RFC 8839 §5.1): where else the media may go. TCP candidates and host names
//! (`x.local`) are kept as text.

use std::net::IpAddr;

use super::ip;
use crate::cursor::{narrow, word};

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
}

impl<'a> Candidate<'a> {
    /// Reads what follows `candidate:`; `None` without a component, address and port.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (foundation, rest) = word(value);
        let (component, rest) = word(rest);
        let (transport, rest) = word(rest);
        let (_, rest) = word(rest);
        let (address, rest) = word(rest);
        let (port, rest) = word(rest);
        let (typ, rest) = word(rest);
        let kind = if typ.eq_ignore_ascii_case(b"typ") { word(rest).0 } else { &[] };
        let (component, port) = (narrow(component)?, narrow(port)?);
        Some(Self { foundation, component, transport, address, port, kind })
    }

    /// The address, if it is one and no name.
    pub fn ip(&self) -> Option<IpAddr> {
        ip(self.address)
    }

    /// True if it is for datagrams.
    pub fn is_udp(&self) -> bool {
        self.transport.eq_ignore_ascii_case(b"udp")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
