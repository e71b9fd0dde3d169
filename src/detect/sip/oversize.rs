//! `SIP-OVERSIZE`: messages larger than their readers expect.

use overhear_parsers::sip::Message;
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
    thresholds: [
        "oversize_start_line",
        "oversize_header",
        "oversize_headers",
        "oversize_vias",
        "oversize_message",
        "oversize_description",
        "oversize_media",
        "oversize_uri_parameters",
        "oversize_datagram",
    ],
    since: "0.1.0",
}

/// Whether a message is large enough to be measured at all: nearly none is.
#[inline]
pub(in crate::detect) const fn is_worth_measuring(message: &Message<'_>) -> bool {
    message.octets.len() > 1_200 || message.layout.headers > 60
}

/// Tally: messages that are too large in themselves; octets of the largest.
const OVERSIZE: usize = 0;
const LARGEST: usize = 1;

/// The rule at work.
pub(crate) struct Oversize {
    limits: Sizes,
    /// What a request over UDP may measure.
    datagram: u64,
}

pub(crate) fn new(policy: &Policy) -> Oversize {
    let of = &policy.thresholds.sip;
    let limit = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let limits = Sizes {
        start_line: limit(of.oversize_start_line),
        header: limit(of.oversize_header),
        headers: limit(of.oversize_headers),
        vias: limit(of.oversize_vias),
        message: limit(of.oversize_message),
        description: limit(of.oversize_description),
        media: limit(of.oversize_media),
        uri_parameters: limit(of.oversize_uri_parameters),
    };
    Oversize { limits, datagram: of.oversize_datagram }
}

impl Detector for Oversize {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let message = &seen.event.message;
        let small = u64::from(message.layout.len) <= self.datagram;
        if small && message.layout.headers <= self.limits.headers {
            return;
        }
        let sizes = Sizes::of(message);
        let large: Vec<&str> = sizes.above(self.limits).collect();
        let datagram = !small && seen.event.transport == Transport::Udp && message.is_request();
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
