use proptest::prelude::*;

use super::*;

/// A direction, its purse and everything it delivered.
struct Bench {
    direction: Direction,
    purse: Purse,
    stream: Vec<u8>,
    gaps: Vec<(usize, u64)>,
}

impl Bench {
    fn new(limits: Limits, memory: u64) -> Self {
        Self {
            direction: Direction::with_limits(limits),
            purse: Purse::new(memory),
            stream: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn sized() -> Self {
        Self::new(Limits::default(), 1 << 20)
    }

    fn run(&mut self, act: impl FnOnce(&mut Direction, &mut Purse, &mut dyn FnMut(Delivery<'_>))) {
        let Self { direction, purse, stream, gaps } = self;
        act(direction, purse, &mut |delivery| {
            assert!(!delivery.octets.is_empty());
            if delivery.gap_before > 0 {
                gaps.push((stream.len(), delivery.gap_before));
            }
            stream.extend_from_slice(delivery.octets);
        });
    }

    fn push(&mut self, seq: u32, flags: u8, payload: &[u8]) -> &mut Self {
        self.clipped(seq, flags, payload, u32::try_from(payload.len()).unwrap())
    }

    fn clipped(&mut self, seq: u32, flags: u8, payload: &[u8], wire_len: u32) -> &mut Self {
        let segment = Segment { seq, flags, payload, wire_len };
        self.run(|direction, purse, mut deliver| direction.push(&segment, purse, &mut deliver));
        self
    }

    fn acknowledged(&mut self, ack: u32) {
        self.run(|direction, purse, mut deliver| direction.acknowledged(ack, purse, &mut deliver));
    }

    fn finish(&mut self) -> &mut Self {
        self.run(|direction, purse, mut deliver| direction.finish(purse, &mut deliver));
        assert_eq!(self.purse.used(), 0, "everything taken was given back");
        self
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.stream).unwrap()
    }
}

#[test]
fn octets_in_order_are_handed_on_as_they_come() {
    let mut bench = Bench::sized();
    bench.push(99, Tcp::SYN, b"").push(100, 0, b"INV").push(103, 0, b"ITE");
    assert_eq!((bench.text(), bench.purse.peak()), ("INVITE", 0));
    assert!(bench.direction.started());
    assert_eq!(*bench.direction.counters(), Counters::default());
}

#[test]
fn a_capture_may_begin_in_the_middle() {
    let mut bench = Bench::sized();
    bench.push(1000, 0, b"cd").push(998, 0, b"ab").push(1002, 0, b"ef");
    assert_eq!(bench.text(), "cdef");
    assert!(!bench.direction.started());
    assert_eq!(bench.direction.counters().gaps, 0);
}

#[test]
fn segments_before_their_turn_wait_for_it() {
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"").push(5, 0, b"efgh").push(3, 0, b"cd");
    assert_eq!((bench.text(), bench.direction.waiting()), ("", 6));
    bench.push(1, 0, b"ab");
    assert_eq!((bench.text(), bench.purse.used()), ("abcdefgh", 0));
    assert_eq!(bench.direction.counters().out_of_order, 2);
}

#[test]
fn retransmissions_and_probes_change_nothing() {
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"").push(0, Tcp::SYN, b"").push(1, 0, b"abcd");
    bench.push(4, 0, b"\0").push(1, 0, b"abcd").push(3, 0, b"cdef");
    assert_eq!(bench.text(), "abcdef");
    assert_eq!(bench.direction.counters().retransmissions, 2);
}

#[test]
fn the_first_octet_at_a_place_stays_and_the_overlap_is_counted() {
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"").push(4, 0, b"DEF").push(1, 0, b"abcdefghi");
    assert_eq!((bench.text(), bench.direction.counters().overlaps), ("abcDEFghi", 1));
    bench.push(12, 0, b"lm").push(11, 0, b"KLMNO").push(10, 0, b"j");
    assert_eq!((bench.text(), bench.direction.counters().overlaps), ("abcDEFghijKlmNO", 2));
    bench.push(18, 0, b"rs").push(18, 0, b"rs").push(16, 0, b"pqrst");
    assert_eq!((bench.text(), bench.direction.counters().overlaps), ("abcDEFghijKlmNOpqrst", 2));
}

