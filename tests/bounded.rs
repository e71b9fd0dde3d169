//! Invariant 6, bounded: every table that input feeds has a cap that bites, under hostile input
//! too; what is given up is counted under the table's name and becomes a finding; and what all
//! tables may take together is known.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::fmt::Write as _;

use overhear::correlate::dialogs::Dialogs;
use overhear::correlate::{company, media, rtcp, srtcp_seen, zrtp};
use overhear::policy::limits::CELLS;
use overhear::policy::{Limits, Policy};
use overhear::reassemble::duplicate;
use overhear::track::{
    dtls_flows, figures, notes, replays, sctp_flows, srtcp_flows, stream, tcp_flows, turn_flows,
    udptl_flows,
};
use serde_json::Value;
use support::{Config, Fixture, made, review, sums, value};

const HOSTS: &str = "host eve 192.0.2.66\nhost pbx 198.51.100.5\nhost six 2001:db8::66\n\
    host pbx6 2001:db8::5\n";

/// Reviews under `limits` and gives back the report and what the table evicted.
fn evicted(text: &str, limits: Limits, table: &str) -> (Value, u64) {
    let fixture = made(&format!("hostile-{table}"), &format!("{HOSTS}{text}"));
    under(&fixture, limits, table)
}

fn under(fixture: &Fixture, limits: Limits, table: &str) -> (Value, u64) {
    let policy = Policy { limits, ..Policy::default() };
    let mut outcome = review(&Config { policy, ..fixture.config() }).unwrap();
    let report = value(&mut outcome);
    let (packets, handled, skipped) = sums(&report);
    assert_eq!(packets, handled + skipped, "{table}");
    let count = report["capture"]["evicted"][table].as_u64().unwrap_or_default();
    (report, count)
}

/// The cap bites, is counted, and is a finding; with the usual limits none of it is so.
fn bites(text: &str, limits: Limits, table: &str, at_least: u64) -> Value {
    let (report, count) = evicted(text, limits, table);
    let all = &report["capture"]["evicted"];
    assert!(count >= at_least, "{table}: {count} evictions, not {at_least}: {all}");
    let found = report["findings"].as_array().unwrap().iter();
    let finding = found.clone().find(|finding| finding["rule"] == "SENSOR-STATE-EVICTED");
    let finding = finding.unwrap_or_else(|| panic!("{table}: no finding"));
    assert_eq!(finding["parameters"][table].as_u64(), Some(count), "{table}: {finding:#}");
    let (usual, _) = evicted(text, Limits::default(), table);
    assert_eq!(usual["capture"]["evicted"][table], Value::Null, "{table}, usual limits");
    report
}

#[test]
fn many_ssrcs_are_bounded() {
    let text = "rtp eve:4000 > pbx:5000 n=3 repeat=1000 every=1ms\n";
    let limits = Limits { streams: 64, ..Limits::default() };
    bites(text, limits, "streams", 900);
}

#[test]
fn many_encrypted_streams_are_bounded() {
    let text = "srtp eve:4000 > pbx:16000 n=90 streams=200\n";
    bites(text, Limits { replays: 64, ..Limits::default() }, "replays", 100);
}

#[test]
fn many_dtls_greetings_of_calls_are_bounded() {
    let mut text = String::new();
    for port in 0..100 {
        let ports = format!("{},{}", 20_000 + 2 * port, 30_000 + 2 * port);
        writeln!(text, "call eve > pbx fingerprint media=none ports={ports}").unwrap();
        writeln!(text, "dtls eve:{} > pbx:{}", 20_000 + 2 * port, 30_000 + 2 * port).unwrap();
    }
    let limits = Limits { peers: 10, ..Limits::default() };
    bites(&text, limits, "dtls_handshakes", 100);
}

#[test]
fn many_tcp_connections_are_bounded() {
    let mut text = String::new();
    for port in 0..400 {
        writeln!(text, "tls eve:{} > pbx:5061 records=1", 10_000 + port).unwrap();
    }
    bites(&text, Limits { tcp_flows: 64, ..Limits::default() }, "tcp_flows", 300);
}

#[test]
fn many_dtls_flows_are_bounded() {
    let mut text = String::new();
    for port in 0..300 {
        writeln!(text, "dtls eve:{} > pbx:5000 hello-only", 10_000 + port).unwrap();
    }
    bites(&text, Limits { udp_flows: 64, ..Limits::default() }, "udp_flows", 200);
}

