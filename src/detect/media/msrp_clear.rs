//! `MEDIA-MSRP-CLEAR`: messages in sessions, readable (RFC 4975).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A SEND request of MSRP on a TCP connection without TLS.
    ///
    /// ## Why it matters
    /// Messages and files that people exchange in a session can be read by anyone on the path.
    ///
    /// ## Evidence
    /// The first SEND each way. Its body is not shown.
    ///
    /// ## False positives
    /// A connection inside an encrypted tunnel that was tapped behind its end.
    ///
    /// ## Fix
    /// Use MSRP over TLS (TCP/TLS/MSRP, RFC 4975 §14.1).
    id: "MEDIA-MSRP-CLEAR",
    name: "media-msrp-clear",
    title: "Messages of a session can be read",
    severity: High ..= High,
    status: Stable,
    wants: [MEDIA],
    references: ["RFC 4975 §14.1", "RFC 4976"],
    remediation: super::FIX_CONTENT,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct MsrpClear;

pub(crate) const fn new(_: &Policy) -> MsrpClear {
    MsrpClear
}

impl Detector for MsrpClear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let &MediaSeen::Msrp { src, dst, at } = seen else { return };
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), at)
            .kind(u32::from(src.addr <= dst.addr));
        sink.sighting(sighting, |_| (sentence!("MSRP SEND {src} to {dst} over TCP"), None));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "MSRP in clear between {}, {}.",
                entry.subject.spoken(),
                plural(entry.count, "direction"),
            ),
            parameters: vec![("directions", Figure::Count(entry.count))],
        }
    }
}
