//! Offers about security and their answers, as they leave the dialogs.

use super::{Tap, ms, sdp};
use crate::correlate::exchange::{Exchange, Notes, Reply};
use crate::model::record::{Hold, Moved, Side};

const KEY: &str =
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";

fn secure(address: &str, port: u16) -> String {
    sdp(address, port, KEY).replace("RTP/AVP", "RTP/SAVP")
}

/// Frames of offer and reply, and what the reply is.
fn told(exchange: &Exchange) -> String {
    let frame = |at: &crate::model::evidence::FrameRef| at.frame.number;
    let offer = exchange.offer.as_ref().map_or(0, |offer| frame(&offer.at));
    let again = if exchange.repeats { " again" } else { "" };
    match &exchange.reply {
        Reply::Answer(answer) => format!("{offer} answered {}{again}", frame(&answer.at)),
        Reply::Refusal { status, at } => format!("{offer} refused {} {status}", frame(at)),
        Reply::Acceptance { at } => format!("{offer} accepted {}", frame(at)),
        Reply::Silence => format!("{offer} silence"),
    }
}

fn exchanges(tap: &mut Tap) -> Vec<String> {
    let _more = tap.dialogs.finish(&mut tap.out);
    tap.out.exchanges.iter().map(told).collect()
}

#[test]
fn plain_calls_leave_nothing() {
    let mut tap = Tap::new();
    tap.answered("c1");
    assert!(exchanges(&mut tap).is_empty());
}

#[test]
fn an_answer_is_told_with_its_offer_and_a_repeated_one_as_such() {
    let mut tap = Tap::new();
    let answer = secure("10.0.0.2", 5000);
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &secure("10.0.0.1", 4000));
    tap.sdp(9, "b>a", "183 Session Progress", "c1/f/t", "1 INVITE", &answer);
    tap.sdp(99, "b>a", "200 OK", "c1/f/t", "1 INVITE", &answer);
    assert_eq!(exchanges(&mut tap), ["1 answered 2", "1 answered 3 again"]);
    assert_eq!(tap.out.exchanges.iter().map(|one| one.accepts).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_200_without_a_description_accepts_what_was_answered_before() {
    let mut tap = Tap::new();
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &secure("10.0.0.1", 4000));
    tap.sdp(9, "b>a", "183 Progress", "c1/f/t", "1 INVITE", &secure("10.0.0.2", 5000));
    tap.say(99, "b>a", "200 OK", "c1/f/t", "1 INVITE");
    assert_eq!(exchanges(&mut tap), ["1 answered 2", "1 accepted 3"]);
}

#[test]
fn each_hop_has_its_own_exchange() {
    let mut tap = Tap::new();
    let plain = sdp("10.0.0.2", 4000, "");
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &secure("10.0.0.1", 4000));
    tap.sdp(1, "b>c", "INVITE", "c1/f/", "1 INVITE", &plain);
    tap.sdp(8, "c>b", "200 OK", "c1/f/t", "1 INVITE", &sdp("10.0.0.3", 5000, ""));
    tap.sdp(9, "b>a", "200 OK", "c1/f/t", "1 INVITE", &secure("10.0.0.2", 5000));
    assert_eq!(exchanges(&mut tap), ["2 answered 3", "1 answered 4"]);
    assert!(tap.out.exchanges.iter().all(|one| !one.secured_before));
}

#[test]
fn a_delayed_offer_is_answered_by_the_ack() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.sdp(9, "b>a", "200 OK", "c1/f/t", "1 INVITE", &secure("10.0.0.2", 5000));
    tap.sdp(20, "a>b", "ACK", "c1/f/t", "1 ACK", &sdp("10.0.0.1", 4000, ""));
    assert_eq!(exchanges(&mut tap), ["2 answered 3"]);
    let answer = tap.out.exchanges[0].answer().unwrap();
    assert!(answer.notes.has(Notes::PLAIN) && answer.side == Side::Caller);
}

#[test]
fn refusals_and_silence_are_told_and_a_plain_retry_is_followed() {
    let mut tap = Tap::new();
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &secure("10.0.0.1", 4000));
    tap.say(9, "b>a", "488 Not Acceptable Here", "c1/f/t", "1 INVITE");
    tap.answered("c2");
    tap.sdp(5_000, "a>b", "INVITE", "c3/f/", "1 INVITE", &secure("10.0.0.1", 4000));
    assert_eq!(exchanges(&mut tap), ["1 refused 2 488", "3 answered 6", "8 silence"]);
    let [refused, retried, _] = &tap.out.exchanges[..] else { panic!() };
    let parties = |exchange: &Exchange| exchange.offer.as_ref().map(|offer| offer.parties);
    assert_eq!(parties(refused), parties(retried));
}

