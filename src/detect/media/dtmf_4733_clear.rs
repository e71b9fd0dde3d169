//! `MEDIA-DTMF-4733-CLEAR`: keys that callers press, readable (RFC 4733).

use super::super::redact::Labels;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::sighting::streams_between;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::revealed::Kind;
use crate::model::time::Span;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Telephone events in clear: payloads of four octets with the structure of RFC 4733, of which at least
    /// two packets tell of the same event. Each event counts once. Critical for eight digits and more
    /// within a minute; a number of 13 to 19 digits with the check digit of payment cards is marked.
    ///
    /// ## Why it matters
    /// Keys that callers press are PINs, card numbers, passwords and account numbers.
    ///
    /// ## Evidence
    /// The first event of each stream and how many there were. A label stands for the digits.
    ///
    /// ## False positives
    /// None known: encryption makes the payload longer and its fields random. Digits that choose from a
    /// menu are less worth protecting.
    ///
    /// ## Fix
    /// Carry digits in SRTP only.
    id: "MEDIA-DTMF-4733-CLEAR",
    name: "media-dtmf-4733-clear",
    title: "Digits that callers type can be read",
    severity: High ..= Critical,
    status: Stable,
    wants: [NOTED],
    references: ["RFC 4733 §2.3", "RFC 4733 §3.2", "RFC 3711"],
    remediation: super::FIX_CONTENT,
    question: None,
    thresholds: ["dtmf_digits"],
    since: "0.1.0",
}

/// The encoding name in SDP.
const EVENT: &str = "telephone-event";

/// Tally: digits; the most within a minute; a card number.
const DIGITS: usize = 0;
const IN_A_MINUTE: usize = 1;
const CARD: usize = 2;

const MINUTE: Span = Span::from_secs(60);

/// The rule at work.
pub(crate) struct Dtmf4733Clear {
    digits: u64,
}

pub(crate) const fn new(policy: &Policy) -> Dtmf4733Clear {
    Dtmf4733Clear { digits: policy.thresholds.media.dtmf_digits }
}

impl Detector for Dtmf4733Clear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let notes = seen.around.ended.and_then(|ended| ended.notes.as_ref());
        let Some((notes, count)) = notes.zip(seen.record.digits) else { return };
        let digits = &notes.digits;
        let dense = u64::try_from(digits.most_within(MINUTE)).unwrap_or(u64::MAX);
        let critical = dense >= self.digits;
        let severity = if critical { Severity::Critical } else { Severity::High };
        let pt = digits.payload_type;
        let named = seen.record.payload_types.iter().any(|payload| {
            let codec = payload.codec.as_ref();
            payload.pt == pt && codec.is_some_and(|codec| codec.eq_ignore_ascii_case(EVENT))
        });
        let confidence = if named { Confidence::Certain } else { Confidence::High };
        let (src, dst) = (seen.record.src, seen.record.dst);
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), digits.first)
            .severity(severity)
            .confidence(confidence)
            .kind(u32::from(src.addr <= dst.addr));
        let before = sink.known(&META, Subject::pair(src.addr, dst.addr));
        let most = before.map_or(0, |entry| entry.tally(IN_A_MINUTE));
        let what = |labels: &mut Labels| {
            let text = sentence!(
                "RTP {src} to {dst}, payload type {pt}: {} in clear, {}",
                plural(count, "telephone event"),
                labels.label(Kind::Digits, digits.keys().as_bytes()),
            );
            (text, None)
        };
        sink.sighting(sighting, what)
            .until(digits.last)
            .add(DIGITS, count)
            .add(IN_A_MINUTE, dense.saturating_sub(most))
            .mark(CARD, u64::from(digits.has_card()))
            .stream(seen.key)
            .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} in clear in {}.",
                plural(entry.tally(DIGITS), "digit"),
                streams_between(entry),
            ),
            parameters: vec![
                ("dtmf_digits", Figure::Count(self.digits)),
                ("digits", Figure::Count(entry.tally(DIGITS))),
                ("most_in_a_minute", Figure::Count(entry.tally(IN_A_MINUTE))),
                ("card_pattern", Figure::Flag(entry.tally(CARD) != 0)),
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
