//! The packets of the last millisecond that carry no IP identification, with what tells two
//! sightings of one packet apart.
//!
//! Sets of four, one cache line each; the oldest gives way. The table grows like that of
//! [`super::recent`]. How many packets of a second came doubled is counted here too, because on a
//! mirror it is nearly all of them, and elsewhere hardly any.

use crate::decode::Packet;
use crate::model::fetch;
use crate::model::time::Ts;

/// How far apart two sightings without identification may be, microseconds.
const SAME_OCTETS: u32 = 1_000;
/// Packets of a second before its doubled share means anything.
const ENOUGH: u32 = 20;
/// Packets of a set.
const WAYS: usize = 4;
/// Sets of a new table.
const FEW_SETS: usize = 4;

/// Octets that one remembered packet takes.
pub(super) const ENTRY: usize = size_of::<Seen>();

/// A packet as it is remembered: 16 octets.
#[derive(Copy, Clone, Debug, Default)]
struct Seen {
    /// The upper half of the hash; its lowest bits choose the set.
    tag: u32,
    /// Capture time in microseconds, modulo 2^32.
    micros: u32,
    /// Interface, MAC pair and VLAN, hashed.
    link: u32,
    ttl: u8,
    state: State,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unused,
    Single,
    /// A second sighting was counted for the second's share.
    Doubled,
}

/// How many packets of rule 2 one second had, and of how many a second sighting came.
#[derive(Copy, Clone, Debug, Default)]
struct Share {
    packets: u32,
    doubled: u32,
}

/// Packets by hash.
#[derive(Clone, Debug)]
pub(super) struct Alike {
    sets: Vec<[Seen; WAYS]>,
    most_sets: usize,
    second: i64,
    now: Share,
    before: Share,
    overwritten: u64,
}

impl Share {
    fn mostly_doubled(self) -> bool {
        self.packets >= ENOUGH
            && u64::from(self.doubled).saturating_mul(10)
                >= u64::from(self.packets).saturating_mul(9)
    }
}

impl Alike {
    /// Remembers up to about `cap` packets, rounded up to a power of two of at least 4.
    pub(super) fn new(cap: usize) -> Self {
        let most_sets = cap.div_ceil(WAYS).clamp(1, 1 << 24).next_power_of_two();
        Self {
            sets: vec![[Seen::default(); WAYS]; most_sets.min(FEW_SETS)],
            most_sets,
            second: i64::MIN,
            now: Share::default(),
            before: Share::default(),
            overwritten: 0,
        }
    }

    /// Packets that were overwritten while a copy of them could still have come.
    pub(super) const fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// Asks for the set of a hash.
    #[inline]
    pub(super) fn fetch(&self, tag: u32) {
        let mask = self.sets.len().saturating_sub(1);
        fetch::element(&self.sets, usize::try_from(tag).unwrap_or_default() & mask);
    }

    /// Whether the packet is another sighting of one seen within 1 ms; remembers it if not.
    ///
    /// `micros` is its capture time in microseconds, `watermark` the highest so far.
    pub(super) fn is_known(
        &mut self,
        packet: &Packet,
        tag: u32,
        micros: u32,
        watermark: Ts,
        interface: u32,
    ) -> bool {
        let new = Seen {
            tag,
            micros,
            link: packet.link_hash ^ interface.wrapping_mul(0x9e37_79b9),
            ttl: packet.ttl,
            state: State::Single,
        };
        self.turn(watermark);
        let Some(set) = set_of(&mut self.sets, new.tag) else { return false };
        if let Some(old) = set.iter_mut().find(|old| old.alike(&new)) {
            if old.state == State::Single {
                old.state = State::Doubled;
                self.now.doubled = self.now.doubled.saturating_add(1);
            }
            let share = if self.now.packets < ENOUGH { self.before } else { self.now };
            return old.told_apart(&new) || share.mostly_doubled();
        }
        self.now.packets = self.now.packets.saturating_add(1);
        self.remember(new, super::micros(watermark));
        false
    }

    /// Puts a packet in the place of the oldest of its set, the first of equals.
    fn remember(&mut self, new: Seen, now: u32) {
        let mut sets = self.sets.len();
        loop {
            let Some(set) = set_of(&mut self.sets, new.tag) else { return };
            let Some(oldest) = set.iter_mut().rev().max_by_key(|seen| seen.age(now)) else {
                return;
            };
            let counts = oldest.state != State::Unused && oldest.age(now) <= SAME_OCTETS;
            if !counts || sets >= self.most_sets {
                self.overwritten = self.overwritten.saturating_add(u64::from(counts));
                *oldest = new;
                return;
            }
            self.grow(now);
            sets = self.sets.len();
        }
    }

    /// Doubles the table; what still counts moves to its new set, where there is room.
    fn grow(&mut self, now: u32) {
        let doubled = self.sets.len().saturating_mul(2);
        let old = std::mem::replace(&mut self.sets, vec![[Seen::default(); WAYS]; doubled]);
        for seen in old.iter().flatten().filter(|seen| seen.age(now) <= SAME_OCTETS) {
            let set = set_of(&mut self.sets, seen.tag);
            let place = set.and_then(|set| set.iter_mut().find(|at| at.state == State::Unused));
            if let Some(place) = place {
                *place = *seen;
            }
        }
    }

    /// Begins a new second when the watermark does.
    fn turn(&mut self, watermark: Ts) {
        let second = watermark.second();
        if second != self.second {
            let next = self.second.saturating_add(1) == second;
            self.before = if next { self.now } else { Share::default() };
            self.now = Share::default();
            self.second = second;
        }
    }
}

impl Seen {
    /// Microseconds since it was seen; an unused place is the oldest of all.
    fn age(&self, now: u32) -> u32 {
        if self.state == State::Unused { u32::MAX } else { now.wrapping_sub(self.micros) }
    }

    /// The same octets, near enough in time, in either order.
    fn alike(&self, new: &Self) -> bool {
        let later = new.micros.wrapping_sub(self.micros);
        let apart = later.min(self.micros.wrapping_sub(new.micros));
        self.tag == new.tag && self.state != State::Unused && apart <= SAME_OCTETS
    }

    /// Something says that these are two sightings and not two packets.
    fn told_apart(&self, new: &Self) -> bool {
        self.link != new.link || self.ttl != new.ttl
    }
}

/// The set of a tag: its lowest bits, as many as there are sets.
fn set_of(sets: &mut [[Seen; WAYS]], tag: u32) -> Option<&mut [Seen; WAYS]> {
    let mask = sets.len().saturating_sub(1);
    sets.get_mut(usize::try_from(tag).ok()? & mask)
}
