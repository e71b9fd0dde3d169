//! G.726: adaptive differential PCM at 16, 24, 32 and 40 kbit/s, two to five bits a sample at 8 kHz.
//!
//! ```text
//! code ─> inverse quantiser ─ dq ─> (+) ─ sr ─> sample
//!              ^ y                   ^ se
//!         step size             predictor: 6 zeros (b, of dq), 2 poles (a, of sr)
//! ```
//!
//! After ITU-T G.726 §3 and the blocks of §4.2, named in the comments, whose integers are followed
//! to the bit; what comes out is the decoder's reconstructed signal `SR` (14 bits) brought to 16,
//! without the synchronous coding adjustment, which matters only when the samples are coded again.
//! Codes are packed from the least significant bit on (RFC 3551 §4.5.4), or from the most
//! significant one as ATM does it (ITU-T I.366.2 annex E).

use std::array;

/// Bits a sample.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Two.
    Kbit16,
    /// Three.
    Kbit24,
    /// Four.
    Kbit32,
    /// Five.
    Kbit40,
}

/// Which bits of an octet are the first code.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Packing {
    /// The least significant: `G726-32`.
    LittleEndian,
    /// The most significant: `AAL2-G726-32`.
    BigEndian,
}

/// What the standard tabulates for each magnitude of a code (§3.3 to §3.5).
#[derive(Copy, Clone, Debug)]
struct Level {
    /// DQLN: the logarithm of the difference, 7 bits behind the point.
    difference: i32,
    /// WI: what it does to the step size.
    weight: i32,
    /// FI: what it says about how fast the signal changes.
    change: i32,
}

const fn level(difference: i32, weight: i32, change: i32) -> Level {
    Level { difference, weight, change }
}

const KBIT16: [Level; 2] = [level(116, -22, 0), level(365, 439, 7)];

const KBIT24: [Level; 4] =
    [level(-2_048, -4, 0), level(135, 30, 1), level(273, 137, 2), level(373, 582, 7)];

const KBIT32: [Level; 8] = [
    level(-2_048, -12, 0),
    level(4, 18, 0),
    level(135, 41, 0),
    level(213, 64, 1),
    level(273, 112, 1),
    level(323, 198, 1),
    level(373, 355, 3),
    level(425, 1_122, 7),
];

const KBIT40: [Level; 16] = [
    level(-2_048, 14, 0),
    level(-66, 14, 0),
    level(28, 24, 0),
    level(104, 39, 0),
    level(169, 40, 0),
    level(224, 41, 1),
    level(274, 58, 1),
    level(318, 100, 1),
    level(358, 141, 1),
    level(395, 179, 1),
    level(429, 219, 2),
    level(459, 280, 3),
    level(488, 358, 4),
    level(514, 440, 5),
    level(539, 529, 6),
    level(566, 696, 6),
];

impl Rate {
    const fn bits(self) -> u32 {
        match self {
            Self::Kbit16 => 2,
            Self::Kbit24 => 3,
            Self::Kbit32 => 4,
            Self::Kbit40 => 5,
        }
    }

    const fn levels(self) -> &'static [Level] {
        match self {
            Self::Kbit16 => &KBIT16,
            Self::Kbit24 => &KBIT24,
            Self::Kbit32 => &KBIT32,
            Self::Kbit40 => &KBIT40,
        }
    }

    /// How slowly the zeros forget, as a shift (UPB).
    const fn leak(self) -> u32 {
        match self {
            Self::Kbit40 => 9,
            Self::Kbit16 | Self::Kbit24 | Self::Kbit32 => 8,
        }
    }
}

/// A number as the multipliers of the predictor take it: 4 bits of exponent, 6 of mantissa.
#[derive(Copy, Clone, Debug)]
struct Float {
    negative: bool,
    exponent: u32,
    mantissa: i32,
}

impl Float {
    const ZERO: Self = Self { negative: false, exponent: 0, mantissa: 32 };

    /// FLOATA, FLOATB, and the first half of FMULT.
    fn of(negative: bool, magnitude: i32) -> Self {
        let exponent = i32::BITS - magnitude.leading_zeros();
        let mantissa = if magnitude == 0 { 32 } else { (magnitude << 6) >> exponent };
        Self { negative, exponent, mantissa }
    }

