use proptest::prelude::*;

use super::*;
use crate::model::addr::{Addr, Proto};

fn key(ident: u32) -> FragmentKey {
    let (src, dst) = (Addr::v4([10, 0, 0, 1]), Addr::v4([10, 0, 0, 2]));
    FragmentKey { src, dst, proto: Proto::UDP, ident, tunnel: 0 }
}

fn fragment(ident: u32, offset: usize, data: &[u8], more: bool) -> Fragment {
    let key = key(ident);
    let network = Network { src: key.src, dst: key.dst, proto: Proto::UDP, ..Network::default() };
    let len = u32::try_from(data.len()).unwrap();
    let offset = u32::try_from(offset).unwrap();
    Fragment { key, offset, more, at: 0, len, wire_len: len, frames: 1, network }
}

fn at(millis: i64) -> Ts {
    Ts::from_nanos(millis * 1_000_000)
}

fn frame(number: u64) -> FrameId {
    FrameId { source: 0, number }
}

/// Pushes `whole[from..to]`; the octets, frames and overlap of the datagram if it is whole now.
fn push(
    table: &mut IpReassembler,
    ident: u32,
    whole: &[u8],
    (from, to): (usize, usize),
    millis: i64,
) -> Option<(Vec<u8>, u32, bool)> {
    let fragment = fragment(ident, from, &whole[from..to], to < whole.len());
    match table.push(&fragment, &whole[from..to], frame(1), at(millis)) {
        Pushed::Whole(joined) => Some((joined.octets.to_vec(), joined.frames, joined.overlap)),
        Pushed::Waits | Pushed::Duplicate => None,
    }
}

#[test]
fn fragments_join_in_any_order() {
    let whole: Vec<u8> = (0..100).collect();
    let parts = [(0, 40), (40, 80), (80, 100)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut table = IpReassembler::default();
        assert_eq!(push(&mut table, 1, &whole, parts[order[0]], 0), None);
        assert_eq!(push(&mut table, 1, &whole, parts[order[1]], 0), None);
        let joined = push(&mut table, 1, &whole, parts[order[2]], 0);
        assert_eq!(joined, Some((whole.clone(), 3, false)));
        assert_eq!((table.finish(), table.purse().used()), (0, 0));
    }
}

#[test]
fn a_mirror_that_doubles_fragments_gives_one_datagram() {
    let whole: Vec<u8> = (0..100).collect();
    for order in [[0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 0, 0]] {
        let mut table = IpReassembler::default();
        let parts = [(0, 80), (80, 100)];
        let joined: Vec<_> =
            order.iter().filter_map(|&part| push(&mut table, 1, &whole, parts[part], 0)).collect();
        assert_eq!(joined, [(whole.clone(), 2, false)]);
        assert_eq!((table.counters().duplicates, table.finish()), (2, 0));
    }
}

#[test]
fn the_same_identification_may_come_again_later() {
    let whole: Vec<u8> = (0..100).collect();
    let mut table = IpReassembler::default();
    for millis in [0, 6, 12] {
        assert_eq!(push(&mut table, 1, &whole, (0, 80), millis), None);
        assert!(push(&mut table, 1, &whole, (80, 100), millis).is_some());
    }
}

#[test]
fn where_fragments_disagree_the_first_one_stays() {
    let mut table = IpReassembler::default();
    let (first, second) = ([b'a'; 48], [b'b'; 64]);
    assert_eq!(push(&mut table, 1, &[&first[..], &[0; 64]].concat(), (16, 48), 0), None);
    assert_eq!(push(&mut table, 1, &[&second[..], &[0; 64]].concat(), (0, 64), 0), None);
    let tail = fragment(1, 64, b"end", false);
    let Pushed::Whole(joined) = table.push(&tail, b"end", frame(9), at(0)) else { panic!() };
    let octets = [&[b'b'; 16][..], &[b'a'; 32], &[b'b'; 16], b"end"].concat();
    assert_eq!((joined.octets, joined.overlap, joined.frames), (&octets[..], true, 3));
    assert_eq!((joined.first, joined.wire_len), (frame(1), 67));
    assert_eq!(table.counters().overlaps, 1);
}

#[test]
fn overlaps_with_the_same_octets_are_no_disagreement() {
    let whole: Vec<u8> = (0..200).collect();
    let mut table = IpReassembler::default();
    assert_eq!(push(&mut table, 1, &whole, (32, 64), 0), None);
    assert_eq!(push(&mut table, 1, &whole, (96, 128), 0), None);
    assert_eq!(push(&mut table, 1, &whole, (0, 136), 0), None);
    assert_eq!(push(&mut table, 1, &whole, (120, 200), 0), Some((whole, 4, false)));
}

#[test]
fn what_is_never_whole_is_given_up_after_thirty_seconds() {
    let whole = [7; 100];
    let mut table = IpReassembler::default();
    push(&mut table, 1, &whole, (0, 40), 0);
    push(&mut table, 1, &whole, (40, 80), 20_000);
    assert_eq!((table.advance(at(29_999)), table.purse().used() > 0), (0, true));
    // The last fragment is too late and waits alone.
    assert_eq!(push(&mut table, 1, &whole, (80, 100), 30_000), None);
    assert_eq!((table.advance(at(30_000)), table.advance(at(30_000))), (2, 0));
    assert_eq!((table.finish(), table.purse().used()), (1, 0));
    assert_eq!((table.counters().incomplete, table.counters().timed_out), (3, 2));
}

