//! `MEDIA-OPPORTUNISTIC-DECLINED`: offers of opportunistic SRTP that came to nothing (RFC 8643 §3.2).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An m-line with the profile `RTP/AVP` or `RTP/AVPF` and a keying attribute (`a=crypto`,
    /// `a=fingerprint`, `a=zrtp-hash`), which was accepted by an answer without any.
    ///
    /// ## Why it matters
    /// RFC 8643 lets the call go on in clear then. An attacker on the path reaches the same by
    /// deleting the attributes.
    ///
    /// ## Evidence
    /// The answer.
    ///
    /// ## False positives
    /// Peers without SRTP: the offer is made for them.
    ///
    /// ## Fix
    /// Teach the answering side SRTP, or offer `RTP/SAVP` only.
    id: "MEDIA-OPPORTUNISTIC-DECLINED",
    name: "media-opportunistic-declined",
    title: "Opportunistic encryption was declined",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 8643 §3.2"],
    remediation: super::DOWNGRADE_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "answer", "media went on in clear").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for (offered, answered) in seen.answers().filter(|(_, answered)| answered.plain()) {
        if offered.is_some_and(|of| of.plain() && of.keyings() > 0) && answered.keyings() == 0 {
            let what = || "an answer without keys to an offer that had some".to_owned();
            report.saw(Severity::Medium, what);
        }
    }
}
