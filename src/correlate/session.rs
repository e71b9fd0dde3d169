//! One media description of a session (RFC 8866 §5.14), read in one pass: what it says apart from
//! addresses becomes a shared [`MediaDescription`], the addresses (c=, m=, a=rtcp of RFC 3605,
//! a=candidate of RFC 8839) become endpoints. Whether anybody uses them is decided elsewhere.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use overhear_parsers::sdp::{Media, Session};

use super::intern::Descriptions;
use super::outbox::MediaDescription;
use crate::model::addr::{Endpoint, STABLE};

/// SSRCs kept of one m-line.
const MAX_SSRCS: usize = 4;
/// ICE candidates kept of one m-line.
const MAX_CANDIDATES: u8 = 8;
/// Codecs kept of one m-line; a description that is not shared keeps none.
const MAX_CODECS: usize = 32;
/// Octets kept of a kind, profile or encoding name.
const NAME_OCTETS: usize = 32;

/// Static payload types (RFC 3551 §6): number, name, Hz.
const STATIC: &[(u8, &str, u32)] = &[
    (0, "PCMU", 8_000),
    (3, "GSM", 8_000),
    (4, "G723", 8_000),
    (5, "DVI4", 8_000),
    (6, "DVI4", 16_000),
    (7, "LPC", 8_000),
    (8, "PCMA", 8_000),
    (9, "G722", 8_000),
    (10, "L16", 44_100),
    (11, "L16", 44_100),
    (12, "QCELP", 8_000),
    (13, "CN", 8_000),
    (14, "MPA", 90_000),
    (15, "G728", 8_000),
    (16, "DVI4", 11_025),
    (17, "DVI4", 22_050),
    (18, "G729", 8_000),
    (25, "CelB", 90_000),
    (26, "JPEG", 90_000),
    (28, "nv", 90_000),
    (31, "H261", 90_000),
    (32, "MPV", 90_000),
    (33, "MP2T", 90_000),
    (34, "H263", 90_000),
];

/// Attributes that decide how packets are keyed or found.
#[derive(Copy, Clone, Default)]
struct Attributes {
    crypto: bool,
    fingerprint: bool,
    zrtp: bool,
    mikey: bool,
    rtcp_mux: bool,
    rtcp: bool,
    ssrc: bool,
    candidate: bool,
}

/// One media description, read.
pub(super) struct Section<'a> {
    /// As the parser gives it.
    pub(super) media: Media<'a>,
    /// An `a=crypto` has a key that can be used.
    pub(super) key: bool,
    address: Option<IpAddr>,
    attributes: Attributes,
    /// Of everything that the description holds.
    hash: u64,
}

impl<'a> Section<'a> {
    /// Reads one description of `session`.
    pub(super) fn read(session: &Session<'a>, media: Media<'a>) -> Self {
        let mut hasher = STABLE.build_hasher();
        hasher.write(media.kind);
        hasher.write(media.proto);
        for format in media.formats() {
            hasher.write(format);
        }
        let mut attributes = Attributes::default();
        let mut own_connection = false;
        for field in media.fields() {
            match field.kind {
                b'a' => attributes.note(field.value, &mut hasher),
                b'c' => own_connection = true,
                _ => {}
            }
        }
        // RFC 8122 §5, RFC 4567 §3, RFC 6189 §8: the session may say it for all media.
        let mut head = Attributes::default();
        for field in session.fields().filter(|field| field.kind == b'a') {
            head.note(field.value, &mut NoHash);
        }
        attributes.fingerprint |= head.fingerprint;
        attributes.mikey |= head.mikey;
        attributes.zrtp |= head.zrtp;
        attributes.crypto |= head.crypto;
        hasher.write_u8(attributes.bits());
        let connection = if own_connection { media.connection() } else { session.connection() };
        let key = attributes.crypto && media.cryptos().any(|crypto| crypto.has_usable_key());
        Self {
            media,
            key,
            address: connection.and_then(|connection| connection.ip()),
            attributes,
            hash: hasher.finish(),
        }
    }

    /// The shared description.
    pub(super) fn describe(&self, shared: &mut Descriptions) -> Arc<MediaDescription> {
        let same = |known: &MediaDescription| {
            known.kind.as_bytes().eq_ignore_ascii_case(cut(self.media.kind))
                && known.profile.as_bytes().eq_ignore_ascii_case(cut(self.media.proto))
                && known
                    .codecs
                    .iter()
                    .map(|codec| codec.0)
                    .eq(self.media.payload_types().take(MAX_CODECS))
        };
        shared.get(self.hash, same, |shared| self.make(if shared { MAX_CODECS } else { 0 }))
    }

