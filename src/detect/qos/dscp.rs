//! `QOS-DSCP`: media and signalling that the network is not asked to prefer (RFC 2474, RFC 4594).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{SipSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::about;
use crate::model::finding::Figure;
use crate::policy::Policy;
use crate::policy::thresholds::Markings;

rule! {
    /// ## What it detects
    /// RTP streams whose packets are marked neither EF, CS5, VOICE-ADMIT nor AF4x, by the stream's
    /// first packet; SIP requests in UDP that begin something and are marked, but neither CS3, AF3x nor
    /// CS5. Signalling without any mark counts only if `dscp_unmarked_signalling` is 1: it can wait.
    /// Both as the tap sees them.
    ///
    /// ## Why it matters
    /// Unmarked media waits in the same queue as downloads. Marked by the sender and unmarked here
    /// means that a hop between them cleared it.
    ///
    /// ## Evidence
    /// The first packet of streams with each marking, and requests with each marking.
    ///
    /// ## False positives
    /// A network that classifies by port or address, or one with room to spare.
    ///
    /// ## Fix
    /// Mark media EF (46), video AF41 (34) and signalling CS3 (24) at the sender, and trust it from
    /// hop to hop.
    id: "QOS-DSCP",
    name: "qos-dscp",
    title: "Media or signalling is not marked for preference",
    severity: Low ..= Low,
    status: Stable,
    wants: [STREAM, OPENS],
    references: ["RFC 4594 §2.3", "RFC 3246", "RFC 5865"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["dscp_min_packets", "dscp_media", "dscp_signalling", "dscp_unmarked_signalling"],
    since: "0.1.0",
}

/// Tally: the markings of streams, a bit each; those of signalling; requests.
const SEEN: usize = 0;
const SIGNALLED: usize = 1;
const REQUESTS: usize = 2;

/// The markings of a tally: `0, 10`.
pub(super) fn listed(bits: u64) -> String {
    let marks = (0..64).filter(|dscp| bits >> dscp & 1 == 1);
    marks.map(|dscp: u32| dscp.to_string()).collect::<Vec<_>>().join(", ")
}

/// The rule at work.
pub(crate) struct Dscp {
    least: u64,
    media: Markings,
    signalling: Markings,
    /// Signalling without a mark counts, too.
    unmarked: bool,
}

pub(crate) const fn new(policy: &Policy) -> Dscp {
    let of = &policy.thresholds;
    Dscp {
        least: of.dscp_min_packets,
        media: of.dscp_media,
        signalling: of.dscp_signalling,
        unmarked: of.sip.dscp_unmarked_signalling > 0,
    }
}

impl Detector for Dscp {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let event = seen.event;
        let Some(dscp) = event.carriage.dscp.filter(|dscp| !self.signalling.has(*dscp)) else {
            return;
        };
        if seen.placement.retransmission || dscp == 0 && !self.unmarked {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, event.at).kind(u32::from(dscp % 32));
        let _ = sink
            .sighting(sighting, |_| {
                let (what, src, dst) = (seen.describe(), event.src, event.dst);
                (sentence!("{what} from {src} to {dst}: DSCP {dscp}"), None)
            })
            .mark(SIGNALLED, 1_u64 << (dscp % 64))
            .add(REQUESTS, 1);
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let Some(dscp) = record.dscp.filter(|dscp| !self.media.has(*dscp)) else { return };
        if seen.lookalike || record.packets < self.least {
            return;
        }
        let sighting = Sighting::new(&META, seen.pair, seen.first()).kind(u32::from(dscp % 32));
        sink.sighting(sighting, |_| (about(seen, format_args!("DSCP {dscp}")), None))
            .until(seen.last())
            .mark(SEEN, 1_u64 << (dscp % 64))
            .stream(seen.key)
            .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (media, signalling) = (entry.tally(SEEN), entry.tally(SIGNALLED));
        let requests = entry.tally(REQUESTS);
        let mut parts = Vec::new();
        if entry.streams > 0 {
            parts.push(sentence!(
                "{} with DSCP {}",
                plural(entry.streams, "stream"),
                listed(media)
            ));
        }
        if requests > 0 {
            let listed = listed(signalling);
            parts.push(sentence!("{} with DSCP {listed}", plural(requests, "SIP request")));
        }
        Words {
            summary: sentence!("Between {}: {}.", entry.subject.spoken(), parts.join("; ")),
            parameters: vec![
                ("dscp_min_packets", Figure::Count(self.least)),
                ("streams", Figure::Count(entry.streams)),
                ("sip_requests", Figure::Count(requests)),
            ],
        }
    }
}
