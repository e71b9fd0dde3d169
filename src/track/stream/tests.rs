//! Streams made by hand, with figures worked out by hand.

use super::*;
use crate::decode::Packet;
use crate::model::addr::{Addr, Endpoint, Proto};
use crate::model::frame::FrameId;
use crate::model::stream::{Late, StreamEnded};

const LIMITS: StreamLimits =
    StreamLimits { streams: 100, armed: 10, noted: 10, replays: 10, idle: Span::from_secs(60) };

/// One packet: sequence number, timestamp, arrival in milliseconds, payload type, payload octets.
#[derive(Copy, Clone)]
struct P(u16, u32, i64, u8, usize);

struct Bed {
    streams: Streams,
    events: Vec<StreamEvent>,
    ordinal: u64,
    watermark: Ts,
}

impl Bed {
    fn new(limits: StreamLimits) -> Self {
        let (events, ordinal, watermark) = (Vec::new(), 0, Ts::MIN);
        Self { streams: Streams::new(limits), events, ordinal, watermark }
    }

    fn key(ssrc: u32) -> StreamKey {
        let at = |host, port| Endpoint::new(Addr::v4([192, 0, 2, host]), port);
        StreamKey { src: at(1, 4000), dst: at(2, 5000), ssrc }
    }

    fn packet(&mut self, ssrc: u32, packet: P) {
        self.marked(ssrc, packet, false);
    }

    fn marked(&mut self, ssrc: u32, packet: P, marker: bool) {
        let sought = Sought::of(Self::key(ssrc).hash64());
        self.take(ssrc, sought, packet, marker);
    }

