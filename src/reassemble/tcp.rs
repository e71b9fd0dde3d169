//! One direction of a TCP connection as ordered octets, RFC 9293 §3.4 and §3.10.7.4.
//!
//! Octets in order are handed on borrowed, nothing is copied. Octets beyond a hole wait, bounded
//! by [`Limits`] and the cell's [`Purse`]; when they would have to wait too long the hole is
//! declared a gap and delivery goes on behind it: a tap that lost a frame never sees it again.
//!
//! Where segments disagree about an octet, the first one seen wins and the overlap is counted.
//! Octets already handed on are not kept, so a disagreement about those is only a retransmission.
//! Not here: which direction is the client's, time-outs (the tracker calls [`Direction::finish`]),
//! checksums, windows and selective acknowledgments.

mod order;
mod pieces;

use self::pieces::{Piece, Pieces};
use super::purse::Purse;
use crate::decode::Tcp;

/// The name under which holes given up for lack of memory are counted.
pub const TABLE: &str = "tcp_pieces";

/// Segments in a row that fit nowhere before the stream is taken up at them.
const STRAYS: u8 = 8;
/// Missing octets believed of one clipped segment: more than any offload engine builds.
const MAX_CLIPPED: u32 = 1 << 20;

/// How much may wait behind a hole, per direction.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How far beyond the hole octets may lie.
    pub tcp_window: u32,
    /// Segments that may wait.
    pub segments: u32,
}

/// What reassembly needs of a segment.
#[derive(Copy, Clone, Debug)]
pub struct Segment<'a> {
    /// Sequence number.
    pub seq: u32,
    /// Control bits, see [`Tcp`].
    pub flags: u8,
    /// The payload present.
    pub payload: &'a [u8],
    /// Octets of payload on the wire; at least those present.
    pub wire_len: u32,
}

/// Octets in order.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// At least one octet.
    pub octets: &'a [u8],
    /// Octets missing right before these; 1 when their number is unknown.
    pub gap_before: u64,
}

/// What happened on the way, since the beginning.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Holes given up.
    pub gaps: u64,
    /// Octets in them.
    pub gap_octets: u64,
    /// Segments that disagreed with waiting octets.
    pub overlaps: u64,
    /// Segments that brought octets already there, keep-alive probes excepted.
    pub retransmissions: u64,
    /// Segments that came before their turn.
    pub out_of_order: u64,
    /// Segments outside any window, dropped.
    pub strays: u64,
}

/// One direction of a connection.
#[derive(Clone, Debug)]
pub struct Direction {
    limits: Limits,
    /// Sequence number of the next octet wanted; `None` until a SYN or data was seen.
    next: Option<u32>,
    /// The same octet counted from the beginning, where pieces are placed. Starts high enough for
    /// segments just before the first to have a place.
    base: u64,
    /// Behind the last octet, once a FIN said so.
    end: Option<u64>,
    /// Sequence number behind a SYN that did not fit: another connection, or a forgery.
    other_syn: Option<u32>,
    strays: u8,
    started: bool,
    closed: bool,
    /// Octets missing before the next delivery.
    gap: u64,
    pieces: Pieces,
    counters: Counters,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tcp_window: 256 * 1024, segments: 256 }
    }
}

impl Default for Direction {
    fn default() -> Self {
        Self::new()
    }
}

