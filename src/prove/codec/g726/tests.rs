//! The hashes are those of another implementation's output that passes the test sequences of the ITU,
//! for the same codes.

use super::*;

/// Codes of both signs, most of them small, now and then the largest.
fn codes(bits: u32) -> Vec<u32> {
    let half = 1_u64 << (bits - 1);
    let mut state = 1_u64;
    let mut code = || {
        state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
        let random = state >> 16;
        let usual = (random >> 1) % (half * 3 / 4).max(1);
        let magnitude = if random.is_multiple_of(97) { half - 1 } else { usual };
        let code = if random & 1 == 0 { magnitude } else { !magnitude & (2 * half - 1) };
        u32::try_from(code).unwrap()
    };
    (0..8_000).map(|_| code()).collect()
}

fn packed(codes: &[u32], bits: u32, packing: Packing) -> Vec<u8> {
    let (mut octets, mut held, mut count) = (Vec::new(), 0_u32, 0);
    for code in codes {
        match packing {
            Packing::LittleEndian => held |= code << count,
            Packing::BigEndian => held = held << bits | code,
        }
        count += bits;
        while count >= 8 {
            count -= 8;
            match packing {
                Packing::LittleEndian => {
                    octets.push(held.to_le_bytes()[0]);
                    held >>= 8;
                }
                Packing::BigEndian => {
                    octets.push((held >> count).to_le_bytes()[0]);
                    held &= (1 << count) - 1;
                }
            }
        }
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
fn all_rates_and_packings_follow_the_standard_to_the_bit() {
    for (rate, expected) in [
        (Rate::Kbit16, 0xd95d_5737_d097_1e01),
        (Rate::Kbit24, 0x3ba3_37b1_c118_7f71),
        (Rate::Kbit32, 0x1953_f1ea_d53c_6291),
        (Rate::Kbit40, 0x3f08_3ba7_5e9f_2539),
    ] {
        for packing in [Packing::LittleEndian, Packing::BigEndian] {
            let octets = packed(&codes(rate.bits()), rate.bits(), packing);
            let (mut decoder, mut out) = (G726::new(rate, packing), Vec::new());
            // Forty milliseconds a payload: whole octets at every rate.
            for payload in octets.chunks(40 * rate.bits() as usize) {
                decoder.decode(payload, &mut out);
            }
            assert_eq!((out.len(), hash(&out)), (8_000, expected), "{rate:?} {packing:?}");
        }
    }
}

#[test]
fn what_is_too_loud_stays_at_the_end_of_the_scale() {
    let mut decoder = G726::new(Rate::Kbit32, Packing::BigEndian);
    let mut out = Vec::new();
    decoder.decode(&[0x77; 400], &mut out);
    decoder.decode(&[0x88; 400], &mut out);
    assert!(out.contains(&32_767) || out.contains(&-32_768), "{:?}", out.iter().max());
}

#[test]
fn bits_that_are_no_whole_code_give_nothing() {
    let mut out = Vec::new();
    G726::new(Rate::Kbit24, Packing::LittleEndian).decode(&[0, 0], &mut out);
    assert_eq!(out.len(), 5);
    out.clear();
    G726::new(Rate::Kbit40, Packing::BigEndian).decode(&[0], &mut out);
    assert_eq!(out.len(), 1);
}
