//! `MEDIA-SDES-UNENCRYPTED-SRTCP`: SRTCP that only authenticates (RFC 4568 §6.3.2).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use super::sdes::{Fate, lines};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An answer that chooses a line with the session parameter `UNENCRYPTED_SRTCP`.
    ///
    /// ## Why it matters
    /// Reports of reception quality, names and SSRCs of the call can be read, although media
    /// cannot.
    ///
    /// ## Evidence
    /// The answer with the tag and the suite of the line.
    ///
    /// ## False positives
    /// Monitoring equipment that needs to read reports may ask for it. A line that was offered and
    /// not chosen is not reported.
    ///
    /// ## Fix
    /// Remove the parameter from the media security profile; give monitoring its own copy of the
    /// reports (RFC 6035).
    id: "MEDIA-SDES-UNENCRYPTED-SRTCP",
    name: "media-sdes-unencrypted-srtcp",
    title: "RTCP without encryption was negotiated",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 4568 §6.3.2", "RFC 3711 §3.4"],
    remediation: super::SDES_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "answer", "reports about the calls can be read").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for line in lines(seen).filter(|line| line.fate == Fate::Accepted) {
        if line.asks(b"UNENCRYPTED_SRTCP") {
            report.within(line.statement).saw(Severity::Medium, || line.spoken());
        }
    }
}
