//! TLS of real programs: certificates against authorities that the user names, and what shows of a
//! connection behind its handshake; handshakes in segments and fragments of any size, and over SCTP.

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
    assert_eq!(grades(&report), ["A", "T", "A-", "A"]);
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

/// The capture with every TCP segment cut into segments of `size` octets, one after the other.
fn cut(capture: &str, size: usize) -> Vec<u8> {
    let octets = fs::read(root().join(capture)).unwrap();
    let (header, mut rest) = octets.split_at(24);
    let mut out = header.to_vec();
    while rest.len() >= 16 {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (record, after) = rest.split_at(16 + length);
        rest = after;
        let (stamp, frame) = (&record[..8], &record[16..]);
        let (ip, is_tcp) = (14, frame[12..14] == [8, 0] && frame[23] == 6);
        let end = ip + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
        let begin = if is_tcp { 34 + usize::from(frame[46] >> 4) * 4 } else { frame.len() };
        if begin >= end {
            out.extend_from_slice(record);
            continue;
        }
        let sequence = u32::from_be_bytes(frame[38..42].try_into().unwrap());
        for (number, piece) in frame[begin..end].chunks(size).enumerate() {
            let mut cut = [&frame[..begin], piece].concat();
            let skipped = u32::try_from(number * size).unwrap();
            cut[38..42].copy_from_slice(&sequence.wrapping_add(skipped).to_be_bytes());
            let length = u16::try_from(cut.len() - ip).unwrap().to_be_bytes();
            cut[16..18].copy_from_slice(&length);
            let length = u32::try_from(cut.len()).unwrap().to_le_bytes();
            out.extend([stamp, &length, &length, &cut].concat());
        }
    }
    out
}

/// What the handshakes of a report say, without when and where it was seen.
fn handshakes(report: &Value) -> Vec<Value> {
    let mut all = report["handshakes"].as_array().unwrap().clone();
    for one in &mut all {
        for key in ["id", "start", "setup_ms", "first_frame", "last_frame", "findings"] {
            one.as_object_mut().unwrap().remove(key);
        }
    }
    all
}

#[test]
fn a_handshake_is_the_same_in_segments_of_any_size() {
    let read =
        |path: &std::path::Path| -> Value { serde_json::from_str(&report(&config(path))).unwrap() };
    let whole = handshakes(&read(&root().join(CHAINS)));
    assert_eq!(whole.len(), 4);
    for size in [1, 3, 5, 64, 1_000] {
        let path = support::scratch(&format!("cut-{size}.pcap"), &cut(CHAINS, size));
        assert_eq!(handshakes(&read(&path)), whole, "{size}");
    }
}

#[test]
fn a_handshake_over_sctp_is_read_like_one_over_tcp() {
    let report: Value =
        serde_json::from_str(&report(&config(&root().join("fixtures/tls/sctp.pcap")))).unwrap();
    let all = handshakes(&report);
    let [one] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((&one["version"], &one["outcome"]), (&"TLS 1.2".into(), &"completed".into()));
    assert_eq!(one["sni"], "sip.example.org");
    assert_eq!(one["certificates"][0]["subject"], "CN=rsa.example.org");
    assert_eq!(report["counts"]["tls_handshakes"], 1);
    assert_eq!(report["capture"]["accounting"]["handled"]["tls"], 14);
}

#[test]
fn a_handshake_of_dtls_over_sctp_is_read_like_one_over_udp() {
    let read = |name: &str| -> Value {
        serde_json::from_str(&report(&config(&root().join("fixtures/tls").join(name)))).unwrap()
    };
    let report = read("sctp_dtls.pcap");
    let all = handshakes(&report);
    let [one] = all.as_slice() else { panic!("{all:?}") };
    let matrix = handshakes(&read("matrix.pcap"));
    let udp = matrix.iter().find(|handshake| handshake["server"] == one["server"]).unwrap();
    assert_eq!((&one["over_sctp"], &udp["over_sctp"]), (&true.into(), &false.into()));
    let rest = |of: &Value| {
        let mut of = of.clone();
        of["over_sctp"] = Value::Null;
        of
    };
    assert_eq!(rest(one), rest(udp));
    assert_eq!(one["outcome"], "completed");
    assert_eq!(report["tls_pairs"].as_array().unwrap().len(), 1, "a hop of signalling");
    for rule in ["TLS-JA4", "TLS-SNI-MISSING"] {
        assert_eq!(found(&report, rule).len(), 1, "{rule}");
    }
    assert_eq!(
        found(&report, "TLS-CERT-SELF-SIGNED")[0].0,
        "high",
        "no fingerprint vouches for it"
    );
}

