//! The verdict on one stream: in clear, encrypted, or not to be told.
//!
//! `CATALOGUE.md` A.1.4. Three witnesses are heard: what the payload's headers and repetitions prove
//! (T3 to T9), what lengths say (T1, T2, [`super::law`]), and what the statistics of the octets say
//! ([`super::statistic`]). [`verdict`] is the whole table of who overrules whom. Where lengths and
//! statistics contradict each other nothing is claimed: octets that look random in packets of the
//! codec's own length are SRTP without a tag, or a generator's noise.

use super::figures::SEVERAL;
use super::law::{Codec, ENOUGH, Lengths};
use super::statistic;
use crate::model::figures::{Figures, Looks, Statistic, Tendency};
use crate::model::finding::Confidence;
use crate::model::record::Protection;
use crate::model::stream::{Law, LawRow, StreamEnded};

/// Packets below which headers of H.264 are not believed: nearly half of random octets make one.
const H264_ENOUGH: u32 = 32;
/// Below this, in tenths, the last octets look random beside those before: an authentication tag.
const TAIL_RANDOM: i16 = 40;
/// From here on, in tenths, the bits of the payload have structure beside a tag.
const HEAD_CLEAR: i16 = 80;
/// The same for CHI.
const CHI_CLEAR: u16 = 500;

/// What is known of one payload type of a stream.
#[derive(Copy, Clone, Debug)]
pub struct Evidence<'a> {
    /// The payload type to judge.
    pub payload_type: u8,
    /// Packets that have it.
    pub packets: u32,
    /// Lengths and steps of the whole stream.
    pub law: &'a Law,
    /// The closer looks, if there were any.
    pub figures: Option<&'a Figures>,
}

/// The verdict and what it rests on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it says.
    pub protection: Protection,
    /// Which test says so: "T1" to "T9", "chi", "bitz", "chi+bitz", "tail", or "none".
    pub test: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// Octets that every payload is too long by: the authentication tag.
    pub tag: Option<u16>,
    /// Packets or pairs that agree with the verdict, and of how many.
    pub hits: Option<(u32, u32)>,
    /// Pairs whose length says the contrary: the stream turned.
    pub contrary: u32,
    /// Octets of MKI behind the payload.
    pub mki: u8,
    /// The statistics; all zero if there are none.
    pub looks: Looks,
}

impl<'a> Evidence<'a> {
    /// The evidence on one payload type of a stream.
    pub fn of(stream: &'a StreamEnded, payload_type: u8) -> Self {
        let count = stream.payload_types.iter().find(|count| count.payload_type == payload_type);
        let packets = count.map_or(0, |count| count.packets);
        Self { payload_type, packets, law: &stream.law, figures: stream.figures.as_deref() }
    }

    /// Pairs of packets of this payload type, no fewer than there are.
    fn pairs(&self) -> u32 {
        self.law.pairs.min(self.packets)
    }
}

impl Verdict {
    /// Nothing could be shown.
    pub const UNKNOWN: Self = Self {
        protection: Protection::Unknown,
        test: "none",
        confidence: Confidence::Low,
        tag: None,
        hits: None,
        contrary: 0,
        mki: 0,
        looks: Looks { clear: NOTHING, random: NOTHING, unsure: NOTHING },
    };

    const fn says(self, protection: Protection, test: &'static str, sure: Confidence) -> Self {
        Self { protection, test, confidence: sure, ..self }
    }

    const fn with_hits(self, hits: u32, of: u32) -> Self {
        Self { hits: Some((hits, of)), ..self }
    }
}

const NOTHING: Statistic = Statistic { packets: 0, chi: 0, bitz: 0, tail_10: 0, tail_4: 0 };

