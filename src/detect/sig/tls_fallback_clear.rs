//! `SIG-TLS-FALLBACK-CLEAR`: TLS fails, and the same client goes on in clear (RFC 9325 §3.2).

use super::super::hop::HopSeen;
use super::super::kinds::SIPS_PORT;
use super::super::lately::Lately;
use super::super::rule::{Detector, Interest, Meta, Words, rule};
use super::super::seen::{HandshakeSeen, SipSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::cleartext;
use crate::model::addr::{Addr, stable_hash};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::handshake::{Ending, Outcome};
use crate::model::time::Span;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A TLS handshake with port 5060 or 5061, or one that names SIP by ALPN or whose server signalling names for SIP over TLS, that one side refused (an alert, or the connection closed
    /// or reset before it was done), or a connection of TCP or association of SCTP to port 5061 that the server refused or did not
    /// answer, with no handshake completed since; and within 60 seconds an INVITE, REGISTER or MESSAGE in clear from
    /// the same client to the same server; unless there was such a message in clear in the 10 minutes
    /// before.
    ///
    /// ## Why it matters
    /// Whoever is on the path can make TLS fail with one packet. A client that goes on in clear then
    /// has no TLS: it has it as long as nobody minds.
    ///
    /// ## Evidence
    /// The request in clear, the frame in which TLS failed, and how.
    ///
    /// ## False positives
    /// A second device behind the same address. OPTIONS in clear, as a keep-alive, is not counted; but
    /// where it comes beside calls in clear, its time stands for theirs. A SYN or INIT that is sent again counts
    /// as not answered, so one that is lost on the way does, too.
    ///
    /// ## Fix
    /// Turn off the fallback in the client, and close the clear port of the server.
    id: "SIG-TLS-FALLBACK-CLEAR",
    name: "sig-tls-fallback-clear",
    title: "After TLS failed, signalling went on in clear",
    severity: Critical ..= Critical,
    status: Preview,
    wants: [OPENS, HANDSHAKE, HOP],
    references: ["RFC 9325 §3.2", "RFC 3261 §26"],
    remediation: super::FIX,
    question: None,
    thresholds: ["tls_fallback_s", "tls_fallback_quiet_s"],
    since: "0.1.0",
}

/// A handshake that failed.
#[derive(Copy, Clone)]
struct Failed {
    at: FrameRef,
    how: Ending,
}

/// The rule at work.
pub(crate) struct TlsFallbackClear {
    within: Span,
    quiet: Span,
    /// By client and server.
    failed: Lately<u64, Option<Failed>>,
}

pub(crate) fn new(policy: &Policy) -> TlsFallbackClear {
    TlsFallbackClear {
        within: Span::from_secs(policy.thresholds.fallback.tls_fallback_s),
        quiet: Span::from_secs(policy.thresholds.fallback.tls_fallback_quiet_s),
        failed: Lately::new(policy.limits.peers),
    }
}

/// Names who wants what of whom.
fn hop(client: Addr, server: Addr) -> u64 {
    stable_hash(&(client.octets(), server.octets()))
}

impl TlsFallbackClear {
    /// Remembers a failure, unless clear signalling is as usual, which is no fallback.
    fn fails(&mut self, hop: u64, failed: Failed, pair: Subject, sink: &Sink) {
        let before = sink.known(&cleartext::META, pair).and_then(cleartext::opened);
        let usual = |clear: FrameRef| failed.at.time.since(clear.time) <= self.quiet;
        if !before.is_some_and(usual) {
            self.failed.put(hop, Some(failed));
        }
    }
}

impl TlsFallbackClear {
    /// TLS came about after all.
    fn works(&mut self, hop: u64) {
        if self.failed.get(&hop).flatten().is_some() {
            self.failed.put(hop, None);
        }
    }
}

impl Detector for TlsFallbackClear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let sip = matches!(record.server.port, 5060 | SIPS_PORT) || seen.is_sip() == Some(true);
        if seen.is_for_media() || !sip {
            return;
        }
        let hop = hop(record.client.addr, record.server.addr);
        if record.outcome == Outcome::Refused {
            let failed = Failed { at: seen.read.facts.last, how: record.ended_by };
            self.fails(hop, failed, seen.pair, sink);
        } else if record.outcome == Outcome::Completed {
            self.works(hop);
        }
    }

    fn hop(&mut self, seen: &HopSeen, sink: &mut Sink) {
        let HopSeen::Unanswered { client, server, at, reset } = *seen else {
            if let HopSeen::Established { client, server } = *seen {
                self.works(hop(client.addr, server.addr));
            }
            return;
        };
        let how = if reset { Ending::ServerReset } else { Ending::Silence };
        self.fails(hop(client.addr, server.addr), Failed { at, how }, seen.pair(), sink);
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let event = seen.event;
        if self.failed.is_empty() || !seen.kind.meets(Interest::OPENS) || event.encrypted {
            return;
        }
        let failed = self.failed.get(&hop(event.src.addr, event.dst.addr)).flatten();
        let Some(failed) = failed else { return };
        let after = event.at.time.since(failed.at.time);
        if after < Span::ZERO || after > self.within || seen.placement.retransmission {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, event.at)
            .severity(Severity::Critical)
            .confidence(Confidence::High);
        let _ = sink
            .sighting(sighting, |_| {
                let (what, seconds) = (seen.describe(), after.secs_f64());
                let (how, frame) = (failed.how.word(), failed.at.frame.number);
                let failure = sentence!("TLS failed ({how}) in frame {frame}");
                (sentence!("{what} in clear {seconds:.1} s after {failure}"), None)
            })
            .call(seen.placement.call)
            .record(seen.placement.registration);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} between {} in clear within {:.0} seconds of a TLS handshake that failed.",
                plural(entry.count, "request"),
                entry.subject.spoken(),
                self.within.secs_f64(),
            ),
            parameters: vec![
                ("requests", Figure::Count(entry.count)),
                ("tls_fallback_s", Figure::Number(self.within.secs_f64())),
                ("tls_fallback_quiet_s", Figure::Number(self.quiet.secs_f64())),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("failed_handshakes", self.failed.evicted())
    }
}
