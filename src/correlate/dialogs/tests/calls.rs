//! Calls: answered, failed, challenged, cancelled, forked, transferred, seen on two hops.

use super::{Tap, host, ms};
use crate::model::record::{CallState, Side};

#[test]
fn an_answered_call_has_its_times_and_parties() {
    let mut tap = Tap::new();
    tap.answered("c1");
    let bye = tap.say(10_000, "b>a", "BYE", "c1/t/f", "7 BYE");
    assert_eq!(bye.side, Some(Side::Callee));
    let ok = tap.say(10_010, "a>b", "200 OK", "c1/t/f", "7 BYE");
    assert_eq!((ok.side, ok.completed.is_some()), (Some(Side::Caller), true));
    let call = tap.call();
    assert_eq!((call.state, call.final_status), (CallState::Answered, Some(200)));
    assert_eq!(call.ended_by, Some(Side::Callee));
    assert_eq!((call.start, call.answer, call.end), (ms(0), Some(ms(3_000)), Some(ms(10_000))));
    assert_eq!((call.setup_ms, call.ring_ms, call.talk_s), (Some(500.0), Some(2_500.0), Some(7.0)));
    assert_eq!((call.messages, call.first_frame, call.last_frame), (7, 1, 7));
    assert_eq!(call.transport, ["UDP"]);
    assert_eq!(call.caller.uri.as_deref(), Some("sip:alice@example.com"));
    assert_eq!(call.caller.user.as_deref(), Some("alice"));
    assert_eq!(call.caller.host.as_deref(), Some("example.com"));
    assert_eq!(call.caller.display.as_deref(), Some("Alice"));
    assert_eq!((call.callee.user.as_deref(), call.callee.display), (Some("bob"), None));
    assert_eq!(call.request_uri.as_deref(), Some("sip:bob@example.net"));
    assert_eq!(call.endpoints.caller, Some(host(b'a')));
    assert_eq!(call.endpoints.callee, Some(host(b'b')));
    assert_eq!(call.media.offered, ["RTP/AVP"]);
    assert_eq!(call.media.answered, ["RTP/AVP"]);
    assert_eq!(call.media.codecs, ["PCMA", "telephone-event"]);
    assert!(call.signalling_clear && !call.key_exposed);
}

#[test]
fn the_caller_may_hang_up_too() {
    let mut tap = Tap::new();
    tap.answered("c1");
    tap.say(9_000, "a>b", "BYE", "c1/f/t", "2 BYE");
    assert_eq!(tap.call().ended_by, Some(Side::Caller));
}

#[test]
fn a_refused_call_fails_with_its_status() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(700, "b>a", "486 Busy Here", "c1/f/t", "1 INVITE");
    tap.say(701, "a>b", "ACK", "c1/f/t", "1 ACK");
    let call = tap.call();
    assert_eq!((call.state, call.final_status), (CallState::Failed, Some(486)));
    assert_eq!((call.end, call.setup_ms, call.talk_s), (Some(ms(700)), Some(700.0), None));
    assert_eq!((call.messages, call.ended_by), (3, None));
}

#[test]
fn an_answered_challenge_is_part_of_the_call() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(20, "b>a", "407 Proxy Authentication Required", "c1/f/x", "1 INVITE");
    tap.say(30, "a>b", "ACK", "c1/f/x", "1 ACK");
    tap.say(40, "a>b", "INVITE", "c1/f/", "2 INVITE");
    tap.say(400, "b>a", "180 Ringing", "c1/f/t", "2 INVITE");
    tap.say(900, "b>a", "200 OK", "c1/f/t", "2 INVITE");
    let call = tap.call();
    assert_eq!((call.state, call.final_status), (CallState::Answered, Some(200)));
    assert_eq!((call.challenges, call.setup_ms), (1, Some(400.0)));
}

#[test]
fn an_answered_challenge_is_no_final_status_but_an_unanswered_one_is() {
    for (retried, state, status) in
        [(true, CallState::InProgress, None), (false, CallState::Failed, Some(401))]
    {
        let mut tap = Tap::new();
        tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
        tap.say(20, "b>a", "401 Unauthorized", "c1/f/x", "1 INVITE");
        if retried {
            tap.say(40, "a>b", "INVITE", "c1/f/", "2 INVITE");
        }
        let call = tap.call();
        assert_eq!((call.state, call.final_status), (state, status));
        assert_eq!(call.challenges, u32::from(retried));
    }
}

#[test]
fn a_redirected_call_ends_with_the_last_answer() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(20, "b>a", "302 Moved Temporarily", "c1/f/x", "1 INVITE");
    tap.say(40, "a>c", "INVITE", "c1/f/", "2 INVITE");
    tap.say(60, "c>a", "603 Decline", "c1/f/y", "2 INVITE");
    let call = tap.call();
    assert_eq!((call.state, call.final_status), (CallState::Failed, Some(603)));
    assert_eq!(call.challenges, 0);
}

