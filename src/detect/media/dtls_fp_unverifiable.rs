//! `MEDIA-DTLS-FP-UNVERIFIABLE`: fingerprints that nothing on the wire could be compared with.

use super::super::announced::{self, Announced};
use super::super::rule::rule;
use super::super::seen::HandshakeSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::model::handshake::{Outcome, Peer};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A completed DTLS handshake of an address whose fingerprint SDP announced, and no certificate to
    /// compare it with: DTLS 1.3 encrypts it, a resumed session sends none, or it was not captured whole. Also
    /// a fingerprint of a hash that is not known here.
    ///
    /// ## Why it matters
    /// It is not known whether the certificate is the one that was announced: the absence of
    /// MEDIA-DTLS-FP-MISMATCH says nothing about this call.
    ///
    /// ## Evidence
    /// The handshake with the reason.
    ///
    /// ## False positives
    /// None: it is a limit of what can be seen.
    ///
    /// ## Fix
    /// Nothing is wrong by itself. Where certificates must be checked, give the sensor the secrets of the
    /// handshake, or have endpoints log the comparison.
    id: "MEDIA-DTLS-FP-UNVERIFIABLE",
    name: "media-dtls-fp-unverifiable",
    title: "A fingerprint could not be compared with the certificate",
    severity: Info ..= Info,
    status: Stable,
    wants: [HANDSHAKE],
    references: ["RFC 8122 §5", "RFC 9147 §5"],
    remediation: super::DTLS_FIX,
    question: Some("DTLS"),
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "certificate", "nothing to compare the fingerprint with")
        .of_handshakes(judge)
        .of_such(|seen| seen.is_for_media() && seen.record.outcome == Outcome::Completed)
}

fn judge(seen: &HandshakeSeen<'_>, report: &mut Report<'_>) {
    let record = seen.record;
    for (peer, endpoint) in [(Peer::Server, record.server), (Peer::Client, record.client)] {
        let Some(announced) = seen.announced.map(|announced| announced.at(endpoint)) else {
            return;
        };
        if let Some(why) = obstacle(seen, peer, &announced) {
            let who = peer.word();
            report.saw(Severity::Info, || sentence!("{endpoint}, {who}: {why}"));
        }
    }
}

/// Why the certificate of one side cannot be compared with what was announced for it.
fn obstacle(seen: &HandshakeSeen<'_>, of: Peer, announced: &[Announced]) -> Option<&'static str> {
    let read = seen.read;
    let (has, none_sent) = match of {
        Peer::Server => (!read.chain.is_empty(), false),
        Peer::Client => (!read.client_chain.is_empty(), read.client_certificate == Some(false)),
    };
    if announced.is_empty() || none_sent {
        None
    } else if has {
        let known = announced::comparable(announced).next();
        known.is_none().then_some("a fingerprint of an unknown hash")
    } else if read.is_tls13() {
        Some("DTLS 1.3 encrypts the certificate")
    } else if read.resumed == Some(true) {
        Some("a resumed session sends no certificate")
    } else {
        Some("the certificate was not captured")
    }
}
