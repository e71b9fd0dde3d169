//! `MEDIA-AFTER-BYE`: both sides talk on when their call is over.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sink};
use super::super::text::{plural, sentence};
use super::sighting::{self, described, millis};
use crate::correlate::company::Companion;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Five seconds after the end of a call's dialog media goes on in both directions, 50 packets each way
    /// or more.
    ///
    /// ## Why it matters
    /// Somebody ended the signalling of a call but not the call: it is no longer accounted for, or the BYE
    /// was forged and the parties go on without noticing.
    ///
    /// ## Evidence
    /// The streams, with how many packets followed the end.
    ///
    /// ## False positives
    /// A second call between the same sockets whose signalling was not captured.
    ///
    /// ## Fix
    /// Let media servers stop with the dialog; find out who sent the BYE.
    id: "MEDIA-AFTER-BYE",
    name: "media-after-bye",
    title: "Media goes on after the call has ended",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3261 §15", "RFC 3550 §6.6"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["after_bye_packets", "after_bye_ms"],
    since: "0.1.0",
}

/// Tally: packets after the end.
const PACKETS: usize = 0;

/// The rule at work.
pub(crate) struct AfterBye {
    packets: u64,
    after_ms: u64,
}

pub(crate) const fn new(policy: &Policy) -> AfterBye {
    let thresholds = &policy.thresholds.media;
    AfterBye { packets: thresholds.after_bye_packets, after_ms: thresholds.after_bye_ms }
}

impl Detector for AfterBye {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some((own, over)) = seen.around.own.zip(seen.around.over) else { return };
        let from = over.plus(millis(self.after_ms));
        let after = |stream: &Companion| whole(stream.packets_after(from));
        if after(own) < self.packets {
            return;
        }
        let back = |other: &&Companion| {
            (other.src, other.dst) == (own.dst, own.src) && other.call == own.call
        };
        let mut back = seen.around.company.iter().filter(back);
        let Some(other) = back.find(|other| after(other) >= self.packets) else { return };
        let packets = after(own).saturating_add(after(other));
        let what = || {
            sentence!(
                "{}, and back, about {packets} packets after the call was over",
                described(seen)
            )
        };
        sighting::stream(&META, seen, (Severity::Medium, Confidence::High), sink, what)
            .stream(other.record)
            .add(PACKETS, packets);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} went on after {} between {} was over: about {} packets.",
                plural(entry.streams, "stream"),
                plural(entry.calls, "call"),
                entry.subject.spoken(),
                entry.tally(PACKETS),
            ),
            parameters: vec![
                ("after_bye_packets", Figure::Count(self.packets)),
                ("after_bye_ms", Figure::Count(self.after_ms)),
                ("calls", Figure::Count(entry.calls)),
                ("packets", Figure::Count(entry.tally(PACKETS))),
            ],
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}
