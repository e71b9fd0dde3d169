use super::*;

const MACS: [u8; 12] = [2, 0x88, 0, 0, 0, 0x14, 2, 0x88, 0, 0, 0, 0x0a];
const SRC4: [u8; 4] = [10, 88, 0, 10];
const DST4: [u8; 4] = [10, 88, 0, 20];

/// 5060 to 5062, and a payload.
fn udp(payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 8).unwrap();
    [&[0x13, 0xc4, 0x13, 0xc6][..], &len.to_be_bytes(), &[0, 0], payload].concat()
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    [
        &[0x13, 0xc4, 0x13, 0xc6, 1, 2, 3, 4, 5, 6, 7, 8, 0x60, 0x18, 1, 0, 0, 0, 0, 0][..],
        &[1; 4],
        payload,
    ]
    .concat()
}

fn v4(proto: u8, fragment: u16, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len() + 20).unwrap().to_be_bytes();
    let [high, low] = fragment.to_be_bytes();
    let header = [0x45, 0xb8, len[0], len[1], 0xb2, 0x18, high, low, 63, proto, 0, 0];
    [&header[..], &SRC4, &DST4, data].concat()
}

fn v6(next: u8, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&[0x6b, 0x80, 0, 0, len[0], len[1], next, 61][..], &[0x20; 16], &[0x21; 16], data].concat()
}

fn ethernet(ethertypes: &[u8], ip: &[u8]) -> Vec<u8> {
    [&MACS[..], ethertypes, ip].concat()
}

fn on(link: LinkType, frame: &[u8]) -> Decoded {
    decode(Some(link), frame, octets32(frame.len()))
}

fn packet(decoded: Decoded) -> Packet {
    let Decoded::Packet(packet) = decoded else { panic!("{decoded:?}") };
    packet
}

fn skip(decoded: Decoded) -> &'static str {
    let Decoded::Skipped(skip) = decoded else { panic!("{decoded:?}") };
    skip.name()
}

#[test]
fn every_field_of_a_plain_datagram_is_read() {
    let frame = ethernet(&[8, 0], &v4(17, 0x4000, &udp(b"OPTIONS")));
    let packet = packet(on(LinkType::ETHERNET, &frame));
    assert_eq!(packet.src, Endpoint::new(Addr::v4(SRC4), 5060));
    assert_eq!(packet.dst, Endpoint::new(Addr::v4(DST4), 5062));
    assert_eq!((packet.proto, packet.l4_at, packet.l4_len), (Proto::UDP, 34, 15));
    assert_eq!((packet.payload_at, packet.payload_len, packet.wire_payload_len), (42, 7, 7));
    assert_eq!((packet.ip_id, packet.has_ip_id), (0xb218, true));
    assert_eq!((packet.ttl, packet.dscp, packet.clipped), (63, 46, false));
    assert_eq!((packet.payload(&frame), packet.fragment), (&b"OPTIONS"[..], None));
    assert_eq!(packet.tcp, Tcp::default());
}

#[test]
fn the_sequence_number_and_flags_of_a_segment_are_read() {
    let packet = packet(on(LinkType::RAW, &v4(6, 0, &tcp(b"INVITE"))));
    assert_eq!(packet.tcp, Tcp { seq: 0x0102_0304, ack: 0x0506_0708, flags: 0x18 });
    assert_eq!((packet.payload_at, packet.payload_len), (44, 6));
    assert_eq!((packet.src.port, packet.dst.port, packet.proto), (5060, 5062, Proto::TCP));
}

#[test]
fn every_link_type_leads_to_the_same_packet() {
    let (four, six) = (v4(17, 0, &udp(b"x")), v6(17, &udp(b"x")));
    let cooked =
        |rest: &[u8]| [&[0, 0, 0, 1, 0, 6, 2, 0x88, 0, 0, 0, 0x0a, 0, 0][..], rest].concat();
    let cooked2 = |protocol: &[u8], rest: &[u8]| {
        [protocol, &[0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0x88, 0, 0, 0, 0x0a, 0, 0], rest].concat()
    };
    let mut frames = vec![
        (LinkType::ETHERNET, ethernet(&[8, 0], &four)),
        (LinkType::ETHERNET, ethernet(&[0x81, 0, 0, 5, 8, 0], &four)),
        (LinkType::ETHERNET, ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0], &four)),
        (LinkType::ETHERNET, ethernet(&[0x91, 0, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd], &six)),
        (LinkType::ETHERNET, ethernet(&[[0x81, 0, 0, 5].repeat(4), vec![8, 0]].concat(), &four)),
        (LinkType::LINUX_SLL, cooked(&[&[8, 0], &four[..]].concat())),
        (LinkType::LINUX_SLL, cooked(&[&[0x81, 0, 0, 5, 0x86, 0xdd], &six[..]].concat())),
        (LinkType::LINUX_SLL2, cooked2(&[8, 0], &four)),
        (LinkType::LINUX_SLL2, cooked2(&[0x86, 0xdd], &six)),
        (LinkType::RAW, four.clone()),
        (LinkType::RAW_BSD, six.clone()),
        (LinkType::RAW_OPENBSD, four.clone()),
        (LinkType::IPV4, four.clone()),
        (LinkType::IPV6, six.clone()),
    ];
    for link in [LinkType::NULL, LinkType::LOOP] {
        for (family, ip) in [(2, &four), (24, &six), (28, &six), (30, &six), (10, &six)] {
            frames.push((link, [&[0, 0, 0, family], &ip[..]].concat()));
            frames.push((link, [&[family, 0, 0, 0], &ip[..]].concat()));
        }
    }
    for (link, frame) in frames {
        let packet = packet(on(link, &frame));
        assert_eq!((packet.src.port, packet.payload(&frame)), (5060, &b"x"[..]), "{link:?}");
    }
}