    /// Where media is expected: `None` for port 0, a name, or the zero address.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        usable(self.address?, self.media.port)
    }

    /// Where RTCP is expected, if not at the same port.
    pub(super) fn rtcp(&self) -> Option<Endpoint> {
        if self.attributes.rtcp_mux {
            return None;
        }
        if self.attributes.rtcp
            && let Some(rtcp) = self.media.rtcp()
        {
            let address = rtcp.connection.and_then(|connection| connection.ip()).or(self.address)?;
            return usable(address, rtcp.port).filter(|rtcp| Some(*rtcp) != self.endpoint());
        }
        usable(self.address?, self.media.port.checked_add(1)?)
    }

    /// `a=ssrc` values, each once.
    pub(super) fn ssrcs(&self) -> Vec<u32> {
        let mut ssrcs = Vec::new();
        if self.attributes.ssrc {
            for ssrc in self.media.ssrcs() {
                if ssrcs.len() < MAX_SSRCS && !ssrcs.contains(&ssrc.ssrc) {
                    ssrcs.push(ssrc.ssrc);
                }
            }
        }
        ssrcs
    }

    /// ICE candidates for RTP over UDP: number from 1, endpoint, and the candidate for RTCP with
    /// the same foundation.
    pub(super) fn candidates(&self) -> impl Iterator<Item = (u8, Endpoint, Option<Endpoint>)> {
        let asked = self.attributes.candidate.then_some(&self.media);
        let usable_of = |component: u16| {
            move |candidate: overhear_parsers::sdp::Candidate<'a>| {
                let wanted = candidate.component == component && candidate.is_udp();
                let ip = candidate.ip().filter(|_| wanted)?;
                Some((candidate.foundation, usable(ip, candidate.port)?))
            }
        };
        let for_rtp = asked.into_iter().flat_map(move |media| {
            media.candidates().filter_map(usable_of(1)).map(move |(foundation, endpoint)| {
                let mut for_rtcp = media.candidates().filter_map(usable_of(2));
                let rtcp = for_rtcp.find(|(other, _)| *other == foundation);
                (endpoint, rtcp.map(|(_, endpoint)| endpoint))
            })
        });
        (1..=MAX_CANDIDATES).zip(for_rtp).map(|(number, (endpoint, rtcp))| (number, endpoint, rtcp))
    }

    fn make(&self, codecs: usize) -> MediaDescription {
        let kept = self.media.payload_types().take(codecs);
        let text = |octets| String::from_utf8_lossy(cut(octets)).into_owned();
        let codecs = kept.map(|number| {
            if let Some(map) = self.media.rtpmap(number) {
                return (number, text(map.encoding), map.clock);
            }
            let known = STATIC.iter().find(|(known, _, _)| *known == number);
            let (name, clock) = known.map_or(("", 0), |&(_, name, clock)| (name, clock));
            (number, name.to_owned(), clock)
        });
        MediaDescription {
            kind: text(self.media.kind).to_ascii_lowercase(),
            profile: text(self.media.proto).to_ascii_uppercase(),
            codecs: codecs.collect(),
            crypto: self.attributes.crypto,
            fingerprint: self.attributes.fingerprint,
            zrtp: self.attributes.zrtp,
            mikey: self.attributes.mikey,
            rtcp_mux: self.attributes.rtcp_mux,
        }
    }
}

impl Attributes {
    /// Notes one attribute; what becomes part of the description also goes into the hash.
    fn note(&mut self, value: &[u8], hasher: &mut impl Hasher) {
        let name = value.split(|&octet| octet == b':').next().unwrap_or_default().trim_ascii_end();
        let flag = match (name.len(), name.first().map(u8::to_ascii_lowercase)) {
            (6, Some(b'r')) if name.eq_ignore_ascii_case(b"rtpmap") => {
                hasher.write(value);
                return;
            }
            (6, Some(b'c')) if name.eq_ignore_ascii_case(b"crypto") => &mut self.crypto,
            (11, Some(b'f')) if name.eq_ignore_ascii_case(b"fingerprint") => &mut self.fingerprint,
            (9, Some(b'z')) if name.eq_ignore_ascii_case(b"zrtp-hash") => &mut self.zrtp,
            (8, Some(b'k')) if name.eq_ignore_ascii_case(b"key-mgmt") => &mut self.mikey,
            (8, Some(b'r')) if name.eq_ignore_ascii_case(b"rtcp-mux") => &mut self.rtcp_mux,
            (4, Some(b'r')) if name.eq_ignore_ascii_case(b"rtcp") => &mut self.rtcp,
            (4, Some(b's')) if name.eq_ignore_ascii_case(b"ssrc") => &mut self.ssrc,
            (9, Some(b'c')) if name.eq_ignore_ascii_case(b"candidate") => &mut self.candidate,
            _ => return,
        };
        *flag = true;
    }

    /// Those that are part of the description.
    fn bits(self) -> u8 {
        let all = [self.crypto, self.fingerprint, self.zrtp, self.mikey, self.rtcp_mux];
        all.iter().fold(0, |bits, &one| bits << 1 | u8::from(one))
    }
}

/// Where nothing is hashed.
struct NoHash;

impl Hasher for NoHash {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        0
    }
}

fn usable(address: IpAddr, port: u16) -> Option<Endpoint> {
    (port != 0 && !address.is_unspecified()).then(|| Endpoint::new(address.into(), port))
}

fn cut(name: &[u8]) -> &[u8] {
    name.get(..NAME_OCTETS).unwrap_or(name)
}
