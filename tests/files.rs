//! How captures arrive: compressed, in pieces, in part; and how parts of them are written.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use overhear::capture::{
    Chunk, Filter, OpenOptions, PcapWriter, PcapngWriter, Source, SourceFacts,
};
use overhear::model::frame::LinkType;
use overhear::model::time::{Span, Ts};
use serde_json::Value;
use support::{root, scratch, sums};

fn overhear() -> Command {
    let mut command = Command::cargo_bin("overhear").unwrap();
    command.env_remove("COLUMNS");
    command
}

/// The JSON report of a review with these words, and the exit status.
fn review(words: &[&str]) -> (Value, i32) {
    let output = overhear().args(["review", "--json", "-"]).args(words).output().unwrap();
    (serde_json::from_slice(&output.stdout).unwrap_or_default(), output.status.code().unwrap())
}

fn recorded(name: &str) -> String {
    root().join("fixtures/recorded").join(name).to_str().unwrap().to_owned()
}

fn packed(name: &str) -> PathBuf {
    root().join("fixtures/packed").join(name)
}

const PACKED: [(&str, &str); 3] =
    [("members.gz", "gzip"), ("frames.zst", "zstd"), ("frames.lz4", "lz4")];

fn without(mut report: Value, keys: &[&str]) -> Value {
    for source in report["capture"]["sources"].as_array_mut().unwrap() {
        for key in keys {
            source.as_object_mut().unwrap().remove(*key);
        }
    }
    report
}

type Frame = (Option<Ts>, Vec<u8>);

/// Times and octets of a source's frames, and what is said of it; `None` if it is no capture.
fn frames(path: &Path) -> Option<(Vec<Frame>, SourceFacts)> {
    let mut source = Source::open(path, &OpenOptions::default()).ok()?;
    let (mut chunk, mut frames) = (Chunk::default(), Vec::new());
    while source.fill(&mut chunk, 100).unwrap() {
        let octets = |raw| chunk.backing.frame(raw).to_vec();
        frames.extend(chunk.frames.iter().map(|raw| (raw.ts, octets(raw))));
    }
    Some((frames, source.facts()))
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::best());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// A pcap file of `count` frames of `length` octets, a millisecond apart from `first` on.
fn pcap(first: Ts, count: i64, length: usize) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET).unwrap();
    for number in 0..count {
        let ts = first.plus(Span::from_millis(number));
        writer.packet(ts, length as u32, &vec![0; length]).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn a_compressed_capture_gives_the_report_of_the_plain_one_from_file_and_stdin() {
    let said = ["path", "compression", "via"];
    let plain = without(review(&[&recorded("nano.pcap")]).0, &said);
    for (name, compression) in PACKED {
        let (report, _) = review(&[packed(name).to_str().unwrap()]);
        assert_eq!(report["capture"]["sources"][0]["compression"], compression);
        assert_eq!(without(report, &said), plain, "{name}");
        let octets = fs::read(packed(name)).unwrap();
        let output =
            overhear().args(["review", "--json", "-", "-"]).write_stdin(octets).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["capture"]["sources"][0]["compression"], compression);
        assert_eq!(without(report, &said), plain, "{name} from stdin");
    }
}

#[test]
fn a_name_says_nothing_and_a_folder_is_looked_through_by_content() {
    let folder = tempfile::tempdir().unwrap();
    for (name, to) in [("members.gz", "a.pcap"), ("frames.zst", "b.txt"), ("frames.lz4", "c")] {
        fs::copy(packed(name), folder.path().join(to)).unwrap();
    }
    fs::write(folder.path().join("notes.pcap.gz"), gzip(b"nothing to see here")).unwrap();
    fs::write(folder.path().join("twice.gz"), gzip(&fs::read(packed("members.gz")).unwrap()))
        .unwrap();
    let (report, status) = review(&[folder.path().to_str().unwrap()]);
    assert_eq!((status, report["capture"]["sources"].as_array().unwrap().len()), (0, 3));
    assert!(report["limits"].to_string().contains("2 other files in it are not captures"));
    let twice = folder.path().join("twice.gz");
    let said = overhear().arg(twice).output().unwrap().stderr;
    assert!(String::from_utf8(said).unwrap().contains("compressed twice"));
}

