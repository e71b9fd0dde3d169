//! The fast path and the general decoder give one answer, and both return for every input.
//!
//! Frames are built valid and then damaged: cut, lied about in their lengths, mutated octet by
//! octet. With `OVERHEAR_CAPTURES` set, every record of the classic pcap files below it is
//! compared as well, and what the duplicate detector and the fragment table say of it printed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a test")]

use std::path::{Path, PathBuf};

use overhear::decode::{Decoded, decode, decode_general, fast};
use overhear::model::frame::{FrameId, LinkType};
use overhear::model::time::Ts;
use overhear::reassemble::duplicate::{Duplicates, likeness};
use overhear::reassemble::ip::{Counters, IpReassembler};
use overhear::track::input::Input;
use proptest::prelude::*;

/// Every link type that is read, and one that is not.
const LINKS: [u16; 39] = [
    0, 1, 9, 12, 14, 50, 51, 100, 101, 104, 105, 107, 108, 109, 113, 117, 119, 122, 127, 138, 147,
    163, 166, 178, 179, 180, 181, 192, 204, 205, 206, 219, 226, 228, 229, 239, 240, 258, 276,
];

/// What a built frame looks like before it is damaged.
#[derive(Clone, Debug)]
struct Shape {
    tags: Vec<u16>,
    ip_options: usize,
    fragment: u16,
    proto: u8,
    total_lie: i32,
    udp_lie: i32,
    payload: usize,
    padding: usize,
    v6: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    (
        prop::collection::vec(prop::sample::select(vec![0x8100_u16, 0x88a8, 0x9100]), 0..6),
        prop_oneof![4 => Just(0_usize), 1 => 1..11_usize],
        prop_oneof![6 => Just(0x4000_u16), 2 => Just(0), 1 => any::<u16>()],
        prop_oneof![6 => Just(17_u8), 2 => Just(6), 1 => any::<u8>()],
        prop_oneof![4 => Just(0), 1 => -60..200_i32],
        prop_oneof![4 => Just(0), 1 => -60..200_i32],
        0..200_usize,
        prop_oneof![Just(0_usize), 0..20_usize],
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(tags, ip_options, fragment, proto, total_lie, udp_lie, payload, padding, v6)| Shape {
                tags,
                ip_options,
                fragment,
                proto,
                total_lie,
                udp_lie,
                payload,
                padding,
                v6,
            },
        )
}

fn lied(honest: usize, lie: i32) -> [u8; 2] {
    u16::try_from((i32::try_from(honest).unwrap() + lie).clamp(0, 65_535)).unwrap().to_be_bytes()
}

fn build(shape: &Shape) -> Vec<u8> {
    let mut l4 = vec![0x13, 0xc4, 0x4e, 0x20];
    if shape.proto == 6 {
        // The data offset lies where a length of UDP would.
        let offset = u8::try_from(shape.udp_lie.unsigned_abs() % 16 * 16).unwrap() ^ 0x50;
        l4.extend([0, 0, 0, 9, 0, 0, 0, 7, offset, 0x18, 1, 0, 0, 0, 0, 0]);
    } else {
        l4.extend(lied(8 + shape.payload, shape.udp_lie));
        l4.extend([0, 0]);
    }
    l4.extend((0..shape.payload).map(|at| u8::try_from(at % 251).unwrap()));
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for tag in &shape.tags {
        frame.extend(tag.to_be_bytes());
        frame.extend([0, 42]);
    }
    if shape.v6 {
        frame.extend([0x86, 0xdd, 0x6b, 0x80, 0, 0]);
        frame.extend(lied(l4.len(), shape.total_lie));
        frame.extend([shape.proto, 64]);
        frame.extend([0x20; 32]);
    } else {
        let header = 20 + 4 * shape.ip_options;
        frame.extend([8, 0, 0x40 | u8::try_from(header / 4).unwrap(), 0xb8]);
        frame.extend(lied(header + l4.len(), shape.total_lie));
        frame.extend([0xb2, 0x18]);
        frame.extend(shape.fragment.to_be_bytes());
        frame.extend([64, shape.proto, 0, 0, 10, 88, 0, 10, 10, 88, 0, 20]);
        frame.extend(vec![1; 4 * shape.ip_options]);
    }
    frame.extend(l4);
    frame.extend(vec![0xaa; shape.padding]);
    frame
}

