//! `TLS-FP-NEW`: a client that suddenly greets otherwise (`CATALOGUE.md` B.5).

use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::HandshakeSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use crate::model::addr::stable_hash;
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A ClientHello over TCP whose JA4 the same client had not sent to the same server in at least
    /// five handshakes before.
    ///
    /// ## Why it matters
    /// The fingerprint tells one make and version of software from others: another device has the
    /// client's address, or it was updated.
    ///
    /// ## Evidence
    /// The hello with the new fingerprint.
    ///
    /// ## False positives
    /// Updates; several devices behind one address; clients that change their hellos on purpose. Only
    /// what is in the capture is known.
    ///
    /// ## Fix
    /// Ask the operator of the client whether something was changed there.
    id: "TLS-FP-NEW",
    name: "tls-fp-new",
    title: "A client greets as it did not before",
    severity: Info ..= Info,
    status: Preview,
    wants: [HANDSHAKE],
    references: ["RFC 8446 §4.1.2"],
    remediation: "Ask the operator of the client whether something was changed there.",
    question: None,
    thresholds: ["tls_fp_known"],
    since: "0.2.0",
}

/// Fingerprints kept of a client.
const KEPT: usize = 4;

/// Those of one client with one server.
#[derive(Copy, Clone, Default)]
struct Client {
    handshakes: u64,
    prints: [u64; KEPT],
    /// Where the next one goes.
    next: usize,
}

/// The rule at work.
pub(crate) struct FpNew {
    clients: Lately<u64, Client>,
    known: u64,
}

pub(crate) fn new(policy: &Policy) -> FpNew {
    FpNew { clients: Lately::new(policy.limits.peers), known: policy.thresholds.tls.tls_fp_known }
}

impl Detector for FpNew {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let signalling = !seen.is_for_media();
        let Some(prints) = seen.read.prints.as_ref().filter(|_| signalling) else { return };
        let (from, to) = (seen.record.client.addr, seen.record.server);
        let key = stable_hash(&(from, to));
        let mut client = self.clients.get(&key).unwrap_or_default();
        let print = stable_hash(&prints.ja4);
        if !client.prints.contains(&print) {
            if client.handshakes >= self.known {
                sink.sighting(Sighting::new(&META, seen.pair, seen.offered_at()), |_| {
                    (sentence!("{from} to {to}: JA4 {}", prints.ja4), None)
                })
                .handshake(seen.key);
            }
            if let Some(place) = client.prints.get_mut(client.next) {
                *place = print;
            }
            client.next = (client.next + 1) % KEPT;
        } else if client.handshakes >= self.known {
            // Nothing about it changes any more.
            return;
        }
        client.handshakes = client.handshakes.saturating_add(1);
        self.clients.put(key, client);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (of, count) = (entry.subject.spoken(), plural(entry.count, "new fingerprint"));
        Words {
            summary: sentence!("{count} of clients between {of}."),
            parameters: vec![
                ("fingerprints", Figure::Count(entry.count)),
                ("tls_fp_known", Figure::Count(self.known)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_fingerprints", self.clients.evicted())
    }
}
