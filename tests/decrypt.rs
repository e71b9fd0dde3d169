//! TLS opened with what the user supplies: key logs, secrets blocks in the capture, RSA keys. What is
//! inside is read as if it were not inside TLS, and marked; wrong secrets change nothing and are
//! said to be of no use.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use overhear::dissect::tls_open::keylog::KeyLog;
use overhear::dissect::tls_open::keys::Keys;
use overhear::dissect::tls_open::rsa::RsaKey;
use overhear::engine::Cut;
use overhear::policy::{Limits, Policy};
use serde_json::{Value, json};
use support::{Config, config, report, root, scratch};

/// Secrets blocks have this type.
const SECRETS: u32 = 10;
/// Packets have this one.
const PACKET: u32 = 6;

fn recorded(name: &str) -> PathBuf {
    root().join("fixtures/recorded").join(name)
}

fn made(name: &str) -> PathBuf {
    root().join("fixtures/decrypt").join(name)
}

fn with_log(capture: &Path, log: &Path) -> Config {
    let mut read = KeyLog::default();
    read.read(&fs::read(log).unwrap(), 1_000);
    Config { keys: Keys::given(read, Vec::new()), ..config(capture) }
}

fn reviewed(config: &Config) -> Value {
    serde_json::from_str(&report(config)).unwrap()
}

fn limits(report: &Value) -> String {
    report["limits"].to_string()
}

#[test]
fn a_key_log_opens_every_version() {
    for name in ["siptls_tls10", "siptls_tls12_adh", "siptls_tls13"] {
        let capture = recorded(&format!("{name}.pcapng"));
        let closed = reviewed(&config(&capture));
        assert_eq!(closed["counts"]["sip_messages"], 0, "{name}");
        assert_eq!(closed["handshakes"][0]["decrypted"], false, "{name}");
        assert!(limits(&closed).contains("was not readable"), "{name}");
        let open = with_log(&capture, &recorded(&format!("{name}.pcapng.keylog")));
        let open = reviewed(&open);
        assert_eq!(open["counts"]["sip_messages"], 2, "{name}");
        assert_eq!(open["handshakes"][0]["decrypted"], true, "{name}");
        assert_eq!(open["limits"], json!([]), "{name}");
        assert_eq!(
            open["capture"]["accounting"], closed["capture"]["accounting"],
            "{name}: its frames are TLS all the same"
        );
    }
}

#[test]
fn tls_over_sctp_opens_like_tls_over_tcp() {
    for (name, origin) in
        [("sctp_tls12.pcap", "siptls_tls12_adh"), ("sctp_tls13.pcap", "siptls_tls13")]
    {
        let log = recorded(&format!("{origin}.pcapng.keylog"));
        let closed = reviewed(&config(&made(name)));
        let open = reviewed(&with_log(&made(name), &log));
        let tcp = reviewed(&with_log(&recorded(&format!("{origin}.pcapng")), &log));
        assert_eq!(closed["counts"]["sip_messages"], 0, "{name}");
        assert_eq!(closed["handshakes"][0]["decrypted"], false, "{name}");
        assert_eq!(open["counts"]["sip_messages"], 2, "{name}");
        let [open, tcp] = [&open["handshakes"], &tcp["handshakes"]];
        assert_eq!(open.as_array().unwrap().len(), 1, "{name}");
        assert_eq!((&open[0]["decrypted"], &open[0]["over_sctp"]), (&json!(true), &json!(true)));
        for key in ["version", "cipher", "outcome", "ended_by", "certificates", "ja3", "ja3s"] {
            assert_eq!(open[0][key], tcp[0][key], "{name} {key}");
        }
    }
}

