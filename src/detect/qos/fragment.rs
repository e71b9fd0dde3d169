//! `QOS-FRAGMENT`: SIP and media that need more than one IP packet (RFC 8900; RFC 3261 §18.1.1).

use overhear_parsers::sip::{HeaderName, HeaderSet};

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{SipSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::{about, headers};
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// SIP messages over UDP that came in IP fragments, and streams whose packets are larger than
    /// 1,500 octets on the average.
    ///
    /// ## Why it matters
    /// Many firewalls and NATs drop fragments, and one lost fragment loses all. An Identity header
    /// adds some 700 octets to an INVITE, and the tag of SRTP up to 16 to each packet: what went
    /// through yesterday does not any more.
    ///
    /// ## Evidence
    /// The fragment that made each message whole, with its size; the first packet of a stream.
    ///
    /// ## False positives
    /// Jumbo frames on the whole way, for streams.
    ///
    /// ## Fix
    /// Send large requests over TCP or TLS (RFC 3261 §18.1.1), remove what nobody reads from
    /// messages; shorter packet times for media.
    id: "QOS-FRAGMENT",
    name: "qos-fragment",
    title: "Packets are larger than the path takes",
    severity: Low ..= Low,
    status: Stable,
    wants: [ODD, STREAM],
    references: ["RFC 3261 §18.1.1", "RFC 8900", "RFC 8224 §4"],
    remediation: "Use TCP or TLS for signalling that exceeds 1,300 octets, and keep media packets below the MTU of the path.",
    question: Some("QOS"),
    thresholds: ["mtu_octets", "dscp_min_packets"],
    since: "0.1.0",
}

/// Tally: messages; octets of the largest; those with an Identity header.
const MESSAGES: usize = 0;
const LARGEST: usize = 1;
const IDENTITY: usize = 2;

/// The rule at work.
pub(crate) struct Fragment {
    mtu: u64,
    least: u64,
}

pub(crate) const fn new(policy: &Policy) -> Fragment {
    Fragment { mtu: policy.thresholds.media.mtu_octets, least: policy.thresholds.dscp_min_packets }
}

impl Detector for Fragment {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let event = seen.event;
        let fragments = event.carriage.fragments;
        if fragments < 2 {
            return;
        }
        let octets = u64::try_from(event.message.octets.len()).unwrap_or(0);
        let signed = event.message.has_any(HeaderSet::of(&[HeaderName::Identity]));
        sink.sighting(Sighting::new(&META, seen.pair, event.at), |_| {
            let with = if signed { ", with Identity" } else { "" };
            let (what, src, dst) = (seen.describe(), event.src, event.dst);
            let pieces = plural(u64::from(fragments), "fragment");
            (sentence!("{what} from {src} to {dst}: {octets} octets in {pieces}{with}"), None)
        })
        .add(MESSAGES, 1)
        .most(LARGEST, octets)
        .add(IDENTITY, u64::from(signed))
        .call(seen.placement.call);
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let payload = record.payload_bytes.checked_div(record.packets).unwrap_or(0);
        let mean = payload.saturating_add(headers(record));
        if seen.lookalike || record.packets < self.least || mean <= self.mtu {
            return;
        }
        sink.sighting(Sighting::new(&META, seen.pair, seen.first()).kind(1), |_| {
            (about(seen, format_args!("{mean} octets a packet on the average")), None)
        })
        .until(seen.last())
        .stream(seen.key)
        .call(seen.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (messages, streams) = (entry.tally(MESSAGES), entry.streams);
        let mut parts = Vec::new();
        if messages > 0 {
            parts.push(sentence!(
                "{} in IP fragments, up to {} octets",
                plural(messages, "SIP message"),
                entry.tally(LARGEST),
            ));
        }
        if streams > 0 {
            parts.push(sentence!(
                "{} of packets beyond {} octets",
                plural(streams, "stream"),
                self.mtu,
            ));
        }
        Words {
            summary: sentence!("Between {}: {}.", entry.subject.spoken(), parts.join("; ")),
            parameters: vec![
                ("mtu_octets", Figure::Count(self.mtu)),
                ("messages", Figure::Count(messages)),
                ("largest_octets", Figure::Count(entry.tally(LARGEST))),
                ("with_identity", Figure::Count(entry.tally(IDENTITY))),
                ("streams", Figure::Count(streams)),
            ],
        }
    }
}
