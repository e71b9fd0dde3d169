//! The rules of this family on notes of the tap made by hand.

use crate::correlate::placement::Placement;
use crate::detect::seen::{Around, StreamSeen, TapSeen};
use crate::detect::sink::Subject;
use crate::detect::testing::{A, B, Bench, endpoint, frame, in_call, parameter, stream};
use crate::model::time::Span;
use crate::policy::Policy;

const A_RTP: &str = "192.0.2.1:4000";
const B_RTP: &str = "198.51.100.2:6000";

fn loss_in_one_second(streams: u64, losing: u64) -> Bench {
    let mut bench = Bench::new();
    let second = frame(1).time.second() + 5;
    for n in 0..streams {
        bench.stream(&stream(1 + n, A_RTP, B_RTP), None);
    }
    for n in 0..losing {
        bench.tap(&TapSeen::StreamLoss { second, stream: n, at: frame(600 + n) });
    }
    bench
}

#[test]
fn loss_on_many_streams_in_one_second_is_the_taps() {
    let found = loss_in_one_second(10, 4).findings("SENSOR-DROP");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].evidence[0].what, "4 of 10 active streams lose packets in this second");
    assert_eq!(found[0].first_seen, frame(600));
    assert_eq!(parameter(&found[0], "largest_share_pct"), 40);
}

#[test]
fn loss_on_few_streams_is_the_networks() {
    assert!(loss_in_one_second(10, 3).findings("SENSOR-DROP").is_empty());
    assert!(loss_in_one_second(9, 9).findings("SENSOR-DROP").is_empty());
}

#[test]
fn drop_counters_are_named() {
    let mut bench = Bench::new();
    bench.capture.dropped.insert("kernel", 12);
    let found = bench.findings("SENSOR-DROP");
    assert_eq!(found[0].evidence[0].what, "drop counters at the end: 12 kernel");
}

#[test]
fn cut_packets_are_counted_by_what_they_are() {
    let mut bench = Bench::new();
    bench.clipped = true;
    bench.sip(A, B, &in_call(1), "OPTIONS sip:x SIP/2.0\nCSeq: 1 OPTIONS\n\n");
    let record = stream(5, A_RTP, B_RTP);
    bench.seen(&StreamSeen {
        record: &record,
        key: record.key(),
        pair: Subject::pair(record.src.addr, record.dst.addr),
        call: None,
        early: false,
        clipped: 40,
        lookalike: false,
        drift_pct: None,
        proof: None,
        agreement: None,
        around: Around::default(),
    });
    bench.tap(&TapSeen::Clipped { what: "TLS handshake", at: frame(9) });
    let found = bench.findings("SENSOR-SNAPLEN");
    assert_eq!((found.len(), found[0].count, found[0].evidence.len()), (1, 42, 3));
    assert_eq!(parameter(&found[0], "rtp_packets"), 40);
}

#[test]
fn whole_packets_are_quiet() {
    let mut bench = Bench::new();
    bench.sip(A, B, &in_call(1), "OPTIONS sip:x SIP/2.0\nCSeq: 1 OPTIONS\n\n");
    bench.stream(&stream(5, A_RTP, B_RTP), None);
    assert!(bench.findings("SENSOR-SNAPLEN").is_empty());
}

const OPTIONS: &str = "OPTIONS sip:x SIP/2.0\nCSeq: 1 OPTIONS\n\n";
const OK: &str = "SIP/2.0 200 OK\nCSeq: 1 OPTIONS\n\n";

#[test]
fn twenty_requests_without_a_response_fire() {
    let mut bench = Bench::new();
    for _ in 0..21 {
        bench.sip(A, B, &Placement::default(), OPTIONS);
    }
    let found = bench.findings("SENSOR-ONE-SIDED");
    assert_eq!((found.len(), found[0].count), (1, 21));
    assert_eq!((found[0].first_seen, found[0].first_alert), (frame(1), frame(20)));
    assert_eq!(found[0].last_seen, frame(21));
}

#[test]
fn twenty_responses_without_a_request_fire() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        bench.sip(B, A, &Placement::default(), OK);
    }
    assert_eq!(bench.findings("SENSOR-ONE-SIDED").len(), 1);
}

