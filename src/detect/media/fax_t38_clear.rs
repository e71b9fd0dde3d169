//! `MEDIA-FAX-T38-CLEAR`: fax pages in readable datagrams (ITU-T T.38).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::finding::{Confidence, Figure};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Five and more datagrams of T.38 in UDPTL between sockets that SDP announced for fax
    /// (m=image ... udptl t38), outside of DTLS.
    ///
    /// ## Why it matters
    /// The pages can be put together again from these packets by anyone on the path.
    ///
    /// ## Evidence
    /// The first datagram each way and how many there were. No page is decoded.
    ///
    /// ## False positives
    /// None known: the datagrams have the structure of UDPTL and SDP announced it. A session whose SDP was
    /// not captured is not claimed.
    ///
    /// ## Fix
    /// Carry fax in DTLS (UDP/TLS/UDPTL, RFC 7345) or over an encrypted tunnel.
    id: "MEDIA-FAX-T38-CLEAR",
    name: "media-fax-t38-clear",
    title: "Fax pages can be read: T.38 is not encrypted",
    severity: High ..= High,
    status: Stable,
    wants: [MEDIA],
    references: ["RFC 3362", "RFC 7345"],
    remediation: super::FIX_CONTENT,
    question: None,
    thresholds: ["fax_packets"],
    since: "0.1.0",
}

/// Tally: datagrams.
const PACKETS: usize = 0;

/// The rule at work.
pub(crate) struct FaxT38Clear {
    packets: u64,
}

pub(crate) const fn new(policy: &Policy) -> FaxT38Clear {
    FaxT38Clear { packets: policy.thresholds.media.fax_packets }
}

impl Detector for FaxT38Clear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let &MediaSeen::Fax { src, dst, first, last, packets, call } = seen else { return };
        if packets < self.packets {
            return;
        }
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), first)
            .confidence(Confidence::Certain)
            .kind(u32::from(src.addr <= dst.addr));
        let what = |_: &mut _| {
            (sentence!("T.38 in UDPTL {src} to {dst}, {}", plural(packets, "datagram")), None)
        };
        sink.sighting(sighting, what).until(last).add(PACKETS, packets).call(Some(call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "Fax in {} between {}: {} in clear.",
                plural(entry.calls, "call"),
                entry.subject.spoken(),
                plural(entry.tally(PACKETS), "datagram"),
            ),
            parameters: vec![
                ("fax_packets", Figure::Count(self.packets)),
                ("packets", Figure::Count(entry.tally(PACKETS))),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
