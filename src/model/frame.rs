//! What a source delivers: captured octets with the time, the link type and the number under
//! which Wireshark shows them.

use serde::Serialize;

use super::packed::packed;
use super::time::Ts;

/// Where a frame stands in the evidence: its source and its number there.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FrameId {
    /// Index into the report's `capture.sources`.
    pub source: u16,
    /// 1-based number within that source: Wireshark's `frame.number`.
    pub number: u64,
}

packed! { FrameId { source number } }

/// A link-layer header type, as <https://www.tcpdump.org/linktypes.html> numbers them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a protocol family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// IPv4 or IPv6 without a link header; the value that some BSDs wrote into files.
    pub const RAW_BSD: Self = Self(12);
    /// The same, as OpenBSD wrote it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// IPv4 or IPv6 without a link header.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: a protocol family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// IPv4 without a link header.
    pub const IPV4: Self = Self(228);
    /// IPv6 without a link header.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// The name tcpdump gives it, lower case without the prefix, or `None` for the rest.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NULL => "null",
            Self::ETHERNET => "ethernet",
            Self::RAW_BSD | Self::RAW_OPENBSD | Self::RAW => "raw",
            Self::LOOP => "loop",
            Self::LINUX_SLL => "linux_sll",
            Self::IPV4 => "ipv4",
            Self::IPV6 => "ipv6",
            Self::LINUX_SLL2 => "linux_sll2",
            _ => return None,
        })
    }
}

/// One record of a source: where its octets lie and what the source says of them.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// 1-based number within the source.
    pub number: u64,
    /// Capture time; `None` where the format has none (pcapng simple packet blocks).
    pub ts: Option<Ts>,
    /// Offset of the first captured octet in the chunk's backing.
    pub offset: usize,
    /// Captured octets.
    pub captured: u32,
    /// Octets on the wire; at least `captured` in an honest file.
    pub original: u32,
    /// The link type of the interface; `None` when the interface was never described.
    pub link: Option<LinkType>,
    /// Number of the interface within its section, as the file gives it. Sections follow each other
    /// in time, so equal numbers of two sections do not tell two sightings apart.
    pub interface: u32,
    /// The record contradicts itself (a captured length beyond its block): `captured` is 0.
    pub damaged: bool,
}
