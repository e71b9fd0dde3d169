//! Tones in G.711: keys pressed (ITU-T Q.23), and what fax machines begin with (ITU-T T.30, V.21).
//!
//! Listening to every packet would cost more than all the rest of the work on it. So a few packets of
//! each closer look are asked whether they may be a tone, and in the first half minute, when fax machines greet
//! each other, one a second whether it may be theirs; if one is, all packets of the stream are listened to until
//! four seconds have passed without any. What else comes between two looks, which are a minute apart, and ends
//! there, is not heard.

use std::ops::RangeInclusive;

use overhear_parsers::rtp::header::Header;

use crate::model::evidence::FrameRef;
use crate::model::notes::{FaxTone, Tones};
use crate::policy::tones::{
    self, CED, CNG, COLUMNS, DOUBT, HARMONIC, KEY_BLOCKS, LOUD, OTHERS, PATIENCE, PREAMBLE,
    PREAMBLE_SHARE, ROWS, SHARE, TWIST, blocks_down, blocks_up,
};

/// Samples of one block.
const BLOCK: usize = tones::BLOCK as usize;
/// Samples that a packet is judged by in passing.
const GLANCE: usize = 80;

/// What a packet of the preamble is asked for: ten milliseconds hold three of its bits.
const GLANCED: [f32; 3] = [1_650.0, 1_750.0, 1_850.0];

/// Blocks of each tone.
const CED_BLOCKS: u16 = blocks_up(tones::CED_MS - tones::UNHEARD_MS);
const PREAMBLE_BLOCKS: u16 = blocks_up(tones::PREAMBLE_MS);
const CNG_BLOCKS: RangeInclusive<u16> =
    blocks_up(*tones::CNG_ON_MS.start())..=blocks_down(*tones::CNG_ON_MS.end());
const PAUSE_BLOCKS: RangeInclusive<u16> =
    blocks_up(*tones::CNG_OFF_MS.start())..=blocks_down(*tones::CNG_OFF_MS.end());

/// Whether a payload of PCMU or PCMA may be a tone: nearly all of its power is in few frequencies.
pub(super) fn may_be(payload_type: u8, payload: &[u8]) -> bool {
    match sign_changes(payload) {
        14..=32 => stands_out(payload_type, payload, &[&ROWS, &COLUMNS]),
        33..=38 => stands_out(payload_type, payload, &[&GLANCED]),
        41..=44 => stands_out(payload_type, payload, &[&[CED]]),
        _ => false,
    }
}

/// The same of the tones of fax machines alone, for a packet now and then: hardly any voice passes.
pub(super) fn may_be_fax(payload_type: u8, payload: &[u8]) -> bool {
    match sign_changes(payload) {
        21..=23 => stands_out(payload_type, payload, &[&[CNG]]),
        33..=38 => stands_out(payload_type, payload, &[&GLANCED]),
        41..=44 => stands_out(payload_type, payload, &[&[CED]]),
        _ => false,
    }
}

/// How often the sign changes in the beginning of a payload of PCMU or PCMA: twice for each period.
fn sign_changes(payload: &[u8]) -> u32 {
    let (words, _) = payload.get(..GLANCE).unwrap_or_default().as_chunks::<8>();
    // The highest bit is the sign.
    let (mut changes, mut last) = (0, 0_u64);
    for word in words {
        let word = u64::from_be_bytes(*word);
        changes += ((word ^ (word >> 8 | last << 56)) & 0x8080_8080_8080_8080).count_ones();
        last = word;
    }
    changes
}

/// Whether the strongest frequencies of these groups together, or the calling tone beside keys, hold
/// most of the power.
#[cold]
fn stands_out(payload_type: u8, payload: &[u8], groups: &[&[f32]]) -> bool {
    let mut samples = [0.0; GLANCE];
    for (sample, octet) in samples.iter_mut().zip(payload) {
        *sample = linear(payload_type, *octet);
    }
    let all = mean_square(&samples);
    if all < LOUD / 2.0 {
        return false;
    }
    let strongest = |group: &&[f32]| group.iter().map(|f| power(&samples, *f)).fold(0.0, f32::max);
    let several = groups.len() > 1;
    let sum: f32 = groups.iter().map(strongest).sum();
    let calling = if several { power(&samples, CNG) } else { 0.0 };
    sum.max(calling) / 2.0 > all * if several { 0.7 } else { 0.5 }
}

