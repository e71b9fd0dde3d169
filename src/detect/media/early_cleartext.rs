//! `MEDIA-EARLY-CLEARTEXT`: plain media before a secured call is accepted (RFC 3960).

use super::super::rule::rule;
use super::super::seen::StreamSeen;
use super::super::small::{Report, Small, Weighing};
use super::secured::{agreed_on, early_packets, secured, settled_packets};
use super::sighting::millis;
use crate::model::finding::Severity;
use crate::policy::Policy;
use crate::policy::media::MediaThresholds;

rule! {
    /// ## What it detects
    /// A stream of at least 20 packets before the call was accepted, whose payload is what the
    /// codec produced, and which belongs to a call with a secure profile. What follows in the same
    /// stream may be encrypted.
    ///
    /// ## Why it matters
    /// Ringing tones and announcements can be listened to, and what the caller says or dials
    /// meanwhile. The call itself may be encrypted.
    ///
    /// ## Evidence
    /// The stream with its profile and the test that decided.
    ///
    /// ## False positives
    /// Announcements that everybody may hear.
    ///
    /// ## Fix
    /// Have early media come from a server that has SRTP.
    id: "MEDIA-EARLY-CLEARTEXT",
    name: "media-early-cleartext",
    title: "Early media of a secured call is not encrypted",
    severity: Low ..= Low,
    status: Preview,
    wants: [AGREED],
    references: ["RFC 3960", "RFC 3711"],
    remediation: super::SAVP_FIX,
    question: None,
    thresholds: ["early_packets", "settled_packets", "settled_after_ms"],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) fn new(policy: &Policy) -> Weighing {
    Small::new(&META, "stream", "media before the answer can be listened to")
        .of_streams_by(policy, judge)
}

fn judge(seen: &StreamSeen<'_>, by: &MediaThresholds, report: &mut Report<'_>) {
    let clear = seen.record.clear_packets();
    let early = clear.min(early_packets(seen)) >= by.early_packets;
    // What is encrypted is the later part.
    let sealed = seen.record.packets.saturating_sub(clear);
    let settled = settled_packets(seen, millis(by.settled_after_ms)).saturating_sub(sealed);
    if secured(seen) && early && settled < by.settled_packets {
        report.unsure(seen.record.verdict.confidence);
        report.saw(Severity::Low, || agreed_on(seen));
    }
}
