//! `MEDIA-SSRC-CHANGE`: one stream ends and another begins between the same sockets.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sink, Subject};
use super::super::text::{plural, sentence};
use super::sighting::{self, described, millis};
use crate::correlate::company::Companion;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::stream::Standing;
use crate::model::time::{Span, Ts};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A sender goes on under another SSRC between the same two sockets. Info; medium if it does so more
    /// than five times in a minute without a new offer or answer.
    ///
    /// ## Why it matters
    /// Each change begins a new stream for whoever measures or decrypts, and may be somebody else who took
    /// over the sender's address.
    ///
    /// ## Evidence
    /// The last packet of the one and the first of the other stream.
    ///
    /// ## False positives
    /// Transfers, music on hold, and exchanges that connect a call anew do this as a matter of course. Two
    /// streams at the same time (audio and video in one bundle, digits) are not a change.
    ///
    /// ## Fix
    /// Nothing for a change now and then; for many, find out who sends.
    id: "MEDIA-SSRC-CHANGE",
    name: "media-ssrc-change",
    title: "A sender changes its SSRC within a call",
    severity: Info ..= Medium,
    status: Stable,
    wants: [ACCOMPANIED],
    references: ["RFC 3550 §8.2"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["ssrc_changes", "handover_ms"],
    since: "0.1.0",
}

/// Tally: the most changes within a minute that nothing explains.
const IN_A_MINUTE: usize = 0;

/// Streams further apart are not one after the other; nearer than this they overlap.
const APART: Span = Span::from_secs(60);
const OVERLAP: Span = Span::from_nanos(500_000_000);

/// The rule at work.
pub(crate) struct SsrcChange {
    changes: u64,
    handover_ms: u64,
}

pub(crate) const fn new(policy: &Policy) -> SsrcChange {
    let thresholds = &policy.thresholds.media;
    SsrcChange { changes: thresholds.ssrc_changes, handover_ms: thresholds.handover_ms }
}

impl Detector for SsrcChange {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let speaks = |stream: &Companion| stream.standing == Standing::Confirmed && !stream.events;
        let Some(own) = seen.around.own.filter(|own| speaks(own)) else { return };
        let on_this_way = |other: &&Companion| {
            (other.src, other.dst) == (own.src, own.dst)
                && other.ssrc != own.ssrc
                && other.call == own.call
                && speaks(other)
        };
        let follows = |other: &&Companion| own.first.time.plus(OVERLAP) > other.last.time;
        let before = || seen.around.company.iter().filter(on_this_way).filter(follows);
        let Some(last) = before().max_by_key(|other| other.last.time) else { return };
        let explained = |at: Ts| {
            let near = |told: Ts| told.since(at).nanos().abs() <= millis(self.handover_ms).nanos();
            seen.around.announced.is_some_and(|told| told.any(near))
        };
        // The first of them changed nothing, unless something came before it.
        let recent = |other: &&Companion| own.first.time.since(other.first.time) <= APART;
        let begun = before().filter(recent).filter(|other| !explained(other.first.time)).count();
        let changes = u64::try_from(begun).unwrap_or(u64::MAX);
        let changes = changes.saturating_add(u64::from(!explained(own.first.time)));
        let severity = if changes > self.changes { Severity::Medium } else { Severity::Info };
        let known = Subject::pair(own.src.addr, own.dst.addr);
        let most = sink.known(&META, known).map_or(0, |entry| entry.tally(IN_A_MINUTE));
        let what = || sentence!("{}; until then SSRC 0x{:08x}", described(seen), last.ssrc);
        sighting::stream(&META, seen, (severity, Confidence::High), sink, what)
            .add(IN_A_MINUTE, changes.saturating_sub(most));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} of the SSRC between {}, at most {} in a minute without a new offer.",
                plural(entry.count, "change"),
                entry.subject.spoken(),
                entry.tally(IN_A_MINUTE),
            ),
            parameters: vec![
                ("ssrc_changes", Figure::Count(self.changes)),
                ("handover_ms", Figure::Count(self.handover_ms)),
                ("changes", Figure::Count(entry.count)),
                ("most_in_a_minute", Figure::Count(entry.tally(IN_A_MINUTE))),
            ],
        }
    }
}