/// Listens to one stream.
#[derive(Debug)]
pub(super) struct Listener {
    samples: [f32; BLOCK],
    filled: usize,
    payload_type: u8,
    next: u16,
    /// Packets since the last tone.
    idle: u16,
    /// The key of the blocks so far, how many there were, and how many without since.
    key: Option<u8>,
    on: u16,
    off: u16,
    ced: Steady,
    preamble: Steady,
    cng: Steady,
    /// Blocks since the last calling tone, if there was one.
    since_cng: Option<u16>,
    began: FrameRef,
    heard: Tones,
}

/// A tone that may drop out for a block or two.
#[derive(Copy, Clone, Debug, Default)]
struct Steady {
    on: u16,
    off: u16,
}

impl Steady {
    /// One more block; gives the length of what has just ended.
    fn block(&mut self, on: bool) -> Option<u16> {
        if on {
            self.on += 1 + self.off;
            self.off = 0;
        } else if self.on > 0 {
            self.off += 1;
            if self.off > 2 {
                return Some(std::mem::take(self).on);
            }
        }
        None
    }
}

impl Listener {
    /// Someone who hears this payload type of a stream from its next packet on.
    pub(super) fn new(payload_type: u8) -> Box<Self> {
        Box::new(Self {
            samples: [0.0; BLOCK],
            filled: 0,
            payload_type,
            next: 0,
            idle: 0,
            key: None,
            on: 0,
            off: 0,
            ced: Steady::default(),
            preamble: Steady::default(),
            cng: Steady::default(),
            since_cng: None,
            began: FrameRef::default(),
            heard: Tones::default(),
        })
    }

    /// The same, of whom a tone is expected at once.
    pub(super) fn doubtful(payload_type: u8) -> Box<Self> {
        let mut listener = Self::new(payload_type);
        listener.idle = PATIENCE.saturating_sub(DOUBT);
        listener
    }

    /// What was heard so far.
    pub(super) const fn heard(&self) -> Tones {
        self.heard
    }

    /// Hears one packet; false when it is not worth while to go on.
    pub(super) fn packet(&mut self, header: &Header<'_>, at: FrameRef) -> bool {
        self.idle += 1;
        if header.payload_type == self.payload_type {
            // A gap ends whatever was going on.
            if header.sequence != self.next {
                self.filled = 0;
            }
            self.next = header.sequence.wrapping_add(1);
            for octet in header.payload {
                if let Some(place) = self.samples.get_mut(self.filled) {
                    *place = linear(self.payload_type, *octet);
                    self.filled += 1;
                }
                if self.filled == BLOCK {
                    self.filled = 0;
                    self.block(at);
                }
            }
        }
        self.idle < PATIENCE
    }

    fn block(&mut self, at: FrameRef) {
        let all = mean_square(&self.samples);
        let loud = all > LOUD / 2.0;
        let key = if loud { key(&self.samples) } else { None };
        let alone = |frequency| loud && power(&self.samples, frequency) / 2.0 > all * SHARE;
        let (ced, cng) = (alone(CED), alone(CNG));
        let band: f32 = PREAMBLE.iter().map(|f| power(&self.samples, *f)).sum();
        let preamble = loud && !ced && band / 2.0 > all * PREAMBLE_SHARE;
        if key.is_some() || ced || cng || preamble {
            self.idle = 0;
        }
        self.keys(key, at);
        self.ced.block(ced);
        self.preamble.block(preamble);
        if self.ced.on >= CED_BLOCKS {
            self.fax(FaxTone::Answering, at);
        }
        if self.preamble.on >= PREAMBLE_BLOCKS {
            self.fax(FaxTone::Preamble, at);
        }
        let since = self.since_cng.map(|blocks| blocks.saturating_add(1));
        self.since_cng = since;
        if let Some(blocks) = self.cng.block(cng).filter(|blocks| CNG_BLOCKS.contains(blocks)) {
            // Counted from the end of one to the end of the next.
            let paused = since.is_some_and(|since| {
                since.checked_sub(blocks).is_some_and(|pause| PAUSE_BLOCKS.contains(&pause))
            });
            if paused {
                self.fax(FaxTone::Calling, at);
            }
            self.since_cng = Some(0);
        }
    }

    fn fax(&mut self, tone: FaxTone, at: FrameRef) {
        if self.heard.fax.is_none() {
            self.heard.fax = Some((tone, at));
        }
    }

