//! Headers to put around an IP packet, as RFCs and <https://www.tcpdump.org/linktypes.html> have them.
//! What sends them has checksums right; lengths are right everywhere.

/// Octets.
pub(crate) type Octets = Vec<u8>;

const MACS: [u8; 12] = [2, 0, 0, 0, 0, 0x14, 2, 0, 0, 0, 0, 0x0a];

/// The ethertype of an IP packet.
pub(crate) fn ethertype(ip: &[u8]) -> [u8; 2] {
    if ip[0] >> 4 == 6 { [0x86, 0xdd] } else { [8, 0] }
}

/// Several parts in a row.
pub(crate) fn join(parts: &[&[u8]]) -> Octets {
    parts.concat()
}

/// An Ethernet header before an IP packet.
pub(crate) fn ethernet(ip: &[u8]) -> Octets {
    ether(ethertype(ip), ip)
}

/// An Ethernet header between addresses whose makers tshark knows.
pub(crate) fn customer(ip: &[u8]) -> Octets {
    join(&[&[0, 0, 0x5e, 0, 0x53, 1, 0, 0, 0x5e, 0, 0x53, 2], &ethertype(ip), ip])
}

/// An Ethernet header with this ethertype.
pub(crate) fn ether(ethertype: [u8; 2], payload: &[u8]) -> Octets {
    join(&[&MACS, &ethertype, payload])
}

fn length(octets: usize) -> [u8; 2] {
    u16::try_from(octets).unwrap().to_be_bytes()
}

fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let mut sum: u32 = 0;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).unwrap()).to_be_bytes()
}

/// An IPv4 header from one end of a tunnel to the other; `place` is identification, flags and offset.
pub(crate) fn ip4_part(place: [u8; 4], proto: u8, payload: &[u8]) -> Octets {
    let [high, low] = length(payload.len() + 20);
    let mut header = join(&[&[0x45, 0, high, low], &place, &[64, proto, 0, 0, 203, 0, 113, 1]]);
    header.extend([203, 0, 113, 2]);
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum);
    join(&[&header, payload])
}

/// An IPv4 header in front of a whole packet.
pub(crate) fn ip4(proto: u8, payload: &[u8]) -> Octets {
    ip4_part([0x12, 0x34, 0x40, 0], proto, payload)
}

/// An IPv6 header.
pub(crate) fn ip6(next: u8, payload: &[u8]) -> Octets {
    let [high, low] = length(payload.len());
    let (mut src, mut dst) = ([0; 16], [0; 16]);
    (src[0], src[1], src[15]) = (0xfd, 1, 1);
    (dst[0], dst[1], dst[15]) = (0xfd, 1, 2);
    join(&[&[0x60, 0, 0, 0, high, low, next, 64], &src, &dst, payload])
}

/// A UDP header without checksum.
pub(crate) fn udp(from: u16, to: u16, payload: &[u8]) -> Octets {
    join(&[&from.to_be_bytes(), &to.to_be_bytes(), &length(payload.len() + 8), &[0, 0], payload])
}

/// Ethernet, IPv4 and UDP from an ordinary port to `to`.
pub(crate) fn over_udp(to: u16, payload: &[u8]) -> Octets {
    ethernet(&ip4(17, &udp(49_999, to, payload)))
}

/// Ethernet and IPv4.
pub(crate) fn over_ip(proto: u8, payload: &[u8]) -> Octets {
    ethernet(&ip4(proto, payload))
}

/// PPP, with the protocol in two octets.
pub(crate) fn ppp(ip: &[u8]) -> Octets {
    join(&[if ip[0] >> 4 == 6 { &[0, 0x57] } else { &[0, 0x21] }, ip])
}

/// PPP with address and control field.
pub(crate) fn hdlc(ip: &[u8]) -> Octets {
    join(&[&[0xff, 3], &ppp(ip)])
}

/// LLC and SNAP.
pub(crate) fn snap(ip: &[u8]) -> Octets {
    join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &ethertype(ip), ip])
}