/// Holds the two decoders together and checks what every packet promises.
fn agree(frame: &[u8], original: u32) {
    let general = decode_general(Some(LinkType::ETHERNET), frame, original);
    for packet in [fast::datagram(frame), fast::segment(frame)].into_iter().flatten() {
        assert_eq!(Decoded::Packet(packet), general);
    }
    assert_eq!(decode(Some(LinkType::ETHERNET), frame, original), general);
    sound(&general, frame);
}

/// Offsets stay inside the frame and lengths do not contradict each other.
fn sound(decoded: &Decoded, frame: &[u8]) {
    let inside = |at: u32, len: u32| u64::from(at) + u64::from(len) <= frame.len() as u64;
    match decoded {
        Decoded::Packet(packet) => {
            assert!(inside(packet.l4_at, packet.l4_len));
            assert!(inside(packet.payload_at, packet.payload_len));
            if packet.tunnels.is_hep() {
                // The copy is somewhere in the message.
                assert!(packet.payload_len == 0 || packet.payload_at >= packet.l4_at);
            } else {
                assert_eq!(packet.l4_at + packet.l4_len, packet.payload_at + packet.payload_len);
            }
            assert!(packet.payload_len <= packet.wire_payload_len);
            assert_eq!(packet.clipped, packet.payload_len < packet.wire_payload_len);
        }
        Decoded::Fragment(fragment) => {
            assert!(inside(fragment.at, fragment.len));
            assert!(fragment.len <= fragment.wire_len);
            assert!(fragment.offset <= 65_528);
        }
        Decoded::Skipped(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_fast_path_agrees_on_damaged_frames(
        shape in shape(),
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        headers_only in any::<bool>(),
    ) {
        let mut frame = build(&shape);
        let original = u32::try_from(frame.len()).unwrap();
        let region = if headers_only { frame.len().min(60) } else { frame.len() };
        for (at, octet) in damage {
            frame[at.index(region)] = octet;
        }
        if let Some(cut) = cut {
            frame.truncate(cut.index(frame.len() + 1));
        }
        agree(&frame, original);
    }

    #[test]
    fn any_octets_on_any_link_come_back(
        frame in prop::collection::vec(any::<u8>(), 0..160),
        start in prop::sample::select(vec![0x45_u8, 0x60, 0x02, 0x00, 0x08]),
        link in prop::sample::select(LINKS.to_vec()),
        original in any::<u32>(),
    ) {
        let mut frame = frame;
        if let Some(first) = frame.first_mut() {
            *first = start;
        }
        sound(&decode(Some(LinkType(link)), &frame, original), &frame);
    }
}

#[test]
fn every_truncation_and_bit_flip_of_one_frame_agrees() {
    let plain = Shape {
        tags: vec![0x8100],
        ip_options: 0,
        fragment: 0x4000,
        proto: 17,
        total_lie: 0,
        udp_lie: 0,
        payload: 30,
        padding: 2,
        v6: false,
    };
    for tags in [vec![], vec![0x8100], vec![0x88a8, 0x8100]] {
        let frame = build(&Shape { tags, ..plain.clone() });
        let original = u32::try_from(frame.len()).unwrap();
        assert!(matches!(decode(Some(LinkType::ETHERNET), &frame, original), Decoded::Packet(_)));
        for cut in 0..frame.len() {
            agree(&frame[..cut], original);
        }
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            agree(&flipped, original);
        }
    }
}

/// The `.pcap` files under a folder.
fn captures(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            captures(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "pcap") {
            found.push(path);
        }
    }
}

/// One record of a classic pcap file: its time, its octets, its length on the wire.
type Record<'a> = (Ts, &'a [u8], u32);

