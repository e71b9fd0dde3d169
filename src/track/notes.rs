//! What few packets of few streams show, noted beside the statistics that all packets have.
//!
//! A packet gets here if its number is out of order, its TTL another than the last packet's, or its
//! payload at most four octets long, or its DSCP the first that differs from the first packet's.
//! Telephone events (RFC 4733 §2.3) are taken from payloads of four octets that have their structure,
//! whatever payload type SDP may have given them: one counts from its second packet on, because other
//! payloads do not repeat a timestamp. Where a number comes twice or very late, or the TTL changes to and
//! fro, the payloads of the next 512 packets are remembered by hash, to tell the same packet sent twice from two
//! packets with one number. Where two counters more than a hundred numbers apart take turns, see [`super::rivals`].

use std::hash::{BuildHasher, Hasher};

use overhear_parsers::rtp::header::Header;

use super::input::Input;
use super::rivals::{Rivals, Turn};
use super::slot::{Cold, DSCP_CHANGED, NOTED, Slot, Step, TTL_CHANGED, low_half};
use super::tones::Listener;
use crate::model::addr::STABLE;
use crate::model::evidence::FrameRef;
use crate::model::notes::{Contest, Digits, Marked, Notes, Tones};
use crate::model::stream::Standing;
use crate::policy::media::{INJECT_DISTANCE, SEQ_JUMP_BACK};

/// Octets of what is noted of one stream at most.
pub const ENTRY: usize =
    size_of::<Noting>() + size_of::<Memory>() + size_of::<Listener>() + size_of::<Rivals>();

/// Packets whose payloads are remembered once that is called for.
const REMEMBERED: u16 = 512;
/// Of these at a time: those of two sequences that are up to 100 numbers apart.
const PLACES: usize = 104;
/// What a contradiction behind a packet without one counts, where any other packet takes away 1.
const TURN: u16 = 4;
/// Two packets of one number that are further apart are of two turns of the counter, milliseconds.
const NEAR: u32 = 5_000;
/// Packets after which a sender has set its marking.
const SETTLED: u32 = 20;
/// The static payload type of comfort noise (RFC 3389 §4).
const COMFORT_NOISE: u8 = 13;

/// A packet, and whether there is room to begin with another stream.
#[derive(Copy, Clone)]
pub(super) struct Packet<'a> {
    pub(super) header: &'a Header<'a>,
    pub(super) input: &'a Input,
    pub(super) room: bool,
}

/// What is noted of one stream.
#[derive(Debug, Default)]
pub(super) struct Noting {
    digits: Digits,
    /// The event that was seen last, which counts once it is seen again.
    event: Event,
    contest: Contest,
    memory: Option<Box<Memory>>,
    /// Two counters, far apart.
    rivals: Option<Box<Rivals>>,
    /// Someone who hears tones, and what the ones before heard.
    listener: Option<Box<Listener>>,
    tones: Tones,
    marked: Option<Marked>,
}

/// One telephone event.
#[derive(Copy, Clone, Debug, Default)]
struct Event {
    timestamp: u32,
    duration: u16,
    number: u8,
    seen: bool,
    counted: bool,
    began: FrameRef,
}

/// Payloads by sequence number.
#[derive(Debug)]
struct Memory {
    places: [Remembered; PLACES],
    left: u16,
    /// How much contradictions outweigh other packets of late: see [`TURN`].
    weight: u16,
    /// The last packet contradicted another.
    contradicted: bool,
}

#[derive(Copy, Clone, Debug, Default)]
struct Remembered {
    hash: u32,
    /// Low 32 bits of the capture time in milliseconds.
    at: u32,
    sequence: u16,
    ttl: u8,
    used: bool,
}