/// The datagrams of DTLS in the capture with every message in clear cut into fragments of `size` octets,
/// each in a datagram of its own, the last first, and every third once more.
fn fragmented(capture: &str, size: usize) -> Vec<u8> {
    let octets = fs::read(root().join(capture)).unwrap();
    let (header, mut rest) = octets.split_at(24);
    let mut out = header.to_vec();
    let mut number = 0_u16;
    while rest.len() >= 16 {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (record, after) = rest.split_at(16 + length);
        rest = after;
        let (stamp, frame) = (&record[..8], &record[16..]);
        if frame[12..14] != [8, 0] || frame[23] != 17 {
            continue;
        }
        let end = 34 + usize::from(u16::from_be_bytes([frame[38], frame[39]]));
        for payload in pieces(&frame[42..end], size) {
            number = number.wrapping_add(1);
            let mut cut = [&frame[..42], payload.as_slice()].concat();
            cut[18..20].copy_from_slice(&number.to_be_bytes());
            let length = u16::try_from(cut.len() - 14).unwrap();
            cut[16..18].copy_from_slice(&length.to_be_bytes());
            cut[38..42].copy_from_slice(&[(length - 20).to_be_bytes(), [0, 0]].concat());
            let length = u32::try_from(cut.len()).unwrap().to_le_bytes();
            out.extend([stamp, &length, &length, &cut].concat());
        }
    }
    out
}

/// A datagram's records, each in a datagram of its own, and of a message in clear each fragment.
fn pieces(mut datagram: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while datagram.len() > 13 {
        let length = usize::from(u16::from_be_bytes([datagram[11], datagram[12]]));
        let (record, rest) = datagram.split_at(13 + length);
        datagram = rest;
        if record[0] != 22 || record[3..5] != [0, 0] {
            all.push(record.to_vec());
            continue;
        }
        let (message, body) = (&record[13..21], &record[25..]);
        let offset = u32::from_be_bytes([0, record[19], record[20], record[21]]);
        let starts = (0..body.len().max(1)).step_by(size).rev();
        for (number, start) in starts.enumerate() {
            let part = &body[start..body.len().min(start + size)];
            let offset = (offset + u32::try_from(start).unwrap()).to_be_bytes();
            let octets = u32::try_from(part.len()).unwrap().to_be_bytes();
            let length = u16::try_from(12 + part.len()).unwrap().to_be_bytes();
            let parts = [&record[..11], &length, &message[..6], &offset[1..], &octets[1..], part];
            all.extend(std::iter::repeat_n(parts.concat(), if number % 3 == 2 { 2 } else { 1 }));
        }
    }
    if !datagram.is_empty() || all.is_empty() {
        all.push(datagram.to_vec());
    }
    all
}

#[test]
fn a_handshake_of_dtls_is_the_same_in_fragments_of_any_size() {
    let read = |path: &std::path::Path| -> Vec<Value> {
        let report = serde_json::from_str(&report(&config(path))).unwrap();
        let mut all = handshakes(&report);
        all.retain(|handshake| handshake["kind"] == "dtls");
        all.sort_by_key(|handshake| handshake["server"].to_string());
        all
    };
    let capture = "fixtures/tls/matrix.pcap";
    let whole = read(&root().join(capture));
    assert!(whole.len() >= 10, "{}", whole.len());
    for size in [1, 2, 7, 40, 500] {
        let path = support::scratch(&format!("parts-{size}.pcap"), &fragmented(capture, size));
        assert_eq!(read(&path), whole, "{size}");
    }
}

