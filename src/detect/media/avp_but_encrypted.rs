//! `MEDIA-AVP-BUT-ENCRYPTED`: encryption that SDP does not tell of (RFC 6189).

use super::super::rule::rule;
use super::super::seen::StreamSeen;
use super::super::small::{Report, Small, Weighing};
use super::secured::{describe, is_plain};
use crate::model::finding::Severity;
use crate::model::record::Protection;
use crate::policy::Policy;
use crate::policy::media::MediaThresholds;

rule! {
    /// ## What it detects
    /// A stream of at least 50 packets whose payload has no structure, bound to an m-line with the
    /// profile `RTP/AVP` or `RTP/AVPF` of a call in which no answer has a keying attribute.
    ///
    /// ## Why it matters
    /// Something protects the media that signalling does not name: ZRTP, which agrees on keys
    /// within the media, or a scheme of the vendor. Or it is no speech: a modem, test traffic.
    ///
    /// ## Evidence
    /// The stream with its profile and the test that decided.
    ///
    /// ## False positives
    /// Random test payload; a codec that is not known here.
    ///
    /// ## Fix
    /// Nothing needs fixing; find out what the two sides use, and whether it is meant.
    id: "MEDIA-AVP-BUT-ENCRYPTED",
    name: "media-avp-but-encrypted",
    title: "Media looks encrypted although plain RTP was negotiated",
    severity: Info ..= Info,
    status: Preview,
    wants: [HIDDEN],
    references: ["RFC 6189", "RFC 3551"],
    remediation: super::SAVP_FIX,
    question: None,
    thresholds: ["settled_packets"],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) fn new(policy: &Policy) -> Weighing {
    Small::new(&META, "stream", "something protects the media that signalling does not name")
        .of_streams_by(policy, judge)
}

fn judge(seen: &StreamSeen<'_>, by: &MediaThresholds, report: &mut Report<'_>) {
    let hidden = seen.record.protection == Protection::EncryptedLike
        && seen.record.packets >= by.settled_packets;
    let plain = seen.record.negotiated.as_deref().is_some_and(is_plain);
    let keyed = seen.agreement.is_some_and(|agreement| agreement.keyed || agreement.secure);
    if hidden && plain && !keyed {
        report.unsure(seen.record.verdict.confidence);
        report.saw(Severity::Info, || {
            let zrtp =
                if seen.around.zrtp.is_some() { "; ZRTP was seen between the two" } else { "" };
            describe(seen) + zrtp
        });
    }
}
