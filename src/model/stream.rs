//! What is known of one RTP stream when it has ended, and what happens to it before that.
//!
//! Plain values: the tables that make them are in `track`, the calls they belong to in `correlate`.

use super::addr::{Endpoint, FlowKey, Proto};
use super::figures::Figures;
use super::frame::FrameId;
use super::notes::Notes;
use super::time::{Span, Ts};

/// One direction of one synchronization source, by the addresses of the packets that carry it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey {
    /// Who sends.
    pub src: Endpoint,
    /// Who is sent to.
    pub dst: Endpoint,
    /// The synchronization source.
    pub ssrc: u32,
}

/// Where a stream that passes through a TURN relay comes from and goes to outside of the relay, as
/// SDP names it (RFC 8656): the peer, and the relayed address of the client; the client's own
/// address where the relayed one was not learned.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// Who sends.
    pub src: Endpoint,
    /// Who is sent to.
    pub dst: Endpoint,
}

/// How sure the content alone makes us that this is media.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Too short or too odd: media only if SDP announced the address, else a look-alike.
    #[default]
    Candidate,
    /// A few packets in a row count as RTP does: possibly media, low confidence.
    Possible,
    /// Half a second of packets counts as RTP does.
    Confirmed,
}

/// What a stream tells while it lives and when it ends.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "handed on at once, mostly to where it stays")]
pub enum StreamEvent {
    /// A gap appeared; at most once per stream and second, and not for candidates.
    Lossy {
        /// The stream.
        key: StreamKey,
        /// The ordinal of the packet behind the gap.
        ordinal: u64,
        /// Its capture time in whole seconds since the Unix epoch.
        second: i64,
    },
    /// Three packets in a row of a stream that does not look clear; at most once for each look.
    Sample(Box<Sample>),
    /// The stream was idle for too long, had to make room, or the capture ended.
    Ended(StreamEnded),
}

/// Three consecutive packets, captured whole, for a proof of what protects them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// The stream.
    pub key: StreamKey,
    /// Each packet from the RTP header on, behind its length in two octets, big endian.
    pub octets: Vec<u8>,
    /// Where they were seen.
    pub frames: [FrameId; 3],
}

/// One stream, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamEnded {
    /// Which stream.
    pub key: StreamKey,
    /// Its addresses outside of a relay, if it was seen between a client and a TURN server.
    pub relay: Option<Relay>,
    /// It came over TCP: its frames are booked with the connection's.
    pub framed: bool,
    /// [`FlowKey::hash64`] of its addresses.
    pub flow_hash: u64,
    /// When it counts as ended: the last watermark it was seen at plus the idle limit; for one that
    /// had to make room, the watermark of that moment if earlier.
    pub deadline: Ts,
    /// The ordinal of its first packet.
    pub first_ordinal: u64,
    /// Its first packet.
    pub first_frame: FrameId,
    /// Its last packet.
    pub last_frame: FrameId,
    /// Capture time of the first packet.
    pub first: Ts,
    /// Capture time of the last packet.
    pub last: Ts,
    /// Packets, duplicates included.
    pub packets: u32,
    /// Octets behind the RTP headers, as sent: padding, authentication tags and octets that were
    /// not captured included.
    pub payload_octets: u64,
    /// Octets of the frames on the wire.
    pub wire_octets: u64,
    /// Packets that the sequence numbers promise, over all runs (RFC 3550 appendix A.3).
    pub expected: u64,
    /// Sequence numbers between the first and the last of each run that never came. Unlike
    /// RFC 3550's figure it is not lowered by duplicates, and never negative.
    pub lost: u64,
    /// Packets whose sequence number had come before, by a window of 64.
    pub duplicates: u32,
    /// Packets that came after one with a higher number.
    pub reordered: u32,
    /// Places where at least one number in a row is missing.
    pub gaps: u32,
    /// How the missing numbers clustered.
    pub bursts: Bursts,
    /// Times without any packet that numbers are missing of.
    pub holes: Option<Box<Holes>>,
    /// Times that the sequence numbers went on from somewhere else.
    pub restarts: u16,
    /// The lowest and the highest sequence number of the last run.
    pub run: (u16, u16),
    /// Jumps of the sequence numbers, ahead by more than 3,000 or back by more than 100, that no
    /// marker announced.
    pub jumps: u16,
    /// A timestamp was more than ten seconds from that of the packet before, whose number was the one
    /// before and which had come just before; without the marker, and where the clock rate is known.
    pub leapt: bool,
    /// Packets of comfort noise (RFC 3389) too short to have an authentication tag; up to 255.
    pub comfort: u8,
    /// The first packet had neither padding, nor extension, nor contributing sources.
    pub plain: bool,
    /// What few streams have: digits, packets that contradict each other.
    pub notes: Option<Box<Notes>>,
    /// Packets with the marker, up to 65,535.
    pub markers: u32,
    /// Packets that came too late to be played.
    pub late: Late,
    /// What 95 of 100 packets kept to between arrival and timestamp, from each to the next (|D| of
    /// RFC 3550 §6.4.1), ms, rounded up to a step; `None` for up to 10.
    pub p95_ms: Option<u16>,
    /// Packets of which the capture holds only a part.
    pub clipped: u32,
    /// Interarrival jitter under each clock rate that the stream may have.
    pub jitter: Jitter,
    /// Payload types in order of appearance, with their packets.
    pub payload_types: [PayloadCount; 4],
    /// Packets of a fifth payload type and on.
    pub other_payload_types: u32,
    /// IP TTL or hop limit of the first packet.
    pub ttl: u8,
    /// Whether it changed.
    pub ttl_changed: bool,
    /// DSCP of the first packet.
    pub dscp: u8,
    /// Whether it changed.
    pub dscp_changed: bool,
    /// What content alone says.
    pub standing: Standing,
    /// The most frequent lengths and timestamp steps of the whole stream.
    pub law: Law,
    /// What a closer look at some of its packets gave, if it lived long enough for one.
    pub figures: Option<Box<Figures>>,
}

