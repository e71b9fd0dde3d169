//! Frames that the tap delivered twice: both directions of a mirror, two hops, two interfaces.
//!
//! Decides, for one cell, whether a packet is another sighting of one that was just seen:
//!
//! 1. IPv4 with an identification other than 0: the same identification, addresses, protocol and
//!    transport octets within 5 ms. TTL and link are ignored: a routed copy is a copy. An equal
//!    RTP packet with *another* identification was sent twice, and is none.
//! 2. IPv6, and identification 0 (RFC 6864 §4.1 allows it with DF): the same octets within 1 ms,
//!    and something that tells the sightings apart: the interface, the MAC pair or VLAN, the hop
//!    limit; or nine in ten of this second's packets of that kind doubled so far, of at least 20
//!    (while there are fewer than 20, the second just before counts). Without that a keep-alive or
//!    a repeated ACK would be taken for a copy.
//!
//! Joined fragments are excluded: [`super::ip`] knows its own duplicates. Packets are remembered in
//! sets of four, one cache line each, and forgotten by time. The table starts small, because a
//! small table stays in the cache, and doubles when it would forget a packet too early; at its cap
//! what is overwritten too early is counted.

use std::hash::BuildHasher;

use crate::decode::Packet;
use crate::model::addr::STABLE;
use crate::model::time::Ts;

/// How far apart two sightings with one IP identification may be, microseconds.
const SAME_ID: u32 = 5_000;
/// How far apart two sightings without identification may be, microseconds.
const SAME_OCTETS: u32 = 1_000;
/// Packets of a second before its doubled share means anything.
const ENOUGH: u32 = 20;
/// Entries that one hash may choose from.
const WAYS: usize = 4;

/// Sets of a new table.
const FEW_SETS: usize = 16;

