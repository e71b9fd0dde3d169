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
//! Joined fragments are excluded: [`super::ip`] knows its own duplicates.

use std::hash::BuildHasher;

use self::alike::Alike;
use self::recent::Recent;
use crate::decode::Packet;
use crate::model::addr::STABLE;
use crate::model::time::Ts;

mod alike;
mod recent;

/// Octets that one remembered packet takes, in the tables of both rules together.
pub const ENTRY: usize = recent::ENTRY + alike::ENTRY;

/// The packets of the last milliseconds of one cell.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Duplicates {
    /// Rule 2.
    alike: Alike,
    /// Rule 1.
    recent: Recent,
}

/// The hash under which copies of a packet meet: addresses, protocol, length, and the first 64 and
/// last 16 of the transport octets, and the IP identification where rule 1 applies; no TTL and no
/// link header.
///
/// Ports, sequence numbers, SSRC and the checksum over all octets are among the first 64, so what
/// agrees in this is the same packet. Hashing every octet of a G.711
/// packet costs as much as all else that is done with it (`docs/decisions/0006-duplicates.md`).
///
/// `octets` is what `packet` was decoded from, `flow` a hash of its addresses, which need not tell
/// the directions apart: the ports among the octets do, or else the octets of the two differ.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every packet, from few places")]
pub fn likeness(packet: &Packet, flow: u64, octets: &[u8]) -> u64 {
    let l4 = packet.l4(octets);
    let length = u64::from(packet.proto.0) << 32 | u64::from(packet.wire_payload_len);
    let seed = flow ^ length ^ u64::from(identification(packet)) << 48;
    let hash = match (l4.first_chunk::<64>(), l4.last_chunk::<16>()) {
        (Some(first), Some(last)) => {
            let (pairs, _) = first.as_chunks::<16>();
            // None waits for another one's product.
            let products =
                pairs.iter().chain([last]).zip(MULTIPLIERS).map(|(pair, [one, other])| {
                    let [low, high] = halves(pair);
                    folded(low ^ one, high ^ other)
                });
            let [[last, _], ..] = MULTIPLIERS;
            folded(products.fold(seed, u64::wrapping_add), last)
        }
        _ => STABLE.hash_one((seed, l4)),
    };
    hash ^ hash >> 32
}

/// Any numbers with about as many ones as zeros, in no order: the first 64 bits behind the point of the
/// square roots of the first ten primes. Each place has its own, so that octets that change places show.
const MULTIPLIERS: [[u64; 2]; 5] = [
    [0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b],
    [0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1],
    [0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f],
    [0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179],
    [0xcbbb_9d5d_c105_9ed8, 0x629a_292a_367c_d507],
];

/// The product, its halves laid over each other: each bit depends on all of both.
#[inline]
fn folded(one: u64, other: u64) -> u64 {
    let [low, high] = words(u128::from(one).wrapping_mul(u128::from(other)));
    low ^ high
}

#[inline]
fn halves(octets: &[u8; 16]) -> [u64; 2] {
    words(u128::from_le_bytes(*octets))
}

/// The low word, then the high one.
#[inline]
fn words(both: u128) -> [u64; 2] {
    [both, both >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)).unwrap_or_default())
}

/// The IPv4 identification, where rule 1 applies; else 0.
#[inline]
const fn identification(packet: &Packet) -> u16 {
    if packet.has_ip_id { packet.ip_id } else { 0 }
}

impl Duplicates {
    /// Remembers up to about `cap` packets for each of the rules.
    pub fn new(cap: usize) -> Self {
        Self { recent: Recent::new(cap), alike: Alike::new(cap) }
    }

    /// Packets that were overwritten while a copy of them could still have come.
    pub const fn overwritten(&self) -> u64 {
        self.recent.overwritten().saturating_add(self.alike.overwritten())
    }

    /// Asks for the set of a packet with this [`likeness`].
    #[inline]
    pub fn fetch(&self, packet: &Packet, likeness: u64) {
        let tag = upper_half(likeness);
        if identification(packet) == 0 { self.alike.fetch(tag) } else { self.recent.fetch(tag) }
    }

    /// Whether the packet is another sighting of one seen before; remembers it if not.
    ///
    /// `likeness` is its [`likeness`], `ts` its capture time, `watermark` the highest so far.
    #[inline]
    pub fn is_duplicate(
        &mut self,
        packet: &Packet,
        likeness: u64,
        ts: Ts,
        watermark: Ts,
        interface: u32,
    ) -> bool {
        if packet.fragment.is_some() {
            return false;
        }
        let (tag, time) = (upper_half(likeness), micros(ts));
        if identification(packet) == 0 {
            return self.alike.is_known(packet, tag, time, watermark, interface);
        }
        // Time rarely runs backwards.
        let now = if ts == watermark { time } else { micros(watermark) };
        self.recent.is_known(tag, time, now)
    }
}

/// Whole microseconds, modulo 2^32.
#[inline]
fn micros(ts: Ts) -> u32 {
    let micros = ts.nanos().unsigned_abs() / 1000;
    u32::try_from(micros & 0xffff_ffff).unwrap_or_default()
}

#[inline]
fn upper_half(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or_default()
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
        let likeness = hash << 32 ^ u64::from(packet.ip_id) << 48;
        seen.is_duplicate(packet, likeness, at(micros), at(micros), 0)
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
        let mut seen = Duplicates::new(8);
        for hash in 0..10 {
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
        let hash = likeness(&base, 1, &octets);
        let hop = Packet { ttl: 1, link_hash: 3, ..base };
        assert_eq!(likeness(&hop, 1, &octets), hash);
        assert_ne!(likeness(&base, 2, &octets), hash, "other addresses");
        let resent = Packet { ip_id: 2, ..base };
        assert_ne!(likeness(&resent, 1, &octets), hash, "sent again");
        let unnumbered = |ip_id| Packet { ip_id, has_ip_id: false, ..base };
        let [one, other] = [2, 3].map(|id| likeness(&unnumbered(id), 1, &octets));
        assert_eq!(one, other, "IPv6 has no identification");
        for changed in 0..octets.len() {
            let mut copy = octets.clone();
            copy[changed] ^= 1;
            assert_eq!(likeness(&base, 1, &copy) != hash, (20..80).contains(&changed));
        }
    }
}
