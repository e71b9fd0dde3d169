//! The sink on sightings made by hand.

use super::*;
use crate::detect::rule;
use crate::detect::testing::{endpoint, frame, key as record};
use crate::model::addr::Addr;
use crate::model::id::Kind;
use crate::policy::limits::{FINDING_EVIDENCE, FINDING_LINKS};

fn meta() -> &'static Meta {
    rule("SIG-CLEARTEXT").unwrap()
}

fn host(n: u8) -> Addr {
    Addr::v4([192, 0, 2, n])
}

fn see(sink: &mut Sink, n: u8, at: u64) -> Hit<'_> {
    let subject = Subject::pair(host(n), host(200));
    sink.sighting(Sighting::new(meta(), subject, frame(at)), |_| ("seen".to_owned(), None))
}

fn limits(findings_per_rule: usize, calls: usize) -> Limits {
    Limits { calls, findings_per_rule, ..Limits::default() }
}

fn finish(sink: Sink) -> Outcome {
    sink.finish(|entry| Words { summary: format!("{} calls", entry.calls), ..Words::default() })
}

#[test]
fn one_rule_and_one_subject_make_one_finding() {
    let mut sink = Sink::new(&Limits::default());
    for at in 1..=20 {
        let _ = see(&mut sink, 1, at);
    }
    let outcome = finish(sink);
    let [finding] = outcome.findings.as_slice() else { panic!("one") };
    assert_eq!((finding.count, finding.evidence.len()), (20, FINDING_EVIDENCE));
    assert_eq!(finding.scope.addresses, [host(1), host(200)]);
    assert!(finding.id.starts_with("SIG-CLEARTEXT-"));
    assert_eq!(finding.id.len(), "SIG-CLEARTEXT-".len() + 8);
}

#[test]
fn evidence_is_formatted_only_when_it_is_kept() {
    let mut sink = Sink::new(&Limits::default());
    let mut asked = 0;
    for at in 1..=100 {
        let sighting = Sighting::new(meta(), Subject::capture(), frame(at));
        let _ = sink.sighting(sighting, |_| {
            asked += 1;
            (String::new(), None)
        });
    }
    assert_eq!(asked, FINDING_EVIDENCE);
}

#[test]
fn a_kind_not_shown_yet_takes_the_place_of_one_shown_twice() {
    let mut sink = Sink::new(&Limits::default());
    for at in 1..=10 {
        let sighting = Sighting::new(meta(), Subject::capture(), frame(at));
        let kind = if at == 4 { 2 } else { u32::from(at == 10) };
        let _ = sink.sighting(sighting.kind(kind), |_| (format!("{at}"), None));
    }
    let outcome = finish(sink);
    let shown: Vec<_> = outcome.findings[0].evidence.iter().map(|e| e.what.as_str()).collect();
    assert_eq!(shown, ["1", "2", "3", "4", "10"]);
}

#[test]
fn ids_do_not_depend_on_frames_or_direction() {
    let id = |at, a: &str, b: &str| {
        let mut sink = Sink::new(&Limits::default());
        let subject = Subject::pair(endpoint(a).addr, endpoint(b).addr);
        let sighting = Sighting::new(meta(), subject, frame(at));
        let _ = sink.sighting(sighting, |_| (String::new(), None));
        finish(sink).findings.remove(0).id
    };
    assert_eq!(id(1, "192.0.2.1:1", "192.0.2.2:2"), id(9, "192.0.2.2:7", "192.0.2.1:8"));
    assert_ne!(id(1, "192.0.2.1:1", "192.0.2.2:2"), id(1, "192.0.2.1:1", "192.0.2.3:2"));
}

#[test]
fn beyond_the_cap_subjects_share_one_finding() {
    let mut sink = Sink::new(&limits(2, 1_000));
    for at in 1..=30 {
        let _ = see(&mut sink, u8::try_from(at % 10).unwrap(), at);
    }
    let outcome = finish(sink);
    assert_eq!(outcome.findings.len(), 3);
    assert_eq!(outcome.findings.iter().map(|f| f.count).sum::<u64>(), 30);
    assert_eq!(outcome.findings[2].summary, "8 more peers, put together: 0 calls");
}

#[test]
fn calls_are_counted_and_linked_once() {
    let mut sink = Sink::new(&Limits::default());
    for at in 1..=500 {
        let _ = see(&mut sink, 1, at).call(Some(record(Kind::Call, at % 150)));
    }
    let outcome = finish(sink);
    assert_eq!(outcome.findings[0].summary, "150 calls");
    assert_eq!(outcome.findings[0].scope.calls.len(), FINDING_LINKS);
    assert_eq!(outcome.links.len(), 150);
}

#[test]
fn a_count_that_ran_out_of_room_is_marked() {
    let mut sink = Sink::new(&limits(10, 5));
    for at in 1..=9 {
        let _ = see(&mut sink, 1, at).call(Some(record(Kind::Call, at)));
    }
    let outcome = sink.finish(|entry| {
        assert!(entry.exhausted);
        Words { summary: entry.calls.to_string(), ..Words::default() }
    });
    assert_eq!(outcome.findings[0].summary, "5");
    assert_eq!(outcome.links.len(), 9);
}

#[test]
fn links_taken_early_find_their_finding_through_places() {
    let mut sink = Sink::new(&Limits::default());
    let _ = see(&mut sink, 1, 50).call(Some(record(Kind::Call, 50)));
    let _ = see(&mut sink, 2, 10).call(Some(record(Kind::Call, 10)));
    let taken = sink.take_links();
    let outcome = finish(sink);
    assert!(outcome.links.is_empty());
    let place = |number: u32| outcome.places[number as usize] as usize;
    assert_eq!(outcome.findings[place(taken[0].1)].first_seen, frame(50));
    assert_eq!(outcome.findings[place(taken[1].1)].first_seen, frame(10));
}

#[test]
fn excerpts_are_cut_at_a_character() {
    let mut sink = Sink::new(&Limits::default());
    let sighting = Sighting::new(meta(), Subject::capture(), frame(1));
    let _ = sink.sighting(sighting, |_| (String::new(), Some("\u{e9}".repeat(200))));
    let outcome = finish(sink);
    let excerpt = outcome.findings[0].evidence[0].excerpt.as_ref().unwrap();
    assert_eq!(excerpt.len(), 256);
}
