//! The scenario language: every fixture compiles, to the same octets each time, and to packets
//! that are what their text says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test says what is wrong by failing"
)]

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use overhear::model::frame::LinkType;
use overhear::model::time::Ts;
use overhear::scenario::{Expectation, Scenario, ScenarioFrame, compile};

const HOSTS: &str = "host alice 192.0.2.10\nhost pbx 198.51.100.5\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "scn") {
            found.push(path);
        }
    }
}

fn fixtures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join("fixtures"), &mut found);
    found.sort();
    found
}

fn read(path: &Path) -> Scenario {
    let text = fs::read_to_string(path).unwrap();
    compile(&text, &path.display().to_string()).unwrap_or_else(|error| panic!("{error}"))
}

/// A scenario of two hosts and some steps.
fn made(steps: &str) -> Scenario {
    compile(&format!("{HOSTS}{steps}\n"), "test").unwrap_or_else(|error| panic!("{error}"))
}

/// The line and the sentence of what is wrong with two hosts and some steps.
fn wrong(steps: &str) -> (usize, String) {
    let error = compile(&format!("{HOSTS}{steps}\n"), "test").unwrap_err();
    (error.line, error.message)
}

/// The UDP payload of an Ethernet frame; empty for anything else.
fn payload(frame: &ScenarioFrame) -> Vec<u8> {
    match SlicedPacket::from_ethernet(&frame.octets).unwrap().transport {
        Some(TransportSlice::Udp(udp)) => udp.payload().to_vec(),
        Some(TransportSlice::Tcp(tcp)) => tcp.payload().to_vec(),
        _ => Vec::new(),
    }
}

fn text(frame: &ScenarioFrame) -> String {
    String::from_utf8(payload(frame)).unwrap()
}

/// Nanoseconds of each frame since the first.
fn times(scenario: &Scenario) -> Vec<i64> {
    let first = scenario.frames[0].ts;
    scenario.frames.iter().map(|frame| frame.ts.since(first).nanos()).collect()
}

/// Sequence numbers of RTP packets.
fn sequence(scenario: &Scenario) -> Vec<u16> {
    let octets = scenario.frames.iter().map(payload);
    octets.map(|packet| u16::from_be_bytes([packet[2], packet[3]])).collect()
}

#[test]
fn every_fixture_compiles_to_packets_and_expectations() {
    let found = fixtures();
    assert!(!found.is_empty());
    for path in found {
        let scenario = read(&path);
        assert!(!scenario.frames.is_empty(), "{} sends nothing", path.display());
        assert!(!scenario.expectations.is_empty(), "{} expects nothing", path.display());
        assert!(scenario.title.ends_with(['.', ':']), "{} has no title", path.display());
    }
}

#[test]
fn every_fixture_compiles_to_the_same_twice() {
    for path in fixtures() {
        assert_eq!(read(&path), read(&path), "{}", path.display());
    }
}

#[test]
fn fixtures_of_a_rule_expect_what_their_name_says() {
    for path in fixtures() {
        let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let wanted = read(&path).expectations;
        let fires =
            wanted.iter().any(|e| matches!(e, Expectation::Fires { rule, .. } if *rule == folder));
        let quiet = wanted.contains(&Expectation::Quiet { rule: folder.clone() });
        match name.split('-').next().unwrap() {
            // Calls to be wrapped or carried, and observations with their grades: about no rule.
            _ if ["encapsulation", "transport", "grades"].contains(&folder.as_str()) => {}
            _ if folder == "clean" => assert!(wanted.contains(&Expectation::Clean), "{name}"),
            "fires" => assert!(fires && !quiet, "{folder}/{name}"),
            "quiet" => assert!(quiet && !fires, "{folder}/{name}"),
            _ => panic!("{folder}/{name} begins neither with fires- nor with quiet-"),
        }
    }
}

#[test]
fn every_rule_with_fixtures_has_both_kinds() {
    for entry in fs::read_dir(root().join("fixtures/rules")).unwrap() {
        let folder = entry.unwrap().path();
        let names: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        for kind in ["fires-", "quiet-"] {
            assert!(names.iter().any(|name| name.starts_with(kind)), "{kind} {}", folder.display());
        }
    }
}

