//! What a frame costs to read: mapped against read in blocks, both formats, and a merge of one.
//!
//! `cargo bench --bench reader`; a figure per element is one frame
//! (`docs/decisions/0003-reading-files.md`). Without a system's page cache these figures mean little:
//! the files are written and read once before anything is measured.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot run should stop there")]

use std::fs::File;
use std::hint::black_box;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use overhear::capture::{Chunk, Merge, MergedBatch, OpenOptions, PcapWriter, PcapngWriter, Source};
use overhear::model::frame::LinkType;
use overhear::model::time::Ts;

const FRAMES: u32 = 500_000;

/// Voice-sized frames: 214 octets, 20 ms apart.
fn written(folder: &Path) -> [(&'static str, PathBuf); 2] {
    let files = [("pcap", folder.join("a.pcap")), ("pcapng", folder.join("a.pcapng"))];
    let [(_, plain), (_, blocks)] = &files;
    let file = |path: &Path| BufWriter::new(File::create(path).unwrap());
    let mut pcap = PcapWriter::new(file(plain), LinkType::ETHERNET).unwrap();
    let mut pcapng = PcapngWriter::new(file(blocks), "bench").unwrap();
    for n in 0..FRAMES {
        let ts = Ts::from_nanos(i64::from(n) * 20_000_000);
        let octets = [n.to_le_bytes()[0]; 214];
        pcap.packet(ts, 214, &octets).unwrap();
        pcapng.packet(Some(ts), LinkType::ETHERNET, 214, &octets, None).unwrap();
    }
    pcap.finish().unwrap();
    pcapng.finish().unwrap();
    files
}

/// Looks at the first octet of every frame, as a lane does at least.
fn chunks(path: &Path, mmap: bool) {
    let mut source = Source::open(path, &OpenOptions::mapping(mmap)).unwrap();
    let mut chunk = Chunk::default();
    while source.fill(&mut chunk, 512).unwrap() {
        for frame in &chunk.frames {
            black_box(chunk.backing.frame(frame).first());
        }
    }
}

fn merged(path: &Path, mmap: bool) {
    let mut merge = Merge::new(vec![Source::open(path, &OpenOptions::mapping(mmap)).unwrap()]);
    let mut batch = MergedBatch::default();
    while merge.next_batch(512, &mut batch) {
        for (_, backing, frame) in &batch.frames {
            let backing = batch.backings.get(usize::from(*backing));
            black_box(backing.and_then(|backing| backing.frame(frame).first()));
        }
    }
}

fn reader(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let mut group = criterion.benchmark_group("reader");
    group.throughput(Throughput::Elements(u64::from(FRAMES))).sample_size(10);
    for (format, path) in &written(folder.path()) {
        chunks(path, false);
        for (way, mmap) in [("mapped", true), ("blocks", false)] {
            group.bench_function(format!("{format}/{way}"), |bencher| {
                bencher.iter(|| chunks(path, mmap));
            });
            group.bench_function(format!("{format}/{way}/merged"), |bencher| {
                bencher.iter(|| merged(path, mmap));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, reader);
criterion_main!(benches);
