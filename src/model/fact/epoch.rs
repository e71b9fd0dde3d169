//! The facts of one lane in one epoch, and what they speak of.

use std::ops::Range;

use overhear_parsers::sip::HeaderSpan;

use super::{Fact, SipFact};
use crate::model::fetch;
use crate::model::handshake::HandshakeFacts;
use crate::model::stream::StreamEnded;

/// All facts of one lane in one epoch, with the octets they speak of.
///
/// SIP octets are copied here once: measured against a reference-counted slice of the capture
/// block this is as fast, holds no block alive, and serves reassembled octets alike
/// (`docs/decisions/0001-facts-own-their-octets.md`). Emptied and reused.
#[derive(Debug, Default)]
pub struct EpochFacts {
    /// The facts, in no particular order.
    pub facts: Vec<Fact>,
    /// Octets of SIP, RTCP and handshake messages, and of sampled RTP packets.
    pub octets: Vec<u8>,
    /// Spans of SIP headers.
    pub spans: Vec<HeaderSpan>,
    /// Streams that ended.
    pub streams: Vec<StreamEnded>,
    /// Handshakes that are over.
    handshakes: Vec<HandshakeFacts>,
}

impl EpochFacts {
    /// Empties all of them, keeping their memory.
    pub fn clear(&mut self) {
        self.facts.clear();
        self.octets.clear();
        self.spans.clear();
        self.streams.clear();
        self.handshakes.clear();
    }

    /// Keeps a stream that ended and says where.
    pub fn end(&mut self, stream: StreamEnded) -> u32 {
        let place = length(self.streams.len());
        self.streams.push(stream);
        place
    }

    /// The stream at a place.
    pub fn stream(&self, place: u32) -> Option<&StreamEnded> {
        self.streams.get(usize::try_from(place).ok()?)
    }

    /// Keeps a handshake that is over and says where.
    pub fn greeted(&mut self, handshake: HandshakeFacts) -> u32 {
        let place = length(self.handshakes.len());
        self.handshakes.push(handshake);
        place
    }

    /// The handshake at a place.
    pub fn handshake(&self, place: u32) -> Option<&HandshakeFacts> {
        self.handshakes.get(usize::try_from(place).ok()?)
    }

    /// Copies `octets` in and says where they are.
    pub fn keep(&mut self, octets: &[u8]) -> Range<u32> {
        let start = length(self.octets.len());
        self.octets.extend_from_slice(octets);
        start..length(self.octets.len())
    }

    /// The octets of `range`.
    pub fn octets(&self, range: &Range<u32>) -> &[u8] {
        self.octets.get(wide(range)).unwrap_or_default()
    }

    /// Asks for every cache line of a message: another core may have written them.
    #[inline]
    pub fn fetch(&self, sip: &SipFact) {
        fetch::all(self.octets(&sip.octets));
        fetch::all(self.spans(&sip.spans));
    }

    /// The spans of `range`.
    pub fn spans(&self, range: &Range<u32>) -> &[HeaderSpan] {
        self.spans.get(wide(range)).unwrap_or_default()
    }
}

/// An epoch holds a few MiB, so its lengths fit in 32 bits.
pub fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn wide(range: &Range<u32>) -> Range<usize> {
    usize::try_from(range.start).unwrap_or(usize::MAX)
        ..usize::try_from(range.end).unwrap_or(usize::MAX)
}