#[test]
fn sip_in_dtls_over_sctp_is_read_like_sip_in_tls() {
    let (capture, log) = (made("sctp_dtls12.pcap"), made("sctp_dtls12.keylog"));
    let closed = reviewed(&config(&capture));
    assert_eq!(closed["counts"]["sip_messages"], 0);
    assert_eq!(closed["handshakes"][0]["decrypted"], false);
    assert!(limits(&closed).contains("was not readable"), "{}", limits(&closed));
    let open = reviewed(&with_log(&capture, &log));
    assert_eq!(open["counts"]["sip_messages"], 2);
    assert_eq!(open["counts"]["sip_decrypted"], 2);
    assert_eq!(open["counts"]["registrations"], 1);
    let handshake = &open["handshakes"][0];
    assert_eq!((&handshake["decrypted"], &handshake["over_sctp"]), (&json!(true), &json!(true)));
    assert_eq!(open["limits"], json!([]));
    assert_eq!(open["capture"]["accounting"], closed["capture"]["accounting"]);
    let rules = open["findings"].as_array().unwrap().iter().map(|finding| &finding["rule"]);
    assert!(rules.clone().all(|rule| rule != "SIG-CLEARTEXT"));
}

/// The packets of a little-endian pcap file as pcapng, with a secrets block behind so many of them.
fn with_block(capture: &Path, log: &Path, packets: usize) -> PathBuf {
    let octets = fs::read(capture).unwrap();
    let mut out = Vec::new();
    let mut block = |kind: u32, parts: &[&[u8]]| {
        let body = parts.concat();
        let pad = vec![0; body.len().wrapping_neg() % 4];
        let length = u32::try_from(12 + body.len() + pad.len()).unwrap().to_le_bytes();
        out.extend([&kind.to_le_bytes()[..], &length, &body, &pad, &length].concat());
    };
    let unknown = u64::MAX.to_le_bytes();
    block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes(), &[1, 0, 0, 0], &unknown]);
    block(1, &[&[1, 0, 0, 0, 0, 0, 0, 0]]);
    let mut rest = &octets[24..];
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let (record, after) = rest.split_at(16 + word(8) as usize);
        let us = u64::from(word(0)) * 1_000_000 + u64::from(word(4));
        let [low, high] = [us as u32, (us >> 32) as u32].map(u32::to_le_bytes);
        block(PACKET, &[&[0; 4], &high, &low, &record[8..16], &record[16..]]);
        rest = after;
    }
    let name = capture.file_stem().unwrap().to_string_lossy();
    let plain = scratch(&format!("{name}.pcapng"), &out);
    block_behind(&plain, &secrets_block(log), packets)
}

#[test]
fn secrets_that_come_late_open_what_goes_over_sctp() {
    let own = |name: &str| made(&format!("{name}.keylog"));
    let of = |name: &str| recorded(&format!("{name}.pcapng.keylog"));
    for (name, log) in [
        ("sctp_tls12", of("siptls_tls12_adh")),
        ("sctp_tls13", of("siptls_tls13")),
        ("sctp_dtls12", own("sctp_dtls12")),
    ] {
        let capture = made(&format!("{name}.pcap"));
        let first = reviewed(&config(&with_block(&capture, &log, 0)));
        assert_eq!(first["counts"]["sip_messages"], 2, "{name}");
        for packets in [1, 4, 9, 14, 19, 1_000] {
            let moved = config(&with_block(&capture, &log, packets));
            let report = reviewed(&moved);
            assert_eq!(report["counts"], first["counts"], "{name} {packets}");
            assert_eq!(report["registrations"], first["registrations"], "{name} {packets}");
            let [one, of_first] = [&report, &first].map(|report| &report["handshakes"][0]);
            assert_eq!(report["handshakes"].as_array().unwrap().len(), 1, "{name} {packets}");
            for key in ["certificates", "decrypted"] {
                assert_eq!(one[key], of_first[key], "{name} {packets} {key}");
            }
            assert_eq!(report["limits"], first["limits"], "{name} {packets}");
            let written = support::report(&moved);
            for (lanes, frames) in [(1, 1), (3, 7), (8, 4_096)] {
                let epoch = Cut { frames, ..Cut::default() };
                let again = support::report(&Config { lanes, epoch, ..moved.clone() });
                let how = format!("{name} {packets}, {lanes} lanes");
                support::assert_same(&written, &again, &how);
            }
        }
        let limits_of = Limits { tls_retain: 64, ..Limits::default() };
        let policy = Policy { limits: limits_of, ..Policy::default() };
        let report = reviewed(&Config { policy, ..config(&with_block(&capture, &log, 1_000)) });
        assert_eq!(report["counts"]["sip_messages"], 0, "{name}");
        assert_eq!(report["capture"]["evicted"]["tls_retain"], 1, "{name}");
        assert!(limits(&report).contains("had gone by"), "{name} {}", limits(&report));
    }
}

