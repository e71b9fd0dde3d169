//! `MEDIA-SEQ-JUMP`: sequence numbers or timestamps that go on from somewhere else.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::StreamSeen;
use super::super::sink::{Entry, Sink};
use super::super::text::{plural, sentence};
use super::sighting::{self, described, streams_between};
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::stream::Standing;
use crate::policy::Policy;
use crate::policy::media::{SEQ_JUMP_AHEAD, TIMESTAMP_JUMP_S};

rule! {
    /// ## What it detects
    /// The sequence numbers of a stream go on from somewhere else (more than 3,000 ahead or 100 back, two
    /// packets in a row), without a new SSRC and without the marker that a new spurt of speech has. Or the
    /// timestamp of the very next packet is more than ten seconds further on or back, for payload types
    /// whose clock rate the registry gives.
    ///
    /// ## Why it matters
    /// A sender that was restarted, or replaced, or a recording played into the call. SRTP with such jumps
    /// may lose its rollover counter.
    ///
    /// ## Evidence
    /// The stream and how often it jumped.
    ///
    /// ## False positives
    /// Telephone events replayed from recordings begin with the marker and are not counted. A capture that
    /// misses a minute of a stream shows a jump, too.
    ///
    /// ## Fix
    /// A sender that starts anew has to choose a new SSRC.
    id: "MEDIA-SEQ-JUMP",
    name: "media-seq-jump",
    title: "The sequence numbers of a stream jump",
    severity: Low ..= Low,
    status: Stable,
    wants: [STRANGE],
    references: ["RFC 3550 §5.1", "RFC 3550 §A.1"],
    remediation: super::FIX_SOURCES,
    question: None,
    thresholds: ["seq_jump_ahead", "seq_jump_back", "timestamp_jump_s"],
    since: "0.1.0",
}

/// Tally: jumps of the numbers; streams whose timestamp jumped.
const JUMPS: usize = 0;
const LEAPS: usize = 1;

/// The rule at work.
pub(crate) struct SeqJump;

pub(crate) const fn new(_: &Policy) -> SeqJump {
    SeqJump
}

impl Detector for SeqJump {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        let odd = seen.around.ended.filter(|ended| ended.jumps > 0 || ended.leapt);
        let Some(ended) = odd else { return };
        if ended.standing == Standing::Candidate {
            return;
        }
        let jumps = u64::from(ended.jumps);
        let what = || {
            let also = if ended.leapt { ", and of the timestamp" } else { "" };
            sentence!("{}, {} of the numbers{also}", described(seen), plural(jumps, "jump"))
        };
        sighting::stream(&META, seen, (Severity::Low, Confidence::High), sink, what)
            .add(JUMPS, jumps)
            .add(LEAPS, u64::from(ended.leapt));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (jumps, leaps) = (entry.tally(JUMPS), entry.tally(LEAPS));
        let mut parts = Vec::new();
        if jumps > 0 {
            parts.push(sentence!("{} of the sequence numbers", plural(jumps, "jump")));
        }
        if leaps > 0 {
            parts.push(sentence!("the timestamp jumps in {}", plural(leaps, "stream")));
        }
        Words {
            summary: sentence!("{}: {}.", streams_between(entry), parts.join("; ")),
            parameters: vec![
                ("seq_jump_ahead", Figure::Count(SEQ_JUMP_AHEAD.into())),
                ("timestamp_jump_s", Figure::Count(TIMESTAMP_JUMP_S.into())),
                ("streams", Figure::Count(entry.streams)),
                ("jumps", Figure::Count(entry.tally(JUMPS))),
                ("streams_with_timestamp_jumps", Figure::Count(entry.tally(LEAPS))),
            ],
        }
    }
}