    /// A key counts when it was there for two blocks, and again after two without it.
    fn keys(&mut self, key: Option<u8>, at: FrameRef) {
        if key.is_some() && key == self.key {
            self.on += 1;
            self.off = 0;
            if self.on == KEY_BLOCKS {
                if self.heard.digits == 0 {
                    self.heard.first = self.began;
                }
                self.heard.digits = self.heard.digits.saturating_add(1);
                self.heard.last = at;
            }
        } else if key.is_some() {
            (self.key, self.on, self.off, self.began) = (key, 1, 0, at);
        } else {
            self.off += 1;
            if self.off >= KEY_BLOCKS || self.on < KEY_BLOCKS {
                self.key = None;
            }
        }
    }
}

/// The key whose two frequencies a block holds (ITU-T Q.24): both loud enough, not too different, far
/// above the others of their group and above their own second harmonics.
fn key(samples: &[f32]) -> Option<u8> {
    let (row, rows) = strongest(samples, &ROWS)?;
    let (column, columns) = strongest(samples, &COLUMNS)?;
    let twist = columns / rows;
    if !TWIST.contains(&twist) || f32::midpoint(rows, columns) < mean_square(samples) * SHARE {
        return None;
    }
    let harmonic = |frequencies: &[f32; 4], at: usize| {
        frequencies.get(at).map_or(f32::MAX, |f| power(samples, *f * 2.0))
    };
    let clean =
        harmonic(&ROWS, row) * HARMONIC < rows && harmonic(&COLUMNS, column) * HARMONIC < columns;
    clean.then_some(u8::try_from(row * 4 + column).ok()?)
}

/// The strongest of four, if it is loud and 8 dB above the rest.
fn strongest(samples: &[f32], frequencies: &[f32; 4]) -> Option<(usize, f32)> {
    let powers = frequencies.map(|f| power(samples, f));
    let (at, most) = powers.into_iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let others = powers.iter().enumerate().filter(|(other, _)| *other != at);
    let far = others.into_iter().all(|(_, power)| power * OTHERS < most);
    (far && most >= LOUD).then_some((at, most))
}

/// The square of the amplitude of a sine of this frequency (Goertzel's recursion).
#[expect(clippy::cast_precision_loss, reason = "a few hundred samples")]
fn power(samples: &[f32], frequency: f32) -> f32 {
    let twice_cosine = 2.0 * (2.0 * std::f32::consts::PI * frequency / 8_000.0).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        let now = sample + twice_cosine * last - before;
        (before, last) = (last, now);
    }
    let n = samples.len() as f32;
    (before * before + last * last - twice_cosine * before * last) * 4.0 / (n * n)
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred samples")]
fn mean_square(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32
}

/// A sample of PCMU (payload type 0) or PCMA, 16 bits (ITU-T G.711).
fn linear(payload_type: u8, octet: u8) -> f32 {
    let octet = if payload_type == 0 { !octet } else { octet ^ 0x55 };
    let (segment, step) = (i32::from(octet >> 4 & 7), i32::from(octet & 15));
    let magnitude = if payload_type == 0 {
        (((step << 3) + 0x84) << segment) - 0x84
    } else if segment == 0 {
        (step << 4) + 8
    } else {
        ((step << 4) + 0x108) << (segment - 1)
    };
    // In mu-law the inverted sign bit is set for negative values, in A-law for positive ones.
    let negative = (octet & 0x80 != 0) == (payload_type == 0);
    let sample = if negative { -magnitude } else { magnitude };
    i16::try_from(sample).map_or(0.0, f32::from)
}

#[cfg(test)]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "waves made by hand"
)]
mod tests {
    use super::*;
    use crate::model::frame::FrameId;

    /// One second and more of what `wave` says, as PCMU packets of 160 samples.
    fn hear(seconds: usize, wave: impl Fn(f32) -> f32) -> (Tones, usize) {
        let mut listener = Listener::new(0);
        let mut gates = 0;
        for number in 0..u16::try_from(seconds * 50).unwrap() {
            let payload: Vec<u8> = (0..160)
                .map(|i| mu_law(wave(f32::from(number) * 160.0 / 8_000.0 + i as f32 / 8_000.0)))
                .collect();
            gates += usize::from(may_be(0, &payload));
            let header = Header {
                marker: false,
                payload_type: 0,
                sequence: number,
                timestamp: 0,
                ssrc: 1,
                csrc: &[],
                extension: None,
                padding: false,
                payload: &payload,
            };
            let frame = FrameId { source: 0, number: u64::from(number) };
            listener.packet(&header, FrameRef { frame, ..FrameRef::default() });
        }
        (listener.heard(), gates)
    }

