//! `MEDIA-RTCP-NAME-LEAK`: who the parties are, in RTCP (RFC 3550 §6.5).

use overhear_parsers::rtcp::{Body, Packets, SdesItem};

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, printable, sentence};
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// RTCP in clear with NAME, EMAIL, PHONE, LOC or NOTE in its source description.
    ///
    /// ## Why it matters
    /// Names, numbers and places of the parties stand in packets that anyone on the path can read, even
    /// where signalling and media are encrypted.
    ///
    /// ## Evidence
    /// The first packets with such items, and what they say.
    ///
    /// ## False positives
    /// Names of machines or products in NAME or NOTE.
    ///
    /// ## Fix
    /// Send CNAME only, and encrypt RTCP.
    id: "MEDIA-RTCP-NAME-LEAK",
    name: "media-rtcp-name-leak",
    title: "RTCP in clear names the parties",
    severity: Low ..= Low,
    status: Stable,
    wants: [MEDIA],
    references: ["RFC 3550 §6.5", "RFC 3711 §3.4"],
    remediation: super::FIX_METADATA,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The items that name somebody, by their numbers (RFC 3550 §6.5).
const ITEMS: [(u8, &str); 5] = [(2, "NAME"), (3, "EMAIL"), (4, "PHONE"), (5, "LOC"), (7, "NOTE")];

/// The rule at work.
pub(crate) struct RtcpNameLeak;

pub(crate) const fn new(_: &Policy) -> RtcpNameLeak {
    RtcpNameLeak
}

impl Detector for RtcpNameLeak {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let &MediaSeen::Rtcp { src, dst, at, octets, call } = seen else { return };
        for SdesItem { kind, text, .. } in items(octets).filter(|item| !item.text.is_empty()) {
            let Some((_, name)) = ITEMS.iter().find(|(number, _)| *number == kind) else {
                continue;
            };
            let sighting =
                Sighting::new(&META, Subject::pair(src.addr, dst.addr), at).kind(u32::from(kind));
            let what = |_: &mut _| {
                (sentence!("RTCP {src} to {dst}: {name} {}", printable(text, 64)), None)
            };
            sink.sighting(sighting, what).call(call);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "RTCP between {} names its senders: {}.",
                entry.subject.spoken(),
                plural(entry.count, "item"),
            ),
            parameters: vec![
                ("items", Figure::Count(entry.count)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}

/// The items of all source descriptions of a compound packet.
pub(super) fn items(octets: &[u8]) -> impl Iterator<Item = SdesItem<'_>> {
    Packets::new(octets)
        .filter_map(|packet| match packet.decode() {
            Body::Sdes(items) => Some(items),
            _ => None,
        })
        .flatten()
}
