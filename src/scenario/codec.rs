//! Codecs and payloads: lengths and time stamp steps as RFC 3551 and the payload formats have
//! them, with content that looks like the codec's to a statistic. Nothing here encodes speech.

use super::rng::Rng;

/// What a stream needs to know of a codec, for its usual packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Codec {
    /// The name as `a=rtpmap` has it.
    pub name: &'static str,
    /// The static payload type, or a usual dynamic one.
    pub pt: u8,
    /// Clock rate in Hz, as `a=rtpmap` has it.
    pub rate: u32,
    /// Clock ticks per packet.
    pub ticks: u32,
    /// Packet time in milliseconds.
    pub millis: u32,
    /// Payload octets per packet; of a variable codec a middle value.
    pub octets: usize,
    /// What `a=rtpmap` has after the rate, and the `a=fmtp` parameters.
    pub extra: (&'static str, Option<&'static str>),
}

const fn codec(
    name: &'static str,
    pt: u8,
    rate: u32,
    ticks: u32,
    millis: u32,
    octets: usize,
) -> Codec {
    Codec { name, pt, rate, ticks, millis, octets, extra: ("", None) }
}

/// The codecs. G.722 has the clock rate 8000 by an old mistake (RFC 3551 §4.5.2).
static CODECS: [Codec; 15] = [
    codec("PCMU", 0, 8_000, 160, 20, 160),
    codec("GSM", 3, 8_000, 160, 20, 33),
    codec("G723", 4, 8_000, 240, 30, 24),
    codec("PCMA", 8, 8_000, 160, 20, 160),
    codec("G722", 9, 8_000, 160, 20, 160),
    codec("L16", 96, 16_000, 320, 20, 640),
    codec("CN", 13, 8_000, 160, 20, 1),
    codec("G729", 18, 8_000, 160, 20, 20),
    Codec { extra: ("", Some("octet-align=1")), ..codec("AMR", 97, 8_000, 160, 20, 33) },
    Codec { extra: ("", Some("octet-align=1")), ..codec("AMR-WB", 98, 16_000, 320, 20, 62) },
    codec("H264", 99, 90_000, 3_000, 33, 900),
    Codec { extra: ("", Some("mode=30")), ..codec("iLBC", 100, 8_000, 240, 30, 50) },
    Codec { extra: ("", Some("0-16")), ..codec("telephone-event", 101, 8_000, 0, 20, 4) },
    Codec { extra: ("/2", None), ..codec("opus", 111, 48_000, 960, 20, 64) },
    codec("t140", 102, 1_000, 300, 300, 6),
];

/// The codec of that name, whatever the case.
pub(super) fn by_name(name: &str) -> Result<&'static Codec, String> {
    CODECS.iter().find(|codec| codec.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names: Vec<&str> = CODECS.iter().map(|codec| codec.name).collect();
        format!("`{name}` is not a codec; there are {}", names.join(", "))
    })
}

/// Bits of a parameter that move from frame to frame.
const MOVING: [u8; 8] = [0x1f, 0x3f, 0x07, 0x7f, 0x0f, 0x3e, 0x73, 0x1b];

/// The same for codecs that leave little unused: a histogram takes these for random octets.
const DENSE: [u8; 8] = [0x7f, 0xff, 0xff, 0xef, 0xff, 0xff, 0xff, 0xbf];

/// The value of the bits that do not move.
const STILL: [u8; 8] = [0x40, 0x80, 0x50, 0x00, 0xa0, 0x41, 0x08, 0x24];

/// What is in the payload.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// As the codec makes it from speech.
    Speech,
    /// A steady tone.
    Tone,
    /// Digital silence.
    Silence,
    /// Octets without any structure.
    Random,
    /// Keys of a telephone, 100 ms each, 100 ms apart.
    Keys,
    /// A fax machine's answering tone.
    Answering,
    /// A fax machine's calling tone: half a second, three seconds apart.
    Calling,
    /// An RFC 4733 event with this number.
    Event(u8),
}