    /// FMULT: a coefficient (14 bits behind the point) times this.
    fn times(self, coefficient: i32) -> i32 {
        let reduced = coefficient >> 2;
        let other = Self::of(reduced < 0, reduced.abs() & 8_191);
        let exponent = self.exponent + other.exponent;
        let mantissa = (self.mantissa * other.mantissa + 48) >> 4;
        let magnitude = if exponent <= 26 {
            (mantissa << 7) >> (26 - exponent)
        } else {
            ((mantissa << 7) << (exponent - 26)) & 32_767
        };
        if self.negative == other.negative { magnitude } else { -magnitude }
    }
}

/// A decoder with its state; names in capitals are those of the standard.
#[derive(Debug)]
pub struct G726 {
    rate: Rate,
    packing: Packing,
    /// YU: the fast step size, 9 bits behind the point.
    fast: i32,
    /// YL: the slow one, 15 bits behind the point.
    slow: i32,
    /// DMS and DML: short and long mean of how fast the signal changes.
    means: [i32; 2],
    /// AP: which of the two step sizes counts for how much.
    speed: i32,
    /// A1 and A2.
    poles: [i32; 2],
    /// B1 to B6.
    zeros: [i32; 6],
    /// DQ1 to DQ6.
    differences: [Float; 6],
    /// SR1 and SR2.
    signals: [Float; 2],
    /// PK1 and PK2: whether the partly reconstructed signal was negative.
    partly: [bool; 2],
    /// TD: the signal may be that of a modem.
    tone: bool,
}

impl G726 {
    /// A decoder in its initial state.
    pub const fn new(rate: Rate, packing: Packing) -> Self {
        Self {
            rate,
            packing,
            fast: 544,
            slow: 34_816,
            means: [0; 2],
            speed: 0,
            poles: [0; 2],
            zeros: [0; 6],
            differences: [Float::ZERO; 6],
            signals: [Float::ZERO; 2],
            partly: [false; 2],
            tone: false,
        }
    }

