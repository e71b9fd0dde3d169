//! `MEDIA-DTLS-PROFILE-NULL`: DTLS-SRTP that agrees not to encrypt (RFC 5764 §4.1.2).

use super::super::rule::rule;
use super::super::seen::HandshakeSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A ServerHello whose `use_srtp` names a profile with a NULL cipher, 0x0005 or 0x0006.
    ///
    /// ## Why it matters
    /// Everything looks secured, and anyone on the path can listen.
    ///
    /// ## Evidence
    /// The handshake, with the profile that was agreed on.
    ///
    /// ## False positives
    /// None known.
    ///
    /// ## Fix
    /// Remove the NULL profiles from what is offered and accepted.
    id: "MEDIA-DTLS-PROFILE-NULL",
    name: "media-dtls-profile-null",
    title: "DTLS-SRTP agreed not to encrypt",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [HANDSHAKE],
    references: ["RFC 5764 §4.1.2", "RFC 3711 §4.1.3"],
    remediation: super::DTLS_FIX,
    question: Some("DTLS"),
    thresholds: [],
    since: "0.1.0",
}

/// Protection profiles (RFC 5764 §4.1.2).
const PROFILES: [u16; 2] = [0x0005, 0x0006];

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "handshake", "the media is authenticated and readable")
        .of_handshakes(judge)
        .of_such(|seen| seen.record.srtp_profile.is_some())
}

fn judge(seen: &HandshakeSeen<'_>, report: &mut Report<'_>) {
    let profile = seen.record.srtp_profile.filter(|profile| PROFILES.contains(&profile.0));
    if let Some(profile) = profile {
        let server = seen.record.server;
        report.saw(Severity::Critical, || {
            sentence!("{server} agrees on profile 0x{:04x}", profile.0)
        });
    }
}
