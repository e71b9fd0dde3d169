//! GSM full rate, RPE-LTP (ETSI EN 300 961, GSM 06.10): 33 octets for 160 samples at 8 kHz.
//!
//! ```text
//! 1101 | LAR 6 6 5 5 4 4 3 3 | four times: lag 7, gain 2, grid 2, block maximum 6, 13 pulses of 3
//! ```
//!
//! Bits in network order behind a mark of four (RFC 3551 §4.5.8). A frame goes the way of §5.3: pulses
//! are made louder and put on their grid, the long-term predictor adds what was a pitch period ago, a
//! lattice filter of eight sections gives it the shape of the mouth, and a last filter takes back the
//! emphasis. All in the 16-bit fractions of §5.1, to the bit. Not here: frames of GSM half rate
//! and enhanced full rate, and the bad-frame substitution of GSM 06.11.

use std::array;

/// Octets of a frame.
const FRAME: usize = 33;
/// What a frame begins with.
const MARK: u32 = 0xd;
/// Samples of a quarter frame.
const QUARTER: usize = 40;
/// How far back the long-term predictor looks.
const LAGS: std::ops::RangeInclusive<u32> = 40..=120;

/// How a log area ratio is coded (tables 3.1 and 4.1): bits, smallest code, offset, and one over
/// the step in units of 2^-19.
#[derive(Copy, Clone)]
struct Ratio {
    bits: u32,
    least: i16,
    offset: i16,
    inverse: i16,
}

const fn ratio(bits: u32, least: i16, offset: i16, inverse: i16) -> Ratio {
    Ratio { bits, least, offset, inverse }
}

const RATIOS: [Ratio; 8] = [
    ratio(6, -32, 0, 13_107),
    ratio(6, -32, 0, 13_107),
    ratio(5, -16, 2_048, 13_107),
    ratio(5, -16, -2_560, 13_107),
    ratio(4, -8, 94, 19_223),
    ratio(4, -8, -1_792, 17_476),
    ratio(3, -4, -341, 31_454),
    ratio(3, -4, -1_144, 29_708),
];

/// QLB: gains of the long-term predictor.
const GAINS: [i16; 4] = [3_277, 11_469, 21_299, 32_767];

/// FAC: normalised block maxima.
const MAXIMA: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];

/// Where in a frame the coefficients change, and how many quarters of the new ones count before.
const BLEND: [(usize, i16); 4] = [(13, 1), (27, 2), (40, 3), (160, 4)];

/// A decoder with its state.
#[derive(Debug)]
pub struct Gsm {
    /// The excitation of the last 120 samples, the newest last.
    past: [i16; 120],
    /// The lag of the last quarter.
    lag: u32,
    /// The log area ratios of the last frame.
    ratios: [i16; 8],
    /// The lattice filter.
    lattice: [i16; 9],
    /// The last output of the de-emphasis.
    emphasis: i16,
}

impl Default for Gsm {
    fn default() -> Self {
        Self { past: [0; 120], lag: 40, ratios: [0; 8], lattice: [0; 9], emphasis: 0 }
    }
}

