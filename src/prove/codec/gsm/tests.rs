//! The hash is that of libgsm's output for the same frames.

use super::*;

/// Frames of random bits behind the mark.
fn frames() -> Vec<u8> {
    let mut state = 1_u64;
    let mut octets: Vec<u8> = (0..3_960)
        .map(|_| {
            state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
            (state >> 16).to_le_bytes()[0]
        })
        .collect();
    for frame in octets.chunks_mut(FRAME) {
        frame[0] = 0xd0 | frame[0] & 0x0f;
    }
    octets
}

/// FNV-1a over the samples.
fn hash(samples: &[i16]) -> u64 {
    samples.iter().fold(0xcbf2_9ce4_8422_2325, |hash, sample| {
        (hash ^ u64::from(sample.cast_unsigned())).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn any_frames_are_decoded_to_the_bit() {
    let (mut decoder, mut out) = (Gsm::default(), Vec::new());
    for payload in frames().chunks(2 * FRAME) {
        decoder.decode(payload, &mut out);
    }
    assert_eq!((out.len(), hash(&out)), (19_200, 0x2461_b246_a7de_74ad));
}

#[test]
fn what_is_no_frame_gives_nothing() {
    let (mut decoder, mut out) = (Gsm::default(), Vec::new());
    for payload in [&[][..], &[0xd0; 32], &[0xc0; 33], &[0; 65]] {
        decoder.decode(payload, &mut out);
    }
    assert!(out.is_empty());
    decoder.decode(&[0xd0; 40], &mut out);
    assert_eq!(out.len(), 160);
}

#[test]
fn block_maxima_are_those_of_the_table() {
    assert_eq!(block_maximum(0), (-4, 7));
    assert_eq!(block_maximum(1), (-3, 7));
    assert_eq!(block_maximum(15), (0, 7));
    assert_eq!(block_maximum(16), (1, 0));
    assert_eq!(block_maximum(63), (6, 7));
}
