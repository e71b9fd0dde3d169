//! `MEDIA-DTLS-FP-WEAK-HASH`: fingerprints of MD5, MD2 or SHA-1 (RFC 8122 §5).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::speaker;
use super::super::small::{Report, Small};
use super::super::text::{printable, sentence};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An m-line all of whose `a=fingerprint` lines use MD5 or MD2 (critical) or SHA-1 (medium).
    ///
    /// ## Why it matters
    /// The fingerprint is all that binds the media keys to the call. For MD5, two certificates with
    /// one fingerprint can be made within seconds; RFC 8122 forbids it. For SHA-1 it takes an
    /// effort that is within reach.
    ///
    /// ## Evidence
    /// The description with the name of the hash.
    ///
    /// ## False positives
    /// A line with a better hash beside the weak one is used instead, and nothing is reported.
    ///
    /// ## Fix
    /// Write fingerprints with SHA-256.
    id: "MEDIA-DTLS-FP-WEAK-HASH",
    name: "media-dtls-fp-weak-hash",
    title: "Certificates for DTLS-SRTP are named by a weak hash",
    severity: Medium ..= Critical,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 8122 §5", "RFC 9155"],
    remediation: super::DTLS_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "m-line", "the binding between call and media keys can be forged")
        .of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for (statement, media) in seen.media().filter(|(_, media)| media.accepted()) {
        let best = media.fingerprints.iter().min_by_key(|of| weakness(of.hash));
        let severity = match best.map(|of| weakness(of.hash)) {
            Some(2) => Severity::Critical,
            Some(1) => Severity::Medium,
            _ => continue,
        };
        report.within(statement).saw(severity, || {
            let hash = printable(best.map_or(&[], |of| of.hash), 16);
            sentence!("{} with a fingerprint of {hash}", speaker(statement))
        });
    }
}

/// 2 for a hash that is broken, 1 for one that should not be used, else 0.
fn weakness(hash: &[u8]) -> u8 {
    let is = |name: &[u8]| hash.eq_ignore_ascii_case(name);
    match () {
        () if is(b"md5") || is(b"md2") => 2,
        () if is(b"sha-1") => 1,
        () => 0,
    }
}
