//! `MEDIA-OPPORTUNISTIC-MIXED`: answers that leave the keying open (RFC 8643 §3.1).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An answer that accepts an m-line with the profile `RTP/AVP` or `RTP/AVPF` and names more
    /// than one of `a=crypto`, `a=fingerprint`, `a=zrtp-hash` and `a=key-mgmt` for it.
    ///
    /// ## Why it matters
    /// RFC 8643 wants exactly one in an answer. With two, each side may choose another: then there
    /// is no media, or media in clear.
    ///
    /// ## Evidence
    /// The answer with the number of ways.
    ///
    /// ## False positives
    /// None is known; an offer may name several.
    ///
    /// ## Fix
    /// Update or configure the answering side to choose one.
    id: "MEDIA-OPPORTUNISTIC-MIXED",
    name: "media-opportunistic-mixed",
    title: "An answer names several ways to key one stream",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 8643 §3.1"],
    remediation: super::DOWNGRADE_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "answer", "which keys protect the media is left open").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for (_, answered) in seen.answers().filter(|(_, answered)| answered.plain()) {
        let ways = answered.keyings();
        if ways > 1 {
            report.saw(Severity::Medium, || sentence!("an answer names {ways} ways of keying"));
        }
    }
}
