//! What of a frame is still to be read: the octets present, where they lie, and how many there
//! were on the wire. Every reader of a header takes one and gives back a shorter one.

use super::octets32;

/// A stretch of the frame still to be read.
#[derive(Copy, Clone, Debug)]
pub(super) struct Rest<'a> {
    /// Octets present.
    pub(super) octets: &'a [u8],
    /// Offset of the first of them in the frame.
    pub(super) at: u32,
    /// Octets on the wire; at least those present.
    pub(super) wire: u32,
}

impl<'a> Rest<'a> {
    /// A whole frame, or datagram, of which `wire` octets were sent.
    pub(super) fn new(octets: &'a [u8], wire: u32) -> Self {
        Self { octets, at: 0, wire: wire.max(octets32(octets.len())) }
    }

    /// What is left past a header of `len` octets, of which fewer may be present.
    pub(super) fn past(self, len: usize) -> Self {
        let present = len.min(self.octets.len());
        Self {
            octets: self.octets.get(present..).unwrap_or_default(),
            at: self.at.saturating_add(octets32(present)),
            wire: self.wire.saturating_sub(octets32(len)),
        }
    }

    /// The first `wire` octets, of which fewer may be present.
    pub(super) fn cut(self, wire: u32) -> Self {
        let present = usize::try_from(wire).unwrap_or(usize::MAX);
        Self { octets: self.octets.get(..present).unwrap_or(self.octets), at: self.at, wire }
    }

    /// The first `N` octets and what follows them.
    pub(super) fn take<const N: usize>(self) -> Option<([u8; N], Self)> {
        let head = *self.octets.first_chunk()?;
        Some((head, self.past(N)))
    }

    /// The next 16 bits and what follows them.
    pub(super) fn take16(self) -> Option<(u16, Self)> {
        let (octets, rest) = self.take()?;
        Some((u16::from_be_bytes(octets), rest))
    }

    /// The next 32 bits and what follows them.
    pub(super) fn take32(self) -> Option<(u32, Self)> {
        let (octets, rest) = self.take()?;
        Some((u32::from_be_bytes(octets), rest))
    }

    /// The first four bits: the version, if this is an IP packet.
    pub(super) fn nibble(self) -> Option<u8> {
        self.octets.first().map(|first| first >> 4)
    }

    /// Nothing was cut off by the capture.
    pub(super) fn is_whole(self) -> bool {
        octets32(self.octets.len()) >= self.wire
    }
}
