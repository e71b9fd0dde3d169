//! The common case in one pass: Ethernet with at most one 802.1Q tag, IPv4 without options and not
//! a fragment, UDP that is no tunnel or TCP, all of it present.
//!
//! Says `None` for everything else and decides nothing that [`super::general`] would decide
//! otherwise (`tests/decode_oracle.rs`). Most packets on a tap for voice end here: RTP, and SIP.

use super::{Packet, Tcp, Tunnels, datagram, tunnels};
use crate::model::addr::{Addr, Endpoint, Proto};

/// Octets of an IPv4 header without options.
const IPV4: usize = 20;
/// With a UDP header behind it.
const UDP: usize = IPV4 + 8;
/// With a TCP header without options behind it.
const TCP: usize = IPV4 + 20;

/// What stands before an IPv4 packet in its frame.
struct Link<'a> {
    /// Where the packet begins.
    at: u32,
    macs: &'a [u8; 12],
    tag: Option<u16>,
}

/// What an IPv4 header says.
struct Header<'a> {
    total: u16,
    id: u16,
    ttl: u8,
    tos: u8,
    proto: Proto,
    src: &'a [u8; 4],
    dst: &'a [u8; 4],
}

/// Reads an Ethernet frame, if it is a datagram of the common shape.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a packet that is handed back is copied")]
pub fn datagram(frame: &[u8]) -> Option<Packet> {
    let (rest, link) = ethernet(frame)?;
    let (headers, payload_octets) = rest.split_first_chunk::<UDP>()?;
    let (header, l4) = headers.split_first_chunk::<IPV4>()?;
    let ip = ipv4(header, rest.len(), Proto::UDP)?;
    let (&[s0, s1, d0, d1, high, low, _, _], _) = l4.split_first_chunk::<8>()?;
    let len = u16::from_be_bytes([high, low]);
    let payload = u32::from(len.checked_sub(8)?);
    if len > ip.total.checked_sub(20)? {
        return None;
    }
    let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    if payload_octets.first().is_some_and(|first| datagram::conceivable(*first))
        && tunnel(ports, payload_octets, payload)
    {
        return None;
    }
    Some(packet(&ip, &link, ports, (u32::from(len), 8), Tcp::default()))
}

/// Reads an Ethernet frame, if it is a segment of the common shape.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a packet that is handed back is copied")]
pub fn segment(frame: &[u8]) -> Option<Packet> {
    let (rest, link) = ethernet(frame)?;
    let (headers, _) = rest.split_first_chunk::<TCP>()?;
    let (header, l4) = headers.split_first_chunk::<IPV4>()?;
    let ip = ipv4(header, rest.len(), Proto::TCP)?;
    let &[s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, ..] =
        l4.first_chunk::<20>()?;
    let len = u32::from(ip.total.checked_sub(20)?);
    let header = u32::from(offset >> 4).saturating_mul(4);
    if !(20..=len).contains(&header) {
        return None;
    }
    let tcp = Tcp {
        seq: u32::from_be_bytes([q0, q1, q2, q3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        flags,
    };
    let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    Some(packet(&ip, &link, ports, (len, header), tcp))
}

/// The packet of an Ethernet frame that says it is IPv4.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as what calls it")]
fn ethernet(frame: &[u8]) -> Option<(&[u8], Link<'_>)> {
    let (macs, rest) = frame.split_first_chunk()?;
    let (ethertype, rest) = rest.split_first_chunk()?;
    match ethertype {
        [0x08, 0x00] => Some((rest, Link { at: 14, macs, tag: None })),
        [0x81, 0x00] => {
            let (&[high, low, 0x08, 0x00], rest) = rest.split_first_chunk()? else { return None };
            Some((rest, Link { at: 18, macs, tag: Some(u16::from_be_bytes([high, low])) }))
        }
        _ => None,
    }
}

/// Reads the header of a packet of which `octets` are there, unless it is a fragment or carries another
/// protocol.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as what calls it")]
fn ipv4(header: &[u8; IPV4], octets: usize, carries: Proto) -> Option<Header<'_>> {
    let (&[0x45, tos, total @ ..], rest) = header.split_first_chunk::<4>()? else { return None };
    let (&[id @ .., flags, offset], rest) = rest.split_first_chunk::<4>()?;
    let (&[ttl, proto, _, _], rest) = rest.split_first_chunk::<4>()?;
    // First, since this is what tells one of the two common shapes from the other.
    if Proto(proto) != carries {
        return None;
    }
    let (src, rest) = rest.split_first_chunk::<4>()?;
    let dst = rest.first_chunk::<4>()?;
    let (total, id) = (u16::from_be_bytes(total), u16::from_be_bytes(id));
    // More fragments, or not the first one; the other two bits do not matter.
    let fragment = u16::from_be_bytes([flags & 0x3f, offset]) != 0;
    (!fragment && usize::from(total) <= octets).then_some(Header {
        total,
        id,
        ttl,
        tos,
        proto: carries,
        src,
        dst,
    })
}

/// The packet with so many octets from the transport header on, those of it among them.
///
/// Addresses are taken four octets at once: written octet by octet, the packet would be copied
/// before its parts have reached memory, and that costs more than reading it.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as what calls it")]
fn packet(
    ip: &Header<'_>,
    link: &Link<'_>,
    ports: (u16, u16),
    (l4_len, header): (u32, u32),
    tcp: Tcp,
) -> Packet {
    let hash = tunnels::mac_hash(0, link.macs);
    let hash = link.tag.map_or(hash, |tag| tunnels::tag_hash(hash, tag));
    let l4_at = link.at.saturating_add(20);
    let payload = l4_len.saturating_sub(header);
    Packet {
        src: Endpoint::new(Addr::v4(*ip.src), ports.0),
        dst: Endpoint::new(Addr::v4(*ip.dst), ports.1),
        proto: ip.proto,
        l4_at,
        l4_len,
        payload_at: l4_at.saturating_add(header),
        payload_len: payload,
        wire_payload_len: payload,
        ip_id: ip.id,
        has_ip_id: true,
        ttl: ip.ttl,
        dscp: ip.tos >> 2,
        clipped: false,
        link_hash: tunnels::fold(hash),
        tunnels: Tunnels::default(),
        tcp,
        fragment: None,
    }
}

/// Whether the first `len` of `octets`, the payload of a datagram, seem to be a tunnel.
fn tunnel(ports: (u16, u16), octets: &[u8], len: u32) -> bool {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    octets.get(..len).is_some_and(|payload| datagram::carries(ports, payload))
}
