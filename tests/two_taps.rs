//! The same packets seen at two taps: one packet each, whatever the clocks of the taps say.
//!
//! The second tap is made from a recording: other times, one hop less to live, another link, losses.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use overhear::capture::{Chunk, OpenOptions, PcapWriter, Source};
use overhear::engine::Cut;
use overhear::model::frame::LinkType;
use overhear::model::time::{Span, Ts};
use serde_json::{Value, json};
use support::{Config, assert_same, config, report, root, scratch, sums};

/// UDP, TCP, IPv6 without identification, and loss on the way.
const CALLS: [&str; 4] = [
    "baresip_sdes_mand_udp.pcapng",
    "baresip_sdes_tcp.pcapng",
    "baresip_ipv6_sdes.pcapng",
    "baresip_loss6pct.pcapng",
];

/// In milliseconds: none, seconds, a summer time gone wrong.
const CLOCKS: [i64; 3] = [0, 3_200, -45 * 60_000];

fn recorded(name: &str) -> PathBuf {
    root().join("fixtures/recorded").join(name)
}

/// Times and octets of the frames of a file.
fn frames(path: &Path) -> Vec<(Ts, Vec<u8>)> {
    let mut source = Source::open(path, &OpenOptions::default()).unwrap();
    let (mut chunk, mut frames) = (Chunk::default(), Vec::new());
    while source.fill(&mut chunk, 100).unwrap() {
        let octets = |raw| chunk.backing.frame(raw).to_vec();
        frames.extend(chunk.frames.iter().map(|raw| (raw.ts.unwrap(), octets(raw))));
    }
    frames
}

/// How a tap saw the frames of a recording.
struct Tap {
    name: &'static str,
    /// What its clock shows of a frame: number and true time to shown time.
    clock: Box<dyn Fn(i64, Ts) -> Ts>,
    /// Which frames it has, by number.
    has: fn(i64) -> bool,
    /// Behind a router, on a link without header.
    routed: bool,
}

impl Tap {
    fn ahead(name: &'static str, ahead: Span) -> Self {
        let clock = Box::new(move |_, ts: Ts| ts.plus(ahead));
        Self { name, clock, has: |_| true, routed: false }
    }

    fn routed(self) -> Self {
        Self { routed: true, ..self }
    }

    fn with(self, has: fn(i64) -> bool) -> Self {
        Self { has, ..self }
    }

    fn record(&self, recording: &str) -> PathBuf {
        let link = if self.routed { LinkType::RAW } else { LinkType::ETHERNET };
        let mut writer = PcapWriter::new(Vec::new(), link).unwrap();
        for (number, (ts, octets)) in (1..).zip(frames(&recorded(recording))) {
            let Some(octets) = self.sees(octets).filter(|_| (self.has)(number)) else { continue };
            writer.packet((self.clock)(number, ts), octets.len() as u32, &octets).unwrap();
        }
        let name = format!("{}_{recording}.pcap", self.name);
        scratch(&name, &writer.finish().unwrap())
    }

    /// The frame as it is there; `None` for what is not routed.
    fn sees(&self, mut octets: Vec<u8>) -> Option<Vec<u8>> {
        if !self.routed {
            return Some(octets);
        }
        let kind = [octets[12], octets[13]];
        octets.drain(..14);
        match kind {
            [0x08, 0x00] => octets[8] -= 1,
            [0x86, 0xdd] => octets[7] -= 1,
            _ => return None,
        }
        Some(octets)
    }
}

fn of(sources: &[&Path]) -> Config {
    let sources = sources.iter().map(|path| path.to_path_buf()).collect();
    Config { sources, ..config(Path::new("")) }
}

fn reviewed(sources: &[&Path]) -> Value {
    let value: Value = serde_json::from_str(&report(&of(sources))).unwrap();
    let (packets, handled, skipped) = sums(&value);
    assert_eq!(packets, handled + skipped);
    value
}

