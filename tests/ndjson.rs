//! `--ndjson`: every line follows the published schema, says what the report says, and is the same
//! for any number of lanes and any epochs.

#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use overhear::engine::{self, Cut};
use overhear::report::ndjson::Ndjson;
use overhear::report::schema::{EVENTS, TEXT};
use serde_json::{Map, Value, json};
use support::{Config, assert_same, fixtures, schema, value, workload};

/// What a line has beside the report's record.
const ENVELOPE: [&str; 6] =
    ["schema", "event_type", "timestamp", "sensor", "flow_id", "community_id"];
const OF_FINDINGS: [&str; 7] =
    ["stage", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "alert"];
/// What a record has in the report only.
const LATE: [&str; 6] =
    ["exposure", "exposure_text", "exposure_chain", "streams", "legs", "findings"];

/// Memory that a listener may own.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines and the report of a review; `None` if no source can be used.
fn lines(config: &Config) -> Option<(String, Value)> {
    let shared = Shared::default();
    let ndjson = Ndjson::new(Box::new(shared.clone()), Some("tap \"1\""));
    let mut examined = engine::examine(config, vec![Box::new(ndjson)], &mut |_| {}).ok()?;
    assert!(examined.untold.is_none());
    let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
    Some((text, value(&mut examined.outcome)))
}

fn parsed(text: &str) -> Vec<Map<String, Value>> {
    let read = |line| serde_json::from_str::<Value>(line).unwrap().as_object().unwrap().clone();
    text.lines().map(read).collect()
}

/// A line without its envelope.
fn bare(line: &Map<String, Value>) -> Map<String, Value> {
    let own = |name: &String| {
        let envelope = ENVELOPE.contains(&name.as_str());
        let of_finding = line.contains_key("stage") && OF_FINDINGS.contains(&name.as_str());
        !(envelope || of_finding)
    };
    line.clone().into_iter().filter(|(name, _)| own(name)).collect()
}

#[test]
fn every_line_of_every_fixture_follows_the_schema() {
    let published: Value = serde_json::from_str(EVENTS).unwrap();
    let busy = workload::capture(60, 2);
    let mut types: BTreeMap<String, u64> = BTreeMap::new();
    for fixture in fixtures().iter().chain([&busy]) {
        let Some((text, _)) = lines(&fixture.config()) else { continue };
        for line in parsed(&text) {
            let kind = line["event_type"].as_str().unwrap().to_owned();
            // The definition of its own kind says more about a fault than all of them together.
            let own = json!({"$ref": format!("#/$defs/{kind}"), "$defs": published["$defs"]});
            let line = Value::Object(line);
            let faults = schema::faults(&own, &line);
            assert!(faults.is_empty(), "{}: {faults:#?} {line}", fixture.name);
            assert!(schema::faults(&published, &line).is_empty(), "{}: {line}", fixture.name);
            *types.entry(kind).or_default() += 1;
        }
    }
    let kinds: Vec<&str> = types.keys().map(String::as_str).collect();
    let all = ["call", "capture", "finding", "handshake", "registration", "stats", "stream"];
    assert_eq!(kinds, all);
}

#[test]
fn the_schema_describes_records_as_that_of_the_report_does() {
    let events: Value = serde_json::from_str(EVENTS).unwrap();
    let report: Value = serde_json::from_str(TEXT).unwrap();
    let kinds = ["call", "registration", "stream", "handshake", "finding", "capture"];
    let pairs = kinds.iter().map(|kind| (*kind, *kind)).chain([("stats", "totals")]);
    for (event, record) in pairs {
        let here = events["$defs"][event]["properties"].as_object().unwrap();
        let there = report["$defs"][record]["properties"].as_object().unwrap();
        for (name, rule) in there {
            let late = LATE.contains(&name.as_str()) && event != "stats";
            match here.get(name) {
                Some(own) => assert_eq!(own, rule, "{event}.{name}"),
                None => assert!(late, "{event}.{name}"),
            }
        }
    }
}

