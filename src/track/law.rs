//! The length laws T1 and T2: how many octets of a codec last how many ticks.
//!
//! `CATALOGUE.md` A.1.3. SRTP keeps the length of what it encrypts and appends a tag (RFC 3711 §3.1,
//! RFC 7714 §8.2), so the length is held against the timestamp step, never against a multiple of the
//! frame: a G.729 packet of 20 octets with a tag of 10 is three frames long and still encrypted. What
//! follows from it is decided in [`super::verdict`].

use overhear_parsers::rtp::payload;

use crate::model::stream::LawRow;

/// Pairs below which a law is not believed: 20 packets.
pub(super) const ENOUGH: u32 = 19;

/// Octets that authentication appends: HMAC-SHA1 with 32 and 80 bits, AES-GCM (RFC 3711 §5.2,
/// RFC 7714 §13.2); none first.
const TAGS: [u16; 4] = [0, 4, 10, 16];

/// A codec, as far as the lengths of its frames go.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// PCMU, PCMA, G.722: an octet a tick.
    Octet,
    /// G.726 and its kin: this many bits a tick.
    Bits(u8),
    /// G.728: an octet for four ticks.
    G728,
    /// L16 with this many channels.
    Linear(u8),
    /// G.729: 10 octets for 80 ticks, and 2 for silence.
    G729,
    /// GSM full rate: 33 octets for 160 ticks.
    Gsm,
    /// iLBC: 38 octets for 160 ticks or 50 for 240.
    Ilbc,
    /// G.723.1: 24, 20 or 4 octets for 240 ticks.
    G723,
    /// AMR.
    Amr,
    /// AMR-WB.
    AmrWb,
    /// Opus.
    Opus,
    /// H.263 as RFC 2190 carries it.
    H263,
    /// H.264.
    H264,
    /// H.265.
    H265,
    /// VP8.
    Vp8,
    /// Telephone events: 4 octets, however long (RFC 4733 §2.3).
    Event,
}

/// What the lengths of a stream are: the codec's, or longer by a tag.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    /// Octets by which most are longer; 0 for the codec's own length.
    pub tag: u16,
    /// Pairs of that length.
    pub hits: u32,
    /// Pairs with the codec's length where most have a tag, or with a tag where most have none: a
    /// stream that turned.
    pub others: u32,
    /// Pairs in all.
    pub of: u32,
}

impl Lengths {
    /// Whether there are enough of both kinds to be parts of the stream.
    pub(super) const fn turned(&self) -> bool {
        self.hits >= ENOUGH && self.others >= ENOUGH
    }
}

impl Codec {
    /// The codec of an encoding name as SDP spells it, in any case; `None` for one without a law.
    pub fn named(name: &[u8], channels: u8) -> Option<Self> {
        // No known name is longer.
        let mut upper = [0; 16];
        let upper = upper.get_mut(..name.len())?;
        upper.copy_from_slice(name);
        upper.make_ascii_uppercase();
        Some(match &*upper {
            b"PCMU" | b"PCMA" | b"G722" => Self::Octet,
            b"G726-16" | b"AAL2-G726-16" => Self::Bits(2),
            b"G726-24" | b"AAL2-G726-24" => Self::Bits(3),
            b"G726-32" | b"AAL2-G726-32" => Self::Bits(4),
            b"G726-40" | b"AAL2-G726-40" => Self::Bits(5),
            b"G728" => Self::G728,
            b"L16" => Self::Linear(channels.max(1)),
            b"G729" => Self::G729,
            b"GSM" => Self::Gsm,
            b"ILBC" => Self::Ilbc,
            b"G723" => Self::G723,
            b"AMR" => Self::Amr,
            b"AMR-WB" => Self::AmrWb,
            b"OPUS" => Self::Opus,
            b"H263" => Self::H263,
            b"H264" => Self::H264,
            b"H265" => Self::H265,
            b"VP8" => Self::Vp8,
            b"TELEPHONE-EVENT" => Self::Event,
            _ => return None,
        })
    }

    /// The codec that RFC 3551 assigns to a payload type, if it has a law.
    pub fn assigned(payload_type: u8) -> Option<Self> {
        let known = payload::assigned(payload_type)?;
        Self::named(known.name.as_bytes(), known.channels)
    }

    /// Whether `octets` of this codec last `ticks`; `None` if lengths say nothing about it.
    fn lasts(self, octets: u32, ticks: u32) -> Option<bool> {
        let bits = octets.saturating_mul(8);
        let whole = |frame: u32| ticks > 0 && ticks.is_multiple_of(frame);
        let frames = |size: u32, frame: u32| whole(frame) && octets == ticks / frame * size;
        Some(match self {
            Self::Octet => octets == ticks && ticks > 0,
            Self::Bits(n) => bits == ticks.saturating_mul(u32::from(n)) && ticks > 0,
            Self::G728 => octets == ticks / 4 && whole(4),
            Self::Linear(n) => octets == ticks.saturating_mul(2 * u32::from(n)) && ticks > 0,
            Self::G729 => frames(10, 80) || whole(80) && octets == (ticks / 80 - 1) * 10 + 2,
            Self::Gsm => frames(33, 160),
            Self::Ilbc => frames(38, 160) || frames(50, 240),
            Self::G723 => frames(24, 240) || frames(20, 240) || frames(4, 240),
            Self::Event => octets == 4,
            Self::Amr
            | Self::AmrWb
            | Self::Opus
            | Self::H263
            | Self::H264
            | Self::H265
            | Self::Vp8 => return None,
        })
    }

