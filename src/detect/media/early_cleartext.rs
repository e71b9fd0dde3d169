//! `MEDIA-EARLY-CLEARTEXT`: plain media before a secured call is accepted (RFC 3960).

use super::super::rule::rule;
use super::super::seen::StreamSeen;
use super::super::small::{Report, Small};
use super::secured::{
    EARLY, SETTLED, clear_packets, describe, early_packets, secured, settled_packets,
};
use crate::model::finding::Severity;
use crate::policy::Policy;

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
    wants: [STREAM],
    references: ["RFC 3960", "RFC 3711"],
    remediation: super::SAVP_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "stream", "media before the answer can be listened to").of_streams(judge)
}

fn judge(seen: &StreamSeen<'_>, report: &mut Report<'_>) {
    let clear = clear_packets(seen.record);
    let early = clear.min(early_packets(seen)) >= EARLY;
    // What is encrypted is the later part.
    let settled = settled_packets(seen).saturating_sub(seen.record.packets.saturating_sub(clear));
    if secured(seen) && early && settled < SETTLED {
        report.unsure(seen.record.verdict.confidence);
        report.saw(Severity::Low, || describe(seen));
    }
}