#[test]
fn many_srtp_keys_are_bounded() {
    let step = "call eve > pbx crypto=AES_CM_128_HMAC_SHA1_80 media=none talk=1ms repeat=100\n";
    bites(step, Limits { srtp_keys: 20, ..Limits::default() }, "srtp_keys", 150);
}

#[test]
fn many_samples_of_srtp_are_bounded() {
    let text = "call eve > pbx crypto=AES_CM_128_HMAC_SHA1_80 media=none talk=1ms\n\
        srtp eve:4000 > pbx:5000 n=120 streams=60\n";
    bites(text, Limits { srtp_samples: 10_000, ..Limits::default() }, "srtp_samples", 30);
}

#[test]
fn many_sctp_associations_are_bounded() {
    let mut text = String::new();
    for port in 0..300 {
        writeln!(text, "sctp eve:{} > pbx random=40", 10_000 + port).unwrap();
    }
    bites(&text, Limits { sctp_flows: 64, ..Limits::default() }, "sctp_flows", 200);
}

#[test]
fn many_turn_clients_are_bounded() {
    let mut text = String::new();
    for port in 0..300 {
        let (client, outside) = (10_000 + port, 20_000 + port);
        writeln!(text, "turn eve:{client} > pbx outside=pbx:{outside} peer=pbx:9").unwrap();
    }
    bites(&text, Limits { turn_flows: 64, ..Limits::default() }, "turn_flows", 200);
}

#[test]
fn many_senders_of_srtcp_are_bounded() {
    let mut text = String::new();
    for port in 0..300 {
        writeln!(text, "srtcp eve:{} > pbx:5001 rr mki=4 +1ms", 10_000 + port).unwrap();
    }
    bites(&text, Limits { srtcp: 64, ..Limits::default() }, "srtcp", 200);
}

#[test]
fn many_streams_through_one_relay_are_bounded() {
    let text = "turn eve:4000 > pbx outside=pbx:9000 peer=eve:5000\n\
        rtp pbx:9000 > eve:5000 n=4 repeat=150 every=1ms\n";
    bites(text, Limits { turn_flows: 64, ..Limits::default() }, "turn_flows", 120);
}

#[test]
fn pieces_of_user_messages_that_never_end_are_bounded() {
    let mut text = String::new();
    for port in 0..50 {
        let lost = "order=2,3,4,5,6,7,8,9,10 lose=1";
        writeln!(text, "sctp eve:{} > pbx random=20000 {lost}", 10_000 + port).unwrap();
    }
    let limits = Limits { reassembly_octets: CELLS * 8_000, ..Limits::default() };
    bites(&text, limits, "sctp_pieces", 40);
}

#[test]
fn websocket_frames_without_end_share_the_purse_of_tcp() {
    let mut text = String::new();
    for port in 0..100 {
        writeln!(text, "ws eve:{} > pbx random=20000 lose=3", 10_000 + port).unwrap();
    }
    let limits = Limits { reassembly_octets: CELLS * 8_000, ..Limits::default() };
    let fixture = made("ws-endless", &format!("{HOSTS}{text}"));
    let (report, _) = under(&fixture, limits, "tcp_messages");
    assert!(report["counts"]["sip_messages"] == 0, "{}", report["counts"]);
}

#[test]
fn many_call_ids_are_bounded() {
    let text = "call eve > pbx media=none talk=0ms final=0 ring=0ms repeat=500 every=1ms\n";
    bites(text, Limits { calls: 8, ..Limits::default() }, "calls", 480);
    bites(text, Limits { transactions: 8, ..Limits::default() }, "transactions", 480);
}

#[test]
fn many_announcements_are_bounded() {
    let text = "call eve > pbx media=none talk=9s repeat=300 every=1ms\n";
    bites(text, Limits { announcements: 10, ..Limits::default() }, "announcements", 500);
}

/// Nanoseconds that this thread has run, where the system tells: other tests run beside it.
fn processor_time() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

#[test]
fn one_address_announced_by_every_call_costs_no_more_than_many_addresses() {
    let text = "call eve > pbx media=none talk=0ms ring=0ms ports=40000,50000 repeat=4000 every=1ms\n\
        rtp eve:40000 > pbx:50000 n=3 repeat=300 every=1ms\n";
    let before = processor_time();
    let (report, _) = evicted(text, Limits::default(), "one-address");
    assert_eq!(report["counts"]["calls"], 4_000);
    // It was minutes when every stream was compared with every pair of announcements.
    let seconds =
        processor_time().zip(before).map(|(after, before)| (after - before) / 1_000_000_000);
    assert!(seconds < Some(20), "{seconds:?} s");
}

