//! What the payload types of one stream stand for.

use crate::prove::codec::Decoder;

use super::container::Kind;

/// What packets of one payload type carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Audio that is decoded here.
    Own {
        /// Encoding name.
        name: String,
        /// Hz of the RTP clock, as SDP says.
        clock_rate: u32,
        /// Channels.
        channels: u16,
    },
    /// Audio that is decoded elsewhere.
    Foreign(Kind),
    /// Digits and tones as events (RFC 4733).
    Events {
        /// Hz of the RTP clock.
        clock_rate: u32,
    },
    /// Comfort noise (RFC 3389): silence.
    Noise,
    /// Several generations of audio in one packet (RFC 2198).
    Redundant,
    /// Anything else.
    Other,
}

/// The formats of a stream by payload type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formats {
    by_type: Vec<(u8, Format)>,
}

impl Format {
    /// What an encoding name stands for.
    pub fn named(payload_type: u8, name: Option<&str>, clock_rate: u32) -> Self {
        let name = name.unwrap_or_default();
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        // Static L16 is the only audio in two channels that telephones could agree on (RFC 3551 §6).
        let channels = if payload_type == 10 { 2 } else { 1 };
        if Decoder::named(name, clock_rate, channels).is_some() {
            return Self::Own { name: name.to_ascii_uppercase(), clock_rate, channels };
        }
        if let Some(kind) = Kind::named(name, clock_rate) {
            return Self::Foreign(kind);
        }
        if is("telephone-event") || is("tone") {
            return Self::Events { clock_rate: if clock_rate == 0 { 8_000 } else { clock_rate } };
        }
        match payload_type {
            _ if is("CN") => Self::Noise,
            // Nothing else was ever assigned to these two (RFC 3551 §6).
            13 | 19 if name.is_empty() => Self::Noise,
            _ if is("red") => Self::Redundant,
            _ => Self::Other,
        }
    }

    /// Octets that last so many ticks; `None` where that is not fixed.
    pub fn octets(&self, ticks: u32) -> Option<usize> {
        let Self::Own { name, channels, .. } = self else { return None };
        let bits = match name.as_str() {
            "PCMU" | "PCMA" | "G722" => 8,
            "L16" => 16 * u32::from(*channels),
            "GSM" => {
                return ticks
                    .is_multiple_of(160)
                    .then(|| usize::try_from(ticks / 160 * 33).ok())?;
            }
            _ => match name.rsplit_once("G726-")?.1 {
                "16" => 2,
                "24" => 3,
                "32" => 4,
                "40" => 5,
                _ => return None,
            },
        };
        usize::try_from(ticks.checked_mul(bits)? / 8).ok()
    }

    /// Samples a second that come out; `None` where nothing does.
    pub fn rate(&self) -> Option<u32> {
        match self {
            Self::Own { name, clock_rate, channels } => {
                Decoder::named(name, *clock_rate, *channels).map(|decoder| decoder.rate())
            }
            Self::Foreign(kind) => Some(kind.rate()),
            Self::Events { .. } | Self::Noise | Self::Redundant | Self::Other => None,
        }
    }

    /// Ticks of the RTP clock a second; `None` where no samples come out.
    pub fn clock_rate(&self) -> Option<u32> {
        match self {
            Self::Own { name, clock_rate, channels } => {
                Decoder::named(name, *clock_rate, *channels).map(|decoder| decoder.clock_rate())
            }
            Self::Foreign(kind) => Some(kind.rate()),
            Self::Events { .. } | Self::Noise | Self::Redundant | Self::Other => None,
        }
    }
}

impl Formats {
    /// Adds a payload type; the first word about it counts.
    pub fn add(&mut self, payload_type: u8, format: Format) {
        if self.find(payload_type).is_none() {
            self.by_type.push((payload_type, format));
        }
    }

    /// What a payload type stands for.
    pub fn find(&self, payload_type: u8) -> Option<&Format> {
        self.by_type.iter().find(|(of, _)| *of == payload_type).map(|(_, format)| format)
    }

    /// Linear audio that the registry does not know is taken for one channel; of those payload types that
    /// `is_stereo` tells it has two, interleaved (RFC 3551 §4.1).
    pub fn widen(&mut self, is_stereo: impl Fn(u8) -> bool) {
        for (payload_type, format) in &mut self.by_type {
            match format {
                Format::Own { name, channels: channels @ 1, .. }
                    if name == "L16" && is_stereo(*payload_type) =>
                {
                    *channels = 2;
                }
                _ => {}
            }
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &(u8, Format)> {
        self.by_type.iter()
    }

    /// Samples a second that do justice to all of them.
    pub fn rate(&self) -> Option<u32> {
        self.by_type.iter().filter_map(|(_, format)| format.rate()).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_packets_carry() {
        let named = |name| Format::named(96, Some(name), 8_000);
        assert_eq!(named("pcma").rate(), Some(8_000));
        assert_eq!(named("G722").rate(), Some(16_000));
        assert_eq!(named("G722").clock_rate(), Some(8_000));
        assert!(matches!(named("G729"), Format::Foreign(_)));
        assert!(matches!(named("telephone-event"), Format::Events { clock_rate: 8_000 }));
        assert_eq!(named("CN"), Format::Noise);
        assert_eq!(named("H264"), Format::Other);
        assert_eq!(Format::named(13, None, 0), Format::Noise);
        assert_eq!(Format::named(97, None, 0), Format::Other);
    }

    #[test]
    fn the_finest_format_sets_the_rate() {
        let mut formats = Formats::default();
        formats.add(0, Format::named(0, Some("PCMU"), 8_000));
        assert_eq!(formats.rate(), Some(8_000));
        formats.add(96, Format::named(96, Some("opus"), 48_000));
        formats.add(96, Format::Other);
        assert_eq!(formats.rate(), Some(48_000));
    }
}
