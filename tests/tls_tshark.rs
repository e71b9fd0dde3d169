//! Handshake for handshake the same as tshark: version, suite, JA3, JA3S, the octets of each certificate
//! with its serial number and validity, and the alert; no hello of tshark's is in none of ours, and in the
//! frames that findings cite tshark sees what they speak of. Over the folders `recorded` and `public` of
//! `OVERHEAR_CAPTURES` (else of `../shared/captures` beside the checkout), where tshark is installed;
//! skipped with a sentence otherwise. `docs/tshark-differences.md` explains the rows of [`BLIND`].

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use overhear_parsers::tls::registry;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{config, files, review, root, value};

/// Handshakes of which tshark does not see what stands here: the file, the first frame, the figures.
const BLIND: [(&str, u64, &[&str]); 3] = [
    ("ntop+nDPI__KakaoTalk_talk.pcap", 36, &["hello", "version", "certificates"]),
    ("ntop+nDPI__stun_dtls_rtp.pcapng", 59, &["hello", "version", "certificates"]),
    ("zeek+zeek__tls__ssl-v2.pcap", 4, &["hello", "version", "certificates"]),
];

/// What tshark sees in the frames that findings of these rules cite: types of messages.
const CITED: [(&str, &[&str]); 4] = [
    ("TLS-CERT-", &["11"]),
    ("TLS-DH-", &["12"]),
    ("TLS-SKE-", &["12", "15"]),
    ("TLS-TICKET-LONG", &["4"]),
];

/// What tshark is asked for, behind the frame and the addresses; `P.` is the protocol.
const FIELDS: [&str; 10] = [
    "P.handshake.type",
    "P.handshake.version",
    "P.handshake.extensions.supported_version",
    "P.handshake.ciphersuite",
    "P.handshake.ja3",
    "P.handshake.ja3s",
    "P.handshake.certificate",
    "x509af.serialNumber",
    "x509af.utcTime",
    "P.alert_message.desc",
];
const ADDRESSES: [&str; 9] = [
    "frame.number",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
];

/// One frame with handshake messages or an alert, by tshark.
struct Row {
    frame: u64,
    src: String,
    dst: String,
    fields: Vec<Vec<String>>,
}

impl Row {
    fn all(&self, field: &str) -> &[String] {
        let place = FIELDS.iter().position(|name| name.trim_start_matches("P.") == field).unwrap();
        &self.fields[place]
    }

    fn has(&self, kind: &str) -> bool {
        self.all("handshake.type").iter().any(|found| found == kind)
    }
}

fn rows(capture: &Path, protocol: &str) -> Option<Vec<Row>> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(capture).args(["-T", "fields"]);
    command.args(["-E", "separator=|", "-E", "occurrence=a", "-E", "aggregator=;"]);
    command.args(["-Y", &format!("{protocol}.handshake || {protocol}.alert_message")]);
    for field in ADDRESSES.into_iter().chain(FIELDS) {
        command.args(["-e", &field.replace("P.", &format!("{protocol}."))]);
    }
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.lines().filter_map(|line| row(line, protocol)).collect())
}