    /// Appends a sample for each whole code.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        let bits = self.rate.bits();
        let mask = (1_u32 << bits) - 1;
        let (mut held, mut waiting) = (0_u32, 0);
        for octet in payload {
            match self.packing {
                Packing::LittleEndian => held |= u32::from(*octet) << waiting,
                Packing::BigEndian => held = (held << 8 | u32::from(*octet)) & 0xffff,
            }
            waiting += 8;
            while waiting >= bits {
                waiting -= bits;
                let code = match self.packing {
                    Packing::LittleEndian => {
                        let code = held & mask;
                        held >>= bits;
                        code
                    }
                    Packing::BigEndian => held >> waiting & mask,
                };
                out.push(self.sample(code));
            }
        }
    }

    /// One code, one sample.
    fn sample(&mut self, code: u32) -> i16 {
        let negative = code >> (self.rate.bits() - 1) != 0;
        let half = (1 << (self.rate.bits() - 1)) - 1;
        // A negative code is the complement of the positive one.
        let place = if negative { !code & half } else { code & half };
        let place = usize::try_from(place).unwrap_or_default();
        let level = self.rate.levels().get(place).copied().unwrap_or(level(0, 0, 0));
        let step = self.step();
        let magnitude = antilog(level.difference + (step >> 2));
        let difference = if negative { -magnitude } else { magnitude };
        let (all, zeros_only) = self.predicted();
        // ADDB, ADDC: 16 bits, as everything here.
        let signal = wrapped(all + difference);
        let partly = wrapped(zeros_only + difference);
        let modem = self.tone && magnitude > self.threshold();
        self.adapt_predictor(negative, magnitude, partly, modem);
        self.remember(negative, magnitude, signal, partly);
        self.adapt_step(step, level, modem);
        i16::try_from((signal * 4).clamp(-32_768, 32_767)).unwrap_or_default()
    }

    /// LIMA, MIX: the step size of this sample, 9 bits behind the point.
    fn step(&self) -> i32 {
        let share = if self.speed >= 256 { 64 } else { self.speed >> 2 };
        let slow = self.slow >> 6;
        // The product is one of magnitudes: it is cut towards zero.
        slow + (self.fast - slow) * share / 64
    }

    /// FMULT, ACCUM: the estimate by zeros and poles (SE), and by the zeros alone (SEZ).
    fn predicted(&self) -> (i32, i32) {
        let product = |(value, coefficient): (&Float, &i32)| value.times(*coefficient);
        let zeros: i32 = self.differences.iter().zip(&self.zeros).map(product).sum();
        let poles: i32 = self.signals.iter().zip(&self.poles).map(product).sum();
        (wrapped(zeros + poles) >> 1, wrapped(zeros) >> 1)
    }

    /// TRANS: three quarters of a few step sizes; more is the jump of a modem's signal.
    fn threshold(&self) -> i32 {
        let whole = self.slow >> 15;
        let limit = if whole > 9 { 31_744 } else { (32 + (self.slow >> 10 & 31)) << whole };
        (limit + (limit >> 1)) >> 1
    }

    /// UPA1, UPA2, UPB, LIMC, LIMD, TRIGB.
    fn adapt_predictor(&mut self, negative: bool, magnitude: i32, partly: i32, modem: bool) {
        if modem {
            self.poles = [0; 2];
            self.zeros = [0; 6];
            self.tone = false;
            return;
        }
        let sign = |same: bool| if same { 1 } else { -1 };
        let [first, second] = self.poles;
        let (mut towards_first, mut towards_second) = (0, 0);
        if partly != 0 {
            let [before, earlier] = self.partly.map(|other| sign(other == (partly < 0)));
            towards_first = 192 * before;
            let bounded = first.clamp(-8_191, 8_191) << 2;
            towards_second = (16_384 * earlier - bounded * before) >> 7;
        }
        let second = (second + towards_second - (second >> 7)).clamp(-12_288, 12_288);
        let bound = 15_360 - second;
        let first = (first + towards_first - (first >> 8)).clamp(-bound, bound);
        self.poles = [first, second];
        for (zero, other) in self.zeros.iter_mut().zip(&self.differences) {
            let towards = if magnitude == 0 { 0 } else { 128 * sign(other.negative == negative) };
            *zero += towards - (*zero >> self.rate.leak());
        }
        self.tone = second < -11_776;
    }

    /// The delays of the predictor.
    fn remember(&mut self, negative: bool, magnitude: i32, signal: i32, partly: i32) {
        let newest = Float::of(negative, magnitude);
        let before = self.differences;
        self.differences = array::from_fn(|place| match place.checked_sub(1) {
            Some(earlier) => before.get(earlier).copied().unwrap_or(Float::ZERO),
            None => newest,
        });
        let [last, _] = self.signals;
        self.signals = [Float::of(signal < 0, signal.abs() & 32_767), last];
        let [last, _] = self.partly;
        self.partly = [partly < 0, last];
    }

    /// FUNCTW, FILTD, LIMB, FILTE; FUNCTF, FILTA, FILTB, SUBTC, FILTC, TRIGA.
    fn adapt_step(&mut self, step: i32, level: Level, modem: bool) {
        self.fast = (step + (((level.weight << 5) - step) >> 5)).clamp(544, 5_120);
        self.slow += self.fast + (-self.slow >> 6);
        let [short, long] = &mut self.means;
        *short += ((level.change << 9) - *short) >> 5;
        *long += ((level.change << 11) - *long) >> 7;
        let changing = ((*short << 2) - *long).abs() >= *long >> 3;
        self.speed = if modem {
            256
        } else {
            let target = if changing || step < 1_536 || self.tone { 512 } else { 0 };
            self.speed + ((target - self.speed) >> 4)
        };
    }
}

/// ANTILOG: a logarithm with 7 bits behind the point as a number; 0 for a negative one.
fn antilog(logarithm: i32) -> i32 {
    if logarithm < 0 {
        return 0;
    }
    let (exponent, mantissa) = (logarithm >> 7 & 15, logarithm & 127);
    ((128 + mantissa) << 7) >> (14 - exponent).max(0)
}

/// The value of the lowest 16 bits.
#[expect(clippy::cast_possible_truncation, reason = "that is what is meant")]
const fn wrapped(value: i32) -> i32 {
    value as i16 as i32
}

#[cfg(test)]
mod tests;