/// Notes what is odd about a packet; true if there was no room for it.
pub(super) fn note(slot: &mut Slot, cold: &mut Cold, step: Step, packet: &Packet<'_>) -> bool {
    let Packet { header, input, room } = *packet;
    let (switched, changed) = outside(slot, cold, input);
    match step {
        Step::Stray => cold.stray_marked = header.marker,
        Step::Restart if !cold.stray_marked && !header.marker => {
            cold.jumps = cold.jumps.saturating_add(1);
        }
        _ => {}
    }
    let event = event(header, input);
    if header.payload_type == COMFORT_NOISE && input.missing() == 0 && header.payload.len() <= 4 {
        cold.comfort = cold.comfort.saturating_add(u8::from(!header.payload.is_empty()));
    }
    // One change of the TTL is another route.
    let behind = low_half(slot.highest).wrapping_sub(header.sequence);
    // So far back the window knows no duplicates, and networks do not reorder.
    let far = step == Step::Late && u32::from(behind) >= u64::BITS;
    let contested = step == Step::Duplicate || far || switched && cold.switches > 1;
    let behind_all = (SEQ_JUMP_BACK + 1..=INJECT_DISTANCE).contains(&behind);
    let rivals = step == Step::Stray && behind_all && slot.standing() == Standing::Confirmed;
    let odd = contested || rivals || changed.is_some();
    if event.is_none() && !odd && slot.flags & NOTED == 0 {
        return false;
    }
    if cold.noting.is_none() && !room {
        return true;
    }
    let noting = cold.noting.get_or_insert_default();
    noting.contest.switches = cold.switches;
    noting.marked = noting.marked.or(changed);
    if let Some(event) = event {
        noting.event(event, header.payload_type);
    }
    if contested {
        noting.memory.get_or_insert_with(Memory::new).left = REMEMBERED;
        slot.flags |= NOTED;
    }
    if rivals {
        let highest = low_half(slot.highest);
        noting.rivals.get_or_insert_with(|| Rivals::new(highest, header.sequence));
        slot.flags |= NOTED;
    }
    if slot.flags & NOTED != 0 {
        let watches = noting.watch(header, input);
        let (remembers, hears) = (noting.compare(header, input), noting.hear(header, input));
        if !remembers && !hears && !watches {
            slot.flags &= !NOTED;
            if noting.is_empty() {
                cold.noting = None;
            }
        }
    }
    false
}

/// Notes what is odd about a packet's IP header: whether its TTL is another than the last packet's, and the two
/// markings, if this is the first with another one.
fn outside(slot: &mut Slot, cold: &mut Cold, input: &Input) -> (bool, Option<Marked>) {
    let switched = slot.ttl != input.packet.ttl;
    if switched {
        slot.ttl = input.packet.ttl;
        slot.flags |= TTL_CHANGED;
        cold.switches = cold.switches.saturating_add(1);
    }
    let remarked = slot.dscp != input.packet.dscp && slot.flags & DSCP_CHANGED == 0;
    slot.flags |= u8::from(remarked) * DSCP_CHANGED;
    // Many senders set the marking only when the first packets are out.
    let changed = (remarked && slot.packets > SETTLED).then(|| Marked {
        dscp: [slot.dscp, input.packet.dscp],
        at: [cold.first(), input.frame_ref()],
        twice: false,
    });
    (switched, changed)
}

/// Notes that a packet was seen twice, with one DSCP and then another; true if there was no room.
pub(super) fn remarked(cold: &mut Cold, marked: Marked, room: bool) -> bool {
    if cold.noting.is_none() && !room {
        return true;
    }
    let known = &mut cold.noting.get_or_insert_default().marked;
    *known = known.filter(|known| known.twice).or(Some(marked));
    false
}

/// Begins to listen to a stream of which a packet sounded like a tone; true if there was no room.
pub(super) fn listen(
    slot: &mut Slot,
    cold: &mut Cold,
    listener: impl FnOnce() -> Box<Listener>,
    room: bool,
) -> bool {
    if cold.noting.is_none() && !room {
        return true;
    }
    let noting = cold.noting.get_or_insert_default();
    noting.listener.get_or_insert_with(listener);
    slot.flags |= NOTED;
    false
}

impl Noting {
    /// What the stream leaves behind.
    pub(super) fn end(self: Box<Self>) -> Option<Box<Notes>> {
        let Self { digits, contest, mut tones, listener, marked, .. } = *self;
        if let Some(listener) = listener {
            tones.add(listener.heard());
        }
        let any = contest.conflicts > 0 || digits.count() > 0 || tones.any() || marked.is_some();
        any.then(|| Box::new(Notes { digits, contest, tones, replay: None, marked }))
    }

