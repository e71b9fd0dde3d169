//! `SIG-MIXED-TRANSPORT`: two peers that use TLS, and do without it as well (RFC 9325 §3.2).

use super::super::kinds::SIPS_PORT;
use super::super::lately::Lately;
use super::super::rule::{Detector, Interest, Meta, Words, rule};
use super::super::seen::{HandshakeSeen, SipSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::cleartext;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Figure, Severity};
use crate::model::handshake::Outcome;
use crate::model::time::Span;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Two hosts between which there was TLS for SIP (a handshake with port 5061, one that names SIP by ALPN, one with a server that
    /// signalling names for SIP over TLS, or SIP that could be decrypted), and within 24 hours an INVITE, REGISTER or MESSAGE in clear.
    ///
    /// ## Why it matters
    /// An attacker need not break TLS where the same two peers talk without it as well: it is enough
    /// to wait, or to block the port. Users and operators who see TLS believe that all is encrypted.
    ///
    /// ## Evidence
    /// The requests in clear, and the handshake.
    ///
    /// ## False positives
    /// Several systems behind one address, of which one has no TLS. OPTIONS in clear, as a keep-alive,
    /// is not counted. Of messages in clear before the first handshake only the last time is known, so
    /// a keep-alive may stand for them there.
    ///
    /// ## Fix
    /// Close the clear port on both sides, and configure TLS as the only transport.
    id: "SIG-MIXED-TRANSPORT",
    name: "sig-mixed-transport",
    title: "Peers use TLS, and do without it as well",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [OPENS, HANDSHAKE],
    references: ["RFC 9325 §3.2", "RFC 3261 §26"],
    remediation: super::FIX,
    question: None,
    thresholds: ["mixed_transport_h"],
    since: "0.1.0",
}

/// Tally: requests in clear.
const CLEAR: usize = 0;

/// The rule at work.
pub(crate) struct MixedTransport {
    within: Span,
    /// The last TLS between two peers.
    tls: Lately<u64, FrameRef>,
}

pub(crate) fn new(policy: &Policy) -> MixedTransport {
    MixedTransport {
        within: Span::from_secs(policy.thresholds.fallback.mixed_transport_h.saturating_mul(3_600)),
        tls: Lately::new(policy.limits.peers),
    }
}

impl MixedTransport {
    /// TLS between two peers; were there clear messages before?
    fn secured(&mut self, pair: Subject, at: FrameRef, sink: &mut Sink) {
        self.tls.put(pair.hash64(), at);
        let before = sink.known(&cleartext::META, pair).and_then(cleartext::opened);
        if before.is_some_and(|clear| self.is_near(clear, at)) {
            let sighting = Sighting::new(&META, pair, at).severity(Severity::Medium).kind(1);
            let _ = sink.sighting(sighting, |_| (sentence!("TLS after messages in clear"), None));
        }
    }

    fn is_near(&self, one: FrameRef, other: FrameRef) -> bool {
        let apart = other.time.since(one.time);
        apart <= self.within && apart >= Span::from_nanos(self.within.nanos().saturating_neg())
    }
}

impl Detector for MixedTransport {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if !seen.kind.meets(Interest::OPENS) || seen.placement.retransmission {
            return;
        }
        if seen.event.encrypted {
            self.secured(seen.pair, seen.event.at, sink);
            return;
        }
        let Some(tls) = self.tls.get(&seen.pair.hash64()) else { return };
        if !self.is_near(tls, seen.event.at) {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.event.at).severity(Severity::Medium);
        let _ = sink
            .sighting(sighting, |_| {
                let transport = seen.event.transport.name();
                let frame = tls.frame.number;
                let what = seen.describe();
                (sentence!("{what} in clear over {transport}; TLS in frame {frame}"), None)
            })
            .add(CLEAR, 1)
            .call(seen.placement.call)
            .record(seen.placement.registration);
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let done = record.outcome == Outcome::Completed;
        let sip = record.server.port == SIPS_PORT || seen.is_sip() == Some(true);
        if done && !seen.is_for_media() && sip {
            self.secured(seen.pair, seen.offered_at(), sink);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let clear = entry.tally(CLEAR);
        let requests = match clear {
            0 => "messages".to_owned(),
            n => plural(n, "request").to_string(),
        };
        Words {
            summary: sentence!(
                "{} use TLS, and sent {requests} in clear within {} hours of it.",
                entry.subject.spoken(),
                self.within.nanos() / Span::from_secs(3_600).nanos(),
            ),
            parameters: vec![
                ("requests_in_clear", Figure::Count(clear)),
                ("mixed_transport_h", Figure::Number(self.within.secs_f64() / 3_600.0)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_peers", self.tls.evicted())
    }
}
