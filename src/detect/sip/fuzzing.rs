//! `SIP-FUZZING`: one source that breaks the grammar in many ways at once.

use super::super::rate::Rates;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::{SEEN, describe, names};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::time::Span;
use crate::policy::Policy;
use overhear_parsers::sip::Anomalies;

rule! {
    /// ## What it detects
    /// Eight kinds of breach of the grammar, or more, from one source within ten minutes.
    ///
    /// ## Why it matters
    /// Software has its one or two mistakes; who makes eight tries what a parser will swallow.
    ///
    /// ## Evidence
    /// The message with which the eighth kind came, and later ones with more.
    ///
    /// ## False positives
    /// Conformance tests. A proxy through which everybody's mistakes come.
    ///
    /// ## Fix
    /// Block the source, and look for crashes of whoever received this.
    id: "SIP-FUZZING",
    name: "sip-fuzzing",
    title: "A source tries out broken messages",
    severity: High ..= High,
    status: Stable,
    wants: [ODD],
    references: ["RFC 4475 §1"],
    remediation: super::FIX,
    question: Some("ROBUSTNESS"),
    thresholds: ["fuzzing_kinds"],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct Fuzzing {
    rates: Rates,
    kinds: u64,
}

pub(crate) fn new(policy: &Policy) -> Fuzzing {
    Fuzzing {
        rates: Rates::new(Span::from_secs(600), policy.limits.peers),
        kinds: policy.thresholds.sip.fuzzing_kinds,
    }
}

impl Detector for Fuzzing {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let found = seen.anomalies();
        if !found.is_malformed() {
            return;
        }
        let subject = Subject::host(seen.event.src.addr);
        let window = self.rates.book(subject, seen.event.at.time, found.bits());
        let kinds = Anomalies::from_bits(window.kinds);
        if u64::from(kinds.count()) < self.kinds {
            return;
        }
        let sighting = Sighting::new(&META, subject, seen.event.at)
            .severity(Severity::High)
            .confidence(Confidence::High);
        sink.sighting(sighting, |_| (describe(seen, found), None)).mark(SEEN, kinds.bits());
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let seen = Anomalies::from_bits(entry.tally(SEEN));
        let kinds = u64::from(seen.count());
        Words {
            summary: sentence!(
                "{} breaks the grammar in {} within ten minutes: {}.",
                entry.subject.spoken(),
                plural(kinds, "way"),
                names(seen),
            ),
            parameters: vec![
                ("fuzzing_kinds", Figure::Count(self.kinds)),
                ("kinds", Figure::Count(kinds)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("malformed_sources", self.rates.evicted())
    }
}