#[test]
fn refusals_are_counted_by_reason_and_cite_what_ended_them() {
    let capture = config(&root().join("fixtures/tls/matrix.pcap"));
    let report: Value = serde_json::from_str(&report(&capture)).unwrap();
    let mut sums = [0; 6];
    let names = ["version", "settings", "certificate", "hung_up", "other", "by_client"];
    let all = report["findings"].as_array().unwrap().iter();
    for finding in all.filter(|finding| finding["rule"] == "TLS-HANDSHAKE-FAILED") {
        let figure = |name: &str| finding["parameters"][name].as_u64().unwrap();
        let reasons: u64 = names[..5].iter().map(|name| figure(name)).sum();
        assert_eq!(reasons, figure("handshakes"), "{finding}");
        for (sum, name) in sums.iter_mut().zip(names) {
            *sum += figure(name);
        }
        let frames: Vec<u64> = finding["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["frame"].as_u64().unwrap())
            .collect();
        let handshakes = report["handshakes"].as_array().unwrap();
        let ends = |frame: &u64| handshakes.iter().any(|one| one["last_frame"] == *frame);
        assert!(frames.iter().all(ends), "{finding}");
    }
    assert!(sums[..3].iter().all(|sum| *sum > 0), "{sums:?}");
    assert!(sums[5] > 0, "{sums:?}");
}

#[test]
fn servers_that_nobody_names_are_held_against_the_domains_that_are_configured() {
    // Row dhe-2048: its client names nobody; the certificate is for sip.example.org.
    let (server, rule) = ("10.20.0.53", "TLS-CERT-NAME-MISMATCH");
    let severity = |domains: &[&str]| {
        let domains: Vec<String> = domains.iter().map(|domain| (*domain).to_owned()).collect();
        let policy = Policy { domains: domains.into(), ..Policy::default() };
        let config = Config { policy, ..config(&root().join("fixtures/tls/matrix.pcap")) };
        let report: Value = serde_json::from_str(&report(&config)).unwrap();
        let all = report["findings"].as_array().unwrap();
        let of = all.iter().find(|finding| {
            let addresses = finding["scope"]["addresses"].to_string();
            finding["rule"] == rule && addresses.contains(&format!("\"{server}\""))
        });
        of.map(|finding| (finding["severity"].to_string(), finding["evidence"].to_string()))
    };
    assert_eq!(severity(&[]).unwrap().0, "\"info\"");
    assert_eq!(severity(&["example.net", "SIP.example.org"]), None);
    let (severity, evidence) = severity(&["example.net", "example.org"]).unwrap();
    assert_eq!(severity, "\"high\"");
    assert!(evidence.contains("should be example.net or example.org"), "{evidence}");
    for word in ["*.example.org", "192.0.2.1", "localhost", "a..b"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
        let out = command.args(["review", CHAINS, "--domain", word]).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{word}");
    }
}

/// OpenSSL 3.5 as a client of QUIC: a hello in two packets, then one in one packet; nobody answers.
#[test]
fn quic_is_told_by_what_its_clients_ask_for() {
    let capture = root().join("fixtures/tls/quic.pcap");
    let report: Value = serde_json::from_str(&report(&config(&capture))).unwrap();
    let one = |sni: &str, alpn: &str, carries: &str, frame: u64| {
        let ja4 = &report["quic"][usize::from(frame > 1)]["ja4"];
        let shape = if alpn == "h3" { "q13d0313h3_" } else { "q13d0313s3_" };
        assert!(ja4.as_str().unwrap().starts_with(shape), "{ja4}");
        serde_json::json!({
            "ja4": ja4,
            "server": "127.0.0.1:4433", "sni": sni, "alpn": [alpn], "carries": carries,
            "connections": 1, "source": 0, "frame": frame,
        })
    };
    let web = one("www.example.org", "h3", "something else by ALPN", 1);
    let sip = one("sip.example.org", "sip/3", "SIP by ALPN", 4);
    assert_eq!(report["quic"], Value::Array(vec![web, sip]));
    let booked = &report["capture"]["accounting"];
    assert_eq!(booked["skipped"]["not-voip"], report["capture"]["packets"], "{booked}");
}

/// The capture of SCTP with its packets up to the one before `until`, and then ABORT from the other side
/// of the first packet.
fn aborted(capture: &str, until: usize) -> Vec<u8> {
    let octets = fs::read(root().join(capture)).unwrap();
    let (mut out, mut rest) = (octets[..24].to_vec(), &octets[24..]);
    let mut first: Option<&[u8]> = None;
    for _ in 0..until {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (record, after) = rest.split_at(16 + length);
        rest = after;
        first.get_or_insert(record);
        out.extend_from_slice(record);
    }
    let mut abort = [&first.unwrap()[..16 + 46], &[6, 0, 0, 4]].concat();
    let length = u32::try_from(abort.len() - 16).unwrap().to_le_bytes();
    abort[8..16].copy_from_slice(&[length, length].concat());
    abort[32..34].copy_from_slice(&36_u16.to_be_bytes());
    let (src, dst) = (abort[42..46].to_vec(), abort[46..50].to_vec());
    abort[42..50].copy_from_slice(&[dst, src].concat());
    abort[50..54].rotate_left(2);
    [out, abort].concat()
}

#[test]
fn who_ends_an_association_instead_of_answering_refuses_the_handshake() {
    for (capture, kind) in [("sctp_tls12", "tls"), ("sctp_dtls12", "dtls")] {
        let octets = aborted(&format!("fixtures/decrypt/{capture}.pcap"), 1);
        let path = support::scratch(&format!("{capture}-abort.pcap"), &octets);
        let report: Value = serde_json::from_str(&report(&config(&path))).unwrap();
        let all = handshakes(&report);
        let [one] = all.as_slice() else { panic!("{all:?}") };
        let ended = (&one["kind"], &one["outcome"], &one["ended_by"]);
        assert_eq!(ended, (&kind.into(), &"refused".into(), &"server-reset".into()));
    }
}
