//! `SIPS-REGISTER-BOTH`: one Contact registered as `sips` and as `sip` (RFC 5630 §5.1.1.1).

use overhear_parsers::sip::uri::Scheme;
use overhear_parsers::sip::{HeaderName, Method};

use super::super::lately::Lately;
use super::super::rule::{Detector, Interest, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use crate::model::addr::stable_hash;
use crate::model::finding::{Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A REGISTER that has one user and host both as a `sips` and as a `sip` Contact; or one with a
    /// `sip` Contact after another that registered the same as `sips`.
    ///
    /// ## Why it matters
    /// RFC 5630 forbids it: a `sips` Contact can be reached by `sip` requests anyhow. With both, calls
    /// ring twice, and one of the two ways is without TLS.
    ///
    /// ## Evidence
    /// The REGISTER.
    ///
    /// ## False positives
    /// A device that was configured anew between two registrations.
    ///
    /// ## Fix
    /// Register the `sips` Contact only.
    id: "SIPS-REGISTER-BOTH",
    name: "sips-register-both",
    title: "A Contact is registered with and without TLS",
    severity: Low ..= Low,
    status: Preview,
    wants: [OPENS],
    references: ["RFC 5630 §5.1.1.1"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct RegisterBoth {
    /// User and host of `sips` Contacts.
    secure: Lately<u64, ()>,
}

pub(crate) fn new(policy: &Policy) -> RegisterBoth {
    RegisterBoth { secure: Lately::new(policy.limits.peers) }
}

impl Detector for RegisterBoth {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        // Nearly nobody registers sips Contacts.
        if self.secure.is_empty() && !seen.kind.meets(Interest::SIPS) {
            return;
        }
        let message = &seen.event.message;
        if message.method() != Method::Register || seen.placement.retransmission {
            return;
        }
        let contacts = |scheme: Scheme| {
            let all = message.addresses(HeaderName::Contact).map(|contact| contact.uri());
            let wanted = all.filter(move |uri| uri.scheme == scheme);
            wanted.map(|uri| stable_hash(&(uri.user, uri.host)))
        };
        for contact in contacts(Scheme::Sips) {
            self.secure.put(contact, ());
        }
        if contacts(Scheme::Sip).any(|contact| self.secure.get(&contact).is_some()) {
            let sighting = Sighting::new(&META, seen.pair, seen.event.at).severity(Severity::Low);
            let _ = sink
                .sighting(sighting, |_| {
                    (sentence!("REGISTER of a sip Contact that is also a sips one"), None)
                })
                .record(seen.placement.registration);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} between {}: a Contact is registered with and without TLS.",
                plural(entry.count, "registration"),
                entry.subject.spoken(),
            ),
            parameters: vec![("registrations", Figure::Count(entry.count))],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("sips_contacts", self.secure.evicted())
    }
}
