//! The rules of this family on messages written by hand.

use crate::correlate::placement::Placement;
use crate::detect::testing::{A, B, Bench, in_call, parameter};
use crate::model::finding::Severity;

fn challenge(headers: &str) -> String {
    format!("SIP/2.0 401 Unauthorized\nCSeq: 1 REGISTER\nCall-ID: x\n{headers}\n\n")
}

fn register(header: &str) -> String {
    format!("REGISTER sip:example.net SIP/2.0\nCSeq: 2 REGISTER\nCall-ID: x\n{header}\n\n")
}

const MD5: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
const SHA: &str =
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";

#[test]
fn md5_alone_fires_and_md5_beside_sha_256_is_quiet() {
    let mut bench = Bench::new();
    bench.sip(B, A, &in_call(1), &challenge(MD5));
    let found = bench.findings("AUTH-MD5-ONLY");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Medium);
    assert_eq!(parameter(&found[0], "algorithms"), "MD5");
    assert_eq!(found[0].evidence[0].what, "401 to REGISTER offers MD5, realm \"r\"");

    let mut bench = Bench::new();
    bench.sip(B, A, &in_call(1), &challenge(&format!("{SHA}\n{MD5}")));
    bench.sip(B, A, &in_call(1), &challenge(SHA));
    assert!(bench.findings("AUTH-MD5-ONLY").is_empty());
}

#[test]
fn md5_inside_tls_is_low() {
    let mut bench = Bench::new();
    bench.encrypted = true;
    bench.sip(B, A, &in_call(1), &challenge(MD5));
    let found = bench.findings("AUTH-MD5-ONLY");
    assert_eq!(found[0].severity, Severity::Low);
}

#[test]
fn a_retransmitted_challenge_counts_once() {
    let mut bench = Bench::new();
    bench.sip(B, A, &in_call(1), &challenge(MD5));
    let again = Placement { retransmission: true, ..in_call(1) };
    bench.sip(B, A, &again, &challenge(MD5));
    assert_eq!(bench.findings("AUTH-MD5-ONLY")[0].count, 1);
}

#[test]
fn a_challenge_or_an_answer_without_qop_fires() {
    let mut bench = Bench::new();
    bench.sip(B, A, &in_call(1), &challenge("Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\""));
    bench.sip(
        A,
        B,
        &in_call(1),
        &register(
            "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", response=\"ab\"",
        ),
    );
    let found = bench.findings("AUTH-NO-QOP");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].count, found[0].evidence.len()), (2, 2));
    assert_eq!(parameter(&found[0], "answers"), 1);
}

#[test]
fn qop_and_an_empty_first_response_are_quiet() {
    let mut bench = Bench::new();
    bench.sip(B, A, &in_call(1), &challenge(SHA));
    let empty = "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"\", response=\"\"";
    bench.sip(A, B, &in_call(1), &register(empty));
    assert!(bench.findings("AUTH-NO-QOP").is_empty());
}

#[test]
fn basic_fires_without_showing_the_password() {
    let mut bench = Bench::new();
    bench.sip(B, A, &in_call(1), &challenge("WWW-Authenticate: Basic realm=\"r\""));
    bench.sip(A, B, &in_call(1), &register("Authorization: Basic dXNlcjpodW50ZXIy"));
    let found = bench.findings("AUTH-BASIC");
    assert_eq!((found.len(), found[0].count), (1, 2));
    assert_eq!(found[0].severity, Severity::Critical);
    assert!(found[0].evidence[1].what.contains("secret-1"));
    assert!(!format!("{found:?}").contains("dXNl"));
}

#[test]
fn a_digest_challenge_is_not_basic() {
    let mut bench = Bench::new();
    bench.sip(B, A, &in_call(1), &challenge(SHA));
    assert!(bench.findings("AUTH-BASIC").is_empty());
}
