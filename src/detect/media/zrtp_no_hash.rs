//! `MEDIA-ZRTP-NO-HASH`: a ZRTP Hello that nothing announced (RFC 6189 §8.1).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::correlate::zrtp::HelloHash;
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A party of a call sends ZRTP Hello packets, and its SDP has no `a=zrtp-hash`.
    ///
    /// ## Why it matters
    /// Nothing ties the Hello to the signalling: whoever stands in the path can answer with a Hello of his
    /// own, and only the comparison of the spoken authentication string would show it.
    ///
    /// ## Evidence
    /// The first Hello of each side.
    ///
    /// ## False positives
    /// An answer with the hash that was not captured.
    ///
    /// ## Fix
    /// Let endpoints put the hash of their Hello into every offer and answer (RFC 6189 §8.1).
    id: "MEDIA-ZRTP-NO-HASH",
    name: "media-zrtp-no-hash",
    title: "ZRTP is not tied to the signalling",
    severity: Low ..= Low,
    status: Stable,
    wants: [MEDIA],
    references: ["RFC 6189 §8.1"],
    remediation: super::FIX_ZRTP,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct ZrtpNoHash;

pub(crate) const fn new(_: &Policy) -> ZrtpNoHash {
    ZrtpNoHash
}

impl Detector for ZrtpNoHash {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let &MediaSeen::Hello { src, dst, at, call, announced } = seen else { return };
        if announced != HelloHash::Absent {
            return;
        }
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), at)
            .kind(u32::from(src.addr <= dst.addr));
        sink.sighting(sighting, |_| {
            (sentence!("ZRTP Hello {src} to {dst}; no a=zrtp-hash in the SDP of its sender"), None)
        })
        .call(Some(call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "ZRTP without a=zrtp-hash in {} between {}.",
                plural(entry.calls, "call"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("calls", Figure::Count(entry.calls)),
                ("hellos", Figure::Count(entry.count)),
            ],
        }
    }
}
