//! Where sequence numbers stand to what is wanted next, RFC 9293 §3.4, and segments that come in their turn.

use super::{Delivery, Direction, Segment};
use crate::decode::Tcp;

impl Segment<'_> {
    /// Whether it brings nothing: a pure acknowledgment.
    pub const fn is_bare(&self) -> bool {
        self.wire_len == 0
            && self.payload.is_empty()
            && self.flags & (Tcp::SYN | Tcp::FIN | Tcp::RST) == 0
    }
}

impl Direction {
    /// Whether there is a hole behind which something waits.
    pub fn has_hole(&self) -> bool {
        self.pieces.first().is_some()
    }

    /// Takes a segment of which nothing is asked but that its octets follow the last ones while nothing
    /// waits, as of nearly all: the same as [`Self::push`]. Any other is left as it is, for that.
    #[inline]
    pub fn straight<'s>(&mut self, segment: &Segment<'s>) -> Option<Delivery<'s>> {
        let octets = segment.payload;
        let length = u32::try_from(octets.len()).ok()?;
        let control = segment.flags & (Tcp::SYN | Tcp::FIN | Tcp::RST) != 0;
        let follows = self.next == Some(segment.seq) && self.other_syn.is_none();
        if control || !follows || length == 0 || segment.wire_len > length {
            return None;
        }
        if self.end.is_some() || self.has_hole() {
            return None;
        }
        self.strays = 0;
        self.advance(u64::from(length));
        Some(Delivery { octets, gap_before: std::mem::take(&mut self.gap) })
    }

    /// Takes a SYN that comes alone and is the first of its direction, as of nearly all: the same as
    /// [`Self::push`]. Any other segment is left as it is.
    #[inline]
    pub fn begins(&mut self, segment: &Segment<'_>) -> bool {
        let control = segment.flags & (Tcp::SYN | Tcp::FIN | Tcp::RST);
        let alone = control == Tcp::SYN && segment.wire_len == 0 && segment.payload.is_empty();
        let begins = alone && self.next.is_none();
        if begins {
            self.next = Some(segment.seq.wrapping_add(1));
            self.started = true;
        }
        begins
    }

    /// The sequence number of the next octet wanted, once one is known.
    pub const fn next(&self) -> Option<u32> {
        self.next
    }

    /// Where a sequence number lies, and whether that is within reach of what is wanted next.
    pub(super) fn place(&self, seq: u32) -> Option<(u64, bool)> {
        let next = self.next?;
        let ahead = seq.wrapping_sub(next);
        let behind = next.wrapping_sub(seq);
        let reach = self.limits.tcp_window;
        Some(if ahead < 1 << 31 {
            (self.base.saturating_add(u64::from(ahead)), ahead <= reach)
        } else {
            (self.base.saturating_sub(u64::from(behind)), behind <= reach.saturating_mul(4))
        })
    }
}
