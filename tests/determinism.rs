//! Invariant 5, deterministic: any number of lanes, any epoch cut, any kind of source, and the
//! report is the same octets; also where tables are so small that they evict all the time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that goes wrong stops there")]

mod support;

use std::fs::File;
use std::process::{Command, Stdio};

use overhear::engine::Cut;
use overhear::policy::{Limits, Policy};
use support::{Fixture, assert_same, fixtures, report, tiny, workload};

const LANES: [usize; 4] = [1, 2, 3, 8];
const CUTS: [usize; 3] = [1, 7, 4_096];

/// Ways of which each number of lanes and each cut is part, where there are many captures.
const SOME: [(usize, usize); 5] = [(1, 1), (2, 7), (3, 4_096), (8, 1), (8, 4_096)];

/// Reviews under every number of lanes and every cut, and expects one report.
fn every_way(fixture: &Fixture, limits: &Limits, what: &str) -> String {
    let all: Vec<(usize, usize)> =
        LANES.iter().flat_map(|lanes| CUTS.map(|frames| (*lanes, frames))).collect();
    some_ways(fixture, limits, what, &all)
}

fn some_ways(fixture: &Fixture, limits: &Limits, what: &str, ways: &[(usize, usize)]) -> String {
    let policy = Policy { limits: limits.clone(), ..fixture.policy.clone() };
    let base = support::Config { policy, ..fixture.config() };
    let first = report(&base);
    for &(lanes, frames) in ways {
        let epoch = Cut { frames, ..Cut::default() };
        let other = report(&support::Config { lanes, epoch, ..base.clone() });
        let what = format!("{} {what}, {lanes} lanes, {frames} frames", fixture.name);
        assert_same(&first, &other, &what);
    }
    first
}

#[test]
fn every_fixture_reads_the_same_for_any_lanes_and_cuts() {
    for fixture in fixtures() {
        some_ways(fixture, &fixture.policy.limits, "usual", &SOME);
    }
}

#[test]
fn every_fixture_reads_the_same_while_tables_evict() {
    for fixture in fixtures() {
        some_ways(fixture, &tiny(), "tiny", &SOME);
    }
}

#[test]
fn a_busy_capture_reads_the_same_for_any_lanes_and_cuts() {
    let busy = workload::capture(300, 7);
    let report = every_way(&busy, &busy.policy.limits, "usual");
    // The comparison is worth something only if all that happened.
    for needle in ["\"SENSOR-TIME\"", "\"duplicate\"", "\"fragment", "\"stun\"", "\"MEDIA-"] {
        assert!(report.contains(needle), "{needle} is not in the report of the busy capture");
    }
}

#[test]
fn a_busy_capture_reads_the_same_while_tables_evict() {
    for seed in [7, 8] {
        let busy = workload::capture(200, seed);
        let report = every_way(&busy, &tiny(), "tiny");
        for table in ["streams", "calls", "transactions", "announcements", "tcp_flows"] {
            let entry = format!("\"{table}\":");
            assert!(report.contains(&entry), "{table} did not evict");
        }
    }
}

#[test]
fn each_table_by_itself_reads_the_same_while_it_evicts() {
    let busy = workload::capture(120, 9);
    let usual = Limits::default();
    let small = tiny();
    for (name, limits) in [
        ("streams", Limits { streams: small.streams, ..usual.clone() }),
        ("armed", Limits { armed: small.armed, ..usual.clone() }),
        ("tcp_flows", Limits { tcp_flows: small.tcp_flows, ..usual.clone() }),
        ("udp_flows", Limits { udp_flows: small.udp_flows, ..usual.clone() }),
        ("reassembly", Limits { reassembly_octets: 64, ..usual.clone() }),
        ("fragments", Limits { fragment_octets: 2_000, ..usual.clone() }),
        ("duplicates", Limits { duplicates: 64, ..usual.clone() }),
        ("transactions", Limits { transactions: 2, ..usual.clone() }),
        ("calls", Limits { calls: 2, ..usual.clone() }),
        ("registrations", Limits { registrations: 1, ..usual.clone() }),
        ("announcements", Limits { announcements: 3, ..usual.clone() }),
        ("findings", Limits { findings_per_rule: 1, peers: 1, ..usual.clone() }),
        ("records", Limits { records_octets: 64, ..usual.clone() }),
        ("spool", Limits { records_octets: 64, spool_octets: 4_096, ..usual.clone() }),
        (
            "times",
            Limits {
                idle: overhear::model::time::Span::from_millis(90),
                tcp_idle: overhear::model::time::Span::from_millis(700),
                fragment_wait: overhear::model::time::Span::from_millis(50),
                transaction_life: overhear::model::time::Span::from_millis(300),
                call_linger: overhear::model::time::Span::from_millis(100),
                call_idle: overhear::model::time::Span::from_millis(400),
                ..usual.clone()
            },
        ),
    ] {
        some_ways(&busy, &limits, name, &SOME);
    }
}

#[test]
fn several_files_read_the_same_for_any_lanes_and_cuts() {
    let (one, two) = (workload::capture(40, 3), workload::capture(40, 4));
    let sources = vec![one.path.clone(), two.path];
    let base = support::Config { sources, ..one.config() };
    let first = report(&base);
    for lanes in LANES {
        for frames in CUTS {
            let epoch = Cut { frames, ..Cut::default() };
            let other = report(&support::Config { lanes, epoch, ..base.clone() });
            assert_same(&first, &other, &format!("two files, {lanes} lanes, {frames} frames"));
        }
    }
}

#[test]
fn a_mapped_file_and_a_read_file_are_the_same() {
    let busy = workload::capture(200, 7);
    for fixture in fixtures().iter().chain([&busy]) {
        let mapped = report(&fixture.config());
        let read = report(&support::Config { mmap: false, ..fixture.config() });
        assert_same(&mapped, &read, &fixture.name);
    }
}

/// What the binary writes to stdout as JSON, with an exit status.
fn run(fixture: &Fixture, source: &str, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("overhear"));
    command.args(["review", source, "--json", "-", "--quiet"]).args(more);
    if source == "-" {
        command.stdin(File::open(&fixture.path).unwrap());
    } else {
        command.stdin(Stdio::null());
    }
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// A report without what names the source.
fn nameless(report: &str, path: &str) -> String {
    let name = serde_json::to_string(path).unwrap();
    report
        .replace(&format!("\"path\":{name}"), "\"path\":\"\"")
        .replace("\"path\":\"-\"", "\"path\":\"\"")
        .replace("\"via\":\"stdin\"", "\"via\":\"file\"")
        .replace(&format!("{path} was"), "- was")
        .replace(&format!("of {path} were"), "of - were")
}

#[test]
fn standard_input_and_a_file_differ_in_path_and_via_only() {
    let busy = workload::capture(200, 7);
    let chosen = fixtures().iter().filter(|fixture| !fixture.is_scenario()).chain([&busy]);
    for fixture in chosen {
        let path = fixture.path.to_str().unwrap();
        let (status, file) = run(fixture, path, &["--lanes", "2"]);
        let (piped_status, piped) = run(fixture, "-", &["--lanes", "1"]);
        let (read_status, read) = run(fixture, path, &["--no-mmap", "--lanes", "3"]);
        assert_eq!((status, status), (piped_status, read_status), "{}", fixture.name);
        assert_same(&file, &read, &fixture.name);
        assert_same(&nameless(&file, path), &nameless(&piped, path), &fixture.name);
        assert!(file.contains("\"via\":\"file\"") || status == Some(2), "{}", fixture.name);
    }
}
