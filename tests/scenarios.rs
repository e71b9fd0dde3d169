//! Invariant 10, a rule is whole: every scenario under `fixtures/rules` and `fixtures/clean` does
//! what it expects. (`tests/catalogue.rs` checks that each rule has its scenarios and documents.)

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::process::{Command, Stdio};

use overhear::model::finding::Severity;
use overhear::report::Outcome;
use overhear::scenario::Expectation;
use serde_json::Value;
use support::{Fixture, fixtures, review, value};

/// What is wrong, or nothing.
fn broken(
    fixture: &Fixture,
    expectation: &Expectation,
    outcome: &Outcome,
    report: &Value,
) -> Option<String> {
    let of = |rule: &str| outcome.findings.iter().filter(|finding| finding.rule == rule).count();
    match expectation {
        Expectation::Fires { rule, count, severity } => {
            let found = of(rule);
            if found == 0 || count.is_some_and(|wanted| wanted != found) {
                let wanted = count.map_or("at least 1".to_owned(), |count| count.to_string());
                return Some(format!("{rule} has {found} findings, not {wanted}"));
            }
            let odd = outcome.findings.iter().find(|finding| {
                finding.rule == *rule
                    && severity.as_ref().is_some_and(|word| word != finding.severity.word())
            });
            odd.map(|finding| format!("{rule} is {}", finding.severity.word()))
        }
        Expectation::Quiet { rule } => {
            let first = outcome.findings.iter().find(|finding| finding.rule == *rule);
            first.map(|finding| format!("{rule} fires: {}", finding.summary))
        }
        Expectation::Clean => {
            let first = outcome.findings.iter().find(|finding| finding.severity > Severity::Info);
            first.map(|finding| format!("{} fires: {}", finding.rule, finding.summary))
        }
        Expectation::Equals { path, value } => {
            let found = path.split('.').try_fold(report, |at, key| match key.parse::<usize>() {
                Ok(index) => at.get(index).or_else(|| at.get(key)),
                Err(_) => at.get(key),
            });
            (found != Some(value)).then(|| format!("{path} is {found:?}, not {value}"))
        }
        Expectation::Exit { status, fail_on } => {
            let found = exit(fixture, fail_on.as_deref());
            (found != Some(i32::from(*status))).then(|| format!("exit {found:?}, not {status}"))
        }
    }
}

/// The exit status of the binary.
fn exit(fixture: &Fixture, fail_on: Option<&str>) -> Option<i32> {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("overhear"));
    command.args(["review", "--quiet"]).arg(&fixture.path).stdin(Stdio::null());
    if let Some(severity) = fail_on {
        command.args(["--fail-on", severity]);
    }
    command.output().unwrap().status.code()
}

#[test]
fn every_scenario_does_what_it_expects() {
    let mut failures = Vec::new();
    let mut checked = 0;
    for fixture in fixtures().iter().filter(|fixture| fixture.is_scenario()) {
        let mut outcome = review(&fixture.config()).unwrap();
        let report = value(&mut outcome);
        if fixture.expectations.is_empty() {
            failures.push(format!("{}: expects nothing", fixture.name));
        }
        for expectation in &fixture.expectations {
            checked += 1;
            if let Some(what) = broken(fixture, expectation, &outcome, &report) {
                failures.push(format!("{}: {what}", fixture.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(checked > 60, "{checked} expectations");
}

#[test]
fn a_firing_scenario_expects_its_own_rule_and_a_quiet_one_its_silence() {
    for fixture in fixtures() {
        let Some(rest) = fixture.name.strip_prefix("rules/") else { continue };
        let (id, file) = rest.split_once('/').unwrap();
        let expected = fixture.expectations.iter().any(|expectation| match expectation {
            Expectation::Fires { rule, .. } => rule == id && file.starts_with("fires-"),
            Expectation::Quiet { rule } => rule == id && file.starts_with("quiet-"),
            Expectation::Clean => file.starts_with("quiet-"),
            _ => false,
        });
        assert!(expected, "{} does not say what {id} does", fixture.name);
    }
}