#[test]
fn compressed_data_that_breaks_off_or_is_corrupt_is_read_up_to_there() {
    let (all, _) = frames(Path::new(&recorded("nano.pcap"))).unwrap();
    for (name, _) in PACKED {
        let octets = fs::read(packed(name)).unwrap();
        let (mut cut_short, mut most) = (0, 0);
        for at in (0..octets.len()).step_by(211).chain(octets.len() - 6..octets.len()) {
            let mut flipped = octets.clone();
            flipped[at] ^= 0x55;
            for (what, octets) in [("cut", &octets[..at]), ("flipped", &flipped[..])] {
                let path = scratch(&format!("{name}.{what}"), octets);
                let Some((got, facts)) = frames(&path) else { continue };
                if what == "cut" {
                    assert!(got.len() <= all.len(), "{name} {what} at {at}");
                    assert_eq!(got, all[..got.len()], "{name} {what} at {at}");
                    cut_short += usize::from(facts.truncated.is_some());
                    most = most.max(got.len());
                }
            }
        }
        assert!(cut_short > 20 && most > 50, "{name}: {cut_short} {most}");
    }
}

#[test]
fn a_bomb_is_refused_where_it_is_one_and_the_report_says_so() {
    let mut zeros = pcap(Ts::default(), 3, 100);
    zeros.resize(200 << 20, 0);
    let valid = pcap(Ts::default(), 1, 300);
    let valid = [&valid[..24], &valid[24..].repeat(600_000)].concat();
    let lz4 = |octets: &[u8]| {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    };
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = |octets: &[u8]| ruzstd::encoding::compress_to_vec(octets, level);
    for (name, octets) in [
        ("zeros.gz", gzip(&zeros)),
        ("valid.gz", gzip(&valid)),
        ("zeros.lz4", lz4(&zeros)),
        ("zeros.zst", zstd(&zeros)),
    ] {
        let path = scratch(name, &octets);
        let (_, facts) = frames(&path).unwrap();
        let fault = facts.truncated.unwrap().to_string();
        assert!(fault.contains("unpacks to more than 200 times its size"), "{name}: {fault}");
        assert!(facts.packets > 3 && facts.octets < 70 << 20, "{name}: {facts:?}");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn limits_on_unpacking_are_the_users_and_named_when_they_bite() {
    let zst = packed("frames.zst");
    let zst = zst.to_str().unwrap();
    for (limit, says) in [
        ("unpack_octets=10000", "unpacks to more than 10000 octets (--limit unpack_octets=N)"),
        ("unpack_window=2000", "more than allowed (--limit unpack_window=N)"),
    ] {
        let output = overhear().args(["calls", zst, "--limit", limit]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(says), "{limit}: {said}");
    }
    let (report, status) =
        review(&[zst, "--limit", "unpack_octets=10000", "--fail-on", "critical"]);
    let source = &report["capture"]["sources"][0];
    assert_eq!((status, &source["truncated"]), (3, &Value::Bool(true)), "{source}");
    assert!(report["limits"].to_string().contains("unpack_octets"), "{}", report["limits"]);
}

#[test]
fn a_ring_buffer_of_many_files_needs_few_descriptors_and_merges_by_time() {
    let (all, facts) = frames(Path::new(&recorded("baresip_clear_udp_pcmu.pcapng"))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut files = 0;
    // Names in no order, every other one compressed, each overlapping the next by a frame.
    for (number, piece) in all.chunks(4).enumerate() {
        let mut writer = PcapWriter::new(Vec::new(), facts.link_types[0]).unwrap();
        for (ts, octets) in piece {
            writer.packet(ts.unwrap(), octets.len() as u32, octets).unwrap();
        }
        let octets = writer.finish().unwrap();
        let octets = if number % 2 == 0 { gzip(&octets) } else { octets };
        fs::write(folder.path().join(format!("{:05}", number * 7919 % 10_007)), octets).unwrap();
        files += 1;
    }
    fs::write(folder.path().join("being-written"), &pcap(Ts::default(), 1, 60)[..50]).unwrap();
    fs::write(folder.path().join("empty"), b"").unwrap();
    let whole = review(&[&recorded("baresip_clear_udp_pcmu.pcapng")]).0;
    for more in ["", " --no-mmap --lanes 3"] {
        let program = assert_cmd::cargo::cargo_bin("overhear");
        let line = format!(
            "ulimit -n 40; exec {} review {} --json -{more}",
            program.display(),
            folder.path().display()
        );
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        let pieces: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(pieces["capture"]["sources"].as_array().unwrap().len(), files + 1);
        assert_eq!(pieces["capture"]["packets"], whole["capture"]["packets"]);
        assert_eq!(pieces["counts"], whole["counts"]);
        let ids = |report: &Value, of: &str| -> Vec<String> {
            let mut ids: Vec<String> = report[of].as_array().unwrap().iter().map(figures).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&pieces, "calls"), ids(&whole, "calls"));
        assert_eq!(ids(&pieces, "streams"), ids(&whole, "streams"));
        let faults = pieces["limits"].to_string();
        assert_eq!(faults.matches("being-written was read up to a fault").count(), 1, "{faults}");
    }
}

/// A call or stream without where its frames are.
fn figures(record: &Value) -> String {
    let mut record = record.clone();
    for key in ["first_source", "first_frame", "last_source", "last_frame", "findings", "legs"] {
        record.as_object_mut().unwrap().remove(key);
    }
    if let Some(links) = record["exposure_chain"].as_array_mut() {
        for link in links {
            *link = link["what"].clone();
        }
    }
    record.to_string()
}

#[test]
fn a_file_of_65535_interfaces_is_read_and_what_is_refused_is_named() {
    let mut writer = PcapngWriter::new(Vec::new(), "test").unwrap();
    let mut octets = Vec::new();
    for interface in 0..65_535_u32 {
        let tail: [&[u8]; 3] = [&1_u16.to_le_bytes(), &[0; 6], &20_u32.to_le_bytes()];
        octets.extend([1_u32.to_le_bytes(), 20_u32.to_le_bytes()].concat());
        octets.extend(tail.concat());
        if interface == 0 {
            octets.clear();
            writer.describe(LinkType::ETHERNET).unwrap();
        }
    }
    let mut file = writer.finish().unwrap();
    file.extend(octets);
    for interface in [3_u32, 65_534] {
        let head = [6_u32, 92, interface, 0, 0, 60, 60];
        file.extend(head.map(u32::to_le_bytes).concat());
        file.extend([0; 60]);
        file.extend(92_u32.to_le_bytes());
    }
    let path = scratch("interfaces.pcapng", &file);
    let path = path.to_str().unwrap();
    let (report, _) = review(&[path]);
    let source = &report["capture"]["sources"][0];
    assert_eq!(source["oddities"], serde_json::json!({}));
    assert_eq!(report["capture"]["accounting"]["skipped"], serde_json::json!({ "not-ip": 2 }));
    let (report, _) = review(&[path, "--limit", "interfaces=1000"]);
    assert_eq!(report["capture"]["sources"][0]["oddities"]["excess-interface"], 64_535);
    assert!(report["limits"].to_string().contains("64535 interfaces of"), "{}", report["limits"]);
    assert_eq!(report["capture"]["accounting"]["skipped"]["unsupported-link"], 1);
}

#[test]
fn what_from_to_count_and_filter_leave_out_is_booked_and_said() {
    let path = recorded("baresip_clear_udp_pcmu.pcapng");
    let (all, _) = frames(Path::new(&path)).unwrap();
    let (from, to) = (all[100].0.unwrap(), all[300].0.unwrap());
    let within = all.iter().filter(|(ts, _)| (from..to).contains(&ts.unwrap())).count() as u64;
    let taken = |report: &Value| {
        let (packets, handled, skipped) = sums(report);
        assert_eq!(packets, handled + skipped);
        packets - report["capture"]["accounting"]["skipped"]["filtered"].as_u64().unwrap_or(0)
    };
    let (from, to) = (from.to_string(), to.to_string());
    let (report, _) = review(&[&path, "--from", &from, "--to", &to]);
    assert_eq!((taken(&report), &report["capture"]["first_packet"]), (within, &from.into()));
    let (report, _) = review(&[&path, "-c", "77"]);
    assert_eq!((taken(&report), &report["capture"]["packets"]), (77, &77.into()));
    let (report, _) = review(&[&path, "-c", "5", "-f", "udp port 5060"]);
    assert_eq!((taken(&report), &report["counts"]["sip_messages"]), (5, &5.into()));
    let (report, _) = review(&[&path, "--", "udp", "port", "5060"]);
    assert_eq!((taken(&report), &report["counts"]["sip_messages"]), (33, &32.into()));
    assert!(report["limits"].to_string().contains("were left out by --from, --to or -f"));
    let (two, _) = review(&[&path, &recorded("nano.pcap"), "-c", "500", "--no-mmap"]);
    let (mapped, _) = review(&[&path, &recorded("nano.pcap"), "-c", "500"]);
    assert_eq!((taken(&two), &two), (500, &mapped));
}

#[test]
fn a_bad_filter_is_answered_with_the_place_and_no_name_is_looked_up() {
    for (expression, says) in [
        ("udp prot 5060", "at character 5: 'prot'"),
        ("udp and and tcp", "at character 9: 'and' cannot stand there"),
        ("udp port", "at character 9: something is missing at the end"),
        ("host example.com", "at character 6: 'example.com' is neither"),
        ("port 99999", "illegal port number"),
    ] {
        let error = Filter::new(expression).unwrap_err().to_string();
        assert!(error.contains(says), "{expression}: {error}");
        overhear().args(["calls", "x.pcap", "-f", expression]).assert().code(2);
    }
}

#[test]
fn a_call_cut_out_is_the_same_call_with_the_same_streams() {
    let cut = ["baresip_sdes_tcp.pcapng", "ipfrag_reversed.pcap", "baresip_dtlssrtp_udp.pcapng"]
        .map(recorded);
    let out = scratch("cut.pcapng", b"");
    let out = out.to_str().unwrap();
    for path in &cut {
        let (whole, _) = review(&[path]);
        let calls = whole["calls"].as_array().unwrap();
        assert!(!calls.is_empty(), "{path}");
        for call in calls {
            let id = call["id"].as_str().unwrap();
            overhear().args(["review", path, "-q", "-w", out, "--call", id]).assert().code(0);
            let (part, _) = review(&[out]);
            let same = |of: &Value| figures(of) == figures(call);
            assert!(part["calls"].as_array().unwrap().iter().any(same), "{path} {id}");
            let streams = |report: &Value| -> Vec<String> {
                let all = report["streams"].as_array().unwrap();
                all.iter().filter(|stream| stream["call"] == call["id"]).map(figures).collect()
            };
            assert_eq!(streams(&part), streams(&whole), "{path} {id}");
            let octets = fs::read(out).unwrap();
            let cited = whole["findings"].as_array().unwrap().iter().any(|finding| {
                let id = finding["id"].as_str().unwrap().as_bytes();
                octets.windows(id.len()).any(|window| window == id)
            });
            assert!(cited, "{path} {id}: no finding is named");
        }
    }
    let all = recorded("nano.pcap");
    overhear().args(["review", &all, "-q", "-w", out, "-f", "udp"]).assert().code(0);
    let calls = |report: Value| -> Vec<String> {
        report["calls"].as_array().unwrap().iter().map(figures).collect()
    };
    assert_eq!(calls(review(&[out]).0), calls(review(&[&all, "-f", "udp"]).0));
    overhear().args(["review", &all, "-w", out, "--call", "nobody"]).assert().code(2);
}

#[test]
fn a_pipe_is_kept_to_be_cut_and_cut_like_the_file() {
    let path = recorded("baresip_sdes_tcp.pcapng");
    let id = review(&[&path]).0["calls"][0]["id"].as_str().unwrap().to_owned();
    let (from_file, from_pipe) = (scratch("of-file.pcapng", b""), scratch("of-pipe.pcapng", b""));
    for (input, out) in [(path.as_str(), &from_file), ("-", &from_pipe)] {
        let mut command = overhear();
        command.args(["review", input, "-q", "--call", &id, "-w"]).arg(out);
        command.write_stdin(fs::read(&path).unwrap()).assert().code(0);
    }
    assert_eq!(fs::read(from_file).unwrap(), fs::read(from_pipe).unwrap());
    let mut command = overhear();
    command.args(["review", "-", "-q", "-w", "-", "--limit", "spool_octets=1000"]);
    command.write_stdin(fs::read(&path).unwrap()).assert().code(2);
}