/// Decides. `codec` is what SDP says of the payload type, or [`Codec::assigned`]; without one only
/// what needs none can speak: repetition, runs, events, padding and the statistics.
pub fn verdict(evidence: Evidence<'_>, codec: Option<Codec>) -> Verdict {
    use Protection::{AuthenticatedOnly, Cleartext, EncryptedLike};
    use Tendency::{Clear, Random, Unsure};

    let figures = evidence.figures.filter(|f| f.payload_type == evidence.payload_type);
    let looks = figures.map_or_else(Looks::default, |figures| figures.looks);
    let mki = figures.map_or(0, |figures| figures.mki);
    let said = looks.said();
    let lengths = codec.and_then(|codec| by_length(evidence, figures, codec));
    let base = Verdict { mki, looks, ..Verdict::UNKNOWN };
    let tagged = |tag: u16, lengths: Lengths| {
        let contrary = lengths.others;
        Verdict { tag: Some(tag), contrary, ..base }.with_hits(lengths.hits, lengths.of)
    };

    // A tag behind octets with structure: authenticated, with a NULL cipher.
    if let (Some(lengths @ Lengths { tag: tag @ 1.., .. }), Some((Clear, figures))) =
        (lengths, said)
        && has_random_tail(figures, tag)
    {
        return tagged(tag, lengths).says(AuthenticatedOnly, "tail", sure(figures));
    }
    // Packets of the codec's own length and packets with a tag, many of each: it turned, and what most of
    // it is says when the looks were not.
    if let (Some(lengths), Some(codec)) = (lengths.filter(Lengths::turned), codec)
        && codec != Codec::Event
    {
        let Lengths { tag, hits, of, others: contrary } = lengths;
        return if tag == 0 {
            let clear = Verdict { contrary, ..base }.with_hits(hits, of);
            clear.says(Cleartext, codec.law_test(), Confidence::High)
        } else {
            tagged(tag, lengths).says(EncryptedLike, codec.law_test(), Confidence::High)
        };
    }
    // Headers and repetitions no cipher makes. Once in a while they were before it began.
    let turned = matches!(said, Some((Random, _))) && looks.turned();
    if let Some((test, hits, of)) = figures.and_then(|f| proof(f, codec)).filter(|_| !turned) {
        return base.with_hits(hits, of).says(Cleartext, test, Confidence::Certain);
    }
    match (lengths, codec, said) {
        (Some(lengths @ Lengths { tag: 0, .. }), Some(codec), None | Some((Clear | Unsure, _)))
            if codec != Codec::Event =>
        {
            let Lengths { hits, of, others: contrary, .. } = lengths;
            let clear = Verdict { contrary, ..base }.with_hits(hits, of);
            clear.says(Cleartext, codec.law_test(), Confidence::Certain)
        }
        (Some(Lengths { tag: 0, hits, of, .. }), _, Some((Random, _))) => base.with_hits(hits, of),
        (Some(lengths @ Lengths { tag: tag @ 1.., .. }), Some(codec), None | Some((Random, _))) => {
            tagged(tag, lengths).says(EncryptedLike, codec.law_test(), Confidence::High)
        }
        (Some(lengths @ Lengths { tag: tag @ 1.., .. }), _, Some((Unsure, _))) => {
            tagged(tag, lengths)
        }
        (_, _, Some((Clear, figures))) => base.says(Cleartext, structure(figures), sure(figures)),
        (_, _, Some((Random, figures))) => base.says(EncryptedLike, "chi+bitz", sure(figures)),
        (_, Some(Codec::Opus), _) => figures.map_or(base, |figures| without_opus(figures, base)),
        _ => base,
    }
}

/// Which statistic says that octets have structure; where neither does, the look found repetition.
fn structure(figures: Statistic) -> &'static str {
    match (figures.chi >= CHI_CLEAR, figures.bitz >= HEAD_CLEAR) {
        (true, true) => "chi+bitz",
        (true, false) => "chi",
        (false, true) => "bitz",
        (false, false) => "T6",
    }
}

fn sure(figures: Statistic) -> Confidence {
    let enough = figures.packets >= statistic::ENOUGH.into();
    if enough { Confidence::High } else { Confidence::Medium }
}

/// Whether the last octets, as many as the tag has, look random while the first do not.
fn has_random_tail(figures: Statistic, tag: u16) -> bool {
    let tail = if tag < 10 { figures.tail_4 } else { figures.tail_10 };
    tail < TAIL_RANDOM && figures.bitz >= HEAD_CLEAR
}

