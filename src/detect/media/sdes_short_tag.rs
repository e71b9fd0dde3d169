//! `MEDIA-SDES-SHORT-TAG`: an SRTP suite with a short authentication tag (RFC 3711 §5.2).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use super::sdes::{Fate, lines};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An answer that chooses a suite whose name ends in `_32`: each packet is authenticated with
    /// 32 bits instead of 80.
    ///
    /// ## Why it matters
    /// A forged packet passes one time in four thousand million, and nobody notices the tries:
    /// media is still secret, but more open to injection than it has to be. RFC 3711 does not
    /// recommend such tags.
    ///
    /// ## Evidence
    /// The answer with the tag and the suite of the line. Keys are not shown.
    ///
    /// ## False positives
    /// Links on which every octet counts use the short tag on purpose. A suite that was offered and
    /// not chosen is not reported.
    ///
    /// ## Fix
    /// Prefer `AES_CM_128_HMAC_SHA1_80` or `AEAD_AES_256_GCM`.
    id: "MEDIA-SDES-SHORT-TAG",
    name: "media-sdes-short-tag",
    title: "SRTP with a tag of 32 bits was agreed on",
    severity: Low ..= Low,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 3711 §5.2", "RFC 4568 §6.2.2"],
    remediation: super::SDES_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "answer", "each packet is authenticated with 32 bits only")
        .of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for line in lines(seen).filter(|line| line.fate == Fate::Accepted) {
        if line.crypto.suite.ends_with(b"_32") {
            report.within(line.statement).saw(Severity::Low, || line.spoken());
        }
    }
}