/// A packet as it is remembered: 16 octets.
#[derive(Copy, Clone, Debug, Default)]
struct Seen {
    /// The upper half of the hash; its lowest bits choose the set.
    tag: u32,
    /// Capture time in microseconds, modulo 2^32.
    micros: u32,
    /// Interface, MAC pair and VLAN, hashed.
    link: u32,
    /// The IPv4 identification where rule 1 applies, else 0.
    ip_id: u16,
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

/// The packets of the last milliseconds of one cell.
#[derive(Clone, Debug)]
pub struct Duplicates {
    sets: Vec<[Seen; WAYS]>,
    most_sets: usize,
    second: i64,
    now: Share,
    before: Share,
    overwritten: u64,
}

/// The hash under which copies of a packet meet: addresses, protocol, length, and the first 64 and
/// last 16 of the transport octets; no TTL, identification or link header.
///
/// Ports, sequence numbers, SSRC and the checksum over all octets are among the first 64, so what
/// agrees in this and in the IP identification is the same packet. Hashing every octet of a G.711
/// packet costs as much as all else that is done with it (`docs/decisions/0006-duplicates.md`).
///
/// `octets` is what `packet` was decoded from.
#[inline]
pub fn l4_hash(packet: &Packet, octets: &[u8]) -> u64 {
    let l4 = packet.l4(octets);
    let length = u64::from(packet.proto.0) << 32 | u64::from(packet.wire_payload_len);
    let hash = words(words(length, packet.src.addr.octets()), packet.dst.addr.octets());
    let hash = match (l4.first_chunk::<64>(), l4.last_chunk::<16>()) {
        (Some(first), Some(last)) => words(words(hash, first), last),
        _ => STABLE.hash_one((hash, l4)),
    };
    hash ^ hash >> 32
}

/// Folds octets into a hash, eight at a time; a rest of less than eight is left out.
#[inline]
fn words(hash: u64, octets: &[u8]) -> u64 {
    let (words, _) = octets.as_chunks::<8>();
    words.iter().fold(hash, |hash, word| {
        let mixed = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 29
    })
}

impl Share {
    fn mostly_doubled(self) -> bool {
        self.packets >= ENOUGH
            && u64::from(self.doubled).saturating_mul(10)
                >= u64::from(self.packets).saturating_mul(9)
    }
}

impl Duplicates {
    /// Remembers up to about `cap` packets, rounded up to a power of two of at least 4.
    pub fn new(cap: usize) -> Self {
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
    pub const fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// Octets this table takes.
    pub fn size(&self) -> usize {
        self.sets.len().saturating_mul(size_of::<[Seen; WAYS]>())
    }

    /// Reads the set of a hash, so that it is in the cache when it is searched.
    #[inline]
    pub fn touch(&self, l4_hash: u64) -> u32 {
        let mask = self.sets.len().saturating_sub(1);
        let set = usize::try_from(upper_half(l4_hash)).unwrap_or_default() & mask;
        self.sets.get(set).and_then(|set| set.first()).map_or(0, |seen| seen.tag)
    }

    /// Whether the packet is another sighting of one seen before; remembers it if not.
    ///
    /// `l4_hash` is [`l4_hash`] of it, `ts` its capture time, `watermark` the highest so far.
    pub fn is_duplicate(
        &mut self,
        packet: &Packet,
        l4_hash: u64,
        ts: Ts,
        watermark: Ts,
        interface: u32,
    ) -> bool {
        if packet.fragment.is_some() {
            return false;
        }
        let new = Seen {
            tag: upper_half(l4_hash),
            micros: micros(ts),
            link: packet.link_hash ^ interface.wrapping_mul(0x9e37_79b9),
            ip_id: if packet.has_ip_id { packet.ip_id } else { 0 },
            ttl: packet.ttl,
            state: State::Single,
        };
        if new.ip_id == 0 {
            self.turn(watermark);
        }
        let Some(set) = set_of(&mut self.sets, new.tag) else { return false };
        if let Some(old) = set.iter_mut().find(|old| old.alike(&new)) {
            if new.ip_id != 0 {
                return true;
            }
            if old.state == State::Single {
                old.state = State::Doubled;
                self.now.doubled = self.now.doubled.saturating_add(1);
            }
            let share = if self.now.packets < ENOUGH { self.before } else { self.now };
            return old.told_apart(&new) || share.mostly_doubled();
        }
        if new.ip_id == 0 {
            self.now.packets = self.now.packets.saturating_add(1);
        }
        self.remember(new, micros(watermark));
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
            let counts = oldest.state != State::Unused && oldest.age(now) <= oldest.window();
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
        for seen in old.iter().flatten().filter(|seen| seen.age(now) <= seen.window()) {
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
    /// How long a copy of this packet may still come, microseconds.
    fn window(&self) -> u32 {
        if self.ip_id == 0 { SAME_OCTETS } else { SAME_ID }
    }

    /// Microseconds since it was seen; an unused place is the oldest of all.
    fn age(&self, now: u32) -> u32 {
        if self.state == State::Unused { u32::MAX } else { now.wrapping_sub(self.micros) }
    }

    /// The same octets under the same identification, near enough in time, in either order.
    fn alike(&self, new: &Self) -> bool {
        let later = new.micros.wrapping_sub(self.micros);
        let apart = later.min(self.micros.wrapping_sub(new.micros));
        self.tag == new.tag
            && self.ip_id == new.ip_id
            && self.state != State::Unused
            && apart <= self.window()
    }

    /// Something says that these are two sightings and not two packets.
    fn told_apart(&self, new: &Self) -> bool {
        self.link != new.link || self.ttl != new.ttl
    }
}

/// Whole microseconds, modulo 2^32.
fn micros(ts: Ts) -> u32 {
    let micros = ts.nanos().unsigned_abs() / 1000;
    u32::try_from(micros & 0xffff_ffff).unwrap_or_default()
}

fn upper_half(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// The set of a tag: its lowest bits, as many as there are sets.
fn set_of(sets: &mut [[Seen; WAYS]], tag: u32) -> Option<&mut [Seen; WAYS]> {
    let mask = sets.len().saturating_sub(1);
    sets.get_mut(usize::try_from(tag).ok()? & mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::addr::{Addr, Endpoint, Proto};

    fn packet(ip_id: u16) -> Packet {
        Packet {
            src: Endpoint::new(Addr::v4([10, 0, 0, 1]), 4000),
            dst: Endpoint::new(Addr::v4([10, 0, 0, 2]), 4002),
            proto: Proto::UDP,
            ip_id,
            has_ip_id: true,
            ttl: 64,
            link_hash: 1,
            ..Packet::default()
        }
    }

    fn at(micros: i64) -> Ts {
        Ts::from_nanos(1_700_000_000_000_000_000 + micros * 1000)
    }

    fn sight(seen: &mut Duplicates, packet: &Packet, hash: u64, micros: i64) -> bool {
        seen.is_duplicate(packet, hash << 32, at(micros), at(micros), 0)
    }

    #[test]
    fn one_identification_within_five_milliseconds_is_a_copy_whatever_the_hop() {
        let mut seen = Duplicates::new(1024);
        let routed = Packet { ttl: 63, link_hash: 9, ..packet(7) };
        assert!(!sight(&mut seen, &packet(7), 1, 0));
        assert!(sight(&mut seen, &packet(7), 1, 15));
        assert!(sight(&mut seen, &routed, 1, 5000));
        assert!(!sight(&mut seen, &packet(7), 1, 5001));
    }

    #[test]
    fn the_copy_may_carry_the_earlier_time() {
        let mut seen = Duplicates::new(1024);
        assert!(!seen.is_duplicate(&packet(7), 1 << 32, at(4000), at(4000), 0));
        assert!(seen.is_duplicate(&packet(7), 1 << 32, at(0), at(4000), 0));
    }

    #[test]
    fn equal_octets_under_another_identification_were_sent_twice() {
        let mut seen = Duplicates::new(1024);
        assert!(!sight(&mut seen, &packet(7), 1, 0));
        assert!(!sight(&mut seen, &packet(8), 1, 10));
        assert!(!sight(&mut seen, &packet(7), 2, 20));
    }

    #[test]
    fn without_identification_something_must_tell_the_sightings_apart() {
        let mut seen = Duplicates::new(1024);
        assert!(!sight(&mut seen, &packet(0), 1, 0));
        assert!(!sight(&mut seen, &packet(0), 1, 10));
        assert!(sight(&mut seen, &Packet { ttl: 63, ..packet(0) }, 1, 20));
        assert!(sight(&mut seen, &Packet { link_hash: 2, ..packet(0) }, 1, 30));
        assert!(seen.is_duplicate(&packet(0), 1 << 32, at(40), at(40), 1));
        assert!(!sight(&mut seen, &Packet { ttl: 63, ..packet(0) }, 1, 1001));
    }

    #[test]
    fn a_second_in_which_all_is_doubled_needs_nothing_else() {
        let mut seen = Duplicates::new(1024);
        let v6 = Packet { has_ip_id: false, ..packet(0) };
        let mut eaten = Vec::new();
        for second in 0..3_i64 {
            let mut count = 0;
            for number in 0..50 {
                let time = second * 1_000_000 + number * 20_000;
                let hash = u64::try_from(second * 50 + number).unwrap();
                assert!(!sight(&mut seen, &v6, hash, time));
                count += u32::from(sight(&mut seen, &v6, hash, time + 5));
            }
            eaten.push(count);
        }
        assert_eq!(eaten, [31, 50, 50]);
    }

    #[test]
    fn repeated_acknowledgments_on_a_quiet_link_are_kept() {
        let mut seen = Duplicates::new(1024);
        for number in 0..400_u64 {
            let time = i64::try_from(number).unwrap() * 1000;
            assert!(!sight(&mut seen, &packet(0), number, time));
            if number % 2 == 0 {
                assert!(!sight(&mut seen, &packet(0), number, time + 5));
            }
        }
    }

    #[test]
    fn joined_fragments_are_left_alone() {
        let mut seen = Duplicates::new(1024);
        let joined = Packet { fragment: Some(crate::decode::Joined::default()), ..packet(7) };
        assert!(!sight(&mut seen, &joined, 1, 0));
        assert!(!sight(&mut seen, &joined, 1, 1));
    }

    #[test]
    fn what_is_overwritten_too_early_is_counted() {
        let mut seen = Duplicates::new(4);
        for hash in 0..6 {
            assert!(!sight(&mut seen, &packet(7), hash, 0));
        }
        assert_eq!(seen.overwritten(), 2);
        for hash in 10..20 {
            assert!(!sight(&mut seen, &packet(7), hash, 100_000 * i64::try_from(hash).unwrap()));
        }
        assert_eq!(seen.overwritten(), 2);
    }

    #[test]
    fn the_hash_covers_addresses_and_every_transport_octet_and_nothing_else() {
        let octets: Vec<u8> = (0..100).collect();
        let base = Packet { l4_at: 20, l4_len: 60, ..packet(1) };
        let hash = l4_hash(&base, &octets);
        let hop = Packet { ttl: 1, ip_id: 2, link_hash: 3, ..base };
        assert_eq!(l4_hash(&hop, &octets), hash);
        let other = Packet { dst: Endpoint::new(Addr::v4([10, 0, 0, 3]), 4002), ..base };
        assert_ne!(l4_hash(&other, &octets), hash);
        for changed in 0..octets.len() {
            let mut copy = octets.clone();
            copy[changed] ^= 1;
            assert_eq!(l4_hash(&base, &copy) != hash, (20..80).contains(&changed));
        }
    }
}