#[test]
fn fixtures_use_documentation_addresses_only() {
    for path in fixtures() {
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some(rest) = line.strip_prefix("host ") else { continue };
            let address = rest.split_whitespace().nth(1).unwrap();
            let documented = match address.parse::<IpAddr>().unwrap() {
                IpAddr::V4(v4) => v4.is_documentation(),
                IpAddr::V6(v6) => v6.segments()[..2] == [0x2001, 0xdb8],
            };
            assert!(documented, "{address} in {}", path.display());
        }
    }
}

#[test]
fn every_frame_of_every_ethernet_fixture_decodes_with_right_checksums() {
    for path in fixtures() {
        let scenario = read(&path);
        for frame in &scenario.frames {
            if frame.link != LinkType::ETHERNET {
                continue;
            }
            let packet = SlicedPacket::from_ethernet(&frame.octets)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            // SCTP has a checksum of its own, which is no Internet checksum.
            let Some(transport) = packet.transport else { continue };
            let net = packet.net.unwrap();
            let (is, should) = match (&net, transport) {
                (NetSlice::Ipv4(ip), TransportSlice::Udp(udp)) => {
                    let header = ip.header().to_header();
                    assert_eq!(header.header_checksum, header.calc_header_checksum());
                    let sum = udp.to_header().calc_checksum_ipv4(&header, udp.payload()).unwrap();
                    (udp.checksum(), sum)
                }
                (NetSlice::Ipv6(ip), TransportSlice::Udp(udp)) => {
                    let header = ip.header().to_header();
                    let sum = udp.to_header().calc_checksum_ipv6(&header, udp.payload()).unwrap();
                    (udp.checksum(), sum)
                }
                (NetSlice::Ipv4(ip), TransportSlice::Tcp(tcp)) => {
                    let sum = tcp
                        .calc_checksum_ipv4(ip.header().source(), ip.header().destination())
                        .unwrap();
                    (tcp.checksum(), sum)
                }
                (NetSlice::Ipv6(ip), TransportSlice::Tcp(tcp)) => {
                    let sum = tcp
                        .calc_checksum_ipv6(ip.header().source(), ip.header().destination())
                        .unwrap();
                    (tcp.checksum(), sum)
                }
                other => panic!("{}: {other:?}", path.display()),
            };
            assert_eq!(is, should, "{}", path.display());
        }
    }
}

#[test]
fn a_message_is_sent_as_written_with_its_length() {
    let scenario =
        made("udp alice > pbx\n  INFO sip:{pbx} SIP/2.0\n  Content-Length: auto\n\n  x=1");
    let expected = "INFO sip:198.51.100.5 SIP/2.0\r\nContent-Length: 5\r\n\r\nx=1\r\n";
    assert_eq!(text(&scenario.frames[0]), expected);
}

#[test]
fn time_moves_with_the_steps_and_as_told() {
    let step = "udp alice > pbx empty";
    let scenario =
        made(&format!("{step}\n{step}\n{step} +20ms\n{step} @5s\n{step} repeat=3 every=2s"));
    let ms = 1_000_000;
    assert_eq!(times(&scenario), [0, ms, 21 * ms, 5_000 * ms, 5_001 * ms, 7_001 * ms, 9_001 * ms]);
    let dated = made("start 2026-05-06T07:08:09Z\nudp alice > pbx empty");
    assert_eq!(dated.frames[0].ts.to_string(), "2026-05-06T07:08:09.000000000Z");
}

#[test]
fn a_jump_changes_what_the_clock_shows_and_not_the_order() {
    let scenario = made("udp alice > pbx empty\njump -3s\nudp alice > pbx random=8");
    let [first, second] = scenario.frames.as_slice() else { panic!("two frames") };
    assert_eq!(payload(second).len(), 8);
    assert_eq!(first.ts.since(second.ts).nanos() / 1_000_000, 2_998);
}

