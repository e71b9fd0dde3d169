//! Where sightings become findings: one per rule and subject, however many packets.
//!
//! A sighting of something already known costs a table look-up and a few additions: its text is
//! formatted only for the pieces of evidence that are kept. Every table here is bounded:
//! subjects per rule by `limits.findings_per_rule` (the rest is one finding), evidence and links
//! by constants of `policy::limits`, exact counting of distinct things by `limits.calls`, and of
//! subjects among the rest by as many.

use hashbrown::{HashMap, HashTable};

use super::book::{Book, Noted};
use super::entry;
pub use super::entry::{Entry, Sighting};
use super::ledger::{Ledger, Thing};
use super::peers::Peers;
use super::redact::Labels;
use super::rule::{Meta, Words};
pub use super::subject::{About, Subject};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Finding, Severity};
use crate::model::id::RecordKey;
use crate::policy::Limits;

/// Everything that rules have found so far.
#[derive(Debug)]
pub struct Sink {
    entries: Vec<Entry>,
    /// The hash of rule and subject, and the entry's index.
    by_subject: HashTable<(u64, u32)>,
    peers: Peers,
    /// Entries of the rest.
    rests: u32,
    rules: Vec<Begun>,
    /// Where sightings went lately, by the lowest bits of the hash of rule and subject.
    lately: Box<[(u64, u32); LATELY]>,
    labels: Labels,
    ledger: Ledger,
    subjects_cap: usize,
    /// What stands for the subjects beyond it.
    rest: Subject,
}

/// Sightings that are remembered: a message is followed by its answer, and an entry is found with one
/// look.
const LATELY: usize = 512;

/// What one rule has begun.
#[derive(Debug)]
struct Begun {
    meta: &'static Meta,
    entries: usize,
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
    /// The labels that evidence gave to secrets.
    pub labels: Labels,
}

impl Sink {
    /// An empty sink.
    pub fn new(limits: &Limits) -> Self {
        Self {
            entries: Vec::new(),
            by_subject: HashTable::new(),
            peers: Peers::new(limits.calls),
            rests: 0,
            rules: Vec::new(),
            lately: Box::new([(0, u32::MAX); LATELY]),
            labels: Labels::default(),
            ledger: Ledger::new(limits.calls),
            subjects_cap: limits.findings_per_rule,
            rest: Subject::rest(),
        }
    }

    /// The same; what stands behind labels will be shown.
    #[must_use]
    pub fn revealing(self, reveal: bool) -> Self {
        Self { labels: Labels::new(reveal), ..self }
    }

