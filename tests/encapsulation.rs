//! Every encapsulation, proved by a capture in `fixtures/encapsulation`: a small call wrapped in it
//! gives the report of the plain call. The captures are made here; `OVERHEAR_BLESS=1` writes them
//! anew. Where tshark is installed, it has to see as many SIP and RTP packets in each of them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::wildcard_imports,
    clippy::many_single_char_names,
    clippy::cast_possible_truncation,
    reason = "a test"
)]

mod support;

#[path = "encapsulation/hep.rs"]
mod hep;
#[path = "encapsulation/table.rs"]
mod table;
#[path = "encapsulation/ways.rs"]
mod ways;
#[path = "encapsulation/wrap.rs"]
mod wrap;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use overhear::decode::{Decoded, decode};
use overhear::model::frame::LinkType;
use overhear::policy::Policy;
use overhear::scenario::{self, Scenario, ScenarioFrame};
use serde_json::Value;
use support::{config, review, root, scratch, value};
use table::{Base, Row};

fn folder() -> PathBuf {
    root().join("fixtures/encapsulation")
}

/// The frames of a base: bare IP packets.
pub(crate) fn base(base: Base) -> Vec<ScenarioFrame> {
    let name = match base {
        Base::V4 => "plain.scn",
        Base::V6 => "plain6.scn",
        Base::Fragments => "fragments.scn",
    };
    let text = fs::read_to_string(folder().join(name)).unwrap();
    scenario::compile(&text, name).unwrap().frames
}

/// A pcap file of these frames.
pub(crate) fn pcap(frames: Vec<ScenarioFrame>) -> Vec<u8> {
    let scenario = Scenario {
        title: String::new(),
        frames,
        expectations: Vec::new(),
        policy: Policy::default(),
    };
    let mut octets = Vec::new();
    scenario.write_pcap(&mut octets).unwrap();
    octets
}

/// A frame at the time of another.
pub(crate) fn frame(of: &ScenarioFrame, link: u16, octets: Vec<u8>) -> ScenarioFrame {
    ScenarioFrame { ts: of.ts, link: LinkType(link), captured: octets.len(), octets }
}

fn wrapped(row: &Row) -> Vec<ScenarioFrame> {
    let mut made = Vec::new();
    for (id, plain) in (1..).zip(base(row.base)) {
        let parts = (row.wrap)(&plain.octets, id);
        made.extend(parts.into_iter().map(|octets| frame(&plain, row.link, octets)));
    }
    made
}

/// The report of a file.
pub(crate) fn report(path: &std::path::Path) -> Value {
    value(&mut review(&config(path)).unwrap())
}

/// The report of a file made here.
pub(crate) fn report_of(name: &str, frames: Vec<ScenarioFrame>) -> Value {
    report(&scratch(name, &pcap(frames)))
}

/// Without what says where the packets came from, and how long frames were.
fn essence(mut report: Value) -> Value {
    report["capture"]["bytes"] = Value::Null;
    for source in report["capture"]["sources"].as_array_mut().unwrap() {
        for key in ["path", "bytes", "link_types"] {
            source[key] = Value::Null;
        }
    }
    for stream in report["streams"].as_array_mut().unwrap() {
        stream["wire_bytes"] = Value::Null;
    }
    report
}

/// A fixture's octets, checked against what is on the disk.
#[track_caller]
pub(crate) fn fixture(name: &str, octets: &[u8]) -> PathBuf {
    let path = folder().join(format!("{name}.pcap"));
    if std::env::var_os("OVERHEAR_BLESS").is_some() {
        fs::write(&path, octets).unwrap();
    }
    let stored = fs::read(&path).unwrap_or_default();
    assert!(stored == octets, "{name}: OVERHEAR_BLESS=1 makes the capture anew");
    path
}

#[test]
fn a_wrapped_call_gives_the_report_of_the_plain_one() {
    let mut wrong = Vec::new();
    for row in table::all() {
        let path = fixture(row.name, &pcap(wrapped(row)));
        let mut found = essence(report(&path));
        let mut plain = essence(report_of(&format!("plain-{}", row.name), base(row.base)));
        if table::FRAGMENTED.iter().any(|one| one.name == row.name) {
            (found, plain) = (found["counts"].clone(), plain["counts"].clone());
        }
        if found != plain {
            let (found, plain) = (format!("{found:#}"), format!("{plain:#}"));
            let lines = found.lines().zip(plain.lines()).filter(|(a, b)| a != b);
            let lines: Vec<_> = lines.take(6).collect();
            wrong.push(format!("{}: {lines:#?}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// SIP and RTP packets, as tshark sees them.
fn seen_by_tshark(path: &std::path::Path, options: &[&str]) -> Option<(u64, u64)> {
    let output = Command::new("tshark")
        .args(["-r", path.to_str().unwrap(), "-Y", "sip || rtp"])
        .args(["-T", "fields", "-e", "frame.protocols"])
        .args(options)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    let count = |name: &str| text.lines().filter(|line| line.contains(name)).count() as u64;
    Some((count(":sip"), count(":rtp")))
}

#[test]
fn tshark_sees_as_many_messages_and_packets() {
    if Command::new("tshark").arg("-v").output().is_err() {
        println!("skipped: there is no tshark");
        return;
    }
    let mut wrong = Vec::new();
    for row in table::all() {
        let Some(options) = row.tshark else { continue };
        let path = folder().join(format!("{}.pcap", row.name));
        let counts = &report(&path)["counts"];
        let ours = [&counts["sip_messages"], &counts["rtp_packets"]].map(|n| n.as_u64().unwrap());
        let theirs = seen_by_tshark(&path, options).unwrap();
        if theirs != (ours[0], ours[1]) {
            wrong.push(format!("{}: {ours:?}, tshark {theirs:?}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_capture_is_in_the_table_of_the_documents() {
    let document = fs::read_to_string(root().join("docs/arrival.md")).unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let listed =
            name.strip_suffix(".pcap").is_none_or(|name| document.contains(&format!("`{name}`")));
        assert!(listed, "{name} is not in docs/arrival.md");
    }
}

#[test]
fn every_cut_and_every_turned_bit_comes_back() {
    for row in table::all() {
        let frames = wrapped(row);
        // A message with a body, and a packet of media.
        for frame in [&frames[0], &frames[frames.len() / 2]] {
            let (link, octets) = (Some(frame.link), &frame.octets);
            let original = u32::try_from(octets.len()).unwrap();
            for cut in 0..octets.len() {
                sound(&decode(link, &octets[..cut], original), cut);
            }
            for bit in 0..octets.len().min(240) * 8 {
                let mut turned = octets.clone();
                turned[bit / 8] ^= 1 << (bit % 8);
                sound(&decode(link, &turned, original), turned.len());
            }
        }
    }
}

/// What is found lies in the frame.
fn sound(decoded: &Decoded, len: usize) {
    let inside = |at: u32, length: u32| u64::from(at) + u64::from(length) <= len as u64;
    match decoded {
        Decoded::Packet(packet) => {
            assert!(inside(packet.l4_at, packet.l4_len));
            assert!(inside(packet.payload_at, packet.payload_len));
            assert!(packet.payload_len <= packet.wire_payload_len);
        }
        Decoded::Fragment(part) => assert!(inside(part.at, part.len) && part.frames == 1),
        Decoded::Skipped(_) => {}
    }
}
