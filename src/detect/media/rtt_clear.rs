//! `MEDIA-RTT-CLEAR`: real-time text that anyone on the path can read (RFC 4103).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sink};
use super::super::text::sentence;
use super::sighting::{self, described, streams_between};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A stream of text/t140, by SDP, whose payloads are text: four of five that were looked at.
    ///
    /// ## Why it matters
    /// What people write to each other in a call, as they type it, can be read by anyone on the path.
    ///
    /// ## Evidence
    /// The stream. What was written is not shown.
    ///
    /// ## False positives
    /// None known: encrypted payloads are not text.
    ///
    /// ## Fix
    /// Require SRTP for text as for audio.
    id: "MEDIA-RTT-CLEAR",
    name: "media-rtt-clear",
    title: "Text typed in calls can be read",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 4103 §3", "RFC 3711", "RFC 9071"],
    remediation: super::FIX_CONTENT,
    question: None,
    thresholds: ["rtt_text_pct"],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct RttClear {
    text_pct: u64,
}

pub(crate) const fn new(policy: &Policy) -> RttClear {
    RttClear { text_pct: policy.thresholds.media.rtt_text_pct }
}

impl Detector for RttClear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let text = seen.around.media.is_some_and(|media| media.kind == "text");
        let named = seen.record.payload_types.iter().any(|payload| {
            payload.codec.as_ref().is_some_and(|codec| codec.eq_ignore_ascii_case("t140"))
        });
        let figures = seen.around.ended.and_then(|ended| ended.figures.as_ref());
        // Redundancy puts a few octets of its own in front (RFC 2198).
        let readable = figures.is_some_and(|figures| {
            figures.whole > 0
                && u64::from(figures.text) * 100 >= u64::from(figures.whole) * self.text_pct
        });
        if !(text || named) || !readable {
            return;
        }
        let what = || described(seen);
        sighting::stream(&META, seen, (Severity::Medium, Confidence::High), sink, what);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!("{}: text in clear.", streams_between(entry)),
            parameters: vec![
                ("rtt_text_pct", Figure::Count(self.text_pct)),
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
