//! `SIPS-TO-SIP-REWRITE`: a hop that turns `sips` into `sip` (RFC 5630 §5.3).

use overhear_parsers::sip::Method;
use overhear_parsers::sip::uri::Scheme;

use super::super::lately::Lately;
use super::super::rule::{Detector, Interest, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{at_least, plural, sentence};
use crate::dissect::sip_marks::is_sips;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Figure, Severity};
use crate::model::id::RecordKey;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// The INVITE of a call whose Request-URI is `sips:` on one hop, and `sip:` on a later one between
    /// other hosts.
    ///
    /// ## Why it matters
    /// A proxy must not change the scheme: the caller was promised TLS on every hop to the callee, and
    /// the rest of the way may be in clear.
    ///
    /// ## Evidence
    /// The INVITE with the `sip` URI, and the frame of the one with `sips`.
    ///
    /// ## False positives
    /// A back-to-back user agent that keeps the Call-ID begins a call of its own; RFC 5630 still wants
    /// it to keep the scheme.
    ///
    /// ## Fix
    /// Configure the host between the two hops to keep `sips`, or to refuse the call.
    id: "SIPS-TO-SIP-REWRITE",
    name: "sips-to-sip-rewrite",
    title: "A hop turns sips into sip",
    severity: High ..= High,
    status: Preview,
    wants: [OPENS],
    references: ["RFC 5630 §5.3", "RFC 3261 §26.2.2"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct ToSipRewrite {
    /// The hop on which a call was `sips`.
    secure: Lately<RecordKey, (Subject, FrameRef)>,
}

pub(crate) fn new(policy: &Policy) -> ToSipRewrite {
    ToSipRewrite { secure: Lately::new(policy.limits.peers) }
}

impl Detector for ToSipRewrite {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if self.secure.is_empty() && !seen.kind.meets(Interest::SIPS) {
            return;
        }
        let message = &seen.event.message;
        let Some(call) = seen.placement.call.filter(|_| message.method() == Method::Invite) else {
            return;
        };
        let uri = message.request_uri();
        if is_sips(uri) {
            self.secure.put(call, (seen.pair, seen.event.at));
            return;
        }
        let known = self.secure.get(&call).filter(|(pair, _)| *pair != seen.pair);
        let Some((_, secure)) = known else { return };
        if overhear_parsers::sip::Uri::parse(uri).scheme != Scheme::Sip {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.event.at).severity(Severity::High);
        let _ = sink
            .sighting(sighting, |_| {
                let frame = secure.frame.number;
                (sentence!("INVITE to a sip URI; in frame {frame} it is sips"), None)
            })
            .call(Some(call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{}{} between {} went on as sip, having come as sips.",
                at_least(entry.exhausted),
                plural(entry.calls, "call"),
                entry.subject.spoken(),
            ),
            parameters: vec![("calls", Figure::Count(entry.calls))],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("sips_calls", self.secure.evicted())
    }
}
