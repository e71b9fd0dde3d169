//! Codecs without a decoder here: their frames in the file formats that players know, so that
//! another program can play them.
//!
//! | encoding name | frames, payload format | file |
//! | --- | --- | --- |
//! | G729 | 10 octets for 10 ms, 2 for comfort noise (RFC 3551 §4.5.6) | `.g729`, the frames alone |
//! | G723 | 24, 20 or 4 octets for 30 ms, by the first two bits (RFC 3551 §4.5.3) | `.g723`, the frames alone |
//! | iLBC | 38 octets for 20 ms or 50 for 30 (RFC 3952) | `.lbc` (RFC 3952 §5) |
//! | AMR, AMR-WB | both forms of RFC 4867 §4.3 and §4.4, told apart by their lengths | `.amr`, `.awb` (RFC 4867 §5) |
//! | speex | one frame for 20 ms (RFC 5574) | `.spx`, Ogg |
//!
//! Interleaving, CRCs and robust sorting of RFC 4867, which must be agreed on and hardly ever are, are
//! not read. Comfort noise and frames without data are taken as silence and not stored.

use std::io::{self, Write};

use super::ogg::Ogg;

/// Speech bits of an AMR frame by its type (3GPP TS 26.101 table 1a); type 8 is comfort noise.
const AMR_BITS: [usize; 9] = [95, 103, 118, 134, 148, 159, 204, 244, 39];
/// Of AMR-WB (3GPP TS 26.201 table 2); type 9 is comfort noise.
const AMR_WB_BITS: [usize; 10] = [132, 177, 253, 285, 317, 365, 397, 461, 477, 40];

/// Frames of one payload at most: a packet of 1,500 octets holds no more of the smallest.
const FRAMES: usize = 512;

/// A codec that is decoded elsewhere.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// G.729, annexes A and B.
    G729,
    /// G.723.1.
    G723,
    /// iLBC.
    Ilbc,
    /// AMR, narrowband.
    Amr,
    /// AMR-WB.
    AmrWb,
    /// Speex, at so many samples a second.
    Speex(u32),
}

/// One frame as its file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The octets for the file; empty for silence.
    pub octets: Vec<u8>,
    /// Samples that it stands for.
    pub samples: usize,
}

impl Kind {
    /// The codec of an encoding name.
    pub fn named(name: &str, clock_rate: u32) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        Some(match name.as_str() {
            "G729" | "G729A" | "G729B" | "G729AB" => Self::G729,
            "G723" => Self::G723,
            "ILBC" => Self::Ilbc,
            "AMR" => Self::Amr,
            "AMR-WB" => Self::AmrWb,
            "SPEEX" => Self::Speex(match clock_rate {
                16_000 | 32_000 => clock_rate,
                _ => 8_000,
            }),
            _ => return None,
        })
    }

    /// Its encoding name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::G729 => "G729",
            Self::G723 => "G723",
            Self::Ilbc => "iLBC",
            Self::Amr => "AMR",
            Self::AmrWb => "AMR-WB",
            Self::Speex(_) => "speex",
        }
    }

    /// Samples a second, which is also its RTP clock.
    pub const fn rate(self) -> u32 {
        match self {
            Self::G729 | Self::G723 | Self::Ilbc | Self::Amr => 8_000,
            Self::AmrWb => 16_000,
            Self::Speex(rate) => rate,
        }
    }

    /// The end of its files' names.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::G729 => "g729",
            Self::G723 => "g723",
            Self::Ilbc => "lbc",
            Self::Amr => "amr",
            Self::AmrWb => "awb",
            Self::Speex(_) => "spx",
        }
    }

    /// What ffmpeg calls the file format.
    pub const fn demuxer(self) -> &'static str {
        match self {
            Self::G729 => "g729",
            Self::G723 => "g723_1",
            Self::Ilbc => "ilbc",
            Self::Amr | Self::AmrWb => "amr",
            Self::Speex(_) => "ogg",
        }
    }

    /// The frames of one payload, in order; those before the first that is none.
    pub fn frames(self, payload: &[u8]) -> Vec<Frame> {
        match self {
            Self::G729 => g729(payload),
            Self::G723 => g723(payload),
            Self::Ilbc => ilbc(payload),
            Self::Amr => amr(payload, &AMR_BITS, 160),
            Self::AmrWb => amr(payload, &AMR_WB_BITS, 320),
            Self::Speex(rate) => {
                let samples = usize::try_from(rate / 50).unwrap_or_default();
                vec![Frame { octets: payload.to_vec(), samples }]
            }
        }
    }

    /// A file of `frames`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write<'a>(
        self,
        frames: impl Iterator<Item = &'a Frame>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut frames = frames.filter(|frame| !frame.octets.is_empty()).peekable();
        if let Self::Speex(rate) = self {
            let mut ogg = Ogg::speex(out, rate)?;
            while let Some(frame) = frames.next() {
                ogg.packet(&frame.octets, frame.samples, frames.peek().is_none())?;
            }
            return Ok(());
        }
        out.write_all(match (self, frames.peek().map(|frame| frame.samples)) {
            (Self::Amr, _) => b"#!AMR\n",
            (Self::AmrWb, _) => b"#!AMR-WB\n",
            (Self::Ilbc, Some(240)) => b"#!iLBC30\n",
            (Self::Ilbc, _) => b"#!iLBC20\n",
            _ => b"",
        })?;
        for frame in frames {
            out.write_all(&frame.octets)?;
        }
        Ok(())
    }
}

