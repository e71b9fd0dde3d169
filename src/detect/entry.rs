//! One finding in the making: its sightings, and what is kept of them.

use super::rule::{Meta, Words};
use super::subject::{About, Subject};
use crate::model::evidence::{Evidence, FrameRef};
use crate::model::finding::{Confidence, Finding, Scope, Severity};
use crate::model::id::RecordId;
use crate::policy::limits::{EXCERPT_OCTETS, FINDING_EVIDENCE, FINDING_LINKS};

/// Kinds of evidence within one finding: each is shown at least once if it occurs.
const KINDS: u32 = 32;

/// One sighting, before it is counted.
#[derive(Copy, Clone, Debug)]
pub struct Sighting {
    pub(super) meta: &'static Meta,
    pub(super) subject: Subject,
    pub(super) at: FrameRef,
    pub(super) severity: Severity,
    pub(super) confidence: Confidence,
    pub(super) kind: u32,
}

impl Sighting {
    /// A certain sighting at the rule's lowest severity.
    pub const fn new(meta: &'static Meta, subject: Subject, at: FrameRef) -> Self {
        let (severity, confidence) = (meta.lowest, Confidence::Certain);
        Self { meta, subject, at, severity, confidence, kind: 0 }
    }

    /// With this severity; the finding carries the highest of its sightings.
    pub const fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// With this confidence; the finding carries the highest of its sightings.
    pub const fn confidence(self, confidence: Confidence) -> Self {
        Self { confidence, ..self }
    }

    /// As evidence of this kind (0 to 31): a kind not shown yet replaces the last piece of a full
    /// list, so that both directions of a flow are among the five.
    pub const fn kind(self, kind: u32) -> Self {
        Self { kind: kind % KINDS, ..self }
    }
}

/// A finding while sightings are still coming.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The rule.
    pub meta: &'static Meta,
    /// What it is about.
    pub subject: Subject,
    /// The highest severity so far.
    pub severity: Severity,
    /// The highest confidence so far.
    pub confidence: Confidence,
    /// Sightings.
    pub count: u64,
    /// The earliest sighting.
    pub first: FrameRef,
    /// The latest.
    pub last: FrameRef,
    /// Where the threshold was crossed.
    pub alert: FrameRef,
    /// Distinct calls.
    pub calls: u64,
    /// Streams.
    pub streams: u64,
    /// Distinct things the rule counts, by a number of its own.
    pub distinct: [u64; 4],
    /// Sums and bit sets that the rule keeps, by a number of its own.
    pub tally: [u64; 9],
    /// A distinct count stopped counting: it is a lower bound.
    pub exhausted: bool,
    /// Subjects put together here because there were too many.
    pub others: u64,
    /// Which of the entries of the rest it is, if it is one.
    pub(super) ordinal: u32,
    evidence: Vec<(u32, Evidence)>,
    /// Kinds of evidence that have been kept, one bit each.
    shown: u32,
    pub(super) call_ids: Vec<RecordId>,
    pub(super) stream_ids: Vec<RecordId>,
    pub(super) handshake_ids: Vec<RecordId>,
}

impl Entry {
    /// A tally; 0 beyond the last.
    pub fn tally(&self, slot: usize) -> u64 {
        self.tally.get(slot).copied().unwrap_or(0)
    }

    /// A distinct count; 0 beyond the last.
    pub fn distinct(&self, slot: usize) -> u64 {
        self.distinct.get(slot).copied().unwrap_or(0)
    }

    pub(super) fn new(sighting: &Sighting, subject: Subject) -> Self {
        let &Sighting { meta, at, severity, confidence, .. } = sighting;
        Self {
            meta,
            subject,
            severity,
            confidence,
            count: 0,
            first: at,
            last: at,
            alert: at,
            calls: 0,
            streams: 0,
            distinct: [0; 4],
            tally: [0; 9],
            exhausted: false,
            others: 0,
            ordinal: 0,
            evidence: Vec::with_capacity(FINDING_EVIDENCE),
            shown: 0,
            call_ids: Vec::new(),
            stream_ids: Vec::new(),
            handshake_ids: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn see(&mut self, at: FrameRef) {
        // Nearly always: sightings come in the order of the capture.
        if at.time > self.last.time {
            self.last = at;
            return;
        }
        let order = |seen: FrameRef| (seen.time, seen.frame);
        if order(at) < order(self.first) {
            self.first = at;
        }
        if order(at) > order(self.last) {
            self.last = at;
        }
    }

    #[inline]
    pub(super) fn takes_evidence(&self, kind: u32) -> bool {
        self.evidence.len() < FINDING_EVIDENCE || self.shown >> kind & 1 == 0
    }

    #[cold]
    pub(super) fn keep(&mut self, kind: u32, at: FrameRef, what: String, excerpt: Option<String>) {
        self.shown |= 1 << kind;
        if self.evidence.len() >= FINDING_EVIDENCE {
            let kinds: Vec<u32> = self.evidence.iter().map(|(kind, _)| *kind).collect();
            let repeated = |kind: &u32| kinds.iter().filter(|other| *other == kind).count() > 1;
            self.evidence.remove(kinds.iter().rposition(repeated).unwrap_or(kinds.len() - 1));
        }
        let excerpt = excerpt.map(|text| clip(text, EXCERPT_OCTETS));
        self.evidence.push((kind, Evidence { at, what, excerpt, sightings: Vec::new() }));
    }

    pub(super) fn id(&self, digits: usize) -> String {
        let mut id = format!("{}-{:016x}", self.meta.id, self.subject.hash64());
        id.truncate(self.meta.id.len().saturating_add(1).saturating_add(digits));
        id
    }

    pub(super) fn finding(mut self, id: String, words: Words) -> Finding {
        self.evidence.sort_by_key(|(_, evidence)| (evidence.at.time, evidence.at.frame));
        let summary = match self.subject.about() {
            About::Rest => {
                format!("{} more peers, put together: {}", self.others, words.summary)
            }
            _ => words.summary,
        };
        Finding {
            id,
            rule: self.meta.id,
            severity: self.severity,
            confidence: self.confidence,
            title: self.meta.title.to_owned(),
            summary,
            scope: Scope {
                trunk: None,
                calls: self.call_ids,
                streams: self.stream_ids,
                handshakes: self.handshake_ids,
                addresses: self.subject.addresses(),
            },
            first_seen: self.first,
            last_seen: self.last,
            count: self.count,
            first_alert: self.alert,
            evidence: self.evidence.into_iter().map(|(_, evidence)| evidence).collect(),
            parameters: words.parameters,
            remediation: self.meta.remediation,
            references: self.meta.references,
        }
    }
}

/// Adds a record to a list of links, while there is room.
pub(super) fn link(list: &mut Vec<RecordId>, id: RecordId) {
    if list.len() < FINDING_LINKS && list.last() != Some(&id) {
        list.push(id);
    }
}

/// `text` cut to `octets` at a character's end.
fn clip(mut text: String, octets: usize) -> String {
    if text.len() > octets {
        let mut end = octets;
        while !text.is_char_boundary(end) {
            end -= 1; // index 0 is a boundary
        }
        text.truncate(end);
    }
    text
}
