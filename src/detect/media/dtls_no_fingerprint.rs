//! `MEDIA-DTLS-NO-FINGERPRINT`: DTLS-SRTP whose certificates nobody can check (RFC 8842 §5.1).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::speaker;
use super::super::small::{Report, Small};
use super::super::text::{printable, sentence};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An m-line with the profile `UDP/TLS/RTP/SAVP` or `UDP/TLS/RTP/SAVPF` that is not refused,
    /// and no `a=fingerprint` for it, neither of its own nor of the session.
    ///
    /// ## Why it matters
    /// Certificates for DTLS-SRTP are self-signed: without a fingerprint any certificate will do,
    /// and whoever is on the path can put itself in between and listen.
    ///
    /// ## Evidence
    /// The description with the m-line.
    ///
    /// ## False positives
    /// A description that the snap length cut, or that a HEP agent shortened. Later parts of a
    /// bundle may take the fingerprint of the first m-line.
    ///
    /// ## Fix
    /// Make the side that wrote the description send its fingerprint; refuse calls without.
    id: "MEDIA-DTLS-NO-FINGERPRINT",
    name: "media-dtls-no-fingerprint",
    title: "DTLS-SRTP without a fingerprint",
    severity: High ..= High,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 5763 §5", "RFC 8842 §5.1"],
    remediation: super::DTLS_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "m-line", "nothing binds the media keys to the call").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for (statement, media) in seen.media() {
        let bundled = seen
            .media()
            .any(|(other, of)| std::ptr::eq(other, statement) && !of.fingerprints.is_empty());
        if media.dtls() && media.accepted() && media.fingerprints.is_empty() && !bundled {
            report.within(statement).saw(Severity::High, || {
                sentence!("{} with {}", speaker(statement), printable(media.media.proto, 32))
            });
        }
    }
}
