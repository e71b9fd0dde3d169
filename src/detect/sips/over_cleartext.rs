//! `SIPS-OVER-CLEARTEXT`: a promise of TLS, broken (RFC 5630 §3.1.3).

use super::super::rule::rule;
use super::super::seen::SipSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::dissect::sip_marks::is_sips;
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A request whose Request-URI is `sips:` that could be read straight from UDP, TCP, SCTP or
    /// WebSocket.
    ///
    /// ## Why it matters
    /// A `sips` URI promises that every hop of the request is in TLS. The promise is broken, and
    /// neither side is told.
    ///
    /// ## Evidence
    /// The requests with their transport.
    ///
    /// ## False positives
    /// A tap where TLS has ended: behind a load balancer, or inside a host.
    ///
    /// ## Fix
    /// Never send a `sips` request without TLS; answer one that comes without with 400 or 480.
    id: "SIPS-OVER-CLEARTEXT",
    name: "sips-over-cleartext",
    title: "A sips URI was requested without TLS",
    severity: Critical ..= Critical,
    status: Preview,
    wants: [SIPS],
    references: ["RFC 3261 §26.2.2", "RFC 5630 §3.1.3"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "request", "the promise of TLS on every hop is broken").of_sip(judge)
}

fn judge(seen: &SipSeen<'_>, report: &mut Report<'_>) {
    let event = seen.event;
    if !event.encrypted && is_sips(event.message.request_uri()) {
        report.saw(Severity::Critical, || {
            sentence!("{} to a sips URI over {}", seen.describe(), event.transport.name())
        });
    }
}
