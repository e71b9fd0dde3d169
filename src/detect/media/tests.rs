//! The rules of this family on messages and streams made by hand.

use crate::correlate::placement::{Placement, SdpRole};
use crate::detect::testing::{A, B, Bench, PUBLIC, in_call, parameter, stream};
use crate::model::finding::{Confidence, Severity};
use crate::model::record::Protection;

const A_RTP: &str = "192.0.2.1:4000";
const B_RTP: &str = "198.51.100.2:6000";

#[test]
fn clear_streams_of_a_call_are_one_finding_with_one_stream_each_way() {
    let mut bench = Bench::new();
    for n in 0..6 {
        bench.stream(&stream(10 + n, A_RTP, B_RTP), Some(1 + n));
    }
    bench.stream(&stream(20, B_RTP, A_RTP), Some(1));
    let outcome = bench.outcome();
    let found: Vec<_> =
        outcome.findings.iter().filter(|f| f.rule == "MEDIA-CLEARTEXT-RTP").collect();
    assert_eq!(found.len(), 1);
    let finding = found[0];
    assert_eq!((finding.count, finding.severity), (7, Severity::High));
    assert_eq!((finding.scope.streams.len(), finding.scope.calls.len()), (7, 6));
    assert_eq!(
        finding.summary,
        "7 streams in 6 calls between 192.0.2.1 and 198.51.100.2: 3.5 minutes of audio can be \
         listened to."
    );
    assert_eq!(finding.evidence.len(), 5);
    assert!(finding.evidence.iter().any(|e| e.what.contains("198.51.100.2:6000 to 192.0.2.1")));
    let own = outcome.findings.iter().position(|f| f.rule == "MEDIA-CLEARTEXT-RTP").unwrap();
    let place = |number: u32| outcome.places[number as usize] as usize;
    assert_eq!(outcome.links.iter().filter(|(_, number)| place(*number) == own).count(), 13);
}

#[test]
fn too_few_packets_low_confidence_and_encrypted_streams_are_quiet() {
    let mut bench = Bench::new();
    let mut few = stream(1, A_RTP, B_RTP);
    few.packets = 19;
    bench.stream(&few, Some(1));
    let mut unsure = stream(2, A_RTP, B_RTP);
    unsure.verdict.confidence = Confidence::Medium;
    bench.stream(&unsure, Some(1));
    let mut secure = stream(3, A_RTP, B_RTP);
    secure.protection = Protection::EncryptedLike;
    bench.stream(&secure, Some(1));
    assert!(bench.findings("MEDIA-CLEARTEXT-RTP").is_empty());
}

#[test]
fn without_a_call_both_directions_must_be_clear() {
    let mut bench = Bench::new();
    bench.stream(&stream(1, A_RTP, B_RTP), None);
    bench.stream(&stream(2, A_RTP, B_RTP), None);
    assert!(bench.findings("MEDIA-CLEARTEXT-RTP").is_empty());

    let mut bench = Bench::new();
    bench.stream(&stream(1, A_RTP, B_RTP), None);
    bench.stream(&stream(2, B_RTP, A_RTP), None);
    let found = bench.findings("MEDIA-CLEARTEXT-RTP");
    assert_eq!((found[0].count, found[0].scope.streams.len()), (2, 2));
    assert_eq!(parameter(&found[0], "streams_without_call"), 2);
}

#[test]
fn a_public_end_of_clear_media_is_critical() {
    let mut bench = Bench::new();
    bench.stream(&stream(1, A_RTP, PUBLIC), Some(1));
    assert_eq!(bench.findings("MEDIA-CLEARTEXT-RTP")[0].severity, Severity::Critical);
}

const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

fn with_crypto(start: &str, key: &str, port: u16) -> String {
    let sdp = format!(
        "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio {port} RTP/SAVP \
         0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^20\n"
    );
    format!("{start}\nCSeq: 1 INVITE\nCall-ID: x\nContent-Type: application/sdp\n\n{sdp}")
}

fn role(n: u64, sdp: SdpRole) -> Placement {
    Placement { sdp, ..in_call(n) }
}

const INVITE: &str = "INVITE sip:x SIP/2.0";

#[test]
fn an_offered_key_is_high_and_hidden() {
    let mut bench = Bench::new();
    bench.sip(A, B, &role(1, SdpRole::Offer), &with_crypto(INVITE, KEY, 4000));
    let again = Placement { retransmission: true, ..role(1, SdpRole::Offer) };
    bench.sip(A, B, &again, &with_crypto(INVITE, KEY, 4000));
    let found = bench.findings("MEDIA-SDES-KEY-EXPOSED");
    assert_eq!((found.len(), found[0].count), (1, 1));
    assert_eq!(found[0].severity, Severity::High);
    let evidence = &found[0].evidence[0];
    assert_eq!(
        evidence.what,
        "INVITE offers crypto tag 1, AES_CM_128_HMAC_SHA1_80: secret-1 (30 octets)"
    );
    assert!(!format!("{found:?}").contains("WVNf"));
}

#[test]
fn an_answer_that_chooses_a_key_is_critical() {
    let mut bench = Bench::new();
    bench.sip(A, B, &role(1, SdpRole::Offer), &with_crypto(INVITE, KEY, 4000));
    bench.sip(B, A, &role(1, SdpRole::Answer), &with_crypto("SIP/2.0 200 OK", KEY, 6000));
    let found = bench.findings("MEDIA-SDES-KEY-EXPOSED");
    assert_eq!((found.len(), found[0].count), (1, 2));
    assert_eq!(found[0].severity, Severity::Critical);
    assert_eq!(parameter(&found[0], "keys"), 1);
}

#[test]
fn a_rejected_medium_does_not_choose_a_key() {
    let mut bench = Bench::new();
    bench.sip(A, B, &role(1, SdpRole::Offer), &with_crypto(INVITE, KEY, 4000));
    bench.sip(B, A, &role(1, SdpRole::Answer), &with_crypto("SIP/2.0 200 OK", KEY, 0));
    assert_eq!(bench.findings("MEDIA-SDES-KEY-EXPOSED")[0].severity, Severity::High);
}

#[test]
fn a_stream_of_the_call_makes_an_offered_key_critical() {
    for (protection, severity) in
        [(Protection::EncryptedLike, Severity::Critical), (Protection::Cleartext, Severity::High)]
    {
        let mut bench = Bench::new();
        bench.sip(A, B, &role(1, SdpRole::Offer), &with_crypto(INVITE, KEY, 4000));
        let mut media = stream(5, A_RTP, B_RTP);
        media.protection = protection;
        bench.stream(&media, Some(1));
        assert_eq!(bench.findings("MEDIA-SDES-KEY-EXPOSED")[0].severity, severity);
    }
}

#[test]
fn an_undecodable_key_and_one_inside_tls_are_quiet() {
    let mut bench = Bench::new();
    bench.sip(A, B, &role(1, SdpRole::Offer), &with_crypto(INVITE, "*", 4000));
    bench.encrypted = true;
    bench.sip(A, B, &role(1, SdpRole::Offer), &with_crypto(INVITE, KEY, 4000));
    assert!(bench.findings("MEDIA-SDES-KEY-EXPOSED").is_empty());
}
