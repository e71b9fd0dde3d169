use super::*;

fn shape(kind: Kind, payload: &[u8]) -> Vec<(usize, usize)> {
    kind.frames(payload).iter().map(|frame| (frame.octets.len(), frame.samples)).collect()
}

#[test]
fn frames_are_cut_as_each_payload_format_says() {
    assert_eq!(shape(Kind::G729, &[1; 20]), [(10, 80); 2]);
    assert_eq!(shape(Kind::G729, &[1; 12]), [(10, 80), (0, 80)]);
    assert_eq!(shape(Kind::G729, &[1; 3]), []);
    assert_eq!(shape(Kind::Ilbc, &[1; 38]), [(38, 160)]);
    assert_eq!(shape(Kind::Ilbc, &[1; 100]), [(50, 240); 2]);
    let mut g723 = vec![0; 24];
    g723.extend([1; 20]);
    g723.extend([2; 4]);
    g723.extend([0; 5]);
    assert_eq!(shape(Kind::G723, &g723), [(24, 240), (20, 240), (0, 240)]);
    assert_eq!(shape(Kind::Speex(16_000), &[7; 42]), [(42, 320)]);
}

#[test]
fn both_forms_of_amr_give_the_same_frames() {
    // One frame of type 7 (12.2 kbit/s) with good quality: 244 bits.
    let speech: Vec<u8> = (0..31).map(|octet| if octet == 30 { 0xa0 } else { octet * 7 }).collect();
    let mut aligned = vec![0xf0, 0x3c];
    aligned.extend(&speech);
    let mut bits: Vec<u8> = vec![1, 1, 1, 1, 0, 0, 1, 1, 1, 1];
    bits.extend((0..244).map(|bit| speech[bit / 8] >> (7 - bit % 8) & 1));
    bits.extend([0, 0]);
    let efficient: Vec<u8> =
        bits.chunks(8).map(|octet| octet.iter().fold(0, |value, bit| value << 1 | bit)).collect();
    let mut stored = vec![0x3c];
    stored.extend(&speech);
    let frame = Frame { octets: stored, samples: 160 };
    assert_eq!(Kind::Amr.frames(&aligned), std::slice::from_ref(&frame));
    assert_eq!(Kind::Amr.frames(&efficient), std::slice::from_ref(&frame));
    let mut file = Vec::new();
    Kind::Amr.write([frame].iter(), &mut file).unwrap();
    assert_eq!((&file[..7], file.len()), (&b"#!AMR\n\x3c"[..], 38));
}

#[test]
fn comfort_noise_and_frames_without_data_are_silence() {
    assert_eq!(shape(Kind::Amr, &[0xf0, 0x44, 1, 2, 3, 4, 4]), [(0, 160)]);
    assert_eq!(shape(Kind::AmrWb, &[0xf0, 0x7c]), [(0, 320)]);
    assert_eq!(shape(Kind::Amr, &[0xf0, 0x3c, 1, 2]), []);
    assert_eq!(shape(Kind::Amr, &[]), []);
}

proptest::proptest! {
    #[test]
    fn every_payload_is_cut_and_ends(
        payload in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)
    ) {
        for kind in [Kind::G729, Kind::G723, Kind::Ilbc, Kind::Amr, Kind::AmrWb, Kind::Speex(8_000)] {
            let frames = kind.frames(&payload);
            proptest::prop_assert!(frames.len() <= 600);
            let mut file = Vec::new();
            kind.write(frames.iter(), &mut file).unwrap();
            proptest::prop_assert!(file.len() <= 2 * payload.len() + 512);
        }
    }
}
