//! `MEDIA-DTMF-INBAND`: keys that callers press, as tones in G.711 (ITU-T Q.23).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::sighting::{described, streams_between};
use crate::model::finding::{Confidence, Figure};
use crate::model::notes::Tones;
use crate::model::record::Protection;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Keys pressed, as tones in readable G.711: one frequency of each group of ITU-T Q.23, loud enough,
    /// not too different, far above all others, for 50 ms and more. Only where SDP named no payload type
    /// for telephone events.
    ///
    /// ## Why it matters
    /// Keys that callers press are PINs, card numbers, passwords and account numbers.
    ///
    /// ## Evidence
    /// The packet in which the first key was heard, and how many there were. The digits are not shown.
    ///
    /// ## False positives
    /// Voices and music hardly ever hold two such frequencies alone. Not every key is heard: a few packets
    /// of each closer look, one look a minute, are asked whether they may be a tone, and from then on the
    /// stream is listened to until four seconds have passed without one.
    ///
    /// ## Fix
    /// Encrypt the media; where keys are needed, use telephone events in SRTP.
    id: "MEDIA-DTMF-INBAND",
    name: "media-dtmf-inband",
    title: "Keys that callers press can be heard in readable media",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [NOTED],
    references: ["RFC 4733 §1.2", "RFC 3711"],
    remediation: super::FIX_CONTENT,
    question: None,
    thresholds: ["dtmf_hz", "tone_block_samples", "tone_level_db_below_full_scale", "tone_share", "dtmf_twist_db", "dtmf_others_db", "dtmf_harmonic_db", "dtmf_blocks"],
    since: "0.1.0",
}

/// Tally: keys.
const DIGITS: usize = 0;

/// The rule at work.
pub(crate) struct DtmfInband;

pub(crate) const fn new(_: &Policy) -> DtmfInband {
    DtmfInband
}

/// What was heard in a stream, if it can be heard.
pub(super) fn heard(seen: &StreamSeen<'_>) -> Option<Tones> {
    let notes = seen.around.ended.and_then(|ended| ended.notes.as_ref())?;
    let clear = seen.record.protection == Protection::Cleartext;
    Some(notes.tones).filter(|tones| clear && tones.any())
}

impl Detector for DtmfInband {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some(tones) = heard(seen).filter(|tones| tones.digits > 0) else { return };
        let negotiated = seen.around.media.is_some_and(|media| {
            media.codecs.iter().any(|(_, name, _)| name.eq_ignore_ascii_case("telephone-event"))
        });
        // Some senders send both.
        if negotiated || seen.record.digits.is_some() {
            return;
        }
        let (src, dst) = (seen.record.src, seen.record.dst);
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), tones.first)
            .confidence(Confidence::Medium)
            .kind(u32::from(src.addr <= dst.addr));
        let keys = u64::from(tones.digits);
        let what = |_: &mut _| (sentence!("{}: {}", described(seen), plural(keys, "key")), None);
        sink.sighting(sighting, what)
            .until(tones.last)
            .add(DIGITS, keys)
            .stream(seen.key)
            .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} heard in {}.",
                plural(entry.tally(DIGITS), "key"),
                streams_between(entry),
            ),
            parameters: vec![
                ("digits", Figure::Count(entry.tally(DIGITS))),
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
