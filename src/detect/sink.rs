//! Where sightings become findings: one per rule and subject, however many packets.
//!
//! A sighting of something already known costs a table look-up and a few additions: its text is
//! formatted only for the pieces of evidence that are kept. Every table here is bounded:
//! subjects per rule by `limits.findings_per_rule` (the rest is one finding), evidence and links
//! by constants of `policy::limits`, exact counting of distinct things by `limits.calls`.

use std::hash::BuildHasher;

use hashbrown::{HashMap, HashSet, HashTable};

use super::entry;
pub use super::entry::{Entry, Sighting};
use super::redact::Labels;
use super::rule::{Meta, Words};
pub use super::subject::{About, Subject};
use crate::model::addr::{STABLE, stable_hash};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Finding, Severity};
use crate::model::id::RecordKey;
use crate::policy::Limits;

/// Recent links remembered so that a call's hundredth message costs no look-up in the big table.
const RECENT_LINKS: usize = 1 << 14;

/// Everything that rules have found so far.
#[derive(Debug)]
pub struct Sink {
    entries: Vec<Entry>,
    by_subject: HashTable<u32>,
    per_rule: Vec<(&'static Meta, usize)>,
    labels: Labels,
    /// Hashes of (entry, thing): what has been counted as distinct.
    counted: HashSet<u64, foldhash::fast::FixedState>,
    recent: Box<[u64]>,
    links: Vec<(RecordKey, u32)>,
    subjects_cap: usize,
    counted_cap: usize,
}

/// What the sink holds at the end.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings, by first frame, then id.
    pub findings: Vec<Finding>,
    /// The records a finding concerns, and which finding: sorted, without repeats.
    pub links: Vec<(RecordKey, u32)>,
    /// The index in `findings` of each number that stands in links, these and those taken earlier
    /// with [`Sink::take_links`].
    pub places: Vec<u32>,
}

impl Sink {
    /// An empty sink.
    pub fn new(limits: &Limits) -> Self {
        Self {
            entries: Vec::new(),
            by_subject: HashTable::new(),
            per_rule: Vec::new(),
            labels: Labels::default(),
            counted: HashSet::default(),
            recent: vec![0; RECENT_LINKS].into_boxed_slice(),
            links: Vec::new(),
            subjects_cap: limits.findings_per_rule,
            counted_cap: limits.calls,
        }
    }

