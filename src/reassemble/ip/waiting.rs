//! One datagram that is not whole yet: which of its octets came, and from which fragment.

use crate::decode::{Fragment, Network};
use crate::model::frame::FrameId;
use crate::model::time::Ts;

/// The longest datagram: 16 bits of length.
const MAX_DATAGRAM: u32 = 65_535;
/// What one waiting datagram costs besides its octets and pieces.
const OVERHEAD: u64 = 256;

/// A datagram that is not whole.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) born: u64,
    pub(super) deadline: Ts,
    pub(super) first: FrameId,
    pub(super) network: Network,
    pub(super) frames: u32,
    pub(super) overlap: bool,
    /// Its length, once the last fragment came.
    pub(super) total: Option<u32>,
    /// Octets of it that pieces cover.
    pub(super) covered: u32,
    /// In order of their offset, none overlapping another.
    pub(super) pieces: Vec<Piece>,
    pub(super) data: Vec<u8>,
    pub(super) taken: u64,
}

/// Octets `offset..offset + wire` of a datagram; the first `len` of them are `data[at..]`.
#[derive(Copy, Clone, Debug)]
pub(super) struct Piece {
    offset: u32,
    wire: u32,
    at: u32,
    len: u32,
}

impl Piece {
    pub(super) fn end(&self) -> u32 {
        self.offset.saturating_add(self.wire)
    }
}

/// A fragment's data with its place checked.
pub(super) struct Placed<'a> {
    offset: u32,
    /// Octets on the wire.
    wire: u32,
    data: &'a [u8],
    last: bool,
}

impl<'a> Placed<'a> {
    /// `None` when the fragment brings nothing: it is empty, or points beyond 64 KiB.
    pub(super) fn new(fragment: &Fragment, data: &'a [u8]) -> Option<Self> {
        // All but the last carry multiples of 8 octets; receivers ignore the rest.
        let wire = if fragment.more { fragment.wire_len & !7 } else { fragment.wire_len };
        let end = fragment.offset.checked_add(wire)?;
        if wire == 0 || end > MAX_DATAGRAM {
            return None;
        }
        let data = data.get(..usize::try_from(wire).ok()?).unwrap_or(data);
        Some(Self { offset: fragment.offset, wire, data, last: !fragment.more })
    }

    /// What keeping it may cost: its octets, its piece, and a datagram's overhead.
    ///
    /// The overhead is paid per fragment: it covers the growth of both vectors, too.
    pub(super) fn cost(&self) -> u64 {
        u64::try_from(self.data.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(2)
            .saturating_add(OVERHEAD)
    }

    pub(super) fn end(&self) -> u32 {
        self.offset.saturating_add(self.wire)
    }

    /// The data at `from..to` of the datagram, as far as it is present.
    pub(super) fn part(&self, from: u32, to: u32) -> &'a [u8] {
        let index = |at: u32| {
            let at = usize::try_from(at.saturating_sub(self.offset)).unwrap_or(usize::MAX);
            at.min(self.data.len())
        };
        self.data.get(index(from)..index(to)).unwrap_or_default()
    }
}

impl Waiting {
    /// Counts a fragment, just covered; `false` when it brought nothing new and does not disagree.
    pub(super) fn count(&mut self, new: &Placed<'_>, fragment: &Fragment, grown: bool) -> bool {
        let mut differs = self.disagrees(new, grown);
        let ends = new.last && self.total.is_none();
        if new.last {
            // The first last fragment says how long the datagram is.
            differs |= self.total.is_some_and(|total| total != new.end());
            self.total.get_or_insert(new.end());
        }
        if fragment.offset == 0 && grown {
            self.network = fragment.network;
        }
        self.overlap |= differs;
        let counts = grown || differs || ends;
        self.frames = self.frames.saturating_add(if counts { fragment.frames } else { 0 });
        counts
    }

    /// Keeps the octets of a fragment that no other brought; `true` if there were any.
    pub(super) fn cover(&mut self, new: &Placed<'_>) -> bool {
        let mut at = self.pieces.partition_point(|piece| piece.end() <= new.offset);
        let mut from = new.offset;
        let mut grown = false;
        while from < new.end() {
            let next = self.pieces.get(at).copied();
            let to = next.map_or(new.end(), |next| next.offset.min(new.end()));
            if from < to {
                self.insert(at, from, to.saturating_sub(from), new.part(from, to));
                grown = true;
                at = at.saturating_add(1);
            }
            from = next.map_or(to, |next| next.end().max(to));
            at = at.saturating_add(1);
        }
        grown
    }

    pub(super) fn insert(&mut self, at: usize, offset: u32, wire: u32, octets: &[u8]) {
        let len = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        let end = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        self.data.extend_from_slice(octets);
        self.covered = self.covered.saturating_add(wire);
        let piece = Piece { offset, wire, at: end, len };
        self.pieces.insert(at.min(self.pieces.len()), piece);
    }

    /// Whether a fragment, just covered, has other octets somewhere than the ones kept.
    pub(super) fn disagrees(&self, new: &Placed<'_>, grown: bool) -> bool {
        let begin = self.pieces.partition_point(|piece| piece.end() <= new.offset);
        let touched = self.pieces.iter().skip(begin).take_while(|p| p.offset < new.end());
        // Alone, it was only copied.
        if grown && touched.clone().count() == 1 {
            return false;
        }
        touched.into_iter().any(|piece| {
            let (from, to) = (piece.offset.max(new.offset), piece.end().min(new.end()));
            let skip = usize::try_from(from.saturating_sub(piece.offset)).unwrap_or(usize::MAX);
            let kept = self.octets(piece).get(skip..).unwrap_or_default();
            kept.iter().zip(new.part(from, to)).any(|(kept, other)| kept != other)
        })
    }

    /// The octets present of a piece.
    pub(super) fn octets(&self, piece: &Piece) -> &[u8] {
        let at = usize::try_from(piece.at).unwrap_or(usize::MAX);
        let len = usize::try_from(piece.len).unwrap_or(usize::MAX);
        self.data.get(at..).and_then(|rest| rest.get(..len)).unwrap_or_default()
    }

    /// Appends the octets from the beginning to the end or to the first one not captured.
    pub(super) fn copy_to(&self, joined: &mut Vec<u8>) {
        for piece in &self.pieces {
            joined.extend_from_slice(self.octets(piece));
            if piece.len < piece.wire {
                return;
            }
        }
    }

    /// Every octet from the beginning to the length was brought.
    pub(super) fn is_whole(&self) -> bool {
        // Pieces do not overlap, so covering as much as the length is covering all of it, unless
        // some lie beyond.
        self.total.is_some_and(|total| {
            self.covered == total && self.pieces.last().is_some_and(|last| last.end() == total)
        })
    }
}
