//! Capture files with edges, reviewed: what `fixtures/edge/README.md` says must come out, as a
//! report. And four captures that mislead other analyzers, if `OVERHEAR_VECTORS` (else
//! `../shared/vectors` beside the checkout) has them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use overhear::capture::{Chunk, OpenOptions, Source};
use overhear::decode::{Decoded, decode};
use overhear::engine::{Config, Error, review};
use overhear::report::json;
use overhear_parsers::sip::{HeaderName, Message, parse_datagram};
use serde_json::{Value, json};

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn report(path: &Path) -> Result<Value, Error> {
    let config = Config { mmap: false, ..Config::of(vec![path.to_owned()]) };
    let mut outcome = review(&config, &mut |_| {})?;
    let mut written = Vec::new();
    json::write(&mut outcome, 1, &mut written).unwrap();
    Ok(serde_json::from_slice(&written).unwrap())
}

/// Files of five whole packets that are not SIP.
const WHOLE: [&str; 15] = [
    "ok.pcap",
    "be.pcap",
    "ns.pcap",
    "be_ns.pcap",
    "modified.pcap",
    "snap0.pcap",
    "snaplie.pcap",
    "ng_ok.pcapng",
    "ng_be.pcapng",
    "ng_2sec.pcapng",
    "ng_2if_res.pcapng",
    "ng_opb.pcapng",
    "ng_unknown.pcapng",
    "ng_dsb.pcapng",
    "ng_trail.pcapng",
];

#[test]
fn files_with_edges_are_reported_as_their_readme_says() {
    let five = || json!({ "not-voip": 5 });
    let mut expected: Vec<_> = WHOLE.map(|name| (name, five(), false)).into();
    for name in ["trunc_hdr.pcap", "trunc_data.pcap", "hugecap.pcap", "ng_trunc.pcapng"] {
        expected.push((name, five(), true));
    }
    expected.extend([
        // Ethernet frames on an interface that says Linux cooked: no IP is to be found in those.
        ("ng_lateif.pcapng", json!({ "not-ip": 3, "not-voip": 2 }), false),
        ("ng_spb.pcapng", five(), false),
        ("ng_badif.pcapng", json!({ "not-voip": 4, "unsupported-link": 1 }), false),
        ("ng_caplie.pcapng", json!({ "malformed-capture": 1, "not-voip": 4 }), false),
        ("ng_badlen.pcapng", json!({ "not-voip": 2 }), true),
    ]);
    for (name, skipped, truncated) in expected {
        let report = report(&here().join("fixtures/edge").join(name)).unwrap();
        let capture = &report["capture"];
        let packets: u64 = skipped.as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(capture["packets"], packets, "{name}");
        assert_eq!(capture["accounting"], json!({ "handled": {}, "skipped": skipped }), "{name}");
        assert_eq!(capture["sources"][0]["truncated"], truncated, "{name}");
        assert_eq!(report["counts"]["sip_messages"], 0, "{name}");
        // A fault is named; nothing else is.
        let limits = report["limits"].as_array().unwrap();
        assert_eq!(!limits.is_empty(), truncated, "{name}: {limits:?}");
        let named = limits.iter().filter_map(Value::as_str).all(|limit| limit.contains(name));
        assert!(named, "{name}: {limits:?}");
    }
}

#[test]
fn packets_without_a_time_have_none() {
    let report = report(&here().join("fixtures/edge/ng_spb.pcapng")).unwrap();
    let capture = &report["capture"];
    for time in ["first_packet", "last_packet", "duration_s"] {
        assert!(capture[time].is_null(), "{time}: {}", capture[time]);
    }
    assert!(capture["sources"][0]["first_packet"].is_null());
}

#[test]
fn what_is_no_capture_is_an_error_of_one_sentence() {
    for (name, why) in [("empty.pcap", "is empty"), ("junk.bin", "not a capture")] {
        let error = report(&here().join("fixtures/edge").join(name)).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(why), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_capture_given_twice_counts_once() {
    let path = here().join("fixtures/recorded/sipp_refer_hold.pcapng");
    let once = report(&path).unwrap();
    let config = Config { lanes: 2, mmap: false, ..Config::of(vec![path.clone(), path]) };
    let twice = review(&config, &mut |_| {}).unwrap();
    assert_eq!(once["counts"]["sip_messages"], twice.counts.sip_messages);
    assert_eq!(once["counts"]["calls"], twice.counts.calls);
}

/// A capture of `peer_traps`; `None`, and said so, without the folder.
#[expect(clippy::print_stdout, reason = "says that it was skipped")]
fn trap(name: &str) -> Option<PathBuf> {
    let named = env::var_os("OVERHEAR_VECTORS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| here().join("../shared/vectors")).join("peer_traps");
    if !folder.is_dir() {
        println!("skipped: OVERHEAR_VECTORS names no folder with peer_traps");
        return None;
    }
    Some(folder.join(name))
}

fn rules(report: &Value) -> BTreeSet<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().filter_map(|finding| finding["rule"].as_str()).collect()
}

#[test]
fn a_phone_that_registers_for_an_hour_and_a_busy_trunk_raise_nothing() {
    for name in ["t1_register_1h.pcap", "t3_legit_trunk.pcap"] {
        let Some(path) = trap(name) else { return };
        let report = report(&path).unwrap();
        assert_eq!(rules(&report), BTreeSet::from(["SIG-CLEARTEXT"]), "{name}");
    }
}

#[test]
fn user_names_of_more_than_ascii_are_read_whole() {
    let Some(path) = trap("t4_utf8.pcap") else { return };
    let report = report(&path).unwrap();
    let calls = report["calls"].as_array().unwrap();
    let users: Vec<_> = calls.iter().filter_map(|call| call["callee"]["user"].as_str()).collect();
    assert_eq!(users.len(), 6);
    assert!(users.iter().all(|user| user.starts_with("12345é")), "{users:?}");
    assert_eq!(report["counts"]["sip_malformed"], 0);
}

#[test]
fn identity_headers_are_kept() {
    let Some(path) = trap("t2_stir.pcap") else { return };
    let mut source = Source::open(&path, &OpenOptions::mapping(false)).unwrap();
    let (mut chunk, mut kept) = (Chunk::default(), 0);
    while source.fill(&mut chunk, 64).unwrap() {
        for frame in &chunk.frames {
            let octets = chunk.backing.frame(frame);
            let Decoded::Packet(packet) = decode(frame.link, octets, frame.original) else {
                continue;
            };
            let payload = packet.payload(octets);
            let mut spans = Vec::new();
            let layout = parse_datagram(payload, &mut spans).unwrap();
            let message = Message::new(payload, layout, &spans);
            let identity = message.header(HeaderName::Identity).unwrap();
            // A token of three parts, and the parameters that name its certificate.
            let token = identity.split(|&octet| octet == b';').next().unwrap();
            assert_eq!(token.split(|&octet| octet == b'.').count(), 3);
            assert!(identity.windows(5).any(|part| part == b"info="));
            kept += 1;
        }
    }
    assert_eq!(kept, 2);
}