    /// Counts one sighting; `evidence` says what is seen and quotes it, and is asked only when it
    /// is kept. The label maker hides secrets.
    pub fn sighting(
        &mut self,
        sighting: Sighting,
        evidence: impl FnOnce(&mut Labels) -> (String, Option<String>),
    ) -> Hit<'_> {
        let index = self.place(&sighting);
        let Sighting { at, severity, confidence, kind, .. } = sighting;
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let Self { entries, labels, .. } = self;
        if let Some(entry) = entries.get_mut(index) {
            entry.count = entry.count.saturating_add(1);
            entry.severity = entry.severity.max(severity);
            entry.confidence = entry.confidence.max(confidence);
            entry.see(at);
            if entry.takes_evidence(kind) {
                let (what, excerpt) = evidence(labels);
                entry.keep(kind, at, what, excerpt);
            }
        }
        Hit { sink: self, index, number }
    }

    /// Whether the rule has a finding about `subject` already, and what it holds.
    pub fn known(&self, meta: &'static Meta, subject: Subject) -> Option<&Entry> {
        let hash = key(meta, subject);
        let found = self.by_subject.find(hash, |index| self.is(*index, meta, subject))?;
        self.entries.get(usize::try_from(*found).ok()?)
    }

    /// What is known about `subject`, its severity raised, without a new sighting: a stream turned
    /// up that a finding about signalling concerns.
    pub fn concerns(
        &mut self,
        meta: &'static Meta,
        subject: Subject,
        severity: Severity,
    ) -> Option<Hit<'_>> {
        let hash = key(meta, subject);
        let number = *self.by_subject.find(hash, |index| self.is(*index, meta, subject))?;
        let index = usize::try_from(number).ok()?;
        let entry = self.entries.get_mut(index)?;
        entry.severity = entry.severity.max(severity);
        Some(Hit { sink: self, index, number })
    }

    /// The links made since the last call; their numbers become findings through
    /// [`Outcome::places`]. For a collector that does not keep them in memory.
    pub fn take_links(&mut self) -> Vec<(RecordKey, u32)> {
        std::mem::take(&mut self.links)
    }

    /// Findings begun so far, by severity, worst first: for a progress line.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Turns everything into findings; `words` is asked for each one's sentence and figures.
    pub fn finish(self, mut words: impl FnMut(&Entry) -> Words) -> Outcome {
        // What an id shows: the rule, and the first half of the subject's hash.
        let shown = |entry: &Entry| (entry.meta.id, entry.subject.hash64() >> 32);
        let mut ids: HashMap<_, u32, foldhash::fast::FixedState> = HashMap::default();
        for entry in &self.entries {
            *ids.entry(shown(entry)).or_default() += 1;
        }
        let mut order: Vec<(usize, Finding)> = Vec::with_capacity(self.entries.len());
        for (index, entry) in self.entries.into_iter().enumerate() {
            let words = words(&entry);
            // Two subjects whose hashes begin alike need more of them.
            let clash = ids.get(&shown(&entry)).is_some_and(|same| *same > 1);
            let id = entry.id(if clash { 16 } else { 8 });
            order.push((index, entry.finding(id, words)));
        }
        order.sort_by(|(_, a), (_, b)| {
            (a.first_seen.frame, &a.id).cmp(&(b.first_seen.frame, &b.id))
        });
        let mut places = vec![0; order.len()];
        for (place, (index, _)) in (0_u32..).zip(&order) {
            if let Some(slot) = places.get_mut(*index) {
                *slot = place;
            }
        }
        let mut links = self.links;
        links.sort_unstable();
        links.dedup();
        let findings = order.into_iter().map(|(_, finding)| finding).collect();
        Outcome { findings, links, places }
    }

    /// The index of the sighting's entry, made if need be.
    fn place(&mut self, sighting: &Sighting) -> usize {
        let Sighting { meta, subject, .. } = *sighting;
        let hash = key(meta, subject);
        if let Some(found) = self.by_subject.find(hash, |index| self.is(*index, meta, subject)) {
            return usize::try_from(*found).unwrap_or(usize::MAX);
        }
        let begun = self.per_rule.iter().find(|(rule, _)| *rule == meta).map_or(0, |(_, n)| *n);
        if begun < self.subjects_cap || subject == Subject::rest() {
            return self.begin(sighting, subject, hash);
        }
        let rest = Sighting { subject: Subject::rest(), ..*sighting };
        let index = self.place_rest(&rest);
        if self.count_once(index, subject.hash64())
            && let Some(entry) = self.entries.get_mut(index)
        {
            entry.others = entry.others.saturating_add(1);
        }
        index
    }

    fn place_rest(&mut self, rest: &Sighting) -> usize {
        let hash = key(rest.meta, rest.subject);
        match self.by_subject.find(hash, |index| self.is(*index, rest.meta, rest.subject)) {
            Some(found) => usize::try_from(*found).unwrap_or(usize::MAX),
            None => self.begin(rest, rest.subject, hash),
        }
    }

    fn begin(&mut self, sighting: &Sighting, subject: Subject, hash: u64) -> usize {
        let index = self.entries.len();
        self.entries.push(Entry::new(sighting, subject));
        let entries = &self.entries;
        let rehash = |index: &u32| {
            let entry = usize::try_from(*index).ok().and_then(|index| entries.get(index));
            entry.map_or(0, |entry| key(entry.meta, entry.subject))
        };
        self.by_subject.insert_unique(hash, u32::try_from(index).unwrap_or(u32::MAX), rehash);
        match self.per_rule.iter_mut().find(|(rule, _)| *rule == sighting.meta) {
            Some((_, begun)) => *begun += 1,
            None => self.per_rule.push((sighting.meta, 1)),
        }
        index
    }

    fn is(&self, index: u32, meta: &'static Meta, subject: Subject) -> bool {
        let entry = usize::try_from(index).ok().and_then(|index| self.entries.get(index));
        entry.is_some_and(|entry| std::ptr::eq(entry.meta, meta) && entry.subject == subject)
    }

    /// Whether `thing` is new to the entry; false, and the entry marked, once there is no room.
    fn count_once(&mut self, index: usize, thing: u64) -> bool {
        let hash = stable_hash(&(index as u64, thing));
        if self.counted.len() < self.counted_cap {
            return self.counted.insert(hash);
        }
        if !self.counted.contains(&hash)
            && let Some(entry) = self.entries.get_mut(index)
        {
            entry.exhausted = true;
        }
        false
    }

    /// Whether the link is not among the recent ones; it is afterwards.
    fn is_fresh(&mut self, index: usize, record: u64) -> bool {
        let hash = stable_hash(&(record, index as u64)) | 1;
        let slot = usize::try_from(hash >> 8).unwrap_or(usize::MAX) % RECENT_LINKS;
        match self.recent.get_mut(slot) {
            Some(recent) if *recent == hash => false,
            Some(recent) => {
                *recent = hash;
                true
            }
            None => true,
        }
    }
}