#[test]
fn what_is_not_ip_or_cut_short_is_named() {
    let four = v4(17, 0, &udp(b"x"));
    assert_eq!(skip(decode(None, &four, 0)), "unsupported-link");
    assert_eq!(skip(on(LinkType(147), &four)), "unsupported-link");
    assert_eq!(skip(on(LinkType::ETHERNET, &MACS)), "malformed-link");
    assert_eq!(skip(on(LinkType::ETHERNET, &ethernet(&[8, 6], &[0; 28]))), "not-ip");
    assert_eq!(skip(on(LinkType::ETHERNET, &ethernet(&[0x81, 0, 0], &[]))), "malformed-link");
    let tags = [[0x81, 0, 0, 5].repeat(5), vec![8, 0]].concat();
    assert_eq!(skip(on(LinkType::ETHERNET, &ethernet(&tags, &four))), "malformed-link");
    assert_eq!(skip(on(LinkType::NULL, &[0, 0, 0, 99, 0x45])), "not-ip");
    assert_eq!(skip(on(LinkType::ETHERNET, &ethernet(&[8, 0], &[]))), "malformed-network");
    assert_eq!(skip(on(LinkType::IPV6, &four)), "malformed-network");
    assert_eq!(skip(on(LinkType::RAW, &[0x44; 60])), "malformed-network");
    for (proto, named) in [
        (1, "not-voip"),
        (2, "not-voip"),
        (4, "malformed-network"),
        (41, "malformed-network"),
        (47, "not-ip"),
        (50, "encrypted"),
        (97, "malformed-tunnel"),
        (115, "not-voip"),
        (137, "tunnel-depth"),
    ] {
        assert_eq!(skip(on(LinkType::RAW, &v4(proto, 0, &[0; 80]))), named, "{proto}");
    }
    assert_eq!(skip(on(LinkType::RAW, &v4(17, 0, &[0; 7]))), "malformed-transport");
    assert_eq!(skip(on(LinkType::RAW, &v4(6, 0, &[0x60; 19]))), "malformed-transport");
    assert_eq!(skip(on(LinkType::RAW, &v4(6, 0, &tcp(b"")[..23]))), "malformed-transport");
}

#[test]
fn lengths_that_lie_are_taken_as_the_table_says() {
    let lengths = |total: u16, len: u16| {
        let mut frame = v4(17, 0, &udp(b"0123456789"));
        frame[2..4].copy_from_slice(&total.to_be_bytes());
        frame[24..26].copy_from_slice(&len.to_be_bytes());
        frame.extend([0; 4]);
        on(LinkType::RAW, &frame)
    };
    for (total, len, present, wire) in [
        (38, 18, 10, 10), // honest, padded
        (0, 18, 10, 10),  // offloaded
        (0, 0, 14, 14),   // both
        (38, 0, 10, 10),
        (38, 12, 4, 4),    // less in UDP
        (38, 30, 10, 22),  // more in UDP
        (100, 80, 14, 72), // more in both
        (100, 18, 10, 10), // more in IP, but all of UDP is there
    ] {
        let packet = packet(lengths(total, len));
        let lens = (packet.payload_len, packet.wire_payload_len, packet.clipped);
        assert_eq!(lens, (present, wire, present < wire), "{total} {len}");
    }
    for total in [1, 19] {
        assert_eq!(skip(lengths(total, 18)), "malformed-network");
    }
    assert_eq!(skip(lengths(27, 18)), "malformed-transport");
    assert_eq!(skip(lengths(38, 7)), "malformed-transport");
}

#[test]
fn a_snap_length_leaves_what_is_there() {
    let frame = ethernet(&[8, 0], &v4(6, 0, &tcp(&[b'x'; 500])));
    let original = octets32(frame.len());
    let cut = packet(decode(Some(LinkType::ETHERNET), &frame[..96], original));
    assert_eq!((cut.payload_len, cut.wire_payload_len, cut.clipped), (38, 500, true));
    // In the options: ports and sequence number are there.
    let cut = packet(decode(Some(LinkType::ETHERNET), &frame[..56], original));
    assert_eq!((cut.payload_len, cut.wire_payload_len, cut.clipped), (0, 500, true));
    // Offloaded as well: only the frame's own length is known.
    let mut offloaded = frame.clone();
    offloaded[16..18].copy_from_slice(&[0, 0]);
    let cut = packet(decode(Some(LinkType::ETHERNET), &offloaded[..96], original));
    assert_eq!((cut.payload_len, cut.wire_payload_len, cut.clipped), (38, 500, true));
}