#[test]
fn lines_say_what_the_report_says() {
    for fixture in fixtures().iter().filter(|one| one.name.starts_with("recorded/")) {
        let Some((text, report)) = lines(&fixture.config()) else { continue };
        let mut told: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
        for line in parsed(&text) {
            told.entry(line["event_type"].as_str().unwrap().to_owned()).or_default().push(line);
        }
        let of = |kind: &str| told.get(kind).cloned().unwrap_or_default();
        for (kind, list) in [
            ("call", "calls"),
            ("registration", "registrations"),
            ("stream", "streams"),
            ("handshake", "handshakes"),
        ] {
            let mut ends: Vec<_> = of(kind).iter().map(bare).collect();
            let mut records: Vec<Map<String, Value>> = report[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|record| {
                    let mut record = record.as_object().unwrap().clone();
                    record.retain(|name, _| !LATE.contains(&name.as_str()));
                    record
                })
                .collect();
            let order = |record: &Map<String, Value>| record["id"].as_str().unwrap().to_owned();
            ends.sort_by_key(order);
            records.sort_by_key(order);
            assert_eq!(ends, records, "{}: {list}", fixture.name);
        }
        // The last word about each finding is what the report says.
        let last: BTreeMap<String, _> = of("finding")
            .iter()
            .map(|line| (line["id"].as_str().unwrap().to_owned(), bare(line)))
            .collect();
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(last.len(), findings.len(), "{}", fixture.name);
        for finding in findings {
            let id = finding["id"].as_str().unwrap();
            assert_eq!(last.get(id), finding.as_object(), "{}", fixture.name);
        }
        assert_eq!(bare(&of("stats")[0]), *report["counts"].as_object().unwrap());
        assert_eq!(bare(&of("capture")[0]), *report["capture"].as_object().unwrap());
    }
}

#[test]
fn lines_are_the_same_for_any_lanes_and_epochs() {
    let busy = workload::capture(60, 2);
    let wanted = ["baresip_sdes_mand_udp", "baresip_dtlssrtp_udp", "multihop", "ipfrag_reversed"];
    let some = |name: &str| wanted.iter().any(|wanted| name.contains(wanted));
    let mut compared = 0;
    for fixture in fixtures().iter().filter(|one| some(&one.name)).chain([&busy]) {
        let (text, _) = lines(&fixture.config()).unwrap();
        assert!(text.contains("\"sensor\":\"tap \\\"1\\\"\""));
        for (lanes, frames) in [(1, 1), (1, 7), (2, 4096), (3, 50), (8, 7)] {
            let epoch = Cut { frames, ..Cut::default() };
            let (other, _) = lines(&Config { lanes, epoch, ..fixture.config() }).unwrap();
            assert_same(&text, &other, &format!("{} {lanes} lanes, {frames}", fixture.name));
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn the_command_line_writes_lines_and_leaves_no_empty_file_behind() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("ndjson");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let capture = support::root().join("fixtures/recorded/baresip_sdes_mand_udp.pcapng");
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_overhear"));
        command.current_dir(&folder).arg("review").args(arguments).output().unwrap()
    };
    let capture = capture.to_str().unwrap();
    let done = run(&[capture, "--ndjson", "-", "--sensor", "here"]);
    assert!(done.status.success());
    let text = String::from_utf8(done.stdout).unwrap();
    let said = parsed(&text);
    assert!(said.iter().all(|line| line["sensor"] == "here"));
    assert_eq!(said.last().unwrap()["event_type"], "capture");
    let raised = said.iter().filter(|line| line.get("stage") == Some(&json!("raised"))).count();
    assert!(raised >= 4, "{raised}");

    let done = run(&["no-such-file", "--ndjson", "lines.ndjson"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(!folder.join("lines.ndjson").exists());
    let twice = run(&[capture, "--ndjson", "-", "--json", "-"]);
    assert_eq!(twice.status.code(), Some(2));
}
