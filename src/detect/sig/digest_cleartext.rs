//! `SIG-DIGEST-CLEARTEXT`: answers to digest challenges that anyone on the path can try passwords
//! against (RFC 7616 §5).

use overhear_parsers::sip::Auth;

use super::super::auth::{Algorithm, credentials, is_digest};
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{at_least, plural, printable, sentence};
use crate::model::addr::stable_hash;
use crate::model::finding::Figure;
use crate::model::revealed::Kind;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Authorization or Proxy-Authorization headers with a digest response, in SIP that could be
    /// read without any key. An empty response, as in a first REGISTER, does not count.
    ///
    /// ## Why it matters
    /// The header holds everything needed to try passwords offline, at any speed and without
    /// anybody noticing: user, realm, nonce, URI and the digest itself. Only a long random
    /// password withstands that, and MD5 makes each try cheap.
    ///
    /// ## Evidence
    /// The request, the user, the algorithm, and a label in place of the response: equal labels
    /// are equal responses.
    ///
    /// ## False positives
    /// Phones whose passwords are 128-bit random are exposed in form, not in effect; the capture
    /// cannot tell.
    ///
    /// ## Fix
    /// Move registration and calls to TLS, then change the passwords that were exposed.
    id: "SIG-DIGEST-CLEARTEXT",
    name: "sig-digest-cleartext",
    title: "Digest responses are readable: passwords can be guessed offline",
    severity: High ..= High,
    status: Stable,
    wants: [CREDENTIALS],
    references: ["RFC 7616 §5", "RFC 8760 §2", "RFC 3261 §26"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// Tally: the algorithms used, one bit each; a response with every input of an MD5 digest.
const ALGORITHMS: usize = 0;
const CRACKABLE: usize = 1;
/// Distinct: users (with their realm).
const USERS: usize = 0;

/// The rule at work.
pub(crate) struct DigestCleartext;

pub(crate) const fn new(_: &Policy) -> DigestCleartext {
    DigestCleartext
}

impl Detector for DigestCleartext {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if seen.event.encrypted || seen.placement.retransmission {
            return;
        }
        for auth in credentials(seen).filter(is_digest) {
            let Some(response) = auth.response().filter(|response| !response.is_empty()) else {
                continue;
            };
            let algorithm = Algorithm::of(auth);
            let (user, realm) = (auth.username(), auth.realm());
            // Once one complete MD5 response was seen, the rest changes nothing.
            let known = sink.known(&META, seen.pair).is_some_and(|e| e.tally(CRACKABLE) > 0);
            let crackable = !known && algorithm.is_md5() && is_complete(auth);
            sink.sighting(Sighting::new(&META, seen.pair, seen.event.at), |labels| {
                let what = sentence!(
                    "{} with the {} response of user \"{}\": {}",
                    seen.describe(),
                    algorithm.name(),
                    printable(user.unwrap_or_default(), 64),
                    labels.label(Kind::DigestResponse, response.expose()),
                );
                (what, None)
            })
            .mark(ALGORITHMS, algorithm.bit())
            .mark(CRACKABLE, u64::from(crackable))
            .distinct(USERS, stable_hash(&(user, realm)))
            .call(seen.placement.call)
            .record(seen.placement.registration);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let algorithms = Algorithm::ALL.into_iter();
        let algorithms =
            algorithms.filter(|algorithm| algorithm.bit() & entry.tally(ALGORITHMS) != 0);
        let algorithms = algorithms.map(Algorithm::name).collect::<Vec<_>>().join(", ");
        let users = entry.distinct(USERS);
        let crackable = entry.tally(CRACKABLE) > 0;
        Words {
            summary: sentence!(
                "{} of {}{} between {} ({algorithms}){}.",
                plural(entry.count, "digest response"),
                at_least(entry.exhausted),
                plural(users, "user"),
                entry.subject.spoken(),
                if crackable { "; every input for offline guessing is there" } else { "" },
            ),
            parameters: vec![
                ("responses", Figure::Count(entry.count)),
                ("users", Figure::Count(users)),
                ("algorithms", Figure::Text(algorithms)),
                ("crackable_offline", Figure::Flag(crackable)),
            ],
        }
    }
}

/// Whether everything is there that a guess at the password needs (RFC 7616 §3.4.1).
fn is_complete(auth: &Auth<'_>) -> bool {
    auth.username().is_some()
        && auth.realm().is_some()
        && auth.nonce().is_some()
        && auth.uri().is_some()
        && (auth.qop().is_none() || auth.cnonce().is_some())
}