#[test]
fn a_cancelled_call_is_not_a_failed_one() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(100, "b>a", "180 Ringing", "c1/f/t", "1 INVITE");
    tap.say(5_000, "a>b", "CANCEL", "c1/f/", "1 CANCEL");
    tap.say(5_005, "b>a", "200 OK", "c1/f/t", "1 CANCEL");
    tap.say(5_010, "b>a", "487 Request Terminated", "c1/f/t", "1 INVITE");
    tap.say(5_020, "a>b", "ACK", "c1/f/t", "1 ACK");
    let call = tap.call();
    assert_eq!((call.state, call.final_status), (CallState::Cancelled, Some(487)));
    assert_eq!((call.ended_by, call.end), (Some(Side::Caller), Some(ms(5_010))));
    assert_eq!(call.ring_ms, Some(4_910.0));

    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(5_000, "a>b", "CANCEL", "c1/f/", "1 CANCEL");
    let call = tap.call();
    assert_eq!((call.state, call.final_status), (CallState::Cancelled, None));
    assert_eq!(call.end, Some(ms(5_000)));
}

#[test]
fn an_answer_that_crosses_a_cancel_wins() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(5_000, "a>b", "CANCEL", "c1/f/", "1 CANCEL");
    tap.say(5_001, "b>a", "200 OK", "c1/f/t", "1 INVITE");
    let call = tap.call();
    assert_eq!((call.state, call.ended_by, call.end), (CallState::Answered, None, None));
}

#[test]
fn a_ringing_call_and_one_in_progress_say_so() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(1, "b>a", "100 Trying", "c1/f/", "1 INVITE");
    tap.say(0, "a>b", "INVITE", "c2/f/", "1 INVITE");
    tap.say(2, "b>a", "183 Session Progress", "c2/f/t", "1 INVITE");
    let states: Vec<_> = tap.calls().iter().map(|call| call.state).collect();
    assert_eq!(states, [CallState::InProgress, CallState::Ringing]);
}

#[test]
fn every_to_tag_with_a_2xx_is_a_call_of_its_own() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(100, "b>a", "180 Ringing", "c1/f/t1", "1 INVITE");
    tap.say(110, "b>a", "180 Ringing", "c1/f/t2", "1 INVITE");
    let first = tap.say(900, "b>a", "200 OK", "c1/f/t1", "1 INVITE");
    let second = tap.say(950, "b>a", "200 OK", "c1/f/t2", "1 INVITE");
    assert_ne!(first.call, second.call);
    let bye = tap.say(2_000, "b>a", "BYE", "c1/t2/f", "1 BYE");
    assert_eq!((bye.call, bye.side), (second.call, Some(Side::Callee)));
    let bye = tap.say(9_000, "a>b", "BYE", "c1/f/t1", "2 BYE");
    assert_eq!(bye.call, first.call);
    let calls = tap.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call.state == CallState::Answered && call.start == ms(0)));
    assert_eq!((calls[0].ended_by, calls[0].talk_s), (Some(Side::Caller), Some(8.1)));
    assert_eq!((calls[1].ended_by, calls[1].talk_s), (Some(Side::Callee), Some(1.05)));
    assert_ne!(calls[0].id, calls[1].id);
    assert_eq!((calls[0].messages, calls[1].messages), (5, 2));
}

#[test]
fn the_id_is_made_of_call_id_and_from_tag() {
    let id = |call_id: &str, tag: &str| {
        let mut tap = Tap::new();
        tap.say(0, "a>b", "INVITE", &format!("{call_id}/{tag}/"), "1 INVITE");
        tap.call().id
    };
    assert_eq!(id("c1", "f"), id("c1", "f"));
    assert_ne!(id("c1", "f"), id("c1", "g"));
    assert_ne!(id("c1", "f"), id("c2", "f"));
}