/// Frames in which tshark sees hellos.
fn hellos(capture: &Path) -> Option<Vec<String>> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(capture).args(["-T", "fields", "-e", "frame.number"]);
    command.args(["-Y", "tls.handshake.type in {1,2} || dtls.handshake.type in {1,2}"]);
    let output = command.output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn row(line: &str, protocol: &str) -> Option<Row> {
    let list = |text: &str| -> Vec<String> {
        text.split(';').filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    let all: Vec<Vec<String>> = line.split('|').map(list).collect();
    let [frame, src4, dst4, src6, dst6, tcp_src, tcp_dst, udp_src, udp_dst, fields @ ..] =
        all.as_slice()
    else {
        return None;
    };
    let ports = if protocol == "tls" { [tcp_src, tcp_dst] } else { [udp_src, udp_dst] };
    // The innermost addresses are those of the connection.
    let end = |four: &[String], six: &[String], port: &[String]| match (six.last(), four.last()) {
        (Some(address), _) => Some(format!("[{address}]:{}", port.last()?)),
        (None, address) => Some(format!("{}:{}", address?, port.last()?)),
    };
    Some(Row {
        frame: frame.first()?.parse().ok()?,
        src: end(src4, src6, ports[0])?,
        dst: end(dst4, dst6, ports[1])?,
        fields: fields.to_vec(),
    })
}

fn text(of: &Value) -> &str {
    of.as_str().unwrap_or_default()
}

/// The figures of a handshake by tshark, from the frames that it took.
fn theirs(handshake: &Value, rows: &[Row]) -> Value {
    let (client, server) = (text(&handshake["client"]), text(&handshake["server"]));
    let frames =
        handshake["first_frame"].as_u64().unwrap()..=handshake["last_frame"].as_u64().unwrap();
    let mine: Vec<&Row> = rows
        .iter()
        .filter(|row| frames.contains(&row.frame))
        .filter(|row| {
            (row.src == client && row.dst == server) || (row.src == server && row.dst == client)
        })
        .collect();
    let from_server = || mine.iter().filter(|row| row.src == server);
    // A hello in fragments has its fingerprint at the last of them.
    let hellos = || mine.iter().filter(|row| row.src == client && row.has("1"));
    let printed = hellos().find(|row| !row.all("handshake.ja3").is_empty());
    // Behind a HelloRetryRequest stands the ServerHello that counts.
    let answer = from_server().rfind(|row| row.has("2"));
    let one = |row: Option<&&Row>, field: &str| json!(row.and_then(|row| row.all(field).first()));
    let version = answer.and_then(|row| {
        let chosen = row.all("handshake.extensions.supported_version").first();
        let code = chosen.or_else(|| row.all("handshake.version").first())?;
        let code = u16::from_str_radix(code.trim_start_matches("0x"), 16).ok()?;
        Some(registry::version(code).map_or_else(|| format!("0x{code:04x}"), str::to_owned))
    });
    let of_server = |field: &'static str| from_server().flat_map(move |row| row.all(field).iter());
    let certificates: Vec<String> =
        of_server("handshake.certificate").map(|hex| sha256(hex)).collect();
    let alert = mine.iter().rev().find_map(|row| row.all("alert_message.desc").last());
    let alert = alert.and_then(|code| registry::alert(code.parse().ok()?));
    json!({
        "hello": hellos().next().is_some(),
        "ja3": one(printed, "handshake.ja3"),
        "version": version,
        "cipher_id": one(answer, "handshake.ciphersuite"),
        "ja3s": one(answer, "handshake.ja3s"),
        "certificates": certificates,
        "serials": of_server("x509af.serialNumber").map(|hex| number(hex)).collect::<Vec<_>>(),
        "validity": of_server("x509af.utcTime").map(|time| moment(time)).collect::<Vec<_>>(),
        "alert": alert,
    })
}

/// The same figures by us.
fn ours(handshake: &Value) -> Value {
    let none = Vec::new();
    let chain = handshake["certificates"].as_array().unwrap_or(&none);
    let all = |key: &str| chain.iter().map(|one| text(&one[key]).to_owned()).collect::<Vec<_>>();
    let serials: Vec<String> = all("serial").iter().map(|hex| number(hex)).collect();
    let times = chain.iter().flat_map(|one| [text(&one["not_before"]), text(&one["not_after"])]);
    json!({
        "hello": handshake["offered"].is_object(),
        "ja3": handshake["ja3"],
        "version": handshake["version"],
        "cipher_id": handshake["cipher_id"],
        "ja3s": handshake["ja3s"],
        "certificates": all("sha256"),
        "serials": serials,
        "validity": times.collect::<Vec<_>>(),
        "alert": handshake["alert"]["description"],
    })
}

fn sha256(hex: &str) -> String {
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let digits: Vec<u8> = hex.bytes().filter(|digit| *digit != b':').collect();
    let octets: Vec<u8> = digits.chunks(2).map(octet).collect();
    Sha256::digest(octets).iter().fold(String::new(), |hex, octet| format!("{hex}{octet:02x}"))
}

/// A number in hexadecimal without zeros before it.
fn number(hex: &str) -> String {
    hex.trim_start_matches('0').to_owned()
}

/// `2025-01-01 00:00:00 (UTC)` as RFC 3339.
fn moment(time: &str) -> String {
    time.replace(" (UTC)", "Z").replace(' ', "T")
}

/// Which figures differ; those of an unseen hello follow from it.
fn differing(ours: &Value, theirs: &Value) -> BTreeSet<&'static str> {
    let figures = ["hello", "ja3", "version", "cipher_id", "ja3s", "certificates", "alert"];
    let mut found: BTreeSet<&str> =
        figures.into_iter().filter(|figure| ours[figure] != theirs[figure]).collect();
    if !found.contains("certificates") {
        let facts = ["serials", "validity"].into_iter();
        found.extend(facts.filter(|figure| ours[figure] != theirs[figure]));
    }
    if found.contains("hello") {
        found.remove("ja3");
    }
    if found.contains("version") {
        found.remove("cipher_id");
        found.remove("ja3s");
    }
    found
}