/// The entry a sighting went to, for what the rule counts there.
#[derive(Debug)]
pub struct Hit<'a> {
    sink: &'a mut Sink,
    index: usize,
    number: u32,
}

impl Hit<'_> {
    /// The sighting concerns this call, if any.
    pub fn call(self, call: Option<RecordKey>) -> Self {
        let Some(key) = call else { return self };
        let record = stable_hash(&key);
        if self.sink.is_fresh(self.index, record) {
            let new = self.sink.count_once(self.index, record);
            if let Some(entry) = self.sink.entries.get_mut(self.index) {
                entry.calls = entry.calls.saturating_add(u64::from(new));
                if new || entry.exhausted {
                    entry::link(&mut entry.call_ids, key.id);
                    self.sink.links.push((key, self.number));
                }
            }
        }
        self
    }

    /// The sighting concerns this stream; each stream is named once.
    pub fn stream(self, key: RecordKey) -> Self {
        if let Some(entry) = self.sink.entries.get_mut(self.index) {
            entry.streams = entry.streams.saturating_add(1);
            entry::link(&mut entry.stream_ids, key.id);
            self.sink.links.push((key, self.number));
        }
        self
    }

    /// The sighting concerns this registration or handshake, if any.
    pub fn record(self, record: Option<RecordKey>) -> Self {
        let Some(key) = record else { return self };
        if self.sink.is_fresh(self.index, stable_hash(&key)) {
            self.sink.links.push((key, self.number));
        }
        self
    }

    /// The sighting lasted until `last`.
    pub fn until(self, last: FrameRef) -> Self {
        if let Some(entry) = self.sink.entries.get_mut(self.index) {
            entry.see(last);
        }
        self
    }

    /// The threshold was crossed here; before that there was no finding.
    pub fn alert(self, at: FrameRef) -> Self {
        if let Some(entry) = self.sink.entries.get_mut(self.index) {
            entry.alert = at;
        }
        self
    }

    /// The sighting stands for `n` in all.
    pub fn times(self, n: u64) -> Self {
        if let Some(entry) = self.sink.entries.get_mut(self.index) {
            entry.count = entry.count.saturating_add(n.saturating_sub(1));
        }
        self
    }

    /// Adds to a tally of the rule's.
    pub fn add(self, slot: usize, n: u64) -> Self {
        self.tally(slot, |tally| tally.saturating_add(n))
    }

    /// Sets bits of a tally of the rule's.
    pub fn mark(self, slot: usize, bits: u64) -> Self {
        self.tally(slot, |tally| tally | bits)
    }

    /// Counts `thing`, a hash, under a distinct count of the rule's, once.
    pub fn distinct(self, slot: usize, thing: u64) -> Self {
        let thing = STABLE.hash_one((slot as u64, thing));
        if self.sink.is_fresh(self.index, thing)
            && self.sink.count_once(self.index, thing)
            && let Some(entry) = self.sink.entries.get_mut(self.index)
            && let Some(count) = entry.distinct.get_mut(slot)
        {
            *count = count.saturating_add(1);
        }
        self
    }

    fn tally(self, slot: usize, change: impl FnOnce(u64) -> u64) -> Self {
        let entry = self.sink.entries.get_mut(self.index);
        if let Some(tally) = entry.and_then(|entry| entry.tally.get_mut(slot)) {
            *tally = change(*tally);
        }
        self
    }
}

fn key(meta: &Meta, subject: Subject) -> u64 {
    // Where the rule stands tells it from every other: nothing but a look-up depends on this hash.
    let rule = std::ptr::from_ref(meta).addr() as u64;
    subject.hash64() ^ rule.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
