use super::*;
use crate::model::addr::Addr;
use crate::model::id::Kind;

fn stream(speaker: &'static str) -> Stream {
    let end = |last| Endpoint::new(Addr::v4([192, 0, 2, last]), 40_000);
    Stream {
        id: RecordId::new(Kind::Stream, 7),
        speaker,
        src: end(1),
        dst: end(2),
        ssrc: "0x00000007".to_owned(),
        codecs: vec!["PCMU".to_owned(), "telephone-event".to_owned()],
        protection: "cleartext",
        opened_by: None,
        decoder: Some("overhear"),
        first: Ts::from_nanos(0),
        packets: 450,
        seconds: Some(9.0),
        sound_s: Some(8.5),
        speech_pct: Some(43.2),
        sha256: Some("85".repeat(32)),
        left_out: LeftOut { duplicates: 1, ..LeftOut::default() },
        clipped: 0,
        undecodable: 0,
        digits: Digits { count: 2, times: Vec::new(), revealed: None },
        remark: None,
        levels: [[0; 100], [80; 100]].concat(),
        offset: 0.0,
    }
}

fn hearing() -> Hearing {
    let sealed = Stream {
        seconds: None,
        sound_s: None,
        speech_pct: None,
        sha256: None,
        levels: Vec::new(),
        protection: "encrypted-like",
        remark: Some("no key of it is known".to_owned()),
        ..stream("callee")
    };
    Hearing {
        schema: SCHEMA,
        tool: Tool { name: "overhear", version: "1", reveals: Vec::new() },
        sources: vec!["a.pcap".to_owned()],
        calls: vec![Call {
            id: RecordId::new(Kind::Call, 1),
            call_id: "a\u{1b}[2Jb@host.example".to_owned(),
            caller: Some("alice".to_owned()),
            callee: None,
            start: Ts::from_nanos(0),
            exposure: "clear",
            streams: vec![stream("caller"), sealed],
            pictures: vec!["x.svg".to_owned()],
        }],
        limits: vec!["Nothing was revealed.".to_owned()],
    }
}

#[test]
fn a_person_reads_who_can_be_heard_and_for_how_long_in_eighty_columns() {
    let mut out = Vec::new();
    write(&hearing(), Layout::default(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for words in [
        "alice -> ?",
        "8.5 s recoverable of 9.0 s, speech in 43 % of it, cleartext",
        "nothing can be heard, encrypted-like, no key of it is known",
        "1 packet came twice; 2 digits sent as events",
        "x.svg, no content",
        "Nothing was revealed.",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn the_json_has_the_names_of_the_documentation_and_no_levels() {
    let mut out = Vec::new();
    json(&hearing(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["schema"], "overhear.listen/1");
    assert_eq!(value["tool"]["reveals"], serde_json::json!([]));
    let streams = &value["calls"][0]["streams"];
    assert_eq!(streams[0]["left_out"]["duplicates"], 1);
    assert_eq!(streams[1]["seconds"], serde_json::Value::Null);
    assert!(streams[0].get("levels").is_none());
    assert!(!text.contains('\u{1b}'));
}
