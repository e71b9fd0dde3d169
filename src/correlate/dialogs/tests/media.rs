//! Offers and answers wherever they may stand, and what they announce.

use std::sync::Arc;

use super::{Tap, sdp};
use crate::correlate::placement::SdpRole;
use crate::model::record::{Keying, Side};

#[test]
fn an_offer_and_its_answer_are_announced_once() {
    let mut tap = Tap::new();
    tap.answered("c1");
    let expected = ["Caller 10.0.0.1:4000 offer", "Callee 10.0.0.2:5000 answer"];
    assert_eq!(tap.announced(), expected);
    let rtcp: Vec<_> = tap.out.announcements.iter().map(|told| told.rtcp.unwrap().port).collect();
    assert_eq!(rtcp, [4001, 5001]);
    // The 200 again, and a session refresh that changes nothing.
    let body = sdp("10.0.0.2", 5000, "");
    let again = tap.sdp(3_500, "b>a", "200 OK", "c1/f/t", "1 INVITE", &body);
    assert!(again.retransmission && again.sdp == SdpRole::Answer);
    tap.sdp(9_000, "a>b", "INVITE", "c1/f/t", "2 INVITE", &sdp("10.0.0.1", 4000, ""));
    tap.sdp(9_010, "b>a", "200 OK", "c1/f/t", "2 INVITE", &body);
    assert_eq!(tap.announced(), expected);
}

#[test]
fn equal_descriptions_are_shared_between_calls() {
    let mut tap = Tap::new();
    tap.answered("c1");
    tap.answered("c2");
    let media: Vec<_> = tap.out.announcements.iter().map(|told| &told.media).collect();
    assert!(media.len() == 4 && media.windows(2).all(|pair| Arc::ptr_eq(pair[0], pair[1])));
    let codecs = [(8, "PCMA".to_owned(), 8_000), (101, "telephone-event".to_owned(), 8_000)];
    assert_eq!(media[0].codecs, codecs);
}

#[test]
fn early_media_is_an_answer() {
    let mut tap = Tap::new();
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &sdp("10.0.0.1", 4000, ""));
    let early = sdp("10.0.0.9", 6000, "");
    let progress = tap.sdp(50, "b>a", "183 Session Progress", "c1/f/t", "1 INVITE", &early);
    assert_eq!((progress.sdp, progress.side), (SdpRole::Answer, Some(Side::Callee)));
    tap.sdp(90, "b>a", "200 OK", "c1/f/t", "1 INVITE", &early);
    assert_eq!(tap.announced(), ["Caller 10.0.0.1:4000 offer", "Callee 10.0.0.9:6000 answer"]);
}

#[test]
fn hold_announces_nothing_and_resuming_announces_again() {
    let mut tap = Tap::new();
    tap.answered("c1");
    let hold = tap.sdp(5_000, "b>a", "INVITE", "c1/t/f", "1 INVITE", &sdp("0.0.0.0", 5000, ""));
    assert_eq!((hold.sdp, hold.side), (SdpRole::Offer, Some(Side::Callee)));
    let answer = sdp("10.0.0.1", 4000, "a=recvonly\r\n");
    tap.sdp(5_010, "a>b", "200 OK", "c1/t/f", "1 INVITE", &answer);
    assert_eq!(tap.announced().len(), 2);
    tap.sdp(6_000, "b>a", "INVITE", "c1/t/f", "2 INVITE", &sdp("10.0.0.2", 5000, ""));
    assert_eq!(tap.announced().last().unwrap(), "Callee 10.0.0.2:5000 offer");
    assert_eq!(tap.announced().len(), 3);
    assert_eq!(tap.call().final_status, Some(200));
}

#[test]
fn update_carries_an_offer_and_its_200_the_answer() {
    let mut tap = Tap::new();
    tap.answered("c1");
    let offer = tap.sdp(5_000, "a>b", "UPDATE", "c1/f/t", "2 UPDATE", &sdp("10.0.0.1", 4100, ""));
    let answer = tap.sdp(5_010, "b>a", "200 OK", "c1/f/t", "2 UPDATE", &sdp("10.0.0.2", 5100, ""));
    assert_eq!((offer.sdp, answer.sdp), (SdpRole::Offer, SdpRole::Answer));
    assert_eq!(tap.announced()[2..], ["Caller 10.0.0.1:4100 offer", "Callee 10.0.0.2:5100 answer"]);
}

