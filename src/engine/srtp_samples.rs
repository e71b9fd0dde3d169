//! Samples of streams that do not look clear, three packets each, until their streams have ended: a
//! purse of `limits.srtp_samples` octets. Of a stream the first sample is kept, which is of its first
//! packets, and the latest.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::model::frame::FrameId;
use crate::model::stream::StreamKey;
use crate::model::time::Ts;

/// Name of the table in `evicted`.
pub(super) const TABLE: &str = "srtp_samples";

/// Three packets of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// Each behind its length in two octets.
    pub(super) octets: Box<[u8]>,
    pub(super) frames: [FrameId; 3],
    /// When the third of them came.
    pub(super) at: Ts,
}

/// The first sample of a stream, and the latest.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) first: Sample,
    pub(super) latest: Option<Sample>,
}

/// The samples of streams that have not ended.
#[derive(Debug)]
pub(super) struct Samples {
    kept: HashMap<StreamKey, Kept, foldhash::fast::FixedState>,
    /// Streams in the order of their first samples; some have ended.
    order: VecDeque<StreamKey>,
    octets: usize,
    cap: usize,
    evicted: u64,
}

impl Samples {
    pub(super) fn new(cap: usize) -> Self {
        Self { kept: HashMap::default(), order: VecDeque::new(), octets: 0, cap, evicted: 0 }
    }

    /// Samples given up for lack of room.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Keeps a sample of a stream: its first one, and of the later ones the last.
    pub(super) fn keep(&mut self, stream: StreamKey, sample: Sample) {
        self.octets = self.octets.saturating_add(sample.weight());
        if let Some(kept) = self.kept.get_mut(&stream) {
            let before = kept.latest.replace(sample);
            let before = before.map_or(0, |sample| sample.weight());
            self.octets = self.octets.saturating_sub(before);
        } else {
            self.order.push_back(stream);
            self.kept.insert(stream, Kept { first: sample, latest: None });
        }
        while self.octets > self.cap {
            let Some(oldest) = self.order.pop_front() else { break };
            if self.take(&oldest).is_some() {
                self.evicted = self.evicted.saturating_add(1);
            }
        }
        if self.order.len() > self.kept.len().saturating_mul(2).saturating_add(1_024) {
            let kept = &self.kept;
            self.order.retain(|stream| kept.contains_key(stream));
        }
    }

    /// The samples of a stream that has ended.
    pub(super) fn take(&mut self, stream: &StreamKey) -> Option<Kept> {
        if self.kept.is_empty() {
            return None;
        }
        let kept = self.kept.remove(stream)?;
        let latest = kept.latest.as_ref().map_or(0, Sample::weight);
        self.octets = self.octets.saturating_sub(kept.first.weight()).saturating_sub(latest);
        Some(kept)
    }
}

impl Sample {
    pub(super) fn weight(&self) -> usize {
        self.octets.len().saturating_add(size_of::<(StreamKey, Kept)>())
    }

    /// The packets; `None` unless there are three and nothing else.
    pub(super) fn packets(&self) -> Option<[&[u8]; 3]> {
        let mut rest = &self.octets[..];
        let mut next = || {
            let (length, behind) = rest.split_first_chunk::<2>()?;
            let (packet, behind) =
                behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            rest = behind;
            Some(packet)
        };
        let packets = [next()?, next()?, next()?];
        rest.is_empty().then_some(packets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::addr::{Addr, Endpoint};

    fn stream(ssrc: u32) -> StreamKey {
        let end = |last| Endpoint::new(Addr::v4([192, 0, 2, last]), 4000);
        StreamKey { src: end(1), dst: end(2), ssrc }
    }

    const FRAMES: [FrameId; 3] = [FrameId { source: 0, number: 1 }; 3];

    fn sample(octets: &[u8]) -> Sample {
        Sample { octets: octets.into(), frames: FRAMES, at: Ts::MIN }
    }

    #[test]
    fn the_first_and_the_latest_sample_are_kept() {
        let mut samples = Samples::new(1 << 20);
        for octet in 1..=4 {
            samples.keep(stream(1), sample(&[octet]));
        }
        let kept = samples.take(&stream(1)).unwrap();
        assert_eq!(
            (&kept.first.octets[..], &kept.latest.unwrap().octets[..]),
            (&[1][..], &[4][..])
        );
        assert!(samples.take(&stream(1)).is_none());
        assert_eq!((samples.octets, samples.evicted()), (0, 0));
    }

    #[test]
    fn a_full_purse_gives_up_the_oldest_streams() {
        let mut samples = Samples::new(10_000);
        for ssrc in 0..100 {
            samples.keep(stream(ssrc), sample(&[0; 500]));
        }
        assert!(samples.octets <= 10_000 && samples.evicted() > 80);
        assert!(samples.take(&stream(0)).is_none() && samples.take(&stream(99)).is_some());
        for ssrc in 0..10_000 {
            samples.keep(stream(ssrc), sample(&[0]));
            samples.take(&stream(ssrc));
        }
        assert!(samples.order.len() < 2_000);
    }

    #[test]
    fn what_is_not_three_packets_is_no_sample() {
        let of = |octets: &[u8]| {
            let sample = sample(octets);
            sample.packets().map(|packets| packets.map(<[u8]>::len))
        };
        assert_eq!(of(&[0, 1, 9, 0, 0, 0, 2, 8, 8]), Some([1, 0, 2]));
        assert_eq!(of(&[0, 1, 9, 0, 0, 0, 2, 8]), None);
        assert_eq!(of(&[0, 1, 9, 0, 0, 0, 2, 8, 8, 7]), None);
        assert_eq!(of(&[]), None);
    }
}