/// Differences of one capture, as sentences; rows of [`BLIND`] that explain one are taken off.
fn compare(capture: &Path, blind: &mut Vec<(&'static str, u64)>) -> (usize, Vec<String>) {
    let name = capture.file_name().unwrap().to_string_lossy().into_owned();
    let Some(mut outcome) = review(&config(capture)) else { return (0, Vec::new()) };
    let report = value(&mut outcome);
    let handshakes = report["handshakes"].as_array().unwrap();
    if handshakes.is_empty() {
        let seen = hellos(capture).unwrap();
        let faults = seen.iter().map(|frame| format!("{name}, frame {frame}: a hello to tshark"));
        return (0, faults.collect());
    }
    let (mut faults, mut all) = (Vec::new(), Vec::new());
    for protocol in ["tls", "dtls"] {
        let of_kind: Vec<&Value> =
            handshakes.iter().filter(|handshake| handshake["kind"] == protocol).collect();
        let rows = rows(capture, protocol).unwrap();
        let hellos = rows.iter().filter(|row| row.has("1") || row.has("2"));
        let unseen = hellos.filter(|row| !of_kind.iter().any(|handshake| is_of(handshake, row)));
        faults.extend(unseen.map(|row| format!("{name}, frame {}: a hello to tshark", row.frame)));
        for handshake in of_kind {
            let (ours, theirs) = (ours(handshake), theirs(handshake, &rows));
            let first = handshake["first_frame"].as_u64().unwrap();
            let mut found = differing(&ours, &theirs);
            let known = BLIND.iter().find(|(file, frame, _)| *file == name && *frame == first);
            if let Some((file, frame, figures)) = known {
                figures.iter().for_each(|figure| {
                    found.remove(figure);
                });
                blind.retain(|row| *row != (*file, *frame));
            }
            let each = found.iter().map(|figure| {
                format!(
                    "{name}, frame {first}, {figure}: {}, tshark {}",
                    ours[figure], theirs[figure]
                )
            });
            faults.extend(each);
        }
        all.extend(rows);
    }
    let is_known =
        |frame: u64| BLIND.iter().any(|(file, first, _)| *file == name && *first <= frame);
    let wrong = miscited(&report, &all).filter(|(_, frame)| !is_known(*frame));
    faults.extend(wrong.map(|(rule, frame)| format!("{name}, frame {frame} does not show {rule}")));
    (handshakes.len(), faults)
}

/// Whether a row of tshark's is one of a handshake.
fn is_of(handshake: &Value, row: &Row) -> bool {
    let ends = [text(&handshake["client"]), text(&handshake["server"])];
    let [first, last] = ["first_frame", "last_frame"].map(|key| handshake[key].as_u64().unwrap());
    let theirs = [row.src.as_str(), row.dst.as_str()];
    (first..=last).contains(&row.frame) && (theirs == ends || theirs == [ends[1], ends[0]])
}

/// Rules of [`CITED`] with frames of theirs in which tshark does not see what they speak of.
fn miscited(report: &Value, rows: &[Row]) -> impl Iterator<Item = (String, u64)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let cited = findings.flat_map(|finding| {
        let rule = text(&finding["rule"]).to_owned();
        let types =
            CITED.iter().find(|(prefix, _)| rule.starts_with(prefix)).map(|(_, types)| *types);
        let frames = finding["evidence"].as_array().unwrap().iter();
        let frames: Vec<u64> = frames.filter_map(|one| one["frame"].as_u64()).collect();
        types.into_iter().flat_map(move |types| {
            let rule = rule.clone();
            frames.clone().into_iter().map(move |frame| (rule.clone(), frame, types))
        })
    });
    cited.filter_map(|(rule, frame, types)| {
        let mut here = rows.iter().filter(|row| row.frame == frame);
        let shown = here.any(|row| types.iter().any(|kind| row.has(kind)));
        (!shown).then_some((rule, frame))
    })
}

#[test]
fn handshakes_are_what_tshark_says_they_are() {
    let named = env::var_os("OVERHEAR_CAPTURES").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| root().join("../shared/captures"));
    if !folder.is_dir() {
        println!("skipped: OVERHEAR_CAPTURES names no folder with captures");
        return;
    }
    if Command::new("tshark").arg("-v").output().is_err() {
        println!("skipped: tshark is not installed");
        return;
    }
    let mut blind: Vec<(&str, u64)> =
        BLIND.iter().map(|(file, frame, _)| (*file, *frame)).collect();
    let (mut count, mut faults) = (0, Vec::new());
    for part in ["recorded", "public"] {
        for file in files(&folder.join(part)) {
            let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
            if matches!(kind, "pcap" | "pcapng" | "cap") {
                let (handshakes, found) = compare(&file, &mut blind);
                count += handshakes;
                faults.extend(found);
            }
        }
    }
    println!("{count} handshakes compared");
    faults.extend(blind.iter().map(|row| format!("known, but not seen: {row:?}")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
