//! `AUTH-NO-QOP`: digest as it was in RFC 2069, without a client nonce (RFC 8760 §2).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, printable, sentence};
use super::{challenges, credentials, is_digest};
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A digest challenge without `qop`, or credentials with a digest response but without `qop`.
    ///
    /// ## Why it matters
    /// Without qop there is no client nonce and no nonce counter. A captured response stays valid
    /// for the same method and URI as long as the server accepts the nonce, so it can be replayed;
    /// and whoever chooses the nonce can look passwords up in tables made beforehand.
    ///
    /// ## Evidence
    /// The challenge with its realm, or the request with its user.
    ///
    /// ## False positives
    /// AKA digests of mobile networks come with qop too; none are known without.
    ///
    /// ## Fix
    /// Send `qop="auth"` in every challenge and refuse answers without it.
    id: "AUTH-NO-QOP",
    name: "auth-no-qop",
    title: "Digest authentication without qop can be replayed",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [CHALLENGE, CREDENTIALS],
    references: ["RFC 8760 §2", "RFC 7616 §3.4"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// Tally: challenges; responses.
const CHALLENGED: usize = 0;
const ANSWERED: usize = 1;

/// The rule at work.
pub(crate) struct NoQop;

pub(crate) const fn new(_: &Policy) -> NoQop {
    NoQop
}

impl Detector for NoQop {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if seen.placement.retransmission {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.event.at);
        let bare = challenges(seen).filter(is_digest).find(|auth| auth.qop().is_none());
        if let Some(auth) = bare {
            sink.sighting(sighting.kind(0), |_| {
                let realm = printable(auth.realm().unwrap_or_default(), 64);
                (sentence!("{} without qop, realm \"{realm}\"", seen.describe()), None)
            })
            .add(CHALLENGED, 1)
            .call(seen.placement.call)
            .record(seen.placement.registration);
        }
        let bare = credentials(seen).filter(is_digest).find(|auth| {
            auth.qop().is_none() && auth.response().is_some_and(|response| !response.is_empty())
        });
        if let Some(auth) = bare {
            sink.sighting(sighting.kind(1), |_| {
                let user = printable(auth.username().unwrap_or_default(), 64);
                (sentence!("{} answers without qop, user \"{user}\"", seen.describe()), None)
            })
            .add(ANSWERED, 1)
            .call(seen.placement.call)
            .record(seen.placement.registration);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (challenged, answered) = (entry.tally(CHALLENGED), entry.tally(ANSWERED));
        Words {
            summary: sentence!(
                "{} and {} without qop between {}.",
                plural(challenged, "digest challenge"),
                plural(answered, "digest answer"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("challenges", Figure::Count(challenged)),
                ("answers", Figure::Count(answered)),
            ],
        }
    }
}
