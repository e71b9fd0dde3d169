//! `SIP-OVERSIZE`: messages larger than their readers expect.

use overhear_parsers::sip::size::Sizes;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::finding::{Figure, Severity};
use crate::model::transport::Transport;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A start line above 2,048 octets, a header line above 4,096, more than 100 headers or 70 Via
    /// values, a message above 16 KiB, a session description above 8 KiB or with more than 20
    /// m-lines, a Request-URI with more than 32 parameters: medium. A request above 1,300 octets
    /// over UDP: info.
    ///
    /// ## Why it matters
    /// Buffers of this size are where parsers broke. And a request that does not fit into one packet
    /// travels in fragments, which many firewalls drop, unless the sender changes to TCP as it
    /// should.
    ///
    /// ## Evidence
    /// The message, with what is too large in it.
    ///
    /// ## False positives
    /// Long Identity headers and many codecs make honest requests large.
    ///
    /// ## Fix
    /// Limit sizes at the border; carry large requests over TCP or TLS.
    id: "SIP-OVERSIZE",
    name: "sip-oversize",
    title: "Messages larger than readers expect",
    severity: Info ..= Medium,
    status: Stable,
    wants: [ODD],
    references: ["RFC 3261 §18.1.1", "RFC 4475 §3.1.1.7"],
    remediation: super::FIX,
    question: Some("ROBUSTNESS"),
    thresholds: [],
    since: "0.1.0",
}

/// What is large beyond any need.
const LARGE: Sizes = Sizes {
    start_line: 2_048,
    header: 4_096,
    headers: 100,
    vias: 70,
    message: 16 << 10,
    description: 8 << 10,
    media: 20,
    uri_parameters: 32,
};

/// Octets of a request from which another transport is due (RFC 3261 §18.1.1).
pub(in crate::detect) const FITS: usize = 1_300;

/// Tally: messages that are too large in themselves; octets of the largest.
const OVERSIZE: usize = 0;
const LARGEST: usize = 1;

/// The rule at work.
pub(crate) struct Oversize;

pub(crate) const fn new(_: &Policy) -> Oversize {
    Oversize
}

impl Detector for Oversize {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let message = &seen.event.message;
        if message.octets.len() <= FITS && message.layout.headers <= LARGE.headers {
            return;
        }
        let sizes = Sizes::of(message);
        let large: Vec<&str> = sizes.above(LARGE).collect();
        let datagram = seen.event.transport == Transport::Udp && message.is_request();
        if large.is_empty() && !datagram {
            return;
        }
        let severity = if large.is_empty() { Severity::Info } else { Severity::Medium };
        let sighting = Sighting::new(&META, Subject::host(seen.event.src.addr), seen.event.at)
            .severity(severity)
            .kind(u32::from(!large.is_empty()));
        sink.sighting(sighting, |_| {
            let what = if large.is_empty() {
                "too large for one packet over UDP".to_owned()
            } else {
                sentence!("too large: {}", large.join(", "))
            };
            let (who, octets) = (seen.event.src, sizes.message);
            (sentence!("{} from {who}, {octets} octets, {what}", seen.describe()), None)
        })
        .add(OVERSIZE, u64::from(!large.is_empty()))
        .most(LARGEST, u64::from(sizes.message))
        .call(seen.placement.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (oversize, largest) = (entry.tally(OVERSIZE), entry.tally(LARGEST));
        Words {
            summary: sentence!(
                "{} from {}, up to {largest} octets; {oversize} beyond what readers expect, the others \
                 beyond one packet over UDP.",
                plural(entry.count, "large message"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("messages", Figure::Count(entry.count)),
                ("beyond_limits", Figure::Count(oversize)),
                ("largest_octets", Figure::Count(largest)),
            ],
        }
    }
}
