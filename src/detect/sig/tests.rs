//! The rules of this family on messages written by hand.

use crate::correlate::placement::Placement;
use crate::detect::testing::{A, B, Bench, PUBLIC, frame, in_call, parameter};
use crate::model::finding::Severity;

const OPTIONS: &str = "OPTIONS sip:x SIP/2.0\nCSeq: 1 OPTIONS\nCall-ID: x\n\n";
const OK: &str = "SIP/2.0 200 OK\nCSeq: 1 OPTIONS\nCall-ID: x\n\n";

fn register(user: &str, response: &str) -> String {
    format!(
        "REGISTER sip:example.net SIP/2.0\nCSeq: 2 REGISTER\nCall-ID: x\nAuthorization: Digest \
         username=\"{user}\", realm=\"r\", nonce=\"n\", uri=\"sip:example.net\", qop=auth, \
         nc=00000001, cnonce=\"c\", response=\"{response}\"\n\n"
    )
}

#[test]
fn both_directions_of_a_pair_are_one_finding() {
    let mut bench = Bench::new();
    for call in 1..=10 {
        bench.sip(A, B, &in_call(call), OPTIONS);
        bench.sip(B, A, &in_call(call), OK);
    }
    let found = bench.findings("SIG-CLEARTEXT");
    assert_eq!(found.len(), 1);
    let finding = &found[0];
    assert_eq!((finding.count, finding.severity), (20, Severity::High));
    assert_eq!(finding.scope.calls.len(), 10);
    assert_eq!(finding.evidence.len(), 5);
    assert_eq!((finding.first_seen, finding.last_seen), (frame(1), frame(20)));
    assert_eq!(
        finding.summary,
        "20 SIP messages of 10 calls between 192.0.2.1 and 198.51.100.2 travelled in clear over \
         UDP."
    );
    assert_eq!(finding.evidence[0].what, "OPTIONS in clear over UDP");
}

#[test]
fn a_public_end_makes_it_critical_and_decryption_makes_it_quiet() {
    let mut bench = Bench::new();
    bench.sip(A, PUBLIC, &Placement::default(), OPTIONS);
    assert_eq!(bench.findings("SIG-CLEARTEXT")[0].severity, Severity::Critical);

    let mut bench = Bench::new();
    bench.encrypted = true;
    bench.sip(A, B, &Placement::default(), OPTIONS);
    assert!(bench.findings("SIG-CLEARTEXT").is_empty());
}

#[test]
fn digest_responses_are_counted_by_user_and_labelled() {
    let mut bench = Bench::new();
    bench.sip(A, B, &in_call(1), &register("alice", "0123456789abcdef"));
    bench.sip(A, B, &in_call(2), &register("bob", "fedcba9876543210"));
    bench.sip(A, B, &in_call(3), &register("bob", "fedcba9876543210"));
    let found = bench.findings("SIG-DIGEST-CLEARTEXT");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].count, found[0].scope.calls.len()), (3, 3));
    assert_eq!(parameter(&found[0], "users"), 2);
    assert_eq!(parameter(&found[0], "crackable_offline"), true);
    assert!(found[0].evidence[1].what.ends_with("user \"bob\": secret-2 (16 octets)"));
    assert!(found[0].evidence[2].what.contains("secret-2"));
    assert!(!format!("{found:?}").contains("fedcba"));
}

#[test]
fn an_empty_response_and_one_inside_tls_are_quiet() {
    let mut bench = Bench::new();
    bench.sip(A, B, &in_call(1), &register("alice", ""));
    bench.encrypted = true;
    bench.sip(A, B, &in_call(1), &register("alice", "0123"));
    assert!(bench.findings("SIG-DIGEST-CLEARTEXT").is_empty());
}