/// An MPLS label; `bottom` is 1 for the last of a stack.
pub(crate) fn label(label: u32, bottom: u8) -> [u8; 4] {
    (label << 12 | u32::from(bottom) << 8 | 64).to_be_bytes()
}

/// `PPPoE` without the Ethernet header.
pub(crate) fn pppoe(ip: &[u8]) -> Octets {
    let inside = ppp(ip);
    join(&[&[0x11, 0, 0, 7], &length(inside.len()), &inside])
}

/// An 802.11 data frame from a station, with quality of service if there are two octets for it.
pub(crate) fn wlan(quality: &[u8], body: &[u8]) -> Octets {
    let control = if quality.is_empty() { 0x08 } else { 0x88 };
    join(&[&[control, 1, 0, 0], &MACS, &[2, 0, 0, 0, 0, 9, 0x10, 0], quality, body])
}

/// The same, with LLC and SNAP around an IP packet.
pub(crate) fn wlan_ip(ip: &[u8]) -> Octets {
    wlan(&[6, 0], &snap(ip))
}

/// A radiotap header with a time, flags, rate and channel.
pub(crate) fn radiotap(flags: u8, frame: &[u8]) -> Octets {
    let fields = [flags, 12, 0x6c, 9, 0xc0, 0];
    join(&[&[0, 0, 30, 0, 0x0f, 0, 0, 0x80, 0, 0, 0, 0], &[0; 4], &[9; 8], &fields, frame])
}

/// GTP-U with flags and what they announce.
pub(crate) fn gtp(flags: u8, optional: &[u8], ip: &[u8]) -> Octets {
    let length = length(optional.len() + ip.len());
    over_udp(2152, &join(&[&[flags, 0xff], &length, &[0, 0, 1, 2], optional, ip]))
}

/// GRE between IPv4 ends.
pub(crate) fn gre(flags: [u8; 2], protocol: [u8; 2], rest: &[u8]) -> Octets {
    over_ip(47, &join(&[&flags, &protocol, rest]))
}

/// What ESP has behind its payload: padding to four octets, its length, next header, check value.
pub(crate) fn esp(next: u8, payload: &[u8], check: usize) -> Octets {
    let pad = (payload.len() + 2).wrapping_neg() & 3;
    let padding: Octets = (1..=u8::try_from(pad).unwrap()).collect();
    let trailer = [u8::try_from(pad).unwrap(), next];
    join(&[&[0, 0, 0x10, 0, 0, 0, 0, 1], payload, &padding, &trailer, &vec![0xa5; check]])
}

/// An authentication header with a check value of 96 bits.
pub(crate) fn authentication(next: u8, payload: &[u8]) -> Octets {
    join(&[&[next, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], &[0x5a; 12], payload])
}

/// The transport header and payload of a plain IP packet, with its protocol.
pub(crate) fn transport(ip: &[u8]) -> (u8, &[u8]) {
    if ip[0] >> 4 == 6 { (ip[6], &ip[40..]) } else { (ip[9], &ip[20..]) }
}

/// An IPv4 packet with another protocol and payload between the same hosts.
pub(crate) fn replaced(ip: &[u8], proto: u8, payload: &[u8]) -> Octets {
    let mut header = ip[..20].to_vec();
    header[2..4].copy_from_slice(&length(payload.len() + 20));
    header[9] = proto;
    header[10..12].fill(0);
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum);
    join(&[&header, payload])
}

/// An IPv4 packet in fragments of its payload.
pub(crate) fn fragments(ip: &[u8], id: u16, size: usize) -> Vec<Octets> {
    let payload = &ip[20..];
    let [high, low] = id.to_be_bytes();
    let mut made = Vec::new();
    for (number, part) in payload.chunks(size).enumerate() {
        let at = number * size;
        let more = if at + part.len() < payload.len() { 0x2000 } else { 0 };
        let [f, o] = (u16::try_from(at / 8).unwrap() | more).to_be_bytes();
        made.push(ip4_part([high, low, f, o], ip[9], part));
    }
    made
}