/// T1 and T2, first on the whole stream, then on the latest look.
fn by_length(evidence: Evidence<'_>, figures: Option<&Figures>, codec: Codec) -> Option<Lengths> {
    let mki = figures.map_or(0, |figures| figures.mki);
    let mine = |row: &&LawRow| row.payload_type == evidence.payload_type && row.pairs > 0;
    let whole = codec.weigh(&evidence.law.rows.iter().filter(mine), evidence.pairs(), mki);
    whole.or_else(|| codec.weigh(&figures?.rows.iter().filter(mine), figures?.pairs.into(), mki))
}

/// T2 to T9 by what is in the payload: the test, its hits, and of how many packets or pairs.
fn proof(figures: &Figures, codec: Option<Codec>) -> Option<(&'static str, u32, u32)> {
    let whole = figures.whole;
    if figures.equal >= SEVERAL {
        return Some(("T6", figures.equal.into(), whole.into()));
    }
    if figures.runs >= SEVERAL {
        return Some(("T7", figures.runs.into(), whole.into()));
    }
    let of_codec = match codec {
        Some(Codec::Gsm) => Some(("T2", figures.gsm, whole, 90, ENOUGH)),
        Some(Codec::G723) => Some(("T2", figures.g723, whole, 90, ENOUGH)),
        Some(Codec::Amr) => Some(("T3", figures.amr, whole, 90, ENOUGH)),
        Some(Codec::AmrWb) => Some(("T3", figures.amr_wb, whole, 90, ENOUGH)),
        Some(Codec::Opus) => Some(("T4", figures.opus, figures.opus_pairs, 80, ENOUGH)),
        Some(Codec::H263) => Some(("T8", figures.h263, whole, 100, ENOUGH)),
        Some(Codec::H264) => Some(("T8", figures.h264, whole, 100, H264_ENOUGH)),
        Some(Codec::H265) => Some(("T8", figures.h265, whole, 100, ENOUGH)),
        Some(Codec::Vp8) => Some(("T8", figures.vp8, whole, 100, ENOUGH)),
        _ => None,
    };
    let of_any = [
        ("T5", figures.events, whole, 90, ENOUGH),
        // A random last octet is a count of padding with zeros before it once in 256.
        ("T9", figures.padding_fits, figures.padded, 90, 8),
    ];
    of_codec.into_iter().chain(of_any).find_map(|(test, hits, of, share, enough)| {
        let (hits, of) = (u32::from(hits), u32::from(of));
        (of >= enough && hits * 100 >= of * share).then_some((test, hits, of))
    })
}

