//! The `a=crypto` lines of an offer and its answer, with what became of each (RFC 4568 §7.1), for the
//! rules that judge them.

use overhear_parsers::sdp::Crypto;

use super::super::negotiation::{MediaLine, NegotiationSeen};
use super::super::small::speaker;
use super::super::text::{printable, sentence};
use crate::correlate::exchange::Statement;

/// What became of a line.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stands in the answer, so this is how media is keyed.
    Accepted,
    /// It was the first of its m-line in the offer, and not chosen: refused, or never answered.
    Preferred,
    /// It was one of several, and not chosen.
    Spare,
}

/// One `a=crypto` line.
pub(super) struct Line<'s, 'a> {
    /// The description it stands in.
    pub(super) statement: &'a Statement,
    /// Its m-line.
    pub(super) media: &'s MediaLine<'a>,
    /// The line.
    pub(super) crypto: &'s Crypto<'a>,
    /// What became of it.
    pub(super) fate: Fate,
}

impl Line<'_, '_> {
    /// `200 answers with crypto tag 1, AES_CM_128_HMAC_SHA1_32`.
    pub(super) fn spoken(&self) -> String {
        let tag = self.crypto.tag.map_or_else(|| "?".to_owned(), |tag| tag.to_string());
        let verb = if self.fate == Fate::Accepted { "answers with" } else { "offers" };
        sentence!(
            "{} {verb} crypto tag {tag}, {}",
            speaker(self.statement),
            printable(self.crypto.suite, 48)
        )
    }

    /// Whether the line has this session parameter (RFC 4568 §6.3).
    pub(super) fn asks(&self, parameter: &[u8]) -> bool {
        self.crypto.session_parameters().any(|word| word == parameter)
    }
}

/// The lines of media that are not refused; those of the offer that the answer chose are left out,
/// as the answer repeats them.
pub(super) fn lines<'s, 'a>(
    seen: &'s NegotiationSeen<'a>,
) -> impl Iterator<Item = Line<'s, 'a>> + use<'s, 'a> {
    let offered = seen.exchange.offer.as_ref().into_iter().flat_map(move |statement| {
        let answered = seen.answered.iter().map(Some).chain(std::iter::repeat(None));
        let media = seen.offered.iter().zip(answered).filter(|(media, _)| media.accepted());
        media.flat_map(move |(media, answer)| {
            media.cryptos.iter().enumerate().filter_map(move |(place, crypto)| {
                let same = |chosen: &Crypto<'_>| chosen.tag == crypto.tag;
                let chosen = answer.is_some_and(|answer| answer.cryptos.iter().any(same));
                let fate = if place == 0 { Fate::Preferred } else { Fate::Spare };
                (!chosen).then_some(Line { statement, media, crypto, fate })
            })
        })
    });
    let answered = seen.exchange.answer().into_iter().flat_map(move |statement| {
        let media = seen.answered.iter().filter(|media| media.accepted());
        media.flat_map(move |media| {
            let fate = Fate::Accepted;
            media.cryptos.iter().map(move |crypto| Line { statement, media, crypto, fate })
        })
    });
    offered.chain(answered)
}
