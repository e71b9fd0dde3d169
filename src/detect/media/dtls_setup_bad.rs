//! `MEDIA-DTLS-SETUP-BAD`: `a=setup` of offer and answer that do not fit (RFC 8842 §5.3).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use crate::model::finding::Severity;
use crate::policy::Policy;
use overhear_parsers::sdp::Setup;

rule! {
    /// ## What it detects
    /// An answer that accepts an m-line with DTLS-SRTP and says `a=setup:actpass`, or the same of
    /// `active` and `passive` as the offer, or `holdconn`.
    ///
    /// ## Why it matters
    /// Who opens the handshake is left open or nobody does: calls without media, or, where products
    /// guess, two handshakes that cross.
    ///
    /// ## Evidence
    /// The answer with what both sides say.
    ///
    /// ## False positives
    /// An offer whose `a=setup` is missing counts as `active`, as RFC 4145 has it, and is not
    /// compared.
    ///
    /// ## Fix
    /// Update the side that wrote the answer.
    id: "MEDIA-DTLS-SETUP-BAD",
    name: "media-dtls-setup-bad",
    title: "The sides of a DTLS handshake do not fit together",
    severity: Low ..= Low,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 8842 §5.3", "RFC 4145 §4"],
    remediation: super::DTLS_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "answer", "who opens the handshake is not settled").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for (offered, answered) in seen.answers() {
        if !answered.accepted() || answered.fingerprints.is_empty() {
            continue;
        }
        let pair = (offered.and_then(|of| of.setup), answered.setup);
        let what = match pair {
            (_, Some(Setup::ActPass)) => "an answer that leaves the side open: actpass",
            (_, Some(Setup::HoldConn)) => "an answer that opens no connection: holdconn",
            (Some(Setup::Active), Some(Setup::Active)) => "both sides say active",
            (Some(Setup::Passive), Some(Setup::Passive)) => "both sides say passive",
            _ => continue,
        };
        report.saw(Severity::Low, || what.to_owned());
    }
}