/// Bursts and gaps of RFC 3611 §4.7.2 with Gmin 16, of packets lost or overtaken.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Bursts {
    /// Runs of missing numbers.
    pub runs: u32,
    /// Bursts.
    pub bursts: u32,
    /// Numbers missing within bursts.
    pub losses: u32,
    /// Numbers within bursts, received ones included.
    pub packets: u32,
    /// Numbers missing alone, in gaps.
    pub isolated: u32,
}

/// A time of [`HOLE`](crate::policy::media::HOLE) and more in which no packet came, while the sender counted on.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Hole {
    /// Capture time of the packet before.
    pub from: Ts,
    /// Capture time of the packet behind.
    pub to: Ts,
    /// Sequence numbers that are missing.
    pub missing: u32,
}

/// The first holes of a stream, in order.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Holes {
    kept: [Hole; 8],
    count: u8,
}

/// Play-out delay of the receiver that is imitated, ms.
pub const PLAYOUT_MS: u16 = 60;

/// Packets that came too late for a play-out buffer of [`PLAYOUT_MS`].
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Late {
    /// Packets.
    pub packets: u32,
    /// Runs of them.
    pub runs: u32,
}

/// A payload type and how many packets had it; no packets, no payload type.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct PayloadCount {
    /// PT.
    pub payload_type: u8,
    /// Packets.
    pub packets: u32,
}

/// Interarrival jitter (RFC 3550 §6.4.1, appendix A.8) under candidate clock rates.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Jitter {
    /// The clock rate known from a static payload type: then only the first of the four is kept.
    pub clock_rate: Option<u32>,
    /// Under 8, 16, 48 and 90 kHz; or under the known rate and three empty ones.
    pub lanes: [JitterLane; 4],
    /// Packets that moved the estimate.
    pub samples: u32,
}

/// Jitter under one clock rate, in its ticks.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct JitterLane {
    /// The running estimate after the last packet.
    pub current: f32,
    /// The mean of the running estimate over all packets.
    pub mean: f32,
    /// Its maximum.
    pub max: f32,
}

/// Mean and maximum, in milliseconds.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct JitterMs {
    /// The mean of the running estimate.
    pub mean: f64,
    /// Its maximum.
    pub max: f64,
}

