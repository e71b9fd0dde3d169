//! How a message travelled.

/// A transport protocol as Via names it (RFC 3261 §20.42).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP.
    #[default]
    Udp,
    /// TCP.
    Tcp,
}

impl Transport {
    /// The name used in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }

    /// Whether it repeats what is lost, so that SIP does not.
    pub const fn reliable(self) -> bool {
        matches!(self, Self::Tcp)
    }
}