#[test]
fn a_call_inside_tls_is_a_call_and_its_keys_were_not_exposed() {
    let report = reviewed(&config(&recorded("baresip_sdes_tls_dsb.pcapng")));
    assert_eq!(report["counts"]["sip_messages"], 32);
    let call = &report["calls"][0];
    assert_eq!((&call["transport"], &call["signalling_clear"]), (&json!(["TLS"]), &json!(false)));
    assert_eq!((&call["state"], &call["media"]["keying"]), (&json!("answered"), &json!("sdes")));
    assert!(report["handshakes"].as_array().unwrap().iter().all(|one| one["decrypted"] == true));
    let rules = report["findings"].as_array().unwrap().iter().map(|finding| &finding["rule"]);
    let clear = ["SIG-CLEARTEXT", "SIG-DIGEST-CLEARTEXT", "MEDIA-SDES-KEY-EXPOSED"];
    assert!(rules.clone().all(|rule| !clear.contains(&rule.as_str().unwrap())));
}

#[test]
fn what_tls_1_3_hides_of_a_handshake_is_read_with_its_secrets() {
    let report = reviewed(&config(&recorded("baresip_sdes_tls_dsb.pcapng")));
    let handshakes = report["handshakes"].as_array().unwrap();
    let own = |one: &Value| one["certificates"][0]["subject"].as_str().unwrap_or("none").to_owned();
    let subjects: Vec<String> = handshakes.iter().map(own).collect();
    let (proxy, phone) = ("CN=proxy.lab.example", "CN=selfsigned.lab.example");
    assert_eq!(subjects, [proxy, proxy, phone, phone]);
    for handshake in handshakes {
        assert_eq!(handshake["version"], "TLS 1.3");
        assert_eq!(handshake["certificate_requested"], false);
        assert_eq!(handshake["client_certificate"], false);
    }
    let cites = |handshake: &Value| handshake["findings"].to_string().contains("SELF-SIGNED");
    let cited: Vec<bool> = handshakes.iter().map(cites).collect();
    assert_eq!(cited, [false, false, true, true]);
    let closed = reviewed(&config(&recorded("siptls_tls13.pcapng")));
    let closed = &closed["handshakes"][0];
    assert!(closed["certificates"].is_null() && closed["certificate_requested"].is_null());
    let open = with_log(&recorded("siptls_tls13.pcapng"), &recorded("siptls_tls13.pcapng.keylog"));
    assert!(reviewed(&open)["handshakes"][0]["certificates"].is_array());
}

#[test]
fn a_null_suite_needs_no_key_and_hides_nothing() {
    let report = reviewed(&config(&recorded("siptls_tls12_null.pcapng")));
    assert_eq!(report["counts"]["sip_messages"], 2);
    assert_eq!(report["handshakes"][0]["decrypted"], false);
    let rules = report["findings"].as_array().unwrap().iter();
    assert!(rules.clone().any(|finding| finding["rule"] == "SIG-CLEARTEXT"));
}

#[test]
fn an_rsa_key_opens_static_rsa() {
    let key = || RsaKey::read(&fs::read(made("static_rsa.key")).unwrap()).unwrap();
    for (capture, messages) in [("static_rsa_tls10.pcap", 6), ("static_rsa_tls12.pcap", 2)] {
        let keys = Keys::given(KeyLog::default(), vec![key()]);
        let report = reviewed(&Config { keys, ..config(&made(capture)) });
        assert_eq!(report["counts"]["sip_messages"], messages, "{capture}");
        assert_eq!(report["handshakes"][0]["decrypted"], true, "{capture}");
    }
}