#[test]
fn a_secured_hop_is_remembered_for_the_re_invite() {
    let mut tap = Tap::new();
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &secure("10.0.0.1", 4000));
    tap.sdp(9, "b>a", "200 OK", "c1/f/t", "1 INVITE", &secure("10.0.0.2", 5000));
    tap.sdp(500, "b>a", "INVITE", "c1/t/f", "1 INVITE", &sdp("10.0.0.2", 5000, ""));
    tap.sdp(509, "a>b", "200 OK", "c1/t/f", "1 INVITE", &sdp("10.0.0.1", 4000, ""));
    assert_eq!(exchanges(&mut tap), ["1 answered 2", "3 answered 4"]);
    let before: Vec<_> = tap.out.exchanges.iter().map(|one| one.secured_before).collect();
    assert_eq!(before, [false, true]);
}

#[test]
fn a_long_description_is_kept_with_its_decisive_lines() {
    let mut tap = Tap::new();
    let long = secure("10.0.0.1", 4000) + &"a=rtpmap:96 opus/48000/2\r\n".repeat(100) + KEY;
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &long);
    tap.sdp(9, "b>a", "200 OK", "c1/f/t", "1 INVITE", &secure("10.0.0.2", 5000));
    let offer = tap.out.exchanges[0].offer.as_ref().unwrap();
    let media = offer.session().media().next().unwrap();
    assert_eq!((media.proto, media.port), (&b"RTP/SAVP"[..], 4000));
    assert_eq!((media.cryptos().count(), media.rtpmaps().count()), (2, 0));
    assert!(!format!("{offer:?}").contains("WVNf"));
}

#[test]
fn holds_moves_and_features_are_recorded() {
    let mut tap = Tap::new();
    tap.answered("c1");
    let offer = |number: i64, body: &str, tap: &mut Tap| {
        let cseq = format!("{} INVITE", number + 1);
        tap.sdp(4_000 + number * 1_000, "a>b", "INVITE", "c1/f/t", &cseq, body);
        let answer = sdp("10.0.0.2", 5000, "a=ice-ufrag:abcd\r\n");
        tap.sdp(4_010 + number * 1_000, "b>a", "200 OK", "c1/f/t", &cseq, &answer);
    };
    offer(1, &sdp("10.0.0.1", 4000, "a=sendonly\r\n"), &mut tap);
    offer(2, &sdp("10.0.0.1", 4000, "a=sendrecv\r\n"), &mut tap);
    offer(3, &sdp("10.0.0.1", 4444, ""), &mut tap);
    offer(4, &sdp("0.0.0.0", 4444, ""), &mut tap);
    let media = tap.call().media;
    let frame = |number| crate::model::frame::FrameId { source: 0, number };
    assert_eq!(
        media.holds,
        [
            Hold {
                by: Side::Caller,
                frame: frame(6),
                until: Some(frame(8)),
                start: ms(5_000),
                end: Some(ms(6_000)),
            },
            Hold { by: Side::Caller, frame: frame(12), until: None, start: ms(8_000), end: None },
        ]
    );
    assert_eq!(media.moves, [Moved { by: Side::Caller, frame: frame(10) }]);
    assert_eq!(media.features, ["ice", "one-way"]);
}

#[test]
fn a_call_without_an_offer_in_its_invite_may_begin_one_way_and_hold_in_an_ack() {
    let mut tap = Tap::new();
    let (from, to) = (sdp("10.0.0.1", 4000, "a=sendonly\r\n"), sdp("10.0.0.2", 5000, ""));
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.sdp(500, "b>a", "200 OK", "c1/f/t", "1 INVITE", &to);
    // One way from the beginning is no hold.
    tap.sdp(510, "a>b", "ACK", "c1/f/t", "1 ACK", &from);
    for (cseq, answer) in [(2, &from), (3, &sdp("10.0.0.1", 4000, ""))] {
        let at = cseq * 1_000;
        tap.say(at, "a>b", "INVITE", "c1/f/t", &format!("{cseq} INVITE"));
        tap.sdp(at + 10, "b>a", "200 OK", "c1/f/t", &format!("{cseq} INVITE"), &to);
        tap.sdp(at + 20, "a>b", "ACK", "c1/f/t", &format!("{cseq} ACK"), answer);
    }
    let holds = tap.call().media.holds;
    let told = holds.iter().map(|hold| (hold.by, hold.start, hold.end)).collect::<Vec<_>>();
    assert_eq!(told, [(Side::Caller, ms(2_020), Some(ms(3_020)))]);
}
