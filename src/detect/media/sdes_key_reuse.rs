//! `MEDIA-SDES-KEY-REUSE`: one SRTP key for several streams (RFC 4568 §6.1, §7.1.2, §8.2).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::KeySeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::keys::{described, of_one_call, passed_through, spoken};
use crate::model::addr::stable_hash;
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// The same SRTP master key and salt in the offer and in the answer of one call, in two m-lines
    /// of one call, or in two calls that are neither forks nor the two legs of one call through a
    /// back-to-back user agent.
    ///
    /// ## Why it matters
    /// Keys must differ between the directions, between m-lines and between calls. Two streams under
    /// one key differ by their SSRC only: where that is equal too, the keystream repeats and both
    /// contents can be recovered without the key (MEDIA-SRTP-TWO-TIME-PAD). A key that is known from
    /// one call opens all others; a phone that sends the same key in every call has, in effect, none.
    ///
    /// ## Evidence
    /// The message in which the key stands again, its label, and where it stood first.
    ///
    /// ## False positives
    /// A re-INVITE that repeats the key of the same side and m-line is legal and not counted. A B2BUA
    /// that passes keys on is MEDIA-SDES-KEY-PASSTHROUGH; one that does so much later than a
    /// setup takes would be reported here.
    ///
    /// ## Fix
    /// Make a new random key for each description; RFC 4568 requires it.
    id: "MEDIA-SDES-KEY-REUSE",
    name: "media-sdes-key-reuse",
    title: "One SRTP key protects several streams",
    severity: High ..= High,
    status: Stable,
    wants: [KEY],
    references: ["RFC 4568 §6.1", "RFC 4568 §7.1.2", "RFC 4568 §8.2", "RFC 3711 §9.1"],
    remediation: super::keys::FIX,
    question: Some("SDES"),
    thresholds: ["key_passthrough_ms"],
    since: "0.1.0",
}

/// Tally: in the other direction of the call; in another m-line; in another call.
const DIRECTIONS: usize = 0;
const MLINES: usize = 1;
const CALLS: usize = 2;
/// Distinct: keys.
const KEYS: usize = 0;

/// The rule at work.
pub(crate) struct SdesKeyReuse {
    passthrough_ms: i64,
}

pub(crate) fn new(policy: &Policy) -> SdesKeyReuse {
    SdesKeyReuse { passthrough_ms: policy.thresholds.key_passthrough_ms }
}

impl Detector for SdesKeyReuse {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn key(&mut self, seen: &KeySeen<'_>, sink: &mut Sink) {
        let Some(before) = seen.before else { return };
        let now = &seen.place;
        let (slot, how) = if of_one_call(&before, now) {
            match (before.side == now.side, before.mline == now.mline) {
                (true, true) => return,
                (true, false) => (MLINES, "in another m-line"),
                (false, _) => (DIRECTIONS, "in the other direction"),
            }
        } else if passed_through(&before, now, self.passthrough_ms) {
            return;
        } else {
            (CALLS, "in another call")
        };
        let kind = u32::try_from(slot).unwrap_or(0);
        sink.sighting(Sighting::new(&META, seen.pair, now.at).kind(kind), |labels| {
            let what = sentence!(
                "{}, which stood {how} before: {}, frame {}",
                described(seen, labels),
                spoken(&before),
                before.at.frame.number
            );
            (what, None)
        })
        .add(slot, 1)
        .distinct(KEYS, stable_hash(&seen.secret.expose()))
        .call(Some(now.call))
        .call(Some(before.call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let slots = [DIRECTIONS, MLINES, CALLS].map(|slot| entry.tally(slot));
        let [directions, mlines, calls] = slots;
        Words {
            summary: sentence!(
                "{} between {} protected more than one stream: used again {} for the other \
                 direction, {} for another m-line, {} in another call.",
                plural(entry.distinct(KEYS), "SRTP key"),
                entry.subject.spoken(),
                times(directions),
                times(mlines),
                times(calls),
            ),
            parameters: vec![
                ("keys", Figure::Count(entry.distinct(KEYS))),
                ("directions", Figure::Count(directions)),
                ("mlines", Figure::Count(mlines)),
                ("other_calls", Figure::Count(calls)),
                ("key_passthrough_ms", super::count(self.passthrough_ms)),
            ],
        }
    }
}

fn times(n: u64) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}
