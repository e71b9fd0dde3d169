//! What is written follows the published schema, for every fixture and under any limits.

#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use overhear::policy::Policy;
use overhear::report::schema::TEXT;
use serde_json::Value;
use serde_json::json;
use support::{Config, fixtures, made, review, schema, tiny, value, workload};

/// A peer with a method, headers and bodies of its own, and one that writes only what is registered.
const PEERS: &str = "\
host odd   192.0.2.1
host plain 192.0.2.2

udp odd > plain
  SING sip:b@192.0.2.2 SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1
  From: <sip:a@192.0.2.1>;tag=1
  To: <sip:b@192.0.2.2>
  Call-ID: 1@192.0.2.1
  CSeq: 1 SING
  X-Mine: not shown
  x-mine: not shown
  X-Other: 1
  Content-Length: 0

udp odd > plain
  MESSAGE sip:b@192.0.2.2 SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK2
  From: <sip:a@192.0.2.1>;tag=1
  To: <sip:b@192.0.2.2>
  Call-ID: 2@192.0.2.1
  CSeq: 1 MESSAGE
  Content-Type: multipart/mixed;boundary=x

  --x
  Content-Type: application/isup;version=itu-t92+

  1234
  --x
  Content-Type: application/sdp

  v=0
  --x--

udp odd > plain
  MESSAGE sip:b@192.0.2.2 SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK3
  From: <sip:a@192.0.2.1>;tag=1
  To: <sip:b@192.0.2.2>
  Call-ID: 3@192.0.2.1
  CSeq: 1 MESSAGE
  Content-Type: multipart/related

  no boundary

udp plain > odd
  SIP/2.0 501 Not Implemented
  Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1
  From: <sip:a@192.0.2.1>;tag=1
  To: <sip:b@192.0.2.2>;tag=2
  Call-ID: 1@192.0.2.1
  CSeq: 1 SING
  Content-Length: 0
";

/// Numbers with more decimals than a capture's clock has: nanoseconds, and in milliseconds six.
fn tails(key: &str, of: &Value, found: &mut Vec<String>) {
    match of {
        Value::Number(number) => {
            let text = number.to_string();
            let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let most = if key.ends_with("_ms") { 6 } else { 9 };
            if decimals > most || text.contains('e') {
                found.push(format!("{key}: {text}"));
            }
        }
        Value::Array(all) => all.iter().for_each(|one| tails(key, one, found)),
        Value::Object(all) => all.iter().for_each(|(key, one)| tails(key, one, found)),
        _ => {}
    }
}

#[test]
fn the_report_of_every_fixture_follows_the_schema() {
    let published: Value = serde_json::from_str(TEXT).unwrap();
    let busy = workload::capture(60, 2);
    let mut reports = 0;
    for fixture in fixtures().iter().chain([&busy]) {
        let small = Policy { limits: tiny(), ..fixture.policy.clone() };
        let hashed = Config { hash: true, ..fixture.config() };
        for config in [hashed, Config { policy: small, ..fixture.config() }] {
            if let Some(mut outcome) = review(&config) {
                let report = value(&mut outcome);
                let mut long = Vec::new();
                tails("", &report, &mut long);
                assert!(long.is_empty(), "{}: {long:?}", fixture.name);
                let faults = schema::faults(&published, &report);
                assert!(faults.is_empty(), "{}: {faults:#?}", fixture.name);
                reports += 1;
            }
        }
    }
    assert!(reports > 150, "{reports} reports");
}

#[test]
fn what_a_peer_writes_beyond_the_registries_is_listed_by_name_alone() {
    let fixture = made("peers", PEERS);
    let report = value(&mut review(&fixture.config()).unwrap());
    let bodies = json!({
        "multipart/mixed": 1, "application/isup": 1, "application/sdp": 1, "multipart/related": 1,
    });
    let odd = json!({
        "address": "192.0.2.1",
        "unknown_methods": {"SING": 1},
        "unknown_headers": {"X-Mine": 2, "X-Other": 1},
        "bodies": bodies,
    });
    assert_eq!(report["peers"], json!([odd]));
    assert!(!report.to_string().contains("not shown"), "values are nobody's business");
}
