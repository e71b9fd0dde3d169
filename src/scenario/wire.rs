//! Headers with right lengths and checksums: UDP (RFC 768), TCP (RFC 9293), IPv4 (RFC 791),
//! IPv6 (RFC 8200), fragments of both, and the link layers that captures have.

use std::net::IpAddr;

use super::value;
use crate::model::frame::LinkType;

/// The UDP protocol number.
pub(super) const UDP: u8 = 17;
/// The TCP protocol number.
pub(super) const TCP: u8 = 6;
/// The SCTP protocol number.
pub(super) const SCTP: u8 = 132;

/// What an IP header says.
#[derive(Copy, Clone, Debug)]
pub(super) struct Ip {
    /// Source.
    pub src: IpAddr,
    /// Destination, of the same family.
    pub dst: IpAddr,
    /// [`UDP`], [`TCP`] or [`SCTP`].
    pub protocol: u8,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Type of service or traffic class.
    pub tos: u8,
    /// Identification; IPv6 uses it in fragments only.
    pub id: u16,
}

/// What a TCP header says beyond its ports.
#[derive(Copy, Clone, Debug)]
pub(super) struct Segment {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
    pub flags: u8,
}

/// The Internet checksum (RFC 1071) over several parts, each of even length but the last.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for part in parts {
        for pair in part.chunks(2) {
            sum += match pair {
                [high, low] => u64::from(u16::from_be_bytes([*high, *low])),
                [high] => u64::from(u16::from_be_bytes([*high, 0])),
                _ => 0,
            };
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !value::low16(sum)
}

/// The pseudo header of RFC 768, RFC 9293 §3.1 and RFC 8200 §8.1.
fn pseudo(ip: &Ip, length: usize) -> Vec<u8> {
    let mut octets = address(ip.src);
    octets.extend(address(ip.dst));
    octets.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    octets.extend([0, 0, 0, ip.protocol]);
    octets
}

