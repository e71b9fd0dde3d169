//! G.722 at 64 kbit/s (ITU-T G.722): an octet for two samples at 16 kHz.
//!
//! ```text
//! high band 2 | low band 6
//! ```
//!
//! Each band is ADPCM with a predictor of two poles and six zeros (§6.2, blocks 2 to 4); a quadrature
//! mirror filter of 24 taps puts the two together (§5.2). To the bit. The decoder begins in the state of
//! §6.2's reset, in which the scales are 32 and 8 and all the rest is zero. Not here: the modes of 56
//! and 48 kbit/s, which RTP does not carry (RFC 3551 §4.5.2), and the concealment of lost frames.

/// QM6: what a code of the low band stands for, in units of the scale.
const LOW: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192,
    -10_232, -9_360, -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008,
    -3_576, -3_168, -2_776, -2_400, -2_032, -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008,
    16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360, 8_576, 7_856, 7_192, 6_576, 6_000,
    5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360, 1_040, 728, 432,
    136, -432, -136,
];

/// QM4: the same of the upper four bits, which the predictor goes by.
const LOW_ADAPTING: [i32; 16] = [
    0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288,
    4_240, 2_584, 1_200, 0,
];

/// QM2: the same of the high band, for both.
const HIGH: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];

/// WL of RL42: what a code adds to the logarithm of the scale; and WH of RH2.
const LOW_STEPS: [i32; 16] =
    [-60, 3_042, 1_198, 538, 334, 172, 58, -30, 3_042, 1_198, 538, 334, 172, 58, -30, -60];
const HIGH_STEPS: [i32; 4] = [798, -214, 798, -214];

/// ILB: powers of two in 32 steps an octave.
const POWERS: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656,
    2_714, 2_774, 2_834, 2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520,
    3_597, 3_676, 3_756, 3_838, 3_922, 4_008,
];

/// Half of the taps of the filter; the other half are these from behind.
const TAPS: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];

/// What a band rebuilds is held to 15 bits.
const LIMITS: (i32, i32) = (-16_384, 16_383);

/// A decoder with its state.
#[derive(Debug)]
pub struct G722 {
    low: Band,
    high: Band,
    /// The last sums of both bands and their differences, the oldest first.
    sums: [i32; 12],
    differences: [i32; 12],
}

/// One band: its scale and its predictor. Histories have the newest first.
#[derive(Debug, Default)]
struct Band {
    /// NB, and what it may be at most.
    log_scale: i32,
    most: i32,
    /// How far the powers are shifted.
    shift: i32,
    /// DET.
    scale: i32,
    /// R and P: the signal, and what zeros and difference make of it.
    rebuilt: [i32; 2],
    partial: [i32; 2],
    /// A and B.
    poles: [i32; 2],
    zeros: [i32; 6],
    /// D.
    differences: [i32; 6],
    /// SZ and S: what the zeros predict, and all of it.
    by_zeros: i32,
    predicted: i32,
}

impl Default for G722 {
    fn default() -> Self {
        Self {
            low: Band { scale: 32, shift: 8, most: 18_432, ..Band::default() },
            high: Band { scale: 8, shift: 10, most: 22_528, ..Band::default() },
            sums: [0; 12],
            differences: [0; 12],
        }
    }
}

impl G722 {
    /// Appends two samples for each octet.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        for octet in payload {
            let (code, adapting) = (octet & 63, octet >> 2 & 15);
            let low = self.low.rebuild(at(&LOW, code));
            self.low.adapt(at(&LOW_ADAPTING, adapting), at(&LOW_STEPS, adapting));
            let code = octet >> 6;
            let high = self.high.rebuild(at(&HIGH, code));
            self.high.adapt(at(&HIGH, code), at(&HIGH_STEPS, code));
            out.extend(self.together(low, high));
        }
    }

    /// The quadrature mirror filter (§5.2): the two samples that one of each band makes.
    fn together(&mut self, low: i32, high: i32) -> [i16; 2] {
        self.sums.rotate_left(1);
        self.differences.rotate_left(1);
        let ([.., sum], [.., difference]) = (&mut self.sums, &mut self.differences);
        (*sum, *difference) = (low + high, low - high);
        let first = self.differences.iter().zip(TAPS.iter().rev()).map(|(of, tap)| of * tap);
        let second = self.sums.iter().zip(&TAPS).map(|(of, tap)| of * tap);
        [first.sum::<i32>(), second.sum()].map(|sum| narrow(sum >> 11))
    }
}

impl Band {
    /// Blocks 5 and 6: the sample that a code stands for.
    fn rebuild(&self, quantised: i32) -> i32 {
        (self.predicted + self.scaled(quantised)).clamp(LIMITS.0, LIMITS.1)
    }

