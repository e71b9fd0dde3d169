//! `SENSOR-SNAPLEN`: packets of which the capture kept only the beginning.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{SipSeen, StreamSeen, TapSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// SIP messages, RTP packets or TLS handshakes that the snap length cut short.
    ///
    /// ## Why it matters
    /// What was cut off was not looked at: headers and SDP at the end of a message, certificates,
    /// and the payload that tells encrypted media from clear.
    ///
    /// ## Evidence
    /// The first packets that were cut, by what they are.
    ///
    /// ## False positives
    /// None: the capture file says how long each packet was. A short snap length may be intended,
    /// to keep payload out of the file; then this says what it costs.
    ///
    /// ## Fix
    /// Capture whole packets (`-s 0` in most tools).
    id: "SENSOR-SNAPLEN",
    name: "sensor-snaplen",
    title: "Packets were cut short by the capture",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [CLIPPED, STRANGE, TAP],
    references: ["RFC 3261 §18.3"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// Tally: SIP messages; RTP packets; anything else.
const SIP: usize = 0;
const RTP: usize = 1;
const OTHER: usize = 2;

/// The rule at work.
pub(crate) struct Snaplen;

pub(crate) const fn new(_: &Policy) -> Snaplen {
    Snaplen
}

impl Detector for Snaplen {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        if !seen.event.clipped {
            return;
        }
        sink.sighting(Sighting::new(&META, Subject::capture(), seen.event.at).kind(0), |_| {
            (sentence!("{}, cut short", seen.describe()), None)
        })
        .add(SIP, 1)
        .call(seen.placement.call)
        .record(seen.placement.registration);
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        if seen.clipped == 0 || seen.lookalike {
            return;
        }
        let record = seen.record;
        sink.sighting(Sighting::new(&META, Subject::capture(), seen.first()).kind(1), |_| {
            let what = sentence!(
                "RTP stream {} to {}, {} of {} packets cut short",
                record.src,
                record.dst,
                seen.clipped,
                record.packets
            );
            (what, None)
        })
        .times(seen.clipped)
        .until(seen.last())
        .add(RTP, seen.clipped)
        .stream(seen.key);
    }

    fn tap(&mut self, seen: &TapSeen, sink: &mut Sink) {
        let &TapSeen::Clipped { what, at } = seen else { return };
        sink.sighting(Sighting::new(&META, Subject::capture(), at).kind(2), |_| {
            (sentence!("{what}, cut short"), None)
        })
        .add(OTHER, 1);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (sip, rtp, other) = (entry.tally(SIP), entry.tally(RTP), entry.tally(OTHER));
        Words {
            summary: sentence!(
                "{}, {} and {} were cut short; what was cut off was not looked at.",
                plural(sip, "SIP message"),
                plural(rtp, "RTP packet"),
                plural(other, "other packet"),
            ),
            parameters: vec![
                ("sip_messages", Figure::Count(sip)),
                ("rtp_packets", Figure::Count(rtp)),
                ("other_packets", Figure::Count(other)),
            ],
        }
    }
}
