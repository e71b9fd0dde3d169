//! Several sources as one, in the order of capture time.
//!
//! The next frame is that of the source whose next frame is earliest, the first named source in a
//! tie. A source's own order is never changed, so a clock that steps back holds its source's
//! frames up, not others'. A frame without time goes with the one before it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::backing::{Backing, Chunk};
use super::error::CaptureError;
use super::source::{MAX_FRAMES, Source};
use crate::model::frame::RawFrame;
use crate::model::time::Ts;

/// Octets of memory that all sources share.
const SHARED: usize = 256 << 20;
/// Octets that each may have, however many there are.
const LEAST: usize = 64 << 10;

/// Frames of several sources with what owns their octets. Made once, filled again and again.
#[derive(Debug, Default)]
pub struct MergedBatch {
    /// The owners of the octets.
    pub backings: Vec<Backing>,
    /// Index of the source, index of the backing, and the frame.
    pub frames: Vec<(u16, u16, RawFrame)>,
}

/// A merge that is under way.
#[derive(Debug)]
pub struct Merge {
    lanes: Vec<Lane>,
    /// The sources with frames left, by the time of their next frame.
    order: BinaryHeap<Reverse<(Ts, u16)>>,
    primed: bool,
    failures: Vec<(u16, CaptureError)>,
}

#[derive(Debug)]
struct Lane {
    source: Source,
    chunk: Chunk,
    next: usize,
    /// Time of the last frame that had one.
    last: Ts,
    /// Where this lane's backing is in the batch being filled.
    backing: Option<u16>,
}

impl Merge {
    /// Merges `sources`, at most 65,536: the index of a source here is the one in the batches.
    pub fn new(mut sources: Vec<Source>) -> Self {
        sources.truncate(usize::from(u16::MAX).saturating_add(1));
        let share = SHARED.checked_div(sources.len()).unwrap_or(SHARED).max(LEAST);
        let lane = |mut source: Source| {
            source.limit(share);
            Lane { source, chunk: Chunk::default(), next: 0, last: Ts::MIN, backing: None }
        };
        Self {
            lanes: sources.into_iter().map(lane).collect(),
            order: BinaryHeap::new(),
            primed: false,
            failures: Vec::new(),
        }
    }

    /// Fills `out` with the next frames, at most `max_frames` and never more than
    /// [`MAX_FRAMES`]. `false` at the end of all sources, and then `out` is empty.
    pub fn next_batch(&mut self, max_frames: usize, out: &mut MergedBatch) -> bool {
        self.recycle(out);
        let most = max_frames.clamp(1, MAX_FRAMES);
        if let [lane] = self.lanes.as_mut_slice() {
            return lane.pass_through(most, out, &mut self.failures);
        }
        if !self.primed {
            self.prime(most);
        }
        for lane in &mut self.lanes {
            lane.backing = None;
        }
        while out.frames.len() < most {
            let Some(Reverse((_, index))) = self.order.pop() else { break };
            let limit = self.order.peek().map(|Reverse(key)| *key);
            let Some(lane) = self.lanes.get_mut(usize::from(index)) else { break };
            lane.take_run(index, limit, most, out);
            if lane.next < lane.chunk.frames.len() {
                self.order.push(Reverse((lane.due(), index)));
            } else {
                self.refill(index, most);
            }
        }
        !out.frames.is_empty()
    }

    /// Takes the octets of a batch back.
    pub fn recycle(&mut self, batch: &mut MergedBatch) {
        batch.frames.clear();
        batch.backings.clear();
    }

    /// The sources, for their facts, secrets and positions.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = &Source> {
        self.lanes.iter().map(|lane| &lane.source)
    }

    /// Sources that failed before their first frame, by index. The others are merged all the
    /// same.
    pub fn failures(&self) -> &[(u16, CaptureError)] {
        &self.failures
    }

    fn prime(&mut self, most: usize) {
        self.primed = true;
        for index in 0..=u16::MAX {
            if usize::from(index) >= self.lanes.len() {
                break;
            }
            self.refill(index, most);
        }
    }

    /// Gets a lane's next chunk and puts the lane back into the order, unless it has ended.
    fn refill(&mut self, index: u16, most: usize) {
        let Some(lane) = self.lanes.get_mut(usize::from(index)) else { return };
        lane.next = 0;
        lane.backing = None;
        match lane.source.fill(&mut lane.chunk, most) {
            Ok(true) => self.order.push(Reverse((lane.due(), index))),
            Ok(false) => {}
            Err(error) => self.failures.push((index, error)),
        }
    }
}

impl Lane {
    /// The only lane there is: its frames go straight into the batch.
    fn pass_through(
        &mut self,
        most: usize,
        out: &mut MergedBatch,
        failures: &mut Vec<(u16, CaptureError)>,
    ) -> bool {
        match self.source.deliver(&mut out.frames, most) {
            Ok(backing) => out.backings.extend(backing),
            Err(error) => failures.push((0, error)),
        }
        !out.frames.is_empty()
    }

    /// When the next frame is due.
    fn due(&self) -> Ts {
        self.chunk.frames.get(self.next).and_then(|frame| frame.ts).unwrap_or(self.last)
    }

    /// Moves frames into `out` as long as none of another source is due before them.
    fn take_run(
        &mut self,
        index: u16,
        limit: Option<(Ts, u16)>,
        most: usize,
        out: &mut MergedBatch,
    ) {
        let Some(left) = self.chunk.frames.get(self.next..) else { return };
        let backing = *self.backing.get_or_insert_with(|| {
            out.backings.push(self.chunk.backing.clone());
            u16::try_from(out.backings.len().saturating_sub(1)).unwrap_or(u16::MAX)
        });
        for frame in left {
            let due = frame.ts.unwrap_or(self.last);
            if out.frames.len() >= most || limit.is_some_and(|key| (due, index) > key) {
                break;
            }
            self.last = due;
            self.next = self.next.saturating_add(1);
            out.frames.push((index, backing, *frame));
        }
    }
}
