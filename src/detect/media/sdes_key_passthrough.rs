//! `MEDIA-SDES-KEY-PASSTHROUGH`: a border element that hands SRTP keys on (RFC 4568 §6.1).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::KeySeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::keys::{described, of_one_call, passed_through};
use crate::model::addr::stable_hash;
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// The SRTP key of one call again in the offer or answer of another call, at once and from
    /// another sender: a session border controller or B2BUA that joins the two and passes the key on.
    ///
    /// ## Why it matters
    /// Both legs have one key: whoever can read the signalling of either leg can decrypt the media on
    /// both, and the border element does not protect one network from the other.
    ///
    /// ## Evidence
    /// The message of the second leg, the key's label, and the message of the first.
    ///
    /// ## False positives
    /// End-to-end media encryption through a trusted border element is sometimes meant to be so. Two
    /// phones with one fixed key that call within the same moment look alike.
    ///
    /// ## Fix
    /// Let the border element end SRTP on each leg with keys of its own, or use DTLS-SRTP end to end.
    id: "MEDIA-SDES-KEY-PASSTHROUGH",
    name: "media-sdes-key-passthrough",
    title: "An SRTP key is passed on from one leg of a call to the other",
    severity: Low ..= Low,
    status: Stable,
    wants: [KEY],
    references: ["RFC 4568 §6.1", "RFC 4568 §8.3"],
    remediation: "Let the border element use keys of its own on each leg, or DTLS-SRTP end to end.",
    question: Some("SDES"),
    thresholds: ["key_passthrough_ms"],
    since: "0.1.0",
}

/// Distinct: keys.
const KEYS: usize = 0;

/// The rule at work.
pub(crate) struct SdesKeyPassthrough {
    passthrough_ms: i64,
}

pub(crate) fn new(policy: &Policy) -> SdesKeyPassthrough {
    SdesKeyPassthrough { passthrough_ms: policy.thresholds.key_passthrough_ms }
}

impl Detector for SdesKeyPassthrough {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn key(&mut self, seen: &KeySeen<'_>, sink: &mut Sink) {
        let Some(before) = seen.before else { return };
        let now = &seen.place;
        if of_one_call(&before, now) || !passed_through(&before, now, self.passthrough_ms) {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, now.at);
        sink.sighting(sighting.kind(u32::from(now.answer)), |labels| {
            let what = sentence!(
                "{}, as {} sent it to {} in frame {}",
                described(seen, labels),
                before.src.addr,
                before.dst.addr,
                before.at.frame.number
            );
            (what, None)
        })
        .distinct(KEYS, stable_hash(&seen.secret.expose()))
        .call(Some(before.call))
        .call(Some(now.call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} came from another leg and was passed on between {}.",
                plural(entry.distinct(KEYS), "SRTP key"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("keys", Figure::Count(entry.distinct(KEYS))),
                ("key_passthrough_ms", super::count(self.passthrough_ms)),
            ],
        }
    }
}
