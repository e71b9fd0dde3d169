//! `MEDIA-DOWNGRADE-RETRY`: a call that was refused with security and accepted without (RFC 3261 §8.1.3.5).

use super::super::lately::Lately;
use super::super::negotiation::{MediaLine, NegotiationSeen};
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{at_least, plural, sentence};
use crate::correlate::exchange::Reply;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::id::RecordKey;
use crate::model::time::Span;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An INVITE that offers media in secure profiles only and is refused with 403, 415, 488, 580 or
    /// 606; and within 30 seconds an INVITE of the same caller to the same callee that offers plain
    /// RTP without keys and is accepted, in the same call or in another one.
    ///
    /// ## Why it matters
    /// The caller wanted encryption and gave it up by itself. Anybody on the path who can send a 488
    /// decides that the call is made in clear.
    ///
    /// ## Evidence
    /// The refusal's status, and the answer that let the plain call through.
    ///
    /// ## False positives
    /// A user who dials again from another device. Within 5 seconds confidence is high, later it is
    /// medium.
    ///
    /// ## Fix
    /// Configure secure media as mandatory on the caller's side, and find out why the other side
    /// refuses it.
    id: "MEDIA-DOWNGRADE-RETRY",
    name: "media-downgrade-retry",
    title: "After a refusal, calls are made again without encryption",
    severity: High ..= High,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 3261 §8.1.3.5", "RFC 8643"],
    remediation: super::DOWNGRADE_FIX,
    question: None,
    thresholds: ["downgrade_retry_s", "downgrade_at_once_s"],
    since: "0.1.0",
}

/// A secure offer that was refused.
#[derive(Copy, Clone)]
struct Refused {
    at: FrameRef,
    status: u16,
    call: RecordKey,
}

/// The rule at work.
pub(crate) struct DowngradeRetry {
    within: Span,
    /// A retry so soon is no user's.
    at_once: Span,
    /// By caller, callee and Request-URI.
    refused: Lately<u64, Refused>,
}

pub(crate) fn new(policy: &Policy) -> DowngradeRetry {
    DowngradeRetry {
        within: Span::from_secs(policy.thresholds.fallback.downgrade_retry_s),
        at_once: Span::from_secs(policy.thresholds.fallback.downgrade_at_once_s),
        refused: Lately::new(policy.limits.peers),
    }
}

impl Detector for DowngradeRetry {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn negotiation(&mut self, seen: &NegotiationSeen<'_>, sink: &mut Sink) {
        let exchange = seen.exchange;
        let Some(offer) = exchange.offer.as_ref().filter(|offer| offer.parties != 0) else {
            return;
        };
        if let (true, Reply::Refusal { status, at }) =
            (exchange.refuses_security(), &exchange.reply)
        {
            self.refused
                .put(offer.parties, Refused { at: *at, status: *status, call: exchange.call });
            return;
        }
        let plain = seen.offered.iter().any(MediaLine::plain)
            && !seen.offered.iter().any(|media| media.secure || media.keyings() > 0);
        if !plain || !exchange.accepts || exchange.answer().is_none() {
            return;
        }
        let Some(refused) = self.refused.get(&offer.parties) else { return };
        let after = offer.at.time.since(refused.at.time);
        if after < Span::ZERO || after > self.within {
            return;
        }
        let machine = after <= self.at_once || refused.call == exchange.call;
        let confidence = if machine { Confidence::High } else { Confidence::Medium };
        let sighting = Sighting::new(&META, seen.pair, seen.at)
            .severity(Severity::High)
            .confidence(confidence);
        let _ = sink
            .sighting(sighting, |_| {
                let seconds = after.secs_f64();
                let status = refused.status;
                (sentence!("refused with {status}, offered in clear {seconds:.1} s later"), None)
            })
            .call(Some(exchange.call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{}{} between {} went on in clear after encryption was refused.",
                at_least(entry.exhausted),
                plural(entry.calls, "call"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("calls", Figure::Count(entry.calls)),
                ("downgrade_retry_s", Figure::Number(self.within.secs_f64())),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("refused_offers", self.refused.evicted())
    }
}