#[test]
fn a_call_has_the_messages_of_rfc_3261_and_media_both_ways() {
    let scenario = made("call alice > pbx talk=1s");
    let starts: Vec<String> = scenario
        .frames
        .iter()
        .map(payload)
        .filter(|octets| octets[0] & 0xc0 != 0x80)
        .map(|octets| String::from_utf8(octets).unwrap().lines().next().unwrap().to_owned())
        .collect();
    let uri = "sip:pbx@198.51.100.5 SIP/2.0";
    assert_eq!(
        starts,
        [
            &format!("INVITE {uri}"),
            "SIP/2.0 100 Trying",
            "SIP/2.0 180 Ringing",
            "SIP/2.0 200 OK",
            &format!("ACK {uri}"),
            &format!("BYE {uri}"),
            "SIP/2.0 200 OK",
        ]
    );
    assert_eq!(scenario.frames.len(), 7 + 2 * 50);
}

#[test]
fn calls_fail_are_cancelled_and_authenticate() {
    let methods = |steps: &str| -> Vec<String> {
        let frames = made(steps).frames;
        frames.iter().map(|frame| text(frame).lines().next().unwrap()[..11].to_owned()).collect()
    };
    assert_eq!(
        methods("call alice > pbx final=486 media=none"),
        ["INVITE sip:", "SIP/2.0 100", "SIP/2.0 180", "SIP/2.0 486", "ACK sip:pbx"]
    );
    let cancelled = methods("call alice > pbx cancel");
    assert_eq!(cancelled[3..], ["CANCEL sip:", "SIP/2.0 200", "SIP/2.0 487", "ACK sip:pbx"]);
    let answered = made("call alice > pbx auth=digest media=none");
    assert!(text(&answered.frames[1]).contains("\r\nProxy-Authenticate: Digest "));
    assert!(text(&answered.frames[3]).contains("\r\nProxy-Authorization: Digest "));
}

#[test]
fn sdes_offers_carry_keys_of_the_right_length_and_the_media_a_tag() {
    let scenario = made("call alice > pbx crypto=AEAD_AES_256_GCM talk=100ms");
    let offer = text(&scenario.frames[0]);
    assert!(offer.contains("m=audio 40000 RTP/SAVP 0\r\n"), "{offer}");
    let key = offer.split("inline:").nth(1).unwrap().lines().next().unwrap();
    // 44 octets of key and salt in base64.
    assert_eq!(key.len(), 60);
    let media = scenario.frames.iter().map(payload).filter(|octets| octets[0] == 0x80);
    assert!(media.into_iter().all(|packet| packet.len() == 12 + 160 + 16));
}

#[test]
fn rtp_wraps_loses_repeats_and_swaps_as_told() {
    let scenario = made("rtp alice > pbx n=8 seq=65533 lose=2 dup=3 swap=6 ssrc=0x11223344 ts=7");
    assert_eq!(sequence(&scenario), [65533, 65535, 65535, 0, 1, 3, 2, 4]);
    let first = payload(&scenario.frames[0]);
    assert_eq!(first[..2], [0x80, 0x80]);
    assert_eq!(first[4..12], [0, 0, 0, 7, 0x11, 0x22, 0x33, 0x44]);
    assert_eq!(first.len(), 172);
}

#[test]
fn a_network_duplicate_has_another_ip_id_and_a_mirror_copy_the_same() {
    let ids = |steps: &str| -> Vec<[u8; 2]> {
        made(steps).frames.iter().map(|frame| [frame.octets[18], frame.octets[19]]).collect()
    };
    let network = ids("rtp alice > pbx n=1 dup=1");
    assert_ne!(network[0], network[1]);
    let mirrored = made("rtp alice > pbx n=1 mirror=10us");
    let [one, two] = mirrored.frames.as_slice() else { panic!("two frames") };
    assert_eq!(one.octets[18..20], two.octets[18..20]);
    assert_ne!(one.octets[..12], two.octets[..12]);
    assert_eq!(payload(one), payload(two));
    assert_eq!(two.ts.since(one.ts).nanos(), 10_000);
}

