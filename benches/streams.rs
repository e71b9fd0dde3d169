//! What the stream table costs for one packet of an existing stream, round robin over many streams,
//! every packet with the next number and timestamp: how far the cost grows once the table is larger
//! than the core's caches; and what a closer look adds while it lasts.
//!
//! `cargo bench --bench streams`; a figure per element is one packet.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use overhear::decode::Packet;
use overhear::model::addr::{Addr, Endpoint, Proto};
use overhear::model::frame::FrameId;
use overhear::model::stream::StreamKey;
use overhear::model::time::{Span, Ts};
use overhear::track::figures::Look;
use overhear::track::input::Input;
use overhear::track::stream::{Sought, StreamLimits, Streams};
use overhear_parsers::rtp::header::Header;

struct Load {
    streams: Streams,
    keys: Vec<(StreamKey, u64, u64)>,
    payload: Vec<u8>,
    payload_type: u8,
    ordinal: u64,
}

impl Load {
    fn new(count: u32, payload_type: u8) -> Self {
        let limits = StreamLimits {
            streams: count,
            armed: 800,
            noted: 100,
            replays: 100,
            idle: Span::from_secs(60),
        };
        let keys = (0..count).map(|n| {
            let [a, b, c, d] = n.to_be_bytes();
            let src = Endpoint::new(Addr::v4([10, b, c, d]), 4000);
            let dst = Endpoint::new(Addr::v4([192, 0, 2, a]), 5000);
            let key = StreamKey { src, dst, ssrc: n.wrapping_mul(0x9e37_79b9) };
            (key, key.hash64(), key.flow().hash64())
        });
        let payload = (0..160_u8).map(|i| i.wrapping_mul(i)).collect();
        let keys = keys.collect();
        Self { streams: Streams::new(limits), keys, payload, payload_type, ordinal: 0 }
    }

    /// One packet of every stream.
    fn round(&mut self) {
        let packet = self.ordinal / self.keys.len() as u64;
        let sequence = u16::try_from(packet & 0xffff).unwrap_or(0);
        for (key, hash, flow_hash) in &self.keys {
            let nanos = self.ordinal * 20_000_000 / self.keys.len() as u64;
            self.ordinal += 1;
            let ts = Ts::from_nanos(nanos.cast_signed());
            let header = Header {
                marker: false,
                payload_type: self.payload_type,
                sequence,
                timestamp: u32::from(sequence).wrapping_mul(160),
                ssrc: key.ssrc,
                csrc: &[],
                extension: None,
                padding: false,
                payload: &self.payload,
            };
            let (src, dst, proto) = (key.src, key.dst, Proto::UDP);
            let input = Input {
                packet: Packet { src, dst, proto, ttl: 64, dscp: 46, ..Packet::default() },
                ts,
                watermark: ts,
                frame: FrameId { source: 0, number: self.ordinal },
                ordinal: self.ordinal,
                wire_len: 214,
                flow: *flow_hash,
                ..Input::default()
            };
            let mut out = |event| {
                black_box(&event);
            };
            self.streams.advance(ts, &mut out);
            let sought = Sought::of(*hash);
            self.streams.packet(sought, black_box(&header), black_box(&input), &mut out);
        }
    }
}

fn packet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("streams");
    group.sample_size(10);
    for count in [4_000_u32, 250_000] {
        for (name, payload_type) in [("static", 0), ("dynamic", 96)] {
            let mut load = Load::new(count, payload_type);
            // Past the first look, which is measured apart by what a round costs before.
            for _ in 0..100 {
                load.round();
            }
            group.throughput(Throughput::Elements(u64::from(count)));
            group.bench_function(format!("{name}/{count}"), |bencher| {
                bencher.iter(|| load.round());
            });
        }
    }
    group.finish();
}

/// What a packet costs more while its stream is looked at closely; most streams are looked at for 64
/// packets in 3,000.
fn look(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("look");
    group.throughput(Throughput::Elements(64));
    for octets in [20_u8, 160] {
        let payloads: Vec<Vec<u8>> = (0..64_u8)
            .map(|n| (0..octets).map(|i| i.wrapping_mul(n).wrapping_add(i)).collect())
            .collect();
        group.bench_function(format!("{octets} octets"), |bencher| {
            bencher.iter(|| {
                let mut look = Box::new(Look::new(0));
                for (sequence, payload) in (0_u16..).zip(&payloads) {
                    let timestamp = u32::from(sequence) * 160;
                    let header = Header {
                        marker: false,
                        payload_type: 0,
                        sequence,
                        timestamp,
                        ssrc: 1,
                        csrc: &[],
                        extension: None,
                        padding: false,
                        payload,
                    };
                    black_box(look.packet(black_box(&header), u16::from(octets), true));
                }
                look.finish()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, packet, look);
criterion_main!(benches);
