//! `MEDIA-SRTCP-E0`: SRTCP that authenticates and does not encrypt (RFC 3711 §3.4, RFC 4568 §6.3.2).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// SRTCP packets with E=0: three packets of a sender whose index rises by one each, E is not
    /// set, and the content in front of the trailer walks as RTCP.
    ///
    /// ## Why it matters
    /// The packets cannot be forged, but who speaks with whom, when, and how well it arrives can be
    /// read, names in source descriptions included, although the media is encrypted.
    ///
    /// ## Evidence
    /// The third packet of each sender.
    ///
    /// ## False positives
    /// None known: the flag is part of the packet. It is allowed where UNENCRYPTED_SRTCP was agreed
    /// on, which is a decision worth knowing.
    ///
    /// ## Fix
    /// Do not offer UNENCRYPTED_SRTCP, and refuse it.
    id: "MEDIA-SRTCP-E0",
    name: "media-srtcp-e0",
    title: "SRTCP is not encrypted",
    severity: Medium ..= Medium,
    status: Stable,
    wants: [MEDIA],
    references: ["RFC 3711 §3.4", "RFC 4568 §6.3.2"],
    remediation: "Remove UNENCRYPTED_SRTCP from the crypto policy of both sides, so that SRTCP is sent with E=1.",
    question: Some("SRTP"),
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct SrtcpE0;

pub(crate) fn new(_: &Policy) -> SrtcpE0 {
    SrtcpE0
}

impl Detector for SrtcpE0 {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let MediaSeen::SrtcpClear { src, dst, at, ssrc, call } = *seen else { return };
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), at)
            .severity(Severity::Medium)
            .confidence(Confidence::Certain)
            .kind(u32::from(src.addr <= dst.addr));
        let hit = sink.sighting(sighting, |_| {
            (sentence!("SRTCP {src} to {dst}, SSRC {ssrc:#010x}: E is 0 in three packets"), None)
        });
        let _ = hit.call(call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} between {} without encryption: reports and source descriptions can be read.",
                plural(entry.count, "SRTCP sender"),
                entry.subject.spoken(),
            ),
            parameters: vec![("senders", Figure::Count(entry.count))],
        }
    }
}
