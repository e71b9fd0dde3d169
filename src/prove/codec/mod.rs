//! The codecs of telephony, from RTP payload to 16-bit samples.
//!
//! | encoding name (RFC 3551 §6, §4.5) | decoder | samples a second |
//! | --- | --- | --- |
//! | PCMU, PCMA | [`g711`], tables of our own | 8,000 |
//! | G722 | [`g722`], our own | 16,000, though its RTP clock says 8,000 |
//! | G726-16 to -40, AAL2-G726-16 to -40, G721 | [`g726`], our own | 8,000 |
//! | GSM | [`gsm`], our own | 8,000 |
//! | opus | [`opus`], the `opus-pure` crate | 48,000 |
//! | L16 | [`l16`], network order | its clock rate |
//!
//! Every decoder gives one channel: what a packet carries in two is mixed. A payload that is no
//! frame of its codec gives no samples; no octets make a decoder stop. Which codec a payload type
//! stands for, and where in time its samples belong, is decided by [`super::audio`]. What has no
//! decoder here is in [`super::audio::container`].

pub mod g711;
pub mod g722;
pub mod g726;
pub mod gsm;
pub mod l16;
pub mod opus;

use g711::Law;
use g722::G722;
use g726::{G726, Packing, Rate};
use gsm::Gsm;
use l16::L16;
use opus::Opus;

/// A decoder with its state: one for each run of a stream.
#[derive(Debug)]
pub enum Decoder {
    /// G.711.
    G711(Law),
    /// G.722.
    G722(Box<G722>),
    /// G.726.
    G726(Box<G726>),
    /// GSM 06.10, full rate.
    Gsm(Box<Gsm>),
    /// Opus.
    Opus(Box<Opus>),
    /// Linear 16-bit samples.
    L16(L16),
}

impl Decoder {
    /// The decoder of an encoding name, compared without case; `clock_rate` and `channels` matter
    /// to L16 only. `None` for what is not decoded here.
    pub fn named(name: &str, clock_rate: u32, channels: u16) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        Some(match name.as_str() {
            "PCMU" => Self::G711(Law::Mu),
            "PCMA" => Self::G711(Law::A),
            "G722" => Self::G722(Box::default()),
            "GSM" => Self::Gsm(Box::default()),
            "OPUS" => Self::Opus(Box::default()),
            "L16" => Self::L16(L16::new(clock_rate, channels)),
            // The number that G.726 at 32 kbit/s had before (RFC 3551 §6).
            "G721" => Self::G726(Box::new(G726::new(Rate::Kbit32, Packing::LittleEndian))),
            _ => return Self::adaptive(&name),
        })
    }

    /// G726-32 and the like (RFC 3551 §4.5.4), AAL2-G726-32 and the like.
    fn adaptive(name: &str) -> Option<Self> {
        let (packing, rest) = match name.strip_prefix("AAL2-") {
            Some(rest) => (Packing::BigEndian, rest),
            None => (Packing::LittleEndian, name),
        };
        let rate = match rest.strip_prefix("G726-")? {
            "16" => Rate::Kbit16,
            "24" => Rate::Kbit24,
            "32" => Rate::Kbit32,
            "40" => Rate::Kbit40,
            _ => return None,
        };
        Some(Self::G726(Box::new(G726::new(rate, packing))))
    }

    /// Appends the samples of one payload to `out`. A payload that is no frame of the codec gives
    /// fewer samples, or none.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        match self {
            Self::G711(law) => law.decode(payload, out),
            Self::G722(decoder) => decoder.decode(payload, out),
            Self::G726(decoder) => decoder.decode(payload, out),
            Self::Gsm(decoder) => decoder.decode(payload, out),
            Self::Opus(decoder) => decoder.decode(payload, out),
            Self::L16(decoder) => decoder.decode(payload, out),
        }
    }

    /// Samples a second of what comes out.
    pub fn rate(&self) -> u32 {
        match self {
            Self::G711(_) | Self::G726(_) | Self::Gsm(_) => 8_000,
            Self::G722(_) => 16_000,
            Self::Opus(_) => 48_000,
            Self::L16(decoder) => decoder.rate(),
        }
    }

    /// Ticks of the RTP clock a second. G.722's is half its sampling rate for the sake of an old
    /// mistake (RFC 3551 §4.5.2), Opus always counts in 48 kHz (RFC 7587 §4.1).
    pub fn clock_rate(&self) -> u32 {
        match self {
            Self::G722(_) => 8_000,
            _ => self.rate(),
        }
    }

    /// Channels of what comes out: always one.
    pub const fn channels(&self) -> u16 {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 14] = [
        "PCMU",
        "pcma",
        "G722",
        "gsm",
        "opus",
        "L16",
        "G721",
        "G726-16",
        "G726-24",
        "G726-32",
        "g726-40",
        "AAL2-G726-16",
        "AAL2-G726-32",
        "AAL2-G726-40",
    ];

    #[test]
    fn names_are_found_whatever_their_case() {
        for name in NAMES {
            let decoder = Decoder::named(name, 8_000, 1).unwrap();
            assert_eq!(decoder.channels(), 1);
            assert!(decoder.rate() >= decoder.clock_rate(), "{name}");
        }
        for name in ["", "G729", "G726-8", "AAL2-GSM", "PCMU-WB", "telephone-event", "CN"] {
            assert!(Decoder::named(name, 8_000, 1).is_none(), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_payload_is_survived(
            payloads in proptest::collection::vec(
                proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), 1..12)
        ) {
            for name in NAMES {
                let mut decoder = Decoder::named(name, 44_100, 2).unwrap();
                let mut out = Vec::new();
                for payload in &payloads {
                    decoder.decode(payload, &mut out);
                    // No frame is longer than 120 ms of Opus, 1/33 octet a sample of GSM.
                    proptest::prop_assert!(out.len() <= 48 * 120 + payload.len() * 16, "{name}");
                    out.clear();
                }
            }
        }
    }
}
