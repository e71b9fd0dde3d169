//! `MEDIA-DTLS-FP-MISMATCH`: a DTLS certificate that is not the one announced (RFC 8122 §5).

use super::super::announced;
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
    /// A certificate in a DTLS handshake whose fingerprint is none of those that SDP announced for that very
    /// address and port. Where several hashes were announced, those of the strongest one count, and any of
    /// them may match: forks and several certificates are fine.
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
    /// one that SDP named. MD2 and MD5, which must not be used, are not compared.
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
    Small::new(&META, "certificate", "not the one that SDP announced")
        .of_handshakes(judge)
        .of_such(|seen| !(seen.read.chain.is_empty() && seen.read.client_chain.is_empty()))
}

fn judge(seen: &HandshakeSeen<'_>, report: &mut Report<'_>) {
    let (record, read) = (seen.record, seen.read);
    for (endpoint, chain) in [(record.server, &read.chain), (record.client, &read.client_chain)] {
        let Some(own) = chain.first() else { continue };
        if let Some((expected, found)) = other_than(seen, endpoint, own) {
            let (expected, found) = (short(&expected), short(&found));
            report.saw(Severity::Critical, || {
                sentence!("{endpoint} shows a certificate {found}..., announced was {expected}...")
            });
        }
    }
}

/// The first fingerprint that was announced for an address whose certificate has none of those announced,
/// and what the certificate has.
fn other_than(
    seen: &HandshakeSeen<'_>,
    endpoint: Endpoint,
    own: &Known,
) -> Option<(String, String)> {
    let announced = seen.announced?.at(endpoint);
    let mut comparable = announced::comparable(&announced);
    let first = comparable.next()?;
    let found = own.fingerprint(&first.hash)?;
    let matches = first.digest == found || comparable.any(|of| of.digest == found);
    (!matches).then(|| (hexadecimal(&first.digest), hexadecimal(&found)))
}

fn short(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}
