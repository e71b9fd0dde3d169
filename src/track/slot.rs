//! The statistics of one stream, updated in place: four cache lines, no allocation.
//!
//! RFC 3550 §6.4.1 and appendices A.1 (sequence numbers), A.3 (loss), A.8 (jitter). Two deviations,
//! both on purpose. A jump makes a new run inside the same stream instead of throwing the counts
//! away, because callers replay recordings with unrelated numbers under one SSRC. And loss counts
//! numbers that never came, so that duplicates, told apart by a window of 64, do not lower it.

use overhear_parsers::rtp::header::Header;
use overhear_parsers::rtp::payload::{self, Usage};
use overhear_parsers::rtp::sequence;

use self::jitter::Rate;
use self::law::MoreLaw;
use self::name::Name;
use self::payload_types::MoreTypes;
pub(super) use self::sequence_number::{Step, low_half};
use super::figures::Look;
use super::input::Input;
use super::notes::Noting;
use crate::model::evidence::FrameRef;
use crate::model::fetch;
use crate::model::figures::Figures;
use crate::model::frame::FrameId;
use crate::model::notes::Marked;
use crate::model::stream::{Holes, Jitter, JitterLane, LawRow, StreamEnded, StreamKey};
use crate::model::time::Ts;
use crate::policy::media::{HOLE, TIMESTAMP_JUMP_S};

mod bursts;
mod jitter;
mod law;
mod looks;
mod name;
mod payload_types;
mod playout;
mod sequence_number;
mod spread;
mod standing;

pub(super) const TTL_CHANGED: u8 = 1;
pub(super) const DSCP_CHANGED: u8 = 2;
/// `wild` holds the number that would confirm a jump.
const ON_PROBATION: u8 = 4;
/// A look is under way in the probe.
pub(super) const LOOKING: u8 = 8;
/// The next look has been brought forward.
const HASTENED: u8 = 16;
/// The name is that of an IPv6 stream, and does not say all.
const WIDE: u8 = 32;
/// Every packet is to be noted for a while.
pub(super) const NOTED: u8 = 64;
/// The timestamp jumped.
const LEAPT: u8 = 128;

/// As far as timestamps may jump, of the slowest clock: a timestamp that far from the one before is looked at.
const FAR: u32 = TIMESTAMP_JUMP_S * 8_000;

/// Payloads of so few octets are worth a second look: telephone events, comfort noise.
const SHORT: usize = 4;

/// What is touched for every packet. Of its four cache lines the first two, which the processor fetches
/// together, are all that a packet of a known clock rate needs, unless something is odd about it; hence the
/// order of the fields.
#[derive(Debug)]
#[repr(C, align(128))]
pub(super) struct Slot {
    name: Name,
    /// Bit i: number `highest - i` came.
    window: u64,
    last: Ts,
    pub(super) last_watermark: Ts,
    last_number: u64,
    payload_octets: u64,
    wire_octets: u64,
    /// Extended highest number of this run.
    pub(super) highest: u32,
    pub(super) packets: u32,
    timestamp: u32,
    jitter_samples: u32,
    /// Low 32 bits of the second in which to look again.
    look_at: u32,
    /// The most frequent row.
    law: LawRow,
    /// The first of four.
    jitter: JitterLane,
    /// Packets with the marker, as far as 16 bits count.
    markers: u16,
    /// How much later than the fastest packet lately the last one came: see [`playout`].
    delay: u16,
    last_source: u16,
    last_octets: u16,
    /// Of the first packet.
    payload_type: u8,
    last_payload_type: u8,
    rate: Rate,
    pub(super) flags: u8,
    good: u8,
    bad: u8,
    /// Of the last packet.
    pub(super) ttl: u8,
    /// Of the first.
    pub(super) dscp: u8,
    /// Packets that came too late to be played, and whether the last one did: see [`playout`].
    late: u32,
    /// What follows is rarely needed; of IPv6 streams, the name that says all.
    wide: Option<Box<StreamKey>>,
    /// The closer look under way.
    look: Option<Box<Look>>,
    pub(super) probe: Option<Box<Probe>>,
    /// Under the other candidates for an unknown clock rate.
    more_jitter: [JitterLane; 3],
    more_law: MoreLaw,
    more_types: MoreTypes,
    /// Extended lowest number of this run.
    lowest: u32,
    /// Numbers promised by earlier runs, and one for each packet that fits in no run.
    held: u32,
    duplicates: u32,
    reordered: u32,
    gaps: u32,
    /// Runs of packets that came too late.
    late_runs: u32,
    /// Low 16 bits of the second that a gap was last told for.
    lossy_second: u16,
    wild: u16,
}

