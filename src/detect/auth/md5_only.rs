//! `AUTH-MD5-ONLY`: a server that leaves its clients no choice but MD5 (RFC 8760 §2).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, printable, sentence};
use super::{Algorithm, challenges, is_digest};
use crate::model::finding::{Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A response whose digest challenges, all of its WWW-Authenticate and Proxy-Authenticate
    /// headers together, offer MD5 or MD5-sess and nothing else. A challenge without `algorithm`
    /// means MD5.
    ///
    /// ## Why it matters
    /// MD5 is the fastest of the digests to guess passwords against, and it is withdrawn. Seen in
    /// clear (medium), every answer to such a challenge can be tried offline against a dictionary;
    /// inside TLS (low) only the far end can.
    ///
    /// ## Evidence
    /// The response, its realm and the algorithms it offers.
    ///
    /// ## False positives
    /// A server that asks older phones for MD5 and newer ones for SHA-256, told apart by their
    /// User-Agent, shows both kinds of responses: the figures count only those with MD5 alone.
    ///
    /// ## Fix
    /// Offer SHA-256 (or SHA-512-256) first and MD5 after it while old clients remain.
    id: "AUTH-MD5-ONLY",
    name: "auth-md5-only",
    title: "The server offers no digest better than MD5",
    severity: Low ..= Medium,
    status: Stable,
    wants: [CHALLENGE],
    references: ["RFC 8760 §2", "RFC 7616 §3.3"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// Tally: the algorithms offered, one bit each.
const ALGORITHMS: usize = 0;
/// Tally: responses seen inside TLS.
const INSIDE: usize = 1;

/// The rule at work.
pub(crate) struct Md5Only;

pub(crate) const fn new(_: &Policy) -> Md5Only {
    Md5Only
}

impl Detector for Md5Only {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if seen.placement.retransmission {
            return;
        }
        let mut offered = 0;
        for auth in challenges(seen).filter(is_digest) {
            let algorithm = Algorithm::of(auth);
            if !algorithm.is_md5() {
                return;
            }
            offered |= algorithm.bit();
        }
        if offered == 0 {
            return;
        }
        let severity = if seen.event.encrypted { Severity::Low } else { Severity::Medium };
        let sighting = Sighting::new(&META, seen.pair, seen.event.at).severity(severity);
        sink.sighting(sighting, |_| {
            let realm =
                challenges(seen).find_map(overhear_parsers::sip::Auth::realm).unwrap_or_default();
            let realm = printable(realm, 64);
            (sentence!("{} offers {}, realm \"{realm}\"", seen.describe(), names(offered)), None)
        })
        .mark(ALGORITHMS, offered)
        .add(INSIDE, u64::from(seen.event.encrypted))
        .call(seen.placement.call)
        .record(seen.placement.registration);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let algorithms = names(entry.tally(ALGORITHMS));
        let inside = entry.tally(INSIDE);
        Words {
            summary: sentence!(
                "{} between {} with {algorithms} as the only choice{}.",
                plural(entry.count, "challenge response"),
                entry.subject.spoken(),
                if inside == entry.count { ", all inside TLS" } else { "" },
            ),
            parameters: vec![
                ("responses", Figure::Count(entry.count)),
                ("algorithms", Figure::Text(algorithms)),
                ("inside_tls", Figure::Count(inside)),
            ],
        }
    }
}

/// The algorithms of a bit set.
pub(super) fn names(bits: u64) -> String {
    let set = Algorithm::ALL.into_iter().filter(|algorithm| algorithm.bit() & bits != 0);
    set.map(Algorithm::name).collect::<Vec<_>>().join(" and ")
}
