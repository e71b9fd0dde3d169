//! Invariant 1, total: whatever is cut off or turned around in a capture, a review returns. The
//! parsers have tests of their own in `parsers/tests`; what is refused in the sources is refused
//! here too.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::fmt::Write as _;
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

/// What goes between media sockets, in hexadecimal.
const MEDIA: [&str; 12] = [
    // RTP, an event and comfort noise; SRTP as far as can be seen.
    "8000000100000001000000aad5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5",
    "80e5000200000001000000aa050a00a0",
    "800d000300000001000000aa40",
    "8000000400000001000000aa8f13c1a2b40d5e66718290aabbccddeeff00112233445566",
    // SR with SDES; SRTCP.
    "80c80006000000aa00000002000000030000000400000005000000068 1ca0003000000aa0103614062000000",
    "80c90001000000aa555555555555555580000001aaaaaaaaaaaaaaaaaaaa",
    // UDPTL with an earlier packet.
    "0003010600010100",
    // ZRTP: Hello and GoClear.
    "100000095a52545000000005505a0003 48656c6c6f202020 01020304",
    "1000000a5a52545000000005505a0003 476f436c65617220 01020304",
    // A DTLS handshake record, an encrypted one, DTLS 1.3.
    "16fefd0000000000000000000d0b000001000100000000000109",
    "17fefd00010000000000010010000102030405060708090a0b0c0d0e0f",
    "2e000100100000000000000000000000000000000000",
];

/// One of these with a few octets changed, cut, or numbered anew.
fn damaged_media(dice: &mut Dice) -> String {
    let digits: Vec<u32> = MEDIA[usize::try_from(dice.below(12)).unwrap()]
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    let mut octets: Vec<u8> =
        digits.as_chunks::<2>().0.iter().map(|[a, b]| u8::try_from(a * 16 + b).unwrap()).collect();
    if octets[0] == 0x80 && dice.below(4) > 0 {
        let number = u16::try_from(dice.below(400)).unwrap().to_be_bytes();
        octets[2..4].copy_from_slice(&number);
    }
    for _ in 0..dice.below(3) {
        let at = usize::try_from(dice.below(octets.len() as u64)).unwrap();
        octets[at] ^= 1 << dice.below(8);
    }
    if dice.one_in(6) {
        octets.truncate(usize::try_from(dice.below(octets.len() as u64)).unwrap().max(1));
    }
    octets.iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
}

#[test]
fn damaged_media_between_the_sockets_of_calls_returns() {
    let mut dice = Dice::new(2_026);
    let mut text =
        String::from("host alice 192.0.2.10\nhost pbx 198.51.100.5\nhost eve 192.0.2.66\n");
    for (place, keys) in ["", "crypto=AES_CM_128_HMAC_SHA1_80", "fingerprint"].iter().enumerate() {
        let ports = format!("{},{}", 40_000 + 2 * place, 50_000 + 2 * place);
        writeln!(text, "call alice > pbx {keys} ports={ports} talk=4s @{place}s").unwrap();
        text += "  offer a=zrtp-hash:1.10 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    }
    text += "call alice > pbx media=none ports=40006,50006 talk=4s @3s\n";
    text += "  answer m=image 50008 udptl t38\n";
    for number in 0..6_000 {
        let from = ["alice", "pbx", "eve"][usize::try_from(dice.below(3)).unwrap()];
        let to = if from == "pbx" { "alice" } else { "pbx" };
        let port = |of: &str, dice: &mut Dice| {
            (if of == "pbx" { 50_000 } else { 40_000 }) + 2 * dice.below(5)
        };
        let (from_port, to_port) = (port(from, &mut dice), port(to, &mut dice));
        let media = damaged_media(&mut dice);
        writeln!(text, "udp {from}:{from_port} > {to}:{to_port} hex @{number}ms\n  {media}")
            .unwrap();
    }
    let fixture = support::made("damaged-media", &text);
    for limits in [fixture.policy.limits.clone(), tiny()] {
        let policy = Policy { limits, ..fixture.policy.clone() };
        let mut outcome = review(&Config { policy, ..fixture.config() }).unwrap();
        let (packets, handled, skipped) = sums(&value(&mut outcome));
        assert!(packets > 6_000 && packets == handled + skipped);
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