/// What is written once or seldom, kept out of the way.
#[derive(Debug)]
pub(super) struct Cold {
    first: Ts,
    first_ordinal: u64,
    first_number: u64,
    /// What few streams have.
    pub(super) noting: Option<Box<Noting>>,
    clipped: u32,
    first_source: u16,
    restarts: u16,
    /// Jumps of the numbers that no marker announced.
    pub(super) jumps: u16,
    framed: bool,
    /// The first packet had neither padding, extension nor contributing sources.
    plain: bool,
    first_ttl: u8,
    /// Times that the TTL changed.
    pub(super) switches: u8,
    /// Packets of comfort noise too short to be encrypted.
    pub(super) comfort: u8,
    /// The last stray had the marker.
    pub(super) stray_marked: bool,
}

/// What closer looks found, and what only streams of bad networks have.
#[derive(Debug, Default)]
pub(super) struct Probe {
    figures: Option<Box<Figures>>,
    clusters: bursts::Clusters,
    holes: Option<Box<Holes>>,
    /// Of a stream whose packets come unevenly.
    spread: Option<Box<spread::Spread>>,
}

impl Cold {
    pub(super) fn new(header: &Header<'_>, input: &Input) -> Self {
        Self {
            first: input.ts,
            first_ordinal: input.ordinal,
            first_number: input.frame.number,
            noting: None,
            clipped: u32::from(input.packet.clipped),
            first_source: input.frame.source,
            restarts: 0,
            jumps: 0,
            framed: input.framed(),
            plain: !header.padding && header.extension.is_none() && header.csrc.is_empty(),
            first_ttl: input.packet.ttl,
            switches: 0,
            comfort: 0,
            stray_marked: false,
        }
    }

    /// The first packet.
    pub(super) const fn first(&self) -> FrameRef {
        let frame = FrameId { source: self.first_source, number: self.first_number };
        FrameRef { frame, time: self.first }
    }

    /// Asks for all of it.
    pub(super) fn fetch(&self) {
        fetch::line_of(&self.first_number);
        fetch::line_of(&self.first_ttl);
    }
}

impl Slot {
    /// Asks for what nearly every packet needs.
    #[inline]
    pub(super) fn fetch(&self) {
        fetch::line_of(&self.name);
        fetch::line_of(&self.jitter_samples);
    }

    /// Asks for when the last packet came.
    pub(super) fn fetch_time(&self) {
        fetch::line_of(&self.last_watermark);
    }

    /// Asks for what the end of the stream needs besides.
    pub(super) fn fetch_rest(&self) {
        fetch::line_of(&self.wide);
        fetch::line_of(&self.late_runs);
    }

    pub(super) fn new(header: &Header<'_>, input: &Input) -> Self {
        let first = sequence::first(header.sequence);
        let key = input.stream_key(header.ssrc);
        let (name, whole) = Name::of(&key);
        Self {
            name,
            wide: (!whole).then(|| Box::new(key)),
            highest: first,
            lowest: first,
            window: 1,
            last: input.ts,
            last_watermark: input.watermark,
            last_number: input.frame.number,
            payload_octets: payload_octets(header, input),
            wire_octets: u64::from(input.wire_len),
            look: None,
            probe: None,
            packets: 1,
            held: 0,
            duplicates: 0,
            reordered: 0,
            gaps: 0,
            markers: u16::from(header.marker),
            delay: 0,
            timestamp: header.timestamp,
            jitter_samples: 0,
            jitter: JitterLane::default(),
            more_jitter: [JitterLane::default(); 3],
            law: LawRow::default(),
            more_law: MoreLaw::default(),
            more_types: MoreTypes::default(),
            late: 0,
            late_runs: 0,
            // A second that is far away.
            lossy_second: low_half(looks::low_second(input.ts)) ^ 1 << 15,
            look_at: looks::low_second(input.ts),
            last_source: input.frame.source,
            last_octets: media_octets(header, input),
            wild: 0,
            payload_type: header.payload_type,
            last_payload_type: header.payload_type,
            rate: Rate::of(header.payload_type),
            flags: if whole { 0 } else { WIDE },
            good: 0,
            bad: u8::from(payload::usage(header.payload_type) == Usage::Never),
            ttl: input.packet.ttl,
            dscp: input.packet.dscp,
        }
    }

