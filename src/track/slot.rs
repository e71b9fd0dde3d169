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
pub(super) use self::sequence_number::low_half;
use super::figures::Look;
use super::input::Input;
use super::notes::Noting;
use crate::model::evidence::FrameRef;
use crate::model::figures::{Figures, Tendency};
use crate::model::frame::FrameId;
use crate::model::notes::Marked;
use crate::model::stream::{
    Hole, Holes, Jitter, JitterLane, Late, Law, LawRow, PayloadCount, Standing, StreamEnded,
    StreamKey,
};
use crate::model::time::Ts;
use crate::policy::media::{HOLE, TIMESTAMP_JUMP_S};
use crate::policy::tones::GLANCED;

mod bursts;
mod jitter;
mod playout;
mod sequence_number;
mod spread;

/// Bit n: payload type n can be media.
const LEGAL: u128 = {
    let (mut bits, mut payload_type) = (0, 0);
    while payload_type < 128 {
        if !matches!(payload::usage(payload_type), Usage::Never) {
            bits |= 1 << payload_type;
        }
        payload_type += 1;
    }
    bits
};

pub(super) const TTL_CHANGED: u8 = 1;
pub(super) const DSCP_CHANGED: u8 = 2;
/// `wild` holds the number that would confirm a jump.
const ON_PROBATION: u8 = 4;
/// A look is under way in the probe.
pub(super) const LOOKING: u8 = 8;
/// The next look has been brought forward.
const HASTENED: u8 = 16;
/// `lossy_second` means something.
const WAS_LOSSY: u8 = 32;
/// Every packet is to be noted for a while.
pub(super) const NOTED: u8 = 64;

/// The timestamp jumped.
const LEAPT: u8 = 128;

/// As far as timestamps may jump, of the slowest clock: a timestamp that far from the one before is looked at.
const FAR: u32 = TIMESTAMP_JUMP_S * 8_000;

/// Payloads of so few octets are worth a second look: telephone events, comfort noise.
const SHORT: usize = 4;

/// What is touched for every packet. Of its four cache lines the first three are all that a packet
/// of a known clock rate needs, unless something is odd about it; hence the order of the fields.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Slot {
    pub(super) key: StreamKey,
    pub(super) probe: Option<Box<Probe>>,
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
    /// Packets with the marker, as far as 16 bits count.
    markers: u16,
    /// How much later than the fastest packet lately the last one came: see [`playout`].
    delay: u16,
    /// Low 32 bits of the second in which to look again.
    look_at: u32,
    law: Law,
    /// The first of four.
    jitter: JitterLane,
    payload_counts: [u32; 4],
    payload_types: [u8; 4],
    last_source: u16,
    last_octets: u16,
    last_payload_type: u8,
    rate: Rate,
    pub(super) flags: u8,
    good: u8,
    bad: u8,
    /// Of the last packet.
    pub(super) ttl: u8,
    /// Of the first.
    pub(super) dscp: u8,
    /// Under the other candidates for an unknown clock rate.
    more_jitter: [JitterLane; 3],
    /// Extended lowest number of this run.
    lowest: u32,
    /// Numbers promised by earlier runs, and one for each packet that fits in no run.
    held: u32,
    duplicates: u32,
    reordered: u32,
    gaps: u32,
    /// Low 32 bits of the second that a gap was last told for.
    lossy_second: u32,
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

/// The closer look: under way, done, or both.
#[derive(Debug, Default)]
pub(super) struct Probe {
    look: Option<Box<Look>>,
    figures: Option<Box<Figures>>,
    clusters: bursts::Clusters,
    late: Late,
    holes: Option<Box<Holes>>,
    /// Of a stream whose packets come unevenly.
    spread: Option<Box<spread::Spread>>,
    /// `jitter_samples` at the last late packet.
    late_at: u32,
}

/// How a packet's number stands to those before it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The next number.
    Next,
    /// A number further on, with a gap before it.
    Gap,
    /// A number that had been missing. This one and those below are rare.
    Late,
    /// A number that had come.
    Duplicate,
    /// Far from the others, perhaps the start of a new run.
    Stray,
    /// The second of a new run.
    Restart,
}

