//! `MEDIA-SDES-WEAK-KEY`: SRTP keys that are no secret (RFC 4568 §6.1, §9.2).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::KeySeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use super::keys::described;
use crate::model::addr::stable_hash;
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An SRTP master key that is no random number, whatever its salt: the first 16 octets are equal or
    /// count up or down; or, with its salt, nothing but printable characters, or the key of an example in
    /// RFC 3711 or RFC 4568.
    ///
    /// ## Why it matters
    /// A key that can be guessed or looked up protects nothing, however it was carried: the media can
    /// be decrypted by people who never saw the signalling.
    ///
    /// ## Evidence
    /// The message, the suite, the key's label, and what is wrong with it.
    ///
    /// ## False positives
    /// Thirty random octets are all printable once in 10 to the power of 13 keys. Test equipment often
    /// uses example keys.
    ///
    /// ## Fix
    /// Make keys with a cryptographic random number generator. Keys derived from text are none.
    id: "MEDIA-SDES-WEAK-KEY",
    name: "media-sdes-weak-key",
    title: "SRTP keys can be guessed",
    severity: Critical ..= Critical,
    status: Stable,
    wants: [KEY],
    references: ["RFC 4568 §6.1", "RFC 3711 §8", "RFC 3711 §9.1"],
    remediation: super::keys::FIX,
    question: Some("SDES"),
    thresholds: [],
    since: "0.1.0",
}

/// Distinct: keys.
const KEYS: usize = 0;

/// What makes a key weak.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Weakness {
    Equal,
    Counting,
    Known,
    Printable,
}

impl Weakness {
    const ALL: [Self; 4] = [Self::Equal, Self::Counting, Self::Known, Self::Printable];

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Equal => ("equal", "its octets are equal"),
            Self::Counting => ("counting", "its octets count"),
            Self::Known => ("example", "it is an example of an RFC"),
            Self::Printable => ("printable", "it is nothing but printable characters"),
        }
    }

    /// What is wrong with a key and its salt; `None` if they look random.
    fn of(key: &[u8]) -> Option<Self> {
        // No suite has a shorter key in front of its salt.
        let (first, rest) = key.first_chunk::<16>()?.split_first()?;
        let step = rest.first()?.wrapping_sub(*first);
        let steady = key.iter().zip(rest).all(|(one, next)| next.wrapping_sub(*one) == step);
        if steady {
            return Some(if step == 0 { Self::Equal } else { Self::Counting });
        }
        if KNOWN.contains(&key) {
            return Some(Self::Known);
        }
        key.iter().all(|octet| matches!(octet, b' '..=b'~')).then_some(Self::Printable)
    }
}

/// Keys with their salts that stand in RFC 3711 appendix B.3 and in RFC 4568 (its other examples
/// are nothing but printable).
const KNOWN: &[&[u8]] = &[
    &[
        0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41,
        0x39, 0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6,
    ],
    b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#",
    b"aBCdefghiJKLmoPQrsTuVwyz123456",
];

/// The rule at work.
pub(crate) struct SdesWeakKey;

pub(crate) const fn new(_: &Policy) -> SdesWeakKey {
    SdesWeakKey
}

impl Detector for SdesWeakKey {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn key(&mut self, seen: &KeySeen<'_>, sink: &mut Sink) {
        let Some(weakness) = Weakness::of(seen.secret.expose()) else { return };
        let sighting = Sighting::new(&META, seen.pair, seen.place.at);
        let slot = Weakness::ALL.iter().position(|one| *one == weakness).unwrap_or(0);
        sink.sighting(sighting.kind(u32::try_from(slot).unwrap_or(0)), |labels| {
            (sentence!("{}: {}", described(seen, labels), weakness.words().1), None)
        })
        .add(slot, 1)
        .distinct(KEYS, stable_hash(&seen.secret.expose()))
        .call(Some(seen.place.call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let keys = entry.distinct(KEYS);
        let mut parameters = vec![("keys", Figure::Count(keys))];
        for (slot, weakness) in Weakness::ALL.into_iter().enumerate() {
            parameters.push((weakness.words().0, Figure::Count(entry.tally(slot))));
        }
        Words {
            summary: sentence!(
                "{} in {} between {} can be guessed.",
                plural(keys, "SRTP key"),
                plural(entry.calls, "call"),
                entry.subject.spoken(),
            ),
            parameters,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_weakness_is_told_from_a_random_key() {
        let counting: Vec<u8> = (0..30).map(|n: u8| n.wrapping_mul(3).wrapping_add(250)).collect();
        assert_eq!(Weakness::of(&[7; 30]), Some(Weakness::Equal));
        let mut salted = [0; 30];
        salted[20] = 0x80;
        assert_eq!(Weakness::of(&salted), Some(Weakness::Equal));
        assert_eq!(Weakness::of(&counting), Some(Weakness::Counting));
        for known in KNOWN {
            assert_eq!(Weakness::of(known), Some(Weakness::Known));
        }
        assert_eq!(Weakness::of(b"ReadableByAnyoneOnTheWire!!HHH"), Some(Weakness::Printable));
        let mut random = *b"ReadableByAnyoneOnTheWire!!HHH";
        random[17] = 0x80;
        assert_eq!(Weakness::of(&random), None);
        assert_eq!(Weakness::of(&[]), None);
    }
}
