//! Whether our reader of the RTP header keeps its lead over the `rtp-rs` crate on the same packets
//! (`docs/decisions/0002-rtp-header.md`).
//!
//! `cargo bench --bench rtp`; a figure per element is one packet.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use overhear_parsers::rtp::header::Header;
use rtp_rs::RtpReader;

/// One packet a cache line apart from the next; `first` chooses the options.
fn packets(first: u8) -> Vec<Vec<u8>> {
    (0..1024_u16)
        .map(|n| {
            let mut packet = vec![first, 0];
            packet.extend(n.to_be_bytes());
            packet.extend((u32::from(n) * 160).to_be_bytes());
            packet.extend([0xde, 0xad, 0xbe, 0xef]);
            packet.extend(vec![0; usize::from(first & 15) * 4]);
            if first & 0x10 != 0 {
                packet.extend([0xbe, 0xde, 0, 1, 0x10, 0x2a, 0, 0]);
            }
            packet.extend(vec![0xd5; 160]);
            packet
        })
        .collect()
}

fn header(criterion: &mut Criterion) {
    for (name, first) in [("plain", 0x80), ("extension", 0x90), ("sources", 0x82)] {
        let packets = packets(first);
        let mut group = criterion.benchmark_group(format!("rtp-header/{name}"));
        group.throughput(Throughput::Elements(packets.len() as u64));
        group.bench_function("ours", |bencher| {
            bencher.iter(|| {
                for packet in &packets {
                    if let Ok(header) = Header::parse(black_box(packet)) {
                        black_box(header);
                    }
                }
            });
        });
        group.bench_function("rtp-rs", |bencher| {
            bencher.iter(|| {
                for packet in &packets {
                    if let Ok(reader) = RtpReader::new(black_box(packet)) {
                        black_box((
                            reader.mark(),
                            reader.payload_type(),
                            u16::from(reader.sequence_number()),
                            reader.timestamp(),
                            reader.ssrc(),
                            reader.extension(),
                            reader.payload(),
                        ));
                    }
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, header);
criterion_main!(benches);
