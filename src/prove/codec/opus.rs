//! Opus (RFC 6716, RFC 7587), one packet a payload, decoded at 48 kHz to one channel. The work is that
//! of the `opus-pure` crate, whose only door this is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use opus_pure::OpusDecoder;

/// Samples a second.
const RATE: i32 = 48_000;

/// Samples of the longest packet: 120 ms (RFC 6716 §3.2.5).
const LONGEST: usize = 48 * 120;

/// A decoder with its state.
#[derive(Default)]
pub struct Opus {
    /// Made with the first packet, and again if a packet upset it.
    inner: Option<Box<OpusDecoder>>,
}

impl std::fmt::Debug for Opus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opus").finish_non_exhaustive()
    }
}

impl Opus {
    /// Appends the samples of one packet: 120 to 5,760. DTX packets of two octets or fewer give
    /// what the decoder makes of them, comfort noise at most; an empty payload gives nothing.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        if payload.is_empty() {
            return;
        }
        let Some(mut decoder) =
            self.inner.take().or_else(|| OpusDecoder::new(RATE, 1).ok().map(Box::new))
        else {
            return;
        };
        let start = out.len();
        out.resize(start.saturating_add(LONGEST), 0);
        let room = out.get_mut(start..).unwrap_or_default();
        // It is young: what it does not survive costs a packet and its state, not the run.
        let done = catch_unwind(AssertUnwindSafe(|| decoder.decode_s16(payload, LONGEST, room)));
        let written = match done {
            Ok(written) => {
                self.inner = Some(decoder);
                written.unwrap_or(0)
            }
            Err(_) => 0,
        };
        out.truncate(start.saturating_add(written.min(LONGEST)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opus_pure::{Application, OpusEncoder};

    #[test]
    fn a_tone_comes_back_as_loud_as_it_was() {
        let mut encoder = OpusEncoder::new(RATE, 1, Application::Voip).unwrap();
        let (mut decoder, mut out) = (Opus::default(), Vec::new());
        for packet in 0..25 {
            let tone = |at: u16| (f32::from(packet * 960 + at) * 0.0576).sin() * 8_000.0;
            let pcm: Vec<f32> = (0..960).map(|at| tone(at) / 32_768.0).collect();
            let mut octets = [0; 1_500];
            let len = encoder.encode(&pcm, 960, &mut octets).unwrap();
            decoder.decode(&octets[..len], &mut out);
        }
        assert_eq!(out.len(), 25 * 960);
        let power: f64 = out[4_800..].iter().map(|s| f64::from(*s).powi(2)).sum();
        let rms = (power / (25.0 * 960.0 - 4_800.0)).sqrt();
        assert!((5_000.0..6_400.0).contains(&rms), "{rms}");
        decoder.decode(&[], &mut out);
        assert_eq!(out.len(), 25 * 960);
    }
}
