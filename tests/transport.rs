//! Every transport that is read, proved by the scenarios in `fixtures/transport`: what they expect
//! is checked with all other scenarios (`tests/scenarios.rs`), and their reports with any number of
//! lanes (`tests/determinism.rs`). Here tshark, where it is installed, has to see as many SIP messages
//! and RTP packets, and what is damaged has to come back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use overhear::scenario::{self, Scenario};
use support::{Fixture, fixtures, review, root, sums, value, written};

/// What tshark has to be told, by scenario; `None` where it cannot see what is there.
const TOLD: [(&str, Option<&[&str]>); 17] = [
    ("bundle", Some(&[])),
    ("ice_tcp", Some(RFC4571)),
    ("msrp", Some(&[])),
    ("rtp_tcp", Some(RFC4571)),
    ("sctp_call", Some(&[])),
    ("sctp_other", Some(&[])),
    ("sctp_pieces", Some(&[])),
    ("turn_both", Some(INSIDE)),
    ("turn_channel", Some(INSIDE)),
    ("turn_indications", Some(INSIDE)),
    ("turn_midstream", Some(INSIDE)),
    ("turn_tcp", Some(INSIDE)),
    ("ws_call", Some(&[])),
    ("ws_lost", Some(&[])),
    // Without the upgrade it sees no WebSocket.
    ("ws_midstream", None),
    ("ws_other", Some(&[])),
    ("ws_pieces", Some(&[])),
];

const RFC4571: &[&str] = &["-d", "tcp.port==50000,rtp", "-d", "tcp.port==50004,rtp"];
const INSIDE: &[&str] = &["-o", "rtp.heuristic_rtp:TRUE"];

fn transports() -> impl Iterator<Item = (&'static str, &'static Fixture)> {
    fixtures().iter().filter_map(|fixture| {
        let name = fixture.name.strip_prefix("transport/")?.strip_suffix(".scn")?;
        Some((name, fixture))
    })
}

/// SIP messages and RTP packets, as tshark sees them.
fn seen_by_tshark(fixture: &Fixture, options: &[&str]) -> (u64, u64) {
    let output = Command::new("tshark")
        .args(["-r", fixture.path.to_str().unwrap(), "-Y", "sip || rtp"])
        .args(["-T", "fields", "-e", "sip.CSeq", "-e", "rtp.ssrc"])
        .args(options)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let of = |field: usize| {
        let cells = text.lines().filter_map(|line| line.split('\t').nth(field));
        let counts = cells.filter(|cell| !cell.is_empty()).map(|cell| cell.split(',').count());
        u64::try_from(counts.sum::<usize>()).unwrap()
    };
    (of(0), of(1))
}

#[test]
fn tshark_sees_as_many_messages_and_packets() {
    if Command::new("tshark").arg("-v").output().is_err() {
        println!("skipped: there is no tshark");
        return;
    }
    let mut wrong = Vec::new();
    for (name, fixture) in transports() {
        let told = TOLD.iter().find(|(of, _)| *of == name);
        let Some((_, options)) = told else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        let Some(options) = options else { continue };
        let counts = &value(&mut review(&fixture.config()).unwrap())["counts"];
        let ours = [&counts["sip_messages"], &counts["rtp_packets"]].map(|n| n.as_u64().unwrap());
        let theirs = seen_by_tshark(fixture, options);
        if theirs != (ours[0], ours[1]) {
            wrong.push(format!("{name}: {ours:?}, tshark {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_scenario_is_in_the_table_of_the_documents() {
    let document = fs::read_to_string(root().join("docs/arrival.md")).unwrap();
    let listed: BTreeSet<&str> = document.split('`').collect();
    for (name, _) in transports() {
        assert!(listed.contains(name), "{name} is not in docs/arrival.md");
    }
}

/// A scenario's frames.
fn compiled(name: &str) -> Scenario {
    let path = root().join("fixtures/transport").join(format!("{name}.scn"));
    scenario::compile(&fs::read_to_string(path).unwrap(), name).unwrap()
}

/// Reviews a scenario and checks that each frame is booked once.
fn booked_once(name: &str, scenario: &Scenario) {
    let fixture = written(&format!("damaged-{name}"), scenario);
    let mut outcome = review(&fixture.config()).unwrap();
    let (packets, handled, skipped) = sums(&value(&mut outcome));
    assert_eq!(packets, handled + skipped, "{name}");
}

#[test]
fn frames_that_are_cut_lost_or_changed_are_booked_once() {
    for (name, _) in transports() {
        let whole = compiled(name);
        for round in 0..24_usize {
            let mut damaged = whole.clone();
            for (number, frame) in damaged.frames.iter_mut().enumerate() {
                // A fixed mixture of rounds and frames.
                let mixed = (number + 1).wrapping_mul(2_654_435_761).wrapping_add(round * 7_919);
                let len = frame.octets.len();
                match mixed >> 7 & 7 {
                    0 => frame.octets[34 + mixed % (len - 34)] ^= 1 << (mixed >> 3 & 7),
                    1 if round % 3 == 0 => frame.captured = 14 + mixed % (len - 14),
                    _ => {}
                }
            }
            if round % 2 == 0 {
                let mut number = 0;
                damaged.frames.retain(|_| {
                    number += 1;
                    (number * 31 + round) % 11 != 0
                });
            }
            booked_once(name, &damaged);
        }
    }
}