impl Gsm {
    /// Appends 160 samples for each frame. What is no frame, or too short for one, gives none.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        let (frames, _) = payload.as_chunks::<FRAME>();
        for frame in frames {
            let mut bits = Bits { octets: frame, at: 0 };
            if bits.take(4) == MARK {
                self.frame(&mut bits, out);
            }
        }
    }

    fn frame(&mut self, bits: &mut Bits<'_>, out: &mut Vec<i16>) {
        let ratios = RATIOS.map(|ratio| ratio.decode(bits.take(ratio.bits)));
        let mut excitation = [0; 160];
        for quarter in excitation.as_chunks_mut::<QUARTER>().0 {
            *quarter = self.quarter(bits);
        }
        let last = std::mem::replace(&mut self.ratios, ratios);
        let mut from = 0;
        for (until, quarters) in BLEND {
            let blended = array::from_fn(|place| {
                let at = |of: &[i16; 8]| of.get(place).copied().unwrap_or_default();
                reflection(blend(at(&last), at(&ratios), quarters))
            });
            for pulse in excitation.get(from..until).unwrap_or_default() {
                out.push(self.shaped(*pulse, &blended));
            }
            from = until;
        }
    }

    /// §5.3.1, §5.3.2: the excitation of a quarter frame.
    fn quarter(&mut self, bits: &mut Bits<'_>) -> [i16; QUARTER] {
        let (lag, gain, grid, maximum) = (bits.take(7), bits.take(2), bits.take(2), bits.take(6));
        if LAGS.contains(&lag) {
            self.lag = lag;
        }
        let (exponent, mantissa) = block_maximum(maximum);
        let mut excitation = [0; QUARTER];
        for pulse in 0..13_u32 {
            let value = amplitude(bits.take(3), exponent, mantissa);
            if let Some(place) = excitation.get_mut(index(grid + 3 * pulse)) {
                *place = value;
            }
        }
        let gain = GAINS.get(index(gain)).copied().unwrap_or_default();
        let back = self.past.len().saturating_sub(index(self.lag));
        for (sample, before) in excitation.iter_mut().zip(self.past.iter().skip(back)) {
            *sample = sample.saturating_add(product(gain, *before));
        }
        self.past.rotate_left(QUARTER);
        for (place, sample) in self.past.iter_mut().rev().zip(excitation.iter().rev()) {
            *place = *sample;
        }
        excitation
    }

    /// §5.3.4, §5.3.5: one sample through the lattice, de-emphasis and the last rounding.
    fn shaped(&mut self, pulse: i16, reflection: &[i16; 8]) -> i16 {
        let [lattice @ .., _] = self.lattice;
        let mut next = self.lattice;
        let mut sample = pulse;
        let (_, ahead) = next.split_at_mut(1);
        let sections = reflection.iter().zip(&lattice).zip(ahead);
        for ((coefficient, before), after) in sections.rev() {
            sample = sample.saturating_sub(product(*coefficient, *before));
            *after = before.saturating_add(product(*coefficient, sample));
        }
        let [first, ..] = &mut next;
        *first = sample;
        self.lattice = next;
        self.emphasis = sample.saturating_add(product(self.emphasis, 28_180));
        self.emphasis.saturating_add(self.emphasis) & !7
    }
}

impl Ratio {
    /// §5.2.8: the coded log area ratio as a number.
    fn decode(self, code: u32) -> i16 {
        let code = i16::try_from(code).unwrap_or_default();
        let value = code.saturating_add(self.least) << 10;
        let value = product(self.inverse, value.saturating_sub(self.offset << 1));
        value.saturating_add(value)
    }
}

/// §5.2.9.1: `quarters` of the new ratio, the rest of the old one.
const fn blend(old: i16, new: i16, quarters: i16) -> i16 {
    match quarters {
        1 => (old >> 2).saturating_add(new >> 2).saturating_add(old >> 1),
        2 => (old >> 1).saturating_add(new >> 1),
        3 => (old >> 2).saturating_add(new >> 2).saturating_add(new >> 1),
        _ => new,
    }
}

/// §5.2.9.2: a log area ratio as a reflection coefficient.
const fn reflection(ratio: i16) -> i16 {
    let size = ratio.saturating_abs();
    let size = match size {
        ..11_059 => size << 1,
        11_059..20_070 => size + 11_059,
        _ => (size >> 2).saturating_add(26_112),
    };
    if ratio < 0 { -size } else { size }
}

/// §5.2.15: exponent (-4 to 6) and mantissa (0 to 7) of a coded block maximum.
const fn block_maximum(code: u32) -> (i32, u32) {
    let mut exponent = if code > 15 { (code >> 3).cast_signed() - 1 } else { 0 };
    let mut mantissa = if code > 15 { code - (exponent.cast_unsigned() << 3) } else { code };
    if mantissa == 0 {
        return (-4, 7);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent -= 1;
    }
    (exponent, mantissa - 8)
}

/// §5.2.16: a coded pulse as loud as its block.
fn amplitude(code: u32, exponent: i32, mantissa: u32) -> i16 {
    let factor = MAXIMA.get(index(mantissa)).copied().unwrap_or_default();
    let code = i16::try_from(code).unwrap_or_default();
    let shift = 6 - exponent;
    let rounding = if shift > 0 { 1_i16 << (shift - 1).min(14) } else { 0 };
    product(factor, ((code << 1) - 7) << 12).saturating_add(rounding) >> shift.clamp(0, 15)
}

/// The product of two fractions, rounded (§5.1, `mult_r`).
fn product(a: i16, b: i16) -> i16 {
    let rounded = (i32::from(a) * i32::from(b) + 16_384) >> 15;
    // -1 times -1 alone does not fit.
    i16::try_from(rounded).unwrap_or(i16::MAX)
}

/// The octets of a frame, bit by bit.
struct Bits<'a> {
    octets: &'a [u8; FRAME],
    at: u32,
}

impl Bits<'_> {
    /// The next `count` bits, the first the most significant.
    fn take(&mut self, count: u32) -> u32 {
        let mut value = 0;
        for _ in 0..count {
            let octet = self.octets.get(index(self.at / 8)).copied().unwrap_or_default();
            value = value << 1 | u32::from(octet >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        value
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