    /// Counts one sighting; `evidence` says what is seen and quotes it, and is asked only when it
    /// is kept. The label maker hides secrets.
    pub fn sighting(
        &mut self,
        sighting: Sighting,
        evidence: impl FnOnce(&mut Labels) -> (String, Option<String>),
    ) -> Hit<'_> {
        if self.ledger.is_full() {
            self.settle();
        }
        let number = self.place(&sighting);
        let Sighting { at, severity, confidence, kind, .. } = sighting;
        let Self { entries, labels, ledger, .. } = self;
        let mut entry = index(number).and_then(|index| entries.get_mut(index));
        if let Some(entry) = &mut entry {
            entry.count = entry.count.saturating_add(1);
            entry.severity = entry.severity.max(severity);
            entry.confidence = entry.confidence.max(confidence);
            entry.see(at);
            if entry.takes_evidence(kind) {
                let (what, excerpt) = evidence(labels);
                entry.keep(kind, at, what, excerpt);
            }
        }
        Hit { entry, ledger, number }
    }

    /// Whether the rule has a finding about `subject` already, and what it holds.
    pub fn known(&self, meta: &'static Meta, subject: Subject) -> Option<&Entry> {
        let number = self.find(key(meta, subject), meta, subject)?;
        self.entries.get(index(number)?)
    }

    /// Asks for what will be looked up about `subject`.
    #[inline]
    pub fn fetch(&self, subject: Subject) {
        self.peers.fetch(subject.hash64());
    }

    /// What is known about `subject`, its severity raised, without a new sighting: a stream turned
    /// up that a finding about signalling concerns.
    pub fn concerns(
        &mut self,
        meta: &'static Meta,
        subject: Subject,
        severity: Severity,
    ) -> Option<Hit<'_>> {
        let number = self.find(key(meta, subject), meta, subject)?;
        let Self { entries, ledger, .. } = self;
        let entry = entries.get_mut(index(number)?)?;
        entry.severity = entry.severity.max(severity);
        Some(Hit { entry: Some(entry), ledger, number })
    }

    /// What is known about `subject`, its severity and confidence set anew at the end: what seemed
    /// serious has been explained.
    pub fn revise(
        &mut self,
        meta: &'static Meta,
        subject: Subject,
        (severity, confidence): (Severity, Confidence),
    ) -> Option<Hit<'_>> {
        let mut hit = self.concerns(meta, subject, severity)?;
        if let Some(entry) = &mut hit.entry {
            (entry.severity, entry.confidence) = (severity, confidence);
        }
        Some(hit)
    }

    /// Counts everything that was left to be counted with other things: to be called before counts of
    /// distinct things are looked at.
    pub fn settle(&mut self) {
        self.ledger.settle(&mut self.entries);
    }

    /// The links made since the last call; their numbers become findings through
    /// [`Outcome::places`]. For a collector that does not keep them in memory.
    pub fn take_links(&mut self) -> Vec<(RecordKey, u32)> {
        self.settle();
        std::mem::take(&mut self.ledger.links)
    }

    /// Findings begun so far, by severity, worst first: for a progress line.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What a finding of this number would be if the capture ended here, once everything is counted:
    /// see [`Self::settle`].
    pub fn preview(&self, number: usize, words: impl FnOnce(&Entry) -> Words) -> Option<Finding> {
        let entry = self.entries.get(number)?;
        let words = words(entry);
        Some(entry.clone().finding(entry.id(8), words))
    }

    /// Turns everything into findings; `words` is asked for each one's sentence and figures.
    pub fn finish(mut self, mut words: impl FnMut(&Entry) -> Words) -> Outcome {
        self.settle();
        // What an id shows: the rule, and the first half of the subject's hash.
        let shown = |entry: &Entry| (entry.meta.id, entry.subject.hash64() >> 32);
        let mut ids: HashMap<_, u32, foldhash::fast::FixedState> = HashMap::default();
        for entry in &self.entries {
            *ids.entry(shown(entry)).or_default() += 1;
        }
        // In boxes, because sorting moves them a dozen times.
        let mut order: Vec<(usize, Box<Finding>)> = Vec::with_capacity(self.entries.len());
        for (index, entry) in self.entries.into_iter().enumerate() {
            let words = words(&entry);
            // Two subjects whose hashes begin alike need more of them.
            let clash = ids.get(&shown(&entry)).is_some_and(|same| *same > 1);
            let id = entry.id(if clash { 16 } else { 8 });
            order.push((index, Box::new(entry.finding(id, words))));
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
        let mut links = self.ledger.links;
        links.sort_unstable();
        links.dedup();
        let findings = order.into_iter().map(|(_, finding)| *finding).collect();
        Outcome { findings, links, places, labels: self.labels }
    }

    /// The number of the sighting's entry, made if need be.
    #[inline]
    fn place(&mut self, sighting: &Sighting) -> u32 {
        let &Sighting { meta, subject, .. } = sighting;
        let hash = key(meta, subject);
        if let Some(&(known, number)) = self.lately.get(lately(hash))
            && known == hash
            && self.is_of(number, meta, subject)
        {
            return number;
        }
        let own =
            if self.peers.is_own(subject.hash64()) { self.find(hash, meta, subject) } else { None };
        let number = own.unwrap_or_else(|| {
            // Beyond the cap there is an entry for the rest, and most subjects come more than once.
            let rest = self.rest;
            match self.find(key(meta, rest), meta, rest) {
                Some(number) => self.count_peer(number, subject),
                None => self.place_new(sighting, hash),
            }
        });
        if let Some(place) = self.lately.get_mut(lately(hash)) {
            *place = (hash, number);
        }
        number
    }

    /// Whether the entry of this number is where sightings of `subject` go; one of the rest has counted
    /// it before.
    fn is_of(&self, number: u32, meta: &'static Meta, subject: Subject) -> bool {
        let entry = index(number).and_then(|index| self.entries.get(index));
        entry.is_some_and(|entry| {
            let rest = entry.subject.about() == About::Rest;
            std::ptr::eq(entry.meta, meta) && (rest || entry.subject == subject)
        })
    }

    #[inline]
    fn find(&self, hash: u64, meta: &'static Meta, subject: Subject) -> Option<u32> {
        let is = |&(known, number): &(u64, u32)| {
            let entry = || self.entries.get(index(number)?);
            known == hash
                && entry().is_some_and(|e| std::ptr::eq(e.meta, meta) && e.subject == subject)
        };
        self.by_subject.find(hash, is).map(|(_, number)| *number)
    }

    /// An entry of its own for a subject that has none, or that of the rest.
    fn place_new(&mut self, sighting: &Sighting, hash: u64) -> u32 {
        let Some(begun) = self.rules.iter().find(|rule| std::ptr::eq(rule.meta, sighting.meta))
        else {
            self.rules.push(Begun { meta: sighting.meta, entries: 0 });
            return self.place_new(sighting, hash);
        };
        if begun.entries < self.subjects_cap {
            return self.begin(sighting, sighting.subject, hash);
        }
        let rest = self.rest;
        let number = self.begin(sighting, rest, key(sighting.meta, rest));
        if let Some(entry) = index(number).and_then(|index| self.entries.get_mut(index)) {
            entry.ordinal = self.rests;
        }
        self.rests += 1;
        self.count_peer(number, sighting.subject)
    }

    /// Counts a subject in the entry of the rest.
    fn count_peer(&mut self, rest: u32, subject: Subject) -> u32 {
        if let Some(entry) = index(rest).and_then(|index| self.entries.get_mut(index)) {
            let noted = self.peers.count(subject.hash64(), entry.ordinal);
            entry.others = entry.others.saturating_add((noted == Noted::Now).into());
            entry.exhausted |= noted == Noted::NoRoom;
        }
        rest
    }

    #[cold]
    fn begin(&mut self, sighting: &Sighting, subject: Subject, hash: u64) -> u32 {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry::new(sighting, subject));
        self.peers.own(subject.hash64());
        self.by_subject.insert_unique(hash, (hash, number), |(hash, _)| *hash);
        if let Some(rule) =
            self.rules.iter_mut().find(|rule| std::ptr::eq(rule.meta, sighting.meta))
        {
            rule.entries += 1;
        }
        number
    }
}

