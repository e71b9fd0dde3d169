//! `TLS-HANDSHAKE-FAILED`: handshakes that one side ended, by why (RFC 8446 §6.2).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::shows::Shows;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::{Detail, Place};
use crate::model::finding::Figure;
use crate::model::handshake::{Ending, HandshakeFacts, Outcome, Peer};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A handshake ended by a fatal alert, or by one side hanging up before it was done; how many of
    /// them for which reason, and how many the client ended.
    ///
    /// ## Why it matters
    /// Calls fail, or go in clear instead. The alert says why: protocol_version, handshake_failure and
    /// insufficient_security a mismatch of settings, those about certificates who does not trust whom.
    ///
    /// ## Evidence
    /// What ended it: the alert, or the packet with which one side hung up.
    ///
    /// ## False positives
    /// Scanners and health checks open connections and leave.
    ///
    /// ## Fix
    /// Compare what the client offers with what the server accepts; look at the alert.
    id: "TLS-HANDSHAKE-FAILED",
    name: "tls-handshake-failed",
    title: "Handshakes are refused",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 8446 §6.2"],
    remediation: "Compare what the client offers with what the server accepts; look at the alert.",
    question: Some("TLS versions supported"),
    thresholds: [],
    since: "0.2.0",
}

/// Reasons: the tally of each, its parameter, and what it is called in a sentence.
const REASONS: [(&str, &str); 5] = [
    ("version", "for the version"),
    ("settings", "for other settings"),
    ("certificate", "for a certificate"),
    ("hung_up", "without a word"),
    ("other", "for other reasons"),
];
const VERSION: usize = 0;
const SETTINGS: usize = 1;
const CERTIFICATE: usize = 2;
const HUNG_UP: usize = 3;
const OTHER: usize = 4;

/// Tally: those that the client ended.
const BY_CLIENT: usize = 5;

/// The rule at work.
pub(crate) struct HandshakeFailed;

pub(crate) const fn new(_: &Policy) -> HandshakeFailed {
    HandshakeFailed
}

/// Why, as the alert says (RFC 8446 §6.2, RFC 5246 §7.2.2).
const fn reason(facts: &HandshakeFacts) -> usize {
    match (facts.ending, facts.alert) {
        (Ending::Alert, Some((alert, _))) => match alert.description {
            // protocol_version, inappropriate_fallback
            70 | 86 => VERSION,
            // handshake_failure, illegal_parameter, insufficient_security, missing_extension,
            // unsupported_extension, unknown_psk_identity, no_application_protocol
            40 | 47 | 71 | 109 | 110 | 115 | 120 => SETTINGS,
            // no_certificate to unknown_ca, access_denied, decrypt_error, the certificate's status,
            // certificate_required
            41..=46 | 48 | 49 | 51 | 111 | 113 | 114 | 116 => CERTIFICATE,
            _ => OTHER,
        },
        (Ending::Alert, None) => OTHER,
        _ => HUNG_UP,
    }
}

/// What ended it, for a sentence.
const fn detail(facts: &HandshakeFacts) -> Detail<'static> {
    match (facts.alert, facts.ending) {
        (Some((alert, _)), Ending::Alert) => Detail::Alert(alert.description),
        (_, Ending::Alert) => Detail::Word("an encrypted alert"),
        (_, Ending::ServerReset) => Detail::Word("reset by the server"),
        (_, Ending::ServerClosed) => Detail::Word("closed by the server"),
        (_, Ending::ClientReset) => Detail::Word("reset by the client"),
        _ => Detail::Word("closed by the client"),
    }
}

/// Whether the client ended it.
fn is_by_client(facts: &HandshakeFacts) -> bool {
    match (facts.ending, facts.alert) {
        (Ending::Alert, Some((_, from))) => from == Peer::Client,
        (ending, _) => matches!(ending, Ending::ClientReset | Ending::ClientClosed),
    }
}

impl Detector for HandshakeFailed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn looks_at(&self, seen: &HandshakeSeen<'_>, _: Shows) -> bool {
        seen.read.facts.outcome == Outcome::Refused
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let facts = seen.read.facts;
        if facts.outcome != Outcome::Refused {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, Place::End.of(seen));
        sink.sighting(sighting, |_| {
            let (client, server) = (seen.record.client, seen.record.server);
            (sentence!("{client} to {server}: {}", detail(facts)), None)
        })
        .add(reason(facts), 1)
        .add(BY_CLIENT, u64::from(is_by_client(facts)))
        .handshake(seen.key);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "handshake"));
        let reasons: Vec<String> = (0..)
            .zip(REASONS)
            .map(|(slot, (_, words))| (entry.tally(slot), words))
            .filter(|(count, _)| *count > 0)
            .map(|(count, words)| format!("{count} {words}"))
            .collect();
        let mut parameters = vec![("handshakes", Figure::Count(entry.count))];
        let counts = (0..).zip(REASONS).map(|(slot, (name, _))| (name, entry.tally(slot)));
        parameters.extend(counts.map(|(name, count)| (name, Figure::Count(count))));
        parameters.push(("by_client", Figure::Count(entry.tally(BY_CLIENT))));
        Words {
            summary: sentence!("{count} refused between {of}: {}.", reasons.join(", ")),
            parameters,
        }
    }
}
