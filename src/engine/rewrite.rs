//! A frame with another payload: lengths and checksums follow, what stands before IP stays.
//!
//! Where the headers before IP have lengths of their own (tunnels, PPP) or IP has an extension, the
//! packet is written without them: IP and UDP alone, as the decoder understood them.

use crate::decode::Packet;
use crate::model::addr::{Addr, Proto};
use crate::model::frame::LinkType;

/// Octets of the fixed headers.
const V4: usize = 20;
const V6: usize = 40;
const UDP: usize = 8;

/// The frame, and its link type if that is another one now. `None` if the payload is too long for UDP.
pub(super) fn with_payload(
    link: LinkType,
    frame: &[u8],
    packet: &Packet,
    payload: &[u8],
) -> Option<(LinkType, Vec<u8>)> {
    let length = u16::try_from(payload.len().checked_add(UDP)?).ok()?;
    let kept = ip_header(link, frame, packet);
    let (link, before, mut ip) = match kept {
        Some((before, ip)) => (link, before, ip.to_vec()),
        None => (LinkType::RAW, &[][..], fresh(packet)),
    };
    if ip.len() < V6 || ip.first()? >> 4 == 4 {
        let total = length.checked_add(u16::try_from(ip.len()).ok()?)?;
        put(&mut ip, 2, total);
        put(&mut ip, 10, 0);
        let sum = checksum(&[&ip]);
        put(&mut ip, 10, sum);
    } else {
        put(&mut ip, 4, length);
    }
    let mut udp = Vec::with_capacity(payload.len() + UDP);
    for field in [packet.src.port, packet.dst.port, length, 0] {
        udp.extend(field.to_be_bytes());
    }
    udp.extend(payload);
    let sum = transport_checksum(packet, Proto::UDP.0, &udp);
    put(&mut udp, 6, sum);
    let mut out = before.to_vec();
    out.extend(ip);
    out.extend(udp);
    Some((link, out))
}

/// The frame with a payload of the same length, in UDP or TCP; `None` where that would leave a
/// checksum wrong that is not the packet's own.
pub(super) fn with_equal(frame: &[u8], packet: &Packet, payload: &[u8]) -> Option<Vec<u8>> {
    if packet.clipped || packet.tunnels.depth() > 0 || packet.fragment.is_some() {
        return None;
    }
    let field = match packet.proto {
        Proto::UDP => 6,
        Proto::TCP => 16,
        _ => return None,
    };
    let mut out = frame.to_vec();
    let (at, l4_at) =
        (usize::try_from(packet.payload_at).ok()?, usize::try_from(packet.l4_at).ok()?);
    out.get_mut(at..at.checked_add(payload.len())?)?.copy_from_slice(payload);
    let l4 = out.get_mut(l4_at..l4_at.checked_add(usize::try_from(packet.l4_len).ok()?)?)?;
    put(l4, field, 0);
    let sum = transport_checksum(packet, packet.proto.0, l4);
    put(l4, field, sum);
    Some(out)
}

/// The checksum of a UDP datagram or TCP segment whose own field is 0.
fn transport_checksum(packet: &Packet, proto: u8, l4: &[u8]) -> u16 {
    let mut pseudo = address(packet.src.addr);
    pseudo.extend(address(packet.dst.addr));
    pseudo.extend(u32::try_from(l4.len()).unwrap_or_default().to_be_bytes());
    pseudo.extend([0, 0, 0, proto]);
    match checksum(&[&pseudo, l4]) {
        // 0 would mean that there is none (RFC 768).
        0 if proto == Proto::UDP.0 => u16::MAX,
        sum => sum,
    }
}

/// What stands before the IP header, and the header, if both can stay.
fn ip_header<'a>(link: LinkType, frame: &'a [u8], packet: &Packet) -> Option<(&'a [u8], &'a [u8])> {
    if packet.tunnels.depth() > 0 || packet.fragment.is_some() {
        return None;
    }
    let end = usize::try_from(packet.l4_at).ok()?;
    let (src, dst) = (address(packet.src.addr), address(packet.dst.addr));
    let headers = frame.get(..end)?;
    let is_v4 = packet.src.addr.as_v4().is_some();
    let lengths = if is_v4 { (V4..=60).step_by(4) } else { (V6..=V6).step_by(1) };
    let matches = |length: &usize| {
        let Some(ip) = end.checked_sub(*length).and_then(|at| headers.get(at..)) else {
            return false;
        };
        let field = |at: usize, of: &[u8]| ip.get(at..).is_some_and(|rest| rest.starts_with(of));
        if is_v4 {
            let first = 0x40 | u8::try_from(length / 4).unwrap_or_default();
            field(0, &[first]) && field(9, &[17]) && field(12, &src) && field(16, &dst)
        } else {
            let version = ip.first().is_some_and(|first| first >> 4 == 6);
            version && field(6, &[17]) && field(8, &src) && field(24, &dst)
        }
    };
    let length = lengths.into_iter().find(matches)?;
    let (before, ip) = headers.split_at_checked(end.checked_sub(length)?)?;
    let plain = match link {
        LinkType::ETHERNET => matches!(before, [.., 0x08, 0x00] | [.., 0x86, 0xdd]),
        LinkType::LINUX_SLL => before.len() == 16,
        LinkType::LINUX_SLL2 => before.len() == 20,
        LinkType::NULL | LinkType::LOOP => before.len() == 4,
        _ => before.is_empty(),
    };
    plain.then_some((before, ip))
}

