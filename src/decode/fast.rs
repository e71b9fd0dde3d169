//! The common case in one pass: Ethernet with at most one 802.1Q tag, IPv4 without options and not
//! a fragment, UDP that is no tunnel, all of it present.
//!
//! Says `None` for everything else and decides nothing that [`super::general`] would decide
//! otherwise (`tests/decode_oracle.rs`). Most packets on a tap for voice end here: RTP.

use super::{Packet, Tcp, Tunnels, datagram, tunnels};
use crate::model::addr::{Addr, Endpoint, Proto};

/// IPv4 header without options, and UDP header.
const HEADERS: usize = 28;

/// Reads an Ethernet frame, if it is of the common shape.
#[inline]
pub fn decode(frame: &[u8]) -> Option<Packet> {
    let (macs, rest) = frame.split_first_chunk()?;
    let (ethertype, rest) = rest.split_first_chunk()?;
    let hash = tunnels::mac_hash(0, macs);
    let (rest, at, hash) = match ethertype {
        [0x08, 0x00] => (rest, 14, hash),
        [0x81, 0x00] => {
            let (&[high, low, 0x08, 0x00], rest) = rest.split_first_chunk()? else { return None };
            (rest, 18, tunnels::tag_hash(hash, u16::from_be_bytes([high, low])))
        }
        _ => return None,
    };
    ipv4(rest, at, hash)
}

/// Reads `rest`, the frame from octet `at` on.
///
/// Addresses are taken four octets at once: written octet by octet, the packet would be copied
/// before its parts have reached memory, and that costs more than reading it.
#[inline]
fn ipv4(rest: &[u8], at: u32, hash: u64) -> Option<Packet> {
    let (header, payload_octets) = rest.split_first_chunk::<HEADERS>()?;
    let octets = rest.len();
    let (&[0x45, tos, total @ ..], rest) = header.split_first_chunk::<4>()? else { return None };
    let (&[id @ .., flags, offset], rest) = rest.split_first_chunk::<4>()?;
    let (&[ttl, 17, _, _], rest) = rest.split_first_chunk::<4>()? else { return None };
    let (src, rest) = rest.split_first_chunk::<4>()?;
    let (dst, rest) = rest.split_first_chunk::<4>()?;
    let (&[sport @ .., port_high, port_low], rest) = rest.split_first_chunk::<4>()?;
    let udp = u16::from_be_bytes(*rest.first_chunk::<2>()?);
    // More fragments, or not the first one; the other two bits do not matter.
    if flags & 0x3f != 0 || offset != 0 {
        return None;
    }
    let total = u16::from_be_bytes(total);
    let payload = u32::from(udp.checked_sub(8)?);
    if udp > total.checked_sub(20)? || usize::from(total) > octets {
        return None;
    }
    let ports = (u16::from_be_bytes(sport), u16::from_be_bytes([port_high, port_low]));
    if payload_octets.first().is_some_and(|first| datagram::conceivable(*first))
        && tunnel(ports, payload_octets, payload)
    {
        return None;
    }
    Some(Packet {
        src: Endpoint::new(Addr::v4(*src), ports.0),
        dst: Endpoint::new(Addr::v4(*dst), ports.1),
        proto: Proto::UDP,
        l4_at: at.saturating_add(20),
        l4_len: u32::from(udp),
        payload_at: at.saturating_add(28),
        payload_len: payload,
        wire_payload_len: payload,
        ip_id: u16::from_be_bytes(id),
        has_ip_id: true,
        ttl,
        dscp: tos >> 2,
        clipped: false,
        link_hash: tunnels::fold(hash),
        tunnels: Tunnels::default(),
        tcp: Tcp::default(),
        fragment: None,
    })
}

/// Whether the first `len` of `octets`, the payload of a datagram, seem to be a tunnel.
fn tunnel(ports: (u16, u16), octets: &[u8], len: u32) -> bool {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    octets.get(..len).is_some_and(|payload| datagram::carries(ports, payload))
}