#[test]
fn an_rsa_key_opens_static_rsa_of_dtls_and_another_does_not() {
    let capture = made("static_rsa_dtls12.pcap");
    let with = |name: &str| {
        let key = RsaKey::read(&fs::read(made(name)).unwrap()).unwrap();
        reviewed(&Config { keys: Keys::given(KeyLog::default(), vec![key]), ..config(&capture) })
    };
    let opened = |report: &Value| {
        let handshakes = report["handshakes"].as_array().unwrap().iter();
        handshakes.map(|one| one["decrypted"] == true).collect::<Vec<_>>()
    };
    let closed = reviewed(&config(&capture));
    assert_eq!(opened(&closed), [false; 5]);
    for report in
        [with("static_rsa.key"), reviewed(&with_log(&capture, &made("static_rsa_dtls12.keylog")))]
    {
        assert_eq!(opened(&report), [true; 5], "{}", limits(&report));
        assert!(!limits(&report).contains("secrets supplied"), "{}", limits(&report));
    }
    let mut wrong = with("other_rsa.key");
    let said = limits(&wrong);
    assert!(said.contains("opened 0 of 5 DTLS handshakes over UDP; for 5 of them"), "{said}");
    wrong["limits"] = closed["limits"].clone();
    assert_eq!(wrong, closed);
}

#[test]
fn what_dtls_agrees_on_inside_is_followed_over_sctp() {
    let (capture, log) = (made("sctp_dtls12_renewed.pcap"), made("sctp_dtls12_renewed.keylog"));
    let closed = reviewed(&config(&capture));
    assert_eq!(closed["counts"]["sip_messages"], 0);
    let cites = |report: &Value| {
        let findings = report["findings"].as_array().unwrap().iter();
        let renewed = findings.clone().find(|finding| finding["rule"] == "TLS-RENEG-SEEN");
        renewed.map(|finding| finding["count"].clone())
    };
    assert_eq!(cites(&closed), Some(json!(2)));
    let key = RsaKey::read(&fs::read(made("static_rsa.key")).unwrap()).unwrap();
    let useless = Config { keys: Keys::given(KeyLog::default(), vec![key]), ..config(&capture) };
    assert_eq!(reviewed(&useless)["counts"], closed["counts"]);
    let own = fs::read_to_string(&log).unwrap();
    let sessions: Vec<&str> = own.lines().collect();
    for (known, messages) in [(1, 1), (2, 2), (3, 3)] {
        let some = scratch("renewed.keylog", sessions[..known].join("\n").as_bytes());
        let report = reviewed(&with_log(&capture, &some));
        assert_eq!(report["counts"]["sip_messages"], messages, "{known}");
        assert_eq!(cites(&report), Some(json!(2)));
    }
    let late = reviewed(&config(&with_block(&capture, &log, 1_000)));
    assert_eq!(late["counts"]["sip_messages"], 3);
}

#[test]
fn what_dtls_agrees_on_inside_is_said_not_to_be_known_over_udp() {
    let capture = made("dtls12_renewed.pcap");
    let key = RsaKey::read(&fs::read(made("static_rsa.key")).unwrap()).unwrap();
    let keys = Keys::given(KeyLog::default(), vec![key]);
    for config in [config(&capture), Config { keys, ..config(&capture) }] {
        let report = reviewed(&config);
        assert!(limits(&report).contains("keys once more 2 times"), "{}", limits(&report));
        assert_eq!(report["handshakes"].as_array().unwrap().len(), 2);
        let findings = report["findings"].as_array().unwrap().iter();
        let renewed = findings.filter(|finding| finding["rule"] == "TLS-RENEG-SEEN");
        assert_eq!(renewed.map(|finding| &finding["count"]).collect::<Vec<_>>(), [2]);
    }
    // The twin: DTLS that ends as it began.
    let once = reviewed(&config(&made("static_rsa_dtls12.pcap")));
    assert!(
        !limits(&once).contains("once more")
            && !once["findings"].to_string().contains("RENEG-SEEN")
    );
}

