//! `TLS-VERSION-DANCE`: a client that tries again with less after a failure (RFC 9325 §3.1.3).

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use overhear_parsers::tls::client_hello::rank;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use crate::model::addr::stable_hash;
use crate::model::code_point::Version;
use crate::model::finding::Figure;
use crate::model::handshake::Outcome;
use crate::model::time::{Span, Ts};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A handshake that failed, and within ten seconds another of the same client with the same server
    /// that offers only older versions.
    ///
    /// ## Why it matters
    /// Whoever can make a handshake fail, by dropping a packet, chooses the version that the two agree
    /// on. Clients must not fall back by themselves.
    ///
    /// ## Evidence
    /// The hello that offers less, with the versions before and after.
    ///
    /// ## False positives
    /// A scanner that tries every version. An operator who changes settings meanwhile.
    ///
    /// ## Fix
    /// Update or configure the client so that it does not fall back; let the server refuse with
    /// inappropriate_fallback.
    id: "TLS-VERSION-DANCE",
    name: "tls-version-dance",
    title: "A client falls back to older versions by itself",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 9325 §3.1.3", "RFC 7507 §1"],
    remediation: "Update or configure the client so that it does not fall back; let the server refuse with inappropriate_fallback.",
    question: Some("TLS versions supported"),
    thresholds: ["tls_dance_s"],
    since: "0.2.0",
}

/// The rule at work.
pub(crate) struct VersionDance {
    /// By client and server: the version and the time of the last failure.
    failed: HashMap<u64, (u16, Ts), FixedState>,
    /// How soon the second hello follows.
    soon: Span,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> VersionDance {
    let seconds = i64::try_from(policy.thresholds.tls.tls_dance_s).unwrap_or(i64::MAX);
    let (soon, cap) = (Span::from_secs(seconds), policy.limits.peers);
    VersionDance { failed: HashMap::default(), soon, cap, evicted: 0 }
}

impl Detector for VersionDance {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let Some(hello) = &seen.read.hello else { return };
        let (client, server) = (seen.record.client.addr, seen.record.server);
        let pair = stable_hash(&(client, server));
        let (version, start) = (hello.highest_version(), seen.record.start);
        if let Some((before, at)) = self.failed.remove(&pair)
            && rank(version) < rank(before)
            && (Span::ZERO..=self.soon).contains(&start.since(at))
        {
            sink.sighting(Sighting::new(&META, seen.pair, seen.offered_at()), |_| {
                let (before, after) = (Version(before), Version(version));
                let what =
                    sentence!("{client} offers {server} {after} at most after {before} failed");
                (what, None)
            })
            .handshake(seen.key);
        }
        if seen.read.facts.outcome == Outcome::Refused {
            if self.failed.len() >= self.cap {
                self.evicted = self.evicted.saturating_add(self.failed.len() as u64);
                self.failed.clear();
            }
            self.failed.insert(pair, (version, seen.read.facts.last.time));
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "fallback"));
        Words {
            summary: sentence!("{count} to an older version between {of}."),
            parameters: vec![("fallbacks", Figure::Count(entry.count))],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_failures", self.evicted)
    }
}
