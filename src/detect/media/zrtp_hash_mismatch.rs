//! `MEDIA-ZRTP-HASH-MISMATCH`: another Hello than the one announced (RFC 6189 §8.1).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::correlate::zrtp::HelloHash;
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// The SHA-256 of a ZRTP Hello is none of those that the SDP of its sender announced.
    ///
    /// ## Why it matters
    /// Somebody between the parties answers in their place, or replaced the SDP: the keys may be shared
    /// with him.
    ///
    /// ## Evidence
    /// The first such Hello of each side.
    ///
    /// ## False positives
    /// A gateway that ends ZRTP and passes the SDP on unchanged. Only 64 bits are compared; they differ
    /// only if the hashes do.
    ///
    /// ## Fix
    /// Compare the spoken authentication string, and find out what stands between the parties.
    id: "MEDIA-ZRTP-HASH-MISMATCH",
    name: "media-zrtp-hash-mismatch",
    title: "Somebody may sit between two ZRTP parties",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [MEDIA],
    references: ["RFC 6189 §8.1"],
    remediation: super::FIX_ZRTP,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct ZrtpHashMismatch;

pub(crate) const fn new(_: &Policy) -> ZrtpHashMismatch {
    ZrtpHashMismatch
}

impl Detector for ZrtpHashMismatch {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let &MediaSeen::Hello { src, dst, at, call, announced } = seen else { return };
        if announced != HelloHash::Differs {
            return;
        }
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), at)
            .kind(u32::from(src.addr <= dst.addr));
        sink.sighting(sighting, |_| {
            (sentence!("ZRTP Hello {src} to {dst}; its hash is not that of a=zrtp-hash"), None)
        })
        .call(Some(call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "ZRTP Hello and a=zrtp-hash differ in {} between {}.",
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
