//! `TLS-NO-PQ`: what is recorded today and could be opened later (RFC 8446 §4.2.7).

use overhear_parsers::tls::registry;

use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{HandshakeSeen, SipSeen};
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::Detail;
use crate::model::addr::stable_hash;
use crate::model::finding::{Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A group without ML-KEM that was agreed on, or up to TLS 1.2 a key exchange of another kind: RSA,
    /// or Diffie-Hellman over a prime. Where the TLS of the two was opened with secrets, also how many
    /// calls told their SRTP keys inside such a connection.
    ///
    /// ## Why it matters
    /// What is recorded today could be opened by a future quantum computer, the SRTP keys in the SDP
    /// included, and with them the media.
    ///
    /// ## Evidence
    /// The server's hello, with the group or the suite.
    ///
    /// ## False positives
    /// None: an observation about the future. Sessions that were resumed without a key exchange are
    /// not looked at, nor keys that were shared beforehand.
    ///
    /// ## Fix
    /// Offer and accept X25519MLKEM768 where both ends know it.
    id: "TLS-NO-PQ",
    name: "tls-no-pq",
    title: "The key exchange does not withstand a quantum computer",
    severity: Info ..= Info,
    status: Preview,
    wants: [HANDSHAKE, CRYPTO],
    references: ["RFC 8446 §4.2.7"],
    remediation: "Offer and accept X25519MLKEM768 where both ends know it.",
    question: Some("TLS versions supported"),
    thresholds: [],
    since: "0.2.0",
}

/// Distinct count: calls whose keys crossed such a connection.
const CALLS: usize = 0;

/// The rule at work.
pub(crate) struct NoPq {
    /// By pair: whether the last key exchange of the two would be opened.
    last: Lately<u64, bool>,
}

pub(crate) fn new(policy: &Policy) -> NoPq {
    NoPq { last: Lately::new(policy.limits.peers) }
}

/// The key exchange of a handshake: its group or its suite, and whether a quantum computer would open
/// it. `None` where there was none or it is not known.
fn exchange(seen: &HandshakeSeen<'_>) -> Option<(Detail<'static>, bool)> {
    if let Some(group) = seen.read.group() {
        return Some((Detail::Group(group), !registry::is_post_quantum(group)));
    }
    let full = !seen.read.is_tls13() && seen.read.resumed == Some(false);
    let suite = seen.suite.filter(|suite| full && !matches!(suite.exchange, "PSK" | "NULL"))?;
    Some((Detail::Suite(suite.id), true))
}

impl Detector for NoPq {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let Some((what, opens)) = exchange(seen) else { return };
        let pair = seen.pair.hash64();
        if self.last.get_or_put(pair, opens).is_some_and(|before| before != opens) {
            self.last.put(pair, opens);
        }
        if !opens {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.answered_at()).severity(Severity::Info);
        sink.sighting(sighting, |_| {
            let (client, server) = (seen.record.client, seen.record.server);
            (sentence!("{client} to {server}: {what}"), None)
        })
        .handshake(seen.key);
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if !seen.event.encrypted || self.last.get(&seen.pair.hash64()) != Some(true) {
            return;
        }
        let Some(call) = seen.placement.call else { return };
        if let Some(known) = sink.concerns(&META, seen.pair, Severity::Info) {
            let _ = known.distinct(CALLS, stable_hash(&call.id)).call(Some(call));
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, calls) = (entry.subject.spoken(), entry.distinct(CALLS));
        let handshakes = plural(entry.count, "handshake");
        let summary = if calls > 0 {
            sentence!(
                "{handshakes} between {of}; the SRTP keys of {} crossed it.",
                plural(calls, "call")
            )
        } else {
            sentence!("{handshakes} between {of}.")
        };
        Words {
            summary,
            parameters: vec![
                ("handshakes", Figure::Count(entry.count)),
                ("calls_with_keys", Figure::Count(calls)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_exchanges", self.last.evicted())
    }
}
