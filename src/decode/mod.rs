//! L2: one captured frame to one transport packet, one IP fragment, or a named reason to skip it.
//!
//! ```text
//! frame ── link ──> network header ── extension headers ──> UDP or TCP ──> Packet
//!            ^           └── fragment ──> reassemble::ip ──> transport() ──┘
//!            └────── tunnel ──────────────────┘
//! ```
//!
//! [`decode`] tries [`fast`] (Ethernet, at most one tag, plain IPv4, UDP or TCP: most of what a tap for
//! voice sees) and falls back to the walk of [`layer`], one header after the other, tunnels included;
//! `tests/decode_oracle.rs` holds the two to the same answer. What is in the frame is reported as offsets into it, so nothing is copied.
//!
//! **Length rules.** Headers say how long a packet was on the wire; the capture says how much of
//! it is present. What is present is kept, [`Packet::clipped`] says that octets are missing:
//!
//! | the header says | taken as |
//! | --- | --- |
//! | IPv4 total length 0, IPv6 payload length 0 (segmentation offload, RFC 2675 jumbograms) | the frame's length |
//! | IPv4 total length 1 to its header length - 1 | `malformed-network` |
//! | less than the frame has | the rest is link padding, dropped |
//! | more than the frame has | clipped |
//! | UDP length 0 | the IP length |
//! | UDP length 1 to 7 | `malformed-transport` |
//! | UDP length below the IP payload's | honoured |
//! | UDP length above the IP payload's | clipped to what is there |
//! | TCP data offset below 5 or beyond the IP payload on the wire | `malformed-transport` |
//! | TCP options cut by the snap length | kept: ports and sequence number are there, payload is not |
//!
//! A frame cut inside the UDP header or the first 20 octets of the TCP header is
//! `malformed-transport`, whoever cut it: without ports there is no flow to book it under.
//!
//! Not here: checksums (offload leaves them wrong in captures taken on
//! the host that sends), joining fragments ([`crate::reassemble::ip`]).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod datagram;
mod esp;
mod ether;
pub mod fast;
mod general;
mod gre;
pub mod hep;
mod layer;
mod link;
mod ppp;
mod rest;
mod tunnels;
mod wlan;

use layer::{Next, Step};
use rest::Rest;
pub use tunnels::{Kind, Path, Tunnels};

use crate::model::addr::{Addr, Endpoint, Proto};
use crate::model::frame::LinkType;

/// Sequence numbers and control bits of a TCP header, RFC 9293 §3.1; all zero for UDP.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// Sequence number of the first payload octet (of the SYN itself, if set).
    pub seq: u32,
    /// Acknowledgment number; meaningful with [`Tcp::ACK`].
    pub ack: u32,
    /// Control bits CWR, ECE, URG, ACK, PSH, RST, SYN, FIN from the highest to the lowest.
    pub flags: u8,
}

impl Tcp {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronize sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// The acknowledgment number counts.
    pub const ACK: u8 = 0x10;
}

/// What the headers below the transport say of a packet, apart from its length.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Source address.
    pub src: Addr,
    /// Destination address.
    pub dst: Addr,
    /// What follows the last header read: a protocol or an extension header.
    pub proto: Proto,
    /// IPv4 identification; 0 for IPv6.
    pub ip_id: u16,
    /// Whether there is an IPv4 identification at all.
    pub has_ip_id: bool,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Differentiated services code point, 0 to 63, RFC 2474 §3.
    pub dscp: u8,
    /// The links and tunnels that it was found behind.
    pub path: Path,
}

/// How a packet came out of fragments.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Frames that the datagram was joined from.
    pub frames: u32,
    /// Fragments overlapped with different octets; the first ones seen were kept.
    pub overlap: bool,
    /// The datagram was a tunnel, and the packet came whole inside it.
    pub tunnel: bool,
}

/// A UDP datagram, TCP segment or SCTP packet and where it lies in the octets it was decoded from.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// [`Proto::UDP`], [`Proto::TCP`] or [`Proto::SCTP`].
    pub proto: Proto,
    /// Offset of the transport header.
    pub l4_at: u32,
    /// Octets present of transport header and payload.
    pub l4_len: u32,
    /// Offset of the payload.
    pub payload_at: u32,
    /// Octets present of the payload.
    pub payload_len: u32,
    /// Octets of payload on the wire, by the headers; at least `payload_len`.
    pub wire_payload_len: u32,
    /// IPv4 identification; 0 for IPv6.
    pub ip_id: u16,
    /// Whether there is an IPv4 identification at all.
    pub has_ip_id: bool,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Differentiated services code point, 0 to 63, RFC 2474 §3.
    pub dscp: u8,
    /// `payload_len < wire_payload_len`: the capture, or a lying header, left octets out.
    pub clipped: bool,
    /// Hash of the MAC pair and VLAN identifiers, or of the cooked header, and of tunnels: differs
    /// between two sightings of one packet on different links, or inside a tunnel and outside. 0
    /// where the link has no header.
    pub link_hash: u32,
    /// The tunnels that it was found in.
    pub tunnels: Tunnels,
    /// TCP's own fields; zero for UDP.
    pub tcp: Tcp,
    /// Set when the packet was joined from IP fragments.
    pub fragment: Option<Joined>,
}

impl Packet {
    /// The transport header and payload present in the octets the packet was decoded from.
    pub fn l4<'a>(&self, octets: &'a [u8]) -> &'a [u8] {
        range(octets, self.l4_at, self.l4_len)
    }

    /// The payload present in the octets the packet was decoded from.
    pub fn payload<'a>(&self, octets: &'a [u8]) -> &'a [u8] {
        range(octets, self.payload_at, self.payload_len)
    }
}