/// One stream's payloads, packet after packet.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    codec: &'static Codec,
    content: Content,
    octets: usize,
    rng: Rng,
    phase: i64,
    packet: u64,
}

impl Voice {
    /// A voice; `octets` is the payload length for codecs of which any number makes sense.
    pub(super) const fn new(
        codec: &'static Codec,
        content: Content,
        octets: usize,
        rng: Rng,
    ) -> Self {
        Self { codec, content, octets, rng, phase: 0, packet: 0 }
    }

    /// The payload of the next packet; `last` of the packets of an event ends it.
    pub(super) fn next(&mut self, left: u64) -> Vec<u8> {
        self.packet = self.packet.saturating_add(1);
        match (self.content, self.codec.name) {
            (Content::Event(event), _) => self.event(event, left),
            (Content::Random, _) => self.rng.octets(self.octets),
            (Content::Silence, "PCMU") => vec![0xff; self.octets],
            (Content::Silence, "PCMA") => vec![0xd5; self.octets],
            (Content::Silence, _) => vec![0; self.octets],
            (_, "PCMU" | "G722" | "CN") => self.samples(mu_law),
            (_, "PCMA") => self.samples(a_law),
            (_, "L16") => self.linear(),
            (_, "t140") => b"hello ".iter().copied().cycle().take(self.octets).collect(),
            (_, name) => self.frame(name),
        }
    }

    /// RFC 4733 §2.3: the last three packets carry the end bit and the final duration.
    fn event(&self, event: u8, left: u64) -> Vec<u8> {
        let ended = left < 3;
        let steps =
            if ended { self.packet.saturating_sub(2).saturating_add(left) } else { self.packet };
        let [a, b] = u16::try_from(steps.saturating_mul(160)).unwrap_or(u16::MAX).to_be_bytes();
        vec![event, if ended { 0x8a } else { 0x0a }, a, b]
    }

    /// The next 16-bit sample: two tones whose loudness moves as syllables do, and a little noise.
    fn sample(&mut self) -> i64 {
        self.phase = self.phase.wrapping_add(1) & 0xff_ffff;
        let sounds = |frequency: i64| sine(self.phase * frequency / 8) * 6;
        let during = |on: i64, every: i64, sample: i64| {
            if self.phase % every < on { sample } else { 0 }
        };
        match self.content {
            Content::Tone => return sounds(425) * 2,
            Content::Keys => {
                let key = usize::try_from(self.phase / 1_600 % 16).unwrap_or_default();
                let row = [697, 770, 852, 941].get(key / 4).copied().unwrap_or_default();
                let column = [1209, 1336, 1477, 1633].get(key % 4).copied().unwrap_or_default();
                return during(800, 1_600, sounds(row) + sounds(column));
            }
            Content::Answering => return sounds(2_100) * 2,
            Content::Calling => return during(4_000, 28_000, sounds(1_100) * 2),
            _ => {}
        }
        let loudness = 6 + (sine(self.phase / 4 % 1_000) / 200).abs();
        let tones = sine(self.phase * 180 / 8) + sine(self.phase * 730 / 8) / 2;
        tones * loudness / 2 + i64::from(self.rng.byte()) - 128
    }

    fn samples(&mut self, law: fn(i64) -> u8) -> Vec<u8> {
        (0..self.octets).map(|_| law(self.sample())).collect()
    }

    fn linear(&mut self) -> Vec<u8> {
        let count = self.octets / 2;
        let clamp = |sample: i64| i16::try_from(sample.clamp(-32_000, 32_000)).unwrap_or_default();
        (0..count).flat_map(|_| clamp(self.sample()).to_be_bytes()).collect()
    }

