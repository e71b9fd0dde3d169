//! What a capture does to calls: late starts, wrong order, repeats, silence, full tables.

use super::{Tap, host, ms, sdp};
use crate::model::record::CallState;
use crate::model::time::{Span, Ts};
use crate::model::transport::Transport;
use crate::policy::Limits;

#[test]
fn retransmissions_are_counted_over_udp_only() {
    for (transport, expected) in [(Transport::Udp, 3), (Transport::Tcp, 0)] {
        let mut tap = Tap::new();
        tap.transport = transport;
        tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
        tap.say(500, "a>b", "INVITE", "c1/f/", "1 INVITE");
        tap.say(600, "b>a", "180 Ringing", "c1/f/t", "1 INVITE");
        tap.say(610, "b>a", "180 Ringing", "c1/f/u", "1 INVITE");
        tap.say(700, "b>a", "180 Ringing", "c1/f/t", "1 INVITE");
        tap.say(800, "b>a", "200 OK", "c1/f/t", "1 INVITE");
        let last = tap.say(1_300, "b>a", "200 OK", "c1/f/t", "1 INVITE");
        assert_eq!(last.retransmission, transport == Transport::Udp);
        assert_eq!(tap.dialogs.retransmissions(), expected);
        assert_eq!(tap.call().messages, 7);
    }
}

#[test]
fn a_repeat_after_the_transaction_is_none() {
    let mut tap = Tap::new();
    assert!(!tap.say(0, "a>b", "OPTIONS", "c1/f/", "1 OPTIONS").retransmission);
    assert!(tap.say(31_999, "a>b", "OPTIONS", "c1/f/", "1 OPTIONS").retransmission);
    assert!(!tap.say(32_000, "a>b", "OPTIONS", "c1/f/", "1 OPTIONS").retransmission);
    assert!(!tap.say(32_001, "c>b", "OPTIONS", "c1/f/", "1 OPTIONS").retransmission);
}

#[test]
fn a_request_without_branch_is_known_by_call_id_and_cseq() {
    let text = |cseq: u32| {
        format!(
            "OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>\r\n\
             Call-ID: x\r\nCSeq: {cseq} OPTIONS\r\n\r\n"
        )
    };
    let mut tap = Tap::new();
    let (a, b) = (host(b'a'), host(b'b'));
    assert!(!tap.hear(0, a, b, text(1).as_bytes()).retransmission);
    assert!(tap.hear(9, a, b, text(1).as_bytes()).retransmission);
    assert!(!tap.hear(9, a, b, text(2).as_bytes()).retransmission);
}

#[test]
fn only_invite_makes_a_call() {
    let mut tap = Tap::new();
    for method in ["BYE", "ACK", "UPDATE", "OPTIONS", "NOTIFY", "MESSAGE"] {
        let cseq = format!("9 {method}");
        let placement = tap.say(0, "a>b", method, &format!("{method}/f/t"), &cseq);
        assert!(placement.call.is_none() && placement.side.is_none());
        tap.say(1, "b>a", "200 OK", &format!("{method}/f/t"), &cseq);
    }
    assert!(tap.calls().is_empty());
}

#[test]
fn a_call_that_began_before_the_capture_says_what_can_be_said() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/t", "9 INVITE");
    tap.say(9, "b>a", "200 OK", "c1/f/t", "9 INVITE");
    tap.say(10, "a>b", "ACK", "c1/f/t", "9 ACK");
    tap.say(5_000, "b>a", "BYE", "c1/t/f", "4 BYE");
    let call = tap.call();
    assert_eq!((call.state, call.final_status, call.messages), (CallState::Unknown, None, 4));
    assert_eq!((call.setup_ms, call.answer, call.end), (None, None, Some(ms(5_000))));

    let mut tap = Tap::new();
    tap.say(0, "b>a", "180 Ringing", "c1/f/t", "1 INVITE");
    tap.say(9, "b>a", "200 OK", "c1/f/t", "1 INVITE");
    let call = tap.call();
    assert_eq!((call.state, call.final_status), (CallState::Answered, Some(200)));
    assert_eq!(call.endpoints.caller, Some(host(b'a')));
}

