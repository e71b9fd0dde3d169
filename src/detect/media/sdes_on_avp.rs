//! `MEDIA-SDES-ON-AVP`: SDES under a profile that is not secure (RFC 4568 §7, RFC 8643).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use super::sdes::lines;
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An `a=crypto` line below an m-line with the profile `RTP/AVP` or `RTP/AVPF`.
    ///
    /// ## Why it matters
    /// RFC 4568 allows keys for secure profiles only; RFC 8643 allows this as an opportunity that
    /// may be declined. Then media flows in clear and neither side shows it.
    ///
    /// ## Evidence
    /// The message with the tag and the suite of the line.
    ///
    /// ## False positives
    /// Products that follow RFC 8643 do this on purpose; what the call came to is told by `MEDIA-
    /// OPPORTUNISTIC-DECLINED`.
    ///
    /// ## Fix
    /// Where encryption is meant to be certain, offer `RTP/SAVP` only.
    id: "MEDIA-SDES-ON-AVP",
    name: "media-sdes-on-avp",
    title: "SRTP keys are offered for plain RTP",
    severity: Low ..= Low,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 4568 §7", "RFC 8643 §3.1"],
    remediation: super::DOWNGRADE_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "crypto line", "encryption is an opportunity, not a promise")
        .of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for line in lines(seen).filter(|line| line.media.plain()) {
        report
            .within(line.statement)
            .saw(Severity::Low, || line.spoken() + " under a plain profile");
    }
}
