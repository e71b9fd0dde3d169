//! Where else the packets were seen that findings stand on: at another tap, or twice at one.
//!
//! A copy is left out before anything looks at it, and nothing of it is kept. So where there are
//! several sources they are read once more after the run, in the same order, and what was captured
//! close enough to a piece of evidence to be its copy is compared with it, by the rules of
//! [`crate::reassemble::duplicate`]. Everything else is only passed over. Of a datagram that came in
//! fragments the evidence is one frame, and so are its sightings.
//!
//! Not found: sightings in what cannot be read twice, and those that only the rule for a mirror that
//! doubles everything takes for copies.

use std::collections::{BTreeMap, VecDeque};
use std::hash::BuildHasher;

use crate::capture::{Merge, MergedBatch};
use crate::decode::{self, Decoded};
use crate::model::addr::STABLE;
use crate::model::evidence::FrameRef;
use crate::model::finding::Finding;
use crate::model::frame::{FrameId, RawFrame};
use crate::model::time::{Span, Ts};
use crate::policy::limits::EVIDENCE_SIGHTINGS;
use crate::reassemble::duplicate::likeness;
use crate::track::input::Input;

/// Frames read at once.
const FRAMES: usize = 512;
/// How far apart copies may be.
const NUMBERED: Span = Span::from_millis(5);
/// And without IP identification.
const UNNUMBERED: Span = Span::from_millis(1);
/// Packets of the last milliseconds that are remembered: 4 million a second.
const RECENT: usize = 20_000;

/// What has to be equal in two sightings, and what must not be.
#[derive(Copy, Clone, Debug)]
struct Mark {
    at: FrameRef,
    likeness: u64,
    /// It has an IP identification.
    numbered: bool,
    /// Source, interface, link and hops.
    way: (u16, u32, u32, u8),
}

/// The evidence, and what was found of it.
struct Search {
    /// The frames of the evidence that were not met yet, by source, the next one last.
    awaited: Vec<Vec<u64>>,
    /// When the next of them is due, the next one last.
    due: Vec<Ts>,
    /// Those met a moment ago.
    open: VecDeque<Mark>,
    /// What passed a moment ago.
    recent: VecDeque<Mark>,
    found: BTreeMap<FrameId, Vec<FrameRef>>,
}

/// Fills in the sightings of all evidence. `merge` reads the same sources from the beginning;
/// `index` says which of the report's sources each of its sources is. Times of findings and of
/// sightings are by the clock that all sources are told by.
pub(super) fn find(mut merge: Merge, index: &[u16], findings: &mut [Finding]) {
    let mut search = Search::new(findings);
    let (mut merged, mut watermark) = (MergedBatch::default(), Ts::MIN);
    while !search.is_over() && merge.next_batch(FRAMES, &mut merged) {
        for (source, backing, raw) in &merged.frames {
            let Some(source) = index.get(usize::from(*source)) else { continue };
            let owner = merged.backings.get(usize::from(*backing));
            let octets = owner.map(|owner| owner.frame(raw)).unwrap_or_default();
            if !merge.takes(raw, octets) {
                continue;
            }
            let time = raw.ts.unwrap_or(watermark);
            watermark = watermark.max(time);
            let frame = FrameId { source: *source, number: raw.number };
            search.frame(FrameRef { frame, time }, raw, octets, watermark);
        }
    }
    for evidence in findings.iter_mut().flat_map(|finding| &mut finding.evidence) {
        if let Some(sightings) = search.found.get(&evidence.at.frame) {
            evidence.sightings.clone_from(sightings);
            evidence.sightings.sort_unstable_by_key(|at| (at.time, at.frame));
        }
    }
}

