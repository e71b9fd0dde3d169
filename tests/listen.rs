//! Proof by ear: what `listen` and `decrypt` recover is what was sent, and nothing of it is revealed
//! unasked.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use overhear::engine::decrypt::Unsealer;
use overhear::engine::{self, Config, Examined, cut, listen};
use overhear::model::record::Protection;
use overhear::prove::Opened;
use overhear::prove::audio::heard::Taken;
use overhear::prove::audio::measure::{Measure, hexadecimal, sha256};
use overhear::prove::audio::player::Player;
use overhear::prove::srtp::{MasterKey, Suite};
use serde_json::{Value, json};
use support::{config, root};

/// A call of nine seconds in clear, its Call-ID, and the SHA-256 of what ffmpeg decodes of its two
/// streams.
const CLEAR: &str = "baresip_clear_udp_pcmu.pcapng";
const CLEAR_CALL: &str = "e5e751b0fc7bf13b";
const CALLEE: &str = "240758322ec01d4f5a7b95080d21874580b9248b5bd7ed395f235a380759e934";
const CALLER: &str = "8e144bb1cc9adcb930d7825aff3ade63edd51589a5360cfb8b7f391a1c6f5959";

/// The same two voices behind SRTP, whose keys stand in the signalling.
const SEALED: &str = "baresip_sdes_mand_udp.pcapng";
const SEALED_CALL: &str = "b17a560ad384d601";

fn recorded(name: &str) -> String {
    root().join("fixtures/recorded").join(name).to_str().unwrap().to_owned()
}

