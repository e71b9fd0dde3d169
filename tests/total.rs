//! Invariant 1, total: whatever is cut off or turned around in a capture, a review returns. The
//! parsers have tests of their own in `parsers/tests`; what is refused in the sources is refused
//! here too.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use overhear::policy::Policy;
use support::source::sources;
use support::workload::Dice;
use support::{Config, Fixture, fixtures, review, scratch, sums, text, tiny, value};

/// Files up to this size are cut at every octet.
const SMALL: usize = 2_000;
/// Cuts of a larger file, and changes of every file.
const CUTS: usize = 12;
const CHANGES: usize = 24;

/// Reviews and writes; the frames must be accounted for even here.
fn survives(octets: &[u8], policy: &Policy, place: &Path, what: &str) {
    fs::write(place, octets).unwrap();
    let config = Config { policy: policy.clone(), hash: false, ..support::config(place) };
    let reviewed = catch_unwind(AssertUnwindSafe(|| {
        if let Some(mut outcome) = review(&config) {
            let report = value(&mut outcome);
            let (packets, handled, skipped) = sums(&report);
            assert_eq!(packets, handled + skipped);
            assert!(text(&mut outcome).ends_with("}\n"));
        }
    }));
    assert!(reviewed.is_ok(), "{what}: the file is {}", place.display());
}

/// Where to cut a file: everywhere if it is small, else at places that any run chooses alike.
fn cuts(len: usize, dice: &mut Dice) -> Vec<usize> {
    if len <= SMALL {
        return (0..len).collect();
    }
    (0..CUTS).map(|_| usize::try_from(dice.below(len as u64)).unwrap()).collect()
}

/// The file with a few bits turned, or a few octets set to what parsers stumble over.
fn changed(octets: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut octets = octets.to_vec();
    for _ in 0..=dice.below(4) {
        let Ok(at) = usize::try_from(dice.below(octets.len() as u64)) else { break };
        let Some(octet) = octets.get_mut(at) else { break };
        match dice.below(4) {
            0 => *octet = [0, 0xff, 0x7f, 0x80, b'\r', b'\n', b':', b'='][at % 8],
            _ => *octet ^= 1 << dice.below(8),
        }
    }
    octets
}

fn torment(fixture: &Fixture, number: usize, thread: usize) {
    let place = scratch(&format!("total-{thread}.bin"), &[]);
    let octets = fs::read(&fixture.path).unwrap();
    // A megabyte that is read a hundred times over proves no more than its beginning.
    let octets = &octets[..octets.len().min(120_000)];
    let mut dice = Dice::new(number as u64 + 77);
    let small = Policy { limits: tiny(), ..fixture.policy.clone() };
    for cut in cuts(octets.len(), &mut dice) {
        let policy = if cut % 2 == 0 { &fixture.policy } else { &small };
        survives(&octets[..cut], policy, &place, &format!("{} cut at {cut}", fixture.name));
    }
    if octets.is_empty() {
        return;
    }
    for change in 0..CHANGES {
        let policy = if change % 2 == 0 { &fixture.policy } else { &small };
        let octets = changed(octets, &mut dice);
        survives(&octets, policy, &place, &format!("{}, change {change}", fixture.name));
    }
}

#[test]
fn every_cut_and_many_changes_of_every_capture_return() {
    let next = AtomicUsize::new(0);
    let all = fixtures();
    thread::scope(|scope| {
        for number in 0..2 {
            let next = &next;
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(fixture) = all.get(place) else { break };
                    torment(fixture, place, number);
                }
            });
        }
    });
}

#[test]
fn every_bit_of_a_small_capture_may_be_turned() {
    let place = scratch("total-bits.bin", &[]);
    for name in ["edge/ok.pcap", "edge/ng_ok.pcapng"] {
        let fixture = fixtures().iter().find(|fixture| fixture.name == name).unwrap();
        let octets = fs::read(&fixture.path).unwrap();
        for bit in 0..octets.len() * 8 {
            let mut octets = octets.clone();
            octets[bit / 8] ^= 1 << (bit % 8);
            survives(&octets, &fixture.policy, &place, &format!("{name}, bit {bit}"));
        }
    }
}

#[test]
fn no_source_gives_up() {
    let words = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "unreachable!(",
        "todo!(",
        "unimplemented!(",
        "assert!(",
        "assert_eq!(",
        "assert_ne!(",
        "process::exit",
        "process::abort",
        ".unwrap_err(",
    ];
    // What the fuzzer runs asserts on purpose.
    let fuzz = |path: &str| path.starts_with("parsers/src/fuzz");
    for source in sources().iter().filter(|source| !fuzz(&source.path)) {
        for word in words {
            let debug = format!("debug_{word}");
            let found = source.code.matches(word).count() - source.code.matches(&debug).count();
            assert_eq!(found, 0, "{word} in {}", source.path);
        }
    }
}

#[test]
fn what_reads_octets_from_the_wire_denies_casts_and_bare_arithmetic() {
    for file in [
        "src/capture/mod.rs",
        "src/decode/mod.rs",
        "src/reassemble/mod.rs",
        "src/dissect/mod.rs",
        "parsers/src/lib.rs",
    ] {
        let source = sources().iter().find(|source| source.path == file).unwrap();
        for lint in ["clippy::arithmetic_side_effects", "clippy::as_conversions"] {
            let denied = source.code.contains("deny(") || source.code.contains("warn(");
            assert!(denied && source.code.contains(lint), "{file} does not deny {lint}");
        }
    }
    let manifest = fs::read_to_string(support::root().join("Cargo.toml")).unwrap();
    for lint in ["unwrap_used", "expect_used", "panic", "indexing_slicing", "string_slice"] {
        assert!(manifest.contains(&format!("\n{lint} = ")), "{lint} is allowed");
    }
}
