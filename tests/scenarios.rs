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

/// The stream of a thousand packets of G.711 of which these are lost.
fn g711_without(lost: &[String]) -> Value {
    let text = format!(
        "host a 192.0.2.1\nhost b 192.0.2.2\nrtp a:4000 > b:5000 n=1000 lose={}\n",
        lost.join(",")
    );
    let fixture = support::made("loss.scn", &text);
    let mut outcome = review(&fixture.config()).unwrap();
    value(&mut outcome)["streams"][0].take()
}

#[test]
fn five_per_cent_lost_in_bursts_sound_worse_than_five_per_cent_lost_one_by_one() {
    // What a linear congruential generator gives, without neighbours.
    let (mut numbers, mut state) = (Vec::<u64>::new(), 7_u64);
    while numbers.len() < 50 {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        let number = 10 + (state >> 8) % 980;
        if numbers.iter().all(|other| other.abs_diff(number) > 1) {
            numbers.push(number);
        }
    }
    let random: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let bursty: Vec<String> =
        (0..10).map(|burst| format!("{}-{}", 50 + burst * 90, 54 + burst * 90)).collect();
    let (random, bursty) = (g711_without(&random), g711_without(&bursty));
    assert_eq!((&random["lost"], &bursty["lost"]), (&50.into(), &50.into()));
    assert_eq!((&random["loss_pct"], &bursty["loss_pct"]), (&5.0.into(), &5.0.into()));
    let mos = |stream: &Value| stream["mos"].as_f64().unwrap();
    assert!(mos(&bursty) < mos(&random) - 0.05, "{} {}", mos(&bursty), mos(&random));
    assert_eq!(random["quality"]["burst_ratio"], 1.0);
    assert_eq!(bursty["quality"]["bursts"], 10);
}

#[test]
fn encryption_costs_the_octets_of_its_tag_and_nothing_else() {
    const OLD: (&str, &str) = ("192.0.2.1", "192.0.2.2");
    const NEW: (&str, &str) = ("2001:db8::1", "2001:db8::2");
    // Hundredths of kbit/s of IP, encrypted and not, at 20 ms: (payload + tag + headers) * 8 * 50.
    let rows = [
        (OLD, "PCMU", 4, 8_160, 8_000),
        (OLD, "PCMU", 10, 8_400, 8_000),
        (OLD, "PCMU", 16, 8_640, 8_000),
        (OLD, "G729", 4, 2_560, 2_400),
        (OLD, "G729", 10, 2_800, 2_400),
        (OLD, "G729", 16, 3_040, 2_400),
        (NEW, "PCMU", 10, 9_200, 8_800),
        (NEW, "G729", 10, 3_600, 3_200),
    ];
    for ((a, b), codec, tag, encrypted, clear) in rows {
        let text = format!(
            "host a {a}\nhost b {b}\nsrtp a:4000 > b:5000 codec={codec} n=101 tag={tag}\n\
             rtp a:4002 > b:5002 codec={codec} n=101\n"
        );
        let fixture = support::made("cost.scn", &text);
        let mut outcome = review(&fixture.config()).unwrap();
        let report = value(&mut outcome);
        let findings = report["findings"].as_array().unwrap();
        let cost = findings.iter().find(|finding| finding["rule"] == "QOS-SRTP-COST").unwrap();
        let of = |name: &str| cost["parameters"][name].as_u64().unwrap();
        let found = (of("srtp_hundredths_kbit_s"), of("rtp_hundredths_kbit_s"));
        assert_eq!(found, (encrypted, clear), "{codec} from {a}, tag {tag}");
    }
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
