//! A lane: the cells `c` with `c mod lanes` = its number, run in order.

use std::sync::Arc;

use crate::dissect::tls_open::keys::Keys;
use crate::model::fact::EpochFacts;
use crate::model::fetch;
use crate::model::time::Ts;
use crate::policy::Limits;
use crate::policy::limits::CELLS;
use crate::track::cell::{Ahead, Cell, Totals};
use crate::track::input::Input;

use super::batch::{Batch, End};

/// Packets whose places in the tables are asked for before any is taken.
const WINDOW: usize = 64;
/// Of these, so many have their streams asked for while those before them are taken.
const TOGETHER: usize = 8;

/// A few packets, with the places of their cells and what is known of them.
type Group<'a, 'b> = (&'a mut [(usize, Ahead<'b>)], &'a [Input]);

/// The cells of one lane.
#[derive(Debug)]
pub struct Lane {
    cells: Vec<Cell>,
    /// Which of them each cell is: a look-up costs less than the division.
    places: [u8; CELLS],
    /// No timer of theirs is due before this.
    next: Ts,
}

impl Lane {
    /// Lane `number` of `lanes`, the latter from 1 to [`CELLS`].
    pub fn new(number: usize, lanes: usize, limits: &Limits, keys: &Arc<Keys>) -> Self {
        let mine = (0..CELLS).filter(|cell| cell % lanes == number);
        let place = |cell: usize| u8::try_from(cell / lanes).unwrap_or(u8::MAX);
        Self {
            cells: mine.map(|_| Cell::new(limits, keys)).collect(),
            places: std::array::from_fn(place),
            next: Ts::MIN,
        }
    }

    /// Runs a batch; the facts of its packets and timers go to `epoch`.
    pub fn run(&mut self, batch: &Batch, epoch: &mut EpochFacts) {
        if let Some(new) = &batch.secrets {
            for cell in &mut self.cells {
                cell.secrets(&new.keys, &new.fresh, (new.at, new.ordinal), epoch);
            }
        }
        for some in batch.inputs.chunks(WINDOW) {
            self.window(some, batch, epoch);
        }
        if let End::Epoch(watermark) | End::Capture(watermark) = batch.end {
            self.advance(watermark, epoch);
        }
        if matches!(batch.end, End::Capture(_)) {
            for cell in &mut self.cells {
                cell.finish(epoch);
            }
        }
    }

    /// Brings the timers of all cells up to `watermark`.
    fn advance(&mut self, watermark: Ts, epoch: &mut EpochFacts) {
        if watermark < self.next {
            return;
        }
        for cell in &mut self.cells {
            cell.advance(watermark, epoch);
        }
        // What a cell says only rises: at the end of most epochs none need be looked at.
        self.next = self.cells.iter().map(Cell::next_timer).min().unwrap_or(Ts::MAX);
    }

    /// Runs some packets: what they will need is asked for step by step, each step a while before the
    /// next, and then they are taken one after the other.
    fn window(&mut self, inputs: &[Input], batch: &Batch, epoch: &mut EpochFacts) {
        let mut aheads = [(CELLS, Ahead::default()); WINDOW];
        for ((place, ahead), input) in aheads.iter_mut().zip(inputs) {
            let cell = self.places.get(usize::from(input.cell));
            *place = cell.map_or(CELLS, |place| usize::from(*place));
            *ahead = Ahead::of(input, batch.octets(input));
            if let Some(cell) = self.cells.get(*place) {
                cell.fetch(input, ahead);
            }
            if input.sip {
                fetch::all(ahead.octets);
            }
        }
        let mut groups = aheads.chunks_mut(TOGETHER).zip(inputs.chunks(TOGETHER));
        let mut next = self.approached(groups.next());
        while let Some((aheads, inputs)) = next {
            next = self.approached(groups.next());
            for ((place, ahead), input) in aheads.iter().zip(inputs) {
                if let Some(cell) = self.cells.get_mut(*place) {
                    cell.packet(input, ahead, epoch);
                }
            }
        }
    }

    /// The same packets, once the lines of their streams have been asked for.
    #[inline]
    fn approached<'a, 'b>(&self, group: Option<Group<'a, 'b>>) -> Option<Group<'a, 'b>> {
        let (aheads, inputs) = group?;
        for (place, ahead) in aheads.iter_mut() {
            if let Some(cell) = self.cells.get(*place) {
                cell.approach(ahead);
            }
        }
        Some((aheads, inputs))
    }

    /// What the cells counted.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for cell in &self.cells {
            totals.add(&cell.totals());
        }
        totals
    }
}
