//! Several sources as one, in the order of capture time.
//!
//! The next frame is that of the source whose next frame is earliest, the first named source in a
//! tie. A source's own order is never changed, so a clock that steps back holds its source's
//! frames up, not others'. A frame without time goes with the one before it.
//!
//! Where the clocks of sources are known to differ ([`Merge::correct`]), capture time is told by
//! one of them, and frames come with that time. What is said of a source is by its own clock.
//!
//! Of many sources, such as those that a ring buffer leaves behind, each is open only from its
//! first frame to its last: descriptors, windows and blocks are those of the sources that
//! overlap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;

use super::backing::{Backing, Chunk};
use super::error::CaptureError;
use super::facts::SourceFacts;
use super::live::Live;
use super::select::{Selection, Taken};
use super::source::{MAX_FRAMES, OpenOptions, Source};
use crate::model::frame::RawFrame;
use crate::model::time::{Span, Ts};

/// Octets of memory that all sources share.
const SHARED: usize = 256 << 20;
/// Octets that each may have, however many there are.
const LEAST: usize = 64 << 10;

/// Sources at most: a frame names its own in 16 bits.
const SOURCES: usize = 1 << 16;
/// Sources that are all open from the beginning. Of more, each is opened when it is due.
const AWAKE: usize = 64;

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
    selection: Selection,
    /// What was selected, if not everything.
    taken: Option<Taken>,
    failures: Vec<(u16, CaptureError)>,
    /// Interfaces, which then are the only source.
    live: Option<Box<Live>>,
}

#[derive(Debug)]
struct Lane {
    source: Source,
    /// When the source is due, if it is closed until then.
    asleep: Option<Ts>,
    chunk: Chunk,
    next: usize,
    /// Octets of memory that the source makes do with.
    share: usize,
    /// Time of the last frame that had one.
    last: Ts,
    /// How far the source's clock is ahead.
    ahead: Span,
    delivered: Taken,
    /// Where this lane's backing is in the batch being filled.
    backing: Option<u16>,
}

impl Merge {
    /// Merges `sources`, at most 65,536: the index of a source here is the one in the batches.
    pub fn new(mut sources: Vec<Source>) -> Self {
        sources.truncate(SOURCES);
        let lane = |source| Lane::new(source, None);
        Self::of(sources.into_iter().map(lane).collect())
    }

    /// Opens the captures at `paths`, `-` for standard input, and merges those that can be
    /// opened; and says what is wrong with the others.
    pub fn open(paths: &[PathBuf], options: &OpenOptions) -> (Self, Vec<CaptureError>) {
        let (mut lanes, mut unusable) = (Vec::new(), Vec::new());
        let many = paths.len() > AWAKE;
        for path in paths.iter().take(SOURCES) {
            let opened = Source::open(path, options).and_then(|mut source| {
                let due = if many { source.sleep()? } else { None };
                Ok(Lane::new(source, due))
            });
            match opened {
                Ok(lane) => lanes.push(lane),
                Err(error) => unusable.push(error),
            }
        }
        (Self::of(lanes), unusable)
    }

    /// Interfaces as the only source. A batch of it without frames is a tick, not the end.
    pub fn live(live: Live) -> Self {
        Self { live: Some(Box::new(live)), ..Self::of(Vec::new()) }
    }

    /// The interfaces, if they are the source.
    pub fn interfaces(&self) -> Option<&Live> {
        self.live.as_deref()
    }

    /// Selects frames. To be said before the first batch.
    pub fn select(&mut self, selection: Selection) {
        self.taken = (!selection.is_everything()).then(Taken::default);
        self.selection = selection;
    }

    /// Says how far the clock of each source is ahead. To be said before the first batch; of a
    /// single source, whose clock is the only one, it changes nothing.
    pub fn correct(&mut self, ahead: impl Iterator<Item = Span>) {
        for (lane, ahead) in self.lanes.iter_mut().zip(ahead) {
            lane.ahead = ahead;
        }
    }

    /// Whether a frame of a batch with these captured octets is selected. To be asked once for
    /// each frame, in order.
    #[inline]
    pub fn takes(&mut self, raw: &RawFrame, octets: &[u8]) -> bool {
        let Some(taken) = &mut self.taken else { return true };
        let takes = self.selection.takes(raw, octets);
        if takes {
            taken.frame(raw.ts);
        }
        takes
    }

    /// What was selected up to now; `None` if everything is.
    pub fn taken(&self) -> Option<Taken> {
        self.taken
    }

