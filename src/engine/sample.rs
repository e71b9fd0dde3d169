//! A sample of one source that is comparable with that of another: the packets whose likeness is
//! lowest.
//!
//! The likeness is that of [`crate::reassemble::duplicate`], so two sources keep the same packets of those that both
//! have, wherever in the files they stand, and without knowing of each other. The sample reaches
//! over the whole file, which shows a clock that drifts, and takes the same room for any file.
//!
//! Left out: fragments, because nothing of theirs but the identification is certain to differ, and
//! packets of a few octets, which are keep-alives and acknowledgments. What is sent again later is
//! kept and marked, because nobody knows which of several another source has.

use std::hash::BuildHasher;

use crate::capture::{Chunk, MAX_FRAMES, Source};
use crate::decode::{self, Decoded, Packet};
use crate::model::addr::STABLE;
use crate::model::frame::RawFrame;
use crate::model::time::{Span, Ts};
use crate::reassemble::duplicate::likeness;
use crate::track::input::Input;

/// Packets of a sample; 24 octets each, and while it is taken twice as many.
const PACKETS: usize = 1 << 16;
/// Captured octets of a source that are looked at.
const OCTETS: u64 = 1 << 30;
/// Octets of payload that a packet must have had on the wire; RTP has 12 in its header alone.
const PAYLOAD: u32 = 8;
/// Two sightings of one packet at one tap are no further apart; what comes later was sent again.
const MIRRORED: Span = Span::from_millis(5);

/// The sample of one source.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// By likeness, each once.
    packets: Vec<Sampled>,
    /// Every packet whose likeness is below this is there.
    below: u64,
    /// Of all that was looked at.
    pub(super) span: (Ts, Ts),
    most: usize,
}

/// One packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sampled {
    pub(super) likeness: u64,
    /// When it was captured, by the clock of its source.
    pub(super) at: Ts,
    /// Hash of the two addresses, the same in both directions.
    pub(super) hosts: u32,
    /// The same was sent again later.
    pub(super) repeated: bool,
}

impl Sample {
    /// Reads a source from where it is, up to its end or to the bound.
    pub(super) fn of(mut source: Source) -> Self {
        let mut sample = Self::new(PACKETS);
        let (mut chunk, mut read) = (Chunk::default(), 0_u64);
        while read < OCTETS && source.fill(&mut chunk, MAX_FRAMES).unwrap_or(false) {
            for raw in &chunk.frames {
                // The bound does not depend on the size of a chunk.
                if read < OCTETS {
                    sample.frame(raw, chunk.backing.frame(raw));
                }
                read = read.saturating_add(u64::from(raw.captured));
            }
        }
        sample.settle();
        sample
    }

    /// The packets of which another sample with this bound has each that its source has.
    pub(super) fn below(&self, limit: u64) -> &[Sampled] {
        let end = self.packets.partition_point(|packet| packet.likeness < limit);
        self.packets.get(..end).unwrap_or_default()
    }

    /// The likeness below which no packet is missing.
    pub(super) const fn limit(&self) -> u64 {
        self.below
    }

    fn new(most: usize) -> Self {
        Self { packets: Vec::new(), below: u64::MAX, span: (Ts::MAX, Ts::MIN), most }
    }

    fn frame(&mut self, raw: &RawFrame, octets: &[u8]) {
        let Some(at) = raw.ts else { return };
        let Decoded::Packet(packet) = decode::decode(raw.link, octets, raw.original) else {
            return;
        };
        let (first, last) = self.span;
        self.span = (first.min(at), last.max(at));
        if packet.wire_payload_len < PAYLOAD {
            return;
        }
        let likeness = likeness(&packet, Input::flow_hash(&packet), octets);
        if likeness < self.below {
            self.push(Sampled { likeness, at, hosts: hosts(&packet), repeated: false });
        }
    }

    fn push(&mut self, packet: Sampled) {
        self.packets.push(packet);
        if self.packets.len() >= self.most.saturating_mul(2) {
            self.settle();
        }
    }

    /// Sorts, puts equal packets together, and keeps the lowest.
    fn settle(&mut self) {
        self.packets.sort_unstable();
        self.packets.dedup_by(|later, first| {
            let same = later.likeness == first.likeness;
            first.repeated |= same && (later.repeated || later.at.since(first.at) > MIRRORED);
            same
        });
        if let Some(next) = self.packets.get(self.most) {
            self.below = next.likeness;
            self.packets.truncate(self.most);
        }
    }
}

/// Hash of both addresses.
fn hosts(packet: &Packet) -> u32 {
    let (src, dst) = (packet.src.addr, packet.dst.addr);
    let hash = STABLE.hash_one((src.min(dst), src.max(dst)));
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// Samples made by hand, for the tests of what compares them.
#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A sample that keeps `most` packets of these: likeness, microseconds, and hosts.
    pub(crate) fn sample(most: usize, packets: &[(u64, i64, u32)]) -> Sample {
        let mut sample = Sample::new(most);
        for &(likeness, micros, hosts) in packets {
            let at = Ts::from_nanos(micros * 1000);
            sample.span = (sample.span.0.min(at), sample.span.1.max(at));
            if likeness < sample.below {
                sample.push(Sampled { likeness, at, hosts, repeated: false });
            }
        }
        sample.settle();
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::testing::sample;
    use super::*;

    fn kept(sample: &Sample) -> Vec<(u64, bool)> {
        sample.below(u64::MAX).iter().map(|packet| (packet.likeness, packet.repeated)).collect()
    }

    #[test]
    fn the_lowest_are_kept_in_whatever_order_they_come() {
        let packets: Vec<(u64, i64, u32)> =
            (0..100).map(|n| (n * 37 % 101, i64::try_from(n).unwrap() * 1000, 1)).collect();
        let reversed: Vec<(u64, i64, u32)> = packets.iter().rev().copied().collect();
        let of = |packets| kept(&sample(10, packets));
        assert_eq!(of(&packets).len(), 10);
        assert_eq!(of(&packets), of(&reversed));
        assert!(of(&packets).is_sorted() && of(&packets).iter().all(|(n, _)| *n < 12));
    }

    #[test]
    fn a_mirrored_packet_is_one_and_one_sent_again_is_marked() {
        let mirrored = sample(10, &[(1, 0, 1), (2, 10, 1), (1, 4_000, 1)]);
        assert_eq!(kept(&mirrored), [(1, false), (2, false)]);
        let resent = sample(10, &[(1, 0, 1), (1, 500_000, 1)]);
        assert_eq!(kept(&resent), [(1, true)]);
    }

    #[test]
    fn a_sample_says_below_which_likeness_it_is_complete() {
        let full = sample(3, &[(1, 0, 1), (4, 1, 1), (2, 2, 1), (9, 3, 1)]);
        assert_eq!((kept(&full).len(), full.limit()), (3, 9));
        assert_eq!(full.below(4).len(), 2);
        assert_eq!(sample(3, &[(1, 0, 1)]).limit(), u64::MAX);
    }
}
