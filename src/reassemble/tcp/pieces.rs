//! Octets that wait behind a hole: pieces in order of their place, none overlapping another.
//!
//! The first octet seen at a place stays. Pieces that continue each other are one piece. Memory is
//! taken from the purse by capacity, plus a fixed overhead per piece.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::reassemble::purse::Purse;

/// What one piece costs besides its octets.
const OVERHEAD: u64 = 128;

/// Octets, and how many more were on the wire right behind them but not in the capture.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    octets: Cow<'a, [u8]>,
    missing: u32,
}

/// A piece that waits.
#[derive(Clone, Debug)]
struct Waiting {
    start: u64,
    octets: Vec<u8>,
    missing: u32,
    /// Segments that brought it.
    segments: u32,
    /// What the purse gave for it.
    taken: u64,
}

/// The pieces behind a hole.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    queue: VecDeque<Waiting>,
    segments: u32,
}

/// The purse has nothing left.
#[derive(Copy, Clone, Debug)]
pub(super) struct NoMemory;

impl<'a> Piece<'a> {
    pub(super) const fn borrowed(octets: &'a [u8], missing: u32) -> Self {
        Self { octets: Cow::Borrowed(octets), missing }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    pub(super) const fn missing(&self) -> u32 {
        self.missing
    }

    /// Octets on the wire.
    pub(super) fn len(&self) -> u64 {
        size(self.octets.len()).saturating_add(u64::from(self.missing))
    }

    /// The places `from..to` of a piece that begins at `start`.
    pub(super) fn part(&self, start: u64, from: u64, to: u64) -> Piece<'_> {
        let present = size(self.octets.len());
        let to = to.saturating_sub(start).min(self.len());
        let from = from.saturating_sub(start).min(to);
        let (low, high) = (index(from.min(present)), index(to.min(present)));
        let missing = to.saturating_sub(from.max(present));
        Piece::borrowed(
            self.octets.get(low..high).unwrap_or_default(),
            u32::try_from(missing).unwrap_or(u32::MAX),
        )
    }

    /// Whether an octet present in both pieces is not the same in both.
    pub(super) fn differs(&self, start: u64, other: &Piece<'_>, other_start: u64) -> bool {
        let end = start.saturating_add(size(self.octets.len()));
        let other_end = other_start.saturating_add(size(other.octets.len()));
        let (from, to) = (start.max(other_start), end.min(other_end));
        from < to
            && self.part(start, from, to).octets() != other.part(other_start, from, to).octets()
    }
}

impl Waiting {
    fn end(&self) -> u64 {
        self.start.saturating_add(size(self.octets.len())).saturating_add(u64::from(self.missing))
    }

    fn piece(&self) -> Piece<'_> {
        Piece::borrowed(&self.octets, self.missing)
    }
}

impl Pieces {
    /// Segments that wait.
    pub(super) const fn segments(&self) -> u32 {
        self.segments
    }

    /// Octets that wait.
    pub(super) fn octets(&self) -> u64 {
        self.queue.iter().fold(0, |sum, piece| sum.saturating_add(size(piece.octets.len())))
    }

    /// Where the first piece begins.
    pub(super) fn first(&self) -> Option<u64> {
        self.queue.front().map(|piece| piece.start)
    }

    /// Takes the first piece out.
    pub(super) fn pop(&mut self, purse: &mut Purse) -> Option<(u64, Piece<'static>)> {
        let piece = self.queue.pop_front()?;
        purse.give(piece.taken);
        self.segments = self.segments.saturating_sub(piece.segments);
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        Some((piece.start, Piece { octets: Cow::Owned(piece.octets), missing: piece.missing }))
    }

    /// Keeps what is new of a segment's payload; whether what is not new differs.
    pub(super) fn insert(
        &mut self,
        start: u64,
        data: &Piece<'_>,
        purse: &mut Purse,
    ) -> Result<bool, NoMemory> {
        let end = start.saturating_add(data.len());
        let mut at = self.queue.partition_point(|piece| piece.end() <= start);
        let (mut from, mut differs) = (start, false);
        while from < end {
            let next = self.queue.get(at);
            let upto = next.map_or(end, |piece| piece.start.min(end));
            let after = next.map_or(end, Waiting::end);
            if next.is_some() && upto < end {
                differs |= next.is_some_and(|next| next.piece().differs(next.start, data, start));
            }
            if from < upto {
                let grown = self.add(at, from, &data.part(start, from, upto), purse)?;
                at = at.saturating_add(usize::from(!grown));
            }
            from = after.max(upto);
            at = at.saturating_add(1);
        }
        Ok(differs)
    }

    /// Puts a piece before the one at index `at`; `true` when it became part of the one before.
    fn add(
        &mut self,
        at: usize,
        start: u64,
        data: &Piece<'_>,
        purse: &mut Purse,
    ) -> Result<bool, NoMemory> {
        let before = at.checked_sub(1).and_then(|before| self.queue.get_mut(before));
        if let Some(before) = before.filter(|before| before.end() == start && before.missing == 0) {
            let room = before.octets.capacity().saturating_sub(before.octets.len());
            if room < data.octets.len() {
                // Twice as much, so that a stream of single octets is not copied for each of them.
                let more = data.octets.len().max(before.octets.len());
                let cost = size(more.saturating_sub(room));
                if !purse.take(cost) {
                    return Err(NoMemory);
                }
                before.octets.reserve_exact(more);
                before.taken = before.taken.saturating_add(cost);
            }
            before.octets.extend_from_slice(&data.octets);
            before.missing = data.missing;
            before.segments = before.segments.saturating_add(1);
        } else {
            let taken = size(data.octets.len()).saturating_add(OVERHEAD);
            if !purse.take(taken) {
                return Err(NoMemory);
            }
            let octets = data.octets.to_vec();
            let piece = Waiting { start, octets, missing: data.missing, segments: 1, taken };
            self.queue.insert(at.min(self.queue.len()), piece);
            self.segments = self.segments.saturating_add(1);
            return Ok(false);
        }
        self.segments = self.segments.saturating_add(1);
        Ok(true)
    }
}

fn size(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
