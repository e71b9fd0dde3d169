//! `SIPS-RETRY-SIP`: a `sips` request that was refused and is made again as `sip` (RFC 5630 §5.1.2).

use overhear_parsers::sip::Uri;
use overhear_parsers::sip::uri::Scheme;

use super::super::lately::Lately;
use super::super::rule::{Detector, Interest, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use crate::dissect::sip_marks::is_sips;
use crate::model::addr::stable_hash;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::time::Span;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A request to a `sips` URI that is refused with 403, 416, or 480 and Warning 380 or 381, and
    /// within 30 seconds a request with the same method from the same user to the same `sip` URI.
    ///
    /// ## Why it matters
    /// RFC 5630 forbids to do so without asking the user. Anybody who can send such a refusal decides
    /// that the call goes without TLS.
    ///
    /// ## Evidence
    /// The request with the `sip` URI, and the status that came before.
    ///
    /// ## False positives
    /// A user who was asked and agreed. Confidence is medium.
    ///
    /// ## Fix
    /// Turn off the fallback to `sip` in the client.
    id: "SIPS-RETRY-SIP",
    name: "sips-retry-sip",
    title: "After a refusal, a sips request is made again as sip",
    severity: High ..= High,
    status: Preview,
    wants: [OPENS, REFUSED],
    references: ["RFC 5630 §5.1.2"],
    remediation: super::FIX,
    question: None,
    thresholds: ["sips_retry_s"],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct RetrySip {
    within: Span,
    /// `sips` requests by Call-ID: who wants whom.
    asked: Lately<u64, u64>,
    /// Refusals by who wanted whom.
    refused: Lately<u64, (FrameRef, u16)>,
}

pub(crate) fn new(policy: &Policy) -> RetrySip {
    RetrySip {
        within: Span::from_secs(policy.thresholds.fallback.sips_retry_s),
        asked: Lately::new(policy.limits.peers),
        refused: Lately::new(policy.limits.peers),
    }
}

impl RetrySip {
    /// A response: does it refuse a `sips` request for being one?
    fn response(&mut self, seen: &SipSeen<'_>, status: u16) {
        let message = &seen.event.message;
        let warned = || message.warnings().any(|warning| matches!(warning.code, 380 | 381));
        if status == 480 && !warned() {
            return;
        }
        if let Some(parties) = self.asked.get(&stable_hash(&message.call_id())) {
            self.refused.put(parties, (seen.event.at, status));
        }
    }
}

impl Detector for RetrySip {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if self.asked.is_empty() && !seen.kind.meets(Interest::SIPS) {
            return;
        }
        let message = &seen.event.message;
        if let Some(status) = message.status() {
            self.response(seen, status);
            return;
        }
        let secure = is_sips(message.request_uri());
        if !secure && self.refused.is_empty() {
            return;
        }
        let Some(parties) = parties(seen) else { return };
        if secure {
            self.asked.put(stable_hash(&message.call_id()), parties);
            return;
        }
        let Some((refusal, status)) = self.refused.get(&parties) else { return };
        let after = seen.event.at.time.since(refusal.time);
        if after < Span::ZERO || after > self.within {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.event.at)
            .severity(Severity::High)
            .confidence(Confidence::Medium);
        let _ = sink
            .sighting(sighting, |_| {
                let seconds = after.secs_f64();
                let what = seen.describe();
                (sentence!("{what} to a sip URI {seconds:.1} s after {status} to sips"), None)
            })
            .call(seen.placement.call)
            .record(seen.placement.registration);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} between {} made again as sip after sips was refused.",
                plural(entry.count, "request"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("requests", Figure::Count(entry.count)),
                ("sips_retry_s", Figure::Number(self.within.secs_f64())),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("sips_requests", self.asked.evicted().saturating_add(self.refused.evicted()))
    }
}

/// Names who asks what of whom; `None` for a Request-URI that is neither `sip` nor `sips`.
fn parties(seen: &SipSeen<'_>) -> Option<u64> {
    let message = &seen.event.message;
    let target = Uri::parse(message.request_uri());
    if !matches!(target.scheme, Scheme::Sip | Scheme::Sips) {
        return None;
    }
    let from = message.from()?.uri();
    let method = message.method_text();
    Some(stable_hash(&(method, from.user, from.host, target.user, target.host)))
}