#[test]
fn sequence_numbers_wrap() {
    let mut bench = Bench::sized();
    bench.push(u32::MAX - 2, Tcp::SYN, b"").push(1, 0, b"def");
    bench.push(u32::MAX - 1, 0, b"abc").push(4, 0, b"ghi");
    assert_eq!(bench.text(), "abcdefghi");
    assert_eq!(bench.direction.counters().gaps, 0);
}

#[test]
fn finishing_hands_on_what_waits_with_its_gaps() {
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"").push(1, 0, b"ab").push(6, 0, b"fg").push(10, 0, b"j").finish();
    assert_eq!((bench.text(), &bench.gaps[..]), ("abfgj", &[(2, 3), (4, 2)][..]));
    assert_eq!(bench.direction.counters().gap_octets, 5);
}

#[test]
fn a_hole_is_given_up_when_too_many_segments_wait() {
    let limits = Limits { segments: 4, ..Limits::default() };
    let mut bench = Bench::new(limits, 1 << 20);
    bench.push(0, Tcp::SYN, b"");
    for seq in 3..8 {
        bench.push(seq, 0, b"x");
    }
    assert_eq!((bench.text(), &bench.gaps[..]), ("xxxxx", &[(0, 2)][..]));
    bench.push(8, 0, b"y").push(1, 0, b"ab");
    assert_eq!(bench.text(), "xxxxxy");
}

#[test]
fn a_hole_is_given_up_when_the_window_is_passed() {
    let limits = Limits { tcp_window: 1000, ..Limits::default() };
    let mut bench = Bench::new(limits, 1 << 20);
    bench.push(0, Tcp::SYN, b"").push(101, 0, &[1; 800]).push(901, 0, &[2; 200]);
    assert_eq!((bench.stream.len(), &bench.gaps[..]), (1000, &[(0, 100)][..]));
}

#[test]
fn a_hole_that_the_receiver_acknowledged_is_given_up_early() {
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"");
    for seq in 11..45 {
        bench.push(seq, 0, b"x");
    }
    bench.acknowledged(5);
    assert_eq!(bench.text(), "");
    bench.acknowledged(45);
    assert_eq!((bench.stream.len(), &bench.gaps[..]), (34, &[(0, 10)][..]));
}

#[test]
fn an_empty_purse_makes_a_gap_and_not_a_stop() {
    let mut bench = Bench::new(Limits::default(), 300);
    bench.push(0, Tcp::SYN, b"").push(11, 0, b"kl").push(21, 0, b"uv").push(31, 0, b"xyz");
    assert_eq!((bench.text(), &bench.gaps[..]), ("kluvxyz", &[(0, 10), (2, 8), (4, 8)][..]));
    assert_eq!(bench.purse.evicted_from(TABLE), 1);
    bench.push(34, 0, b"!").finish();
    assert_eq!(bench.text(), "kluvxyz!");
}

#[test]
fn what_the_snap_length_cut_off_is_a_gap() {
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"").clipped(1, 0, b"ab", 10).clipped(21, 0, b"uv", 10);
    bench.clipped(11, 0, b"kl", 10).push(31, 0, b"yz");
    assert_eq!((bench.text(), &bench.gaps[..]), ("abkluvyz", &[(2, 8), (4, 8), (6, 8)][..]));
}

#[test]
fn a_fin_closes_when_everything_before_it_came() {
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"").push(4, Tcp::FIN, b"d");
    assert!(!bench.direction.closed());
    bench.push(1, 0, b"abc");
    assert!(bench.direction.closed());
    bench.push(5, 0, b"late");
    assert_eq!(bench.text(), "abcd");
}

#[test]
fn a_reset_closes_only_near_the_stream() {
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"").push(1, 0, b"a").push(0x4000_0000, Tcp::RST, b"");
    assert!(!bench.direction.closed());
    bench.push(2, Tcp::RST, b"go away");
    assert!(bench.direction.closed());
    assert_eq!(bench.text(), "a");
}

#[test]
fn another_connection_on_the_same_ports_is_followed() {
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"").push(1, 0, b"a");
    // A forged SYN: nothing follows it.
    bench.push(0x3000_0000, Tcp::SYN, b"").push(2, 0, b"b");
    bench.push(0x7000_0000, Tcp::SYN, b"").push(0x7000_0001, 0, b"c");
    assert_eq!((bench.text(), &bench.gaps[..]), ("abc", &[(2, 1)][..]));
    bench.push(0x7000_0002, Tcp::FIN, b"").push(5, Tcp::SYN, b"").push(6, 0, b"d");
    assert_eq!((bench.text(), bench.gaps.len()), ("abcd", 1));
}