fn offsets(report: &Value) -> Vec<Option<f64>> {
    let sources = report["capture"]["sources"].as_array().unwrap();
    sources.iter().map(|source| source["clock_offset_ms"].as_f64()).collect()
}

/// What is said of the traffic, without what is said of the tap.
fn content(report: &Value) -> Value {
    let mut counts = report["counts"].clone();
    counts.as_object_mut().unwrap().remove("findings");
    let mut findings: Vec<Value> = report["findings"].as_array().unwrap().clone();
    findings.retain(|finding| !finding["rule"].as_str().unwrap().starts_with("SENSOR-"));
    for evidence in findings.iter_mut().flat_map(evidence_mut) {
        evidence["sightings"].take();
    }
    json!({
        "counts": counts,
        "handled": report["capture"]["accounting"]["handled"],
        "calls": report["calls"],
        "streams": report["streams"],
        "registrations": report["registrations"],
        "findings": findings,
    })
}

fn evidence_mut(finding: &mut Value) -> &mut Vec<Value> {
    finding["evidence"].as_array_mut().unwrap()
}

/// The same without what depends on which tap saw a packet first: frames, moments, ids made of moments,
/// the order by frames, hops and the link's octets.
fn timeless(mut report: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|key, value| {
                    let moment = value.as_str().is_some_and(|text| {
                        text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T')
                    });
                    let place = key.contains("frame") || key.contains("source");
                    !moment && !place && key != "ttl" && key != "wire_bytes"
                });
                members.values_mut().for_each(strip);
            }
            Value::Array(values) => {
                // Bandwidth and jitter are of the clocks.
                values.retain(|value| value["rule"] != "QOS-SRTP-COST");
                values.iter_mut().for_each(strip);
                values.sort_by_key(Value::to_string);
            }
            Value::String(text) if text.len() == 15 && text.starts_with(['s', 'h']) => text.clear(),
            _ => {}
        }
    }
    strip(&mut report);
    report
}

#[test]
fn a_call_at_two_taps_is_that_call_whatever_their_clocks_say() {
    for recording in CALLS {
        let near = Tap::ahead("near", Span::ZERO).record(recording);
        let one = reviewed(&[&near]);
        assert_eq!(offsets(&one), [None]);
        for clock in CLOCKS {
            // The way between the taps is part of the estimate.
            let ahead = Span::from_millis(clock).nanos() + 150_000;
            let far = Tap::ahead("far", Span::from_nanos(ahead)).routed().record(recording);
            let two = reviewed(&[&near, &far]);
            assert_eq!(offsets(&two), [Some(0.0), Some(clock as f64 + 0.15)], "{recording}");
            let (left, right) = (content(&one).to_string(), content(&two).to_string());
            assert_same(&left, &right, &format!("{recording}, {clock} ms"));
            assert_eq!(two["capture"]["duration_s"], one["capture"]["duration_s"]);
            assert_eq!(sums(&two).1, sums(&one).1, "{recording}: handled once");
        }
    }
}

#[test]
fn two_taps_with_losses_give_the_call_that_neither_saw_whole() {
    for recording in CALLS {
        let whole = reviewed(&[&Tap::ahead("whole", Span::ZERO).record(recording)]);
        for clock in CLOCKS {
            let far = Tap::ahead("lossy_far", Span::from_millis(clock)).routed();
            let far = far.with(|n| n % 5 != 0).record(recording);
            let near = Tap::ahead("lossy_near", Span::ZERO).with(|n| n % 5 != 2).record(recording);
            let both = reviewed(&[&near, &far]);
            assert_eq!(offsets(&both)[1], Some(clock as f64), "{recording}");
            for key in ["counts", "calls", "streams", "registrations"] {
                let [left, right] =
                    [&whole, &both].map(|report| timeless(content(report))[key].to_string());
                assert_same(&left, &right, &format!("{recording}, {clock} ms: {key}"));
            }
            let alone = reviewed(&[&near]);
            assert_ne!(alone["counts"], both["counts"], "{recording}: one tap lost something");
        }
    }
}

