//! `MEDIA-DTLS-PROFILE-SHORT-TAG`: DTLS-SRTP with authentication tags of 32 bits (RFC 3711 §5.2).

use super::super::rule::rule;
use super::super::seen::HandshakeSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A ServerHello whose `use_srtp` names SRTP_AES128_CM_HMAC_SHA1_32.
    ///
    /// ## Why it matters
    /// One forged packet in four thousand million passes; smaller tags are not recommended.
    ///
    /// ## Evidence
    /// The handshake, with the profile that was agreed on.
    ///
    /// ## False positives
    /// None known.
    ///
    /// ## Fix
    /// Prefer AEAD_AES_128_GCM or the profile with 80 bits.
    id: "MEDIA-DTLS-PROFILE-SHORT-TAG",
    name: "media-dtls-profile-short-tag",
    title: "DTLS-SRTP agreed on short authentication tags",
    severity: Low ..= Low,
    status: Stable,
    wants: [HANDSHAKE],
    references: ["RFC 5764 §4.1.2", "RFC 3711 §5.2"],
    remediation: super::DTLS_FIX,
    question: Some("DTLS"),
    thresholds: [],
    since: "0.1.0",
}

/// Protection profiles (RFC 5764 §4.1.2).
const PROFILES: [u16; 1] = [0x0002];

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "handshake", "forged packets are found with 32 bits only")
        .of_handshakes(judge)
        .of_such(|seen| seen.record.srtp_profile.is_some())
}

fn judge(seen: &HandshakeSeen<'_>, report: &mut Report<'_>) {
    let profile = seen.record.srtp_profile.filter(|profile| PROFILES.contains(&profile.0));
    if let Some(profile) = profile {
        let server = seen.record.server;
        report.saw(Severity::Low, || sentence!("{server} agrees on profile 0x{:04x}", profile.0));
    }
}
