//! `MEDIA-MSRP-CLEAR`: messages in sessions, readable (RFC 4975).

use super::super::calls::CallSeen;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::finding::{Confidence, Figure};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A SEND request of MSRP on a TCP connection without TLS; or an answered call that agreed on
    /// `TCP/MSRP`, whose connection may have been somewhere else (medium confidence).
    ///
    /// ## Why it matters
    /// Messages and files that people exchange in a session can be read by anyone on the path.
    ///
    /// ## Evidence
    /// The first SEND each way, whose body is not shown; the INVITE of such a call.
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
    wants: [CALL, MEDIA],
    references: ["RFC 4975 §14.1", "RFC 4976"],
    remediation: super::FIX_CONTENT,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// Tally: directions in which messages were seen.
const DIRECTIONS: usize = 0;

/// The profile of messages without TLS (RFC 4975 §8).
const PROFILE: &str = "TCP/MSRP";

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
        let what = |_: &mut _| (sentence!("MSRP SEND {src} to {dst} over TCP"), None);
        sink.sighting(sighting, what).add(DIRECTIONS, 1);
    }

    fn call(&mut self, seen: &CallSeen<'_>, sink: &mut Sink) {
        let record = seen.record;
        let agreed = record.media.answered.iter().any(|profile| &**profile == PROFILE);
        let Some(pair) = seen.pair.filter(|_| agreed && record.answer.is_some()) else { return };
        let sighting =
            Sighting::new(&META, pair, seen.first()).confidence(Confidence::Medium).kind(2);
        sink.sighting(sighting, |_| (sentence!("INVITE of a call that agreed on {PROFILE}"), None))
            .call(Some(seen.key));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "MSRP in clear between {}: seen in {}, agreed on in {}.",
                entry.subject.spoken(),
                plural(entry.tally(DIRECTIONS), "direction"),
                plural(entry.calls, "call"),
            ),
            parameters: vec![
                ("directions", Figure::Count(entry.tally(DIRECTIONS))),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }
}
