//! `MEDIA-SDES-UNENCRYPTED-SRTP`: SRTP that only authenticates (RFC 4568 §6.3.2).

use super::super::agreements::is_unencrypted;
use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use super::sdes::{Fate, lines};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An `a=crypto` line with the session parameter `UNENCRYPTED_SRTP`, or with a suite that has
    /// no cipher: critical in an answer; medium in an offer whose first choice it is and that was
    /// not taken.
    ///
    /// ## Why it matters
    /// Media is authenticated and stays readable: whoever is on the path can play it, although both
    /// sides show a secure call.
    ///
    /// ## Evidence
    /// The message with the tag and the suite of the line.
    ///
    /// ## False positives
    /// Recorders and test set-ups that ask for it on purpose. Such a line further down in an offer
    /// that another one was chosen from is not reported.
    ///
    /// ## Fix
    /// Remove the parameter and suites without a cipher from the media security profile.
    id: "MEDIA-SDES-UNENCRYPTED-SRTP",
    name: "media-sdes-unencrypted-srtp",
    title: "SRTP without encryption was negotiated",
    severity: Medium ..= Critical,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 4568 §6.3.2"],
    remediation: super::SDES_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "crypto line", "media stays readable").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for line in lines(seen).filter(|line| is_unencrypted(line.crypto)) {
        let severity = match line.fate {
            Fate::Accepted => Severity::Critical,
            Fate::Preferred => Severity::Medium,
            Fate::Spare => continue,
        };
        report.within(line.statement).saw(severity, || line.spoken() + ", without encryption");
    }
}
