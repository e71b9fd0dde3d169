//! The life of registrations.

use super::{Tap, host, ms};
use crate::model::record::RegistrationState;
use crate::model::time::Ts;
use crate::policy::Limits;

const CONTACT: &str = "Contact: <sip:alice@10.0.0.1>\r\nExpires: 600\r\nUser-Agent: Phone/1\r\n";

/// A REGISTER and its answer.
fn register(tap: &mut Tap, at: i64, cseq: u32, headers: &str, answer: &str, granted: &str) {
    let cseq = format!("{cseq} REGISTER");
    tap.tell(at, "a>r", "REGISTER", "r1/f/", &cseq, headers, "");
    tap.tell(at + 5, "r>a", answer, "r1/f/x", &cseq, granted, "");
}

#[test]
fn a_challenged_registration_is_one_with_two_attempts() {
    let mut tap = Tap::new();
    register(&mut tap, 0, 1, CONTACT, "401 Unauthorized", "");
    let granted = "Contact: <sip:zed@10.9.9.9>;expires=9\r\n\
        Contact: <sip:alice@10.0.0.1>;expires=300\r\n";
    register(&mut tap, 10, 2, CONTACT, "200 OK", granted);
    let all = tap.registrations();
    assert_eq!(all.len(), 1);
    let one = &all[0];
    assert_eq!((one.state, one.attempts, one.expires_s), (RegistrationState::Ok, 2, Some(300)));
    assert_eq!(one.aor, "sip:bob@example.net");
    assert_eq!(one.contact.as_deref(), Some("sip:alice@10.0.0.1"));
    assert_eq!((one.source, one.registrar), (host(b'a'), host(b'r')));
    assert_eq!((one.user_agent.as_deref(), &*one.call_id), (Some("Phone/1"), "r1"));
    assert_eq!((one.first_frame, one.last_frame), (1, 4));
}

#[test]
fn the_last_answer_is_the_state() {
    let last = |answers: &[&str]| {
        let mut tap = Tap::new();
        for (cseq, answer) in (1..).zip(answers) {
            register(&mut tap, i64::from(cseq) * 10, cseq, CONTACT, answer, "");
        }
        tap.registrations()[0].state
    };
    assert_eq!(last(&["401 Unauthorized"]), RegistrationState::Challenged);
    assert_eq!(last(&["401 Unauthorized", "403 Forbidden"]), RegistrationState::Failed);
    assert_eq!(last(&["100 Trying"]), RegistrationState::Unknown);
    assert_eq!(last(&["403 Forbidden", "200 OK"]), RegistrationState::Ok);
}

#[test]
fn removing_the_binding_expires_the_registration() {
    let star = "Contact: *\r\nExpires: 0\r\n";
    let zero = "Contact: <sip:alice@10.0.0.1>;expires=0\r\n";
    let header = "Contact: <sip:alice@10.0.0.1>\r\nExpires: 0\r\n";
    let moved = "Contact: <sip:a@old>;expires=0, <sip:a@new>;expires=60\r\n";
    for (headers, state) in [
        (star, RegistrationState::Expired),
        (zero, RegistrationState::Expired),
        (header, RegistrationState::Expired),
        (moved, RegistrationState::Ok),
    ] {
        let mut tap = Tap::new();
        register(&mut tap, 0, 1, CONTACT, "200 OK", "Expires: 600\r\n");
        register(&mut tap, 10, 2, headers, "200 OK", "");
        assert_eq!(tap.registrations()[0].state, state, "{headers}");
    }
}

#[test]
fn a_phone_that_registers_every_30_s_for_an_hour_is_one_registration() {
    let mut tap = Tap::new();
    let short = "Contact: <sip:alice@10.0.0.1>\r\nExpires: 60\r\n";
    for turn in 0..120_u32 {
        let at = i64::from(turn) * 30_000;
        register(&mut tap, at, turn + 1, short, "200 OK", "Expires: 60\r\n");
    }
    assert!(tap.out.registrations.is_empty());
    let all = tap.registrations();
    assert_eq!((all.len(), all[0].attempts, all[0].expires_s), (1, 120, Some(60)));
}

#[test]
fn repeats_and_further_hops_are_no_attempts() {
    let mut tap = Tap::new();
    for (at, hop) in [(0, "a>p"), (500, "a>p"), (510, "p>r")] {
        tap.tell(at, hop, "REGISTER", "r1/f/", "1 REGISTER", CONTACT, "");
    }
    tap.say(520, "r>p", "200 OK", "r1/f/x", "1 REGISTER");
    tap.say(530, "p>a", "200 OK", "r1/f/x", "1 REGISTER");
    let all = tap.registrations();
    assert_eq!((all.len(), all[0].attempts), (1, 1));
    assert_eq!((all[0].source, all[0].registrar), (host(b'a'), host(b'p')));
    assert_eq!(all[0].last_frame, 5);
}

#[test]
fn silence_longer_than_the_expiry_and_an_hour_finishes_it() {
    let mut tap = Tap::new();
    register(&mut tap, 0, 1, CONTACT, "200 OK", "Expires: 7200\r\n");
    tap.dialogs.advance(ms(7_200_004), &mut tap.out);
    assert!(tap.out.registrations.is_empty());
    tap.dialogs.advance(ms(7_200_005), &mut tap.out);
    assert_eq!(tap.out.registrations.len(), 1);
    assert_eq!(tap.registrations().len(), 1);
}

#[test]
fn a_full_table_gives_up_the_registration_that_was_silent_for_longest() {
    let limits = Limits { registrations: 2, ..Limits::default() };
    let mut tap = Tap::with(&limits);
    for (at, id) in [(0, "r1"), (1, "r2"), (2, "r1"), (3, "r3")] {
        let cseq = format!("{} REGISTER", at + 1);
        let placement = tap.say(at, "a>r", "REGISTER", &format!("{id}/f/"), &cseq);
        assert!(placement.registration.is_some() && placement.call.is_none());
    }
    assert_eq!(tap.out.registrations.len(), 1);
    assert_eq!(tap.out.registrations[0].record().call_id, "r2");
    assert_eq!(tap.dialogs.evicted().nth(1), Some(("registrations", 1)));
    tap.dialogs.advance(Ts::MAX, &mut tap.out);
    assert_eq!(tap.out.registrations.len(), 3);
}
