//! G.722 at 64 kbit/s: two sub-bands, an octet for two samples at 16 kHz. The arithmetic is that of the
//! `audio-codec` crate, whose only door this is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audio_codec::Decoder as _;
use audio_codec::g722::G722Decoder;

/// A decoder with its state.
#[derive(Default)]
pub struct G722 {
    inner: G722Decoder,
}

impl std::fmt::Debug for G722 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("G722").finish_non_exhaustive()
    }
}

impl G722 {
    /// Appends two samples for each octet.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        let start = out.len();
        out.resize(start.saturating_add(payload.len().saturating_mul(2)), 0);
        let room = out.get_mut(start..).unwrap_or_default();
        // It is young: what it does not survive costs a packet and its state, not the run.
        let done = catch_unwind(AssertUnwindSafe(|| self.inner.decode_into(payload, room)));
        let written = match done {
            Ok(written) => written.unwrap_or(0),
            Err(_) => {
                *self = Self::default();
                0
            }
        };
        out.truncate(start.saturating_add(written));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