#[test]
fn websockets_inside_tls_are_read() {
    let report = reviewed(&with_log(&made("wss.pcap"), &made("wss.keylog")));
    assert_eq!(report["counts"]["sip_messages"], 2);
    assert_eq!(report["capture"]["accounting"]["handled"].get("ws"), None);
}

#[test]
fn dtls_opens_with_its_secrets() {
    let capture = recorded("baresip_dtlssrtp_udp.pcapng");
    let log = recorded("baresip_dtlssrtp_udp.pcapng.keylog");
    let report = reviewed(&with_log(&capture, &log));
    let handshakes = report["handshakes"].as_array().unwrap();
    assert!(!handshakes.is_empty() && handshakes.iter().all(|one| one["decrypted"] == true));
    let secrets = fs::read_to_string(log).unwrap();
    assert!(!report.to_string().contains(secrets.get(80..100).unwrap()));
}

#[test]
fn secrets_that_come_after_a_handshake_of_dtls_give_the_keys_of_srtp() {
    let capture = recorded("baresip_dtlssrtp_udp.pcapng");
    let secrets = secrets_block(&recorded("baresip_dtlssrtp_udp.pcapng.keylog"));
    let closed = reviewed(&config(&block_behind(&capture, &[], 0)));
    assert_eq!(closed["calls"][0]["exposure"], "protected");
    let not_one = |report: &Value, key: &str| {
        report["handshakes"].as_array().unwrap().iter().all(|one| one[key] == false)
    };
    assert!(not_one(&closed, "decrypted"));
    for packets in [0, 30, 36, 60, 300, 1_000_000] {
        let moved = config(&block_behind(&capture, &secrets, packets));
        let report = reviewed(&moved);
        let handshakes = report["handshakes"].as_array().unwrap();
        assert!(handshakes.iter().all(|one| one["decrypted"] == true), "{packets}");
        assert_eq!(report["calls"][0]["exposure"], "tls-key-holder", "{packets}");
        let streams = report["streams"].as_array().unwrap();
        let proven = streams.iter().filter(|stream| stream["verdict"]["test"] == "tag");
        assert_eq!(proven.count(), 2, "{packets}");
        let written = support::report(&moved);
        for (lanes, frames) in [(1, 1), (8, 4_096)] {
            let epoch = Cut { frames, ..Cut::default() };
            let again = support::report(&Config { lanes, epoch, ..moved.clone() });
            support::assert_same(&written, &again, &format!("{packets}, {lanes} lanes"));
        }
    }
}

#[test]
fn the_wrong_key_log_changes_nothing_and_says_so() {
    let capture = recorded("siptls_tls13.pcapng");
    let closed = reviewed(&config(&capture));
    let mut wrong = reviewed(&with_log(&capture, &recorded("siptls_tls10.pcapng.keylog")));
    assert!(limits(&wrong).contains("0 of 1 TLS sessions; for 1 of them"), "{}", limits(&wrong));
    wrong["limits"] = closed["limits"].clone();
    assert_eq!(wrong, closed);
    // Secrets under the right name that are of another session.
    let text = fs::read_to_string(recorded("siptls_tls13.pcapng.keylog")).unwrap();
    let mut turned = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (before, secret) = line.rsplit_once(' ').unwrap();
        turned.extend([before, " "]);
        turned.extend(secret.chars().rev().chain(['\n']));
    }
    let log = scratch("turned.keylog", turned.as_bytes());
    let mut failed = reviewed(&with_log(&capture, &log));
    assert!(limits(&failed).contains("did not open although"), "{}", limits(&failed));
    failed["limits"] = closed["limits"].clone();
    assert_eq!(failed, closed);
}