#[test]
fn a_mis_sorted_capture_gives_the_same_call() {
    let mut tap = Tap::new();
    tap.sdp(3_000, "b>a", "200 OK", "c1/f/t", "1 INVITE", &sdp("10.0.0.2", 5000, ""));
    tap.say(500, "b>a", "180 Ringing", "c1/f/t", "1 INVITE");
    tap.sdp(0, "a>b", "INVITE", "c1/f/", "1 INVITE", &sdp("10.0.0.1", 4000, ""));
    tap.say(9_000, "b>a", "BYE", "c1/t/f", "1 BYE");
    assert_eq!(tap.announced().len(), 2);
    let call = tap.call();
    assert_eq!((call.state, call.start, call.talk_s), (CallState::Answered, ms(0), Some(6.0)));
    assert_eq!(call.request_uri.as_deref(), Some("sip:bob@example.net"));
    assert_eq!((call.first_frame, call.messages), (1, 4));
}

#[test]
fn a_call_lingers_after_its_end_and_is_then_handed_on() {
    let mut tap = Tap::new();
    tap.answered("c1");
    let key = tap.say(9_000, "a>b", "BYE", "c1/f/t", "2 BYE").call.unwrap();
    tap.dialogs.advance(ms(40_999), &mut tap.out);
    assert!(tap.out.calls.is_empty());
    assert!(tap.say(40_999, "b>a", "200 OK", "c1/f/t", "2 BYE").call.is_some());
    tap.dialogs.advance(ms(41_000), &mut tap.out);
    assert_eq!(tap.out.calls.len(), 1);
    assert_eq!(tap.out.released, [(key, ms(9_000))]);
    // What comes still later makes no new call, but another INVITE does.
    assert!(tap.say(41_001, "b>a", "200 OK", "c1/f/t", "1 INVITE").call.is_none());
    assert!(tap.say(41_002, "b>a", "INVITE", "c1/t/f", "1 INVITE").call.is_none());
    assert!(tap.say(41_003, "a>b", "INVITE", "c1/f/", "8 INVITE").call.is_some());
    assert_eq!(tap.calls().len(), 2);
}

#[test]
fn a_retry_within_the_linger_revives_the_call() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(10, "b>a", "503 Service Unavailable", "c1/f/x", "1 INVITE");
    tap.say(20_000, "a>b", "INVITE", "c1/f/", "2 INVITE");
    tap.dialogs.advance(ms(200_000), &mut tap.out);
    assert!(tap.out.calls.is_empty());
    tap.say(200_000, "b>a", "200 OK", "c1/f/t", "2 INVITE");
    assert_eq!(tap.call().final_status, Some(200));
}

#[test]
fn credentials_may_follow_a_challenge_later_than_a_call_lingers() {
    let mut tap = Tap::new();
    for (call, retry) in [("c1", 51_000), ("c2", 180_011)] {
        let start = if call == "c1" { 0 } else { 500_000 };
        let (early, late) = (format!("{call}/f/"), format!("{call}/f/x"));
        tap.say(start, "a>b", "INVITE", &early, "1 INVITE");
        tap.say(start + 10, "b>a", "407 Proxy Authentication Required", &late, "1 INVITE");
        tap.say(start + 20, "a>b", "ACK", &late, "1 ACK");
        tap.say(start + retry, "a>b", "INVITE", &early, "2 INVITE");
        tap.say(start + retry + 10, "b>a", "403 Forbidden", &late, "2 INVITE");
    }
    let statuses: Vec<_> =
        tap.calls().iter().map(|call| (call.call_id.clone(), call.final_status)).collect();
    let of = |call: &'static str, status| (call.into(), Some(status));
    assert_eq!(statuses, [of("c1", 403), of("c2", 407), of("c2", 403)]);
}

#[test]
fn silence_ends_a_call_without_bye() {
    let limits = Limits { call_idle: Span::from_secs(100), ..Limits::default() };
    let mut tap = Tap::with(&limits);
    tap.answered("c1");
    tap.say(50_000, "a>b", "INFO", "c1/f/t", "2 INFO");
    tap.say(60_000, "a>b", "INVITE", "c2/f/", "1 INVITE");
    tap.dialogs.advance(ms(149_999), &mut tap.out);
    assert!(tap.out.calls.is_empty());
    tap.dialogs.advance(Ts::MAX, &mut tap.out);
    let calls = tap.finished();
    assert_eq!([&*calls[0].call_id, &*calls[1].call_id], ["c1", "c2"]);
    assert_eq!((calls.len(), calls[0].end), (2, None));
    let ends: Vec<_> = tap.out.released.iter().map(|released| released.1).collect();
    assert_eq!(ends, [ms(150_000), ms(160_000)]);
}

