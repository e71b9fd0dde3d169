//! `MEDIA-SAVP-BUT-CLEARTEXT-AUTHONLY`: secure profile, media with a tag and without a cipher (RFC 3711).

use super::super::rule::rule;
use super::super::seen::StreamSeen;
use super::super::small::{Report, Small, Weighing};
use super::secured::{agreed_on, secured, settled_packets};
use super::sighting::millis;
use crate::model::finding::Severity;
use crate::model::record::Protection;
use crate::policy::Policy;
use crate::policy::media::MediaThresholds;

rule! {
    /// ## What it detects
    /// A stream of which at least 50 packets came later than 2 seconds after the call was accepted:
    /// readable payload with an authentication tag behind it, although the call had agreed on a
    /// secure profile with a cipher for it.
    ///
    /// ## Why it matters
    /// Both sides believe in a secure call, and anybody on the path can listen to it. The tag hides
    /// this from products that look for one only.
    ///
    /// ## Evidence
    /// The stream with its profile and the test that decided.
    ///
    /// ## False positives
    /// Calls that negotiated SRTP without encryption are told by `MEDIA-SDES-UNENCRYPTED-SRTP`
    /// instead; for DTLS-SRTP what was negotiated stands in the handshake.
    ///
    /// ## Fix
    /// Find the sender named in the evidence: this is a fault of the product, not of its
    /// configuration.
    id: "MEDIA-SAVP-BUT-CLEARTEXT-AUTHONLY",
    name: "media-savp-but-cleartext-authonly",
    title: "Encryption was agreed on, and media is only authenticated",
    severity: Critical ..= Critical,
    status: Preview,
    wants: [AGREED],
    references: ["RFC 3711", "RFC 4568 §6.3.2"],
    remediation: super::SAVP_FIX,
    question: None,
    thresholds: ["settled_packets", "settled_after_ms"],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) fn new(policy: &Policy) -> Weighing {
    Small::new(&META, "stream", "encryption was agreed on and is not applied")
        .of_streams_by(policy, judge)
}

fn judge(seen: &StreamSeen<'_>, by: &MediaThresholds, report: &mut Report<'_>) {
    let readable = seen.record.protection == Protection::AuthenticatedOnly;
    let agreed = seen.agreement.is_some_and(|agreement| agreement.unencrypted);
    let settled = settled_packets(seen, millis(by.settled_after_ms));
    if readable && !agreed && secured(seen) && settled >= by.settled_packets {
        report.unsure(seen.record.verdict.confidence);
        report.saw(Severity::Critical, || agreed_on(seen));
    }
}
