//! Invariant 4, packet time: one file reads a clock, and a capture means the same whenever it was
//! taken.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod support;

use overhear::model::time::Span;
use serde_json::Value;
use support::source::sources;
use support::{Fixture, review, tiny, value, workload};

#[test]
fn only_the_clock_file_reads_a_clock() {
    let clocks = ["Instant", "SystemTime", ".elapsed(", "UNIX_EPOCH", "chrono", "thread::sleep"];
    let mut seen = 0;
    for source in sources() {
        for word in clocks {
            // What waits for an interface to hand over its last packets reads no clock.
            let waits = word == "thread::sleep" && source.path == "src/capture/interfaces.rs";
            if source.code.contains(word) && !waits {
                assert_eq!(source.path, "src/engine/clock.rs", "{word} in {}", source.path);
                seen += 1;
            }
        }
    }
    assert!(seen >= 2, "the clock itself was not found: the scan sees nothing");
}

/// The report without what is a moment, or is made of one.
fn timeless(mut report: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (key, member) in members.iter_mut() {
                    let moment = member.as_str().is_some_and(is_moment);
                    // Ids are hashes of, among others, the first moment.
                    let id = matches!(key.as_str(), "id" | "call" | "sha256" | "path");
                    if moment || id {
                        *member = Value::Null;
                    } else if matches!(
                        key.as_str(),
                        "findings" | "streams" | "calls" | "handshakes"
                    ) && member
                        .as_array()
                        .is_some_and(|of| of.iter().all(Value::is_string))
                    {
                        *member = Value::from(member.as_array().unwrap().len());
                    } else {
                        strip(member);
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut report);
    report
}

/// `2026-01-02T03:04:05.000000000Z`.
fn is_moment(text: &str) -> bool {
    text.len() > 19 && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}

fn read(fixture: &Fixture, small: bool) -> Value {
    let mut config = fixture.config();
    if small {
        config.policy.limits = tiny();
    }
    timeless(value(&mut review(&config).unwrap()))
}

#[test]
fn a_capture_means_the_same_whenever_it_was_taken() {
    let now = workload::scenario(120, 21);
    let first = support::written("now", &now);
    let year = 365 * 24 * 3_600;
    // Whole seconds: a rule that counts by seconds of capture time may see their borders.
    for (name, by) in [("past", -31 * year), ("future", 17 * year), ("near", 4_321)] {
        let other = support::written(name, &workload::shifted(&now, Span::from_secs(by)));
        for small in [false, true] {
            let (left, right) = (read(&first, small), read(&other, small));
            let (left, right) = (format!("{left:#}"), format!("{right:#}"));
            support::assert_same(&left, &right, &format!("{name}, small limits: {small}"));
        }
    }
}
