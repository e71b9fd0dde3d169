//! Invariant 8, evidence or silence: every finding says which frames show it, those frames are in
//! the capture, and every record says where it was first seen.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::collections::BTreeMap;

use overhear::policy::Policy;
use overhear::report::Outcome;
use serde_json::Value;
use support::{Config, Fixture, fixtures, review, tiny, value, workload};

/// Packets of each source.
fn packets(report: &Value) -> Vec<u64> {
    let sources = report["capture"]["sources"].as_array().unwrap();
    sources.iter().map(|source| source["packets"].as_u64().unwrap()).collect()
}

fn check(name: &str, outcome: &mut Outcome) -> usize {
    findings(name, outcome);
    let report = value(outcome);
    let sources = packets(&report);
    let exists = |what: &str, source: &Value, frame: &Value| {
        let source = usize::try_from(source.as_u64().unwrap()).unwrap();
        let frame = frame.as_u64().unwrap();
        assert!(
            sources.get(source).is_some_and(|last| (1..=*last).contains(&frame)),
            "{name}: {what} names frame {frame} of source {source}, which has {sources:?}"
        );
    };
    for list in ["calls", "registrations", "streams", "handshakes"] {
        for record in report[list].as_array().unwrap() {
            exists(list, &record["first_source"], &record["first_frame"]);
        }
    }
    for finding in report["findings"].as_array().unwrap() {
        let id = finding["rule"].as_str().unwrap();
        for evidence in finding["evidence"].as_array().unwrap() {
            exists(id, &evidence["source"], &evidence["frame"]);
            let excerpt = evidence["excerpt"].as_str().unwrap_or_default();
            assert!(excerpt.len() <= 1_024, "{name}: {id} quotes {} octets", excerpt.len());
        }
    }
    links(name, &report);
    outcome.findings.len()
}

fn findings(name: &str, outcome: &Outcome) {
    for finding in &outcome.findings {
        let id = &finding.rule;
        assert!(!finding.evidence.is_empty(), "{name}: {id} has no evidence");
        assert!(finding.count >= 1, "{name}: {id} counts nothing");
        assert!(finding.count >= finding.evidence.len() as u64, "{name}: {id} counts too little");
        assert!(
            finding.first_seen.time <= finding.last_seen.time,
            "{name}: {id} ends before it begins"
        );
        assert!(!finding.title.is_empty() && !finding.summary.is_empty(), "{name}: {id}");
        for evidence in &finding.evidence {
            assert!(!evidence.what.is_empty(), "{name}: {id} says nothing of its evidence");
        }
    }
    let mut ids: Vec<&str> = outcome.findings.iter().map(|finding| finding.id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{name}: a finding's id twice");
}

/// Ids that point at other parts of the report point at something that is there.
fn links(name: &str, report: &Value) {
    let ids = |list: &str| -> BTreeMap<String, &Value> {
        let list = report[list].as_array().unwrap();
        list.iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one)).collect()
    };
    let (calls, streams, found) = (ids("calls"), ids("streams"), ids("findings"));
    let all = |what: &str, of: &Value, known: &BTreeMap<String, &Value>| {
        for id in of.as_array().unwrap() {
            let id = id.as_str().unwrap();
            assert!(known.contains_key(id), "{name}: {what} {id} is not in the report");
        }
    };
    for list in ["calls", "registrations", "streams", "handshakes"] {
        for record in report[list].as_array().unwrap() {
            all("finding", &record["findings"], &found);
        }
    }
    for call in calls.values() {
        all("stream", &call["streams"], &streams);
    }
    for stream in streams.values() {
        if let Some(call) = stream["call"].as_str() {
            assert!(calls.contains_key(call), "{name}: a stream of a call that is not there");
        }
    }
    for finding in found.values() {
        all("call", &finding["scope"]["calls"], &calls);
        all("stream", &finding["scope"]["streams"], &streams);
    }
}

fn under(fixture: &Fixture, policy: Policy) -> usize {
    let config = Config { policy, ..fixture.config() };
    review(&config).map_or(0, |mut outcome| check(&fixture.name, &mut outcome))
}

#[test]
fn every_finding_of_every_fixture_cites_frames_that_exist() {
    let mut findings = 0;
    for fixture in fixtures() {
        findings += under(fixture, fixture.policy.clone());
        under(fixture, Policy { limits: tiny(), ..Policy::default() });
    }
    assert!(findings > 100, "{findings} findings are too few to prove anything");
}

#[test]
fn every_finding_of_a_busy_capture_cites_frames_that_exist() {
    let busy = workload::capture(150, 6);
    assert!(under(&busy, Policy::default()) > 20);
    // Where records are refused for lack of room, links to them must not be left behind.
    under(&busy, Policy { limits: tiny(), ..Policy::default() });
}

#[test]
fn with_several_files_each_source_counts_its_own_frames() {
    let (one, two) = (workload::capture(40, 11), workload::capture(20, 12));
    let sources = vec![one.path.clone(), two.path];
    let mut outcome = review(&Config { sources, ..one.config() }).unwrap();
    assert!(check("two files", &mut outcome) > 10);
}
