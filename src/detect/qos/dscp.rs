//! `QOS-DSCP`: media that the network is not asked to prefer (RFC 2474, RFC 4594).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::{about, pair};
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// RTP streams whose packets are marked neither EF, CS5, VOICE-ADMIT nor AF4x: at the tap, and
    /// by the stream's first packet.
    ///
    /// ## Why it matters
    /// Unmarked media waits in the same queue as downloads. Marked by the sender and unmarked here
    /// means that a hop between them cleared it.
    ///
    /// ## Evidence
    /// The first packet of streams with each marking.
    ///
    /// ## False positives
    /// A network that classifies by port or address, or one with room to spare.
    ///
    /// ## Fix
    /// Mark media EF (46) and video AF41 (34) at the sender, and trust it from hop to hop.
    id: "QOS-DSCP",
    name: "qos-dscp",
    title: "Media is not marked for preference",
    severity: Low ..= Low,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 4594 §2.3", "RFC 3246", "RFC 5865"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["dscp_min_packets"],
    since: "0.1.0",
}

/// EF, VOICE-ADMIT, CS5, and AF41 to AF43 for video.
const MEDIA: [u8; 6] = [46, 44, 40, 34, 36, 38];

/// Tally: the markings seen, a bit each.
const SEEN: usize = 0;

/// The rule at work.
pub(crate) struct Dscp {
    least: u64,
}

pub(crate) const fn new(policy: &Policy) -> Dscp {
    Dscp { least: policy.thresholds.dscp_min_packets }
}

impl Detector for Dscp {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let Some(dscp) = record.dscp.filter(|dscp| !MEDIA.contains(dscp)) else { return };
        if seen.lookalike || record.packets < self.least {
            return;
        }
        let sighting = Sighting::new(&META, pair(seen), seen.first()).kind(u32::from(dscp % 32));
        sink.sighting(sighting, |_| (about(seen, format_args!("DSCP {dscp}")), None))
            .until(seen.last())
            .mark(SEEN, 1_u64 << (dscp % 64))
            .stream(seen.key)
            .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let seen = entry.tally(SEEN);
        let marks: Vec<_> = (0..64)
            .filter(|dscp| seen >> dscp & 1 == 1)
            .map(|dscp: u32| dscp.to_string())
            .collect();
        Words {
            summary: sentence!(
                "{} between {} travel with DSCP {}.",
                plural(entry.streams, "stream"),
                entry.subject.spoken(),
                marks.join(", "),
            ),
            parameters: vec![
                ("dscp_min_packets", Figure::Count(self.least)),
                ("streams", Figure::Count(entry.streams)),
            ],
        }
    }
}
