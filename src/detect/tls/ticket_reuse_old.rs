//! `TLS-TICKET-REUSE-OLD`: a server takes tickets that are days old (RFC 9325 §3.4).

use overhear_parsers::tls::ClientHello;

use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use crate::model::addr::stable_hash;
use crate::model::finding::{Figure, Severity};
use crate::model::time::{Span, Ts};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A session that goes on with a ticket which was given, or used before, more than 48 hours ago.
    ///
    /// ## Why it matters
    /// Whoever gets the key that seals tickets reads every session that used them; as long as the
    /// server takes old ones it has kept that key.
    ///
    /// ## Evidence
    /// The handshake that went on, with the age of the ticket.
    ///
    /// ## False positives
    /// In TLS 1.3 tickets are given encrypted: only one that is used twice is known, and clients
    /// should not do that.
    ///
    /// ## Fix
    /// Change the key that seals tickets at least daily, and shorten their lifetime.
    id: "TLS-TICKET-REUSE-OLD",
    name: "tls-ticket-reuse-old",
    title: "A server takes session tickets that are days old",
    severity: Low ..= Low,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 9325 §3.4", "RFC 5077 §5.6"],
    remediation: "Change the key that seals tickets at least daily, and shorten their lifetime.",
    question: None,
    thresholds: ["tls_ticket_hours"],
    since: "0.2.0",
}

/// The rule at work.
pub(crate) struct TicketReuseOld {
    most: Span,
    /// By a hash of the ticket: when it was first seen.
    tickets: Lately<u64, Ts>,
}

pub(crate) fn new(policy: &Policy) -> TicketReuseOld {
    let hours = i64::try_from(policy.thresholds.tls.tls_ticket_hours).unwrap_or(i64::MAX);
    TicketReuseOld {
        most: Span::from_secs(hours.saturating_mul(3_600)),
        tickets: Lately::new(policy.limits.peers),
    }
}

impl TicketReuseOld {
    /// When a ticket was first seen.
    fn since(&mut self, ticket: &[u8], now: Ts) -> Ts {
        let hash = stable_hash(&ticket);
        let known = self.tickets.get(&hash);
        if known.is_none() {
            self.tickets.put(hash, now);
        }
        known.unwrap_or(now)
    }
}

impl Detector for TicketReuseOld {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let now = seen.record.start;
        if let Some(given) = seen.read.ticket.filter(|ticket| !ticket.is_empty()) {
            self.since(given, now);
        }
        let resumed = seen.record.resumed == Some(true);
        let offered = seen.read.hello.as_ref().filter(|_| resumed);
        let Some(ticket) = offered.and_then(ClientHello::ticket_offered) else { return };
        let age = now.since(self.since(ticket, now));
        if age <= self.most {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.answered_at()).severity(Severity::Low);
        sink.sighting(sighting, |_| {
            let (server, hours) = (seen.record.server, age.secs_f64() / 3_600.0);
            (sentence!("{server} takes a ticket of {hours:.0} hours before"), None)
        })
        .handshake(seen.key);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "session"));
        let hours = self.most.secs_f64() / 3_600.0;
        Words {
            summary: sentence!("{count} between {of} with tickets of more than {hours:.0} hours."),
            parameters: vec![
                ("sessions", Figure::Count(entry.count)),
                ("tls_ticket_hours", Figure::Number(hours)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_tickets", self.tickets.evicted())
    }
}
