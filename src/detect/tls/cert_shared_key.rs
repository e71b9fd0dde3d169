//! `TLS-CERT-SHARED-KEY`: peers that have nothing to do with each other and one key (RFC 9325 §6).

use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::{Named, Place};
use crate::correlate::certificates::Known;
use crate::model::addr::{Addr, stable_hash};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// The same public key in the certificates of two hosts over TLS that are neither in one network
    /// (the first 24 bits of IPv4, 64 of IPv6) nor were asked for by the same server_name.
    ///
    /// ## Why it matters
    /// Where a product brings its key along, everybody who bought one has it, and can stand in for
    /// all others.
    ///
    /// ## Evidence
    /// The handshake in which the key was seen at the second host, and the first host.
    ///
    /// ## False positives
    /// One operator's servers in several places that share a certificate, and whose clients send no
    /// server_name.
    ///
    /// ## Fix
    /// Make a new key on each device; replace certificates that came with the product.
    id: "TLS-CERT-SHARED-KEY",
    name: "tls-cert-shared-key",
    title: "Unrelated peers have the same key",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 9325 §6.1", "RFC 5922 §7.1"],
    remediation: "Make a new key on each device; replace certificates that came with the product.",
    question: None,
    thresholds: [],
    since: "0.2.0",
}

/// Who showed a key first.
#[derive(Copy, Clone)]
struct First {
    at: Addr,
    /// A hash of the name that it was asked for by; 0 without one.
    name: u64,
}

/// The rule at work.
pub(crate) struct CertSharedKey {
    /// By a hash of the key.
    first: Lately<u64, First>,
}

pub(crate) fn new(policy: &Policy) -> CertSharedKey {
    CertSharedKey { first: Lately::new(policy.limits.peers) }
}

/// Whether two hosts are in one network.
fn is_near(one: Addr, other: Addr) -> bool {
    match (one.as_v4(), other.as_v4()) {
        (Some(one), Some(other)) => one.first_chunk::<3>() == other.first_chunk::<3>(),
        (None, None) => one.octets().first_chunk::<8>() == other.octets().first_chunk::<8>(),
        _ => false,
    }
}

impl CertSharedKey {
    fn show(&mut self, own: &Known, at: Addr, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let served = at == seen.record.server.addr;
        let place = if served { Place::Certificate } else { Place::ClientCertificate };
        let sni = seen.record.sni.as_deref().filter(|_| served);
        let name = sni.map_or(0, |name| stable_hash(&name.to_ascii_lowercase()));
        let first = self.first.get_or_put(own.key_hash, First { at, name });
        let Some(first) = first else { return };
        let same_name = name != 0 && name == first.name;
        if first.at == at || is_near(first.at, at) || same_name {
            return;
        }
        let pair = Subject::pair(first.at, at);
        let sighting = Sighting::new(&META, pair, place.of(seen))
            .severity(Severity::Medium)
            .confidence(Confidence::Medium);
        sink.sighting(sighting, |_| {
            (sentence!("{at} has the key of {}, {}", first.at, Named(own)), None)
        })
        .handshake(seen.key);
    }
}

impl Detector for CertSharedKey {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        if seen.is_for_media() {
            return;
        }
        if let Some(own) = seen.read.chain.first() {
            self.show(own, seen.record.server.addr, seen, sink);
        }
        if let Some(own) = seen.read.client_chain.first() {
            self.show(own, seen.record.client.addr, seen, sink);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "handshake"));
        Words {
            summary: sentence!("{of} have the same key, seen in {count}."),
            parameters: vec![("handshakes", Figure::Count(entry.count))],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_shared_keys", self.first.evicted())
    }
}