#[test]
fn one_response_nineteen_requests_retransmissions_and_acks_are_quiet() {
    let mut bench = Bench::new();
    for _ in 0..19 {
        bench.sip(A, B, &Placement::default(), OPTIONS);
        let again = Placement { retransmission: true, ..Placement::default() };
        bench.sip(A, B, &again, OPTIONS);
        bench.sip(A, B, &Placement::default(), "ACK sip:x SIP/2.0\nCSeq: 1 ACK\n\n");
    }
    assert!(bench.findings("SENSOR-ONE-SIDED").is_empty());
    let mut bench = Bench::new();
    for _ in 0..40 {
        bench.sip(A, B, &Placement::default(), OPTIONS);
    }
    bench.sip(B, A, &Placement::default(), "SIP/2.0 100 Trying\nCSeq: 1 OPTIONS\n\n");
    assert!(bench.findings("SENSOR-ONE-SIDED").is_empty());
}

#[test]
fn tls_without_its_handshake_is_noted() {
    let mut bench = Bench::new();
    let (src, dst) = (endpoint(A), endpoint("198.51.100.2:5061"));
    bench.tap(&TapSeen::MidstreamTls { src, dst, at: frame(3) });
    assert_eq!(bench.findings("SENSOR-MIDSTREAM-TLS").len(), 1);
    assert!(Bench::new().findings("SENSOR-MIDSTREAM-TLS").is_empty());
}

#[test]
fn duplicates_are_one_finding() {
    let mut bench = Bench::new();
    for n in 1..=7 {
        bench.tap(&TapSeen::Duplicate { at: frame(n), frames: 2 });
    }
    let found = bench.findings("SENSOR-DUPLICATE");
    assert_eq!((found.len(), found[0].count, found[0].evidence.len()), (1, 14, 5));
}

#[test]
fn only_a_jump_beyond_the_threshold_counts() {
    let mut bench = Bench::new();
    bench.tap(&TapSeen::BackwardJump { by: Span::from_millis(2_000), at: frame(1) });
    assert!(bench.findings("SENSOR-TIME").is_empty());
    let mut bench = Bench::new();
    bench.tap(&TapSeen::BackwardJump { by: Span::from_millis(2_001), at: frame(1) });
    bench.tap(&TapSeen::BackwardJump { by: Span::from_millis(9_000), at: frame(2) });
    let found = bench.findings("SENSOR-TIME");
    assert_eq!(parameter(&found[0], "largest_jump_ms"), 9_000);
    assert_eq!(parameter(&found[0], "backward_jumps"), 2);
}

fn drifting(drifts: &[f64]) -> Bench {
    let mut bench = Bench::new();
    for (n, drift) in (1..).zip(drifts) {
        let record = stream(n, A_RTP, B_RTP);
        bench.seen(&StreamSeen {
            record: &record,
            key: record.key(),
            pair: Subject::pair(record.src.addr, record.dst.addr),
            call: None,
            early: false,
            clipped: 0,
            lookalike: false,
            drift_pct: Some(*drift),
            proof: None,
            agreement: None,
            around: Around::default(),
        });
    }
    bench
}

#[test]
fn drift_of_most_streams_is_the_captures() {
    let found = drifting(&[1.5, -1.2, 0.1]).findings("SENSOR-TIME");
    assert_eq!(parameter(&found[0], "drifting_streams"), 2);
    assert!(drifting(&[1.5, -1.2, 0.1, 0.0]).findings("SENSOR-TIME").is_empty());
    assert!(drifting(&[5.0, 5.0]).findings("SENSOR-TIME").is_empty());
}

#[test]
fn full_tables_are_named_among_them_the_rules_own() {
    let mut policy = Policy::default();
    policy.limits.peers = 1;
    let mut bench = Bench::with(policy);
    bench.capture.evicted.insert("calls", 3);
    bench.sip(A, B, &Placement::default(), OPTIONS);
    bench.sip(B, A, &Placement::default(), OPTIONS);
    let found = bench.findings("SENSOR-STATE-EVICTED");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (parameter(&found[0], "calls"), parameter(&found[0], "peers")),
        (3.into(), 1.into())
    );
    assert!(Bench::new().findings("SENSOR-STATE-EVICTED").is_empty());
}

#[test]
fn lookalikes_are_counted_and_never_media() {
    let mut bench = Bench::new();
    let (src, dst) = (endpoint(A_RTP), endpoint(B_RTP));
    bench.tap(&TapSeen::Lookalike { src, dst, at: frame(1), packets: 30, plain: None });
    let outcome = bench.outcome();
    assert_eq!(outcome.findings.len(), 1);
    assert_eq!(outcome.findings[0].rule, "SENSOR-RTP-LOOKALIKE");
    assert_eq!(parameter(&outcome.findings[0], "packets"), 30);
}
