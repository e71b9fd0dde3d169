//! `SIPS-VIA-NOT-TLS`: hops of a sips request that were not TLS (RFC 3261 §26.4.4).

use super::super::rule::rule;
use super::super::seen::SipSeen;
use super::super::small::{Report, Small};
use super::super::text::{printable, sentence};
use crate::dissect::sip_marks::is_sips;
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A request whose Request-URI is `sips:`, with a Via, at any place, whose transport is none of
    /// TLS, TLS-SCTP and WSS.
    ///
    /// ## Why it matters
    /// Vias name the hops that the request has taken. One of them, perhaps far from here, was not
    /// in TLS although all were promised to be.
    ///
    /// ## Evidence
    /// The request with the transport of that Via.
    ///
    /// ## False positives
    /// Some proxies write the transport of the hop behind a load balancer that has ended TLS.
    ///
    /// ## Fix
    /// Find the hop that the Via names, and configure TLS there.
    id: "SIPS-VIA-NOT-TLS",
    name: "sips-via-not-tls",
    title: "A request to a sips URI came over a hop without TLS",
    severity: High ..= High,
    status: Preview,
    wants: [SIPS],
    references: ["RFC 3261 §26.4.4", "RFC 5630 §3.2"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "request", "an earlier hop was not in TLS").of_sip(judge)
}

fn judge(seen: &SipSeen<'_>, report: &mut Report<'_>) {
    let message = &seen.event.message;
    if !is_sips(message.request_uri()) {
        return;
    }
    let secure = |transport: &[u8]| {
        [&b"TLS"[..], b"TLS-SCTP", b"WSS"].iter().any(|of| of.eq_ignore_ascii_case(transport))
    };
    if let Some(via) = message.vias().find(|via| !secure(via.transport)) {
        report.saw(Severity::High, || {
            sentence!("{} with a Via over {}", seen.describe(), printable(via.transport, 16))
        });
    }
}
