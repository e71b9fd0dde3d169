//! Handshakes that `OpenSSL` and `GnuTLS` made with each other (`fixtures/tls/matrix.pcap`, recorded by
//! `benches/tls-matrix`): version and suite are what the client printed, every rule that should fire
//! does, and no other fires above `info`. `docs/tls-matrix.md` has all rows, these among them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;

use overhear::dissect::tls_open::keylog::KeyLog;
use overhear::dissect::tls_open::keys::Keys;
use serde_json::Value;
use support::{Config, config, review, root, value};

/// Rules that hold servers against each other, which in a laboratory share keys, or that need anchors.
const BESIDE: [&str; 4] = [
    "TLS-CERT-SHARED-KEY",
    "TLS-HANDSHAKE-FLOOD",
    "TLS-CERT-CHAIN-INCOMPLETE",
    "TLS-CERT-UNTRUSTED",
];

fn text(of: &Value) -> &str {
    of.as_str().unwrap_or_default()
}

/// Findings about one server: rule, whether above `info`, whether more than an offer.
fn found<'r>(report: &'r Value, host: &str) -> Vec<(&'r str, bool, bool)> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| {
        let addresses = finding["scope"]["addresses"].as_array().unwrap();
        let tls = ["TLS-", "DTLS-"].iter().any(|family| text(&finding["rule"]).starts_with(family));
        tls && addresses.iter().any(|address| text(address) == host)
    });
    let each = findings.map(|finding| {
        let agreed = finding["parameters"]["agreed"].as_u64() != Some(0);
        (text(&finding["rule"]), text(&finding["severity"]) != "info", agreed)
    });
    each.filter(|(rule, ..)| !BESIDE.contains(rule)).collect()
}

/// What is wrong with a row.
fn wrong(row: &Value, report: &Value) -> Vec<String> {
    let server = text(&row["server"]);
    let host = server.rsplit_once(':').unwrap().0;
    let handshakes = report["handshakes"].as_array().unwrap();
    let last = handshakes.iter().rfind(|handshake| text(&handshake["server"]) == server);
    let mut wrong = Vec::new();
    for key in ["version", "cipher_id"] {
        let read = last.map_or(&Value::Null, |last| &last[key]);
        if !row["version"].is_null() && *read != row[key] {
            wrong.push(format!("{key} is {read}, not {}", row[key]));
        }
    }
    let alert = last.map_or(&Value::Null, |last| &last["alert"]["description"]);
    if !row["alert"].is_null() && *alert != row["alert"] {
        wrong.push(format!("the alert is {alert}, not {}", row["alert"]));
    }
    let found = found(report, host);
    let should: BTreeSet<&str> = row["should"].as_array().unwrap().iter().map(text).collect();
    let all: BTreeSet<&str> = found.iter().map(|(rule, ..)| *rule).collect();
    let missing = should.iter().filter(|rule| !all.contains(*rule) && !BESIDE.contains(rule));
    wrong.extend(missing.map(|rule| format!("{rule} does not fire")));
    // Of a handshake that failed the client did not print what was agreed on before.
    let known = !row["version"].is_null();
    let clean = row["clean"] == true;
    let surplus = found.iter().filter(|(rule, above, agreed)| {
        *above && !should.contains(rule) && (clean || known && *agreed)
    });
    wrong.extend(surplus.map(|(rule, ..)| format!("{rule} fires")));
    wrong
}

#[test]
fn what_real_stacks_agree_on_is_read_and_judged_as_they_say() {
    let folder = root().join("fixtures/tls");
    let rows: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("matrix.json")).unwrap()).unwrap();
    let rows = rows.as_array().unwrap();
    assert!(rows.len() > 80, "{} rows", rows.len());
    let mut secrets = KeyLog::default();
    secrets.read(&fs::read(folder.join("matrix.keylog")).unwrap(), 1_000);
    let keys = Keys::given(secrets, Vec::new());
    let settings = Config { keys, ..config(&folder.join("matrix.pcap")) };
    let report = value(&mut review(&settings).unwrap());
    let wrong: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            wrong(row, &report).into_iter().map(|what| format!("{}: {what}", row["row"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
