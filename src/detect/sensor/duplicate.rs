//! `SENSOR-DUPLICATE`: packets that the tap delivered twice.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, TapSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::plural;
use crate::model::finding::{Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// The same IP packet seen twice within five milliseconds, as a mirror of both ports of a
    /// switch delivers it.
    ///
    /// ## Why it matters
    /// Counted twice, packets would look like retransmissions, replays and floods. They are
    /// recognised before anything is counted, and left out.
    ///
    /// ## Evidence
    /// The first copies.
    ///
    /// ## False positives
    /// A sender that repeats a packet with the same IP identification; none is known.
    ///
    /// ## Fix
    /// Mirror only one port, or only one direction of both.
    id: "SENSOR-DUPLICATE",
    name: "sensor-duplicate",
    title: "The tap delivered packets twice",
    severity: Info ..= Info,
    status: Stable,
    wants: [TAP],
    references: ["RFC 791 §3.1"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct Duplicate;

pub(crate) const fn new(_: &Policy) -> Duplicate {
    Duplicate
}

impl Detector for Duplicate {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tap(&mut self, seen: &TapSeen, sink: &mut Sink) {
        let &TapSeen::Duplicate { at, frames } = seen else { return };
        sink.sighting(Sighting::new(&META, Subject::capture(), at), |_| {
            ("copy of a packet seen shortly before".to_owned(), None)
        })
        .times(frames);
    }

    /// Not every copy is told one by one: the count comes from the accounting.
    fn end(&mut self, seen: &CaptureSeen<'_>, sink: &mut Sink) {
        let booked = seen.record.accounting.skipped.get("duplicate").copied().unwrap_or_default();
        let told = sink.known(&META, Subject::capture()).map_or(0, |entry| entry.count);
        if let Some(hit) = sink.concerns(&META, Subject::capture(), Severity::Info) {
            hit.times(booked.saturating_sub(told).saturating_add(1));
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: format!(
                "{} seen before within five milliseconds: left out of every count.",
                plural(entry.count, "packet"),
            ),
            parameters: vec![("frames", Figure::Count(entry.count))],
        }
    }
}
