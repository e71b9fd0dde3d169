//! `MEDIA-VIDEO-CLEAR`: pictures that anyone on the path can watch.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sink};
use super::super::text::sentence;
use super::sighting::{self, described, streams_between};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::record::Protection;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A video stream, by SDP or by its payload type, whose payload is what the codec produced.
    ///
    /// ## Why it matters
    /// Anyone on the path can record the pictures and watch them.
    ///
    /// ## Evidence
    /// The stream, with the test that decided.
    ///
    /// ## False positives
    /// Pictures that anybody may see.
    ///
    /// ## Fix
    /// Require SRTP for video as for audio.
    id: "MEDIA-VIDEO-CLEAR",
    name: "media-video-clear",
    title: "Video calls can be watched: pictures are not encrypted",
    severity: High ..= High,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3550 §9.1", "RFC 3711", "RFC 7201"],
    remediation: super::FIX_MEDIA,
    question: None,
    thresholds: ["cleartext_min_packets"],
    since: "0.1.0",
}

/// Encoding names of video, as SDP has them.
const VIDEO: [&str; 13] = [
    "H261",
    "H263",
    "H263-1998",
    "H263-2000",
    "H264",
    "H265",
    "VP8",
    "VP9",
    "AV1",
    "JPEG",
    "MPV",
    "MP4V-ES",
    "CelB",
];

/// Whether SDP or the payload type says that these are pictures.
fn is_video(seen: &StreamSeen<'_>) -> bool {
    let main = seen.record.payload_types.iter().max_by_key(|payload| payload.packets);
    let codec = main.and_then(|payload| payload.codec.as_ref());
    let named =
        codec.is_some_and(|codec| VIDEO.iter().any(|name| codec.eq_ignore_ascii_case(name)));
    named || seen.around.media.is_some_and(|media| media.kind == "video")
}

/// The rule at work.
pub(crate) struct VideoClear {
    packets: u64,
}

pub(crate) const fn new(policy: &Policy) -> VideoClear {
    VideoClear { packets: policy.thresholds.cleartext_min_packets }
}

impl Detector for VideoClear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let clear = record.protection == Protection::Cleartext
            && record.verdict.confidence >= Confidence::High;
        if !clear || record.packets < self.packets || !is_video(seen) {
            return;
        }
        let what = || sentence!("{}; test {}", described(seen), record.verdict.test);
        sighting::stream(&META, seen, (Severity::High, record.verdict.confidence), sink, what);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!("{}: video in clear.", streams_between(entry)),
            parameters: vec![
                ("cleartext_min_packets", Figure::Count(self.packets)),
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