/// The clock rates kept side by side where the payload type is dynamic, Hz.
pub const CANDIDATE_RATES: [u32; 4] = [8_000, 16_000, 48_000, 90_000];

/// How many octets packets carry for how many ticks, over all consecutive pairs of a stream.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Law {
    /// The two most frequent, the more frequent first. Exact for one that has more than half of
    /// the pairs; a lower bound otherwise.
    pub rows: [LawRow; 2],
    /// Pairs with one payload type, consecutive numbers and no marker on the second.
    pub pairs: u32,
}

/// One payload length with one timestamp step.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LawRow {
    /// The timestamp of the next packet minus that of this one, ticks.
    pub ticks: u32,
    /// Pairs like this.
    pub pairs: u32,
    /// The payload length, octets, without padding.
    pub octets: u16,
    /// PT.
    pub payload_type: u8,
}

impl StreamKey {
    /// The direction-free key of its flow.
    pub fn flow(&self) -> FlowKey {
        FlowKey::new(self.src, self.dst, Proto::UDP)
    }

    /// A 64-bit hash, the same on every run and machine.
    pub fn hash64(&self) -> u64 {
        self.hash_in(self.flow().hash64())
    }

    /// The same, where [`FlowKey::hash64`] of the flow is known already.
    #[inline]
    pub fn hash_in(&self, flow: u64) -> u64 {
        // Two odd constants; the multiplication spreads the SSRC over the high bits that choose a
        // tag and the low ones that choose a bucket.
        let direction = if self.src <= self.dst { 0 } else { 0x9e37_79b9_7f4a_7c15 };
        let mixed = (flow ^ direction ^ u64::from(self.ssrc)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ mixed >> 32
    }
}

impl StreamEnded {
    /// [`StreamKey::hash64`] of its key.
    pub fn hash64(&self) -> u64 {
        // The flow of one that came over TCP is another than that of its key.
        if self.framed { self.key.hash64() } else { self.key.hash_in(self.flow_hash) }
    }

    /// Sender and receiver as SDP names them.
    pub fn ends(&self) -> (Endpoint, Endpoint) {
        self.relay.map_or((self.key.src, self.key.dst), |relay| (relay.src, relay.dst))
    }

    /// From the first packet to the last; zero if the capture ran backwards.
    pub fn duration(&self) -> Span {
        self.last.since(self.first).max(Span::ZERO)
    }

    /// The payload type with the most packets, the earlier one of equals.
    pub fn main_payload_type(&self) -> u8 {
        let main = self.payload_types.iter().rev().max_by_key(|count| count.packets);
        main.map_or(0, |count| count.payload_type)
    }
}

impl Holes {
    /// Adds one, if there is room.
    pub fn push(&mut self, hole: Hole) {
        if let Some(place) = self.kept.get_mut(usize::from(self.count)) {
            *place = hole;
            self.count += 1;
        }
    }

    /// Those that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &Hole> {
        self.kept.iter().take(self.count.into())
    }
}

impl Hole {
    /// How long nothing came.
    pub fn lasted(&self) -> Span {
        self.to.since(self.from)
    }
}

impl Jitter {
    /// Jitter under `clock_rate`, once that is known; `None` before the second packet or when the
    /// rate is not one that was kept.
    pub fn under(&self, clock_rate: u32) -> Option<JitterMs> {
        let lane = match self.clock_rate {
            Some(known) => (known == clock_rate).then_some(0)?,
            None => CANDIDATE_RATES.iter().position(|&rate| rate == clock_rate)?,
        };
        let lane = self.lanes.get(lane).filter(|_| self.samples > 0)?;
        let ms = |ticks: f32| f64::from(ticks) * 1e3 / f64::from(clock_rate);
        Some(JitterMs { mean: ms(lane.mean), max: ms(lane.max) })
    }

    /// Jitter under the known rate, or under the candidate that fits best: the one with the
    /// smallest mean in milliseconds.
    pub fn best(&self) -> Option<(u32, JitterMs)> {
        if let Some(known) = self.clock_rate {
            return Some((known, self.under(known)?));
        }
        let candidates = CANDIDATE_RATES.iter().filter_map(|&rate| Some((rate, self.under(rate)?)));
        candidates.min_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean))
    }
}
