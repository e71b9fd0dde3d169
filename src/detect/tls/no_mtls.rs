//! `TLS-NO-MTLS`: servers that cannot know by TLS who calls (RFC 5922 §7.4).

use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use crate::model::finding::{Figure, Severity};
use crate::model::handshake::Outcome;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A completed handshake up to TLS 1.2 over TCP in which the server asked for no certificate, or
    /// the client sent none. Medium between two hosts of which each took a TLS connection from the
    /// other: two servers, a trunk. Info otherwise: phones call, and are called over the connection
    /// that they made.
    ///
    /// ## Why it matters
    /// Between carriers the server cannot know who calls by TLS: the client must not be considered
    /// authenticated, and who reaches the port can place calls.
    ///
    /// ## Evidence
    /// The server's hello.
    ///
    /// ## False positives
    /// Phones authenticate with a digest instead; info only. A phone that takes TLS connections is
    /// taken for a server. In TLS 1.3 client certificates cannot be seen.
    ///
    /// ## Fix
    /// Between servers, ask for a certificate and check it.
    id: "TLS-NO-MTLS",
    name: "tls-no-mtls",
    title: "The client shows no certificate",
    severity: Info ..= Medium,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 5922 §7.4"],
    remediation: "Between servers, ask for a certificate and check it.",
    question: Some("TLS versions supported"),
    thresholds: [],
    since: "0.2.0",
}

/// Tally: the two are servers to each other.
const PEERING: usize = 0;

/// The rule at work.
pub(crate) struct NoMtls {
    /// By pair: who took connections, the first or the second by address, a bit each.
    served: Lately<u64, u8>,
}

pub(crate) fn new(policy: &Policy) -> NoMtls {
    NoMtls { served: Lately::new(policy.limits.peers) }
}

impl NoMtls {
    /// Whether the two are servers to each other, as far as was seen; and whether that is news.
    fn peering(&mut self, seen: &HandshakeSeen<'_>) -> (bool, bool) {
        let (client, server) = (seen.record.client.addr, seen.record.server.addr);
        let bit = if client.octets() < server.octets() { 1 } else { 2 };
        let pair = seen.pair.hash64();
        let before = if client == server {
            self.served.get(&pair)
        } else {
            self.served.get_or_put(pair, bit)
        };
        let now = before.unwrap_or(0) | bit;
        if before.is_some_and(|before| before != now) && client != server {
            self.served.put(pair, now);
        }
        (now == 3, before != Some(now))
    }
}

impl Detector for NoMtls {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        if seen.is_for_media() || record.outcome != Outcome::Completed {
            return;
        }
        let (peering, news) = self.peering(seen);
        if peering
            && news
            && let Some(known) = sink.concerns(&META, seen.pair, Severity::Medium)
        {
            let _ = known.mark(PEERING, 1);
        }
        if record.client_certificate != Some(false) {
            return;
        }
        let severity = if peering { Severity::Medium } else { Severity::Info };
        let sighting = Sighting::new(&META, seen.pair, seen.answered_at()).severity(severity);
        sink.sighting(sighting, |_| {
            let (client, server) = (record.client, record.server);
            (sentence!("{client} to {server}: no client certificate"), None)
        })
        .mark(PEERING, u64::from(peering))
        .handshake(seen.key);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let peering = entry.tally(PEERING) != 0;
        let both = if peering { "; each is a server to the other" } else { "" };
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "handshake"));
        Words {
            summary: sentence!("{count} without a client certificate between {of}{both}."),
            parameters: vec![
                ("handshakes", Figure::Count(entry.count)),
                ("peering", Figure::Flag(peering)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_peerings", self.served.evicted())
    }
}
