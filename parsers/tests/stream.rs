//! Whatever the chunks in which a stream arrives, the same messages come out of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use overhear_parsers::sip::{Anomalies, Framing, Message, parse_stream};
use proptest::prelude::*;

/// What a reader of segments does: append, take what is whole, keep the rest.
fn messages<'a>(segments: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let (mut buffer, mut spans, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for segment in segments {
        buffer.extend_from_slice(segment);
        loop {
            spans.clear();
            let drop = match parse_stream(&buffer, &mut spans) {
                Framing::Message(layout) => {
                    let end = usize::try_from(layout.len).unwrap();
                    found.push(buffer[..end].to_vec());
                    end
                }
                Framing::KeepAlive(octets) | Framing::Junk(octets) => octets,
                Framing::Incomplete { .. } => break,
            };
            assert!(drop > 0 && drop <= buffer.len());
            buffer.drain(..drop);
        }
    }
    found
}

fn invite(call: usize, body: &str) -> String {
    format!(
        "INVITE sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/TCP a.example;branch=z9hG4bK{call}\r\n\
         From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: c{call}\r\n\
         CSeq: 1 INVITE\r\nl: {}\r\n\r\n{body}",
        body.len()
    )
}

fn answer(call: usize) -> String {
    format!("SIP/2.0 200 OK\r\ni: c{call}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n")
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..9_usize, "[a-z\r\n]{0,40}").prop_map(|(call, body)| invite(call, &body)),
        (0..9_usize).prop_map(answer),
        Just("\r\n\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("INVITE sip:x SIP/2.0\r\nCall-ID: no-length\r\n\r\nlost body\r\n".to_owned()),
        Just("ACK sip:x SIP/2.0\r\nCall-ID: no-blank-line\r\n".to_owned()),
        "[ -~]{1,30}(\r\n|\n)".prop_map(|junk| junk),
    ]
}

proptest! {
    #[test]
    fn the_same_messages_come_out_of_any_chunks(
        pieces in prop::collection::vec(piece(), 1..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let stream = pieces.concat().into_bytes();
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        ends.push(stream.len());
        ends.sort_unstable();
        let mut from = 0;
        let mut segments = Vec::new();
        for end in ends {
            segments.push(&stream[from..end]);
            from = end;
        }
        prop_assert_eq!(messages(segments), messages([&stream[..]]));
        prop_assert_eq!(messages(stream.chunks(1)), messages([&stream[..]]));
    }
}

#[test]
fn whole_messages_come_out_whole_and_in_order() {
    let stream = [invite(1, "v=0\r\n"), "\r\n\r\n".to_owned(), answer(1), invite(2, "")];
    let expected: Vec<_> = [0, 2, 3].map(|at: usize| stream[at].clone().into_bytes()).to_vec();
    assert_eq!(messages([stream.concat().as_bytes()]), expected);
}

#[test]
fn junk_and_a_wrong_length_cost_one_message_at_most() {
    let short = invite(1, "v=0\r\nmore body\r\n").replace("l: 16", "l: 5");
    let stream = ["middle of a body\r\n", &short, &answer(2)].concat();
    let found = messages([stream.as_bytes()]);
    assert_eq!((found.len(), &found[1][..]), (2, answer(2).as_bytes()));
    let minus = answer(1).replace(": 0", ": -1");
    let stream = [&minus, "body\r\n", &answer(2)].concat();
    assert_eq!(messages([stream.as_bytes()]).len(), 2);
}

#[test]
fn a_lost_empty_line_ends_the_message_at_the_next_start_line() {
    let stream = ["BYE sip:x SIP/2.0\r\nCall-ID: a\r\n", &answer(2)].concat();
    let mut spans = Vec::new();
    let Framing::Message(layout) = parse_stream(stream.as_bytes(), &mut spans) else {
        panic!("a message")
    };
    assert!(layout.anomalies.contains(Anomalies::START_LINE_IN_HEADERS | Anomalies::NO_HEADER_END));
    assert_eq!(Message::new(stream.as_bytes(), layout, &spans).call_id(), b"a");
    assert_eq!(messages([stream.as_bytes()]).len(), 2);
}

#[test]
fn limits_end_what_never_ends() {
    let endless = [&b"INVITE sip:x SIP/2.0\r\n"[..], &b"X: y\r\n".repeat(20_000)].concat();
    assert!(matches!(parse_stream(&endless, &mut Vec::new()), Framing::Junk(_)));
    let binary = vec![0x80; 9000];
    assert!(matches!(parse_stream(&binary, &mut Vec::new()), Framing::Junk(_)));
    let huge = answer(1).replace(": 0", ": 99999999");
    let Framing::Message(layout) = parse_stream(huge.as_bytes(), &mut Vec::new()) else {
        panic!("a message")
    };
    assert!(layout.anomalies.contains(Anomalies::CONTENT_LENGTH_TOO_LARGE));
}

#[test]
fn how_much_is_wanted_is_said_when_it_is_known() {
    let whole = invite(1, "0123456789");
    let head = whole.len() - 10;
    let framing = parse_stream(&whole.as_bytes()[..head + 3], &mut Vec::new());
    assert_eq!(framing, Framing::Incomplete { wanted: Some(whole.len()) });
    let framing = parse_stream(&whole.as_bytes()[..head - 2], &mut Vec::new());
    assert_eq!(framing, Framing::Incomplete { wanted: None });
}
