//! `MEDIA-ZRTP-SAS-UNKNOWN`: what nobody but the parties can know (RFC 6189 §4.3).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// ZRTP between two parties.
    ///
    /// ## Why it matters
    /// Whether they compared the short authentication string, by speaking it, decides whether somebody
    /// may sit between them. That cannot be seen in packets.
    ///
    /// ## Evidence
    /// The first Hello of each side.
    ///
    /// ## False positives
    /// None: it is a remark.
    ///
    /// ## Fix
    /// Tell users to compare the string at least once.
    id: "MEDIA-ZRTP-SAS-UNKNOWN",
    name: "media-zrtp-sas-unknown",
    title: "Whether ZRTP users compared their string is not known",
    severity: Info ..= Info,
    status: Stable,
    wants: [MEDIA],
    references: ["RFC 6189 §4.3", "RFC 6189 §7"],
    remediation: super::FIX_ZRTP,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct ZrtpSasUnknown;

pub(crate) const fn new(_: &Policy) -> ZrtpSasUnknown {
    ZrtpSasUnknown
}

impl Detector for ZrtpSasUnknown {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let &MediaSeen::Hello { src, dst, at, call, .. } = seen else { return };
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), at)
            .kind(u32::from(src.addr <= dst.addr));
        sink.sighting(sighting, |_| (sentence!("ZRTP Hello {src} to {dst}"), None))
            .call(Some(call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "ZRTP in {} between {}: nothing shows whether the strings were compared.",
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
