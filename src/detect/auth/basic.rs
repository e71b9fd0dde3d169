//! `AUTH-BASIC`: a password that needs no guessing (RFC 8760 §2.6).

use overhear_parsers::sip::auth::AuthScheme;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, printable, sentence};
use super::{challenges, credentials};
use crate::model::finding::Figure;
use crate::model::revealed::Kind;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A SIP server that asks for Basic authentication, or a client that answers with it.
    ///
    /// ## Why it matters
    /// Basic credentials are the password itself in Base64: whoever sees one request can register
    /// and call as that user. A server that asks for Basic gets it from any client that obeys.
    ///
    /// ## Evidence
    /// The challenge with its realm, or the request with the length of its credentials and a
    /// label; never the credentials.
    ///
    /// ## False positives
    /// None known: RFC 8760 forbids both asking for Basic and accepting it. Inside TLS only the two
    /// ends can read it, and the finding still holds.
    ///
    /// ## Fix
    /// Offer digest with SHA-256 and qop=auth, over TLS; change every password that was sent.
    id: "AUTH-BASIC",
    name: "auth-basic",
    title: "Passwords are sent or asked for as they are (Basic authentication)",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [CHALLENGE, CREDENTIALS],
    references: ["RFC 8760 §2.6", "RFC 3261 §22"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// Tally: challenges; credentials.
const ASKED: usize = 0;
const GIVEN: usize = 1;

/// The rule at work.
pub(crate) struct Basic;

pub(crate) const fn new(_: &Policy) -> Basic {
    Basic
}

impl Detector for Basic {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if seen.placement.retransmission {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.event.at);
        for auth in challenges(seen).filter(|auth| auth.scheme == AuthScheme::Basic) {
            sink.sighting(sighting.kind(0), |_| {
                let realm = printable(auth.realm().unwrap_or_default(), 64);
                (sentence!("{} asks for Basic, realm \"{realm}\"", seen.describe()), None)
            })
            .add(ASKED, 1)
            .call(seen.placement.call)
            .record(seen.placement.registration);
        }
        for auth in credentials(seen).filter(|auth| auth.scheme == AuthScheme::Basic) {
            sink.sighting(sighting.kind(1), |labels| {
                let token = auth.token().map_or_else(String::new, |token| {
                    labels.label(Kind::Credentials, token.expose()).to_string()
                });
                (sentence!("{} with Basic credentials {token}", seen.describe()), None)
            })
            .add(GIVEN, 1)
            .call(seen.placement.call)
            .record(seen.placement.registration);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (asked, given) = (entry.tally(ASKED), entry.tally(GIVEN));
        Words {
            summary: sentence!(
                "{} for Basic and {} with Basic credentials between {}; credentials in it are \
                 readable as they are.",
                plural(asked, "challenge"),
                plural(given, "request"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("challenges", Figure::Count(asked)),
                ("credentials", Figure::Count(given)),
            ],
        }
    }
}
