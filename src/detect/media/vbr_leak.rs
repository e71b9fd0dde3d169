//! `MEDIA-VBR-LEAK`: what the lengths of encrypted packets give away (RFC 6562).

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
    /// Encrypted speech of a codec with a variable rate whose packets have eight or more different lengths,
    /// or encrypted speech of any codec that is not sent while there is silence: three spurts or more, and a
    /// tenth of the time, two seconds at least, without packets that were sent.
    ///
    /// ## Why it matters
    /// Encryption keeps the length of what it hides. The lengths of such packets follow the sounds of
    /// speech closely enough to tell languages, speakers and known phrases; gaps show who speaks when.
    ///
    /// ## Evidence
    /// The stream and its number of lengths.
    ///
    /// ## False positives
    /// A codec that pads its packets to steps of its own has fewer lengths. Streams without SDP are not
    /// judged, because pictures have many lengths as well. A call that is put on hold three times looks like
    /// gaps of silence.
    ///
    /// ## Fix
    /// Use a constant bit rate without suppression of silence, or padding, for speech that must stay secret (RFC 6562).
    id: "MEDIA-VBR-LEAK",
    name: "media-vbr-leak",
    title: "Packet lengths of encrypted speech tell what is said",
    severity: Low ..= Low,
    status: Stable,
    wants: [HIDDEN],
    references: ["RFC 6562", "RFC 3711 §9.3"],
    remediation: super::FIX_METADATA,
    question: None,
    thresholds: ["vbr_lengths", "dtx_spurts", "dtx_silence_pct"],
    since: "0.1.0",
}

/// Codecs whose rate may vary with the sound, by their names in SDP.
const VARIABLE: [&str; 10] =
    ["opus", "speex", "AMR", "AMR-WB", "EVS", "SILK", "iSAC", "MP4A-LATM", "mpeg4-generic", "EVRC"];

/// Silence of a stream below which nothing is said.
const PAUSE_S: f64 = 2.0;

/// The rule at work.
pub(crate) struct VbrLeak {
    lengths: u64,
    spurts: u64,
    silence_pct: u64,
}

pub(crate) const fn new(policy: &Policy) -> VbrLeak {
    let media = &policy.thresholds.media;
    VbrLeak {
        lengths: media.vbr_lengths,
        spurts: media.dtx_spurts,
        silence_pct: media.dtx_silence_pct,
    }
}

impl VbrLeak {
    /// Seconds in which an audio stream was silent, if it speaks in spurts.
    fn silence(&self, seen: &StreamSeen<'_>) -> Option<f64> {
        let (record, ended) = (seen.record, seen.around.ended?);
        let audio = seen.around.media.is_some_and(|media| media.kind == "audio");
        let main = record.payload_types.iter().max_by_key(|payload| payload.packets)?;
        let [row, _] = ended.law.rows;
        if !audio || row.pairs == 0 || row.payload_type != main.pt || ended.restarts > 0 {
            return None;
        }
        let packet = f64::from(row.ticks) / f64::from(main.clock_rate.filter(|rate| *rate > 0)?);
        let sent = packet * f64::from(u32::try_from(ended.expected).ok()?);
        let silent = record.duration_s - sent;
        let percent = f64::from(u32::try_from(self.silence_pct).unwrap_or(u32::MAX));
        let enough = silent >= PAUSE_S && silent * 100.0 >= record.duration_s * percent;
        (enough && u64::from(ended.markers) >= self.spurts).then_some(silent)
    }
}

impl Detector for VbrLeak {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let hidden =
            matches!(record.protection, Protection::EncryptedLike | Protection::SrtpProven);
        let main = record.payload_types.iter().max_by_key(|payload| payload.packets);
        let codec = main.and_then(|payload| payload.codec.as_ref());
        let variable =
            codec.is_some_and(|codec| VARIABLE.iter().any(|name| codec.eq_ignore_ascii_case(name)));
        let figures = seen.around.ended.and_then(|ended| ended.figures.as_ref());
        let lengths = figures.map_or(0, |figures| u64::from(figures.lengths));
        if !hidden {
            return;
        }
        if variable && lengths >= self.lengths {
            let what = || sentence!("{}, {lengths} lengths or more in 64 packets", described(seen));
            sighting::stream(&META, seen, (Severity::Low, Confidence::High), sink, what);
        } else if let Some(silent) = self.silence(seen) {
            let spurts = seen.around.ended.map_or(0, |ended| ended.markers);
            let what =
                || sentence!("{}, {spurts} spurts, silent for {silent:.1} s", described(seen));
            sighting::stream(&META, seen, (Severity::Low, Confidence::Medium), sink, what);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{}: lengths of packets, or gaps between them, follow the speech.",
                streams_between(entry)
            ),
            parameters: vec![
                ("vbr_lengths", Figure::Count(self.lengths)),
                ("dtx_spurts", Figure::Count(self.spurts)),
                ("dtx_silence_pct", Figure::Count(self.silence_pct)),
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