    /// A compressed frame: parameters that keep to part of their range, as real ones do, behind
    /// the header that the payload format has.
    fn frame(&mut self, name: &str) -> Vec<u8> {
        let octets = if name == "opus" {
            self.octets.saturating_add(usize::from(self.rng.byte() & 31)).saturating_sub(16).max(2)
        } else {
            self.octets
        };
        let slow = u8::try_from(self.packet / 9 % 4).unwrap_or_default();
        let moving = if matches!(name, "G729" | "G723" | "opus") { DENSE } else { MOVING };
        let masks = moving.iter().zip(&STILL).cycle();
        let mut made: Vec<u8> = masks
            .take(octets)
            .map(|(moving, still)| (self.rng.byte() & moving) | ((still ^ slow) & !moving))
            .collect();
        let header: &[u8] = match name {
            // One speech-quality frame of 12.2 kbit/s after "no request" (RFC 4867 §4.4).
            "AMR" => &[0xf0, 0x3c],
            "AMR-WB" => &[0xf0, 0x44],
            // 20 ms hybrid, mono, one frame (RFC 6716 §3.1).
            "opus" => &[0x78],
            // A coded slice of a non-IDR picture (RFC 6184 §1.3).
            "H264" => &[0x41],
            _ => &[],
        };
        for (slot, octet) in made.iter_mut().zip(header) {
            *slot = *octet;
        }
        if let Some(first) = made.first_mut() {
            match name {
                "GSM" => *first = (*first & 0x0f) | 0xd0,
                "G723" => *first &= 0xfc,
                _ => {}
            }
        }
        made
    }
}

/// A sine of amplitude 1000 and period 1000, from Bhaskara's parabola: the same everywhere.
fn sine(phase: i64) -> i64 {
    let turn = phase.rem_euclid(1_000);
    let (half, sign) = if turn < 500 { (turn, 1) } else { (turn - 500, -1) };
    let product = half * (500 - half);
    sign * 16 * product * 1_000 / (5 * 250_000 - 4 * product)
}

/// G.711 μ-law of a 16-bit sample.
fn mu_law(sample: i64) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.abs().min(32_635) + 132;
    let exponent = (0..8).rev().find(|e| magnitude >> (e + 7) != 0).unwrap_or(0);
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | u8::try_from(exponent << 4 | mantissa).unwrap_or_default())
}

/// G.711 A-law of a 16-bit sample.
fn a_law(sample: i64) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let magnitude = sample.abs().min(32_767) >> 3;
    let exponent = (1..8).rev().find(|e| magnitude >> (e + 4) != 0).unwrap_or(0);
    let shift = exponent.max(1);
    let mantissa = (magnitude >> shift) & 0x0f;
    (sign | u8::try_from(exponent << 4 | mantissa).unwrap_or_default()) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g711_meets_its_known_points() {
        assert_eq!([mu_law(0), mu_law(32_767), mu_law(-32_767)], [0xff, 0x80, 0x00]);
        assert_eq!([a_law(0), a_law(32_767), a_law(-32_767)], [0xd5, 0xaa, 0x2a]);
    }

    #[test]
    fn an_event_ends_three_times_with_one_duration() {
        let codec = by_name("telephone-event").unwrap();
        let mut voice = Voice::new(codec, Content::Event(5), 4, Rng::new(1));
        let made: Vec<Vec<u8>> = (0..6).rev().map(|left| voice.next(left)).collect();
        assert_eq!(made[2], [5, 0x0a, 1, 224]);
        assert_eq!(made[3], [5, 0x8a, 2, 128]);
        assert!(made[3] == made[4] && made[4] == made[5]);
    }

    #[test]
    fn frames_have_the_length_of_their_codec() {
        for name in ["GSM", "G729", "G723", "AMR", "AMR-WB", "iLBC", "PCMU", "L16"] {
            let codec = by_name(name).unwrap();
            let mut voice = Voice::new(codec, Content::Speech, codec.octets, Rng::new(1));
            assert_eq!(voice.next(9).len(), codec.octets, "{name}");
        }
    }
}
