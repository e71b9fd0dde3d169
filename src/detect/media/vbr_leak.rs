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
    /// Encrypted speech of a codec with a variable rate whose packets have eight or more different lengths.
    ///
    /// ## Why it matters
    /// Encryption keeps the length of what it hides. The lengths of such packets follow the sounds of
    /// speech closely enough to tell languages, speakers and known phrases.
    ///
    /// ## Evidence
    /// The stream and its number of lengths.
    ///
    /// ## False positives
    /// A codec that pads its packets to steps of its own has fewer lengths. Gaps of silence, which tell
    /// something too, are not looked for; streams without SDP are not judged, because pictures have many
    /// lengths as well.
    ///
    /// ## Fix
    /// Use a constant bit rate, or padding, for speech that must stay secret (RFC 6562).
    id: "MEDIA-VBR-LEAK",
    name: "media-vbr-leak",
    title: "Packet lengths of encrypted speech tell what is said",
    severity: Low ..= Low,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 6562", "RFC 3711 §9.3"],
    remediation: super::FIX_METADATA,
    question: None,
    thresholds: ["vbr_lengths"],
    since: "0.1.0",
}

/// Codecs whose rate may vary with the sound, by their names in SDP.
const VARIABLE: [&str; 10] =
    ["opus", "speex", "AMR", "AMR-WB", "EVS", "SILK", "iSAC", "MP4A-LATM", "mpeg4-generic", "EVRC"];

/// The rule at work.
pub(crate) struct VbrLeak {
    lengths: u64,
}

pub(crate) const fn new(policy: &Policy) -> VbrLeak {
    VbrLeak { lengths: policy.thresholds.media.vbr_lengths }
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
        if !hidden || !variable || lengths < self.lengths {
            return;
        }
        let what = || sentence!("{}, {lengths} lengths or more in 64 packets", described(seen));
        sighting::stream(&META, seen, (Severity::Low, Confidence::High), sink, what);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!("{}: packet lengths vary with the speech.", streams_between(entry)),
            parameters: vec![
                ("vbr_lengths", Figure::Count(self.lengths)),
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
