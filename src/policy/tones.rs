//! What a tone in G.711 is held against: keys (ITU-T Q.23, Q.24) and what fax machines begin with (ITU-T T.30,
//! V.21). Packets are held against it one by one, so configuration does not change it.

use std::ops::RangeInclusive;

use crate::model::finding::Figure;

/// Samples of one block at 8 kHz, 25.6 ms: each of the eight frequencies falls well into its own bin.
pub const BLOCK: u16 = 205;
/// The two groups of frequencies of a key, Hz.
pub const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
/// The other one.
pub const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
/// The answering tone of fax machines, Hz.
pub const CED: f32 = 2_100.0;
/// The calling tone.
pub const CNG: f32 = 1_100.0;
/// Flags at 300 bit/s in the upper channel of V.21 fill this band, Hz.
pub const PREAMBLE: [f32; 7] = [1_600.0, 1_650.0, 1_700.0, 1_750.0, 1_800.0, 1_850.0, 1_900.0];

/// How far below full scale a frequency may be, dB.
pub const LEVEL_DB: u8 = 30;
/// The square of the amplitude of a sine at that level.
pub const LOUD: f32 = 1.07e6;
/// How far above the row the column of a key may be, and how far below it, dB.
pub const TWIST_DB: [u8; 2] = [4, 8];
/// The same, of powers.
pub const TWIST: RangeInclusive<f32> = 0.158..=2.51;
/// How far the others of its group are below a frequency of a key, dB.
pub const OTHERS_DB: u8 = 8;
/// The same, of powers.
pub const OTHERS: f32 = 6.31;
/// How far its second harmonic is, dB.
pub const HARMONIC_DB: u8 = 10;
/// The same, of powers.
pub const HARMONIC: f32 = 10.0;
/// Share of a block's power that its tone has.
pub const SHARE: f32 = 0.7;
/// The same, of the preamble, whose band is wide.
pub const PREAMBLE_SHARE: f32 = 0.6;
/// Blocks in a row that a key lasts, and without it before another one counts: 51 ms each.
pub const KEY_BLOCKS: u16 = 2;

/// How long the answering tone lasts at least, ms (ITU-T T.30 §4.1).
pub const CED_MS: u32 = 2_600;
/// How much of its beginning may not have been heard, ms: a packet a second is asked whether it may be a tone of
/// a fax machine, in the first half minute and unless a closer look is under way, and packets are listened to
/// from then on. The rest must have been heard.
pub const UNHEARD_MS: u32 = 1_000;
/// Packets of a closer look from one that is asked to the next.
pub const GLANCE: u16 = 32;
/// Packets of a stream in which one a second is asked: half a minute of them.
pub const GLANCED: u32 = 1_500;
/// Packets in which a tone must be heard after such a glance.
pub const DOUBT: u16 = 10;
/// How long the calling tone is on, ms: half a second, more or less, of which the beginning may not have been heard.
pub const CNG_ON_MS: RangeInclusive<u32> = 250..=670;
/// How long it is off before it comes again, ms: three seconds, more or less (ITU-T T.30 §4.2).
pub const CNG_OFF_MS: RangeInclusive<u32> = 2_430..=3_590;
/// How much of the preamble's second must be heard, ms (ITU-T T.30 §5.3.1).
pub const PREAMBLE_MS: u32 = 510;
/// Packets without a tone after which nobody listens any more: four seconds.
pub const PATIENCE: u16 = 200;

/// Whole blocks within so many milliseconds, and one more if there is a rest.
pub const fn blocks_up(ms: u32) -> u16 {
    blocks(ms.saturating_mul(8).saturating_add(BLOCK as u32 - 1))
}

/// Whole blocks within so many milliseconds.
pub const fn blocks_down(ms: u32) -> u16 {
    blocks(ms.saturating_mul(8))
}

#[expect(clippy::cast_possible_truncation, reason = "a few seconds are a few hundred blocks")]
const fn blocks(samples: u32) -> u16 {
    (samples / BLOCK as u32) as u16
}

/// The value of this name, as findings and `overhear explain` tell it.
pub fn named(name: &str) -> Option<Figure> {
    let count = |number: u32| Some(Figure::Count(number.into()));
    let list = |frequencies: &[f32]| {
        let all: Vec<String> = frequencies.iter().map(f32::to_string).collect();
        Some(Figure::Text(all.join(", ")))
    };
    let range =
        |ms: RangeInclusive<u32>| Some(Figure::Text(format!("{} to {}", ms.start(), ms.end())));
    let share = |of: f32| Some(Figure::Text(of.to_string()));
    match name {
        "tone_block_samples" => count(BLOCK.into()),
        "tone_level_db_below_full_scale" => count(LEVEL_DB.into()),
        "tone_share" => share(SHARE),
        "dtmf_hz" => list(&[ROWS, COLUMNS].concat()),
        "dtmf_twist_db" => Some(Figure::Text(format!("-{} to +{}", TWIST_DB[1], TWIST_DB[0]))),
        "dtmf_others_db" => count(OTHERS_DB.into()),
        "dtmf_harmonic_db" => count(HARMONIC_DB.into()),
        "dtmf_blocks" => count(KEY_BLOCKS.into()),
        "ced_hz" => list(&[CED]),
        "ced_ms" => count(CED_MS),
        "ced_unheard_ms" => count(UNHEARD_MS),
        "cng_hz" => list(&[CNG]),
        "cng_on_ms" => range(CNG_ON_MS),
        "cng_off_ms" => range(CNG_OFF_MS),
        "preamble_hz" => list(&PREAMBLE),
        "preamble_ms" => count(PREAMBLE_MS),
        "preamble_share" => share(PREAMBLE_SHARE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_what_is_told() {
        let power = |decibels: u8| 10_f64.powf(f64::from(decibels) / 10.0);
        let near = |is: f32, told: f64| (f64::from(is) / told - 1.0).abs() < 0.01;
        assert!(near(OTHERS, power(OTHERS_DB)) && near(HARMONIC, power(HARMONIC_DB)));
        assert!(near(LOUD, 32_768_f64.powi(2) / power(LEVEL_DB)));
        let [above, below] = TWIST_DB.map(power);
        assert!(near(*TWIST.end(), above) && near(*TWIST.start(), below.recip()));
        assert_eq!((blocks_up(CED_MS - UNHEARD_MS), blocks_down(100)), (63, 3));
    }
}