#[test]
fn a_stream_that_moved_is_taken_up_again() {
    for jump in [0x1000_0000_u32, 0xf000_0000] {
        let mut bench = Bench::sized();
        bench.push(0, Tcp::SYN, b"").push(1, 0, b"a");
        for segment in 0..20 {
            bench.push(jump + segment, 0, b"x");
        }
        assert_eq!(bench.stream.len(), 1 + 13);
        assert_eq!(bench.gaps.len(), 1);
    }
}

#[test]
fn a_million_single_octets_behind_a_hole_stay_small() {
    for limits in [Limits::default(), Limits { segments: u32::MAX, ..Limits::default() }] {
        let mut bench = Bench::new(limits, 8 << 20);
        bench.push(0, Tcp::SYN, b"");
        for seq in 2..1_000_002 {
            bench.push(seq, 0, b"x");
        }
        bench.finish();
        assert_eq!(bench.stream.len(), 1_000_000);
        assert!(bench.purse.peak() <= 1 << 20, "{}", bench.purse.peak());
    }
    let mut bench = Bench::sized();
    bench.push(0, Tcp::SYN, b"");
    for seq in 1..1_000_000 {
        bench.push(seq * 2, 0, b"x");
    }
    bench.finish();
    assert_eq!(bench.stream.len(), 999_999);
    assert!(bench.purse.peak() <= 1 << 16);
}

/// A stream of up to 2,000 octets and ranges of it that together cover it, in any order.
fn shuffled() -> impl Strategy<Value = (Vec<u8>, Vec<(usize, usize)>)> {
    prop::collection::vec(any::<u8>(), 1..2000).prop_flat_map(|stream| {
        let len = stream.len();
        let ranges = (
            prop::collection::btree_set(0..len, 0..40),
            prop::collection::vec((0..len, 1..200_usize), 0..60),
        );
        ranges
            .prop_map(move |(cuts, extra)| {
                let mut edges: Vec<usize> = cuts.into_iter().filter(|&cut| cut > 0).collect();
                edges.push(len);
                let mut from = 0;
                let mut ranges = Vec::new();
                for edge in edges {
                    ranges.push((from, edge));
                    from = edge;
                }
                ranges.extend(extra.into_iter().map(|(at, size)| (at, (at + size).min(len))));
                ranges
            })
            .prop_shuffle()
            .prop_map(move |ranges| (stream.clone(), ranges))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_any_segmentation_gives_the_stream(
        (stream, ranges) in shuffled(),
        isn in prop_oneof![any::<u32>(), (u32::MAX - 2000)..],
    ) {
        let mut bench = Bench::sized();
        bench.push(isn, Tcp::SYN, b"");
        for (from, to) in ranges {
            let seq = isn.wrapping_add(1).wrapping_add(u32::try_from(from).unwrap());
            bench.push(seq, 0, &stream[from..to]);
        }
        prop_assert_eq!(&bench.stream, &stream);
        prop_assert_eq!(bench.purse.used(), 0);
        prop_assert_eq!(bench.direction.counters().gaps, 0);
        prop_assert_eq!(bench.direction.counters().overlaps, 0);
    }

    #[test]
    fn anything_comes_back_and_memory_is_given_back(
        segments in prop::collection::vec(
            (
                prop_oneof![0..600_u32, any::<u32>()],
                prop_oneof![4 => Just(0_u8), 1 => any::<u8>()],
                prop::collection::vec(any::<u8>(), 0..40),
                prop_oneof![3 => Just(0_u32), 1 => 0..50_u32, 1 => any::<u32>()],
                prop::option::weighted(0.1, any::<u32>()),
            ),
            0..200,
        ),
        tcp_window in 0..400_u32,
        limit in 0..20_u32,
        memory in 0..2000_u64,
    ) {
        let mut bench = Bench::new(Limits { tcp_window, segments: limit }, memory);
        let mut sent = 0;
        for (seq, flags, payload, wire_len, ack) in segments {
            sent += payload.len();
            bench.clipped(seq, flags, &payload, wire_len);
            if let Some(ack) = ack {
                bench.acknowledged(ack);
            }
        }
        bench.finish();
        prop_assert!(bench.stream.len() <= sent);
        prop_assert!(bench.purse.peak() <= memory);
    }
}