/// T4 violated: a random first octet gives the right Opus duration in less than a quarter of pairs.
fn without_opus(figures: &Figures, base: Verdict) -> Verdict {
    let (hits, of) = (u32::from(figures.opus), u32::from(figures.opus_pairs));
    if of < ENOUGH || hits * 100 > of * 30 {
        return base;
    }
    base.with_hits(of - hits, of).says(Protection::EncryptedLike, "T4", Confidence::Medium)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(octets: u16, ticks: u32, pairs: u32) -> Law {
        let row = LawRow { ticks, pairs, octets, payload_type: 8 };
        Law { rows: [row, LawRow::default()], pairs }
    }

    fn judge(law: &Law, figures: Option<&Figures>, codec: Option<Codec>) -> Verdict {
        verdict(Evidence { payload_type: 8, packets: u32::MAX, law, figures }, codec)
    }

    const BASE: Figures = {
        let row = LawRow { ticks: 0, pairs: 0, octets: 0, payload_type: 0 };
        let looks = Looks { clear: NOTHING, random: NOTHING, unsure: NOTHING };
        Figures {
            rows: [row; 3],
            pairs: 0,
            payload_type: 8,
            mki: 0,
            packets: 64,
            whole: 64,
            gsm: 0,
            g723: 0,
            amr: 0,
            amr_wb: 0,
            opus: 0,
            opus_pairs: 0,
            events: 0,
            equal: 0,
            runs: 0,
            text: 0,
            lengths: 0,
            h263: 0,
            h264: 0,
            h265: 0,
            vp8: 0,
            padded: 0,
            padding_fits: 0,
            looks,
        }
    };

    fn clear(packets: u32, tail_10: i16) -> Looks {
        let clear = Statistic { packets, chi: 9_000, bitz: 900, tail_10, tail_4: tail_10 };
        Looks { clear, ..Looks::default() }
    }

    fn random(packets: u32) -> Looks {
        let random = Statistic { packets, chi: 260, bitz: 3, tail_10: -2, tail_4: 1 };
        Looks { random, ..Looks::default() }
    }

    fn looked(looks: Looks, law: &Law, codec: Option<Codec>) -> (Protection, &'static str) {
        let verdict = judge(law, Some(&Figures { looks, ..BASE }), codec);
        (verdict.protection, verdict.test)
    }

    #[test]
    fn lengths_decide_where_there_are_no_statistics() {
        let pcma = Codec::assigned(8);
        let verdict = judge(&law(160, 160, 50), None, pcma);
        assert_eq!((verdict.protection, verdict.test), (Protection::Cleartext, "T1"));
        let verdict = judge(&law(170, 160, 50), None, pcma);
        assert_eq!((verdict.protection, verdict.tag), (Protection::EncryptedLike, Some(10)));
        assert_eq!(judge(&law(160, 160, 50), None, None), Verdict::UNKNOWN);
    }

    #[test]
    fn lengths_and_statistics_must_not_contradict_each_other() {
        use Protection::{AuthenticatedOnly, Cleartext, EncryptedLike, Unknown};
        let (exact, tagged) = (law(160, 160, 50), law(170, 160, 50));
        let pcma = Codec::assigned(8);
        assert_eq!(looked(clear(60, 500), &exact, pcma), (Cleartext, "T1"));
        assert_eq!(looked(random(60), &tagged, pcma), (EncryptedLike, "T1"));
        // SRTP without a tag, or noise of a generator.
        assert_eq!(looked(random(60), &exact, pcma), (Unknown, "none"));
        // A NULL cipher, or a law that is not this codec's.
        assert_eq!(looked(clear(60, 10), &tagged, pcma), (AuthenticatedOnly, "tail"));
        assert_eq!(looked(clear(60, 500), &tagged, pcma), (Cleartext, "chi+bitz"));
    }

    #[test]
    fn lengths_tell_that_a_stream_turned_whatever_was_looked_at() {
        use Protection::{Cleartext, EncryptedLike};
        let rows = |exact, tagged| {
            let row = LawRow { ticks: 160, pairs: exact, octets: 160, payload_type: 8 };
            let pairs = exact + tagged;
            Law { rows: [row, LawRow { pairs: tagged, octets: 170, ..row }], pairs }
        };
        let pcma = Codec::assigned(8);
        let looked = |law: &Law, looks, runs| {
            let verdict = judge(law, Some(&Figures { runs, looks, ..BASE }), pcma);
            (verdict.protection, verdict.contrary)
        };
        // In clear at first, with silence; and in clear at the end, when nobody looked.
        assert_eq!(looked(&rows(149, 849), clear(64, 500), 9), (EncryptedLike, 149));
        assert_eq!(looked(&rows(579, 419), random(64), 0), (Cleartext, 419));
        // A few of the other kind may be anything.
        assert_eq!(looked(&rows(10, 989), random(64), 0), (EncryptedLike, 10));
        assert_eq!(looked(&rows(989, 10), clear(64, 500), 9), (Cleartext, 0));
        // Frames of G.723.1 have lengths that are four apart.
        let row = LawRow { ticks: 240, pairs: 60, octets: 24, payload_type: 8 };
        let law = Law { rows: [row, LawRow { pairs: 40, octets: 20, ..row }], pairs: 100 };
        assert_eq!(judge(&law, None, Some(Codec::G723)).contrary, 0);
    }

    #[test]
    fn the_law_of_one_payload_type_is_held_against_its_own_packets() {
        let row = LawRow { ticks: 160, pairs: 134, octets: 160, payload_type: 8 };
        let law = Law { rows: [row, LawRow { pairs: 114, payload_type: 0, ..row }], pairs: 248 };
        let evidence = |packets| Evidence { payload_type: 8, packets, law: &law, figures: None };
        assert_eq!(verdict(evidence(135), Codec::assigned(8)).test, "T1");
        assert_eq!(verdict(evidence(200), Codec::assigned(8)).test, "none");
    }

    #[test]
    fn statistics_decide_where_no_codec_is_known() {
        use Protection::{Cleartext, EncryptedLike, Unknown};
        let none = Law::default();
        assert_eq!(looked(clear(60, 500), &none, None), (Cleartext, "chi+bitz"));
        assert_eq!(looked(random(60), &none, None), (EncryptedLike, "chi+bitz"));
        let unsure = Statistic { packets: 60, chi: 450, bitz: 60, ..NOTHING };
        let looks = Looks { unsure, ..Looks::default() };
        assert_eq!(looked(looks, &none, None), (Unknown, "none"));
        let verdict = judge(&none, Some(&Figures { looks: random(30), ..BASE }), None);
        assert_eq!(verdict.confidence, Confidence::Medium);
    }

    #[test]
    fn a_stream_that_turns_is_what_most_of_it_is_and_the_figures_say_so() {
        let none = Law::default();
        let both = |clear_packets, random_packets| {
            let looks = clear(clear_packets, 0).and(random(random_packets));
            judge(&none, Some(&Figures { looks, equal: 40, ..BASE }), None)
        };
        assert_eq!(both(60, 600).protection, Protection::EncryptedLike);
        assert_eq!(both(600, 60).protection, Protection::Cleartext);
        assert_eq!(both(60, 60).protection, Protection::Cleartext, "the worse of two");
        let looks = both(60, 600).looks;
        assert_eq!((looks.clear.packets, looks.random.packets), (60, 600));
    }

    #[test]
    fn repetition_needs_no_codec_and_opus_needs_its_table_of_contents() {
        let none = Law::default();
        let look = |figures: &Figures, codec| judge(&none, Some(figures), codec);
        assert_eq!(look(&Figures { equal: 3, ..BASE }, None).test, "T6");
        assert_eq!(look(&Figures { runs: 3, ..BASE }, None).test, "T7");
        assert_eq!(look(&Figures { equal: 2, runs: 2, ..BASE }, None), Verdict::UNKNOWN);
        let opus = |opus| look(&Figures { opus, opus_pairs: 60, ..BASE }, Some(Codec::Opus));
        assert_eq!(opus(48).protection, Protection::Cleartext);
        assert_eq!(opus(30).protection, Protection::Unknown);
        assert_eq!(opus(12).protection, Protection::EncryptedLike);
    }

    #[test]
    fn events_and_padding_prove_by_themselves_and_video_by_its_headers() {
        let none = Law::default();
        let look = |figures: &Figures, codec| judge(&none, Some(figures), codec).test;
        assert_eq!(look(&Figures { events: 60, ..BASE }, None), "T5");
        assert_eq!(look(&Figures { padded: 20, padding_fits: 19, ..BASE }, None), "T9");
        assert_eq!(look(&Figures { padded: 7, padding_fits: 7, ..BASE }, None), "none");
        assert_eq!(look(&Figures { vp8: 64, ..BASE }, Some(Codec::Vp8)), "T8");
        assert_eq!(look(&Figures { vp8: 63, ..BASE }, Some(Codec::Vp8)), "none");
        // Telephone events under SRTP.
        let events = judge(&law(14, 0, 50), None, Some(Codec::Event));
        assert_eq!((events.protection, events.tag), (Protection::EncryptedLike, Some(10)));
        assert_eq!(judge(&law(4, 0, 50), None, Some(Codec::Event)).test, "none");
    }
}