    /// Takes one packet of an event.
    fn event(&mut self, new: Event, payload_type: u8) {
        let known = &mut self.event;
        let same = known.seen && (known.timestamp, known.number) == (new.timestamp, new.number);
        if !same {
            *known = new;
        } else if !known.counted && new.duration >= known.duration {
            known.counted = true;
            self.digits.push(known.number, payload_type, known.began);
        }
    }

    /// Lets the listener hear a packet; false if there is none any more.
    fn hear(&mut self, header: &Header<'_>, input: &Input) -> bool {
        let Some(listener) = &mut self.listener else { return false };
        let at = input.frame_ref();
        if input.missing() == 0 && !listener.packet(header, at) {
            self.tones.add(listener.heard());
            self.listener = None;
        }
        self.listener.is_some()
    }

    /// Looks at a packet of two counters; false if there are none, or enough was looked at.
    fn watch(&mut self, header: &Header<'_>, input: &Input) -> bool {
        let Some(rivals) = &mut self.rivals else { return false };
        match rivals.packet(header.sequence, content(header), input.packet.ttl) {
            Turn::Nothing => {}
            Turn::Over => self.rivals = None,
            Turn::Conflict(ttl, turns) => {
                self.contest.conflict((ttl, input.packet.ttl), input.frame_ref());
                self.contest.interleaved = self.contest.interleaved.max(turns);
            }
        }
        self.rivals.is_some()
    }

    /// Compares a packet with the one of the same number before it, and remembers it; false when
    /// enough were.
    fn compare(&mut self, header: &Header<'_>, input: &Input) -> bool {
        let Some(memory) = &mut self.memory else { return false };
        let (hash, at) = (content(header), low(input.ts.nanos() / 1_000_000));
        let new =
            Remembered { hash, at, sequence: header.sequence, ttl: input.packet.ttl, used: true };
        let Some(place) = memory.places.get_mut(usize::from(header.sequence) % PLACES) else {
            return false;
        };
        let other = Some(*place).filter(|old| {
            let same = old.used && old.sequence == new.sequence && old.hash != new.hash;
            same && new.at.wrapping_sub(old.at) <= NEAR
        });
        *place = new;
        if let Some(old) = other {
            self.contest.conflict((old.ttl, new.ttl), input.frame_ref());
        }
        // A sender that starts anew contradicts itself in one run, and then no more.
        memory.weight = match (other.is_some(), memory.contradicted) {
            (true, false) => memory.weight.saturating_add(TURN),
            _ => memory.weight.saturating_sub(1),
        };
        memory.contradicted = other.is_some();
        let interleaved = memory.weight / (TURN - 1);
        self.contest.interleaved = self.contest.interleaved.max(interleaved);
        memory.left = memory.left.saturating_sub(1);
        if memory.left == 0 {
            self.memory = None;
        }
        self.memory.is_some()
    }

    const fn is_empty(&self) -> bool {
        self.digits.count() == 0
            && !self.event.seen
            && self.contest.conflicts == 0
            && !self.tones.any()
            && self.marked.is_none()
    }
}

/// A hash of what a packet carries, and when by its sender's clock.
fn content(header: &Header<'_>) -> u32 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u32(header.timestamp);
    hasher.write(header.payload);
    low(hasher.finish().cast_signed())
}

impl Memory {
    fn new() -> Box<Self> {
        Box::new(Self {
            places: [Remembered::default(); PLACES],
            left: REMEMBERED,
            weight: 0,
            contradicted: false,
        })
    }
}

/// The telephone event of a payload (RFC 4733 §2.3): a key, R zero, a duration.
fn event(header: &Header<'_>, input: &Input) -> Option<Event> {
    let &[number @ 0..=15, flags, high, low] = header.payload else { return None };
    let duration = u16::from_be_bytes([high, low]);
    if input.missing() != 0 || flags & 0x40 != 0 || duration == 0 {
        return None;
    }
    Some(Event {
        timestamp: header.timestamp,
        duration,
        number,
        seen: true,
        counted: false,
        began: input.frame_ref(),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "told apart modulo 2^32"
)]
const fn low(wide: i64) -> u32 {
    wide as u32
}
