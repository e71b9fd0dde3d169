//! `TLS-CERT-CHANGED`: a server that shows another key than before (RFC 9325 §6).

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, printable, sentence};
use crate::model::addr::Endpoint;
use crate::model::finding::{Figure, Severity};
use crate::model::record::HandshakeKind;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A server over TCP whose own certificate holds another public key than the last one that it
    /// showed; high when the one before came from an authority and this one signed itself.
    ///
    /// ## Why it matters
    /// Certificates are renewed, often with a new key. Somebody who stands in between shows another
    /// one, too, and mostly one that signed itself.
    ///
    /// ## Evidence
    /// The handshake with the new certificate, and whose it is.
    ///
    /// ## False positives
    /// Renewal. Several machines behind one address, each with a key of its own: the finding then
    /// counts a change with nearly every handshake. TLS 1.3 hides certificates.
    ///
    /// ## Fix
    /// Ask the operator of the server whether the change was theirs.
    id: "TLS-CERT-CHANGED",
    name: "tls-cert-changed",
    title: "A server shows another certificate than before",
    severity: Info ..= High,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 9325 §6.1", "RFC 5922 §7.1"],
    remediation: "Ask the operator of the server whether the change was theirs.",
    question: None,
    thresholds: [],
    since: "0.2.0",
}

/// The rule at work.
pub(crate) struct CertChanged {
    /// By server: a hash of its last key, and whether it signed itself.
    last: HashMap<Endpoint, (u64, bool), FixedState>,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> CertChanged {
    CertChanged { last: HashMap::default(), cap: policy.limits.peers, evicted: 0 }
}

impl Detector for CertChanged {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let tls = seen.record.kind == HandshakeKind::Tls;
        let Some(own) = seen.read.chain.first().filter(|_| tls) else { return };
        let server = seen.record.server;
        if self.last.len() >= self.cap && !self.last.contains_key(&server) {
            self.evicted = self.evicted.saturating_add(1);
            return;
        }
        let before = self.last.insert(server, (own.key_hash, own.self_signed));
        let Some((key, was_self_signed)) = before else { return };
        if key == own.key_hash {
            return;
        }
        let worse = own.self_signed && !was_self_signed;
        let severity = if worse { Severity::High } else { Severity::Info };
        let sighting = Sighting::new(&META, seen.pair, seen.answered_at()).severity(severity);
        sink.sighting(sighting, |_| {
            let subject = printable(own.says.subject.as_bytes(), 128);
            let how = if worse { ", which signed itself" } else { "" };
            (sentence!("{server} shows another key, certificate of {subject}{how}"), None)
        })
        .handshake(seen.key);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "change"));
        Words {
            summary: sentence!("{count} of a server's key between {of}."),
            parameters: vec![("changes", Figure::Count(entry.count))],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_keys", self.evicted)
    }
}
