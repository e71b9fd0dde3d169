//! TLS of real programs: certificates against authorities that the user names, and what shows of a
//! connection behind its handshake.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::fs;
use std::process::{Command, Stdio};

use overhear::policy::Policy;
use overhear_parsers::tls::certificate;
use serde_json::Value;
use support::{Config, config, report, root};

/// OpenSSL 3.0 with TLS 1.2 at four servers: .5 sends its issuer, .6 does not, .7 the root before its
/// issuer; with .8 keys are agreed on once more.
const CHAINS: &str = "fixtures/tls/chains.pcap";

/// The report with these authorities.
fn trusting(files: &[&str]) -> Value {
    let read = |file: &&str| certificate::in_file(&fs::read(root().join(file)).unwrap());
    let anchors: Vec<Vec<u8>> = files.iter().flat_map(read).collect();
    let policy = Policy { anchors: anchors.into(), ..Policy::default() };
    let config = Config { policy, ..config(&root().join(CHAINS)) };
    serde_json::from_str(&report(&config)).unwrap()
}

/// Severity and server of each finding of a rule, sorted.
fn found(report: &Value, rule: &str) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut found: Vec<(String, String)> = findings
        .filter(|finding| finding["rule"] == rule)
        .map(|finding| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&finding["severity"]), text(&finding["scope"]["addresses"][1]))
        })
        .collect();
    found.sort();
    found
}

fn all(severity: &str, last: &[u8]) -> Vec<(String, String)> {
    last.iter().map(|last| (severity.to_owned(), format!("198.51.100.{last}"))).collect()
}

#[test]
fn certificates_lead_to_the_authority_that_was_named_or_not() {
    let report = trusting(&["fixtures/tls/root.crt"]);
    assert_eq!(found(&report, "TLS-CERT-UNTRUSTED"), all("high", &[6]));
    assert_eq!(found(&report, "TLS-CERT-CHAIN-INCOMPLETE"), all("low", &[6, 7]));
    let grades = |report: &Value| -> Vec<String> {
        let pairs = report["tls_pairs"].as_array().unwrap().iter();
        pairs.map(|pair| pair["grade"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(grades(&report), ["A", "T", "A", "A"]);
    let other = trusting(&["fixtures/tls/other.crt"]);
    assert_eq!(found(&other, "TLS-CERT-UNTRUSTED"), all("high", &[5, 6, 7, 8]));
    assert_eq!(grades(&other), ["T"; 4]);
    let both = trusting(&["fixtures/tls/other.crt", "fixtures/tls/root.crt"]);
    assert_eq!(found(&both, "TLS-CERT-UNTRUSTED"), all("high", &[6]));
}

#[test]
fn without_authorities_nothing_is_held_against_anybody() {
    let report = trusting(&[]);
    assert_eq!(found(&report, "TLS-CERT-UNTRUSTED"), all("info", &[5, 6, 7, 8]));
    assert_eq!(found(&report, "TLS-CERT-CHAIN-INCOMPLETE"), all("low", &[7]));
}

#[test]
fn keys_that_are_agreed_on_once_more_are_noticed() {
    assert_eq!(found(&trusting(&[]), "TLS-RENEG-SEEN"), all("info", &[8]));
}

#[test]
fn authorities_are_files_or_directories_of_them_and_what_is_none_is_refused() {
    let ran = |ca: &str| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("overhear"));
        command.args(["review", CHAINS, "--json", "-", "--ca", ca]).stdin(Stdio::null());
        let output = command.current_dir(root()).output().unwrap();
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    for (ca, why) in [("/nowhere/ca.pem", "cannot be read"), (CHAINS, "no certificate in it")] {
        let (status, stdout, stderr) = ran(ca);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{ca}");
        assert!(stderr.contains("--ca") && stderr.contains(why), "{stderr}");
    }
    let (status, stdout, _) = ran("fixtures/tls");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(status, Some(0));
    assert_eq!(found(&report, "TLS-CERT-UNTRUSTED"), all("high", &[6]));
}