/// What fragments of one datagram have in common.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FragmentKey {
    /// Source address.
    pub src: Addr,
    /// Destination address.
    pub dst: Addr,
    /// IPv4: the protocol (RFC 791 §2.3). IPv6: 44, because only the first fragment's next header
    /// counts (RFC 8200 §4.5).
    pub proto: Proto,
    /// Identification: 16 bits for IPv4, 32 for IPv6.
    pub ident: u32,
    /// [`Path::ends`]: the same addresses in two tunnels are different hosts.
    pub tunnel: u32,
}

/// One IP fragment and where its data lies in the frame.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The datagram it belongs to.
    pub key: FragmentKey,
    /// Where its data goes in the datagram, in octets, a multiple of 8 up to 65,528.
    pub offset: u32,
    /// It is not the last one.
    pub more: bool,
    /// Offset of its data in the frame.
    pub at: u32,
    /// Octets of its data present in the frame.
    pub len: u32,
    /// Octets of its data on the wire; at least `len`.
    pub wire_len: u32,
    /// Frames that it came in: more than one if a joined datagram was its tunnel.
    pub frames: u32,
    /// The rest of its headers; `proto` is what the data of the first fragment begins with.
    pub network: Network,
}

impl Fragment {
    /// The fragment's data in the frame it was decoded from.
    pub fn data<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        range(frame, self.at, self.len)
    }
}

/// Why a frame carries nothing to look at.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// ARP, LLDP, spanning tree, ...: an ethertype or family other than IP.
    NotIp,
    /// A link type that is not read, or none at all.
    UnsupportedLink,
    /// The link header is cut, or has more than four VLAN tags.
    MalformedLink,
    /// The IP header or an extension header is cut or contradicts itself.
    MalformedNetwork,
    /// The UDP or TCP header is cut or contradicts itself.
    MalformedTransport,
    /// ICMP, IGMP, SCTP, ...: IP, but neither UDP nor TCP.
    NotVoip,
    /// The header of a tunnel is cut or contradicts itself.
    MalformedTunnel,
    /// More tunnels inside each other than [`crate::policy::limits::TUNNEL_DEPTH`].
    TunnelDepth,
    /// 802.11, PPP, `MACsec` or ESP that hides what it carries.
    Encrypted,
    /// A part of a frame that the link layer had divided.
    FragmentIncomplete,
}

impl Skip {
    /// The reason as the report's accounting names it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotIp => "not-ip",
            Self::UnsupportedLink => "unsupported-link",
            Self::MalformedLink => "malformed-link",
            Self::MalformedNetwork => "malformed-network",
            Self::MalformedTransport => "malformed-transport",
            Self::NotVoip => "not-voip",
            Self::MalformedTunnel => "malformed-tunnel",
            Self::TunnelDepth => "tunnel-depth",
            Self::Encrypted => "encrypted",
            Self::FragmentIncomplete => "fragment-incomplete",
        }
    }

    /// Whether a header did not hold together, rather than announce something of no interest.
    pub const fn is_malformed(self) -> bool {
        matches!(
            self,
            Self::MalformedLink
                | Self::MalformedNetwork
                | Self::MalformedTransport
                | Self::MalformedTunnel
        )
    }
}

/// What one frame turned out to be.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A whole UDP datagram or TCP segment.
    Packet(Packet),
    /// A part of one.
    Fragment(Fragment),
    /// Neither.
    Skipped(Skip),
}

/// Reads one frame.
///
/// `original_len` is the frame's length on the wire; it matters only where an IP header says 0.
#[inline]
pub fn decode(link: Option<LinkType>, captured: &[u8], original_len: u32) -> Decoded {
    match common(link, captured).or_else(|| common_segment(link, captured)) {
        Some(packet) => Decoded::Packet(packet),
        None => decode_general(link, captured, original_len),
    }
}

/// The datagram of a frame of the common shape; `None` says nothing.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a packet that is handed back is copied")]
pub fn common(link: Option<LinkType>, captured: &[u8]) -> Option<Packet> {
    if link == Some(LinkType::ETHERNET) { fast::datagram(captured) } else { None }
}

/// The segment of a frame of the common shape; `None` says nothing.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a packet that is handed back is copied")]
pub fn common_segment(link: Option<LinkType>, captured: &[u8]) -> Option<Packet> {
    if link == Some(LinkType::ETHERNET) { fast::segment(captured) } else { None }
}

/// [`decode`] without the fast path.
pub fn decode_general(link: Option<LinkType>, captured: &[u8], original_len: u32) -> Decoded {
    let rest = Rest::new(captured, original_len);
    let first = link.map(|link| Step::Next(Next::Link(link), rest));
    layer::walk(first.ok_or(Skip::UnsupportedLink), &mut Path::default())
}

/// Reads the transport header, and extension headers before it, of a joined IP datagram.
///
/// `octets` are the data present from the datagram's beginning, `wire_len` its whole length;
/// offsets in the packet count from the beginning of `octets`.
pub fn transport(network: &Network, joined: Joined, octets: &[u8], wire_len: u32) -> Decoded {
    match general::joined(network, octets, wire_len) {
        Decoded::Packet(packet) => {
            let tunnel = packet.tunnels != network.path.tunnels();
            Decoded::Packet(Packet { fragment: Some(Joined { tunnel, ..joined }), ..packet })
        }
        other => other,
    }
}

/// `octets[at..at + len]`, or as much of it as there is.
fn range(octets: &[u8], at: u32, len: u32) -> &[u8] {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let rest = octets.get(at..).unwrap_or_default();
    rest.get(..len).unwrap_or(rest)
}

/// A length as the packet keeps it. Frames are below 4 GiB: their sources count in 32 bits.
fn octets32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
