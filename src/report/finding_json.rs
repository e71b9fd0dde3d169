//! Findings as JSON: which members each object has, in which order.

use super::records::{Json, Object, Out, map, members, more, object, words};
use crate::model::evidence::{Evidence, FrameRef};
use crate::model::finding::{Figure, Finding, Scope, Severity};
use crate::model::frame::FrameId;

words! {
    Severity { Info "info" Low "low" Medium "medium" High "high" Critical "critical" }
}

impl Object for Finding {
    fn members(&self, out: &mut Out) {
        let Self { id, rule, severity, confidence, title, summary, scope, .. } = self;
        let Self { first_seen, last_seen, count, first_alert, evidence, parameters, .. } = self;
        let Self { remediation, references, .. } = self;
        let (first_seen, last_seen) = (&first_seen.time, &last_seen.time);
        let FrameId { source: first_source, number: first_frame } = &self.first_seen.frame;
        let FrameId { source: last_source, number: last_frame } = &self.last_seen.frame;
        let parameters = Parameters(parameters);
        members! { out, id rule severity confidence title summary scope first_seen last_seen }
        more! {
            out, first_source first_frame last_source last_frame count first_alert evidence
            parameters remediation references
        }
    }
}

object! { Scope { trunk calls streams handshakes addresses } }

impl Object for FrameRef {
    fn members(&self, out: &mut Out) {
        let Self { frame: FrameId { source, number: frame }, time } = self;
        members! { out, source frame time }
    }
}

impl Object for Evidence {
    fn members(&self, out: &mut Out) {
        let Self { at, what, excerpt, sightings } = self;
        at.members(out);
        more! { out, what excerpt sightings }
    }
}

/// Thresholds and figures by name, in the rule's order.
struct Parameters<'a>(&'a [(&'static str, Figure)]);

impl Json for Parameters<'_> {
    fn json(&self, out: &mut Out) {
        map(self.0, out);
    }
}

impl Json for Figure {
    fn json(&self, out: &mut Out) {
        match self {
            Self::Count(count) => count.json(out),
            Self::Number(number) => number.json(out),
            Self::Text(text) => text.json(out),
            Self::Flag(flag) => flag.json(out),
        }
    }
}
