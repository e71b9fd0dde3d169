//! `MEDIA-SDES-UNKNOWN-SUITE`: a crypto suite that is not in the registry (RFC 4568 §10.3.2).

use super::super::agreements::is_unencrypted;
use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use super::sdes::{Fate, lines};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An `a=crypto` line with a suite that the IANA registry does not have: medium in an answer,
    /// low in an offer that was not taken. Suites without a cipher are told by `MEDIA-SDES-
    /// UNENCRYPTED-SRTP`.
    ///
    /// ## Why it matters
    /// What such a suite does to the media, nobody outside the two products can tell: it may be a
    /// cipher with a good name, or none.
    ///
    /// ## Evidence
    /// The message with the tag and the suite of the line.
    ///
    /// ## False positives
    /// A misspelt name of a registered suite. `AES_CM_192_...` and `AES_CM_256_...`, which some
    /// products write, are taken for the registered ones.
    ///
    /// ## Fix
    /// Configure suites of the registry on both sides.
    id: "MEDIA-SDES-UNKNOWN-SUITE",
    name: "media-sdes-unknown-suite",
    title: "An SRTP suite that no standard names",
    severity: Low ..= Medium,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 4568 §6.2", "RFC 6188", "RFC 7714"],
    remediation: super::SDES_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "crypto line", "what such a suite does is not standardised")
        .of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for line in lines(seen) {
        if !is_known(line.crypto.suite) && !is_unencrypted(line.crypto) {
            let accepted = line.fate == Fate::Accepted;
            let severity = if accepted { Severity::Medium } else { Severity::Low };
            report.within(line.statement).saw(severity, || line.spoken());
        }
    }
}

/// Suites of the registry, and two spellings that products use for such.
const SUITES: &[&[u8]] = &[
    b"AES_CM_128_HMAC_SHA1_80",
    b"AES_CM_128_HMAC_SHA1_32",
    b"F8_128_HMAC_SHA1_80",
    b"F8_128_HMAC_SHA1_32",
    b"SEED_CTR_128_HMAC_SHA1_80",
    b"SEED_128_CCM_80",
    b"SEED_128_GCM_96",
    b"AES_192_CM_HMAC_SHA1_80",
    b"AES_192_CM_HMAC_SHA1_32",
    b"AES_256_CM_HMAC_SHA1_80",
    b"AES_256_CM_HMAC_SHA1_32",
    b"AES_CM_192_HMAC_SHA1_80",
    b"AES_CM_192_HMAC_SHA1_32",
    b"AES_CM_256_HMAC_SHA1_80",
    b"AES_CM_256_HMAC_SHA1_32",
    b"AEAD_AES_128_GCM",
    b"AEAD_AES_256_GCM",
    b"ARIA_128_CTR_HMAC_SHA1_80",
    b"ARIA_128_CTR_HMAC_SHA1_32",
    b"ARIA_192_CTR_HMAC_SHA1_80",
    b"ARIA_192_CTR_HMAC_SHA1_32",
    b"ARIA_256_CTR_HMAC_SHA1_80",
    b"ARIA_256_CTR_HMAC_SHA1_32",
    b"AEAD_ARIA_128_GCM",
    b"AEAD_ARIA_256_GCM",
];

fn is_known(suite: &[u8]) -> bool {
    SUITES.iter().any(|known| known.eq_ignore_ascii_case(suite))
}