fn g729(payload: &[u8]) -> Vec<Frame> {
    let (frames, rest) = payload.as_chunks::<10>();
    let mut all: Vec<Frame> =
        frames.iter().map(|octets| Frame { octets: octets.to_vec(), samples: 80 }).collect();
    if rest.len() == 2 {
        all.push(Frame { octets: Vec::new(), samples: 80 });
    }
    all
}

fn g723(mut payload: &[u8]) -> Vec<Frame> {
    let mut all = Vec::new();
    while let Some(first) = payload.first().filter(|_| all.len() < FRAMES) {
        let (length, speech) = match first & 3 {
            0 => (24, true),
            1 => (20, true),
            2 => (4, false),
            _ => (1, false),
        };
        let Some((octets, rest)) = payload.split_at_checked(length) else { break };
        let octets = if speech { octets.to_vec() } else { Vec::new() };
        all.push(Frame { octets, samples: 240 });
        payload = rest;
    }
    all
}

/// Thirty milliseconds are the usual mode, so 950 octets, which may be either, are that.
fn ilbc(payload: &[u8]) -> Vec<Frame> {
    let (length, samples) = if payload.len().is_multiple_of(50) { (50, 240) } else { (38, 160) };
    let frames = payload.chunks_exact(length);
    frames.map(|octets| Frame { octets: octets.to_vec(), samples }).collect()
}

/// The payload in whichever of the two forms its length fits.
fn amr(payload: &[u8], bits: &[usize], samples: usize) -> Vec<Frame> {
    // Octet-aligned: the low half of the first octet and two bits of each further one are zero.
    let aligned = payload.first().is_some_and(|first| first & 0x0f == 0);
    let first = aligned.then(|| amr_form(payload, bits, samples, true)).flatten();
    first.or_else(|| amr_form(payload, bits, samples, false)).unwrap_or_default()
}

/// The payload as octet-aligned, or as bandwidth-efficient; `None` if its length contradicts that.
fn amr_form(payload: &[u8], bits: &[usize], samples: usize, aligned: bool) -> Option<Vec<Frame>> {
    let mut at = Bits { octets: payload, at: 0 };
    at.take(if aligned { 8 } else { 4 })?;
    let mut types = Vec::new();
    loop {
        let entry = at.take(6)?;
        if aligned && at.take(2)? != 0 {
            return None;
        }
        types.push((entry >> 1 & 15, entry & 1));
        if entry & 0x20 == 0 {
            break;
        }
        if types.len() >= FRAMES {
            return None;
        }
    }
    let mut frames = Vec::new();
    for (kind, quality) in types {
        let place = usize::from(kind);
        let length = match bits.get(place) {
            Some(length) => *length,
            None if kind >= 14 => 0,
            None => return None,
        };
        let mut octets = vec![kind << 3 | quality << 2];
        let mut left = length;
        while left > 0 {
            let now = left.min(8);
            octets.push(at.take(now)? << (8 - now));
            left -= now;
        }
        if aligned {
            at.at = at.at.next_multiple_of(8);
        }
        let speech = place + 1 < bits.len();
        frames.push(Frame { octets: if speech { octets } else { Vec::new() }, samples });
    }
    (at.at.next_multiple_of(8) == payload.len() * 8).then_some(frames)
}

/// Octets, bit by bit.
struct Bits<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next bits, up to eight, the first the most significant.
    fn take(&mut self, count: usize) -> Option<u8> {
        let mut value = 0;
        for _ in 0..count {
            let octet = self.octets.get(self.at / 8)?;
            value = value << 1 | octet >> (7 - self.at % 8) & 1;
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests;