#[test]
fn a_full_table_gives_up_the_call_that_was_silent_for_longest() {
    let limits = Limits { calls: 2, transactions: 3, ..Limits::default() };
    let mut tap = Tap::with(&limits);
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    tap.say(1, "a>b", "INVITE", "c2/f/", "1 INVITE");
    tap.say(2, "b>a", "180 Ringing", "c1/f/t", "1 INVITE");
    tap.say(3, "a>b", "INVITE", "c3/f/", "1 INVITE");
    let calls = tap.finished();
    assert_eq!((calls.len(), &*calls[0].call_id), (1, "c2"));
    let evicted: Vec<_> = tap.dialogs.evicted().collect();
    assert_eq!(evicted, [("calls", 1), ("registrations", 0), ("transactions", 1)]);
    assert_eq!(tap.calls().len(), 3);
}

#[test]
fn one_invite_forks_into_so_many_calls_and_no_more() {
    let mut tap = Tap::new();
    tap.say(0, "a>b", "INVITE", "c1/f/", "1 INVITE");
    for fork in 0..100 {
        tap.say(1, "b>a", "200 OK", &format!("c1/f/t{fork}"), "1 INVITE");
    }
    assert_eq!(tap.calls().len(), 16);
}

#[test]
fn what_the_timers_do_does_not_depend_on_how_often_they_run() {
    let run = |step: i64| {
        let limits = Limits { calls: 5, call_idle: Span::from_secs(40), ..Limits::default() };
        let mut tap = Tap::with(&limits);
        let mut at = 0;
        for call in 0..40 {
            at += 1_700;
            tap.say(at, "a>b", "INVITE", &format!("c{call}/f/"), "1 INVITE");
            tap.say(at + 30, "b>a", "200 OK", &format!("c{call}/f/t"), "1 INVITE");
            if call % 3 == 0 {
                tap.say(at + 60, "a>b", "BYE", &format!("c{call}/f/t"), "2 BYE");
            }
            for now in 1..=step {
                tap.dialogs.advance(ms(at + 60 + now * 10), &mut tap.out);
            }
        }
        tap.dialogs.advance(ms(at + 5_000), &mut tap.out);
        tap.dialogs.finish(&mut tap.out);
        (tap.finished(), tap.out.released)
    };
    assert_eq!(run(0), run(1));
    assert_eq!(run(0), run(70));
}

#[test]
fn a_message_without_call_id_or_cseq_belongs_nowhere() {
    let mut tap = Tap::new();
    for text in
        ["INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n", "SIP/2.0 200 OK\r\nCall-ID: x\r\n\r\n"]
    {
        let placement = tap.hear(0, host(b'a'), host(b'b'), text.as_bytes());
        assert!(placement.call.is_none() && !placement.retransmission);
    }
    assert!(tap.calls().is_empty());
}

#[test]
fn a_call_and_a_registration_cost_what_the_limits_say() {
    use crate::correlate::call::Call;
    use crate::correlate::registration::Registrations;
    // The rest of 632 octets: texts 220, index and timers 60.
    let sizes = (size_of::<Call>(), Registrations::ENTRY);
    assert!(sizes.0 <= 352 && sizes.1 <= 176, "{sizes:?}");
}

#[test]
fn long_names_make_the_table_full_earlier() {
    let limits = Limits { calls: 10, ..Limits::default() };
    let mut tap = Tap::with(&limits);
    for call in 0..10 {
        let long = format!("{call}{}/{}/", "i".repeat(600), "f".repeat(600));
        tap.say(call, "a>b", "INVITE", &long, "1 INVITE");
    }
    assert_eq!(tap.dialogs.evicted().next(), Some(("calls", 6)));
    assert_eq!(tap.calls().len(), 10);
}