#[test]
fn extension_headers_are_walked() {
    let hop = [60, 0, 0, 0, 0, 0, 0, 0];
    let destination = [43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let routing = [44, 0, 0, 0, 0, 0, 0, 0];
    let atomic = [51, 0, 0, 0, 0, 0, 0, 9];
    let authentication = [17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let data = [&hop[..], &destination, &routing, &atomic, &authentication, &udp(b"x")].concat();
    let frame = v6(0, &data);
    let read = packet(on(LinkType::RAW, &frame));
    assert_eq!(
        (read.payload(&frame), read.has_ip_id, read.ttl, read.dscp),
        (&b"x"[..], false, 61, 46)
    );
    assert_eq!(read.src.addr, Addr::v6([0x20; 16]));
    for cut in 40..frame.len() - 9 {
        assert_eq!(
            skip(decode(Some(LinkType::RAW), &frame[..cut], octets32(frame.len()))),
            "malformed-network"
        );
    }
    let four = v4(51, 0, &[&authentication[..], &udp(b"x")].concat());
    assert_eq!(packet(on(LinkType::RAW, &four)).payload(&four), b"x");
    let endless = [60, 0, 0, 0, 0, 0, 0, 0].repeat(40);
    assert_eq!(skip(on(LinkType::RAW, &v6(60, &endless))), "malformed-network");
    assert_eq!(skip(on(LinkType::RAW, &v6(59, &[]))), "not-voip");
}

#[test]
fn a_jumbogram_takes_the_frame_as_its_length() {
    let hop = [17, 0, 0xc2, 4, 0, 1, 0, 0];
    let mut frame = v6(0, &[&hop[..], &udp(b"x")].concat());
    frame[4..6].copy_from_slice(&[0, 0]);
    assert_eq!(packet(on(LinkType::RAW, &frame)).payload(&frame), b"x");
}

#[test]
fn fragments_say_where_their_data_goes() {
    let whole = udp(&[b'x'; 100]);
    let frame = ethernet(&[8, 0], &v4(17, 0x2003, &whole[24..64]));
    let Decoded::Fragment(part) = on(LinkType::ETHERNET, &frame) else { panic!() };
    assert_eq!((part.offset, part.more, part.len, part.wire_len), (24, true, 40, 40));
    assert_eq!((part.key.ident, part.key.proto), (0xb218, Proto::UDP));
    assert_eq!(part.data(&frame), &whole[24..64]);

    let header = [60, 0, 0, 0x18, 1, 2, 3, 4];
    let frame = v6(44, &[&header[..], &whole[24..]].concat());
    let Decoded::Fragment(part) = on(LinkType::RAW, &frame) else { panic!() };
    assert_eq!((part.offset, part.more, part.len), (24, false, 84));
    assert_eq!((part.key.ident, part.key.proto), (0x0102_0304, Proto(44)));
    assert_eq!(part.network.proto, Proto(60));
}

#[test]
fn a_joined_datagram_may_begin_with_extension_headers_but_not_with_a_fragment() {
    let network = Network { proto: Proto(60), ..Network::default() };
    let joined = Joined { frames: 2, ..Joined::default() };
    let octets = [&[17, 0, 0, 0, 0, 0, 0, 0][..], &udp(b"x")].concat();
    let read = packet(transport(&network, joined, &octets, octets32(octets.len())));
    assert_eq!((read.payload(&octets), read.fragment), (&b"x"[..], Some(joined)));
    let nested = [&[44, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 8, 0, 0, 0, 1][..], &udp(b"x")].concat();
    assert_eq!(skip(transport(&network, joined, &nested, 100)), "malformed-network");
}

#[test]
fn sightings_on_other_links_hash_otherwise() {
    let ip = v4(17, 0, &udp(b"x"));
    let mut other = MACS;
    other[5] = 0x15;
    let hashes = [
        on(LinkType::ETHERNET, &ethernet(&[8, 0], &ip)),
        on(LinkType::ETHERNET, &[&other[..], &[8, 0], &ip].concat()),
        on(LinkType::ETHERNET, &ethernet(&[0x81, 0, 0, 5, 8, 0], &ip)),
        on(LinkType::ETHERNET, &ethernet(&[0x81, 0, 0, 6, 8, 0], &ip)),
        on(LinkType::ETHERNET, &ethernet(&[0x81, 0, 0, 0, 8, 0], &ip)),
        on(LinkType::RAW, &ip),
    ]
    .map(|decoded| packet(decoded).link_hash);
    let distinct: std::collections::BTreeSet<u32> = hashes.into_iter().collect();
    assert_eq!(distinct.len(), hashes.len());
    let priority = packet(on(LinkType::ETHERNET, &ethernet(&[0x81, 0, 0xa0, 5, 8, 0], &ip)));
    assert_eq!(priority.link_hash, hashes[2]);
}
