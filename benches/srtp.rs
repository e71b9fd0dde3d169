//! What it costs to prove that a key opens a packet, and to open it (RFC 3711 §3.3): packets of G.711
//! with 160 octets of payload. Proofs look at three packets of a stream; a second pass over a capture
//! opens all of them.
//!
//! `cargo bench --bench srtp`; a figure per element is one packet.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use overhear::prove::srtp::{MasterKey, Session, Suite};

/// A session and 1,024 packets that it protected.
fn protected(suite: Suite) -> (Session, Vec<Vec<u8>>) {
    let octets: Vec<u8> = (1..=46).take(suite.key_octets() + suite.salt_octets()).collect();
    let session = MasterKey::new(suite, &octets).and_then(|key| key.session());
    #[expect(clippy::expect_used, reason = "the key is as long as the suite asks for")]
    let session = session.expect("a session");
    let packets = (0..1024_u16).filter_map(|n| {
        let mut packet = vec![0x80, 0];
        packet.extend(n.to_be_bytes());
        packet.extend((u32::from(n) * 160).to_be_bytes());
        packet.extend([0xde, 0xad, 0xbe, 0xef]);
        packet.extend(vec![0xd5; 160]);
        session.protect(&packet, 0, &[])
    });
    let packets = packets.collect();
    (session, packets)
}

fn srtp(criterion: &mut Criterion) {
    for suite in [Suite::AesCm128Sha1Tag80, Suite::AesCm256Sha1Tag80, Suite::AeadAes128Gcm] {
        let (session, packets) = protected(suite);
        let mut group = criterion.benchmark_group(format!("srtp/{}", suite.name()));
        group.throughput(Throughput::Elements(packets.len() as u64));
        group.bench_function("verify", |bencher| {
            bencher.iter(|| {
                for packet in &packets {
                    black_box(session.verify(black_box(packet), 0));
                }
            });
        });
        group.bench_function("open", |bencher| {
            let mut out = Vec::new();
            bencher.iter(|| {
                for packet in &packets {
                    black_box(session.open(black_box(packet), 0, &mut out)).ok();
                }
            });
        });
        group.finish();
        criterion.bench_function(&format!("srtp/{}/session", suite.name()), |bencher| {
            let octets: Vec<u8> = (1..=46).take(suite.key_octets() + suite.salt_octets()).collect();
            let key = MasterKey::new(suite, &octets);
            bencher.iter(|| black_box(black_box(key).and_then(|key| key.session())));
        });
    }
}

criterion_group!(benches, srtp);
criterion_main!(benches);