    /// Weighs rows of lengths and steps, of `of` pairs, against the law of the codec: 9 of 10 must keep
    /// it, with one tag or with none. Behind the tag there may be an MKI of `mki` octets.
    pub(super) fn weigh<'a>(
        self,
        rows: &(impl Iterator<Item = &'a LawRow> + Clone),
        of: u32,
        mki: u8,
    ) -> Option<Lengths> {
        if of < ENOUGH {
            return None;
        }
        let count = |tag: u16| -> u32 {
            let behind = if tag == 0 { 0 } else { u32::from(tag) + u32::from(mki) };
            let fits = |row: &&LawRow, behind: u32| {
                let octets = u32::from(row.octets).checked_sub(behind);
                octets.and_then(|octets| self.lasts(octets, row.ticks)) == Some(true)
            };
            // Of G.723.1 one frame is as long as another one with a tag.
            let rows = rows.clone().filter(|row| fits(row, behind) && (tag == 0 || !fits(row, 0)));
            rows.map(|row| row.pairs).sum()
        };
        let hits = TAGS.map(|tag| (count(tag), tag));
        let [(exact, _), tagged @ ..] = hits;
        // Of equals the shorter tag: the earlier one.
        let (most, tag) = tagged.into_iter().rev().max_by_key(|(hits, _)| *hits)?;
        if u64::from(exact + most) * 10 < u64::from(of) * 9 {
            return None;
        }
        Some(if exact >= most {
            Lengths { tag: 0, hits: exact, others: most, of }
        } else {
            Lengths { tag, hits: most, others: exact, of }
        })
    }

    /// The test whose law the codec keeps.
    pub(super) const fn law_test(self) -> &'static str {
        match self {
            Self::Event => "T5",
            Self::G729 | Self::Gsm | Self::Ilbc | Self::G723 => "T2",
            _ => "T1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(octets: u16, ticks: u32, pairs: u32) -> LawRow {
        LawRow { ticks, pairs, octets, payload_type: 8 }
    }

    fn weigh(codec: &str, rows: &[LawRow], of: u32) -> Option<(u16, u32)> {
        let codec = Codec::named(codec.as_bytes(), 1).unwrap();
        codec.weigh(&rows.iter(), of, 0).map(|lengths| (lengths.tag, lengths.hits))
    }

    #[test]
    fn the_length_law_tells_clear_from_tagged() {
        assert_eq!(weigh("PCMA", &[row(160, 160, 19)], 19), Some((0, 19)));
        for tag in [4, 10, 16] {
            assert_eq!(weigh("PCMA", &[row(160 + tag, 160, 90)], 100), Some((tag, 90)));
        }
        assert_eq!(weigh("PCMA", &[row(160, 160, 18)], 18), None);
        assert_eq!(weigh("PCMA", &[row(160, 160, 89)], 100), None);
        let codec = Codec::assigned(8).unwrap();
        let with_mki = codec.weigh(&[row(174, 160, 50)].iter(), 50, 4).unwrap();
        assert_eq!((with_mki.tag, with_mki.hits), (10, 50));
    }

    #[test]
    fn a_stream_that_turns_is_both() {
        let rows = [row(170, 160, 300), row(160, 160, 90)];
        let lengths = Codec::Octet.weigh(&rows.iter(), 400, 0);
        assert_eq!(lengths, Some(Lengths { tag: 10, hits: 300, others: 90, of: 400 }));
    }

    #[test]
    fn a_tagged_g729_packet_of_three_frames_length_is_not_clear() {
        assert_eq!(weigh("g729", &[row(30, 160, 50)], 50), Some((10, 50)));
        assert_eq!(weigh("G729", &[row(30, 240, 50)], 50), Some((0, 50)));
    }

    #[test]
    fn each_law_is_its_codecs() {
        for (name, octets, ticks) in [
            ("G726-32", 80, 160),
            ("G726-40", 100, 160),
            ("G728", 40, 160),
            ("L16", 320, 160),
            ("GSM", 66, 320),
            ("iLBC", 38, 160),
            ("iLBC", 50, 240),
            ("G723", 20, 240),
            ("G729", 12, 160),
        ] {
            let codec = Codec::named(name.as_bytes(), 1).unwrap();
            assert_eq!(codec.lasts(octets, ticks), Some(true), "{name}");
            assert_eq!(codec.lasts(octets + 10, ticks), Some(false), "{name}");
            assert_eq!(codec.lasts(octets, 0), Some(false), "{name}");
        }
    }
}