#[test]
fn tcp_opens_by_itself_and_cuts_as_told() {
    let body = "\n  OPTIONS sip:b SIP/2.0\n  Content-Length: auto";
    let scenario =
        made(&format!("tcp alice > pbx split=5,3 order=2,1,3{body}\ntcp alice > pbx close"));
    let lengths: Vec<usize> = scenario.frames.iter().map(|frame| payload(frame).len()).collect();
    let rest = "OPTIONS sip:b SIP/2.0\r\nContent-Length: 0\r\n\r\n".len() - 8;
    assert_eq!(lengths, [0, 0, 0, 3, 5, rest, 0, 0, 0, 0]);
    assert_eq!(text(&scenario.frames[4]), "OPTIO");
    let lost = made(&format!("tcp alice > pbx midstream split=5 lose=1 resend=2{body}"));
    let lengths: Vec<usize> = lost.frames.iter().map(|frame| payload(frame).len()).collect();
    assert_eq!(lengths, [rest + 3, 0, rest + 3]);
}

#[test]
fn frames_are_cut_tagged_and_fragmented_as_told() {
    let scenario = made("udp alice > pbx random=900 snap=96 vlan=10,20");
    let frame = &scenario.frames[0];
    assert_eq!((frame.captured, frame.octets.len()), (96, 950));
    assert_eq!(frame.octets[12..20], [0x88, 0xa8, 0, 10, 0x81, 0, 0, 20]);
    let pieces = made("udp alice > pbx random=900 fragment=400 fragorder=reversed");
    let offsets: Vec<[u8; 2]> =
        pieces.frames.iter().map(|frame| [frame.octets[20], frame.octets[21]]).collect();
    assert_eq!(offsets, [[0, 100], [0x20, 50], [0x20, 0]]);
}

#[test]
fn every_link_type_has_its_header() {
    for (name, link, header) in [
        ("ethernet", 1, 14),
        ("raw", 101, 0),
        ("null", 0, 4),
        ("loop", 108, 4),
        ("sll", 113, 16),
        ("sll2", 276, 20),
    ] {
        let scenario = made(&format!("link {name}\nudp alice > pbx random=10"));
        assert_eq!(scenario.frames[0].link, LinkType(link));
        assert_eq!(scenario.frames[0].octets.len(), header + 38, "{name}");
    }
}

#[test]
fn limits_reach_the_policy() {
    let scenario = made("limit streams=64 idle=5s\nudp alice > pbx empty");
    assert_eq!(scenario.policy.limits.streams, 64);
    assert_eq!(scenario.policy.limits.idle.nanos(), 5_000_000_000);
    assert_eq!(wrong("limit strems=64").1, "`strems` is not a limit: see src/policy/limits.rs");
}

#[test]
fn errors_name_the_line_and_say_what_would_be_right() {
    for (steps, line, words) in [
        ("shout alice > pbx", 3, "`shout` is not a statement; there are host, "),
        ("\nudp alice > bob empty", 4, "there is no host `bob`; there are: alice, pbx"),
        ("rtp alice > pbx codek=PCMU", 3, "`rtp` does not know `codek=`; it knows both, codec, "),
        ("rtp alice > pbx codec=MP3", 3, "codec: `MP3` is not a codec; there are PCMU, "),
        ("rtp alice > pbx n=many", 3, "n: `many` is not a number"),
        ("udp alice > pbx", 3, "`udp` needs a message below it, indented"),
        ("udp alice > pbx hex\n  123", 3, "hex: the body is not pairs of hexadecimal digits"),
        ("udp alice pbx empty", 3, "`udp` needs both ends: udp a > b"),
        ("rtp alice > pbx every=20", 3, "every: `20` is not a span of time"),
        ("host alice 192.0.2.11", 3, "there is a host `alice` already"),
        ("host six 2001:db8::1\nudp six > pbx empty", 4, "`six` and `pbx` are of different IP"),
        ("udp alice > pbx empty\nlink raw", 4, "`link` must stand before the first step"),
        ("expect clean\nudp alice > pbx empty", 4, "`expect` lines end a scenario"),
        ("expect no such rule", 3, "`such` is neither a count such as x1 nor a severity"),
        ("expect no basic", 3, "`basic` is not a rule id such as SIG-CLEARTEXT"),
        ("# a comment\n  a stray line", 4, "this indented line belongs to no statement"),
    ] {
        let (found, message) = wrong(steps);
        assert_eq!(found, line, "{steps}: {message}");
        assert!(message.starts_with(words), "{steps}: {message}");
    }
    let error = compile("udp", "x.scn").unwrap_err();
    assert_eq!(error.to_string(), "x.scn:1: `udp` needs both ends: udp a > b");
}