    fn scaled(&self, quantised: i32) -> i32 {
        (self.scale * quantised) >> 15
    }

    /// Blocks 2 to 4: the scale and the predictor follow the code.
    fn adapt(&mut self, quantised: i32, step: i32) {
        let difference = self.scaled(quantised);
        self.log_scale = (((self.log_scale * 127) >> 7) + step).clamp(0, self.most);
        let power = at(&POWERS, u8::try_from(self.log_scale >> 6 & 31).unwrap_or_default());
        let down = self.shift - (self.log_scale >> 11);
        self.scale = (if down < 0 { power << -down } else { power >> down }) << 2;

        let rebuilt = saturated(self.predicted + difference);
        let partial = saturated(self.by_zeros + difference);
        self.adapt_poles(partial);
        self.adapt_zeros(difference);

        let [before, ..] = self.rebuilt;
        self.rebuilt = [rebuilt, before];
        let [before, ..] = self.partial;
        self.partial = [partial, before];
        self.differences.rotate_right(1);
        let [newest, ..] = &mut self.differences;
        *newest = difference;
        let by_poles = filtered(&self.poles, &self.rebuilt);
        self.by_zeros = filtered(&self.zeros, &self.differences);
        self.predicted = saturated(by_poles + self.by_zeros);
    }

    /// UPPOL1 and UPPOL2.
    fn adapt_poles(&mut self, partial: i32) {
        let ([first, second], [one, two]) = (self.poles, self.partial);
        let alike = |before: i32| (before < 0) == (partial < 0);
        let fourfold = saturated(first << 2);
        let drawn = if alike(one) { saturated(-fourfold) } else { fourfold } >> 7;
        let pushed = if alike(two) { 128 } else { -128 };
        let second = (pushed + drawn + ((second * 32_512) >> 15)).clamp(-12_288, 12_288);
        let pushed = if alike(one) { 192 } else { -192 };
        let most = 15_360 - second;
        let first = saturated(pushed + leaked(first)).clamp(-most, most);
        self.poles = [first, second];
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        let push = if difference == 0 { 0 } else { 128 };
        for (zero, before) in self.zeros.iter_mut().zip(self.differences) {
            let alike = (before < 0) == (difference < 0);
            *zero = saturated(leaked(*zero) + if alike { push } else { -push });
        }
    }
}

/// FILTEP and FILTEZ: a history under its coefficients, the oldest first.
fn filtered<const N: usize>(coefficients: &[i32; N], history: &[i32; N]) -> i32 {
    let products = coefficients.iter().zip(history).rev();
    let products = products.map(|(by, of)| (by * saturated(of << 1)) >> 15);
    products.fold(0, |sum, product| saturated(sum + product))
}

/// A coefficient that slowly forgets.
const fn leaked(coefficient: i32) -> i32 {
    (coefficient * 32_640) >> 15
}

fn saturated(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}

fn narrow(value: i32) -> i16 {
    i16::try_from(saturated(value)).unwrap_or_default()
}

fn at<const N: usize>(table: &[i32; N], place: u8) -> i32 {
    table.get(usize::from(place)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random octets, which drive every part into its limits.
    fn octets() -> Vec<u8> {
        let mut state = 1_u64;
        (0..3_960)
            .map(|_| {
                state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
                (state >> 16).to_le_bytes()[0]
            })
            .collect()
    }

    /// FNV-1a over the samples.
    fn hash(samples: &[i16]) -> u64 {
        samples.iter().fold(0xcbf2_9ce4_8422_2325, |hash, sample| {
            (hash ^ u64::from(sample.cast_unsigned())).wrapping_mul(0x100_0000_01b3)
        })
    }

    /// The hash is that of ffmpeg's output for the same octets.
    #[test]
    fn any_octets_are_decoded_to_the_bit_from_the_first_one_on() {
        let (mut decoder, mut out) = (G722::default(), Vec::new());
        for payload in octets().chunks(160) {
            decoder.decode(payload, &mut out);
        }
        assert_eq!((out.len(), hash(&out)), (7_920, 0x3000_5aa9_22de_d6fa));
    }

    #[test]
    fn an_octet_is_two_samples_and_silence_is_quiet() {
        let (mut decoder, mut out) = (G722::default(), vec![7]);
        decoder.decode(&[0xfa; 160], &mut out);
        assert_eq!(out.len(), 321);
        assert!(out.iter().all(|sample| sample.unsigned_abs() < 64), "{out:?}");
        decoder.decode(&[], &mut out);
        assert_eq!(out.len(), 321);
    }
}
