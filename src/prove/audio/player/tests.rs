use overhear_parsers::rtp::header::Header;

use super::*;

/// Packets as (milliseconds, number, timestamp, payload type, payload).
type Sent<'a> = (i64, u16, u32, u8, &'a [u8]);

fn recording(sent: &[Sent<'_>]) -> Recording {
    let mut recording = Recording::default();
    for (millis, sequence, timestamp, payload_type, payload) in sent {
        let header = Header {
            marker: false,
            payload_type: *payload_type,
            sequence: *sequence,
            timestamp: *timestamp,
            ssrc: 1,
            csrc: &[],
            extension: None,
            padding: false,
            payload,
        };
        recording.push(Ts::from_nanos(0).plus(Span::from_millis(*millis)), &header, payload);
    }
    recording.finish();
    recording
}

fn formats() -> Formats {
    let mut formats = Formats::default();
    for (payload_type, name) in [(8, "PCMA"), (9, "G722"), (13, "CN"), (18, "G729")] {
        formats.add(payload_type, Format::named(payload_type, Some(name), 8_000));
    }
    formats.add(101, Format::named(101, Some("telephone-event"), 8_000));
    formats.add(121, Format::named(121, Some("red"), 8_000));
    formats
}

fn played(sent: &[Sent<'_>], rate: u32) -> (Vec<i16>, u64, usize) {
    let (recording, formats) = (recording(sent), formats());
    let outside = [Outside { payload_type: 18, samples: vec![9; 400] }];
    let mut player = Player::new(&recording, &formats, &outside, rate);
    let mut out = Vec::new();
    while player.play(&mut out).is_some() {}
    (out, player.unplayed(), player.events().count())
}

/// Twenty milliseconds of an octet that is not silence: 0x54 is -24, 0xd4 24.
const LOW: &[u8] = &[0x54; 160];
const HIGH: &[u8] = &[0xd4; 160];

fn runs(samples: &[i16]) -> Vec<(i16, usize)> {
    samples.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
}

#[test]
fn what_is_missing_is_silence_and_late_packets_find_their_place() {
    let sent: &[Sent<'_>] = &[
        (0, 10, 1_000, 8, LOW),
        (21, 12, 1_320, 8, LOW),
        (22, 11, 1_160, 8, HIGH),
        (80, 14, 1_640, 8, HIGH),
        (80, 14, 1_640, 8, HIGH),
    ];
    let (samples, unplayed, _) = played(sent, 8_000);
    assert_eq!(runs(&samples), [(-24, 160), (24, 160), (-24, 160), (0, 160), (24, 160)]);
    assert_eq!(unplayed, 0);
}

#[test]
fn timestamps_do_not_lead_further_away_from_the_capture_than_a_second() {
    let slow = |number: u16| (i64::from(number) * 40, number, u32::from(number) * 160, 8, LOW);
    let sent: Vec<Sent<'_>> = (0..200).map(slow).collect();
    let (samples, ..) = played(&sent, 8_000);
    let captured = 199 * 40 * 8 + 160;
    assert!((captured - 8_160..=captured).contains(&samples.len()), "{}", samples.len());
}

#[test]
fn comfort_noise_and_pauses_are_silence_and_digits_are_listed() {
    let sent: &[Sent<'_>] = &[
        (0, 1, 0, 8, LOW),
        (20, 2, 160, 13, &[0x40]),
        (40, 3, 320, 101, &[5, 10, 0, 160]),
        (60, 4, 320, 101, &[5, 10, 1, 64]),
        (80, 5, 320, 101, &[5, 0x8a, 1, 224]),
        (200, 6, 1_600, 101, &[11, 0x8a, 1, 224]),
        (1_000, 7, 8_000, 8, HIGH),
    ];
    let (samples, unplayed, events) = played(sent, 8_000);
    assert_eq!(runs(&samples), [(-24, 160), (0, 7_840), (24, 160)]);
    assert_eq!((unplayed, events), (0, 2));
}

#[test]
fn a_clock_that_jumps_is_put_where_it_was_captured() {
    let sent: &[Sent<'_>] =
        &[(0, 1, 500, 8, LOW), (20, 2, 4_000_000_000, 8, HIGH), (40, 3, 4_000_000_160, 8, LOW)];
    let (samples, ..) = played(sent, 8_000);
    assert_eq!(runs(&samples), [(-24, 160), (24, 160), (-24, 160)]);
}

#[test]
fn another_codec_goes_on_where_the_first_ended() {
    let sent: &[Sent<'_>] = &[(0, 1, 0, 8, LOW), (20, 2, 160, 9, &[0xfa; 160])];
    let (samples, ..) = played(sent, 16_000);
    assert_eq!(samples.len(), 640);
    assert!(samples[2..320].iter().all(|sample| *sample == -24));
    assert!(samples[330..].iter().all(|sample| sample.abs() < 20), "{:?}", &samples[320..]);
}

#[test]
fn of_a_redundant_packet_the_newest_part_is_played() {
    let mut packet = vec![0x88, 0, 0, 160, 8];
    packet.extend(LOW);
    packet.extend(HIGH);
    let (samples, unplayed, _) = played(&[(0, 1, 0, 121, &packet)], 8_000);
    assert_eq!((runs(&samples), unplayed), (vec![(24, 160)], 0));
    let (samples, unplayed, _) = played(&[(0, 1, 0, 121, &[0x88, 0, 3])], 8_000);
    assert_eq!((samples.len(), unplayed), (0, 1));
}

#[test]
fn samples_made_elsewhere_are_put_in_the_same_places() {
    let sent: &[Sent<'_>] =
        &[(0, 1, 0, 18, &[1; 20]), (40, 3, 320, 18, &[1; 12]), (60, 4, 480, 96, &[1; 12])];
    let (samples, unplayed, _) = played(sent, 8_000);
    assert_eq!(runs(&samples), [(9, 160), (0, 160), (9, 80), (0, 80)]);
    assert_eq!(unplayed, 1);
}

proptest::proptest! {
    #[test]
    fn every_recording_is_played_to_an_end(
        sent in proptest::collection::vec(
            (-1_000_000_i64..90_000_000, proptest::prelude::any::<u16>(),
             proptest::prelude::any::<u32>(), 0_u8..128,
             proptest::collection::vec(proptest::prelude::any::<u8>(), 0..50)), 0..20)
    ) {
        let sent: Vec<Sent<'_>> =
            sent.iter().map(|(at, n, ts, pt, octets)| (*at, *n, *ts, pt % 16 + 8, &octets[..])).collect();
        let (recording, formats) = (recording(&sent), formats());
        let mut player = Player::new(&recording, &formats, &[], 16_000);
        let (mut out, mut total) = (Vec::new(), 0);
        while player.play(&mut out).is_some() {
            total += out.len();
            out.clear();
        }
        proptest::prop_assert!(total as u64 <= (HEARD_SECONDS + 1) * 16_000 + 20 * 1_000);
    }
}
