//! `MEDIA-CN-CLEAR`: comfort noise in clear inside an encrypted session (RFC 3389).

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
    /// Packets of comfort noise (payload type 13) of at most four octets in a stream that otherwise looks
    /// encrypted: no authentication tag fits in there, so these packets are in clear.
    ///
    /// ## Why it matters
    /// Who is silent and when shows, and how loud the room is. Packets without a tag can be forged.
    ///
    /// ## Evidence
    /// The stream and how many such packets it had.
    ///
    /// ## False positives
    /// Comfort noise that another device on the way adds.
    ///
    /// ## Fix
    /// Encrypt all packets of a session, or turn off comfort noise.
    id: "MEDIA-CN-CLEAR",
    name: "media-cn-clear",
    title: "Comfort noise travels in clear in an encrypted call",
    severity: Info ..= Info,
    status: Stable,
    wants: [HIDDEN],
    references: ["RFC 3389 §4", "RFC 3711 §3.1"],
    remediation: super::FIX_METADATA,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct CnClear;

pub(crate) const fn new(_: &Policy) -> CnClear {
    CnClear
}

impl Detector for CnClear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let comfort = seen.around.ended.map_or(0, |ended| ended.comfort);
        let hidden =
            matches!(seen.record.protection, Protection::EncryptedLike | Protection::SrtpProven);
        if comfort == 0 || !hidden {
            return;
        }
        let what = || sentence!("{}, {comfort} packets of comfort noise in clear", described(seen));
        sighting::stream(&META, seen, (Severity::Info, Confidence::High), sink, what);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{}: comfort noise in clear in encrypted media.",
                streams_between(entry)
            ),
            parameters: vec![
                ("streams", Figure::Count(entry.streams)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
