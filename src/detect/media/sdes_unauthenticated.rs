//! `MEDIA-SDES-UNAUTHENTICATED`: SRTP that does not authenticate (RFC 4568 §6.3.3).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use super::sdes::{Fate, lines};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An answer that chooses a line with the session parameter `UNAUTHENTICATED_SRTP`.
    ///
    /// ## Why it matters
    /// Without a tag, packets can be changed and replayed unnoticed; with a cipher in counter mode,
    /// flipping a bit of the packet flips that bit of the speech. RFC 4568 does not recommend it.
    ///
    /// ## Evidence
    /// The answer with the tag and the suite of the line.
    ///
    /// ## False positives
    /// Test set-ups. A line that was offered and not chosen is not reported.
    ///
    /// ## Fix
    /// Remove the parameter from the media security profile.
    id: "MEDIA-SDES-UNAUTHENTICATED",
    name: "media-sdes-unauthenticated",
    title: "SRTP without authentication was negotiated",
    severity: High ..= High,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 4568 §6.3.3", "RFC 3711 §9.5"],
    remediation: super::SDES_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "answer", "packets can be changed and replayed unnoticed")
        .of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for line in lines(seen).filter(|line| line.fate == Fate::Accepted) {
        if line.asks(b"UNAUTHENTICATED_SRTP") {
            report.within(line.statement).saw(Severity::High, || line.spoken());
        }
    }
}
