//! HEP as captured traffic: the copies of a call that a capture agent sends, alone, beside the call
//! itself, from two agents, and over TCP.

use overhear::scenario::ScenarioFrame;
use serde_json::{Value, json};

use super::table::Base;
use super::wrap::*;
use super::{base, fixture, frame, pcap, report, report_of};

/// How far ahead of the capture's clock the agent's is.
const AHEAD: u64 = 3600;

/// The SIP messages of the call: source and destination address and port, and the message.
fn messages() -> Vec<(ScenarioFrame, Octets, Octets)> {
    let sip = |plain: &ScenarioFrame| {
        let ip = &plain.octets;
        (ip[9] == 17 && ip[28].is_ascii_uppercase()).then(|| ip[28..].to_vec())
    };
    let all = base(Base::V4);
    all.into_iter()
        .filter_map(|plain| {
            let message = sip(&plain)?;
            let ends = plain.octets[12..24].to_vec();
            Some((plain, ends, message))
        })
        .collect()
}

fn chunk(kind: u16, value: &[u8]) -> Octets {
    let length = u16::try_from(value.len() + 6).unwrap();
    join(&[&[0, 0], &kind.to_be_bytes(), &length.to_be_bytes(), value])
}

fn seconds(of: &ScenarioFrame) -> (u32, u32) {
    let nanos = u64::try_from(of.ts.nanos()).unwrap() + AHEAD * 1_000_000_000;
    let micros = nanos / 1000 % 1_000_000;
    ((nanos / 1_000_000_000) as u32, micros as u32)
}

/// A copy in version 3. The agent needs 40 ms for each second message, and its clock knows.
fn version3(agent: u32, of: &ScenarioFrame, ends: &[u8], message: &[u8]) -> Octets {
    let (seconds, micros) = seconds(of);
    let chunks = [
        chunk(1, &[2]),
        chunk(2, &[17]),
        chunk(3, &ends[..4]),
        chunk(4, &ends[4..8]),
        chunk(7, &ends[8..10]),
        chunk(8, &ends[10..12]),
        chunk(9, &seconds.to_be_bytes()),
        chunk(10, &micros.to_be_bytes()),
        chunk(11, &[1]),
        chunk(12, &agent.to_be_bytes()),
        chunk(17, b"session-1"),
        chunk(15, message),
    ]
    .concat();
    let length = u16::try_from(chunks.len() + 6).unwrap();
    over_udp(9060, &join(&[b"HEP3", &length.to_be_bytes(), &chunks]))
}

/// A copy in version 1 or 2.
fn fixed(version: u8, of: &ScenarioFrame, ends: &[u8], message: &[u8]) -> Octets {
    let (seconds, micros) = seconds(of);
    let time = join(&[&seconds.to_le_bytes(), &micros.to_le_bytes(), &[7, 0, 0, 0]]);
    let time = if version == 1 { &[][..] } else { &time };
    over_udp(9060, &join(&[&[version, 16, 2, 17], &ends[8..12], &ends[..8], time, message]))
}

fn copies(wrap: impl Fn(&ScenarioFrame, &[u8], &[u8]) -> Octets) -> Vec<ScenarioFrame> {
    let all = messages();
    all.iter().map(|(plain, ends, message)| frame(plain, 1, wrap(plain, ends, message))).collect()
}

/// What a report says of its one call.
fn call(report: &Value) -> &Value {
    assert_eq!(report["calls"].as_array().map(Vec::len), Some(1));
    &report["calls"][0]
}

/// The call without what tells copies from messages: how it was seen, and by which clock.
fn essence(report: &Value) -> Value {
    let mut call = call(report).clone();
    for key in ["via", "start", "answer", "end", "signalling_clear", "findings"] {
        call[key] = Value::Null;
    }
    for key in ["exposure", "exposure_text", "exposure_chain"] {
        call[key] = Value::Null;
    }
    for key in ["first_frame", "last_frame", "streams", "media"] {
        call[key] = Value::Null;
    }
    call
}

#[test]
fn copies_in_every_version_are_the_call_by_the_clock_of_the_agent() {
    let plain = report_of("hep-plain.pcap", base(Base::V4));
    let versions: [(&str, Vec<ScenarioFrame>); 3] = [
        ("hep1", copies(|of, ends, message| fixed(1, of, ends, message))),
        ("hep2", copies(|of, ends, message| fixed(2, of, ends, message))),
        ("hep3", copies(|of, ends, message| version3(2001, of, ends, message))),
    ];
    for (name, frames) in versions {
        let path = fixture(name, &pcap(frames));
        let report = report(&path);
        assert_eq!(report["counts"]["hep_messages"], 7, "{name}");
        assert_eq!(report["counts"]["sip_messages"], 0, "{name}");
        assert_eq!(report["capture"]["accounting"]["handled"], json!({ "hep": 7 }), "{name}");
        assert_eq!(call(&report)["via"], "hep");
        assert_eq!(essence(&report), essence(&plain), "{name}");
        let moment = |report: &Value| call(report)["start"].as_str().unwrap().to_owned();
        let hour = |text: &str| text.get(11..13).unwrap().parse::<u32>().unwrap();
        let ahead = u32::from(name != "hep1");
        assert_eq!(hour(&moment(&report)), (hour(&moment(&plain)) + ahead) % 24, "{name}");
    }
}