    /// Books one more packet.
    #[inline]
    pub(super) fn packet(&mut self, header: &Header<'_>, input: &Input, cold: &mut Cold) -> Step {
        self.packets = self.packets.saturating_add(1);
        self.payload_octets += payload_octets(header, input);
        self.wire_octets += u64::from(input.wire_len);
        self.last_watermark = input.watermark;
        self.markers = self.markers.saturating_add(u16::from(header.marker));
        if input.packet.clipped {
            cold.clipped = cold.clipped.saturating_add(1);
        }
        self.count_payload_type(header.payload_type);
        let event = header.marker && self.last_octets == 4 && header.payload.len() == 4;
        let step = self.number(header.sequence, event);
        match step {
            Step::Duplicate => self.duplicates = self.duplicates.saturating_add(1),
            // Its clock need not be the stream's: it must not become the base of the next packet.
            Step::Stray => self.bad = self.bad.saturating_add(1),
            _ => self.media(step, header, input),
        }
        if step == Step::Restart {
            cold.restarts = cold.restarts.saturating_add(1);
        }
        step
    }

    /// Whether something about a packet is worth a note: nearly never.
    #[inline]
    pub(super) fn is_rare(&self, step: Step, header: &Header<'_>, input: &Input) -> bool {
        step >= Step::Late
            || self.ttl != input.packet.ttl
            || self.dscp != input.packet.dscp && self.flags & DSCP_CHANGED == 0
            || header.payload.len() <= SHORT
            || self.flags & NOTED != 0
    }

    /// What the last packet shows beside this copy of it: the two markings, if they differ. `None`
    /// if it is not a copy of the last packet, or the stream has more markings than one.
    pub(super) fn remarked(&self, header: &Header<'_>, input: &Input) -> Option<Marked> {
        let last = low_half(self.highest) == header.sequence && self.timestamp == header.timestamp;
        if !last || self.dscp == input.packet.dscp || self.flags & DSCP_CHANGED != 0 {
            return None;
        }
        let frame = FrameId { source: self.last_source, number: self.last_number };
        let before = FrameRef { frame, time: self.last };
        let at = [before, input.frame_ref()];
        Some(Marked { dscp: [self.dscp, input.packet.dscp], at, twice: true })
    }

    /// Whether a gap behind this packet is news, at most once a second.
    pub(super) fn tell_gap(&mut self, second: i64) -> bool {
        let second = low_half(looks::low_bits(second));
        std::mem::replace(&mut self.lossy_second, second) != second
    }

