//! The structural verdict on one stream: is the payload the codec's frames, or longer by a tag?
//!
//! `CATALOGUE.md` A.1.3 (tests T1 to T4 and T6 to T8) and A.1.4. SRTP keeps the length of what it
//! encrypts and appends a tag (RFC 3711 §3.1, RFC 7714 §8.2), so the length is held against the
//! timestamp step, never against a multiple of the frame: a G.729 packet of 20 octets with a tag of
//! 10 is three frames long and still encrypted. Not decided here: anything that takes statistics of
//! the octets (CHI, BITZ); where they will speak, [`Verdict::UNKNOWN`] is returned now.

use overhear_parsers::rtp::payload;

use crate::model::finding::Confidence;
use crate::model::record::Protection;
use crate::model::stream::{Figures, Law, LawRow, StreamEnded};

/// Pairs below which a law is not believed: 20 packets.
const ENOUGH: u32 = 19;

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
}

/// What is known of one payload type of a stream.
#[derive(Copy, Clone, Debug)]
pub struct Evidence<'a> {
    /// The payload type to judge.
    pub payload_type: u8,
    /// Lengths and steps of the whole stream.
    pub law: &'a Law,
    /// The closer look, if there was one.
    pub figures: Option<&'a Figures>,
}

/// The verdict and what it rests on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it says.
    pub protection: Protection,
    /// Which test says so: "T1" to "T8", or "none".
    pub test: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// Octets that every payload is too long by: the authentication tag.
    pub surplus: Option<u16>,
    /// Packets or pairs that agree with the verdict.
    pub hits: u32,
    /// Of so many.
    pub of: u32,
}

impl Codec {
    /// The codec of an encoding name as SDP spells it, in any case; `None` for one without a law.
    pub fn named(name: &[u8], channels: u8) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let table = [
            ("PCMU", Self::Octet),
            ("PCMA", Self::Octet),
            ("G722", Self::Octet),
            ("G726-16", Self::Bits(2)),
            ("G726-24", Self::Bits(3)),
            ("G726-32", Self::Bits(4)),
            ("AAL2-G726-32", Self::Bits(4)),
            ("G726-40", Self::Bits(5)),
            ("G728", Self::G728),
            ("L16", Self::Linear(channels.max(1))),
            ("G729", Self::G729),
            ("GSM", Self::Gsm),
            ("iLBC", Self::Ilbc),
            ("G723", Self::G723),
            ("AMR", Self::Amr),
            ("AMR-WB", Self::AmrWb),
            ("opus", Self::Opus),
            ("H263", Self::H263),
            ("H264", Self::H264),
            ("H265", Self::H265),
        ];
        table.into_iter().find_map(|(known, codec)| is(known).then_some(codec))
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
            Self::Amr | Self::AmrWb | Self::Opus | Self::H263 | Self::H264 | Self::H265 => {
                return None;
            }
        })
    }

    const fn law_test(self) -> &'static str {
        match self {
            Self::G729 | Self::Gsm | Self::Ilbc | Self::G723 => "T2",
            _ => "T1",
        }
    }
}

impl<'a> Evidence<'a> {
    /// The evidence on the main payload type of a stream.
    pub fn of(stream: &'a StreamEnded) -> Self {
        Self {
            payload_type: stream.main_payload_type(),
            law: &stream.law,
            figures: stream.figures.as_deref(),
        }
    }
}

impl Verdict {
    /// Nothing could be shown.
    pub const UNKNOWN: Self = Self {
        protection: Protection::Unknown,
        test: "none",
        confidence: Confidence::Low,
        surplus: None,
        hits: 0,
        of: 0,
    };

    const fn clear(test: &'static str, hits: u32, of: u32) -> Self {
        let (protection, confidence) = (Protection::Cleartext, Confidence::Certain);
        Self { protection, test, confidence, surplus: None, hits, of }
    }
}

/// Decides by structure alone. `codec` is what SDP says of the payload type, or
/// [`Codec::assigned`]; without one only repetition and runs can speak.
pub fn verdict(evidence: Evidence<'_>, codec: Option<Codec>) -> Verdict {
    let figures = evidence.figures.filter(|f| f.payload_type == evidence.payload_type);
    let found = figures
        .and_then(repetition)
        .or_else(|| codec.and_then(|codec| by_length(evidence, figures, codec)))
        .or_else(|| by_content(figures?, codec?));
    // The statistics of A.1.4 (CHI, BITZ, tail) go here, before giving up.
    found.unwrap_or(Verdict::UNKNOWN)
}

/// T6 and T7: no keystream repeats, and none makes a run of eight.
fn repetition(figures: &Figures) -> Option<Verdict> {
    // One packet can be somebody else's, injected into the stream; several are the stream's own.
    const SEVERAL: u16 = 3;
    let of = u32::from(figures.whole);
    if figures.equal >= SEVERAL {
        return Some(Verdict::clear("T6", figures.equal.into(), of));
    }
    (figures.runs >= SEVERAL).then(|| Verdict::clear("T7", figures.runs.into(), of))
}