/// The blocks of a little-endian pcapng file.
fn blocks(octets: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut blocks) = (octets, Vec::new());
    while rest.len() >= 12 {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        let (block, after) = rest.split_at(length);
        blocks.push(block);
        rest = after;
    }
    blocks
}

fn kind(block: &[u8]) -> u32 {
    u32::from_le_bytes(block[..4].try_into().unwrap())
}

/// The capture with its secrets block behind so many packets.
fn secrets_behind(capture: &Path, packets: usize) -> PathBuf {
    let octets = fs::read(capture).unwrap();
    let of_kind = blocks(&octets).into_iter().filter(|block| kind(block) == SECRETS);
    let secrets = of_kind.collect::<Vec<_>>().concat();
    assert!(!secrets.is_empty());
    block_behind(capture, &secrets, packets)
}

/// A secrets block with a key log.
fn secrets_block(log: &Path) -> Vec<u8> {
    block_of(&fs::read(log).unwrap())
}

fn block_of(secrets: &[u8]) -> Vec<u8> {
    let pad = vec![0; secrets.len().wrapping_neg() % 4];
    let octets = u32::try_from(secrets.len()).unwrap();
    let length = (20 + octets + u32::try_from(pad.len()).unwrap()).to_le_bytes();
    let words =
        [SECRETS.to_le_bytes(), length, 0x544c_534b_u32.to_le_bytes(), octets.to_le_bytes()];
    [&words.concat()[..], secrets, &pad, &length].concat()
}

/// The pcapng capture with these secrets, and no others, behind so many packets.
fn block_behind(capture: &Path, secrets: &[u8], packets: usize) -> PathBuf {
    let octets = fs::read(capture).unwrap();
    let blocks = blocks(&octets).into_iter().filter(|block| kind(block) != SECRETS).collect();
    placed(capture, blocks, secrets, packets)
}

/// The same beside those that it has.
fn block_beside(capture: &Path, secrets: &[u8], packets: usize) -> PathBuf {
    placed(capture, blocks(&fs::read(capture).unwrap()), secrets, packets)
}

fn placed(capture: &Path, blocks: Vec<&[u8]>, secrets: &[u8], packets: usize) -> PathBuf {
    let (mut moved, mut seen) = (Vec::new(), 0);
    for block in blocks {
        if kind(block) == PACKET && seen == packets {
            moved.push(secrets);
        }
        seen += usize::from(kind(block) == PACKET);
        moved.push(block);
    }
    if packets >= seen {
        moved.push(secrets);
    }
    let name = capture.file_stem().unwrap().to_string_lossy();
    scratch(&format!("{name}-{packets}.pcapng"), &moved.concat())
}

#[test]
fn a_secrets_block_acts_backward_on_what_was_kept() {
    let capture = recorded("siptls_tls12_ecdhe_dsb.pcapng");
    let first = reviewed(&config(&capture));
    assert_eq!(first["counts"]["sip_messages"], 2);
    for packets in [0, 3, 8, 12, 15, 18, 1_000] {
        let moved = config(&secrets_behind(&capture, packets));
        let report = reviewed(&moved);
        assert_eq!(report["counts"], first["counts"], "{packets}");
        assert_eq!(report["registrations"], first["registrations"], "{packets}");
        assert_eq!(report["handshakes"][0]["decrypted"], true, "{packets}");
        let written = support::report(&moved);
        for (lanes, frames) in [(1, 1), (3, 7), (8, 4_096)] {
            let epoch = Cut { frames, ..Cut::default() };
            let again = support::report(&Config { lanes, epoch, ..moved.clone() });
            support::assert_same(&written, &again, &format!("{packets}, {lanes} lanes"));
        }
    }
}