#[test]
fn a_scenario_cannot_fill_the_memory() {
    assert!(wrong("rtp alice > pbx n=99999999").1.contains("more than 500000 frames"));
    assert!(wrong("wait repeat=99999999").1.contains("more than 500000 times"));
}

#[test]
fn the_example_of_the_documentation_compiles() {
    let scenario = compile(&example(), "docs").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.expectations.len(), 4);
    assert_eq!(scenario.title, "A call in PCMU, one packet lost, and nobody who could not listen.");
}

/// The example of `docs/scenario-language.md`.
fn example() -> String {
    let page = fs::read_to_string(root().join("docs/scenario-language.md")).unwrap();
    let start = page.split("```scn\n").nth(1).unwrap();
    start.split("```").next().unwrap().to_owned()
}

#[test]
fn no_text_makes_the_compiler_panic() {
    let text = example();
    for at in 0..text.len() {
        // Cut off, one character missing, and one replaced.
        let (before, after) = text.split_at(at);
        for broken in [
            before.to_owned(),
            format!("{before}{}", &after[1..]),
            format!("{before}9{}", &after[1..]),
        ] {
            // A long number of packets is right, and slow.
            if !broken.contains("n=9") && !broken.contains("n=60 9") {
                let _ = compile(&broken, "broken");
            }
        }
    }
}

#[test]
fn both_file_formats_hold_every_frame() {
    let scenario = made("udp alice > pbx random=900 snap=96\nudp alice > pbx random=3");
    let (mut ng, mut classic) = (Vec::new(), Vec::new());
    scenario.write_pcapng(&mut ng).unwrap();
    scenario.write_pcap(&mut classic).unwrap();
    // Section 28, interface 32; an EPB is 32 octets and its data padded to 4.
    assert_eq!(ng.len(), 28 + 32 + (32 + 96) + (32 + 48));
    assert_eq!(classic.len(), 24 + (16 + 96) + (16 + 45));
    assert_eq!(scenario.frames[0].ts, Ts::from_nanos(1_767_323_045_000_000_000));
}

/// Exports every fixture to `SCENARIO_EXPORT`, and has tshark look at them, where it is installed.
#[test]
fn tshark_finds_nothing_malformed() {
    let Some(folder) = std::env::var_os("SCENARIO_EXPORT") else {
        eprintln!("skipped: SCENARIO_EXPORT names no folder to export the fixtures to");
        return;
    };
    for path in fixtures() {
        let parent = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let name = path.file_stem().unwrap().to_string_lossy();
        let file = Path::new(&folder).join(format!("{parent}.{name}.pcapng"));
        read(&path).write_pcapng(&mut fs::File::create(&file).unwrap()).unwrap();
        // Wrong on purpose: a key of three octets, and datagrams without any meaning.
        if name == "quiet-malformed-key" || name == "random-datagrams" {
            continue;
        }
        let filter = "_ws.malformed or tcp.analysis.flags or ip.checksum.status == 0 or \
                      udp.checksum.status == 0 or tcp.checksum.status == 0";
        let checks =
            ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE"];
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(&file).args(["-Y", filter]);
        let Ok(output) = tshark.args(checks.iter().flat_map(|c| ["-o", c])).output() else {
            eprintln!("skipped: tshark is not installed");
            return;
        };
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(found.is_empty(), "{}: {found}", path.display());
    }
}
