//! Streams under small numbers, sixty-four together: nothing is ever copied to grow, and what every packet
//! touches lies apart from the rest.

use super::slot::{Cold, Slot};

/// Streams of a block.
const BLOCK: u32 = 64;

/// Streams by number.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    blocks: Vec<Block>,
    len: u32,
}

#[derive(Debug)]
struct Block {
    hot: Vec<Slot>,
    cold: Vec<Cold>,
}

impl Blocks {
    /// Streams that there is room for by now: the next number.
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// What every packet of a stream touches.
    #[inline]
    pub(super) fn slot(&self, place: u32) -> Option<&Slot> {
        self.blocks.get((place / BLOCK) as usize)?.hot.get((place % BLOCK) as usize)
    }

    /// The rest of a stream.
    pub(super) fn cold(&self, place: u32) -> Option<&Cold> {
        self.blocks.get((place / BLOCK) as usize)?.cold.get((place % BLOCK) as usize)
    }

    /// A stream, to change it.
    #[inline]
    pub(super) fn at(&mut self, place: u32) -> Option<(&mut Slot, &mut Cold)> {
        let block = self.blocks.get_mut((place / BLOCK) as usize)?;
        let within = (place % BLOCK) as usize;
        Some((block.hot.get_mut(within)?, block.cold.get_mut(within)?))
    }

    /// Adds one, under the next number.
    pub(super) fn push(&mut self, (slot, cold): (Slot, Cold)) {
        if self.len.is_multiple_of(BLOCK) {
            self.blocks.push(Block {
                hot: Vec::with_capacity(BLOCK as usize),
                cold: Vec::with_capacity(BLOCK as usize),
            });
        }
        if let Some(block) = self.blocks.last_mut() {
            block.hot.push(slot);
            block.cold.push(cold);
            self.len += 1;
        }
    }
}