#[test]
fn secrets_of_one_session_may_come_one_after_the_other() {
    let capture = recorded("siptls_tls13.pcapng");
    let log = fs::read_to_string(recorded("siptls_tls13.pcapng.keylog")).unwrap();
    let blocks: Vec<Vec<u8>> = log.lines().map(|line| block_of(line.as_bytes())).collect();
    let first = reviewed(&config(&block_behind(&capture, &blocks.concat(), 0)));
    assert_eq!(first["counts"]["sip_messages"], 2);
    for packets in [3, 5, 7, 9, 13] {
        let mut path = capture.clone();
        for (place, block) in (packets..).zip(&blocks) {
            path = block_beside(&path, block, place);
        }
        let report = reviewed(&config(&path));
        assert_eq!(report["counts"], first["counts"], "{packets}");
        let [one, of_first] = [&report, &first].map(|report| &report["handshakes"][0]);
        assert_eq!(report["handshakes"].as_array().unwrap().len(), 1, "{packets}");
        for key in ["decrypted", "certificates", "outcome"] {
            assert_eq!(one[key], of_first[key], "{packets} {key}");
        }
    }
}

#[test]
fn what_tls_1_3_hides_is_read_however_it_was_cut_into_segments() {
    let report = reviewed(&with_log(&made("mutual_cut.pcap"), &made("mutual_cut.keylog")));
    let handshake = &report["handshakes"][0];
    assert_eq!(handshake["client_certificate"], true);
    assert_eq!(handshake["outcome"], "completed");
    assert_eq!(report["handshakes"].as_array().unwrap().len(), 1);
}

#[test]
fn what_tls_1_3_hides_is_told_when_secrets_come_late_and_once() {
    let capture = recorded("baresip_sdes_tls_dsb.pcapng");
    let first = reviewed(&config(&capture));
    let judged = |report: &Value, rule: &str| {
        let mut all = report["findings"].as_array().unwrap().iter();
        all.find(|finding| finding["rule"] == rule).map(|finding| finding["count"].clone())
    };
    let told = |report: &Value| {
        let mut handshakes = report["handshakes"].clone();
        // Of several with one server the first that comes is the one that a finding names.
        for one in handshakes.as_array_mut().unwrap() {
            one.as_object_mut().unwrap().remove("findings");
        }
        handshakes
    };
    for packets in [2, 6, 8, 10, 12, 14, 16, 18, 20, 40, 400] {
        let moved = config(&secrets_behind(&capture, packets));
        let report = reviewed(&moved);
        assert_eq!(report["counts"], first["counts"], "{packets}");
        assert_eq!(told(&report), told(&first), "{packets}");
        for rule in ["TLS-CERT-SELF-SIGNED", "TLS-NO-MTLS", "TLS-NO-PQ"] {
            assert_eq!(judged(&report, rule), judged(&first, rule), "{packets}: {rule}");
        }
        let written = support::report(&moved);
        for (lanes, frames) in [(1, 1), (8, 4_096)] {
            let epoch = Cut { frames, ..Cut::default() };
            let again = support::report(&Config { lanes, epoch, ..moved.clone() });
            support::assert_same(&written, &again, &format!("{packets}, {lanes} lanes"));
        }
    }
    let none = config(&secrets_behind(&capture, 800));
    let limits_of = Limits { tls_retain: 64, ..Limits::default() };
    let policy = Policy { limits: limits_of, ..Policy::default() };
    let report = reviewed(&Config { policy, ..none });
    assert_eq!(report["handshakes"].as_array().unwrap().len(), 4, "told though nothing was kept");
}

#[test]
fn secrets_that_come_too_late_are_counted() {
    let moved = secrets_behind(&recorded("siptls_tls12_ecdhe_dsb.pcapng"), 1_000);
    let limits_of = Limits { tls_retain: 64, ..Limits::default() };
    let policy = Policy { limits: limits_of, ..Policy::default() };
    let report = reviewed(&Config { policy, ..config(&moved) });
    assert_eq!(report["counts"]["sip_messages"], 0);
    assert_eq!(report["capture"]["evicted"]["tls_retain"], 1);
    assert!(limits(&report).contains("had gone by"), "{}", limits(&report));
}
