//! What is written follows the published schema, for every fixture and under any limits.

#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use overhear::policy::Policy;
use overhear::report::schema::TEXT;
use serde_json::Value;
use support::{Config, fixtures, review, schema, tiny, value, workload};

#[test]
fn the_report_of_every_fixture_follows_the_schema() {
    let published: Value = serde_json::from_str(TEXT).unwrap();
    let busy = workload::capture(60, 2);
    let mut reports = 0;
    for fixture in fixtures().iter().chain([&busy]) {
        let small = Policy { limits: tiny(), ..fixture.policy.clone() };
        let hashed = Config { hash: true, ..fixture.config() };
        for config in [hashed, Config { policy: small, ..fixture.config() }] {
            if let Some(mut outcome) = review(&config) {
                let faults = schema::faults(&published, &value(&mut outcome));
                assert!(faults.is_empty(), "{}: {faults:#?}", fixture.name);
                reports += 1;
            }
        }
    }
    assert!(reports > 150, "{reports} reports");
}
