//! `MEDIA-SAVP-BUT-CLEARTEXT`: secure profile, plain media (RFC 3711, RFC 5764).

use super::super::rule::rule;
use super::super::seen::StreamSeen;
use super::super::small::{Report, Small, Weighing};
use super::secured::{agreed_on, secured, settled_packets};
use super::sighting::millis;
use crate::model::finding::Severity;
use crate::policy::Policy;
use crate::policy::media::MediaThresholds;

rule! {
    /// ## What it detects
    /// A stream of which at least 50 packets came later than 2 seconds after the call was accepted,
    /// whose payload is what the codec produced, and whose call had agreed on a secure profile for
    /// it.
    ///
    /// ## Why it matters
    /// Both sides, and both users, believe in a secure call, and anybody on the path can listen to
    /// it.
    ///
    /// ## Evidence
    /// The stream with its profile and the test that decided. How many of its packets are late
    /// enough is reckoned from their number and the times of the first and the last.
    ///
    /// ## False positives
    /// Media of another call on a port that was used again at once. Media before the call is
    /// accepted is told by `MEDIA-EARLY-CLEARTEXT`.
    ///
    /// ## Fix
    /// Find the sender named in the evidence: this is a fault of the product, not of its
    /// configuration.
    id: "MEDIA-SAVP-BUT-CLEARTEXT",
    name: "media-savp-but-cleartext",
    title: "Encryption was agreed on, and media is not encrypted",
    severity: Critical ..= Critical,
    status: Preview,
    wants: [AGREED],
    references: ["RFC 3711", "RFC 4568 §7", "RFC 5763"],
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
    // Of a stream that turned the encrypted part counts as the later one.
    let sealed = seen.record.packets.saturating_sub(seen.record.clear_packets());
    let settled = settled_packets(seen, millis(by.settled_after_ms));
    if secured(seen) && settled.saturating_sub(sealed) >= by.settled_packets {
        report.unsure(seen.record.verdict.confidence);
        report.saw(Severity::Critical, || agreed_on(seen));
    }
}
