//! `TLS-RENEG-SEEN`: keys are agreed on once more within a connection (RFC 5246 §7.4.1.1).

use super::super::hop::HopSeen;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use crate::model::finding::{Confidence, Figure};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Up to TLS 1.2, behind the handshake and data, records of the handshake from both sides. What
    /// is in them is encrypted; their type shows.
    ///
    /// ## Why it matters
    /// Renegotiation without renegotiation_info lets somebody on the path put requests of its own
    /// before those of the client (TLS-INSECURE-RENEG), and it costs the server far more than the
    /// client.
    ///
    /// ## Evidence
    /// The second side's record.
    ///
    /// ## False positives
    /// Only records that begin a segment are looked at, so some are missed. Octets in the middle of a
    /// record may look like one, once in many millions of segments.
    ///
    /// ## Fix
    /// Forbid renegotiation where nobody needs it, or use TLS 1.3, which has none.
    id: "TLS-RENEG-SEEN",
    name: "tls-reneg-seen",
    title: "Keys are agreed on once more",
    severity: Info ..= Info,
    status: Preview,
    wants: [HOP],
    references: ["RFC 5246 §7.4.1.1", "RFC 9325 §3.5"],
    remediation: "Forbid renegotiation where nobody needs it, or use TLS 1.3, which has none.",
    question: None,
    thresholds: [],
    since: "0.2.0",
}

/// The rule at work.
pub(crate) struct RenegSeen;

pub(crate) const fn new(_: &Policy) -> RenegSeen {
    RenegSeen
}

impl Detector for RenegSeen {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn hop(&mut self, seen: &HopSeen, sink: &mut Sink) {
        let HopSeen::Renegotiated { client, server, at } = *seen else { return };
        let sighting = Sighting::new(&META, seen.pair(), at).confidence(Confidence::High);
        let _ = sink.sighting(sighting, |_| {
            (sentence!("handshake records of {client} and {server} behind data"), None)
        });
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "connection"));
        Words {
            summary: sentence!("{count} between {of} with another handshake inside."),
            parameters: vec![("connections", Figure::Count(entry.count))],
        }
    }
}