impl Direction {
    /// A direction of which nothing was seen, with the default limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A direction of which nothing was seen.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            next: None,
            base: 1 << 32,
            end: None,
            other_syn: None,
            strays: 0,
            started: false,
            closed: false,
            gap: 0,
            pieces: Pieces::default(),
            counters: Counters::default(),
        }
    }

    /// What happened so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// A SYN was seen: the stream is known from its first octet.
    pub const fn started(&self) -> bool {
        self.started
    }

    /// The sender is done: everything up to its FIN was delivered, or it sent a RST.
    pub const fn closed(&self) -> bool {
        self.closed
    }

    /// Octets waiting behind a hole.
    pub fn waiting(&self) -> u64 {
        self.pieces.octets()
    }

    /// Takes one segment and hands on what is in order now.
    pub fn push(
        &mut self,
        segment: &Segment<'_>,
        purse: &mut Purse,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        let syn = segment.flags & Tcp::SYN != 0;
        let seq = segment.seq.wrapping_add(u32::from(syn));
        if segment.flags & Tcp::RST != 0 {
            // Its payload, if any, is a remark and not data, RFC 9293 §3.5.3.
            return self.reset(seq);
        }
        if syn {
            self.synchronize(seq, purse, deliver);
        }
        let present = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX);
        let wire_len = segment.wire_len.min(MAX_CLIPPED).max(present);
        if wire_len > 0 {
            if self.other_syn == Some(seq) && !syn {
                self.restart(seq, purse, deliver);
            }
            let data = Piece::borrowed(segment.payload, wire_len.saturating_sub(present));
            self.data(seq, &data, purse, deliver);
        }
        if segment.flags & Tcp::FIN != 0 {
            self.fin(seq.wrapping_add(wire_len));
        }
        self.close_if_done();
    }

    /// The other direction acknowledged everything before `ack`: a hole below that is the tap's
    /// loss, not the network's. It is given up as soon as an eighth of the segments that may wait
    /// are waiting (acknowledgments can overtake data on their way to the tap).
    pub fn acknowledged(
        &mut self,
        ack: u32,
        purse: &mut Purse,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        let Some((at, _)) = self.place(ack) else { return };
        while self.pieces.first().is_some_and(|start| start <= at)
            && self.pieces.segments() > self.limits.segments / 8
        {
            self.give_up_hole(purse, deliver);
        }
        self.close_if_done();
    }

    /// Hands on everything that waits, with the gaps between, and gives its memory back.
    pub fn finish(&mut self, purse: &mut Purse, deliver: &mut impl FnMut(Delivery<'_>)) {
        while self.give_up_hole(purse, deliver) {}
        self.close_if_done();
    }

    /// A SYN: the beginning, its retransmission, or the beginning of something else.
    fn synchronize(&mut self, seq: u32, purse: &mut Purse, deliver: &mut impl FnMut(Delivery<'_>)) {
        if self.next.is_none() {
            self.next = Some(seq);
            self.started = true;
        } else if self.closed {
            self.restart(seq, purse, deliver);
        } else if !self.place(seq).is_some_and(|(at, near)| near && at <= self.base) {
            // Not a retransmission. A forger's SYN is answered with a challenge (RFC 5961 §4) and
            // nothing follows; if data follows right behind it, it was the real thing.
            self.other_syn = Some(seq);
        }
    }

    /// Another connection between the same ports begins.
    fn restart(&mut self, seq: u32, purse: &mut Purse, deliver: &mut impl FnMut(Delivery<'_>)) {
        self.finish(purse, deliver);
        // Whoever reads the octets learns that these do not continue the last ones.
        self.gap = u64::from(!self.closed);
        self.next = Some(seq);
        self.end = None;
        self.other_syn = None;
        self.strays = 0;
        self.closed = false;
        self.started = true;
    }

    /// The sender will send nothing at or behind `seq`.
    fn fin(&mut self, seq: u32) {
        if self.next.is_none() {
            self.next = Some(seq);
        }
        if let Some((at, true)) = self.place(seq)
            && at >= self.base
            && self.end.is_none()
        {
            self.end = Some(at);
        }
    }

    /// A RST closes if it is near what is wanted next. What comes after it is delivered all the
    /// same: then it was forged.
    fn reset(&mut self, seq: u32) {
        self.closed |= self.place(seq).is_none_or(|(_, near)| near);
    }

    fn close_if_done(&mut self) {
        self.closed |= self.end.is_some_and(|end| self.base >= end);
    }

    /// Payload at `seq`.
    fn data(
        &mut self,
        seq: u32,
        data: &Piece<'_>,
        purse: &mut Purse,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        self.next.get_or_insert(seq);
        let Some((start, _)) = self.place(seq) else { return };
        let end = start.saturating_add(data.len());
        if end <= self.base {
            return self.old(seq, start, data, purse, deliver);
        }
        if self.end.is_some_and(|fin| start >= fin) {
            return self.stray(seq, data, purse, deliver);
        }
        // Too far ahead: what waits goes first, then it may fit.
        while end.saturating_sub(self.base) > u64::from(self.limits.tcp_window)
            && start > self.base
            && self.give_up_hole(purse, deliver)
        {}
        if start > self.base.saturating_add(u64::from(self.limits.tcp_window)) {
            return self.stray(seq, data, purse, deliver);
        }
        self.strays = 0;
        if start > self.base {
            self.counters.out_of_order = self.counters.out_of_order.saturating_add(1);
            return self.keep(start, data, purse, deliver);
        }
        if start < self.base {
            self.counters.retransmissions = self.counters.retransmissions.saturating_add(1);
        }
        self.in_order(start, data, purse, deliver);
    }

    /// Payload wholly before what is wanted next: a retransmission, a keep-alive probe (one octet
    /// before the next, RFC 9293 §3.8.4), or a connection that was not seen to begin.
    fn old(
        &mut self,
        seq: u32,
        start: u64,
        data: &Piece<'_>,
        purse: &mut Purse,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        if !self.place(seq).is_some_and(|(_, near)| near) {
            return self.stray(seq, data, purse, deliver);
        }
        let probe = data.len() == 1 && start.saturating_add(1) == self.base;
        if !probe {
            self.counters.retransmissions = self.counters.retransmissions.saturating_add(1);
        }
    }

    /// Payload that fits nowhere. After some of them in a row it is the stream that moved.
    fn stray(
        &mut self,
        seq: u32,
        data: &Piece<'_>,
        purse: &mut Purse,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        self.strays = self.strays.saturating_add(1);
        if self.strays < STRAYS {
            self.counters.strays = self.counters.strays.saturating_add(1);
            return;
        }
        while self.give_up_hole(purse, deliver) {}
        self.strays = 0;
        self.end = None;
        match self.place(seq) {
            Some((start, _)) if start > self.base => self.skip_to(start),
            _ => {
                self.next = Some(seq);
                self.count_gap(1);
            }
        }
        self.in_order(self.base, data, purse, deliver);
    }

    /// Lets payload beyond a hole wait. When there is no memory for it, every hole before it is a
    /// gap, and it is in order.
    fn keep(
        &mut self,
        start: u64,
        data: &Piece<'_>,
        purse: &mut Purse,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        if let Ok(differs) = self.pieces.insert(start, data, purse) {
            self.counters.overlaps = self.counters.overlaps.saturating_add(u64::from(differs));
            while self.pieces.segments() > self.limits.segments {
                self.give_up_hole(purse, deliver);
            }
            return;
        }
        purse.evict(TABLE, 1);
        while self.pieces.first().is_some_and(|first| first < start) {
            self.give_up_hole(purse, deliver);
        }
        self.skip_to(start);
        self.in_order(start, data, purse, deliver);
    }

    /// Payload that begins at or before the octet wanted next; waiting pieces came first and win.
    fn in_order(
        &mut self,
        start: u64,
        data: &Piece<'_>,
        purse: &mut Purse,
        deliver: &mut impl FnMut(Delivery<'_>),
    ) {
        let end = start.saturating_add(data.len());
        let mut differs = false;
        while self.base < end {
            let waiting = self.pieces.first().unwrap_or(u64::MAX);
            let fresh = data.part(start, self.base, waiting.min(end));
            self.emit(&fresh, deliver);
            if waiting >= end {
                break;
            }
            let Some((at, piece)) = self.pieces.pop(purse) else { break };
            differs |= piece.differs(at, data, start);
            self.emit(&piece, deliver);
        }
        self.counters.overlaps = self.counters.overlaps.saturating_add(u64::from(differs));
        self.drain(purse, deliver);
    }

    /// Hands on the pieces whose turn has come.
    fn drain(&mut self, purse: &mut Purse, deliver: &mut impl FnMut(Delivery<'_>)) {
        while self.pieces.first().is_some_and(|start| start <= self.base) {
            let Some((start, piece)) = self.pieces.pop(purse) else { return };
            let end = start.saturating_add(piece.len());
            self.emit(&piece.part(start, self.base.max(start), end), deliver);
        }
    }

    /// Declares the first hole a gap; `false` when nothing waits.
    fn give_up_hole(&mut self, purse: &mut Purse, deliver: &mut impl FnMut(Delivery<'_>)) -> bool {
        let Some(start) = self.pieces.first() else { return false };
        self.skip_to(start);
        self.drain(purse, deliver);
        true
    }

    /// Goes on at `start` without the octets before it.
    fn skip_to(&mut self, start: u64) {
        let missing = start.saturating_sub(self.base);
        self.advance(missing);
        self.count_gap(missing);
    }

    /// Hands on octets that follow the last ones.
    fn emit(&mut self, piece: &Piece<'_>, deliver: &mut impl FnMut(Delivery<'_>)) {
        if !piece.octets().is_empty() {
            let gap_before = std::mem::take(&mut self.gap);
            deliver(Delivery { octets: piece.octets(), gap_before });
        }
        self.advance(piece.len());
        self.count_gap(u64::from(piece.missing()));
    }

    fn advance(&mut self, octets: u64) {
        self.base = self.base.saturating_add(octets);
        // Below 2^32 for anything that was placed by its sequence number.
        let by = u32::try_from(octets & u64::from(u32::MAX)).unwrap_or_default();
        self.next = self.next.map(|next| next.wrapping_add(by));
    }

    fn count_gap(&mut self, missing: u64) {
        if missing > 0 {
            self.gap = self.gap.saturating_add(missing);
            self.counters.gaps = self.counters.gaps.saturating_add(1);
            self.counters.gap_octets = self.counters.gap_octets.saturating_add(missing);
        }
    }
}

#[cfg(test)]
mod tests;
