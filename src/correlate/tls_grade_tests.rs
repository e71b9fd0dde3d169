//! Grades of synthetic observations.

use proptest::prelude::*;

use super::*;

/// Bits of the caps whose reasons contain these words.
fn bits(reasons: &[&str]) -> u32 {
    let bit = |reason: &&str| {
        let place = CAPS.iter().position(|cap| cap.reason.contains(*reason));
        1_u32 << place.unwrap_or_else(|| panic!("{reason}"))
    };
    reasons.iter().map(bit).sum()
}

fn observation(scores: [u32; 3], reasons: &[&str]) -> Observation {
    Observation { scores, caps: bits(reasons), hidden: false }
}

fn observed(handshakes: &[Observation]) -> Observed {
    let mut observed = Observed::default();
    for handshake in handshakes {
        observed.note(handshake);
    }
    observed
}

fn mark(grade: Grade) -> Mark {
    Mark { cap: cap(grade, "a mark", "no mark"), count: 1 }
}

const GOOD: [u32; 3] = [100, 90, 100];

#[test]
fn scores_and_caps_make_a_grade() {
    let one = |scores, reasons: &[&str]| vec![observation(scores, reasons)];
    for (handshakes, grade) in [
        (vec![], "none"),
        (one(GOOD, &[]), "A+"),
        (one([100, 90, 80], &[]), "A+"),
        (one(GOOD, &["client is authenticated"]), "A"),
        (one(GOOD, &["bound"]), "A-"),
        (one([100, 90, 80], &["forward"]), "B"),
        (one([90, 90, 80], &["TLS 1.0"]), "C"),
        (vec![observation(GOOD, &[]), observation([90, 90, 80], &["TLS 1.0"])], "C"),
        (one([100, 90, 0], &["nothing is encrypted"]), "F"),
        (one([100, 0, 80], &["nobody"]), "F"),
        (one(GOOD, &["signed itself"]), "T"),
        (one(GOOD, &["of no authority"]), "T"),
        (one(GOOD, &["another name"]), "M"),
        (one(GOOD, &["another name", "RC4"]), "M"),
        (one([80, 60, 40], &[]), "C"),
        (one([80, 20, 20], &[]), "D"),
    ] {
        let verdict = observed(&handshakes).verdict(&[], false);
        assert_eq!(verdict.map_or("none", |verdict| verdict.grade.word()), grade, "{handshakes:?}");
    }
}

#[test]
fn a_grade_says_what_holds_it_down_and_what_would_raise_it() {
    let seen = observed(&[
        observation(GOOD, &["client is authenticated"]),
        observation([90, 90, 80], &["client is authenticated", "TLS 1.0", "SHA-1"]),
    ]);
    let verdict = seen.verdict(&[], false).unwrap();
    let held: Vec<(&str, u64)> =
        verdict.caps.iter().map(|mark| (mark.cap.grade.word(), mark.count)).collect();
    assert_eq!(held, [("C", 1), ("C", 1), ("A", 2)]);
    let (grade, by) = verdict.next.unwrap();
    assert_eq!((grade, by.len()), (Grade::A, 2));
    let lost = seen.verdict(&[mark(Grade::F)], false).unwrap();
    assert_eq!((lost.grade, lost.next.unwrap().0), (Grade::F, Grade::C));
}

#[test]
fn only_what_loses_everything_grades_a_pair_that_agreed_on_nothing() {
    assert_eq!(Observed::default().verdict(&[mark(Grade::B)], false), None);
    let verdict = Observed::default().verdict(&[mark(Grade::F)], false).unwrap();
    assert_eq!((verdict.grade, verdict.score, verdict.next), (Grade::F, None, None));
}

#[test]
fn what_would_raise_a_low_score_is_said_too() {
    let verdict = observed(&[observation([80, 20, 20], &[])]).verdict(&[], false).unwrap();
    assert_eq!(verdict.next.map(|(grade, by)| (grade, by.len())), Some((Grade::APlus, 1)));
}

type Raw = (u32, u32, u32, u32);

fn raw(all: &[Raw]) -> Observed {
    let each = |&(protocol, exchange, cipher, caps): &Raw| Observation {
        scores: [protocol, exchange, cipher],
        caps,
        hidden: false,
    };
    observed(&all.iter().map(each).collect::<Vec<_>>())
}

const ANY: u32 = 1 << CAPS.len();

proptest! {
    #[test]
    fn a_bad_handshake_never_raises_a_grade(
        good in prop::collection::vec((80_u32..=100, 40_u32..=100, 20_u32..=100, 0..ANY), 1..5),
        caps in 0..ANY,
    ) {
        let before = raw(&good).verdict(&[], false).unwrap();
        let mut more = good.clone();
        let worst = |pick: fn(&Raw) -> u32| good.iter().map(pick).min().unwrap();
        more.push((worst(|it| it.0) - 1, worst(|it| it.1) - 1, worst(|it| it.2) - 1, caps));
        let after = raw(&more).verdict(&[], false).unwrap();
        prop_assert!(after.grade >= before.grade && after.score <= before.score);
        let marked = raw(&more).verdict(&[mark(Grade::B)], false).unwrap();
        prop_assert!(marked.grade >= after.grade);
        if let Some((next, by)) = &after.next {
            prop_assert!(*next < after.grade && !by.is_empty());
        }
    }
}

#[test]
fn a_strong_digest_inside_stands_for_a_certificate_of_the_client() {
    let seen = observed(&[observation(GOOD, &["client is authenticated"])]);
    let grade = |authenticated| seen.verdict(&[], authenticated).unwrap().grade.word();
    assert_eq!((grade(false), grade(true)), ("A", "A+"));
    let weak = observed(&[observation(GOOD, &["client is authenticated", "RC4"])]);
    assert_eq!(weak.verdict(&[], true).unwrap().grade.word(), "C");
}

#[test]
fn short_keys_of_certificates_and_weak_curves_cap() {
    for (reasons, grade) in [
        (&["a certificate's key of fewer than 1,024"][..], "F"),
        (&["a key exchange of fewer than 1,024"], "F"),
        (&["a certificate's key of fewer than 2,048"], "B"),
        (&["over a curve of fewer than 224"], "B"),
        (&["Diffie-Hellman over a prime"], "A-"),
        (&["not among those recommended"], "A"),
    ] {
        let verdict = observed(&[observation(GOOD, reasons)]).verdict(&[], true).unwrap();
        assert_eq!(verdict.grade.word(), grade, "{reasons:?}");
    }
}