#[test]
fn the_order_of_the_taps_changes_names_and_the_sign() {
    for clock in CLOCKS {
        // Packets that are later now and then, and a little later in one direction.
        let jitter = move |n: i64, ts: Ts| {
            let late = 40_000 + n * 7919 % 90 * 1_000;
            ts.plus(Span::from_nanos(Span::from_millis(clock).nanos() + late))
        };
        let tap = Tap { clock: Box::new(jitter), ..Tap::ahead("jittery", Span::ZERO) };
        let far = tap.routed().with(|n| n % 11 != 3).record(CALLS[0]);
        let near = Tap::ahead("steady", Span::ZERO).with(|n| n % 9 != 3).record(CALLS[0]);
        let (there, back) = (reviewed(&[&near, &far]), reviewed(&[&far, &near]));
        let ahead = offsets(&there)[1].unwrap();
        assert!((ahead - clock as f64 - 0.085).abs() < 0.03, "{ahead}");
        assert_eq!(offsets(&back), [Some(0.0), Some(-ahead)]);
        let [left, right] = [there, back].map(|report| timeless(content(&report)).to_string());
        assert_same(&left, &right, &format!("{clock} ms"));
    }
}

#[test]
fn evidence_names_the_same_packet_at_the_other_tap_by_its_own_clock() {
    let ahead = Span::from_millis(3_200);
    let near = Tap::ahead("e_near", Span::ZERO).record(CALLS[0]);
    let far = Tap::ahead("e_far", ahead).routed().with(|n| n % 4 != 0).record(CALLS[0]);
    let mut report = reviewed(&[&near, &far]);
    let files = [frames(&near), frames(&far)];
    let (mut seen, mut alone) = (0, 0);
    for finding in report["findings"].as_array_mut().unwrap() {
        let rule = finding["rule"].as_str().unwrap().to_owned();
        let sensor = rule.starts_with("SENSOR-");
        for evidence in evidence_mut(finding) {
            let sightings = evidence["sightings"].as_array().unwrap().clone();
            seen += sightings.len();
            alone += usize::from(sightings.is_empty());
            assert!(sightings.len() < 2 && (!sensor || sightings.len() == 1));
            let frame = |at: &Value| {
                let source = at["source"].as_u64().unwrap() as usize;
                let number = at["frame"].as_u64().unwrap() as usize;
                let (ts, octets) = files[source][number - 1].clone();
                assert_eq!(at["time"], ts.to_string(), "{rule}: as the file has it");
                (source, octets)
            };
            let (source, octets) = frame(evidence);
            for sighting in &sightings {
                let (elsewhere, copy) = frame(sighting);
                assert_ne!(source, elsewhere);
                let (long, short) =
                    if source == 0 { (octets.clone(), copy) } else { (copy, octets.clone()) };
                assert_eq!(long[14 + 20..], short[20..]);
            }
        }
    }
    assert!(seen > 8 && alone > 0, "{seen} {alone}");
    // Nobody looks for them in a single source.
    let mut single = reviewed(&[&near]);
    let none = single["findings"].as_array_mut().unwrap().iter_mut().flat_map(evidence_mut);
    assert!(none.into_iter().all(|evidence| evidence["sightings"] == json!([])));
}

#[test]
fn captures_of_other_traffic_and_clocks_that_drift_have_no_offset() {
    for (one, other) in [
        ("baresip_sdes_mand_udp.pcapng", "baresip_clear_udp_pcmu.pcapng"),
        ("baresip_sdes_tcp.pcapng", "baresip_loss6pct.pcapng"),
        ("linphone_zrtp_udp.pcapng", "sipp_dtmf_2833.pcapng"),
        ("sipp_refer_hold.pcapng", "sipp_stirshaken.pcapng"),
    ] {
        let report = reviewed(&[&recorded(one), &recorded(other)]);
        assert_eq!(offsets(&report), [None, None], "{one}, {other}");
    }
    let near = Tap::ahead("d_near", Span::ZERO).record(CALLS[0]);
    let begin = frames(&near)[0].0;
    let clock = move |_, ts: Ts| ts.plus(Span::from_nanos(ts.since(begin).nanos() / 100));
    let tap = Tap { clock: Box::new(clock), ..Tap::ahead("d_far", Span::ZERO) };
    let far = tap.record(CALLS[0]);
    assert_eq!(offsets(&reviewed(&[&near, &far])), [None, None]);
}