impl Cold {
    /// The first packet.
    pub(super) const fn first(&self) -> FrameRef {
        let frame = FrameId { source: self.first_source, number: self.first_number };
        FrameRef { frame, time: self.first }
    }

    /// Something of its cache line.
    pub(super) fn touch(&self) -> u64 {
        self.first_number ^ u64::from(self.first_ttl)
    }
}

impl Slot {
    /// Something of each cache line that nearly every packet needs.
    #[inline]
    pub(super) fn touch(&self) -> u32 {
        self.key.ssrc ^ self.jitter_samples ^ u32::from(self.flags)
    }

    /// Something of the cache lines that the end of the stream needs besides.
    pub(super) fn touch_rest(&self) -> u32 {
        self.gaps ^ self.lowest ^ self.payload_counts.last().copied().unwrap_or_default()
    }

    pub(super) fn new(header: &Header<'_>, input: &Input) -> (Self, Cold) {
        let first = sequence::first(header.sequence);
        let slot = Self {
            key: input.stream_key(header.ssrc),
            highest: first,
            lowest: first,
            window: 1,
            last: input.ts,
            last_watermark: input.watermark,
            last_number: input.frame.number,
            payload_octets: payload_octets(header, input),
            wire_octets: u64::from(input.wire_len),
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
            law: Law::default(),
            payload_counts: [1, 0, 0, 0],
            lossy_second: 0,
            look_at: low_second(input.ts),
            last_source: input.frame.source,
            last_octets: media_octets(header, input),
            wild: 0,
            payload_types: [header.payload_type; 4],
            last_payload_type: header.payload_type,
            rate: Rate::of(header.payload_type),
            flags: 0,
            good: 0,
            bad: u8::from(payload::usage(header.payload_type) == Usage::Never),
            ttl: input.packet.ttl,
            dscp: input.packet.dscp,
        };
        let cold = Cold {
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
        };
        (slot, cold)
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

    /// Books the numbers missing between `before` and the highest, which has just come.
    #[cold]
    fn lost(&mut self, before: u32) {
        let (last, missing) = (self.highest.wrapping_sub(1), self.highest.wrapping_sub(before));
        let probe = self.probe.get_or_insert_default();
        probe.clusters.lost(last, missing.saturating_sub(1));
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
        let second = low_bits(second);
        let told = self.flags & WAS_LOSSY != 0 && self.lossy_second == second;
        self.lossy_second = second;
        self.flags |= WAS_LOSSY;
        !told
    }

    /// What the content says so far.
    pub(super) fn standing(&self) -> Standing {
        // Payload types 35 to 63 are legal and hardly ever used: ask for more.
        let [first, ..] = self.payload_types;
        let factor = if payload::usage(first) == Usage::Overflow { 3 } else { 1 };
        let (good, bad) = (u32::from(self.good), u32::from(self.bad));
        if good >= 24 * factor && good >= bad * 8 {
            Standing::Confirmed
        } else if good >= 3 * factor && good >= bad * 2 {
            Standing::Possible
        } else {
            Standing::Candidate
        }
    }

    /// Whether a new look may start with this packet.
    #[inline]
    pub(super) fn look_is_due(&self, header: &Header<'_>, ts: Ts) -> bool {
        const FIRST_AFTER: u32 = 19;
        if self.packets <= FIRST_AFTER || self.flags & LOOKING != 0 {
            return false;
        }
        let due = low_second(ts).wrapping_sub(self.look_at) < u32::MAX / 2;
        let types = self.payload_types.iter().zip(self.payload_counts);
        due && types
            .into_iter()
            .any(|(&pt, count)| pt == header.payload_type && count > FIRST_AFTER)
    }

    #[inline]
    pub(super) fn is_looking(&self) -> bool {
        self.flags & LOOKING != 0
    }

    /// The look under way.
    pub(super) fn look(&mut self) -> Option<&mut Look> {
        self.probe.as_mut()?.look.as_deref_mut()
    }

    /// Whether the octets look random, as far as closer looks say.
    pub(super) fn looks_random(&self) -> bool {
        let figures = self.probe.as_ref().and_then(|probe| probe.figures.as_ref());
        let said = figures.and_then(|figures| figures.looks.said());
        said.is_some_and(|(tendency, _)| tendency == Tendency::Random)
    }

    /// Whether an earlier look has said something.
    pub(super) fn is_judged(&self) -> bool {
        self.probe.as_ref().is_some_and(|probe| probe.figures.is_some())
    }

    pub(super) fn start_look(&mut self, payload_type: u8) {
        self.flags = self.flags & !HASTENED | LOOKING;
        self.probe.get_or_insert_default().look = Some(Box::new(Look::new(payload_type)));
    }

    /// Whether packets with which a look is due are only asked whether they are a fax machine's: of G.711 one a
    /// second in the first half minute, behind the first look and before one that was brought forward.
    pub(super) fn only_glances(&self) -> bool {
        self.flags & HASTENED == 0 && self.is_greeting()
    }

    /// Whether fax machines may greet each other in it, as far as its codec and its length say.
    fn is_greeting(&self) -> bool {
        let [first, ..] = self.payload_types;
        self.packets < GLANCED && matches!(first, 0 | 8) && self.is_judged()
    }

    /// A packet was asked: when the next one is.
    pub(super) fn glanced(&mut self, ts: Ts) {
        const SECOND: u32 = 50;
        const REST: u32 = 30;
        let more = self.packets.saturating_add(SECOND) < GLANCED;
        self.look_at = low_second(ts).wrapping_add(if more { 1 } else { REST });
    }

    pub(super) fn end_look(&mut self, ts: Ts) {
        const EVERY: u32 = 60;
        let main = self.main_payload_type();
        if let Some(probe) = &mut self.probe {
            probe.end_look(main);
        }
        self.flags &= !LOOKING;
        let wait = if self.is_greeting() { 1 } else { EVERY };
        self.look_at = low_second(ts).wrapping_add(wait);
    }

    /// Everything known, when the stream has ended.
    pub(super) fn ended(&mut self, cold: &mut Cold, deadline: Ts, flow_hash: u64) -> StreamEnded {
        let expected = u64::from(self.held) + u64::from(self.highest - self.lowest) + 1;
        let different = u64::from(self.packets.saturating_sub(self.duplicates));
        let count = |(&payload_type, &packets)| PayloadCount { payload_type, packets };
        let mut payload_types = [PayloadCount::default(); 4];
        let counts = self.payload_types.iter().zip(&self.payload_counts).map(count);
        for (place, count) in payload_types.iter_mut().zip(counts.filter(|c| c.packets > 0)) {
            *place = count;
        }
        let counted = self.payload_counts.iter().fold(0_u32, |sum, n| sum.saturating_add(*n));
        StreamEnded {
            key: self.key,
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
            late: self.probe.as_ref().map(|probe| probe.late).unwrap_or_default(),
            p95_ms: self.p95_ms(),
            markers: u32::from(self.markers),
            clipped: cold.clipped,
            jitter: Jitter {
                clock_rate: self.rate.hertz(),
                lanes: self.jitter_lanes(),
                samples: self.jitter_samples,
            },
            payload_types,
            other_payload_types: self.packets.saturating_sub(counted),
            ttl: cold.first_ttl,
            ttl_changed: self.flags & TTL_CHANGED != 0,
            dscp: self.dscp,
            dscp_changed: self.flags & DSCP_CHANGED != 0,
            standing: self.standing(),
            law: self.law,
            figures: self.probe.take().and_then(|mut probe| probe.end(self.main_payload_type())),
        }
    }

    /// The payload type with the most packets, the earlier one of equals.
    fn main_payload_type(&self) -> u8 {
        let counted = self.payload_types.iter().zip(&self.payload_counts).rev();
        counted.max_by_key(|(_, count)| **count).map_or(0, |(payload_type, _)| *payload_type)
    }

    #[inline]
    fn count_payload_type(&mut self, payload_type: u8) {
        for (known, count) in self.payload_types.iter_mut().zip(&mut self.payload_counts) {
            if *count == 0 {
                *known = payload_type;
            }
            if *known == payload_type {
                *count = count.saturating_add(1);
                return;
            }
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
            self.law.pair(self.last_octets, ticks, header.payload_type);
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

    /// Notes that nothing came from the packet before to this one, which has just come.
    #[cold]
    fn hole(&mut self, to: Ts) {
        let from = self.last;
        if let Some(probe) = &mut self.probe {
            let missing = probe.clusters.last_run();
            probe.holes.get_or_insert_default().push(Hole { from, to, missing });
        }
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

    /// Weighs whether this step is one that media makes.
    #[inline]
    fn judge(&mut self, step: Step, ticks: u32, octets: u16, payload_type: u8) {
        // Half a minute ahead at 90 kHz, or a second back: pictures are not sent in display order.
        const AHEAD: u32 = 2_700_000;
        const BACK: u32 = 90_000;
        let ahead = step == Step::Next || step == Step::Gap && self.window & 0x1_fffe != 0;
        let clock = ticks <= AHEAD || ticks.wrapping_neg() <= BACK;
        let legal = LEGAL.checked_shr(u32::from(payload_type)).is_some_and(|bits| bits & 1 == 1);
        if step == Step::Late {
            return;
        }
        if ahead && clock && legal && octets > 0 {
            self.good = self.good.saturating_add(1);
            if self.good == u8::MAX {
                (self.good, self.bad) = (self.good / 2, self.bad / 2);
            }
        } else if octets > 0 || !clock {
            self.bad = self.bad.saturating_add(1);
        }
    }

    /// Brings the next look forward, to ten seconds after the last one.
    fn hasten_look(&mut self) {
        const BY: u32 = 50;
        const AFTER: u32 = 9;
        if self.flags & (HASTENED | LOOKING) == 0 && self.packets > 20 {
            let by = if self.is_greeting() { AFTER } else { BY.wrapping_neg() };
            self.flags |= HASTENED;
            self.look_at = self.look_at.wrapping_add(by);
        }
    }
}

impl Probe {
    /// Ends a look that is under way and gives what there is.
    fn end(&mut self, main: u8) -> Option<Box<Figures>> {
        self.end_look(main);
        self.figures.take()
    }

    /// Ends a look that is under way and keeps what it found; `main` is the stream's payload type.
    fn end_look(&mut self, main: u8) {
        if let Some(look) = self.look.take() {
            let later = look.finish();
            match &mut self.figures {
                Some(figures) => **figures = super::figures::merge(**figures, later, main),
                None => self.figures = Some(Box::new(later)),
            }
        }
    }
}

impl Law {
    /// Counts one pair: two rows, the second of which gives way to what is more frequent.
    #[inline]
    fn pair(&mut self, octets: u16, ticks: u32, payload_type: u8) {
        self.pairs = self.pairs.saturating_add(1);
        let [first, second] = &mut self.rows;
        let is = |row: &LawRow| {
            row.ticks == ticks && row.octets == octets && row.payload_type == payload_type
        };
        if is(first) {
            first.pairs = first.pairs.saturating_add(1);
        } else if is(second) {
            second.pairs = second.pairs.saturating_add(1);
            if second.pairs > first.pairs {
                std::mem::swap(first, second);
            }
        } else if second.pairs == 0 {
            *second = LawRow { ticks, pairs: 1, octets, payload_type };
            if first.pairs == 0 {
                std::mem::swap(first, second);
            }
        } else {
            second.pairs -= 1;
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

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "told apart modulo 2^32"
)]
const fn low_bits(second: i64) -> u32 {
    second as u32
}

fn low_second(ts: Ts) -> u32 {
    low_bits(ts.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_four_cache_lines() {
        assert!(size_of::<Slot>() <= 256, "{}", size_of::<Slot>());
        let hot = std::mem::offset_of!(Slot, more_jitter);
        assert!(hot <= 192, "{hot}");
        assert!(size_of::<Cold>() <= 48, "{}", size_of::<Cold>());
        assert!(size_of::<Figures>() <= 116, "{}", size_of::<Figures>());
    }
}