#[test]
fn many_users_registering_are_bounded() {
    let mut text = String::new();
    for user in 0..200 {
        writeln!(text, "register eve > pbx from=user{user} +1ms").unwrap();
    }
    bites(&text, Limits { registrations: 5, ..Limits::default() }, "registrations", 190);
}

#[test]
fn many_reports_about_streams_that_never_come_are_bounded() {
    let mut text = String::new();
    for ssrc in 1..300 {
        writeln!(text, "rtcp eve:4001 > pbx:5001 rr about={ssrc} ssrc=7 +1ms").unwrap();
    }
    bites(&text, Limits { rtcp: 10, ..Limits::default() }, "rtcp", 280);
}

#[test]
fn many_peers_are_bounded() {
    let mut text = String::new();
    for host in 1..120 {
        writeln!(text, "host h{host} 203.0.113.{host}").unwrap();
    }
    for host in 1..120 {
        writeln!(text, "options h{host} > pbx final=0 +1ms").unwrap();
    }
    let report = bites(&text, Limits { peers: 10, ..Limits::default() }, "peers", 100);
    assert_eq!(report["counts"]["sip_requests"]["OPTIONS"], 119);
}

#[test]
fn peers_that_answer_make_room_for_others() {
    let mut text = String::new();
    for host in 1..120 {
        writeln!(text, "host h{host} 203.0.113.{host}").unwrap();
    }
    for host in 1..120 {
        writeln!(text, "options h{host} > pbx +1ms").unwrap();
    }
    let (_, evictions) = evicted(&text, Limits { peers: 10, ..Limits::default() }, "peers");
    assert_eq!(evictions, 0);
}

#[test]
fn findings_of_one_rule_are_bounded_and_the_rest_is_one() {
    let mut text = String::new();
    for host in 1..120 {
        writeln!(text, "host h{host} 203.0.113.{host}").unwrap();
    }
    for host in 1..120 {
        writeln!(text, "options h{host} > pbx +1ms").unwrap();
    }
    let limits = Limits { findings_per_rule: 5, ..Limits::default() };
    let (report, _) = evicted(&text, limits, "findings");
    let findings = report["findings"].as_array().unwrap();
    let of: Vec<&Value> =
        findings.iter().filter(|finding| finding["rule"] == "SIG-CLEARTEXT").collect();
    assert_eq!(of.len(), 6);
    let sightings: u64 = of.iter().map(|finding| finding["count"].as_u64().unwrap()).sum();
    assert_eq!(sightings, 238, "every message is counted somewhere");
}

#[test]
fn fragments_without_end_are_bounded() {
    let mut text = String::new();
    for _ in 0..200 {
        text.push_str("udp eve > pbx random=4000 fragment=1400 fraglose=2 +1ms\n");
        text.push_str("udp six > pbx6 random=4000 fragment=1400 fraglose=1 +1ms\n");
    }
    let limits = Limits { fragment_octets: 64 << 10, ..Limits::default() };
    let report = bites(&text, limits, "ip_datagrams", 300);
    assert!(report["capture"]["accounting"]["skipped"]["fragment-incomplete"].as_u64() > Some(700));
}

#[test]
fn a_message_without_end_on_tcp_is_bounded() {
    let mut text = String::from(
        "tcp eve > pbx\n  INVITE sip:bob@198.51.100.5 SIP/2.0\n  \
         Via: SIP/2.0/TCP 192.0.2.66;branch=z9hG4bKend\n  From: <sip:e@x>;tag=1\n  \
         To: <sip:b@x>\n  Call-ID: endless\n  CSeq: 1 INVITE\n  Content-Length: 2000000000\n\n",
    );
    text.push_str("tcp eve > pbx random=60000 repeat=80 every=10ms\n");
    let fixture = made("endless", &format!("{HOSTS}{text}"));
    let (report, _) = under(&fixture, Limits::default(), "reassembly");
    // It is given out when the buffer is full, not held for ever.
    assert_eq!(report["counts"]["sip_requests"]["INVITE"], 1);
}

