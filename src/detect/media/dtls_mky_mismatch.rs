//! `MEDIA-DTLS-MKY-MISMATCH`: fingerprints that are not the signed ones (RFC 8224 §4, RFC 8225 §5.2.2).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small, speaker};
use crate::correlate::exchange::SignsKeys;
use crate::model::finding::{Confidence, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A description that came with an Identity header whose PASSporT has the claim `mky`, and an m-line
    /// in it none of whose fingerprints stands there.
    ///
    /// ## Why it matters
    /// The claim is there to bind the media keys to the caller. Fingerprints that differ from it were put
    /// in behind the signature: by a border element that ends the media and should have removed the
    /// header, or by somebody in the middle who is going to listen.
    ///
    /// ## Evidence
    /// The message with the header and the fingerprint.
    ///
    /// ## False positives
    /// The signature is not verified here, so the token may be the forged part: hence medium confidence.
    /// Session border controllers that end media and leave the header in.
    ///
    /// ## Fix
    /// Find the hop behind which fingerprints differ; let elements that end media sign again.
    id: "MEDIA-DTLS-MKY-MISMATCH",
    name: "media-dtls-mky-mismatch",
    title: "Fingerprints for DTLS-SRTP are not the ones that were signed",
    severity: Critical ..= Critical,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 8224 §4", "RFC 8225 §5.2.2", "RFC 8862 §4"],
    remediation: super::DTLS_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "description", "its fingerprints are not the signed ones")
        .of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    let mut last = None;
    for (statement, media) in seen.media() {
        let keyed = media.accepted() && !media.fingerprints.is_empty();
        let others = keyed && statement.signs_keys == SignsKeys::Others;
        // Once for each description.
        if others && last != Some(statement.at) {
            last = Some(statement.at);
            report.unsure(Confidence::Medium);
            report.within(statement).saw(Severity::Critical, || {
                speaker(statement) + " with a fingerprint that its PASSporT does not name"
            });
        }
    }
}