/// T1 and T2, first on the whole stream, then on the latest look.
fn by_length(evidence: Evidence<'_>, figures: Option<&Figures>, codec: Codec) -> Option<Verdict> {
    let mine = |row: &&LawRow| row.payload_type == evidence.payload_type && row.pairs > 0;
    let sources = [
        (&evidence.law.rows[..], evidence.law.pairs),
        (figures.map_or(&[][..], |f| &f.rows), figures.map_or(0, |f| f.pairs.into())),
    ];
    for (rows, of) in sources {
        if of < ENOUGH {
            continue;
        }
        for surplus in [0, 4, 10, 16] {
            let fits = |row: &&LawRow| {
                let octets = u32::from(row.octets).checked_sub(surplus.into());
                octets.and_then(|octets| codec.lasts(octets, row.ticks)) == Some(true)
            };
            let hits: u32 = rows.iter().filter(mine).filter(fits).map(|row| row.pairs).sum();
            if u64::from(hits) * 10 < u64::from(of) * 9 {
                continue;
            }
            let clear = Verdict::clear(codec.law_test(), hits, of);
            if surplus == 0 {
                return Some(clear);
            }
            let (protection, confidence) = (Protection::EncryptedLike, Confidence::High);
            return Some(Verdict { protection, confidence, surplus: Some(surplus), ..clear });
        }
    }
    None
}

/// T2 to T4 and T8 by what is in the payload.
fn by_content(figures: &Figures, codec: Codec) -> Option<Verdict> {
    let whole = figures.whole;
    let (test, hits, of, share) = match codec {
        Codec::Gsm => ("T2", figures.gsm, whole, 90),
        Codec::G723 => ("T2", figures.g723, whole, 90),
        Codec::Amr => ("T3", figures.amr, whole, 90),
        Codec::AmrWb => ("T3", figures.amr_wb, whole, 90),
        Codec::Opus => ("T4", figures.opus, figures.opus_pairs, 80),
        Codec::H263 => ("T8", figures.h263, whole, 100),
        Codec::H264 => ("T8", figures.h264, whole, 100),
        Codec::H265 => ("T8", figures.h265, whole, 100),
        _ => return None,
    };
    let (hits, of) = (u32::from(hits), u32::from(of));
    if of < ENOUGH {
        return None;
    }
    if hits * 100 >= of * share {
        return Some(Verdict::clear(test, hits, of));
    }
    // A random first octet gives the right Opus duration in less than a quarter of pairs.
    let violated = codec == Codec::Opus && hits * 100 <= of * 30;
    violated.then(|| Verdict {
        protection: Protection::EncryptedLike,
        confidence: Confidence::Medium,
        hits: of - hits,
        ..Verdict::clear(test, 0, of)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(octets: u16, ticks: u32, hits: u32, pairs: u32) -> Law {
        let row = LawRow { ticks, pairs: hits, octets, payload_type: 8 };
        Law { rows: [row, LawRow::default()], pairs }
    }

    fn judge(law: &Law, codec: Option<Codec>) -> Verdict {
        verdict(Evidence { payload_type: 8, law, figures: None }, codec)
    }

    #[test]
    fn the_length_law_tells_clear_from_tagged() {
        let clear = judge(&law(160, 160, 19, 19), Codec::assigned(8));
        assert_eq!((clear.protection, clear.test), (Protection::Cleartext, "T1"));
        for tag in [4, 10, 16] {
            let tagged = judge(&law(160 + tag, 160, 90, 100), Codec::assigned(8));
            assert_eq!(tagged.protection, Protection::EncryptedLike);
            assert_eq!((tagged.surplus, tagged.confidence), (Some(tag), Confidence::High));
        }
        assert_eq!(judge(&law(160, 160, 18, 18), Codec::assigned(8)), Verdict::UNKNOWN);
        assert_eq!(judge(&law(160, 160, 89, 100), Codec::assigned(8)), Verdict::UNKNOWN);
        assert_eq!(judge(&law(160, 160, 19, 19), None), Verdict::UNKNOWN);
    }

    #[test]
    fn a_tagged_g729_packet_of_three_frames_length_is_not_clear() {
        let trap = judge(&law(30, 160, 50, 50), Codec::named(b"g729", 1));
        assert_eq!((trap.protection, trap.surplus), (Protection::EncryptedLike, Some(10)));
        let clear = judge(&law(30, 240, 50, 50), Codec::named(b"G729", 1));
        assert_eq!((clear.protection, clear.test), (Protection::Cleartext, "T2"));
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

    #[test]
    fn repetition_needs_no_codec_and_opus_needs_its_table_of_contents() {
        let none = Law::default();
        let look = |figures: &Figures, codec| {
            verdict(Evidence { payload_type: 8, law: &none, figures: Some(figures) }, codec)
        };
        let base = Figures { payload_type: 8, whole: 64, ..Figures::default() };
        assert_eq!(look(&Figures { equal: 3, ..base }, None).test, "T6");
        assert_eq!(look(&Figures { runs: 3, ..base }, None).test, "T7");
        assert_eq!(look(&Figures { equal: 2, runs: 2, ..base }, None), Verdict::UNKNOWN);
        let opus = |opus| look(&Figures { opus, opus_pairs: 60, ..base }, Some(Codec::Opus));
        assert_eq!(opus(48).protection, Protection::Cleartext);
        assert_eq!(opus(30).protection, Protection::Unknown);
        assert_eq!(opus(12).protection, Protection::EncryptedLike);
    }
}