#[test]
fn a_full_table_gives_up_the_oldest() {
    let whole = [7; 100];
    let mut table = IpReassembler::new(Limits { datagrams: 2, ..Limits::default() });
    for ident in 1..=3 {
        assert_eq!(push(&mut table, ident, &whole, (0, 80), 0), None);
    }
    assert_eq!((table.advance(at(0)), table.purse().evicted_from(TABLE)), (1, 1));
    assert!(push(&mut table, 2, &whole, (80, 100), 0).is_some());
    assert!(push(&mut table, 3, &whole, (80, 100), 0).is_some());
    assert_eq!(push(&mut table, 1, &whole, (80, 100), 0), None);
}

#[test]
fn an_empty_purse_gives_up_the_oldest() {
    let whole = [7; 1000];
    let mut table = IpReassembler::new(Limits { octets: 4000, ..Limits::default() });
    for ident in 1..=3 {
        assert_eq!(push(&mut table, ident, &whole, (0, 800), 0), None);
    }
    assert_eq!(table.advance(at(0)), 1);
    assert!(push(&mut table, 3, &whole, (800, 1000), 0).is_some());
    assert_eq!((table.finish(), table.purse().used()), (1, 0));
}

#[test]
fn fragments_that_bring_nothing_or_point_too_far_are_given_up() {
    let mut table = IpReassembler::default();
    for odd in [
        fragment(1, 0, b"", true),
        fragment(1, 0, b"seven67", true),
        fragment(1, 65_528, b"eight678", false),
    ] {
        let data = vec![0; usize::try_from(odd.len).unwrap()];
        assert_eq!(table.push(&odd, &data, frame(1), at(0)), Pushed::Waits);
    }
    assert_eq!((table.finish(), table.purse().used()), (3, 0));
}

#[test]
fn a_fragment_cut_by_the_snap_length_ends_the_octets_but_not_the_datagram() {
    let whole: Vec<u8> = (0..100).collect();
    let mut table = IpReassembler::default();
    let cut = Fragment { wire_len: 40, ..fragment(1, 40, &whole[40..50], true) };
    push(&mut table, 1, &whole, (0, 40), 0);
    assert_eq!(table.push(&cut, &whole[40..50], frame(2), at(0)), Pushed::Waits);
    let tail = fragment(1, 80, &whole[80..], false);
    let Pushed::Whole(joined) = table.push(&tail, &whole[80..], frame(3), at(0)) else { panic!() };
    assert_eq!((joined.octets, joined.wire_len), (&whole[..50], 100));
}

#[test]
fn a_joined_datagram_decodes() {
    let mut whole = vec![0x13, 0xc4, 0x13, 0xc5, 0, 100, 0, 0];
    whole.extend([b'x'; 92]);
    let mut table = IpReassembler::default();
    push(&mut table, 1, &whole, (80, 100), 0);
    let head = fragment(1, 0, &whole[..80], true);
    let Pushed::Whole(joined) = table.push(&head, &whole[..80], frame(2), at(0)) else { panic!() };
    let Decoded::Packet(packet) = joined.decode() else { panic!() };
    assert_eq!((packet.src.port, packet.dst.port, packet.payload_len), (5060, 5061, 92));
    assert_eq!(packet.fragment, Some(Joined { frames: 2, ..Joined::default() }));
    assert_eq!(packet.payload(&whole), [b'x'; 92]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_any_fragmentation_gives_the_datagram(
        (len, order) in (1..3000_usize, 1..30_usize).prop_flat_map(|(len, units)| {
            let parts = len.div_ceil(units * 8);
            let all: Vec<usize> = (0..parts).collect();
            let extra = prop::collection::vec(0..parts, 0..20);
            let order = extra.prop_map(move |extra| [all.clone(), extra].concat()).prop_shuffle();
            (Just(len), order.prop_map(move |order| {
                order.iter().map(|part| (part * units * 8, ((part + 1) * units * 8).min(len)))
                    .collect::<Vec<_>>()
            }))
        }),
    ) {
        let whole: Vec<u8> = (0..len).map(|at| u8::try_from(at % 253).unwrap()).collect();
        let mut table = IpReassembler::default();
        let joined: Vec<_> =
            order.iter().filter_map(|&part| push(&mut table, 1, &whole, part, 0)).collect();
        prop_assert_eq!(joined.len(), 1);
        prop_assert_eq!(&joined[0].0, &whole);
        prop_assert!(!joined[0].2);
        prop_assert_eq!((table.finish(), table.purse().used()), (0, 0));
    }

    #[test]
    fn every_frame_is_booked_once_and_memory_is_given_back(
        fragments in prop::collection::vec(
            (0..6_u32, 0..40_u32, 0..80_usize, any::<bool>(), 0..9_u32, any::<u8>()), 0..300),
        datagrams in 0..5_usize,
        octets in 0..8000_u64,
        step in prop_oneof![0..3_i64, 0..5000_i64],
    ) {
        let mut table = IpReassembler::new(Limits { datagrams, octets, ..Limits::default() });
        let count = u64::try_from(fragments.len()).unwrap();
        let (mut booked, mut now) = (0, 0);
        for (ident, units, len, more, cut, fill) in fragments {
            now += step;
            let data = vec![fill; len];
            let whole = fragment(ident, 0, &data, more);
            let odd = Fragment { offset: units * 8, wire_len: whole.len + cut, ..whole };
            booked += match table.push(&odd, &data, frame(1), at(now)) {
                Pushed::Waits => 0,
                Pushed::Duplicate => 1,
                Pushed::Whole(joined) => {
                    let _ = joined.decode();
                    prop_assert!(joined.octets.len() <= usize::try_from(joined.wire_len).unwrap());
                    u64::from(joined.frames)
                }
            };
            booked += table.advance(at(now));
            prop_assert!(table.purse().used() <= octets);
        }
        prop_assert_eq!(booked + table.finish(), count);
        prop_assert_eq!(table.purse().used(), 0);
    }
}
