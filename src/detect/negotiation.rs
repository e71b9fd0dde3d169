//! What rules see of an offer about security and its answer (RFC 3264 §5, §6): the media of both, read
//! once, m-line by m-line.

use overhear_parsers::sdp::{Crypto, Fingerprint, Media, Setup};

use super::sink::Subject;
use crate::correlate::exchange::{Exchange, Reply, Statement};
use crate::model::evidence::FrameRef;

/// Audio levels in header extensions (RFC 6464 §4, RFC 6465 §4).
const LEVELS: [&[u8]; 2] = [
    b"urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    b"urn:ietf:params:rtp-hdrext:csrc-audio-level",
];

/// One m-line with its keying attributes, those of the session included.
#[derive(Debug)]
pub struct MediaLine<'a> {
    /// As the parser gives it.
    pub media: Media<'a>,
    /// RTP in a secure profile.
    pub secure: bool,
    /// RTP in any profile.
    pub rtp: bool,
    /// `a=crypto` (RFC 4568).
    pub cryptos: Vec<Crypto<'a>>,
    /// `a=fingerprint` (RFC 8122).
    pub fingerprints: Vec<Fingerprint<'a>>,
    /// `a=setup` (RFC 4145).
    pub setup: Option<Setup>,
    /// `a=zrtp-hash` (RFC 6189).
    pub zrtp: bool,
    /// `a=key-mgmt` (RFC 4567).
    pub mikey: bool,
    /// `a=acfg`: a capability was chosen (RFC 5939).
    pub actual: bool,
    /// A potential configuration has a secure profile (RFC 5939).
    pub could_be_secure: bool,
    /// Audio levels in header extensions that SRTP does not encrypt.
    pub levels: bool,
}

impl<'a> MediaLine<'a> {
    fn new(media: Media<'a>) -> Self {
        let mut potential = media.potential();
        Self {
            secure: media.is_secure_profile(),
            rtp: media.is_rtp(),
            cryptos: media.cryptos().collect(),
            fingerprints: media.fingerprints().collect(),
            setup: media.setup(),
            zrtp: media.zrtp_hashes().next().is_some(),
            mikey: media.key_mgmt().next().is_some(),
            actual: media.actual().is_some(),
            could_be_secure: potential
                .any(|configuration| media.protocols_of(configuration).any(is_secure)),
            levels: has_levels(&media),
            media,
        }
    }

    /// Not refused.
    pub const fn accepted(&self) -> bool {
        self.media.port != 0
    }

    /// RTP in a profile that is not secure, and not refused.
    pub const fn plain(&self) -> bool {
        self.rtp && !self.secure && self.accepted()
    }

    /// How many ways of keying it names.
    pub fn keyings(&self) -> usize {
        let ways = [!self.cryptos.is_empty(), !self.fingerprints.is_empty(), self.zrtp, self.mikey];
        ways.into_iter().filter(|named| *named).count()
    }

    /// Keyed by DTLS: `UDP/TLS/RTP/SAVPF` and the like (RFC 5764 §8).
    pub fn dtls(&self) -> bool {
        self.secure && self.media.proto.split(|octet| *octet == b'/').any(|word| word == b"TLS")
    }
}

/// An offer about security and what became of it.
#[derive(Debug)]
pub struct NegotiationSeen<'a> {
    /// Where it was seen, and what became of it.
    pub exchange: &'a Exchange,
    /// The pair of peers, sorted.
    pub pair: Subject,
    /// The reply, else the offer.
    pub at: FrameRef,
    /// The offer's media; none if it was not seen.
    pub offered: Vec<MediaLine<'a>>,
    /// The answer's media; none without one.
    pub answered: Vec<MediaLine<'a>>,
}

impl<'a> NegotiationSeen<'a> {
    /// Reads both descriptions, unless the answer repeats one that was read.
    pub fn new(exchange: &'a Exchange) -> Self {
        let (offer, answer) = (exchange.offer.as_ref(), exchange.answer());
        let media = |statement: Option<&'a Statement>| {
            let wanted = statement.filter(|_| !exchange.repeats);
            let media = wanted.into_iter().flat_map(|statement| statement.session().media());
            media.map(MediaLine::new).collect()
        };
        let spoken = answer.or(offer);
        let at = match &exchange.reply {
            Reply::Refusal { at, .. } | Reply::Acceptance { at } => Some(*at),
            Reply::Answer(_) | Reply::Silence => spoken.map(|statement| statement.at),
        };
        Self {
            exchange,
            pair: spoken.map_or_else(Subject::capture, |statement| {
                Subject::pair(statement.src.addr, statement.dst.addr)
            }),
            at: at.unwrap_or_default(),
            offered: media(offer),
            answered: media(answer),
        }
    }

    /// Each m-line of the answer with the one of the offer that it answers.
    pub fn answers(&self) -> impl Iterator<Item = (Option<&MediaLine<'a>>, &MediaLine<'a>)> {
        let offered = self.offered.iter().map(Some).chain(std::iter::repeat(None));
        offered.zip(&self.answered)
    }

    /// Each m-line of both, with the description that it stands in.
    pub fn media(&self) -> impl Iterator<Item = (&'a Statement, &MediaLine<'a>)> {
        let exchange = self.exchange;
        let of = |statement: Option<&'a Statement>, media| {
            let with = move |media| Some((statement?, media));
            let all: std::slice::Iter<'_, MediaLine<'a>> = media;
            all.filter_map(with)
        };
        of(exchange.offer.as_ref(), self.offered.iter())
            .chain(of(exchange.answer(), self.answered.iter()))
    }
}

/// Whether a protocol is a secure profile of RTP.
fn is_secure(protocol: &[u8]) -> bool {
    let mut words = protocol.rsplit(|octet| *octet == b'/');
    words.next().is_some_and(|profile| matches!(profile, b"SAVP" | b"SAVPF"))
}

/// Whether an audio level stands in a header extension in clear: not in an encrypted one (RFC 6904
/// §4), nor with all of them encrypted (RFC 9335 §4).
fn has_levels(media: &Media<'_>) -> bool {
    let named = |value: &[u8]| {
        let mut words = value.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
        words.nth(1).is_some_and(|uri| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(uri)))
    };
    media.attributes(b"extmap").any(named) && media.attribute(b"cryptex").is_none()
}