#[test]
fn prack_answers_an_offer_in_a_reliable_response_and_may_offer_again() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    let body = sdp("10.0.0.2", 5000, "");
    let reliable = "Require: 100rel\r\nRSeq: 1\r\nContent-Type: application/sdp\r\n";
    let offer = tap.tell(50, "b>a", "183 Progress", "c1/f/t", "1 INVITE", reliable, &body);
    let answer = tap.sdp(60, "a>b", "PRACK", "c1/f/t", "2 PRACK", &sdp("10.0.0.1", 4000, ""));
    let none = tap.say(70, "b>a", "200 OK", "c1/f/t", "2 PRACK");
    assert_eq!((offer.sdp, answer.sdp, none.sdp), (SdpRole::Offer, SdpRole::Answer, SdpRole::None));
    let offer = tap.sdp(80, "a>b", "PRACK", "c1/f/t", "3 PRACK", &sdp("10.0.0.1", 4200, ""));
    let answer = tap.sdp(90, "b>a", "200 OK", "c1/f/t", "3 PRACK", &sdp("10.0.0.2", 5200, ""));
    assert_eq!((offer.sdp, answer.sdp), (SdpRole::Offer, SdpRole::Answer));
    let expected = [
        "Callee 10.0.0.2:5000 offer",
        "Caller 10.0.0.1:4000 answer",
        "Caller 10.0.0.1:4200 offer",
        "Callee 10.0.0.2:5200 answer",
    ];
    assert_eq!(tap.announced(), expected);
    assert_eq!(tap.call().messages, 6);
}

#[test]
fn a_delayed_offer_is_answered_in_ack() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    let offer = tap.sdp(50, "b>a", "200 OK", "c1/f/t", "1 INVITE", &sdp("10.0.0.2", 5000, ""));
    let answer = tap.sdp(60, "a>b", "ACK", "c1/f/t", "1 ACK", &sdp("10.0.0.1", 4000, ""));
    assert_eq!((offer.sdp, answer.sdp), (SdpRole::Offer, SdpRole::Answer));
    assert_eq!(tap.announced(), ["Callee 10.0.0.2:5000 offer", "Caller 10.0.0.1:4000 answer"]);
}

#[test]
fn the_session_in_a_refusal_is_no_answer() {
    let mut tap = Tap::new();
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &sdp("10.0.0.1", 4000, ""));
    let body = sdp("10.0.0.2", 5000, "");
    let refusal = tap.sdp(50, "b>a", "488 Not Acceptable", "c1/f/t", "1 INVITE", &body);
    assert_eq!(refusal.sdp, SdpRole::None);
    assert_eq!(tap.announced().len(), 1);
    assert!(tap.call().media.answered.is_empty());
}

#[test]
fn keys_candidates_and_sources_are_read() {
    let rest = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 \
        inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n\
        a=ssrc:305419896 cname:x\r\na=ssrc:305419896 msid:y\r\na=rtcp:4444\r\n\
        a=candidate:1 1 UDP 2130706431 192.0.2.7 7000 typ host\r\n\
        a=candidate:1 2 UDP 2130706430 192.0.2.7 7001 typ host\r\n\
        a=candidate:2 1 TCP 2130706431 192.0.2.7 9 typ host\r\n";
    let mut tap = Tap::new();
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &sdp("10.0.0.1", 4000, rest));
    let [main, candidate] = &tap.out.announcements[..] else { panic!("two announcements") };
    assert_eq!((main.candidate, main.rtcp.map(|rtcp| rtcp.port)), (false, Some(4444)));
    assert_eq!(main.ssrcs, [0x1234_5678]);
    assert!(main.media.crypto && !main.media.rtcp_mux);
    assert_eq!(candidate.endpoint.to_string(), "192.0.2.7:7000");
    assert_eq!((candidate.candidate, candidate.rtcp.map(|rtcp| rtcp.port)), (true, Some(7001)));
    let call = tap.call();
    assert!(call.key_exposed);
    assert_eq!(call.media.keying, Keying::Sdes);
}

#[test]
fn a_name_or_port_zero_is_not_announced() {
    let mut tap = Tap::new();
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &sdp("media.example.com", 4000, ""));
    tap.sdp(9, "b>a", "200 OK", "c1/f/t", "1 INVITE", &sdp("10.0.0.2", 0, ""));
    assert!(tap.announced().is_empty());
    let call = tap.call();
    assert_eq!(call.media.offered, ["RTP/AVP"]);
    assert!(call.media.answered.is_empty());
}
