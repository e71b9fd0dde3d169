//! The common case in one pass: Ethernet with at most one 802.1Q tag, IPv4 without options and not
//! a fragment, UDP, all of it present.
//!
//! Says `None` for everything else and decides nothing that [`super::general`] would decide
//! otherwise (`tests/decode_oracle.rs`). Most packets on a tap for voice end here: RTP.

use super::{Packet, Tcp, link, octets32};
use crate::model::addr::{Addr, Endpoint, Proto};

/// IPv4 header without options, and UDP header.
const HEADERS: usize = 28;

/// Reads an Ethernet frame, if it is of the common shape.
#[inline]
pub fn decode(frame: &[u8]) -> Option<Packet> {
    let (macs, rest) = frame.split_first_chunk()?;
    let (ethertype, rest) = rest.split_first_chunk()?;
    let hash = link::mac_hash(macs);
    match ethertype {
        [0x08, 0x00] => ipv4(rest, 14, hash),
        [0x81, 0x00] => {
            let (&[high, low, 0x08, 0x00], rest) = rest.split_first_chunk()? else { return None };
            ipv4(rest, 18, link::tag_hash(hash, u16::from_be_bytes([high, low])))
        }
        _ => None,
    }
}

/// Reads `rest`, the frame from octet `at` on.
#[inline]
fn ipv4(rest: &[u8], at: u32, hash: u64) -> Option<Packet> {
    let &[
        0x45,
        tos,
        len_high,
        len_low,
        id_high,
        id_low,
        frag_high,
        frag_low,
        ttl,
        17,
        _,
        _, //
        s0,
        s1,
        s2,
        s3,
        d0,
        d1,
        d2,
        d3, //
        sp0,
        sp1,
        dp0,
        dp1,
        ul0,
        ul1,
        _,
        _,
    ] = rest.first_chunk::<HEADERS>()?
    else {
        return None;
    };
    if frag_high & 0x3f != 0 || frag_low != 0 {
        return None;
    }
    let total = u16::from_be_bytes([len_high, len_low]);
    let udp = u16::from_be_bytes([ul0, ul1]);
    let payload = u32::from(udp.checked_sub(8)?);
    if udp > total.checked_sub(20)? || u32::from(total) > octets32(rest.len()) {
        return None;
    }
    Some(Packet {
        src: Endpoint::new(Addr::v4([s0, s1, s2, s3]), u16::from_be_bytes([sp0, sp1])),
        dst: Endpoint::new(Addr::v4([d0, d1, d2, d3]), u16::from_be_bytes([dp0, dp1])),
        proto: Proto::UDP,
        l4_at: at.saturating_add(20),
        l4_len: u32::from(udp),
        payload_at: at.saturating_add(28),
        payload_len: payload,
        wire_payload_len: payload,
        ip_id: u16::from_be_bytes([id_high, id_low]),
        has_ip_id: true,
        ttl,
        dscp: tos >> 2,
        clipped: false,
        link_hash: link::fold(hash),
        tcp: Tcp::default(),
        fragment: None,
    })
}