/// The entry a sighting went to, for what the rule counts there.
#[derive(Debug)]
pub struct Hit<'a> {
    entry: Option<&'a mut Entry>,
    ledger: &'a mut Ledger,
    number: u32,
}

impl Hit<'_> {
    /// The sighting concerns this call, if any.
    #[inline]
    pub fn call(self, call: Option<RecordKey>) -> Self {
        if let Some(key) = call {
            self.ledger.count(self.number, Thing::Call(key), Book::hash(self.number, key));
        }
        self
    }

    /// The sighting concerns this stream; each stream is named once.
    pub fn stream(mut self, key: RecordKey) -> Self {
        if let Some(entry) = &mut self.entry {
            entry.streams = entry.streams.saturating_add(1);
            entry::link(&mut entry.stream_ids, key.id);
            self.ledger.link(self.number, key);
        }
        self
    }

    /// The sighting concerns this registration, if any.
    #[inline]
    pub fn record(self, record: Option<RecordKey>) -> Self {
        if let Some(key) = record {
            self.ledger.mention(self.number, key);
        }
        self
    }

    /// The sighting concerns this handshake; each is named once.
    pub fn handshake(mut self, key: RecordKey) -> Self {
        if let Some(entry) = &mut self.entry {
            entry::link(&mut entry.handshake_ids, key.id);
            self.ledger.link(self.number, key);
        }
        self
    }

    /// The sighting lasted until `last`.
    pub fn until(mut self, last: FrameRef) -> Self {
        if let Some(entry) = &mut self.entry {
            entry.see(last);
        }
        self
    }

    /// The threshold was crossed here; before that there was no finding.
    pub fn alert(mut self, at: FrameRef) -> Self {
        if let Some(entry) = &mut self.entry {
            entry.alert = at;
        }
        self
    }

    /// The sighting stands for `n` in all.
    pub fn times(mut self, n: u64) -> Self {
        if let Some(entry) = &mut self.entry {
            entry.count = entry.count.saturating_add(n.saturating_sub(1));
        }
        self
    }

    /// Adds to a tally of the rule's.
    #[inline]
    pub fn add(self, slot: usize, n: u64) -> Self {
        self.tally(slot, |tally| tally.saturating_add(n))
    }

    /// Raises a tally of the rule's to `n`, if it is lower.
    pub fn most(self, slot: usize, n: u64) -> Self {
        self.tally(slot, |tally| tally.max(n))
    }

    /// Sets bits of a tally of the rule's.
    #[inline]
    pub fn mark(self, slot: usize, bits: u64) -> Self {
        self.tally(slot, |tally| tally | bits)
    }

    /// Counts `thing`, a hash, under a distinct count of the rule's, once.
    pub fn distinct(self, slot: usize, thing: u64) -> Self {
        let hash = Book::hash(self.number, (slot, thing));
        self.ledger.count(self.number, Thing::Of(slot), hash);
        self
    }

    #[inline]
    fn tally(mut self, slot: usize, change: impl FnOnce(u64) -> u64) -> Self {
        if let Some(tally) = self.entry.as_mut().and_then(|entry| entry.tally.get_mut(slot)) {
            *tally = change(*tally);
        }
        self
    }
}

/// Where a sighting is remembered.
fn lately(hash: u64) -> usize {
    usize::try_from(hash).unwrap_or(usize::MAX) % LATELY
}

fn index(number: u32) -> Option<usize> {
    usize::try_from(number).ok()
}

fn key(meta: &Meta, subject: Subject) -> u64 {
    // Where the rule stands tells it from every other: nothing but a look-up depends on this hash.
    let rule = std::ptr::from_ref(meta).addr() as u64;
    subject.hash64() ^ rule.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