#[test]
fn sources_that_share_nothing_stand_between_those_that_do() {
    let near = Tap::ahead("m_near", Span::ZERO).record(CALLS[0]);
    let far = Tap::ahead("m_far", Span::from_millis(-70_000)).record(CALLS[0]);
    let other = recorded("sipp_dtmf_2833.pcapng");
    let report = reviewed(&[&other, &near, &far]);
    assert_eq!(offsets(&report), [None, Some(0.0), Some(-70_000.0)]);
    assert_eq!(report["counts"]["calls"], 2);
}

#[test]
fn lanes_and_epochs_and_ways_of_reading_change_nothing() {
    let near = Tap::ahead("l_near", Span::ZERO).with(|n| n % 7 != 0).record(CALLS[0]);
    let far = Tap::ahead("l_far", Span::from_millis(3_200)).routed().record(CALLS[0]);
    let base = of(&[&near, &far]);
    let first = report(&base);
    for (lanes, frames, mmap) in [(1, 1, true), (2, 7, false), (7, 300, true), (64, 4096, false)] {
        let epoch = Cut { frames, ..Cut::default() };
        let other = report(&Config { lanes, epoch, mmap, ..base.clone() });
        assert_same(&first, &other, &format!("{lanes} lanes, {frames} frames"));
    }
}

fn overhear() -> Command {
    let mut command = Command::cargo_bin("overhear").unwrap();
    command.env_remove("COLUMNS");
    command
}

#[test]
fn standard_input_has_no_offset_and_no_sightings() {
    let near = Tap::ahead("s_near", Span::ZERO).record(CALLS[0]);
    let output = overhear()
        .args(["review", "--json", "-", "-"])
        .arg(&near)
        .write_stdin(std::fs::read(&near).unwrap())
        .output()
        .unwrap();
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(offsets(&report), [None, None]);
    assert_eq!(content(&report)["counts"], content(&reviewed(&[&near]))["counts"]);
    let evidence = report["findings"].as_array_mut().unwrap().iter_mut().flat_map(evidence_mut);
    assert!(evidence.into_iter().all(|evidence| evidence["sightings"] == json!([])));
}

#[test]
fn a_call_is_cut_out_of_both_with_the_times_of_their_clocks() {
    let near = Tap::ahead("c_near", Span::ZERO).record(CALLS[0]);
    let far = Tap::ahead("c_far", Span::from_millis(3_200)).record(CALLS[0]);
    let calls = reviewed(&[&near, &far])["calls"].clone();
    let id = calls[0]["id"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let cut = |name: &str, sources: &[&Path]| {
        let out = folder.path().join(name);
        let run =
            overhear().arg("review").args(sources).args(["--call", &id, "-w"]).arg(&out).output();
        assert!(run.unwrap().status.success());
        frames(&out).into_iter().map(|(ts, _)| ts).collect::<BTreeSet<Ts>>()
    };
    let (one, two) = (cut("one", &[&near]), cut("two", &[&near, &far]));
    let later = |ts: &Ts| ts.plus(Span::from_millis(3_200));
    assert!(one.len() > 100 && one.iter().all(|ts| two.contains(ts)));
    // Messages are written as they were first seen, media as often as it was seen.
    assert!(two.iter().all(|ts| one.contains(ts) || one.iter().any(|one| later(one) == *ts)));
    assert!(two.len() > 2 * one.len() - 30, "{} {}", one.len(), two.len());
}
