//! Streams of made payloads, each counted as what it is.

use super::*;

fn look(payload: impl Fn(u16) -> Vec<u8>, ticks: u32) -> Figures {
    let mut look = Look::new(96);
    for number in 0..64 {
        let payload = payload(number);
        let header = Header {
            marker: false,
            payload_type: 96,
            sequence: number.wrapping_sub(10),
            timestamp: u32::from(number).wrapping_mul(ticks),
            ssrc: 1,
            csrc: &[],
            extension: None,
            padding: false,
            payload: &payload,
        };
        let octets = u16::try_from(payload.len()).unwrap();
        assert_eq!(look.packet(&header, octets, true), number == 63);
    }
    look.finish()
}

fn noise(number: u16, octets: usize) -> Vec<u8> {
    let mut state = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..octets)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
        })
        .collect()
}

#[test]
fn silence_repeats_and_runs_and_noise_does_neither() {
    let silence = look(|_| vec![0xd5; 160], 160);
    assert_eq!((silence.equal, silence.runs, silence.pairs), (63, 64, 63));
    assert_eq!(silence.rows[0], LawRow { ticks: 160, pairs: 63, octets: 160, payload_type: 96 });
    let cipher = look(|number| noise(number, 170), 160);
    assert_eq!((cipher.equal, cipher.runs, cipher.gsm), (0, 0, 0));
    assert!(cipher.opus < 20, "{cipher:?}");
}

#[test]
fn frames_are_told_by_their_first_octets() {
    let head = |first: &'static [u8], octets: usize| {
        move |number| {
            let mut payload = noise(number, octets);
            payload[..first.len()].copy_from_slice(first);
            payload
        }
    };
    assert_eq!(look(head(&[0xd3], 33), 160).gsm, 64);
    assert_eq!(look(head(&[1], 20), 240).g723, 64);
    assert_eq!(look(head(&[0xf0, 0x3c], 33), 160).amr, 64);
    assert_eq!(look(head(&[0xf0, 0x44], 63), 320).amr_wb, 0);
    assert_eq!(look(head(&[0xf0, 0x44], 62), 320).amr_wb, 64);
    assert_eq!(look(head(&[0x78], 90), 960).opus, 63);
    assert_eq!(look(head(&[0x7b, 2], 90), 1920).opus, 63);
    assert_eq!(look(head(&[0x7c, 0x85], 900), 0).h264, 64);
    assert_eq!(look(head(&[0x62, 0x01], 900), 0).h265, 64);
    assert_eq!(look(head(&[0x00, 0x50, 0, 0], 150), 0).h263, 64);
    assert_eq!(look(head(&[0x80, 0x47, 0x10, 0], 150), 0).h263, 64);
    assert_eq!(look(head(&[0x00, 0x50, 0x10, 0], 150), 0).h263, 0);
}

#[test]
fn evidence_stays_when_a_later_look_finds_none() {
    let (silence, cipher) = (look(|_| vec![0xd5; 160], 160), look(|n| noise(n, 160), 160));
    let merged = merge(silence, cipher, 96);
    assert_eq!((merged.equal, merged.whole, merged.pairs), (63, 128, 63));
    assert_eq!((merged.looks.clear.packets, merged.looks.random.packets), (60, 60));
}

#[test]
fn figures_of_the_main_payload_type_outlive_a_look_at_another() {
    let voice = look(|_| vec![0xd5; 160], 160);
    let events = Figures { payload_type: 101, pairs: 60, ..Figures::default() };
    assert_eq!(merge(voice, events, 96).payload_type, 96);
    assert_eq!(merge(voice, events, 101).payload_type, 101);
    assert_eq!(merge(events, voice, 96).payload_type, 96);
}

#[test]
fn telephone_events_do_not_get_shorter_and_ciphertext_is_none() {
    let event = |number: u16| {
        let [a, b] = (number % 8 * 160).to_be_bytes();
        vec![5, 0x0a, a, b]
    };
    // Each timestamp is one event: all of them are new.
    assert_eq!(look(event, 160).events, 64);
    // One event: its duration falls every eight packets.
    assert_eq!(look(event, 0).events, 57);
    assert!(look(|n| noise(n, 4), 0).events < 10);
}

#[test]
fn vp8_is_told_by_its_descriptor_and_its_start_code() {
    let head = |first: &'static [u8]| {
        move |number| {
            let mut payload = noise(number, 900);
            payload[..first.len()].copy_from_slice(first);
            payload
        }
    };
    assert_eq!(look(head(&[0x90, 0x80, 0x81, 0x05, 0x10, 2, 0, 0x9d, 0x01, 0x2a]), 0).vp8, 64);
    assert_eq!(look(head(&[0x90, 0x80, 0x81, 0x05, 0x10, 2, 0, 0x9d, 0x01, 0x2b]), 0).vp8, 0);
    assert_eq!(look(head(&[0x80, 0xe0, 0x05, 3]), 0).vp8, 64);
    assert_eq!(look(head(&[0x00]), 0).vp8, 64);
    assert!(look(|n| noise(n, 900), 0).vp8 < 20);
}
