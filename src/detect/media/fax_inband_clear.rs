//! `MEDIA-FAX-INBAND-CLEAR`: the tones that fax machines begin with (ITU-T T.30).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::dtmf_inband::heard;
use super::sighting::{described, streams_between};
use crate::model::finding::{Confidence, Figure};
use crate::model::notes::FaxTone;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// What fax machines begin with, in readable G.711: the answering tone of 2,100 Hz for 2.6 seconds and
    /// more, the calling tone of 1,100 Hz twice with three seconds between, or half a second of the flags
    /// that come before the first message of V.21.
    ///
    /// Of the answering tone 1.6 seconds must have been heard (`ced_ms` less `ced_unheard_ms`): one packet a second
    /// is asked whether it may be a tone, and what came since the one before it is not heard.
    ///
    /// ## Why it matters
    /// The pages that follow can be decoded from a recording of the call.
    ///
    /// ## Evidence
    /// The packet in which the tone was certain. No page is decoded.
    ///
    /// ## False positives
    /// Modems answer with 2,100 Hz as well. Not every fax is heard: in the first half minute of a stream one packet
    /// a second is asked whether it may be a tone, later a few packets of a closer look, one look a minute; and from
    /// then on the stream is listened to until four seconds have passed without one.
    ///
    /// ## Fix
    /// Encrypt the media, or send fax as T.38 in DTLS.
    id: "MEDIA-FAX-INBAND-CLEAR",
    name: "media-fax-inband-clear",
    title: "Fax pages can be decoded from readable media",
    severity: High ..= High,
    status: Preview,
    wants: [NOTED],
    references: ["RFC 3362", "RFC 4734 §2", "RFC 3711"],
    remediation: super::FIX_CONTENT,
    question: None,
    thresholds: ["ced_hz", "ced_ms", "ced_unheard_ms", "cng_hz", "cng_on_ms", "cng_off_ms", "preamble_hz", "preamble_ms", "tone_block_samples", "tone_level_db_below_full_scale", "tone_share", "preamble_share"],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct FaxInbandClear;

pub(crate) const fn new(_: &Policy) -> FaxInbandClear {
    FaxInbandClear
}

impl Detector for FaxInbandClear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let Some((tone, at)) = heard(seen).and_then(|tones| tones.fax) else { return };
        let (src, dst) = (seen.record.src, seen.record.dst);
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), at)
            .confidence(Confidence::High)
            .kind(u32::from(src.addr <= dst.addr));
        let tone = match tone {
            FaxTone::Answering => "answering tone",
            FaxTone::Calling => "calling tone",
            FaxTone::Preamble => "preamble of V.21",
        };
        let what = |_: &mut _| (sentence!("{}: {tone}", described(seen)), None);
        sink.sighting(sighting, what).stream(seen.key).call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "Fax in {}, {} in all.",
                streams_between(entry),
                plural(entry.count, "tone"),
            ),
            parameters: vec![
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
