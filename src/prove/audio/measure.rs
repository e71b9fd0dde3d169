//! What can be said of a stream's sound without giving any of it away: how long it is, how much of it
//! is speech, how loud it was when, and a hash that its finder can be held to.

use sha2::{Digest, Sha256};

use super::player::{Player, Stretch};

/// Frames of twenty milliseconds a second.
const FRAMES: u32 = 50;

/// A level is decibels above this, relative to full scale: what 16 bits can tell apart.
const FLOOR: f64 = -96.0;

/// The level from which on a frame counts as speech: -45 dB relative to full scale. A silent line is
/// below -60, a telephone's speech around -26 (ITU-T P.56).
pub const SPEECH: u8 = 51;

/// The measure of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Samples a second.
    pub rate: u32,
    /// Samples, silence included.
    pub samples: u64,
    /// Samples that packets brought.
    pub sound: u64,
    /// SHA-256 of all samples, each in two octets, the lower first: what the WAV file holds.
    pub hash: [u8; 32],
    /// The level of each frame of 20 ms, dB above -96 dB relative to full scale; 0 is silence.
    pub levels: Vec<u8>,
}

impl Measure {
    /// Plays `player` to its end.
    pub fn of(player: &mut Player<'_>) -> Self {
        let (mut hash, mut buffer, mut octets) = (Sha256::new(), Vec::new(), Vec::new());
        let mut measure =
            Self { rate: player.rate(), samples: 0, sound: 0, hash: [0; 32], levels: Vec::new() };
        let frame = usize::try_from((player.rate() / FRAMES).max(1)).unwrap_or(1);
        let (mut power, mut within) = (0.0, 0);
        while let Some(stretch) = player.play(&mut buffer) {
            let len = u64::try_from(buffer.len()).unwrap_or_default();
            measure.samples += len;
            measure.sound += if stretch == Stretch::Sound { len } else { 0 };
            for sample in &buffer {
                octets.extend(sample.to_le_bytes());
                power += f64::from(*sample).powi(2);
                within += 1;
                if within == frame {
                    measure.levels.push(level(power, frame));
                    (power, within) = (0.0, 0);
                }
            }
            hash.update(&octets);
            octets.clear();
            buffer.clear();
        }
        if within > 0 {
            measure.levels.push(level(power, within));
        }
        measure.hash = hash.finalize().into();
        measure
    }

    /// Seconds, silence included.
    pub fn seconds(&self) -> f64 {
        float(self.samples) / f64::from(self.rate.max(1))
    }

    /// Seconds of what packets brought.
    pub fn sound_seconds(&self) -> f64 {
        float(self.sound) / f64::from(self.rate.max(1))
    }

    /// The share of frames, 0 to 1, that count as speech; `None` without any.
    pub fn activity(&self) -> Option<f64> {
        let all = u64::try_from(self.levels.len()).unwrap_or_default();
        let loud = self.levels.iter().filter(|level| **level >= SPEECH).count();
        (all > 0).then(|| float(u64::try_from(loud).unwrap_or_default()) / float(all))
    }
}

/// The SHA-256 of octets, as the 64 digits that everybody writes.
pub fn sha256(octets: &[u8]) -> String {
    hexadecimal(&Sha256::digest(octets))
}

/// The SHA-256 of everything that `input` gives.
///
/// # Errors
/// Those of `input`.
pub fn sha256_of(input: &mut dyn std::io::Read) -> std::io::Result<String> {
    let (mut hash, mut block) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match input.read(&mut block)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            read => hash.update(block.get(..read).unwrap_or_default()),
        }
    }
}

/// Octets as hexadecimal digits.
pub fn hexadecimal(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and 96; frames are short"
)]
fn level(power: f64, samples: usize) -> u8 {
    let mean = power / samples.max(1) as f64 / (32_768.0 * 32_768.0);
    if mean <= 0.0 { 0 } else { (10.0 * mean.log10() - FLOOR).clamp(0.0, -FLOOR).round() as u8 }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_decibels_above_the_floor() {
        assert_eq!(level(0.0, 160), 0);
        assert_eq!(level(160.0 * 32_768.0 * 32_768.0, 160), 96);
        assert_eq!(level(160.0 * 3_276.8 * 3_276.8, 160), 76);
        assert_eq!(level(160.0, 160), 6);
    }

    #[test]
    fn a_hash_is_what_sha256sum_prints() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
        assert_eq!(sha256_of(&mut &b"abc"[..]).unwrap(), abc);
    }
}
