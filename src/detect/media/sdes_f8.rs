//! `MEDIA-SDES-F8`: SRTP in F8 mode (RFC 3711 §4.1.2).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use super::sdes::{Fate, lines};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An answer that chooses an F8 suite, or an offer that prefers one.
    ///
    /// ## Why it matters
    /// F8 is a mode made for mobile networks that few implementations have and hardly anybody
    /// reviews. It is not broken; a cipher that nobody tests is a risk of its own.
    ///
    /// ## Evidence
    /// The message with the tag and the suite of the line.
    ///
    /// ## False positives
    /// Equipment of mobile networks that has to use it.
    ///
    /// ## Fix
    /// Prefer an AES-CM or AES-GCM suite.
    id: "MEDIA-SDES-F8",
    name: "media-sdes-f8",
    title: "The rarely tested F8 cipher keys SRTP",
    severity: Low ..= Low,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 4568 §6.2.3", "RFC 3711 §4.1.2"],
    remediation: super::SDES_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "crypto line", "F8 is used").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for line in lines(seen).filter(|line| line.fate != Fate::Spare) {
        if line.crypto.suite.starts_with(b"F8_") {
            report.within(line.statement).saw(Severity::Low, || line.spoken());
        }
    }
}
