//! How a SIP message travelled (RFC 3261 §18): what its Via and the report call it, and whether
//! the transport repeats lost messages by itself. Decides nothing else.

use super::addr::Proto;

/// The transport of a SIP message.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams (RFC 3261 §18).
    #[default]
    Udp,
    /// A plain TCP connection.
    Tcp,
    /// An SCTP association (RFC 4168).
    Sctp,
    /// TLS over TCP, readable because a key was given.
    Tls,
    /// TLS over SCTP (RFC 4168 §5), or DTLS over it (RFC 6083), readable because a key was given.
    TlsSctp,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS, readable because a key was given.
    Wss,
}

impl Transport {
    /// Every transport, in the order of [`Transport::bit`].
    pub const ALL: &'static [Self] =
        &[Self::Udp, Self::Tcp, Self::Sctp, Self::Tls, Self::Ws, Self::Wss, Self::TlsSctp];

    /// The name as a Via writes it: `UDP`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Sctp => "SCTP",
            Self::Tls => "TLS",
            Self::TlsSctp => "TLS-SCTP",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// The protocol above IP.
    pub const fn proto(self) -> Proto {
        match self {
            Self::Udp => Proto::UDP,
            Self::Sctp | Self::TlsSctp => Proto::SCTP,
            Self::Tcp | Self::Tls | Self::Ws | Self::Wss => Proto::TCP,
        }
    }

    /// Whether the transport repeats what was lost, so that SIP does not (RFC 3261 §17.1.1.2).
    pub const fn reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// Whether it is one over TLS.
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::TlsSctp | Self::Wss)
    }

    /// One bit of a set of transports.
    pub const fn bit(self) -> u8 {
        match self {
            Self::Udp => 1,
            Self::Tcp => 2,
            Self::Sctp => 4,
            Self::Tls => 8,
            Self::Ws => 16,
            Self::Wss => 32,
            Self::TlsSctp => 64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transport_has_a_bit_and_a_name_of_its_own() {
        let bits = Transport::ALL.iter().fold(0, |all, transport| all | transport.bit());
        assert_eq!(bits, 0b111_1111);
        assert!(Transport::Tcp.reliable() && !Transport::Udp.reliable());
        assert_eq!(Transport::Udp.name(), "UDP");
    }
}