    /// Everything known, when the stream has ended.
    pub(super) fn ended(&mut self, cold: &mut Cold, deadline: Ts, flow_hash: u64) -> StreamEnded {
        let expected = u64::from(self.held) + u64::from(self.highest - self.lowest) + 1;
        let different = u64::from(self.packets.saturating_sub(self.duplicates));
        let (payload_types, other_payload_types) = self.payload_types();
        StreamEnded {
            key: self.key(),
            relay: None,
            framed: cold.framed,
            flow_hash,
            deadline,
            first_ordinal: cold.first_ordinal,
            first_frame: FrameId { source: cold.first_source, number: cold.first_number },
            last_frame: FrameId { source: self.last_source, number: self.last_number },
            first: cold.first,
            last: self.last,
            packets: self.packets,
            payload_octets: self.payload_octets,
            wire_octets: self.wire_octets,
            expected,
            lost: expected.saturating_sub(different),
            duplicates: self.duplicates,
            reordered: self.reordered,
            gaps: self.gaps,
            bursts: self.probe.as_ref().map(|probe| probe.clusters.end()).unwrap_or_default(),
            holes: self.probe.as_mut().and_then(|probe| probe.holes.take()),
            restarts: cold.restarts,
            run: (low_half(self.lowest), low_half(self.highest)),
            jumps: cold.jumps,
            leapt: self.flags & LEAPT != 0,
            comfort: cold.comfort,
            plain: cold.plain,
            notes: cold.noting.take().and_then(Noting::end),
            late: self.late_packets(),
            p95_ms: self.p95_ms(),
            markers: u32::from(self.markers),
            clipped: cold.clipped,
            jitter: Jitter {
                clock_rate: self.rate.hertz(),
                lanes: self.jitter_lanes(),
                samples: self.jitter_samples,
            },
            payload_types,
            other_payload_types,
            ttl: cold.first_ttl,
            ttl_changed: self.flags & TTL_CHANGED != 0,
            dscp: self.dscp,
            dscp_changed: self.flags & DSCP_CHANGED != 0,
            standing: self.standing(),
            law: self.law(),
            figures: self.figures(),
        }
    }

    /// Jitter, law, standing, and the base of the next packet.
    #[inline]
    fn media(&mut self, step: Step, header: &Header<'_>, input: &Input) {
        let octets = media_octets(header, input);
        let ticks = header.timestamp.wrapping_sub(self.timestamp);
        let arrival = input.ts.since(self.last).nanos();
        let same_type = header.payload_type == self.last_payload_type;
        if step == Step::Next && same_type && !header.marker {
            self.pair(self.last_octets, ticks, header.payload_type);
            if ticks.wrapping_add(FAR) > 2 * FAR {
                self.leap(ticks, arrival);
            }
        }
        // An event keeps the timestamp of its start in packets of four octets (RFC 4733 §2.2.1).
        let event = ticks == 0 && octets == 4;
        let anew = step == Step::Restart || !same_type || arrival > 1_000_000_000;
        if same_type && step != Step::Restart && !event {
            let late = self.update_jitter(arrival, ticks);
            self.play(late, arrival, anew || header.marker);
            self.spread(late);
        }
        self.judge(step, ticks, octets, header.payload_type);
        if anew {
            self.hasten_look();
            if step == Step::Gap && arrival >= HOLE.nanos() {
                self.hole(input.ts);
            }
        }
        self.last = input.ts;
        self.last_number = input.frame.number;
        self.last_source = input.frame.source;
        self.timestamp = header.timestamp;
        self.last_octets = octets;
        self.last_payload_type = header.payload_type;
    }

    /// Notes a timestamp that is ten seconds from that of the packet before, which came just now.
    #[cold]
    fn leap(&mut self, ticks: u32, arrival: i64) {
        const SOON: i64 = 5_000_000_000;
        let far = |rate: u32| {
            i64::from(ticks.cast_signed()).abs() > i64::from(rate) * i64::from(TIMESTAMP_JUMP_S)
        };
        if (0..SOON).contains(&arrival) && self.rate.hertz().is_some_and(far) {
            self.flags |= LEAPT;
        }
    }
}

/// Octets behind the header as they were sent.
fn payload_octets(header: &Header<'_>, input: &Input) -> u64 {
    header.payload.len() as u64 + u64::from(input.missing())
}

/// The same without padding, where padding can be read.
pub(super) fn media_octets(header: &Header<'_>, input: &Input) -> u16 {
    let octets = if header.padding && !input.packet.clipped {
        header.unpadded().unwrap_or(header.payload).len()
    } else {
        header.payload.len()
    };
    u16::try_from(octets).unwrap_or(u16::MAX).saturating_add(input.missing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_four_cache_lines() {
        assert!(size_of::<Slot>() <= 256, "{}", size_of::<Slot>());
        let hot = std::mem::offset_of!(Slot, wide);
        assert!(hot <= 128, "{hot}");
        assert!(size_of::<Cold>() <= 48, "{}", size_of::<Cold>());
        assert!(size_of::<Figures>() <= 116, "{}", size_of::<Figures>());
    }
}
