//! `MEDIA-DTLS-FP-UNPROTECTED`: fingerprints that nothing protects (RFC 8862 §4).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::speaker;
use super::super::small::{Report, Small};
use crate::correlate::exchange::SignsKeys;
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A description with `a=fingerprint` in signalling that could be read without a key, and
    /// without an Identity header whose PASSporT names just these fingerprints in its claim `mky`.
    ///
    /// ## Why it matters
    /// The fingerprint is what the media keys are checked by. Whoever can change the message can
    /// put in its own, and the other side will take its certificate: the call is encrypted, and
    /// somebody in the middle listens.
    ///
    /// ## Evidence
    /// The message with the fingerprint.
    ///
    /// ## False positives
    /// A tap behind the end of TLS or of a VPN. A PASSporT is not verified here: one that is forged
    /// counts as protection; and in its compact form its claims cannot be seen.
    ///
    /// ## Fix
    /// Carry signalling in TLS, and sign fingerprints (RFC 8224, `mky`), as RFC 8862 asks for.
    id: "MEDIA-DTLS-FP-UNPROTECTED",
    name: "media-dtls-fp-unprotected",
    title: "Fingerprints for DTLS-SRTP can be exchanged on the way",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 8862 §4", "RFC 5763 §8.4", "RFC 8224"],
    remediation: super::DTLS_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "description", "whoever can change the signalling can listen to the media")
        .of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for (statement, media) in seen.media() {
        let keyed = media.accepted() && !media.fingerprints.is_empty();
        if keyed && !statement.encrypted && statement.signs_keys != SignsKeys::These {
            report.within(statement).saw(Severity::Medium, || {
                speaker(statement) + " with a fingerprint, in clear and unsigned"
            });
            return;
        }
    }
}
