//! Who can listen to a call: the one place that decides it, says it in a sentence, and names the
//! packets that prove it.
//!
//! What counts is what the capture shows. A stream that is readable as sent beats everything, and so does
//! one of which a part is: a call that was secured late, or went back to clear. A key
//! that stood in readable signalling exposes the encrypted streams of the side that told it, whether
//! or not packets could be tried with it; one that packets were tried with and that does not fit
//! exposes nothing, and leaves the question open. Keys that were seen only because TLS was opened
//! are known to whoever holds the secrets of that TLS: the proxies of the call, and no one else on
//! the path. A hop in clear matters here only for the keys that crossed it.

use super::archive::CallStream;
use crate::model::frame::FrameId;
use crate::model::key::KeyHold;
use crate::model::record::Protection;

/// What an eavesdropper gets of a call's media, in the words of the contract.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exposure {
    /// At least one stream is readable as sent, or a part of one.
    Clear,
    /// Streams are encrypted, with a key that was readable in signalling.
    KeyExposed,
    /// Streams are encrypted, with a key that crossed the network inside TLS only.
    TlsKeyHolder,
    /// Every stream looks encrypted or is proven to be, and no key was readable.
    Protected,
    /// No stream belongs to the call.
    NoMedia,
    /// There is media, and nothing proves either way.
    Unknown,
}

/// One packet of the chain that proves an exposure.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The packet.
    pub frame: FrameId,
    /// What it proves.
    pub what: &'static str,
}

/// What the sentence about a call takes from a stream of it: its verdict, whether it is encrypted for a
/// part of the time only, and of its key what packets say and whether it stood in clear.
pub type Gist = (Protection, bool, Option<(KeyHold, bool)>);

/// See [`Gist`].
pub fn gist(stream: &CallStream) -> Gist {
    let key = stream.keyed.map(|keyed| (keyed.hold, keyed.clear));
    (stream.protection, stream.partly, key)
}

impl Exposure {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::KeyExposed => "key-exposed",
            Self::TlsKeyHolder => "tls-key-holder",
            Self::Protected => "protected",
            Self::NoMedia => "no-media",
            Self::Unknown => "unknown",
        }
    }

    /// The exposure of a call with these streams. Authentication without encryption leaves the
    /// payload readable, so it counts as clear.
    pub fn of(streams: &[CallStream]) -> Self {
        if streams.is_empty() {
            return Self::NoMedia;
        }
        if streams.iter().any(is_readable) {
            return Self::Clear;
        }
        if streams.iter().any(|stream| is_keyed(stream, true)) {
            return Self::KeyExposed;
        }
        if streams.iter().any(|stream| is_keyed(stream, false)) {
            return Self::TlsKeyHolder;
        }
        if streams.iter().all(|stream| is_encrypted(stream) && stream.keyed.is_none()) {
            return Self::Protected;
        }
        Self::Unknown
    }

    /// One sentence about a call with these streams, for a person who decides and does not read
    /// packets. It follows from their [`gist`]s.
    pub fn sentence(self, streams: &[CallStream]) -> String {
        let of: &Count<'_> = &|what| {
            let some = streams.iter().filter(|stream| what(stream)).count();
            match (some, streams.len()) {
                (1, 1) => "its one stream".to_owned(),
                (some, all) => {
                    [some.to_string().as_str(), " of ", &all.to_string(), " streams"].concat()
                }
            }
        };
        match self {
            Self::Clear => in_clear(streams, of),
            Self::KeyExposed => format!(
                "Anyone on the path can listen: {}.",
                keyed(streams, of).unwrap_or_default()
            ),
            Self::TlsKeyHolder => format!(
                "Only who holds the secrets of its TLS can listen: the key of {} crossed the \
                 network inside TLS, or was agreed in DTLS.",
                of(&|stream| is_keyed(stream, false))
            ),
            Self::Protected => format!(
                "Nobody on the path can listen, as far as this capture shows: {} encrypted and no \
                 key was readable.",
                be(&of(&is_encrypted))
            ),
            Self::NoMedia => {
                "No media of this call was seen, so there was nothing to listen to here.".to_owned()
            }
            Self::Unknown if streams.iter().all(is_encrypted) => {
                "It is not known who can listen: a key was readable, but the packets that were \
                 tried do not fit it."
                    .to_owned()
            }
            Self::Unknown => [
                "It is not known who can listen: ",
                &of(&|stream| !is_encrypted(stream)),
                " could not be judged.",
            ]
            .concat(),
        }
    }

    /// The fewest packets that prove the exposure, in the order in which they are to be read; none
    /// where nothing is exposed.
    pub fn chain(self, streams: &[CallStream]) -> Vec<Link> {
        let link = |frame, what| Link { frame, what };
        if self == Self::Clear {
            let first = streams.iter().find(|stream| is_readable(stream));
            let what = |stream: &CallStream| {
                if is_partly(stream) {
                    "first packet of a stream of which a part is readable as sent"
                } else {
                    "first packet of a stream that is readable as sent"
                }
            };
            let whole = streams.iter().find(|stream| is_readable(stream) && !is_partly(stream));
            let first = whole.or(first);
            return first.map(|of| link(of.stream.first, what(of))).into_iter().collect();
        }
        let clear = match self {
            Self::KeyExposed => true,
            Self::TlsKeyHolder => false,
            _ => return Vec::new(),
        };
        let fits = |stream: &&CallStream| is_keyed(stream, clear);
        let best = streams.iter().filter(fits).find(|stream| is_proven(stream));
        let Some(stream) = best.or_else(|| streams.iter().find(fits)) else { return Vec::new() };
        let Some(keyed) = stream.keyed else { return Vec::new() };
        let told =
            if clear { "key in readable SDP" } else { "key that the secrets of TLS or DTLS give" };
        let mut chain = vec![link(keyed.told, told)];
        match keyed.tried.filter(|_| keyed.hold == KeyHold::Proven) {
            Some(tried) => chain.extend(
                [tried.first, tried.second, tried.third]
                    .map(|frame| link(frame, "packet whose tag verifies with this key")),
            ),
            None => chain.push(link(stream.stream.first, "first packet of the encrypted stream")),
        }
        chain
    }
}