impl Search {
    fn new(findings: &[Finding]) -> Self {
        let evidence = || findings.iter().flat_map(|finding| &finding.evidence);
        let mut awaited: Vec<Vec<u64>> = Vec::new();
        for FrameId { source, number } in evidence().map(|evidence| evidence.at.frame) {
            let source = usize::from(source);
            if awaited.len() <= source {
                awaited.resize(source + 1, Vec::new());
            }
            if let Some(awaited) = awaited.get_mut(source) {
                awaited.push(number);
            }
        }
        for frames in &mut awaited {
            frames.sort_unstable_by(|one, other| other.cmp(one));
            frames.dedup();
        }
        let mut due: Vec<Ts> = evidence().map(|evidence| evidence.at.time).collect();
        due.sort_unstable_by(|one, other| other.cmp(one));
        Self {
            awaited,
            due,
            open: VecDeque::new(),
            recent: VecDeque::new(),
            found: BTreeMap::new(),
        }
    }

    /// Whether nothing more can be found.
    fn is_over(&self) -> bool {
        self.open.is_empty() && self.awaited.iter().all(Vec::is_empty)
    }

    fn frame(&mut self, at: FrameRef, raw: &RawFrame, octets: &[u8], watermark: Ts) {
        let past = watermark.minus(NUMBERED);
        while self.open.front().is_some_and(|mark| mark.at.time < past) {
            self.open.pop_front();
        }
        while self.due.last().is_some_and(|due| *due < past) {
            self.due.pop();
        }
        let soon = self.due.last().is_some_and(|due| due.minus(NUMBERED) <= watermark);
        let awaited = self.awaits(at.frame);
        if !soon && !awaited && self.open.is_empty() {
            return;
        }
        let Some(mark) = Mark::of(at, raw, octets) else { return };
        for open in &self.open {
            if open.is_copy(&mark) {
                note(&mut self.found, open.at.frame, mark.at);
            }
        }
        if awaited {
            for recent in self.recent.iter().filter(|recent| recent.is_copy(&mark)) {
                note(&mut self.found, mark.at.frame, recent.at);
            }
            self.open.push_back(mark);
        }
        while self.recent.front().is_some_and(|mark| mark.at.time < past)
            || self.recent.len() >= RECENT
        {
            self.recent.pop_front();
        }
        self.recent.push_back(mark);
    }

    /// Whether the frame is evidence. Frames of a source come in the order of their numbers.
    fn awaits(&mut self, frame: FrameId) -> bool {
        let Some(awaited) = self.awaited.get_mut(usize::from(frame.source)) else { return false };
        while awaited.last().is_some_and(|next| *next < frame.number) {
            awaited.pop();
        }
        awaited.pop_if(|next| *next == frame.number).is_some()
    }
}

impl Mark {
    fn of(at: FrameRef, raw: &RawFrame, octets: &[u8]) -> Option<Self> {
        let (source, interface) = (at.frame.source, raw.interface);
        Some(match decode::decode(raw.link, octets, raw.original) {
            Decoded::Packet(packet) => Self {
                at,
                likeness: likeness(&packet, Input::flow_hash(&packet), octets),
                numbered: packet.has_ip_id && packet.ip_id != 0,
                way: (source, interface, packet.link_hash, packet.ttl),
            },
            Decoded::Fragment(fragment) => Self {
                at,
                likeness: STABLE.hash_one((
                    (fragment.key.src, fragment.key.dst, fragment.key.ident),
                    fragment.offset,
                    fragment.data(octets),
                )),
                numbered: true,
                way: (source, interface, 0, 0),
            },
            Decoded::Skipped(_) => return None,
        })
    }

    fn is_copy(&self, other: &Self) -> bool {
        let apart = self.at.time.since(other.at.time).max(other.at.time.since(self.at.time));
        let (within, differs) =
            if self.numbered { (NUMBERED, true) } else { (UNNUMBERED, self.way != other.way) };
        self.likeness == other.likeness && apart <= within && differs
    }
}

fn note(found: &mut BTreeMap<FrameId, Vec<FrameRef>>, evidence: FrameId, sighting: FrameRef) {
    let sightings = found.entry(evidence).or_default();
    if sightings.len() < EVIDENCE_SIGHTINGS {
        sightings.push(sighting);
    }
}
