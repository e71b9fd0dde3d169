//! `SIP-MALFORMED-SEMANTIC`: headers that are missing, repeated, or contradict each other (RFC 3261 §8.1.1).

use super::super::rule::rule;
use super::Malformed;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// No Via, From, To, Call-ID or CSeq; a second From, To, Call-ID, CSeq, Max-Forwards or other header that
    /// may stand once; a CSeq whose method is not that of the request. Low; medium from five a minute and
    /// source, high from fifty.
    ///
    /// ## Why it matters
    /// Of two From headers one element believes the first and the next one the second: a caller with two
    /// identities.
    ///
    /// ## Evidence
    /// A message for each kind of oddity, with its name and the sender.
    ///
    /// ## False positives
    /// Test tools.
    ///
    /// ## Fix
    /// Refuse it at the border; have the sender's software mended.
    id: "SIP-MALFORMED-SEMANTIC",
    name: "sip-malformed-semantic",
    title: "Headers missing, repeated or contradicting each other",
    severity: Low ..= High,
    status: Stable,
    wants: [ODD],
    references: ["RFC 3261 §8.1.1", "RFC 3261 §20", "RFC 4475 §3.3"],
    remediation: super::FIX,
    question: Some("ROBUSTNESS"),
    thresholds: ["malformed_medium_a_minute", "malformed_high_a_minute"],
    since: "0.1.0",
}

pub(crate) fn new(policy: &Policy) -> Malformed {
    Malformed::new(&META, super::SEMANTIC, policy)
}