/// Counts the streams of a call that are so: `1 of 2 streams`.
type Count<'a> = dyn Fn(&dyn Fn(&CallStream) -> bool) -> String + 'a;

/// What anyone on the path gets of a call that is in clear, and by which ways.
fn in_clear(streams: &[CallStream], of: &Count<'_>) -> String {
    type Way = (fn(&CallStream) -> bool, &'static str);
    let ways: [Way; 3] = [
        (|stream| stream.protection == Protection::Cleartext, "sent without encryption"),
        (
            |stream| stream.protection == Protection::AuthenticatedOnly,
            "authenticated but not encrypted",
        ),
        (is_partly, "sent without encryption for a part of the time"),
    ];
    let ways = ways.into_iter().filter(|(is, _)| streams.iter().any(is));
    let mut ways: Vec<String> = ways.map(|(is, how)| format!("{} {how}", be(&of(&is)))).collect();
    ways.extend(keyed(streams, of));
    format!("Anyone on the path can listen: {}.", ways.join("; "))
}

/// That keys of streams could be read, and whether packets prove that they fit.
fn keyed(streams: &[CallStream], of: &Count<'_>) -> Option<String> {
    let keyed = |stream: &CallStream| is_keyed(stream, true);
    let proven = |stream: &CallStream| is_proven(stream) && keyed(stream);
    if streams.iter().any(proven) {
        return Some(format!(
            "the key of {} stood in readable signalling, and packets prove that it fits",
            of(&proven)
        ));
    }
    let told = || format!("the key of {} stood in readable signalling", of(&keyed));
    streams.iter().any(keyed).then(told)
}

fn is_readable(stream: &CallStream) -> bool {
    matches!(stream.protection, Protection::Cleartext | Protection::AuthenticatedOnly)
        || is_partly(stream)
}

/// Whether a stream that looks encrypted was in clear for a part of the time.
fn is_partly(stream: &CallStream) -> bool {
    stream.partly
}

fn is_encrypted(stream: &CallStream) -> bool {
    matches!(stream.protection, Protection::EncryptedLike | Protection::SrtpProven)
}

fn is_proven(stream: &CallStream) -> bool {
    stream.keyed.is_some_and(|keyed| keyed.hold == KeyHold::Proven)
}

/// Whether the stream is encrypted with a key that stood in clear, or in TLS that was opened.
fn is_keyed(stream: &CallStream, clear: bool) -> bool {
    let fits = stream.keyed.filter(|keyed| keyed.hold != KeyHold::Refuted);
    is_encrypted(stream) && fits.is_some_and(|keyed| keyed.clear == clear)
}

/// `1 of 2 streams is`, `2 of 2 streams are`.
fn be(what: &str) -> String {
    let one = what.starts_with("1 of ") || what.starts_with("its one");
    format!("{what} {}", if one { "is" } else { "are" })
}

#[cfg(test)]
#[allow(clippy::unnecessary_wraps, clippy::too_many_lines, reason = "a table of cases")]
mod tests {
    use super::*;
    use crate::model::id::{Kind, RecordId, RecordKey};
    use crate::model::key::{StreamKeyed, Tried};

    fn frame(number: u64) -> FrameId {
        FrameId { source: 0, number }
    }

    fn keyed(hold: KeyHold, clear: bool) -> Option<StreamKeyed> {
        let tried = (hold != KeyHold::Told).then_some(Tried {
            first: frame(21),
            second: frame(22),
            third: frame(23),
        });
        Some(StreamKeyed { hold, told: frame(4), clear, tried })
    }

    fn streams(all: &[(Protection, Option<StreamKeyed>)]) -> Vec<CallStream> {
        let stream = RecordKey { first: frame(20), id: RecordId::new(Kind::Stream, 1) };
        let of = |&(protection, keyed)| CallStream { stream, protection, partly: false, keyed };
        all.iter().map(of).collect()
    }

    #[test]
    fn a_part_in_clear_is_worse_than_an_exposed_key_and_both_are_said() {
        use Protection::SrtpProven;
        let sealed = (SrtpProven, keyed(KeyHold::Proven, true));
        let mut streams = streams(&[sealed, sealed]);
        assert_eq!(Exposure::of(&streams), Exposure::KeyExposed);
        streams[1].partly = true;
        streams[1].stream.first = frame(30);
        let exposure = Exposure::of(&streams);
        assert_eq!(exposure, Exposure::Clear);
        assert_eq!(
            exposure.sentence(&streams),
            "Anyone on the path can listen: 1 of 2 streams is sent without encryption for a part of \
             the time; the key of 2 of 2 streams stood in readable signalling, and packets prove \
             that it fits."
        );
        let chain = exposure.chain(&streams);
        assert_eq!(chain.iter().map(|link| link.frame.number).collect::<Vec<_>>(), [30]);
    }

    #[test]
    fn exposure_is_the_worst_that_is_certain() {
        use KeyHold::{Proven, Refuted, Told};
        use Protection::{AuthenticatedOnly, Cleartext, EncryptedLike, SrtpProven, Unknown};
        let none = None;
        for (all, exposure, frames, begins) in [
            (&[][..], Exposure::NoMedia, &[][..], "No media"),
            (
                &[(EncryptedLike, keyed(Told, true)), (Cleartext, none)],
                Exposure::Clear,
                &[20],
                "Anyone on the path can listen: 1 of 2 streams is sent without",
            ),
            (
                &[(AuthenticatedOnly, none)],
                Exposure::Clear,
                &[20],
                "Anyone on the path can listen: its one stream is authenticated but",
            ),
            (
                &[(EncryptedLike, keyed(Told, true)), (SrtpProven, keyed(Proven, true))],
                Exposure::KeyExposed,
                &[4, 21, 22, 23],
                "Anyone on the path can listen: the key of 1 of 2 streams stood",
            ),
            (
                &[(EncryptedLike, keyed(Told, true)), (Unknown, none)],
                Exposure::KeyExposed,
                &[4, 20],
                "Anyone on the path can listen: the key of 1 of 2 streams stood",
            ),
            (
                &[(SrtpProven, keyed(Proven, false)), (EncryptedLike, keyed(Told, false))],
                Exposure::TlsKeyHolder,
                &[4, 21, 22, 23],
                "Only who holds",
            ),
            (
                &[(EncryptedLike, none), (EncryptedLike, none)],
                Exposure::Protected,
                &[],
                "Nobody on the path can listen, as far as this capture shows: 2 of 2 streams are",
            ),
            (
                &[(EncryptedLike, keyed(Refuted, true))],
                Exposure::Unknown,
                &[],
                "It is not known who can listen: a key was readable",
            ),
            (
                &[(EncryptedLike, none), (Unknown, keyed(Told, true))],
                Exposure::Unknown,
                &[],
                "It is not known who can listen: 1 of 2 streams could not",
            ),
        ] {
            let streams = streams(all);
            assert_eq!(Exposure::of(&streams), exposure, "{all:?}");
            let sentence = exposure.sentence(&streams);
            assert!(sentence.starts_with(begins), "{sentence}");
            let chain = exposure.chain(&streams);
            let numbers: Vec<u64> = chain.iter().map(|link| link.frame.number).collect();
            assert_eq!(numbers, frames, "{all:?}");
        }
    }
}