fn address(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// A UDP header and its payload.
pub(super) fn udp(ip: &Ip, ports: (u16, u16), payload: &[u8]) -> Result<Vec<u8>, String> {
    let mut octets = Vec::with_capacity(payload.len().saturating_add(8));
    octets.extend(ports.0.to_be_bytes());
    octets.extend(ports.1.to_be_bytes());
    octets.extend(value::length16(payload.len().saturating_add(8))?);
    octets.extend([0, 0]);
    octets.extend(payload);
    // 0 would mean "no checksum".
    let sum = match checksum(&[&pseudo(ip, octets.len()), &octets]) {
        0 => 0xffff,
        sum => sum,
    };
    put16(&mut octets, 6, sum);
    Ok(octets)
}

/// A TCP header without options, and its payload.
pub(super) fn tcp(ip: &Ip, ports: (u16, u16), segment: Segment, payload: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(payload.len().saturating_add(20));
    octets.extend(ports.0.to_be_bytes());
    octets.extend(ports.1.to_be_bytes());
    octets.extend(segment.seq.to_be_bytes());
    octets.extend(segment.ack.to_be_bytes());
    octets.extend([0x50, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
    octets.extend(payload);
    let sum = checksum(&[&pseudo(ip, octets.len()), &octets]);
    put16(&mut octets, 16, sum);
    octets
}

fn put16(octets: &mut [u8], at: usize, value: u16) {
    if let Some(field) = octets.get_mut(at..at.saturating_add(2)) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}

/// One IP packet, or one per `fragment` octets of payload, in the order sent.
pub(super) fn packets(
    ip: &Ip,
    payload: &[u8],
    fragment: Option<usize>,
) -> Result<Vec<Vec<u8>>, String> {
    let size = fragment.map(|size| size & !7).filter(|size| payload.len() > *size);
    let Some(size) = size else { return Ok(vec![packet(ip, payload, None)?]) };
    let mut made = Vec::new();
    let mut offset = 0_usize;
    for part in payload.chunks(size) {
        let end = offset.saturating_add(part.len());
        let units = u16::try_from(offset / 8).map_err(|_| "the datagram is too long".to_owned())?;
        made.push(packet(ip, part, Some((units, end < payload.len())))?);
        offset = end;
    }
    Ok(made)
}

/// `piece` is a fragment's offset in units of 8 octets, and whether more follow.
fn packet(ip: &Ip, payload: &[u8], piece: Option<(u16, bool)>) -> Result<Vec<u8>, String> {
    match ip.src {
        IpAddr::V4(_) => ipv4(ip, payload, piece),
        IpAddr::V6(_) => ipv6(ip, payload, piece),
    }
}

fn ipv4(ip: &Ip, payload: &[u8], piece: Option<(u16, bool)>) -> Result<Vec<u8>, String> {
    let flags = match piece {
        None => 0x4000,
        Some((units, more)) => (units & 0x1fff) | if more { 0x2000 } else { 0 },
    };
    let mut octets = vec![0x45, ip.tos];
    octets.extend(value::length16(payload.len().saturating_add(20))?);
    octets.extend(ip.id.to_be_bytes());
    octets.extend(flags.to_be_bytes());
    octets.extend([ip.ttl, ip.protocol, 0, 0]);
    octets.extend(address(ip.src));
    octets.extend(address(ip.dst));
    let sum = checksum(&[&octets]);
    put16(&mut octets, 10, sum);
    octets.extend(payload);
    Ok(octets)
}

fn ipv6(ip: &Ip, payload: &[u8], piece: Option<(u16, bool)>) -> Result<Vec<u8>, String> {
    let extra = if piece.is_some() { 8 } else { 0 };
    let mut octets = (0x6000_0000_u32 | u32::from(ip.tos) << 20).to_be_bytes().to_vec();
    octets.extend(value::length16(payload.len().saturating_add(extra))?);
    octets.extend([if piece.is_some() { 44 } else { ip.protocol }, ip.ttl]);
    octets.extend(address(ip.src));
    octets.extend(address(ip.dst));
    if let Some((units, more)) = piece {
        octets.extend([ip.protocol, 0]);
        octets.extend((units << 3 | u16::from(more)).to_be_bytes());
        octets.extend([0, 0]);
        octets.extend(ip.id.to_be_bytes());
    }
    octets.extend(payload);
    Ok(octets)
}

/// The link type of a `link` statement.
pub(super) fn link(name: &str) -> Option<LinkType> {
    Some(match name {
        "ethernet" => LinkType::ETHERNET,
        "sll" => LinkType::LINUX_SLL,
        "sll2" => LinkType::LINUX_SLL2,
        "raw" => LinkType::RAW,
        "null" => LinkType::NULL,
        "loop" => LinkType::LOOP,
        _ => return None,
    })
}

/// A link-layer header in front of an IP packet.
pub(super) fn frame(
    link: LinkType,
    macs: ([u8; 6], [u8; 6]),
    vlan: &[u16],
    ip: &Ip,
    packet: &[u8],
) -> Vec<u8> {
    let (source, destination) = macs;
    let ether_type: u16 = if ip.src.is_ipv6() { 0x86dd } else { 0x0800 };
    // AF_INET and AF_INET6 as BSD numbers them.
    let family: u32 = if ip.src.is_ipv6() { 30 } else { 2 };
    let mut octets = Vec::with_capacity(packet.len().saturating_add(32));
    match link {
        LinkType::ETHERNET => {
            octets.extend(destination);
            octets.extend(source);
            for (left, tag) in (0..vlan.len()).rev().zip(vlan) {
                octets.extend(if left > 0 { [0x88, 0xa8] } else { [0x81, 0x00] });
                octets.extend(tag.to_be_bytes());
            }
            octets.extend(ether_type.to_be_bytes());
        }
        LinkType::LINUX_SLL => {
            octets.extend([0, 0, 0, 1, 0, 6]);
            octets.extend(source);
            octets.extend([0, 0]);
            octets.extend(ether_type.to_be_bytes());
        }
        LinkType::LINUX_SLL2 => {
            octets.extend(ether_type.to_be_bytes());
            octets.extend([0, 0, 0, 0, 0, 1, 0, 1, 0, 6]);
            octets.extend(source);
            octets.extend([0, 0]);
        }
        LinkType::NULL => octets.extend(family.to_le_bytes()),
        LinkType::LOOP => octets.extend(family.to_be_bytes()),
        _ => {}
    }
    octets.extend(packet);
    octets
}

/// A CRC of 32 bits with a reflected polynomial, bit by bit.
pub(super) fn crc32(octets: &[u8], polynomial: u32) -> u32 {
    let mut crc = u32::MAX;
    for octet in octets {
        crc ^= u32::from(*octet);
        for _ in 0..8 {
            let carry = crc & 1 != 0;
            crc >>= 1;
            if carry {
                crc ^= polynomial;
            }
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip() -> Ip {
        Ip {
            src: "192.0.2.1".parse().unwrap(),
            dst: "192.0.2.2".parse().unwrap(),
            protocol: UDP,
            ttl: 64,
            tos: 0,
            id: 7,
        }
    }

    #[test]
    fn a_received_checksum_sums_to_zero() {
        let datagram = udp(&ip(), (5060, 5060), b"odd").unwrap();
        assert_eq!(checksum(&[&pseudo(&ip(), datagram.len()), &datagram]), 0);
        let packet = packet(&ip(), &datagram, None).unwrap();
        assert_eq!(checksum(&[&packet[..20]]), 0);
    }

    #[test]
    fn fragments_cover_the_payload_once() {
        let made = packets(&ip(), &[1; 1000], Some(403)).unwrap();
        let sizes: Vec<usize> = made.iter().map(|p| p.len() - 20).collect();
        assert_eq!(sizes, [400, 400, 200]);
        let flags: Vec<[u8; 2]> = made.iter().map(|p| [p[6], p[7]]).collect();
        assert_eq!(flags, [[0x20, 0], [0x20, 50], [0, 100]]);
    }
}