/// The link type and records of a classic pcap file with microseconds or nanoseconds.
fn records(octets: &[u8]) -> Option<(LinkType, Vec<Record<'_>>)> {
    let (header, mut rest) = octets.split_at_checked(24)?;
    let little = header[0] == 0xd4 || header[0] == 0x4d;
    let word = |at: &[u8]| {
        let four = [at[0], at[1], at[2], at[3]];
        if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) }
    };
    let unit = if header.contains(&0x3c) && header[..4].contains(&0x4d) { 1 } else { 1000 };
    let link = LinkType(u16::try_from(word(&header[20..]) & 0xffff).unwrap());
    let mut records = Vec::new();
    while let Some((record, after)) = rest.split_at_checked(16) {
        let len = usize::try_from(word(&record[8..])).unwrap();
        let Some((frame, after)) = after.split_at_checked(len) else { break };
        rest = after;
        let time = i64::from(word(record)) * 1_000_000_000 + i64::from(word(&record[4..])) * unit;
        records.push((Ts::from_nanos(time), frame, word(&record[12..])));
    }
    Some((link, records))
}

/// Duplicates of a capture: frames seen twice, and fragments seen twice.
fn duplicates(link: LinkType, records: &[Record<'_>]) -> (u32, Counters) {
    let (mut seen, mut table) = (Duplicates::new(1024), IpReassembler::default());
    let (mut count, mut watermark) = (0, Ts::MIN);
    for &(ts, frame, original) in records {
        watermark = watermark.max(ts);
        match decode(Some(link), frame, original) {
            Decoded::Packet(packet) => {
                let hash = likeness(&packet, Input::flow_hash(&packet), frame);
                count += u32::from(seen.is_duplicate(&packet, hash, ts, watermark, 0));
            }
            Decoded::Fragment(part) => {
                table.push(&part, part.data(frame), FrameId::default(), watermark);
            }
            Decoded::Skipped(_) => {}
        }
    }
    table.finish();
    (count, *table.counters())
}

/// Every encapsulation, each octet of the headers set to what lengths, flags and versions stumble
/// over; and short of every octet.
#[test]
fn damaged_tunnels_decode_alike() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/encapsulation");
    let mut files = Vec::new();
    captures(&folder, &mut files);
    assert!(files.len() > 80);
    for file in files {
        let octets = std::fs::read(&file).unwrap();
        let (link, records) = records(&octets).unwrap();
        let check = |frame: &[u8], original: u32| {
            if link == LinkType::ETHERNET {
                agree(frame, original);
            } else {
                sound(&decode(Some(link), frame, original), frame);
            }
        };
        for (_, frame, original) in records.iter().step_by(9) {
            check(frame, *original);
            for at in 0..frame.len().min(160) {
                check(&frame[..at], *original);
                for octet in [0, 1, 2, 4, 6, 0x0f, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xfe, 0xff] {
                    let mut damaged = frame.to_vec();
                    damaged[at] = octet;
                    check(&damaged, *original);
                }
            }
        }
    }
}

#[test]
fn real_captures_decode_alike_and_only_mirrors_have_duplicates() {
    let Some(folder) = std::env::var_os("OVERHEAR_CAPTURES") else {
        println!("skipped: OVERHEAR_CAPTURES is not set");
        return;
    };
    let mut files = Vec::new();
    captures(Path::new(&folder), &mut files);
    files.sort();
    for file in files {
        let octets = std::fs::read(&file).unwrap();
        let Some((link, records)) = records(&octets) else { continue };
        for (_, frame, original) in &records {
            if link == LinkType::ETHERNET {
                agree(frame, *original);
            } else {
                sound(&decode(Some(link), frame, *original), frame);
            }
        }
        let (count, fragments) = duplicates(link, &records);
        let name = file.file_name().unwrap().to_string_lossy();
        if count > 0 || fragments.fragments > 0 {
            println!("{name}: {} frames, {count} duplicates, {fragments:?}", records.len());
        }
        match &*name {
            // 302 frames are 151 frames doubled; four of them are ARP.
            "span_duplicates.pcap" => assert_eq!((count, records.len()), (147, 302)),
            "ipfrag_reversed.pcap" => {
                assert_eq!((fragments.datagrams, fragments.incomplete, count), (2, 0, 0));
            }
            _ => {}
        }
    }
}
