//! Invariant 7, accounted: every frame that was read is booked once, as handled or as skipped, by
//! a reason that has a name; and the report says so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod support;

use overhear::engine::Cut;
use overhear::policy::Policy;
use overhear::report::terminal;
use overhear::report::text::{Layout, grouped};
use support::{Config, Fixture, fixtures, review, sums, tiny, value, workload};

/// What a frame can be booked under: the words of the contract.
const HANDLED: [&str; 13] = [
    "sip", "rtp", "rtcp", "srtcp", "stun", "tls", "dtls", "zrtp", "turn", "hep", "ws", "msrp",
    "t38",
];
const SKIPPED: [&str; 15] = [
    "not-ip",
    "not-voip",
    "lookalike",
    "duplicate",
    "fragment-incomplete",
    "malformed-capture",
    "malformed-link",
    "malformed-network",
    "malformed-transport",
    "unsupported-link",
    "unclassified",
    "malformed-tunnel",
    "tunnel-depth",
    "encrypted",
    "filtered",
];

/// Reviews and checks the sum; says how many frames there were.
fn check(name: &str, config: &Config) -> u64 {
    let Some(mut outcome) = review(config) else { return 0 };
    let report = value(&mut outcome);
    let (packets, handled, skipped) = sums(&report);
    let accounting = &report["capture"]["accounting"];
    assert_eq!(packets, handled + skipped, "{name}: {accounting:#}");
    for reason in accounting["skipped"].as_object().unwrap().keys() {
        assert!(SKIPPED.contains(&reason.as_str()), "{name}: {reason}");
    }
    for kind in accounting["handled"].as_object().unwrap().keys() {
        assert!(HANDLED.contains(&kind.as_str()), "{name}: {kind}");
    }
    let sources = report["capture"]["sources"].as_array().unwrap();
    let listed: u64 = sources.iter().map(|source| source["packets"].as_u64().unwrap()).sum();
    assert_eq!(packets, listed, "{name}: frames of the sources");
    packets
}

fn ways(fixture: &Fixture) -> Vec<Config> {
    let usual = fixture.config();
    let small = Policy { limits: tiny(), ..usual.policy.clone() };
    let epoch = Cut { frames: 7, ..Cut::default() };
    vec![
        Config { lanes: 3, ..usual.clone() },
        Config { policy: small.clone(), ..usual.clone() },
        Config { policy: small, lanes: 8, epoch, ..usual.clone() },
        usual,
    ]
}

#[test]
fn every_frame_of_every_fixture_is_booked_once_under_any_limits() {
    let mut frames = 0;
    for fixture in fixtures() {
        for config in ways(fixture) {
            frames += check(&fixture.name, &config);
        }
    }
    assert!(frames > 50_000, "{frames} frames are too few to prove anything");
}

#[test]
fn every_frame_of_a_busy_capture_is_booked_once_under_any_limits() {
    let busy = workload::capture(150, 5);
    for config in ways(&busy) {
        assert!(check("busy", &config) > 5_000);
    }
}

#[test]
fn the_terminal_report_prints_the_number_of_frames() {
    let busy = workload::capture(30, 5);
    let mut outcome = review(&busy.config()).unwrap();
    let mut text = Vec::new();
    terminal::write(&mut outcome, Layout::default(), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(&grouped(outcome.capture.packets)), "{text}");
    for count in outcome.capture.accounting.skipped.values().filter(|count| **count > 0) {
        assert!(text.contains(&grouped(*count)), "{count} skipped frames are not printed:\n{text}");
    }
}