#[test]
fn a_call_and_its_copies_are_one_call() {
    let mut frames = base(Base::V4);
    for frame in &mut frames {
        *frame = super::frame(frame, 1, ethernet(&frame.octets));
    }
    let plain = report_of("hep-alone.pcap", frames.clone());
    let copies = copies(|of, ends, message| version3(2001, of, ends, message));
    for copies_first in [false, true] {
        let mut both: Vec<_> = frames.iter().chain(&copies).cloned().collect();
        if copies_first {
            both.rotate_right(copies.len());
        }
        both.sort_by_key(|frame| frame.ts);
        let path = if copies_first { "hep-first.pcap" } else { "hep-second.pcap" };
        let report = report_of(path, both);
        assert_eq!(report["counts"]["sip_messages"], plain["counts"]["sip_messages"]);
        assert_eq!(report["counts"]["sip_retransmissions"], 0);
        assert_eq!(report["counts"]["hep_messages"], 7);
        assert_eq!(call(&report)["via"], "both");
        let rules = |report: &Value| {
            let all = report["findings"].as_array().unwrap().iter();
            let rules = all.map(|finding| finding["rule"].clone());
            rules.filter(|rule| rule != "SIG-HEP-MIRROR-CLEAR").collect::<Vec<_>>()
        };
        assert_eq!(rules(&report), rules(&plain));
        if copies_first {
            // The call began by the clock of the agent and went on by another.
            assert_eq!(call(&report)["talk_s"], Value::Null);
        } else {
            assert_eq!(essence(&report), essence(&plain));
            assert_eq!(call(&report)["start"], call(&plain)["start"]);
        }
    }
}

#[test]
fn two_agents_give_no_durations() {
    let number = std::cell::Cell::new(0);
    let mixed = copies(|of, ends, message| {
        number.set(number.get() + 1);
        version3(2001 + number.get() % 2, of, ends, message)
    });
    let report = report_of("hep-agents.pcap", mixed);
    assert_eq!((&call(&report)["via"], &call(&report)["talk_s"]), (&json!("hep"), &Value::Null));
}

#[test]
fn what_only_looks_like_hep_is_not() {
    let other = |wrap: &dyn Fn(Octets) -> Octets| {
        let frames = copies(|of, ends, message| version3(2001, of, ends, message));
        let frames = frames.into_iter().map(|one| {
            let payload = wrap(one.octets[42..].to_vec());
            frame(&one, 1, over_udp(9060, &payload))
        });
        let report = report_of("hep-not.pcap", frames.collect());
        report["capture"]["accounting"]["handled"]["hep"].as_u64().unwrap_or_default()
    };
    assert_eq!(other(&|payload| payload), 7);
    let changed = |at: usize, octet: u8| {
        move |mut payload: Octets| {
            payload[at] = octet;
            payload
        }
    };
    assert_eq!(other(&changed(3, b'2')), 0, "another magic number");
    assert_eq!(other(&changed(4, 0xff)), 0, "longer than the datagram");
    assert_eq!(other(&changed(11, 3)), 0, "a chunk shorter than its header");
    let first = copies(|of, ends, message| fixed(1, of, ends, message));
    for (at, octet) in [(1, 40), (2, 3), (3, 99), (16, b'\0')] {
        let frames = first.iter().map(|one| {
            let mut octets = one.octets.clone();
            octets[42 + at] = octet;
            frame(one, 1, octets)
        });
        let report = report_of("hep1-not.pcap", frames.collect());
        assert_eq!(report["counts"]["hep_messages"], 0, "{at}");
    }
}

#[test]
fn hep_over_tcp_is_counted() {
    let text = "host a 192.0.2.10\nhost b 198.51.100.5\n\
                tcp a > b:9060 hex\n  48455033 0012 0000 000b 0007 01 0000 0001\n";
    let fixture = super::support::made("hep-tcp", text);
    let report = report(&fixture.path);
    let packets = report["capture"]["packets"].clone();
    assert_eq!(report["capture"]["accounting"]["handled"], json!({ "hep": packets }));
}