#[test]
fn a_call_through_a_proxy_is_one_call_and_the_first_hop_decides() {
    let mut tap = Tap::new();
    tap.say(0, "a>p", "INVITE", "c1/f/", "1 INVITE");
    tap.say(5, "p>a", "100 Trying", "c1/f/", "1 INVITE");
    tap.say(10, "p>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(400, "b>p", "486 Busy Here", "c1/f/t", "1 INVITE");
    tap.say(410, "p>c", "INVITE", "c1/f/", "1 INVITE");
    tap.say(500, "c>p", "480 Temporarily Unavailable", "c1/f/u", "1 INVITE");
    tap.say(505, "p>a", "480 Temporarily Unavailable", "c1/f/u", "1 INVITE");
    tap.say(510, "b>p", "486 Busy Here", "c1/f/late", "1 INVITE");
    let call = tap.call();
    assert_eq!((call.state, call.final_status), (CallState::Failed, Some(480)));
    assert_eq!((call.messages, call.end), (8, Some(ms(505))));
    assert_eq!(call.endpoints.callee, Some(host(b'p')));
}

#[test]
fn a_branch_that_was_refused_does_not_end_a_call_that_still_rings() {
    let mut tap = Tap::new();
    tap.say(0, "a>p", "INVITE", "c1/f/", "1 INVITE");
    tap.say(10, "p>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(10, "p>c", "INVITE", "c1/f/", "1 INVITE");
    tap.say(400, "b>p", "486 Busy Here", "c1/f/t", "1 INVITE");
    tap.say(90_000, "c>p", "200 OK", "c1/f/u", "1 INVITE");
    let ok = tap.say(90_005, "p>a", "200 OK", "c1/f/u", "1 INVITE");
    assert!(ok.call.is_some());
    let call = tap.call();
    assert_eq!((call.state, call.answer), (CallState::Answered, Some(ms(90_000))));
}

#[test]
fn a_long_ring_still_names_the_request_that_was_answered() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    let ok = tap.say(60_000, "b>a", "200 OK", "c1/f/t", "1 INVITE");
    assert_eq!(ok.completed.map(|completed| completed.request.frame.number), Some(1));
}

#[test]
fn a_transfer_has_its_target_and_outcome() {
    let mut tap = Tap::new();
    tap.answered("c1");
    let refer = "Refer-To: \"Carol\" <sip:carol@example.org>\r\n";
    tap.tell(4_000, "b>a", "REFER", "c1/t/f", "3 REFER", refer, "");
    tap.say(4_010, "a>b", "202 Accepted", "c1/t/f", "3 REFER");
    let frag = "Event: refer;id=3\r\nContent-Type: message/sipfrag;version=2.0\r\n";
    tap.tell(4_020, "a>b", "NOTIFY", "c1/f/t", "2 NOTIFY", frag, "SIP/2.0 100 Trying\r\n");
    tap.tell(6_000, "a>b", "NOTIFY", "c1/f/t", "3 NOTIFY", frag, "SIP/2.0 200 OK\r\n");
    let call = tap.call();
    assert_eq!(call.transfers.len(), 1);
    let transfer = &call.transfers[0];
    assert_eq!((&*transfer.target, transfer.frame.number), ("sip:carol@example.org", 6));
    assert_eq!((transfer.accepted, transfer.outcome), (Some(202), Some(200)));
    assert_eq!(call.messages, 9);
}

#[test]
fn user_agents_and_asserted_identities_are_kept() {
    let mut tap = Tap::new();
    let headers = "User-Agent: Phone/1\r\nP-Asserted-Identity: <sip:+1555@x>, <tel:+1555>\r\n";
    tap.tell(0, "a>p", "INVITE", "c1/f/", "1 INVITE", headers, "");
    tap.tell(1, "p>a", "100 Trying", "c1/f/", "1 INVITE", "Server: proxy\r\n", "");
    tap.tell(2, "p>a", "407 Auth", "c1/f/x", "1 INVITE", "Server: proxy\r\n", "");
    tap.tell(3, "a>p", "INVITE", "c1/f/", "2 INVITE", headers, "");
    tap.tell(4, "p>a", "180 Ringing", "c1/f/t", "2 INVITE", "Server: Desk/2\r\n", "");
    tap.tell(5, "p>a", "200 OK", "c1/f/t", "2 INVITE", "Server: Other\r\n", "");
    let call = tap.call();
    assert_eq!(call.asserted, ["sip:+1555@x", "tel:+1555"]);
    assert_eq!(call.user_agents.caller.as_deref(), Some("Phone/1"));
    assert_eq!(call.user_agents.callee.as_deref(), Some("Desk/2"));
}

#[test]
fn a_bye_that_is_refused_or_has_a_wrong_tag_ends_nothing() {
    let mut tap = Tap::new();
    tap.answered("c1");
    tap.say(4_000, "a>b", "BYE", "c1/f/wrong", "2 BYE");
    tap.say(5_000, "b>a", "BYE", "c1/t/f", "1 BYE");
    tap.say(5_010, "a>b", "403 Forbidden", "c1/t/f", "1 BYE");
    tap.dialogs.advance(ms(100_000), &mut tap.out);
    assert!(tap.out.calls.is_empty());
    tap.say(100_000, "a>b", "BYE", "c1/f/t", "3 BYE");
    let call = tap.call();
    assert_eq!((call.ended_by, call.end), (Some(Side::Caller), Some(ms(100_000))));
}

#[test]
fn a_password_in_a_uri_is_not_kept() {
    let text = "INVITE sip:bob:hunter2@h;x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\
        From: <sip:al:hunter2@h>;tag=1\r\nTo: <sip:bob@h>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n";
    let mut tap = Tap::new();
    tap.hear(0, host(b'a'), host(b'b'), text.as_bytes());
    let call = tap.call();
    assert_eq!(call.request_uri.as_deref(), Some("sip:bob@h;x"));
    assert_eq!(call.caller.uri.as_deref(), Some("sip:al@h"));
}
