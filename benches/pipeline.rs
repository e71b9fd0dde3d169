//! What a review costs from the file to the outcome, a frame, with one lane and with two; and what a
//! record costs to write as JSON.
//!
//! `cargo bench --bench pipeline`, with `OVERHEAR_WORKLOADS` on the first 200,000 frames of `w1_025`, `w2`
//! and `f10k`, else on a capture made from a scenario. Lanes only help on whole cores: on a busy machine
//! the figures of one lane are the ones to compare.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot run should stop there")]

mod support;

use std::hint::black_box;
use std::io;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use overhear::engine::{Config, review};
use overhear::report::{Outcome, json};

use support::Captures;

fn reviewed(path: &Path, lanes: usize) -> Outcome {
    let config = Config { lanes, ..Config::of(vec![path.to_owned()]) };
    review(&config, &mut |_| {}).unwrap()
}

fn whole(criterion: &mut Criterion) {
    let captures = Captures::new(&["w1_025", "w2", "f10k"]);
    let mut group = criterion.benchmark_group("review");
    group.sample_size(10);
    for (name, path, frames) in &captures.files {
        group.throughput(Throughput::Elements(*frames));
        for lanes in [1, 2] {
            group.bench_function(format!("{name}/lanes-{lanes}"), |bencher| {
                bencher.iter(|| black_box(reviewed(path, lanes)));
            });
        }
    }
    group.finish();

    let mut group = criterion.benchmark_group("json");
    group.sample_size(10);
    for (name, path, _) in &captures.files {
        let mut outcome = reviewed(path, 1);
        let counts = &outcome.counts;
        let records = counts.calls + counts.registrations + counts.rtp_streams;
        let records = records + outcome.findings.len() as u64;
        group.throughput(Throughput::Elements(records));
        group.bench_function(name.as_str(), |bencher| {
            bencher.iter(|| json::write(&mut outcome, 1, &mut io::sink()).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, whole);
criterion_main!(benches);