/// Exit status, stdout, stderr.
fn ran(words: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("overhear").unwrap();
    let output = command.args(words).env_remove("COLUMNS").env("USER", "kim").output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn heard(words: &[&str]) -> Value {
    let (status, stdout, stderr) = ran(&[&["listen", "--json", "-"], words].concat());
    assert_eq!(status, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The samples behind a header of 44 octets.
fn samples(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap().split_off(44)
}

#[test]
fn without_the_flag_there_is_proof_and_no_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let report = heard(&[&recorded(CLEAR), "--call", CLEAR_CALL, "-o", path]);
    assert_eq!(report["schema"], "overhear.listen/1");
    assert_eq!(report["tool"]["reveals"], serde_json::json!([]));
    let streams = report["calls"][0]["streams"].as_array().unwrap();
    let hashes: Vec<&Value> = streams.iter().map(|stream| &stream["sha256"]).collect();
    assert_eq!(hashes, [CALLEE, CALLER]);
    for stream in streams {
        assert_eq!(stream["seconds"], 9.02);
        assert!(stream["speech_pct"].as_f64().unwrap() > 50.0);
    }
    assert_eq!(names(folder.path()), [format!("{CLEAR_CALL}-envelope.svg")]);
    let (status, text, _) = ran(&["listen", &recorded(CLEAR), "--call", CLEAR_CALL]);
    assert_eq!(status, 0);
    assert!(text.contains("9.0 s recoverable of 9.0 s, speech in 58 % of it"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn with_the_flag_files_hold_what_was_said_and_a_note_says_who_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let words = ["--call", CLEAR_CALL, "-o", path, "--reveal-audio"];
    let report = heard(&[&[recorded(CLEAR).as_str()], &words[..]].concat());
    let file = |what: &str| folder.path().join(format!("{CLEAR_CALL}-{what}"));
    let (callee, caller) = (samples(&file("callee.wav")), samples(&file("caller.wav")));
    assert_eq!((sha256(&callee).as_str(), sha256(&caller).as_str()), (CALLEE, CALLER));
    // Caller left; the callee began three packets' worth of microseconds before.
    let both = samples(&file("both.wav"));
    let side = |at: usize| both.chunks(4).flat_map(move |pair| [pair[at], pair[at + 1]]);
    let right: Vec<u8> = side(2).take(callee.len()).collect();
    assert!(right == callee, "the callee is on the right, and began first");
    let left: Vec<u8> = side(0).collect();
    assert!(left.windows(caller.len()).any(|part| part == caller), "the caller is on the left");
    let reveals = report["tool"]["reveals"].as_array().unwrap();
    let note: Value = serde_json::from_slice(&fs::read(file("reveal.json")).unwrap()).unwrap();
    assert_eq!((reveals.len(), &note["reveal"]), (1, &reveals[0]));
    assert_eq!(
        (&note["reveal"]["by"], &note["reveal"]["call_id"]),
        (&"kim".into(), &CLEAR_CALL.into())
    );
    assert_eq!(note["reveal"]["frames"][0]["first_frame"], 25);
    for written in note["reveal"]["files"].as_array().unwrap() {
        let octets = fs::read(folder.path().join(written["name"].as_str().unwrap())).unwrap();
        assert_eq!(written["sha256"], sha256(&octets));
    }
    assert_eq!(names(folder.path()).len(), 5);
}

#[test]
fn digits_are_counted_and_shown_only_to_who_asks() {
    let words = [recorded("sipp_dtmf_2833.pcapng"), "--call".into(), "1-16678@10.88.0.10".into()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let digits = |report: &Value| report["calls"][0]["streams"][1]["digits"].clone();
    let hidden = digits(&heard(&words));
    assert_eq!((&hidden["count"], &hidden["revealed"]), (&4.into(), &Value::Null));
    let shown = digits(&heard(&[&words[..], &["--reveal-secrets"]].concat()));
    assert_eq!(shown["revealed"], "123#");
}

#[test]
fn secrets_of_a_review_are_shown_only_to_who_asks() {
    let capture = recorded(SEALED);
    let review = |more: &[&str]| {
        let (status, out, said) = ran(&[&["review", &capture, "--json", "-"], more].concat());
        assert_eq!(status, 0, "{said}");
        (serde_json::from_str::<Value>(&out).unwrap(), said)
    };
    let (hidden, said) = review(&[]);
    assert_eq!((&hidden["secrets"], &hidden["tool"]["reveals"]), (&json!([]), &json!([])));
    assert!(!said.contains("--reveal-secrets"));
    let (shown, said) = review(&["--reveal-secrets"]);
    assert_eq!(shown["tool"]["reveals"], json!(["secrets"]));
    assert!(said.contains("--reveal-secrets"), "{said}");
    let octets = fs::read(&capture).unwrap();
    let secrets = shown["secrets"].as_array().unwrap();
    let keys = || secrets.iter().filter(|secret| secret["kind"] == "media-key");
    assert!(keys().count() >= 2, "{secrets:?}");
    for key in keys() {
        let value = key["value"].as_str().unwrap();
        assert_eq!((value.len(), &key["octets"]), (40, &30.into()));
        let line = format!("inline:{value}");
        assert!(octets.windows(line.len()).any(|window| window == line.as_bytes()), "{line}");
        assert!(!hidden.to_string().contains(value));
    }
    assert_eq!(hidden["findings"], shown["findings"], "evidence keeps its labels");
    let (_, lines, _) = ran(&["review", &capture, "--ndjson", "-", "--reveal-secrets"]);
    assert_eq!(lines.matches("\"event_type\":\"secret\"").count(), secrets.len());
}

#[test]
fn what_cannot_be_done_is_refused_and_inputs_are_left_alone() {
    let clear = recorded(CLEAR);
    let (status, _, said) = ran(&["listen", &clear, "--call", "nobody"]);
    assert_eq!((status, said.contains("no call has the id or Call-ID 'nobody'")), (2, true));
    let (status, _, said) = ran(&["listen", &clear, "--call", CLEAR_CALL, "--reveal-audio"]);
    assert_eq!((status, said.contains("--output")), (2, true), "{said}");
    let (status, _, said) = ran(&["decrypt", &clear, "--call", CLEAR_CALL, "-w", "/dev/null"]);
    assert_eq!((status, said.contains("is not encrypted")), (0, true), "{said}");
    assert!(said.contains("'overhear listen' hears it"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join(format!("{CLEAR_CALL}-caller.wav"));
    fs::copy(&clear, &input).unwrap();
    let path = folder.path().to_str().unwrap();
    let input_name = input.to_str().unwrap();
    let words = ["listen", input_name, "--call", CLEAR_CALL, "-o", path, "--reveal-audio"];
    let (status, _, said) = ran(&words);
    assert_eq!((status, said.contains("is an input and will not be overwritten")), (2, true));
    assert!(fs::read(&input).unwrap() == fs::read(&clear).unwrap());
}

/// Master keys of the a=crypto lines in a capture, each once.
fn keys(path: &Path) -> Vec<MasterKey> {
    let octets = fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&octets);
    let mut keys = Vec::new();
    for line in text.split("AES_CM_128_HMAC_SHA1_80 inline:").skip(1) {
        let bits = line.bytes().take(40).fold(String::new(), |bits, octet| {
            let place = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                .find(char::from(octet))
                .unwrap();
            bits + &format!("{place:06b}")
        });
        let octets: Vec<u8> = (0..30)
            .map(|place| {
                u8::from_str_radix(bits.get(place * 8..place * 8 + 8).unwrap(), 2).unwrap()
            })
            .collect();
        let key = MasterKey::new(Suite::AesCm128Sha1Tag80, &octets).unwrap();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// The streams of a call with each of the keys, the right one first to be found by trying.
fn opened(config: &Config, examined: &Examined, keys: &[MasterKey]) -> Vec<Opened> {
    let heard = examined.trace.heard();
    let mut opened = Vec::new();
    for (one, key) in heard.iter().flat_map(|one| keys.iter().map(move |key| (one, key))) {
        let with = Opened {
            stream: one.key,
            first_frame: one.first_frame,
            last_frame: one.last_frame,
            key: *key,
            proven: true,
            roc: 0,
            sequence: 0x8000,
            label: None,
        };
        let taken = listen::gather(config, &examined.outcome, std::slice::from_ref(one), &[with]);
        if taken[0].recording.left_out.sealed == 0 {
            opened.push(with);
        }
    }
    opened
}

fn hash_of(taken: &Taken) -> String {
    let Taken { heard, recording, .. } = taken;
    hexadecimal(&Measure::of(&mut Player::new(recording, &heard.formats, &[], 8_000)).hash)
}

fn examined(path: &Path, call: &str) -> (Config, Examined) {
    let config = Config { traced: vec![call.to_owned()], ..config(path) };
    let examined = engine::examine(&config, Vec::new(), &mut |_| {}).unwrap();
    (config, examined)
}

#[test]
fn sealed_media_is_heard_with_its_keys_and_not_without() {
    let path = root().join("fixtures/recorded").join(SEALED);
    let (config, first) = examined(&path, SEALED_CALL);
    assert_eq!(first.trace.heard().len(), 2);
    let sealed = listen::gather(&config, &first.outcome, first.trace.heard(), &[]);
    for taken in &sealed {
        let packets = taken.recording.left_out.sealed;
        assert_eq!((taken.recording.pieces().len(), packets), (0, taken.heard.packets));
    }
    let opened = opened(&config, &first, &keys(&path));
    assert_eq!(opened.len(), 2, "each stream has one key");
    let heard = listen::gather(&config, &first.outcome, first.trace.heard(), &opened);
    let hashes: Vec<String> = heard.iter().map(hash_of).collect();

    // The same as packets: a capture in which nothing is sealed any more.
    let mut unsealer = Unsealer::new(first.trace.heard(), &opened, true);
    let mut out = Vec::new();
    let with = (&mut unsealer, "opened for a test");
    let written = cut::unsealed(&config, &first.trace, &first.outcome, with, &mut out).unwrap();
    let packets: u64 = heard.iter().map(|taken| taken.heard.packets).sum();
    assert_eq!((unsealer.media, unsealer.failed), (packets, 0));
    assert!(unsealer.control > 0 && written.packets > packets);
    let text = String::from_utf8_lossy(&out);
    for said in
        ["opened for a test", "with SRTP key 2 (AES_CM_128_HMAC_SHA1_80)", " RTP/AVP 0 101 \r\n"]
    {
        assert!(text.contains(said), "{said}");
    }
    assert!(!text.contains(" RTP/SAVP"));
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open.pcapng");
    fs::write(&open, out).unwrap();
    let (config, again) = examined(&open, SEALED_CALL);
    for heard in again.trace.heard() {
        assert_eq!(heard.protection, Protection::Cleartext, "{heard:?}");
    }
    let taken = listen::gather(&config, &again.outcome, again.trace.heard(), &[]);
    assert_eq!(taken.iter().map(hash_of).collect::<Vec<_>>(), hashes);
    assert_eq!(again.outcome.counts.srtcp_packets, 0);
}

#[test]
fn both_recordings_have_the_same_voices() {
    let path = root().join("fixtures/recorded").join(SEALED);
    let (sealed_config, sealed) = examined(&path, SEALED_CALL);
    let opened = opened(&sealed_config, &sealed, &keys(&path));
    let sealed = listen::gather(&sealed_config, &sealed.outcome, sealed.trace.heard(), &opened);
    let (config, clear) = examined(&root().join("fixtures/recorded").join(CLEAR), CLEAR_CALL);
    let clear = listen::gather(&config, &clear.outcome, clear.trace.heard(), &[]);
    for (one, other) in sealed.iter().zip(&clear) {
        let same = one.recording.pieces().iter().zip(other.recording.pieces());
        let same =
            same.filter(|(a, b)| one.recording.payload(a) == other.recording.payload(b)).count();
        assert!(same > 440, "{same} packets of {} agree", other.recording.pieces().len());
    }
}

#[test]
fn the_commands_open_what_the_capture_has_the_keys_of() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open.pcapng");
    let open = open.to_str().unwrap();
    let sealed = recorded(SEALED);
    let hashes = |report: &Value| {
        let streams = report["calls"][0]["streams"].as_array().unwrap().clone();
        streams.iter().map(|stream| stream["sha256"].clone()).collect::<Vec<Value>>()
    };
    let report = heard(&[&sealed, "--call", SEALED_CALL]);
    // Keys are called what the report calls them.
    let (_, review, _) = ran(&[&sealed, "--json", "-"]);
    for stream in report["calls"][0]["streams"].as_array().unwrap() {
        assert_eq!(stream["protection"], "srtp-proven");
        let key = stream["opened_by"].as_str().unwrap();
        let label = key.strip_suffix(" (AES_CM_128_HMAC_SHA1_80)").unwrap();
        assert!(
            review.contains(&format!("key {label} ")) || review.contains(&format!(": {label} "))
        );
        assert!(stream["seconds"].as_f64().unwrap() > 9.0);
    }
    let words = ["decrypt", &sealed, "--call", SEALED_CALL, "-w", open, "--json", "-"];
    let (status, silent, said) = ran(&words);
    assert_eq!((status, said.contains("opened with exposed keys")), (0, true), "{said}");
    let silent: Value = serde_json::from_str(&silent).unwrap();
    assert_eq!((&silent["silenced"], &silent["tool"]["reveals"]), (&true.into(), &json!([])));
    let quiet = heard(&[open, "--call", SEALED_CALL]);
    for stream in quiet["calls"][0]["streams"].as_array().unwrap() {
        assert_eq!(
            (&stream["speech_pct"], &stream["protection"]),
            (&0.0.into(), &"cleartext".into())
        );
    }
    let (status, told, said) = ran(&[&words[..], &["--reveal-audio"]].concat());
    assert_eq!((status, said.contains("silence")), (0, false), "{said}");
    assert_eq!(hashes(&heard(&[open, "--call", SEALED_CALL])), hashes(&report));
    let told: Value = serde_json::from_str(&told).unwrap();
    let reveal = &told["tool"]["reveals"][0];
    assert_eq!((&reveal["what"], &reveal["call_id"]), (&"audio".into(), &SEALED_CALL.into()));
    assert_eq!(reveal["frames"].as_array().unwrap().len(), 2);
    let octets = fs::metadata(open).unwrap().len();
    assert_eq!((&reveal["files"][0]["octets"], &told["silenced"]), (&octets.into(), &false.into()));
}

/// A call whose caller comes with a new key in the middle, under the same SSRC.
const REKEYED: &str = "\
# The caller takes another key.
host alice 192.0.2.10
host pbx   198.51.100.5

call alice > pbx media=none ports=40000,50000 talk=5s reinvite=RTP/SAVP crypto=AES_CM_128_HMAC_SHA1_80 key=jQfeSGEzgG3H1UtwmW21rafel96q0GfBEKlxLTuk
  again a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c29tZSBvdGhlciBrZXksIHdpdGggc2FsdAH/gIGC
srtp alice:40000 > pbx:50000 n=100 ssrc=7 seq=100 ts=0 key=jQfeSGEzgG3H1UtwmW21rafel96q0GfBEKlxLTuk @400ms
srtp alice:40000 > pbx:50000 n=100 ssrc=7 seq=200 ts=16000 marker=none key=c29tZSBvdGhlciBrZXksIHdpdGggc2FsdAH/gIGC @2400ms
";

#[test]
fn a_stream_is_heard_to_its_end_when_its_key_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("rekeyed.scn"), REKEYED).unwrap();
    let made = ran(&["scenario", &path("rekeyed.scn"), "-w", &path("rekeyed.pcapng")]);
    assert_eq!(made.0, 0, "{}", made.2);
    let (_, review, _) = ran(&[&path("rekeyed.pcapng"), "--json", "-"]);
    let review: Value = serde_json::from_str(&review).unwrap();
    let call = review["calls"][0]["id"].as_str().unwrap();
    let report = heard(&[&path("rekeyed.pcapng"), "--call", call]);
    let stream = &report["calls"][0]["streams"][0];
    assert_eq!((&stream["seconds"], &stream["left_out"]["sealed"]), (&4.0.into(), &0.into()));
    let open = path("open.pcapng");
    let words = ["decrypt", &path("rekeyed.pcapng"), "--call", call, "-w", &open, "--reveal-audio"];
    let (status, _, said) = ran(&words);
    assert_eq!((status, said.contains(" 200 RTP")), (0, true), "{said}");
}

/// A call that begins in clear and is secured in the middle, under the same SSRC.
const SECURED: &str = "\
# Secured in the middle.
host alice 192.0.2.10
host pbx   198.51.100.5

call alice > pbx media=none ports=40000,50000 talk=9s reinvite=RTP/SAVP
  again a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:jQfeSGEzgG3H1UtwmW21rafel96q0GfBEKlxLTuk
rtp alice:40000 > pbx:50000 n=210 ssrc=7 seq=100 ts=0 @400ms
srtp alice:40000 > pbx:50000 n=190 ssrc=7 seq=310 ts=33600 marker=none key=jQfeSGEzgG3H1UtwmW21rafel96q0GfBEKlxLTuk @4600ms
";

#[test]
fn both_parts_of_a_stream_that_turns_are_heard_and_nothing_sealed_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let other = SECURED.replace("inline:jQ", "inline:jR");
    for (text, sealed, seconds) in [(SECURED, 0, 8.0), (&other, 190, 4.2)] {
        fs::write(path("call.scn"), text).unwrap();
        let made = ran(&["scenario", &path("call.scn"), "-w", &path("call.pcapng")]);
        assert_eq!(made.0, 0, "{}", made.2);
        let (_, review, _) = ran(&[&path("call.pcapng"), "--json", "-"]);
        let review: Value = serde_json::from_str(&review).unwrap();
        let call = review["calls"][0]["id"].as_str().unwrap();
        let report = heard(&[&path("call.pcapng"), "--call", call]);
        let stream = &report["calls"][0]["streams"][0];
        let said = (&stream["left_out"]["sealed"], &stream["seconds"], &stream["protection"]);
        assert_eq!(said, (&sealed.into(), &seconds.into(), &"cleartext".into()));
    }
}

/// How loud each 20 ms of a WAV file of 8 kHz are.
fn envelope(path: &Path) -> Vec<f64> {
    let octets = samples(path);
    let samples: Vec<f64> =
        octets.as_chunks::<2>().0.iter().map(|two| f64::from(i16::from_le_bytes(*two))).collect();
    samples.chunks_exact(160).map(|part| part.iter().map(|of| of.abs()).sum::<f64>()).collect()
}

/// How alike the beginnings of two envelopes are, 1 for equal ones.
fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let n = one.len().min(other.len());
    let (one, other) = (&one[..n], &other[..n]);
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let about = |of: &[f64]| of.iter().map(|value| value - mean(of)).collect::<Vec<_>>();
    let (one, other) = (about(one), about(other));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&one, &other) / (product(&one, &one) * product(&other, &other)).sqrt()
}

#[test]
fn every_sealed_recording_sounds_like_what_was_played() {
    // All recordings play the same two files; the clear one shows what is in them.
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, call: &str| {
        let path = folder.path().to_str().unwrap();
        let words = [&recorded(name), "--call", call, "-o", path, "--reveal-audio"];
        assert!(heard(&words)["calls"][0]["streams"].as_array().unwrap().len() >= 2, "{name}");
        ["caller", "callee"].map(|side| envelope(&folder.path().join(format!("{call}-{side}.wav"))))
    };
    let [caller, callee] = write(CLEAR, CLEAR_CALL);
    assert!(correlation(&caller, &callee) < 0.5, "two voices");
    for (name, call, seconds) in [
        (SEALED, SEALED_CALL, 9),
        // PCMA, IPv6, through TURN, with the keys inside TLS that is opened.
        ("baresip_sdes_tcp.pcapng", "cf28dffbfb9e2c50", 8),
        ("baresip_ipv6_sdes.pcapng", "f2d9b3dbceaab882", 8),
        ("baresip_turn_sdes.pcapng", "22da1dd4116738de", 6),
        ("baresip_sdes_tls_dsb.pcapng", "5349d07c8dd537f8", 9),
    ] {
        for (opened, played) in write(name, call).iter().zip([&caller, &callee]) {
            assert!(opened.len() >= seconds * 50, "{name}: {} frames", opened.len());
            let alike = correlation(opened, played);
            assert!(alike > 0.999, "{name}: {alike}");
        }
    }
}
