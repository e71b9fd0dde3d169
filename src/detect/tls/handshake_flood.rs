//! `TLS-HANDSHAKE-FLOOD`: more handshakes than a server can take, and few that are meant (`CATALOGUE.md` E).

use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::addr::{Endpoint, stable_hash};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::handshake::Outcome;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// More than 100 handshakes over TCP that begin with one server in one second of capture time,
    /// fewer than a fifth of which are completed.
    ///
    /// ## Why it matters
    /// A ClientHello costs its sender nothing and the server a signature; while it signs, calls wait.
    /// Phones that all come back after an outage finish what they begin.
    ///
    /// ## Evidence
    /// The handshake with which the number was reached in that second.
    ///
    /// ## False positives
    /// A load test with clients that give up. A tap that misses the end of handshakes.
    ///
    /// ## Fix
    /// Limit connections by source in front of the server; find who sends them.
    id: "TLS-HANDSHAKE-FLOOD",
    name: "tls-handshake-flood",
    title: "A server is flooded with handshakes",
    severity: High ..= High,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 9325 §7.1", "RFC 4732 §2.1"],
    remediation: "Limit connections by source in front of the server; find who sends them.",
    question: None,
    thresholds: ["tls_flood_cps", "tls_flood_completed_pct"],
    since: "0.2.0",
}

/// Tally: seconds of flood, and the most handshakes in one.
const SECONDS: usize = 0;
const MOST: usize = 1;

/// What began within a second.
#[derive(Copy, Clone, Default)]
struct Second {
    begun: u64,
    completed: u64,
    told: bool,
}

/// The rule at work.
pub(crate) struct HandshakeFlood {
    /// By server and second.
    seconds: Lately<u64, Second>,
    cps: u64,
    completed_pct: u64,
}

pub(crate) fn new(policy: &Policy) -> HandshakeFlood {
    let thresholds = &policy.thresholds.tls;
    HandshakeFlood {
        seconds: Lately::new(policy.limits.peers),
        cps: thresholds.tls_flood_cps,
        completed_pct: thresholds.tls_flood_completed_pct,
    }
}

impl HandshakeFlood {
    /// Counts a handshake in its second.
    fn count(&mut self, server: Endpoint, second: i64, completed: bool) -> (u64, Second) {
        let key = stable_hash(&(server, second));
        let mut count = self.seconds.get(&key).unwrap_or_default();
        count.begun = count.begun.saturating_add(1);
        count.completed = count.completed.saturating_add(u64::from(completed));
        (key, count)
    }

    fn is_flood(&self, count: Second) -> bool {
        count.begun > self.cps
            && count.completed.saturating_mul(100) < count.begun.saturating_mul(self.completed_pct)
    }
}

impl Detector for HandshakeFlood {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        if seen.is_for_media() {
            return;
        }
        let second = record.start.nanos().div_euclid(1_000_000_000);
        let completed = record.outcome == Outcome::Completed;
        let (key, mut count) = self.count(record.server, second, completed);
        if self.is_flood(count) {
            let subject = Subject::host(record.server.addr);
            let news = !std::mem::replace(&mut count.told, true);
            if news {
                let sighting = Sighting::new(&META, subject, seen.offered_at())
                    .severity(Severity::High)
                    .confidence(Confidence::High);
                let _ = sink
                    .sighting(sighting, |_| {
                        let (server, Second { begun, completed, .. }) = (record.server, count);
                        let what = sentence!(
                            "{} begin with {server} within a second, {completed} completed",
                            plural(begun, "handshake"),
                        );
                        (what, None)
                    })
                    .add(SECONDS, 1)
                    .most(MOST, count.begun);
            } else if let Some(known) = sink.concerns(&META, subject, Severity::High) {
                let _ = known.most(MOST, count.begun);
            }
        }
        self.seconds.put(key, count);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, most) = (entry.subject.spoken(), entry.tally(MOST));
        Words {
            summary: sentence!(
                "Up to {most} handshakes a second with {of}, in {}, few of them completed.",
                plural(entry.tally(SECONDS), "second"),
            ),
            parameters: vec![
                ("seconds", Figure::Count(entry.tally(SECONDS))),
                ("most_a_second", Figure::Count(most)),
                ("tls_flood_cps", Figure::Count(self.cps)),
                ("tls_flood_completed_pct", Figure::Count(self.completed_pct)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        // Seconds that are over are no loss.
        ("", 0)
    }
}
