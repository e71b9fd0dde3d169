//! A lane: the cells `c` with `c mod lanes` = its number, run in order.

use std::sync::Arc;

use crate::dissect::tls_open::keys::Keys;
use crate::model::fact::{EpochFacts, touch};
use crate::policy::Limits;
use crate::policy::limits::CELLS;
use crate::track::cell::{Ahead, Cell, Totals};
use crate::track::input::Input;

use super::batch::{Batch, End};

/// Packets that are looked at together before any is taken: about as many cache misses as a core has in flight.
const TOGETHER: usize = 16;

/// The cells of one lane.
#[derive(Debug)]
pub struct Lane {
    cells: Vec<Cell>,
    /// Which of them each cell is: a look-up costs less than the division.
    places: [u8; CELLS],
}

impl Lane {
    /// Lane `number` of `lanes`, the latter from 1 to [`CELLS`].
    pub fn new(number: usize, lanes: usize, limits: &Limits, keys: &Arc<Keys>) -> Self {
        let mine = (0..CELLS).filter(|cell| cell % lanes == number);
        let place = |cell: usize| u8::try_from(cell / lanes).unwrap_or(u8::MAX);
        Self {
            cells: mine.map(|_| Cell::new(limits, keys)).collect(),
            places: std::array::from_fn(place),
        }
    }

    /// Runs a batch; the facts of its packets and timers go to `epoch`.
    pub fn run(&mut self, batch: &Batch, epoch: &mut EpochFacts) {
        if let Some(new) = &batch.secrets {
            for cell in &mut self.cells {
                cell.secrets(&new.keys, &new.fresh, (new.at, new.ordinal), epoch);
            }
        }
        for few in batch.inputs.chunks(TOGETHER) {
            self.together(few, batch, epoch);
        }
        if let End::Epoch(watermark) | End::Capture(watermark) = batch.end {
            for cell in &mut self.cells {
                cell.advance(watermark, epoch);
            }
        }
        if matches!(batch.end, End::Capture(_)) {
            for cell in &mut self.cells {
                cell.finish(epoch);
            }
        }
    }

    /// Runs a few packets: step by step all of them, then one after the other.
    fn together(&mut self, few: &[Input], batch: &Batch, epoch: &mut EpochFacts) {
        let mut aheads = [(CELLS, Ahead::default()); TOGETHER];
        for ((place, ahead), input) in aheads.iter_mut().zip(few) {
            let cell = self.places.get(usize::from(input.cell));
            *place = cell.map_or(CELLS, |place| usize::from(*place));
            *ahead = Ahead::of(input, batch.octets(input));
        }
        let mut touched = 0;
        for ((place, ahead), input) in aheads.iter().zip(few) {
            touched ^= self.cells.get(*place).map_or(0, |cell| cell.touch(input, ahead));
            if input.sip {
                touched ^= touch(ahead.octets);
            }
        }
        std::hint::black_box(touched);
        let mut touched = 0;
        for (place, ahead) in &mut aheads {
            touched ^= self.cells.get(*place).map_or(0, |cell| cell.approach(ahead));
        }
        std::hint::black_box(touched);
        for ((place, ahead), input) in aheads.iter().zip(few) {
            if let Some(cell) = self.cells.get_mut(*place) {
                cell.packet(input, ahead, epoch);
            }
        }
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
