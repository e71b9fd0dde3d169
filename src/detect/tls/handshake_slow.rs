//! `TLS-HANDSHAKE-SLOW`: handshakes that somebody draws out, or a server that cannot keep up.

use super::super::rate::Rates;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::time::Span;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Ten handshakes over TCP with one server within a minute that take more than five seconds each
    /// from the first message to the last, whatever becomes of them.
    ///
    /// ## Why it matters
    /// Clients that send a little at a time hold connections open until there are none left (slow
    /// loris); a server that answers late is overloaded, and calls wait.
    ///
    /// ## Evidence
    /// The handshakes, with how long they took.
    ///
    /// ## False positives
    /// Lines with seconds of delay, or with much loss. People who confirm certificates by hand.
    ///
    /// ## Fix
    /// Let the server end handshakes that are not done in time; look at its load.
    id: "TLS-HANDSHAKE-SLOW",
    name: "tls-handshake-slow",
    title: "Handshakes are drawn out",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 9325 §7.1", "RFC 4732 §2.1"],
    remediation: "Let the server end handshakes that are not done in time; look at its load.",
    question: None,
    thresholds: ["tls_slow_ms", "tls_slow_handshakes"],
    since: "0.2.0",
}

/// Tally: the longest, milliseconds.
const LONGEST: usize = 0;

/// The rule at work.
pub(crate) struct HandshakeSlow {
    slow: Span,
    many: u64,
    rates: Rates,
}

pub(crate) fn new(policy: &Policy) -> HandshakeSlow {
    let thresholds = &policy.thresholds.tls;
    let milliseconds = thresholds.tls_slow_ms;
    HandshakeSlow {
        slow: Span::from_nanos(
            i64::try_from(milliseconds).unwrap_or(i64::MAX).saturating_mul(1_000_000),
        ),
        many: thresholds.tls_slow_handshakes,
        rates: Rates::new(Span::from_secs(60), policy.limits.peers),
    }
}

impl Detector for HandshakeSlow {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let facts = seen.read.facts;
        let took = facts.last.time.since(facts.first.time);
        if took <= self.slow || seen.is_for_media() {
            return;
        }
        let subject = Subject::host(seen.record.server.addr);
        let window = self.rates.book(subject, facts.last.time, 1);
        if window.count < self.many {
            return;
        }
        let sighting = Sighting::new(&META, subject, facts.last)
            .severity(Severity::Medium)
            .confidence(Confidence::Medium);
        sink.sighting(sighting, |_| {
            let (client, server, seconds) =
                (seen.record.client, seen.record.server, took.secs_f64());
            (sentence!("{client} to {server}: {seconds:.1} s"), None)
        })
        .most(LONGEST, u64::try_from(took.nanos() / 1_000_000).unwrap_or(0))
        .handshake(seen.key);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "handshake"));
        Words {
            summary: sentence!(
                "{count} with {of} that took more than {:.0} seconds, after {} within a minute.",
                self.slow.secs_f64(),
                self.many.saturating_sub(1),
            ),
            parameters: vec![
                ("handshakes", Figure::Count(entry.count)),
                ("longest_ms", Figure::Count(entry.tally(LONGEST))),
                ("tls_slow_ms", Figure::Number(self.slow.millis_f64())),
                ("tls_slow_handshakes", Figure::Count(self.many)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_slow", self.rates.evicted())
    }
}