#[test]
fn many_messages_without_end_on_tcp_share_one_purse() {
    let mut text = String::new();
    for port in 0..200 {
        write!(
            text,
            "tcp eve:{} > pbx\n  INVITE sip:bob@198.51.100.5 SIP/2.0\n  \
             Via: SIP/2.0/TCP 192.0.2.66;branch=z9hG4bKend{port}\n  From: <sip:e@x>;tag=1\n  \
             To: <sip:b@x>\n  Call-ID: endless{port}\n  CSeq: 1 INVITE\n  \
             Content-Length: 2000000000\n\ntcp eve:{} > pbx random=20000\n",
            10_000 + port,
            10_000 + port
        )
        .unwrap();
    }
    let limits = Limits { reassembly_octets: CELLS * 8_000, ..Limits::default() };
    let report = bites(&text, limits, "tcp_messages", 190);
    assert_eq!(report["counts"]["sip_requests"]["INVITE"], 200, "each as far as it goes");
}

#[test]
fn segments_that_wait_for_one_that_never_comes_are_bounded() {
    let mut text = String::from(
        "tcp eve > pbx\n  OPTIONS sip:pbx SIP/2.0\n  Via: SIP/2.0/TCP 192.0.2.66;branch=z9hG4bKw\n  \
         From: <sip:e@x>;tag=1\n  To: <sip:b@x>\n  Call-ID: waits\n  CSeq: 1 OPTIONS\n  \
         Content-Length: 0\n\n",
    );
    text.push_str("tcp eve > pbx random=60000 lose=1\n");
    let limits = Limits { reassembly_octets: CELLS * 4_000, ..Limits::default() };
    let fixture = made("waits", &format!("{HOSTS}{text}"));
    let policy = Policy { limits, ..Policy::default() };
    let mut outcome = review(&Config { policy, ..fixture.config() }).unwrap();
    let report = value(&mut outcome);
    let evicted = report["capture"]["evicted"].as_object().unwrap();
    assert!(evicted.keys().any(|table| table.starts_with("tcp_")), "{evicted:?}");
}

#[test]
fn duplicates_that_come_too_thick_to_be_remembered_are_counted() {
    let text = "rtp eve:4000 > pbx:5000 streams=2000 n=4\n";
    let limits = Limits { duplicates: CELLS, ..Limits::default() };
    bites(text, limits, "duplicates", 1);
}

#[test]
fn records_beyond_memory_and_spool_are_counted() {
    let text = "call eve > pbx media=none talk=0ms final=486 ring=0ms repeat=400 every=1ms\n";
    let small = Limits { records_octets: 4_096, spool_octets: 16 << 10, ..Limits::default() };
    let report = bites(text, small, "call_records", 100);
    assert_eq!(report["counts"]["calls"], 400, "what was counted stays counted");
    let spooled = Limits { records_octets: 4_096, ..Limits::default() };
    let (report, _) = evicted(text, spooled, "call_records");
    assert_eq!(
        report["calls"].as_array().unwrap().len(),
        400,
        "the spool holds what memory cannot"
    );
}

#[test]
fn a_stated_size_is_that_of_the_entry() {
    let rows = Limits::default().rows();
    let stated = |table: &str| rows.iter().find(|row| row.table == table).unwrap().octets_each;
    for (table, entry) in [
        ("streams", stream::ENTRY),
        ("duplicates", duplicate::ENTRY),
        ("armed", figures::ENTRY),
        ("tcp_flows", tcp_flows::ENTRY),
        ("sctp_flows", sctp_flows::ENTRY),
        ("turn_flows", turn_flows::ENTRY),
        ("srtcp", srtcp_flows::ENTRY),
        ("udp_flows", dtls_flows::ENTRY),
        ("noted", notes::ENTRY),
        ("replays", replays::ENTRY),
        ("udptl_flows", udptl_flows::ENTRY),
        ("company", 2 * company::ENTRY),
        ("zrtp", zrtp::ENTRY),
        ("announcements", media::ENTRY),
        ("rtcp", rtcp::ENTRY + 2 * srtcp_seen::ENTRY),
        ("transactions", Dialogs::TRANSACTION),
    ] {
        let stated = stated(table);
        assert!((entry..=entry + entry / 5).contains(&stated), "{table}: {stated}, not {entry}");
    }
}

#[test]
fn all_tables_together_take_at_most_a_gibibyte() {
    let rows = Limits::default().rows();
    let sum: usize = rows.iter().map(|row| row.cap * row.octets_each).sum();
    assert!(sum <= 1 << 30, "{sum} octets");
    assert!(rows.iter().all(|row| row.cap > 0 && row.octets_each > 0));
}