    fn mu_law(sample: f32) -> u8 {
        let (sign, sample) = if sample < 0.0 { (0x80, -sample) } else { (0, sample) };
        let magnitude = (sample.min(32_635.0) as i32) + 132;
        let exponent = (0..8).rev().find(|e| magnitude >> (e + 7) != 0).unwrap_or(0);
        !(sign | u8::try_from(exponent << 4 | magnitude >> (exponent + 3) & 15).unwrap())
    }

    fn sine(frequency: f32, at: f32) -> f32 {
        (2.0 * std::f32::consts::PI * frequency * at).sin()
    }

    #[test]
    fn decoding_meets_its_known_points() {
        assert_eq!([linear(0, 0xff), linear(0, 0x80), linear(0, 0x00)], [0.0, 32_124.0, -32_124.0]);
        assert_eq!([linear(8, 0xd5), linear(8, 0xaa), linear(8, 0x2a)], [8.0, 32_256.0, -32_256.0]);
    }

    #[test]
    fn each_key_is_heard_once() {
        for row in ROWS {
            for column in COLUMNS {
                let wave = |at: f32| {
                    let on = at % 0.2 < 0.1;
                    if on { 5_000.0 * (sine(row, at) + sine(column, at)) } else { 0.0 }
                };
                let (heard, gates) = hear(2, wave);
                assert!((9..=10).contains(&heard.digits), "{row} {column}: {}", heard.digits);
                assert!(gates >= 30 && heard.fax.is_none(), "{gates}");
            }
        }
    }

    #[test]
    fn two_tones_that_are_no_key_are_none() {
        let cases: [(f32, f32, f32, f32); 5] = [
            // Only a row; two rows; too faint; too much twist; between two rows.
            (697.0, 5_000.0, 0.0, 0.0),
            (697.0, 5_000.0, 941.0, 5_000.0),
            (697.0, 300.0, 1209.0, 300.0),
            (697.0, 10_000.0, 1209.0, 2_000.0),
            (733.0, 5_000.0, 1209.0, 5_000.0),
        ];
        for (one, loud, other, other_loud) in cases {
            let wave = |at| loud * sine(one, at) + other_loud * sine(other, at);
            assert_eq!(hear(1, wave).0.digits, 0, "{one} {other}");
        }
    }

    #[test]
    fn fax_machines_are_told_by_what_they_begin_with() {
        let fax =
            |seconds, wave: &dyn Fn(f32) -> f32| hear(seconds, wave).0.fax.map(|(tone, _)| tone);
        assert_eq!(fax(3, &|at| 8_000.0 * sine(2_100.0, at)), Some(FaxTone::Answering));
        assert_eq!(fax(1, &|at| 8_000.0 * sine(2_100.0, at)), None);
        let calling = |at: f32| if at % 3.5 < 0.5 { 8_000.0 * sine(1_100.0, at) } else { 0.0 };
        assert_eq!(fax(8, &calling), Some(FaxTone::Calling));
        assert_eq!(fax(3, &calling), None);
        let flags = |at: f32| {
            let bit = (at * 300.0) as usize % 8;
            8_000.0 * sine(if (1..7).contains(&bit) { 1_650.0 } else { 1_850.0 }, at)
        };
        assert_eq!(fax(1, &flags), Some(FaxTone::Preamble));
        assert_eq!(fax(5, &|at| 8_000.0 * sine(425.0, at)), None);
    }

    #[test]
    fn a_voice_is_no_tone() {
        // A buzz with formants that move, as vowels do.
        let wave = |at: f32| {
            let pitch = 120.0 + 30.0 * sine(0.7, at);
            let formant = 600.0 + 250.0 * sine(1.3, at);
            let harmonics = (1..25).map(|n| n as f32 * pitch);
            let sum: f32 =
                harmonics.map(|f| sine(f, at) / (1.0 + ((f - formant) / 120.0).powi(2))).sum();
            5_000.0 * sum
        };
        let (heard, gates) = hear(20, wave);
        assert_eq!((heard.digits, heard.fax), (0, None));
        assert!(gates < 100, "{gates} of 1000 packets");
    }
}