    fn take(&mut self, ssrc: u32, sought: Sought, packet: P, marker: bool) {
        let P(sequence, timestamp, ms, payload_type, octets) = packet;
        self.ordinal += 1;
        let ts = Ts::from_nanos(ms * 1_000_000);
        self.watermark = self.watermark.max(ts);
        let mut state = (u64::from(sequence) << 32 | u64::from(timestamp) | 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut octet = || {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
        };
        let payload: Vec<u8> = (0..octets).map(|_| octet()).collect();
        let header = Header {
            marker,
            payload_type,
            sequence,
            timestamp,
            ssrc,
            csrc: &[],
            extension: None,
            padding: false,
            payload: &payload,
        };
        let key = Self::key(ssrc);
        let (src, dst, proto) = (key.src, key.dst, Proto::UDP);
        let input = Input {
            packet: Packet { src, dst, proto, ttl: 64, dscp: 46, ..Packet::default() },
            ts,
            watermark: self.watermark,
            frame: FrameId { source: 0, number: self.ordinal },
            ordinal: self.ordinal,
            wire_len: 54 + u32::try_from(octets).unwrap(),
            flow: key.flow().hash64(),
            ..Input::default()
        };
        let events = &mut self.events;
        let mut out = |event| events.push(event);
        self.streams.advance(self.watermark, &mut out);
        self.streams.packet(sought, &header, &input, &mut out);
    }

    fn finish(mut self) -> Vec<StreamEnded> {
        let events = &mut self.events;
        self.streams.finish(&mut |event| events.push(event));
        assert!(self.streams.is_empty());
        let ended = self.events.into_iter().filter_map(|event| match event {
            StreamEvent::Ended(ended) => Some(ended),
            StreamEvent::Lossy { .. } | StreamEvent::Sample(_) => None,
        });
        ended.collect()
    }

    fn run(packets: impl IntoIterator<Item = P>) -> StreamEnded {
        let mut bed = Self::new(LIMITS);
        for packet in packets {
            bed.packet(7, packet);
        }
        let mut ended = bed.finish();
        assert_eq!(ended.len(), 1);
        ended.remove(0)
    }
}

/// G.711 at 20 ms, the n-th packet, `ms` late.
fn voice(n: u16, late: i64) -> P {
    P(65_530_u16.wrapping_add(n), u32::from(n) * 160, i64::from(n) * 20 + late, 0, 160)
}

#[test]
fn a_clean_stream_wraps_and_loses_nothing() {
    let ended = Bed::run((0..100).map(|n| voice(n, 0)));
    assert_eq!((ended.packets, ended.expected, ended.lost), (100, 100, 0));
    assert_eq!((ended.duplicates, ended.reordered, ended.gaps, ended.restarts), (0, 0, 0, 0));
    assert_eq!((ended.payload_octets, ended.wire_octets), (16_000, 21_400));
    assert_eq!((ended.first_frame.number, ended.last_frame.number), (1, 100));
    assert_eq!(ended.duration(), Span::from_millis(1980));
    assert_eq!(ended.standing, Standing::Confirmed);
    assert!(ended.jitter.under(8000).unwrap().max < 1e-9);
    assert_eq!(ended.law.rows[0].pairs, 99);
    assert_eq!(ended.deadline, Ts::from_nanos(61_980_000_000));
}

#[test]
fn loss_counts_numbers_that_never_came() {
    let gone = [10, 11, 12, 20, 50];
    let ended = Bed::run((0..100).filter(|n| !gone.contains(n)).map(|n| voice(n, 0)));
    assert_eq!((ended.packets, ended.expected, ended.lost, ended.gaps), (95, 100, 5, 3));
}

#[test]
fn duplicates_do_not_hide_loss() {
    let packets = (0..50).filter(|&n| n != 20).flat_map(|n| [voice(n, 0), voice(n, 1)]);
    let ended = Bed::run(packets);
    assert_eq!((ended.packets, ended.duplicates), (98, 49));
    assert_eq!((ended.expected, ended.lost, ended.gaps, ended.reordered), (50, 1, 1, 0));
}

#[test]
fn reordered_packets_fill_their_gaps() {
    let mut order: Vec<u16> = (0..40).collect();
    order.swap(10, 11); // closes its gap of one
    order[20..24].rotate_left(2); // 22 23 20 21: one gap of two, filled in order
    order[30..34].rotate_left(3); // 33 30 31 32
    let ended = Bed::run(order.iter().map(|&n| voice(n, 0)));
    assert_eq!((ended.lost, ended.reordered, ended.duplicates, ended.gaps), (0, 6, 0, 0));
}

#[test]
fn a_gap_filled_in_the_middle_is_two() {
    let ended = Bed::run([0, 1, 2, 6, 4, 7].map(|n| voice(n, 0)));
    assert_eq!((ended.lost, ended.gaps, ended.reordered), (2, 2, 1));
}

#[test]
fn a_packet_older_than_the_first_belongs_to_the_stream() {
    let ended = Bed::run([5, 3, 6, 7].map(|n| voice(n, 0)));
    assert_eq!((ended.expected, ended.lost, ended.gaps, ended.reordered), (5, 1, 1, 1));
}

#[test]
fn two_packets_elsewhere_are_a_new_run_and_one_is_a_stray() {
    let other = |n: u16| P(30_000 + n, 999_000, 1000 + i64::from(n) * 20, 101, 4);
    let packets = (0..50).map(|n| voice(n, 0)).chain((0..10).map(other));
    let ended = Bed::run(packets.chain((50..60).map(|n| voice(n, 200))));
    assert_eq!((ended.packets, ended.restarts, ended.lost, ended.expected), (70, 2, 0, 70));
    let stray = (0..50).map(|n| if n == 25 { P(30_000, 5, 500, 0, 160) } else { voice(n, 0) });
    let ended = Bed::run(stray);
    assert_eq!((ended.packets, ended.restarts, ended.lost), (50, 0, 1));
}

#[test]
fn digits_replayed_one_by_one_lose_nothing_between_them() {
    let mut bed = Bed::new(LIMITS);
    for digit in 0..4_u16 {
        for n in 0..8 {
            let ms = i64::from(digit) * 1500 + i64::from(n) * 20;
            let packet = P(digit * 50 + n, u32::from(digit) * 12_000, ms, 101, 4);
            bed.marked(7, packet, n == 0);
        }
    }
    let ended = bed.finish().remove(0);
    assert_eq!((ended.packets, ended.lost, ended.expected, ended.restarts), (32, 0, 32, 3));
}

#[test]
fn packets_later_than_the_buffer_are_counted_with_their_runs() {
    // Two runs of late packets, 80 ms and 61 ms; 59 ms is in time.
    let late = |n| match n {
        40..43 => 80,
        60 => 61,
        70..90 => 59,
        _ => 0,
    };
    let ended = Bed::run((0..100).map(|n| voice(n, late(n))));
    assert_eq!(ended.late, Late { packets: 4, runs: 2 });
    assert_eq!(Bed::run((0..100).map(|n| voice(n, 0))).late, Late::default());
}

#[test]
fn a_lasting_change_of_delay_is_followed_and_a_drifting_clock_is_no_delay() {
    let ended = Bed::run((0..400).map(|n| voice(n, if n < 100 { 0 } else { 100 })));
    assert!((3..8).contains(&ended.late.packets), "{:?}", ended.late);
    assert_eq!(ended.late.runs, 1);
    // A clock that is 0.05 % slow: half a second in twenty minutes.
    let drifting = Bed::run((0..60_000).map(|n| voice(n, i64::from(n) / 100)));
    assert_eq!(drifting.late, Late::default());
    // A pause without a talkspurt's timestamp: the receiver begins anew.
    let paused = Bed::run((0..100).map(|n| voice(n, if n < 50 { 0 } else { 1_500 })));
    assert_eq!(paused.late, Late::default());
}

#[test]
fn jitter_is_that_of_rfc_3550() {
    // Every second packet 5 ms late: |D| is 40 ticks each time.
    let ended = Bed::run((0..4).map(|n| voice(n, i64::from(n % 2) * 5)));
    let steps = [2.5, 2.5 + (40.0 - 2.5) / 16.0, 0.0_f64];
    let third = steps[1] + (40.0 - steps[1]) / 16.0;
    let jitter = ended.jitter.under(8000).unwrap();
    assert!((jitter.max - third / 8.0).abs() < 1e-5, "{jitter:?}");
    assert!((jitter.mean - (steps[0] + steps[1] + third) / 3.0 / 8.0).abs() < 1e-5);
    assert_eq!(ended.jitter.under(16_000), None);
}

#[test]
fn unknown_clocks_are_kept_side_by_side_and_the_right_one_fits_best() {
    let opus = |n: u16| P(n, u32::from(n) * 960, i64::from(n) * 20 + i64::from(n % 3), 111, 80);
    let ended = Bed::run((0..50).map(opus));
    let (rate, jitter) = ended.jitter.best().unwrap();
    assert_eq!(rate, 48_000);
    assert!(jitter.mean < 2.0 && ended.jitter.under(8000).unwrap().mean > 50.0);
}

#[test]
fn events_between_audio_do_not_shake_the_clock() {
    let event = |n: u16| P(65_530_u16.wrapping_add(n), 3200, i64::from(n) * 20, 101, 4);
    let packets = (0..20).map(|n| voice(n, 0)).chain((20..30).map(event));
    let ended = Bed::run(packets.chain((30..50).map(|n| voice(n, 0))));
    assert!(ended.jitter.under(8000).unwrap().max < 1e-9);
    assert_eq!(ended.payload_types[1].packets, 10);
    assert_eq!(ended.main_payload_type(), 0);
}

#[test]
fn a_stream_ends_exactly_when_it_has_been_idle_for_the_limit() {
    let mut bed = Bed::new(LIMITS);
    bed.packet(7, P(1, 0, 0, 0, 160));
    bed.packet(7, P(2, 160, 59_999, 0, 160));
    assert!(bed.events.is_empty());
    bed.packet(8, P(1, 0, 119_998, 0, 160));
    assert!(bed.events.is_empty());
    bed.packet(7, P(3, 320, 119_999, 0, 160));
    assert_eq!(bed.events.len(), 1);
    let packets: Vec<_> = bed.finish().iter().map(|e| (e.key.ssrc, e.packets)).collect();
    assert_eq!(packets, [(7, 2), (8, 1), (7, 1)]);
}

#[test]
fn idleness_is_measured_on_watermarks_not_on_capture_times() {
    let mut bed = Bed::new(LIMITS);
    bed.packet(8, P(1, 0, 50_000, 0, 160));
    bed.packet(7, P(1, 0, 0, 0, 160));
    bed.packet(8, P(2, 160, 70_000, 0, 160));
    assert!(bed.events.is_empty());
    assert_eq!(bed.finish()[0].deadline, Ts::from_nanos(110_000_000_000));
}

#[test]
fn a_full_table_lets_go_of_the_longest_idle_and_says_so() {
    let mut bed = Bed::new(StreamLimits { streams: 3, ..LIMITS });
    for (ssrc, ms) in [(1, 0), (2, 1), (3, 2), (1, 3), (4, 4), (5, 5)] {
        bed.packet(ssrc, P(1, 0, ms, 0, 160));
    }
    assert_eq!((bed.streams.evicted(), bed.streams.len()), (2, 3));
    let order: Vec<_> = bed.finish().iter().map(|ended| ended.key.ssrc).collect();
    assert_eq!(order, [2, 3, 1, 4, 5]);
}

#[test]
fn gaps_are_told_once_a_second_and_never_for_candidates() {
    let mut bed = Bed::new(LIMITS);
    for n in (0..200).filter(|n| n % 10 != 9) {
        bed.packet(7, voice(n, 0));
    }
    for n in 0..50 {
        bed.packet(8, P(n * 7, 0, 4000 + i64::from(n), 64, 20));
    }
    let seconds: Vec<_> = bed
        .events
        .iter()
        .filter_map(|event| match event {
            StreamEvent::Lossy { key, second, .. } => Some((key.ssrc, *second)),
            StreamEvent::Ended(_) | StreamEvent::Sample(_) => None,
        })
        .collect();
    assert_eq!(seconds, [(7, 0), (7, 1), (7, 2), (7, 3)]);
}

#[test]
fn look_alikes_stay_candidates() {
    let noise = |n: u16| n.wrapping_mul(0x9e37) ^ 0x5555;
    let random = Bed::run((0..60).map(|n| {
        P(noise(n), u32::from(noise(n + 100)) << 15, i64::from(n) * 20, 96 + (n % 7) as u8, 50)
    }));
    assert_eq!(random.standing, Standing::Candidate);
    // A counter where the sequence number would be, but a clock that is none.
    let game =
        Bed::run((0..60).map(|n| P(n, u32::from(noise(n)) << 16, i64::from(n) * 20, 96, 50)));
    assert_eq!(game.standing, Standing::Candidate);
    let constant = Bed::run((0..60).map(|n| P(7, 0, i64::from(n) * 20, 96, 50)));
    assert_eq!(constant.standing, Standing::Candidate);
    let rtcp_like = Bed::run((0..60).map(|n| P(n, u32::from(n) * 160, i64::from(n) * 20, 72, 50)));
    assert_eq!(rtcp_like.standing, Standing::Candidate);
    assert_eq!(Bed::run((0..3).map(|n| voice(n, 0))).standing, Standing::Candidate);
    assert_eq!(Bed::run((0..4).map(|n| voice(n, 0))).standing, Standing::Possible);
    assert_eq!(Bed::run((0..25).map(|n| voice(n, 0))).standing, Standing::Confirmed);
}

#[test]
fn the_closer_look_starts_at_the_twentieth_packet_and_again_a_minute_later() {
    let ended = Bed::run((0..50).map(|n| voice(n, 0)));
    assert_eq!(ended.figures.unwrap().packets, 31);
    let ended = Bed::run((0..4000).map(|n| voice(n, 0)));
    assert_eq!(ended.figures.unwrap().packets, 128);
    assert_eq!(Bed::run((0..19).map(|n| voice(n, 0))).figures, None);
}

#[test]
fn looks_under_way_are_bounded() {
    let mut bed = Bed::new(StreamLimits { armed: 2, ..LIMITS });
    for n in 0..40 {
        for ssrc in 0..4 {
            bed.packet(ssrc, voice(n, 0));
        }
    }
    assert_eq!(bed.streams.armed, 2);
    assert_eq!(bed.finish().iter().filter(|ended| ended.figures.is_some()).count(), 2);
}

#[test]
fn three_packets_in_a_row_are_kept_of_a_stream_that_does_not_look_clear() {
    let mut bed = Bed::new(LIMITS);
    // One packet is missing where the sample would begin.
    for n in (0..90).filter(|n| *n != 52) {
        bed.packet(7, voice(n, 0));
    }
    let samples: Vec<_> = bed
        .events
        .iter()
        .filter_map(|event| match event {
            StreamEvent::Sample(sample) => Some(sample),
            _ => None,
        })
        .collect();
    let [sample] = samples[..] else { panic!("{} samples", samples.len()) };
    assert_eq!(sample.key, Bed::key(7));
    let (mut rest, mut numbers) = (&sample.octets[..], Vec::new());
    while let [a, b, more @ ..] = rest {
        let (packet, behind) = more.split_at(usize::from(u16::from_be_bytes([*a, *b])));
        numbers.push(Header::parse(packet).unwrap().sequence);
        assert_eq!(packet.len(), 172);
        rest = behind;
    }
    let first = numbers[0];
    assert_eq!(numbers, [first, first.wrapping_add(1), first.wrapping_add(2)]);
    let frames = sample.frames.map(|frame| frame.number);
    assert!(frames[0] + 2 == frames[2] && frames[0] >= 45, "{frames:?}");
}

#[test]
fn what_was_found_before_another_stream_took_its_place_does_not_count() {
    let mut bed = Bed::new(StreamLimits { streams: 1, ..LIMITS });
    bed.packet(1, voice(0, 0));
    let key = Bed::key(1);
    let mut stale = Sought::of(key.hash64());
    bed.streams.approach(&mut stale);
    assert_eq!(stale.likely, Some(0));
    // The only place goes to another stream.
    bed.packet(2, voice(1, 0));
    bed.take(1, stale, voice(2, 0), false);
    let ended = bed.finish();
    let packets: Vec<_> = ended.iter().map(|ended| (ended.key.ssrc, ended.packets)).collect();
    assert_eq!(packets, [(1, 1), (2, 1), (1, 1)]);
}
