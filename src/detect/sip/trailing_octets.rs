//! `SIP-TRAILING-OCTETS`: octets behind the end of a message (RFC 3261 §18.3).

use overhear_parsers::sip::Anomalies;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::describe;
use crate::model::finding::{Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Datagrams with octets behind the body that Content-Length ends: low. If they begin another
    /// SIP message: high.
    ///
    /// ## Why it matters
    /// RFC 3261 says to discard them. A reader that goes on instead finds a second message that
    /// nobody has checked: smuggling.
    ///
    /// ## Evidence
    /// The datagram. Strict: one message; lenient: two, or one with a longer body.
    ///
    /// ## False positives
    /// Padding by some network cards and applications; a Content-Length that counts characters.
    ///
    /// ## Fix
    /// Refuse such datagrams at the border, or cut them there.
    id: "SIP-TRAILING-OCTETS",
    name: "sip-trailing-octets",
    title: "Octets behind the end of a message",
    severity: Low ..= High,
    status: Stable,
    wants: [ODD],
    references: ["RFC 3261 §18.3", "RFC 4475 §3.1.1.6"],
    remediation: super::FIX,
    question: Some("ROBUSTNESS"),
    thresholds: [],
    since: "0.1.0",
}

/// Tally: messages behind messages.
const SMUGGLED: usize = 0;

/// The rule at work.
pub(crate) struct TrailingOctets;

pub(crate) const fn new(_: &Policy) -> TrailingOctets {
    TrailingOctets
}

impl Detector for TrailingOctets {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let anomalies = seen.anomalies();
        let smuggled = anomalies.contains(Anomalies::MESSAGE_AFTER_BODY);
        if !smuggled && !anomalies.contains(Anomalies::CONTENT_LENGTH_TOO_SMALL) {
            return;
        }
        let found = if smuggled {
            Anomalies::MESSAGE_AFTER_BODY
        } else {
            Anomalies::CONTENT_LENGTH_TOO_SMALL
        };
        let sighting = Sighting::new(&META, seen.pair, seen.event.at)
            .severity(if smuggled { Severity::High } else { Severity::Low })
            .kind(u32::from(smuggled));
        let readings = if smuggled { 2 } else { 1 };
        sink.sighting(sighting, |_| {
            let what = describe(seen, found);
            let lenient = plural(readings, "message");
            (sentence!("{what}; strict: 1 message, lenient: {lenient}"), None)
        })
        .add(SMUGGLED, u64::from(smuggled))
        .call(seen.placement.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let smuggled = entry.tally(SMUGGLED);
        Words {
            summary: sentence!(
                "{} between {} with octets behind the body; in {smuggled} of them they begin another \
                 message.",
                plural(entry.count, "datagram"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("datagrams", Figure::Count(entry.count)),
                ("with_second_message", Figure::Count(smuggled)),
            ],
        }
    }
}