/// An IP header of our own.
fn fresh(packet: &Packet) -> Vec<u8> {
    let mut ip = if packet.src.addr.as_v4().is_some() {
        vec![0x45, packet.dscp << 2, 0, 0, 0, 0, 0, 0, packet.ttl, 17, 0, 0]
    } else {
        let [high, low] = (0x6000 | u16::from(packet.dscp) << 6).to_be_bytes();
        vec![high, low, 0, 0, 0, 0, 17, packet.ttl]
    };
    put(&mut ip, 4, if packet.has_ip_id { packet.ip_id } else { 0 });
    ip.extend(address(packet.src.addr));
    ip.extend(address(packet.dst.addr));
    ip
}

fn address(addr: Addr) -> Vec<u8> {
    addr.as_v4().map_or_else(|| addr.octets().to_vec(), |octets| octets.to_vec())
}

fn put(octets: &mut [u8], at: usize, value: u16) {
    if let Some(field) = octets.get_mut(at..at.saturating_add(2)) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}

/// The Internet checksum (RFC 1071) over parts of even length, the last one excepted.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for part in parts {
        let (pairs, rest) = part.as_chunks::<2>();
        sum += pairs.iter().map(|pair| u64::from(u16::from_be_bytes(*pair))).sum::<u64>();
        sum += rest.first().map_or(0, |last| u64::from(*last) << 8);
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Decoded, decode};

    fn decoded(link: LinkType, frame: &[u8]) -> Packet {
        let length = u32::try_from(frame.len()).unwrap();
        match decode(Some(link), frame, length) {
            Decoded::Packet(packet) => packet,
            other => panic!("{other:?}"),
        }
    }

    /// Ethernet with a VLAN tag, IPv4 with an option, UDP with four octets, link padding.
    fn frame() -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 5, 8, 0];
        frame.extend([0x46, 0, 0, 36, 0, 9, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        frame.extend([1, 1, 1, 1]);
        frame.extend([0x9c, 0x40, 0x9c, 0x42, 0, 12, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]);
        frame
    }

    #[test]
    fn headers_stay_and_lengths_and_checksums_follow() {
        let frame = frame();
        let packet = decoded(LinkType::ETHERNET, &frame);
        let (link, out) = with_payload(LinkType::ETHERNET, &frame, &packet, &[9; 7]).unwrap();
        assert_eq!((link, out.len()), (LinkType::ETHERNET, 18 + 24 + 8 + 7));
        assert_eq!(out[..20], frame[..20]);
        let again = decoded(link, &out);
        assert_eq!(
            (again.src, again.dst, again.payload(&out)),
            (packet.src, packet.dst, &[9; 7][..])
        );
        assert_eq!(checksum(&[&out[18..42]]), 0);
        let pseudo = [192, 0, 2, 1, 192, 0, 2, 2, 0, 17, 0, 15];
        assert_eq!(checksum(&[&pseudo, &out[42..]]), 0);
    }

    #[test]
    fn a_payload_of_equal_length_keeps_the_frame_but_for_its_checksum() {
        let frame = frame();
        let packet = decoded(LinkType::ETHERNET, &frame);
        let out = with_equal(&frame, &packet, &[9, 8, 7, 6]).unwrap();
        assert_eq!((&out[..48], &out[50..54]), (&frame[..48], &[9, 8, 7, 6][..]));
        let pseudo = [192, 0, 2, 1, 192, 0, 2, 2, 0, 17, 0, 12];
        assert_eq!(checksum(&[&pseudo, &out[42..54]]), 0);
        assert_eq!(with_equal(&frame, &Packet { clipped: true, ..packet }, &[9; 4]), None);
    }

    #[test]
    fn what_cannot_stay_is_left_away() {
        let frame = frame();
        let mut packet = decoded(LinkType::ETHERNET, &frame);
        packet.fragment = Some(crate::decode::Joined::default());
        let (link, out) = with_payload(LinkType::ETHERNET, &frame, &packet, &[9; 8]).unwrap();
        assert_eq!((link, out.len(), out[0]), (LinkType::RAW, 36, 0x45));
        let again = decoded(link, &out);
        assert_eq!((again.src, again.dst, again.ip_id), (packet.src, packet.dst, 9));
        assert_eq!(checksum(&[&out[..20]]), 0);
        packet.src.addr = Addr::v6([0x20; 16]);
        packet.dst.addr = Addr::v6([0x21; 16]);
        let (link, out) = with_payload(LinkType::ETHERNET, &frame, &packet, &[9; 8]).unwrap();
        let again = decoded(link, &out);
        assert_eq!((again.src, again.payload(&out)), (packet.src, &[9; 8][..]));
        assert!(with_payload(link, &frame, &packet, &vec![0; 65_530]).is_none());
    }
}
