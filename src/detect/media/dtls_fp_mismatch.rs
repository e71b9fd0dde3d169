//! `MEDIA-DTLS-FP-MISMATCH`: a DTLS certificate that is not the one announced (RFC 8122 §5).

use super::super::announced::Announced;
use super::super::rule::rule;
use super::super::seen::HandshakeSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::correlate::certificates::{Known, hexadecimal};
use crate::model::addr::Endpoint;
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A certificate in a DTLS handshake whose SHA-256 is none of those that SDP announced for that very
    /// address and port. Any announced one may match: forks and several fingerprints are fine.
    ///
    /// ## Why it matters
    /// The fingerprint is all that ties the media to the call: who answers with another certificate is
    /// somebody else, and the media must not be set up.
    ///
    /// ## Evidence
    /// The handshake, with the beginning of both hashes.
    ///
    /// ## False positives
    /// A description from the other side of an element that ends the media; here the address must be the
    /// one that SDP named. Other hashes than SHA-256 are not compared.
    ///
    /// ## Fix
    /// Find out who sits on the path; have endpoints refuse such handshakes.
    id: "MEDIA-DTLS-FP-MISMATCH",
    name: "media-dtls-fp-mismatch",
    title: "The certificate of the media is not the one announced",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [HANDSHAKE],
    references: ["RFC 8122 §5.1", "RFC 8842 §5.1"],
    remediation: super::DTLS_FIX,
    question: Some("DTLS"),
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "certificate", "not the one that SDP announced").of_handshakes(judge)
}

fn judge(seen: &HandshakeSeen<'_>, report: &mut Report<'_>) {
    let (record, read) = (seen.record, seen.read);
    for (endpoint, chain) in [(record.server, &read.chain), (record.client, &read.client_chain)] {
        let Some(own) = chain.first() else { continue };
        if let Some(expected) = other_than(seen, endpoint, own) {
            let (found, expected) = (short(&own.sha256), short(&expected));
            report.saw(Severity::Critical, || {
                sentence!("{endpoint} shows a certificate {found}..., announced was {expected}...")
            });
        }
    }
}

/// The first hash that was announced for an address whose certificate has none of those announced.
fn other_than(seen: &HandshakeSeen<'_>, endpoint: Endpoint, own: &Known) -> Option<String> {
    let announced = seen.announced?.at(endpoint);
    let comparable = |of: &&Announced| of.hash == "sha-256" && of.digest.len() == 32;
    let mut hashes = announced.iter().filter(comparable).map(|of| hexadecimal(&of.digest));
    let first = hashes.next()?;
    let matches = first == own.sha256 || hashes.any(|hash| hash == own.sha256);
    (!matches).then_some(first)
}

fn short(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}
