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
    /// PPP, with or without address and control field.
    pub const PPP: Self = Self(9);
    /// PPP or Cisco HDLC on a serial line.
    pub const PPP_HDLC: Self = Self(50);
    /// `PPPoE` without the Ethernet header.
    pub const PPP_ETHER: Self = Self(51);
    /// ATM with LLC headers (RFC 2684).
    pub const ATM_RFC1483: Self = Self(100);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// 802.11.
    pub const IEEE802_11: Self = Self(105);
    /// Frame relay.
    pub const FRELAY: Self = Self(107);
    /// OpenBSD's `IPsec` device.
    pub const ENC: Self = Self(109);
    /// OpenBSD's packet filter log.
    pub const PFLOG: Self = Self(117);
    /// 802.11 behind a Prism header.
    pub const IEEE802_11_PRISM: Self = Self(119);
    /// IP over fibre channel (RFC 2625).
    pub const IP_OVER_FC: Self = Self(122);
    /// 802.11 behind a radiotap header.
    pub const IEEE802_11_RADIOTAP: Self = Self(127);
    /// IP over `FireWire`, as Apple cooks it.
    pub const APPLE_IP_OVER_IEEE1394: Self = Self(138);
    /// 802.11 behind an AVS header.
    pub const IEEE802_11_AVS: Self = Self(163);
    /// PPP as `pppd` logs it, with a direction for an address.
    pub const PPP_PPPD: Self = Self(166);
    /// Juniper: Ethernet.
    pub const JUNIPER_ETHER: Self = Self(178);
    /// Juniper: PPP.
    pub const JUNIPER_PPP: Self = Self(179);
    /// Juniper: frame relay.
    pub const JUNIPER_FRELAY: Self = Self(180);
    /// Juniper: Cisco HDLC.
    pub const JUNIPER_CHDLC: Self = Self(181);
    /// A per-packet information header and another link type.
    pub const PPI: Self = Self(192);
    /// PPP behind a direction.
    pub const PPP_WITH_DIR: Self = Self(204);
    /// Cisco HDLC behind a direction.
    pub const C_HDLC_WITH_DIR: Self = Self(205);
    /// Frame relay behind a direction.
    pub const FRELAY_WITH_DIR: Self = Self(206);
    /// MPLS.
    pub const MPLS: Self = Self(219);
    /// Solaris' IP devices.
    pub const IPNET: Self = Self(226);
    /// Linux netfilter log.
    pub const NFLOG: Self = Self(239);
    /// Ethernet behind a header of Hilscher's analyser.
    pub const NETANALYZER: Self = Self(240);
    /// Apple's header and another link type.
    pub const PKTAP: Self = Self(258);

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
            Self::PPP => "ppp",
            Self::PPP_HDLC => "ppp_hdlc",
            Self::PPP_ETHER => "ppp_ether",
            Self::ATM_RFC1483 => "atm_rfc1483",
            Self::C_HDLC => "c_hdlc",
            Self::IEEE802_11 => "ieee802_11",
            Self::FRELAY => "frelay",
            Self::ENC => "enc",
            Self::PFLOG => "pflog",
            Self::IEEE802_11_PRISM => "ieee802_11_prism",
            Self::IP_OVER_FC => "ip_over_fc",
            Self::IEEE802_11_RADIOTAP => "ieee802_11_radiotap",
            Self::APPLE_IP_OVER_IEEE1394 => "apple_ip_over_ieee1394",
            Self::IEEE802_11_AVS => "ieee802_11_avs",
            Self::PPP_PPPD => "ppp_pppd",
            Self::JUNIPER_ETHER => "juniper_ether",
            Self::JUNIPER_PPP => "juniper_ppp",
            Self::JUNIPER_FRELAY => "juniper_frelay",
            Self::JUNIPER_CHDLC => "juniper_chdlc",
            Self::PPI => "ppi",
            Self::PPP_WITH_DIR => "ppp_with_dir",
            Self::C_HDLC_WITH_DIR => "c_hdlc_with_dir",
            Self::FRELAY_WITH_DIR => "frelay_with_dir",
            Self::MPLS => "mpls",
            Self::IPNET => "ipnet",
            Self::NFLOG => "nflog",
            Self::NETANALYZER => "netanalyzer",
            Self::PKTAP => "pktap",
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
