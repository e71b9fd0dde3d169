//! What was received of a connection whose secrets may still come: its octets as they came in order, each
//! piece with its frame, up to a bound. What secrets do with it is decided where it is opened.

use crate::model::evidence::FrameRef;

use super::shared::Shared;

/// Octets of a direction that are kept.
const RETAINED: usize = 16 << 10;

/// Name in `evicted` of connections of which nothing was kept, for want of memory, when their
/// secrets came.
const TABLE: &str = "tls_retain";

/// The octets of both directions.
#[derive(Debug, Default)]
pub(super) struct Retained {
    octets: Vec<u8>,
    pieces: Vec<Kept>,
    /// Octets of each direction.
    held: [usize; 2],
    /// What its purse has paid.
    paid: u64,
    /// Nothing is kept any more.
    given_up: bool,
    /// For want of memory.
    evicted: bool,
}

/// One piece, without its octets.
#[derive(Copy, Clone, Debug)]
pub(super) struct Kept {
    /// 0 or 1, as who keeps it counts them.
    pub(super) side: usize,
    length: usize,
    /// Something before it is missing.
    pub(super) after_gap: bool,
    /// What brought it.
    pub(super) frame: FrameRef,
}

impl Retained {
    /// Keeps a copy, as far as there is room.
    pub(super) fn keep(
        &mut self,
        (side, after_gap): (usize, bool),
        octets: &[u8],
        frame: FrameRef,
        shared: &mut Shared,
    ) {
        let Some(held) = self.held.get_mut(side).filter(|_| !self.given_up) else { return };
        let length = octets.len();
        *held += length;
        if *held > RETAINED {
            return self.forget(shared);
        }
        self.octets.extend_from_slice(octets);
        self.pieces.push(Kept { side, length, after_gap, frame });
        let cost = self.octets.capacity() + self.pieces.capacity() * size_of::<Kept>();
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        if shared.retain.take(cost.saturating_sub(self.paid)) {
            self.paid = cost;
        } else {
            self.forget(shared);
            self.evicted = true;
        }
    }

    /// Keeps nothing any more.
    pub(super) fn forget(&mut self, shared: &mut Shared) {
        shared.retain.give(self.paid);
        *self = Self { given_up: true, ..Self::default() };
    }

    /// Whether nothing is kept any more.
    pub(super) const fn given_up(&self) -> bool {
        self.given_up
    }

    /// Secrets came for what is not kept any more.
    pub(super) fn missed(&self, shared: &mut Shared) {
        shared.openings.late += 1;
        shared.purse.evict(TABLE, u64::from(self.evicted));
    }

    /// The pieces, in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Kept, &[u8])> {
        let mut rest = self.octets.as_slice();
        self.pieces.iter().map(move |kept| {
            let (octets, after) = rest.split_at_checked(kept.length).unwrap_or((rest, &[]));
            rest = after;
            (*kept, octets)
        })
    }
}