    /// The selection, for what its filter refused.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// What is known of each source, as far as its frames were delivered.
    pub fn facts(&self) -> impl Iterator<Item = SourceFacts> {
        let live = self.live.iter().map(|live| live.facts());
        live.chain(self.lanes.iter().map(|lane| {
            let mut facts = lane.source.facts();
            if self.selection.packets.is_some() && self.lanes.len() > 1 {
                // One frame more may have been read than was delivered.
                facts.packets = lane.delivered.frames;
                facts.first_packet = lane.delivered.span.map(|(first, _)| first);
                facts.last_packet = lane.delivered.span.map(|(_, last)| last);
            }
            facts
        }))
    }

    fn of(mut lanes: Vec<Lane>) -> Self {
        let share = SHARED.checked_div(lanes.len()).unwrap_or(SHARED).max(LEAST);
        for lane in &mut lanes {
            lane.share = share;
            lane.source.limit(share);
        }
        Self {
            lanes,
            order: BinaryHeap::new(),
            primed: false,
            selection: Selection::default(),
            taken: None,
            failures: Vec::new(),
            live: None,
        }
    }

    /// Fills `out` with the next frames, at most `max_frames` and never more than
    /// [`MAX_FRAMES`]. `false` at the end of all sources or of what was selected, and then `out`
    /// is empty.
    pub fn next_batch(&mut self, max_frames: usize, out: &mut MergedBatch) -> bool {
        self.recycle(out);
        if let Some(live) = &mut self.live {
            return live.next_batch(max_frames.clamp(1, MAX_FRAMES), out);
        }
        let mut most = max_frames.clamp(1, MAX_FRAMES);
        let mut ahead = most;
        if let Some(packets) = self.selection.packets {
            // No frame is read that might not be wanted, so that what is said of the sources does
            // not depend on the size of blocks.
            let left = packets.saturating_sub(self.taken.map_or(0, |taken| taken.frames));
            most = most.min(usize::try_from(left).unwrap_or(usize::MAX));
            ahead = 1;
            if most == 0 {
                return false;
            }
        }
        if let [lane] = self.lanes.as_mut_slice() {
            return lane.pass_through(most, out, &mut self.failures);
        }
        if !self.primed {
            self.prime(ahead);
        }
        for lane in &mut self.lanes {
            lane.backing = None;
        }
        while out.frames.len() < most {
            let Some(Reverse((_, index))) = self.order.pop() else { break };
            let limit = self.order.peek().map(|Reverse(key)| *key);
            let Some(lane) = self.lanes.get_mut(usize::from(index)) else { break };
            if lane.asleep.take().is_some() {
                self.wake(index, ahead);
                continue;
            }
            lane.take_run(index, limit, most, out);
            if lane.next < lane.chunk.frames.len() {
                self.order.push(Reverse((lane.due(), index)));
            } else {
                self.refill(index, ahead);
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
            match self.lanes.get(usize::from(index)).map(|lane| lane.asleep) {
                None => break,
                Some(Some(due)) => self.order.push(Reverse((due, index))),
                Some(None) => self.refill(index, most),
            }
        }
    }

    /// Opens a source that is due.
    fn wake(&mut self, index: u16, most: usize) {
        let Some(lane) = self.lanes.get_mut(usize::from(index)) else { return };
        match lane.source.wake() {
            Ok(()) => {
                lane.source.limit(lane.share);
                self.refill(index, most);
            }
            Err(error) => self.failures.push((index, error)),
        }
    }

    /// Gets a lane's next chunk and puts the lane back into the order, unless it has ended.
    fn refill(&mut self, index: u16, most: usize) {
        let Some(lane) = self.lanes.get_mut(usize::from(index)) else { return };
        lane.next = 0;
        lane.backing = None;
        match lane.source.fill(&mut lane.chunk, most) {
            Ok(true) => self.order.push(Reverse((lane.due(), index))),
            Ok(false) => lane.chunk = Chunk::default(),
            Err(error) => self.failures.push((index, error)),
        }
    }
}

impl Lane {
    fn new(source: Source, asleep: Option<Ts>) -> Self {
        Self {
            source,
            asleep,
            chunk: Chunk::default(),
            next: 0,
            share: SHARED,
            last: Ts::MIN,
            ahead: Span::ZERO,
            delivered: Taken::default(),
            backing: None,
        }
    }

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
        self.chunk.frames.get(self.next).and_then(|frame| self.time(frame)).unwrap_or(self.last)
    }

    /// The frame's time by the clock that all sources are told by.
    fn time(&self, frame: &RawFrame) -> Option<Ts> {
        frame.ts.map(|ts| ts.minus(self.ahead))
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
            let ts = self.time(frame);
            let due = ts.unwrap_or(self.last);
            if out.frames.len() >= most || limit.is_some_and(|key| (due, index) > key) {
                break;
            }
            self.last = due;
            self.delivered.frame(frame.ts);
            self.next = self.next.saturating_add(1);
            out.frames.push((index, backing, RawFrame { ts, ..*frame }));
        }
    }
}
