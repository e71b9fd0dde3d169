//! What one packet costs in L2: decoding, the duplicate check, joining and ordering.
//!
//! `cargo bench --bench decode`. Each figure is per packet of a G.711 stream (160 octets of audio).

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use overhear::decode::{Decoded, decode, decode_general};
use overhear::model::frame::{FrameId, LinkType};
use overhear::model::time::{Span, Ts};
use overhear::reassemble::duplicate::{Duplicates, likeness};
use overhear::reassemble::ip::IpReassembler;
use overhear::reassemble::purse::Purse;
use overhear::reassemble::tcp::{Direction, Segment};

/// Ethernet, IPv4, UDP, and 172 octets of RTP.
fn frame(tagged: bool) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    if tagged {
        frame.extend([0x81, 0, 0, 42]);
    }
    frame.extend([8, 0, 0x45, 0xb8, 0, 200, 0xb2, 0x18, 0x40, 0, 64, 17, 0, 0]);
    frame.extend([10, 88, 0, 10, 10, 88, 0, 20, 0x75, 0x30, 0x4e, 0x20, 0, 180, 0, 0]);
    frame.extend((0..172).map(|octet: u8| octet.wrapping_mul(37)));
    frame
}

fn fragment(units: u8, last: bool) -> Vec<u8> {
    let mut part = frame(false);
    if let Some(octet) = part.get_mut(20) {
        *octet = if last { 0 } else { 0x20 };
    }
    if let Some(octet) = part.get_mut(21) {
        *octet = units;
    }
    part
}

/// What a dispatcher would look at, so that nothing of the packet is optimised away.
fn used(decoded: &Decoded) -> u64 {
    match decoded {
        Decoded::Packet(packet) => {
            let [.., last] = packet.src.addr.octets();
            u64::from(packet.payload_len)
                .wrapping_add(u64::from(packet.dst.port))
                .wrapping_add(u64::from(packet.link_hash))
                .wrapping_add(u64::from(*last))
        }
        Decoded::Fragment(_) | Decoded::Skipped(_) => 0,
    }
}

/// 256 frames at a time: the figure to read is the one per element.
fn decoding(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(256));
    for (name, frame) in [("plain", frame(false)), ("tagged", frame(true))] {
        let frames = vec![frame; 256];
        let link = Some(LinkType::ETHERNET);
        group.bench_function(format!("fast/{name}"), |b| {
            b.iter(|| {
                let each = frames.iter().map(|frame| used(&decode(black_box(link), frame, 214)));
                each.fold(0_u64, u64::wrapping_add)
            });
        });
        group.bench_function(format!("general/{name}"), |b| {
            b.iter(|| {
                let each =
                    frames.iter().map(|frame| used(&decode_general(black_box(link), frame, 214)));
                each.fold(0_u64, u64::wrapping_add)
            });
        });
    }
    group.finish();
}

fn duplicates(c: &mut Criterion) {
    let frame = frame(false);
    let Decoded::Packet(packet) = decode(Some(LinkType::ETHERNET), &frame, 214) else { return };
    c.bench_function("duplicate/hash", |b| {
        b.iter(|| likeness(black_box(&packet), black_box(7), black_box(&frame)));
    });
    let mut seen = Duplicates::new(1024);
    let (mut now, mut hash) = (Ts::from_nanos(0), 0_u64);
    c.bench_function("duplicate/check", |b| {
        b.iter(|| {
            now = now.plus(Span::from_nanos(20_000));
            hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
            seen.is_duplicate(black_box(&packet), hash, now, now, 0)
        });
    });
}

fn reassembly(c: &mut Criterion) {
    let parts = [fragment(0, false), fragment(22, true)];
    let mut table = IpReassembler::default();
    let mut now = Ts::from_nanos(0);
    c.bench_function("ip/two-fragments", |b| {
        b.iter(|| {
            now = now.plus(Span::from_millis(10));
            for part in &parts {
                if let Decoded::Fragment(part_of) = decode(Some(LinkType::ETHERNET), part, 214) {
                    let data = part_of.data(part);
                    black_box(table.push(&part_of, data, FrameId::default(), now));
                }
            }
        });
    });

    let (mut direction, mut purse) = (Direction::new(), Purse::new(1 << 20));
    let payload = [b'x'; 700];
    let mut seq = 0_u32;
    c.bench_function("tcp/in-order", |b| {
        b.iter(|| {
            let segment = Segment { seq, flags: 0x10, payload: &payload, wire_len: 700 };
            direction.push(&segment, &mut purse, &mut |delivery| {
                black_box(delivery.octets);
            });
            seq = seq.wrapping_add(700);
        });
    });
    c.bench_function("tcp/swapped-pair", |b| {
        b.iter(|| {
            for at in [700, 0] {
                let seq = seq.wrapping_add(at);
                let segment = Segment { seq, flags: 0x10, payload: &payload, wire_len: 700 };
                direction.push(&segment, &mut purse, &mut |delivery| {
                    black_box(delivery.octets);
                });
            }
            seq = seq.wrapping_add(1400);
        });
    });
}

criterion_group!(benches, decoding, duplicates, reassembly);
criterion_main!(benches);
