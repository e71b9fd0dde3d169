//! One media description of a session (RFC 8866 §5.14), read in one pass: what it says apart from
//! addresses becomes a shared [`MediaDescription`], the addresses (c=, m=, a=rtcp of RFC 3605,
//! a=candidate of RFC 8839) become endpoints. Whether anybody uses them is decided elsewhere.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use overhear_parsers::sdp::{self, Connection, Field, Media, Part};

use super::intern::Descriptions;
use super::outbox::MediaDescription;
use super::view::hash_on;
use crate::model::addr::{Endpoint, STABLE, stable_hash};

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

/// What the lines of one part of a description say: of its session part, or of one medium.
#[derive(Copy, Clone, Default)]
struct Said<'a> {
    attributes: Attributes,
    /// The first `c=`.
    connection: Option<&'a [u8]>,
    /// Of every `a=rtpmap`.
    rtpmaps: u64,
    /// Of a session its first BUNDLE group, of a medium its `a=mid` (RFC 9143 §5, RFC 5888).
    group: Option<&'a [u8]>,
}

/// Attributes that decide how packets are keyed or found, one bit each.
#[derive(Copy, Clone, Default)]
struct Attributes(u16);

impl Attributes {
    const CRYPTO: Self = Self(1);
    const FINGERPRINT: Self = Self(1 << 1);
    const ZRTP: Self = Self(1 << 2);
    const MIKEY: Self = Self(1 << 3);
    const RTCP_MUX: Self = Self(1 << 4);
    const RTCP: Self = Self(1 << 5);
    const SSRC: Self = Self(1 << 6);
    const CANDIDATE: Self = Self(1 << 7);
    const BUNDLE_ONLY: Self = Self(1 << 8);
    /// Capability negotiation.
    const CAPABLE: Self = Self(1 << 9);
    /// `a=sendonly`, `a=inactive`.
    const HELD: Self = Self(1 << 10);
    /// `a=sendrecv`, `a=recvonly`.
    const FLOWS: Self = Self(1 << 11);
    /// `a=ice-ufrag`.
    const ICE: Self = Self(1 << 12);
    /// `a=recvonly`, as well as [`Self::FLOWS`].
    const RECEIVES: Self = Self(1 << 13);
    /// What the session may say for all media: RFC 4568, RFC 8122 §5, RFC 6189 §8, RFC 4567 §3,
    /// RFC 5939 §3.3.2, RFC 8839 §5.4.
    const OF_SESSION: Self = Self(
        Self::CRYPTO.0
            | Self::FINGERPRINT.0
            | Self::ZRTP.0
            | Self::MIKEY.0
            | Self::CAPABLE.0
            | Self::ICE.0,
    );
    /// What is part of the description.
    const DESCRIBED: Self = Self((Self::OF_SESSION.0 | Self::RTCP_MUX.0) & !Self::ICE.0);

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// One media description, read.
pub(super) struct Section<'a> {
    /// As the parser gives it.
    pub(super) media: Media<'a>,
    /// An `a=crypto` has a key that can be used.
    pub(super) key: bool,
    /// Media is not to be sent to the writer: `sendonly`, `inactive`, the null address (RFC 3264
    /// §8.4, RFC 2543 §B.5).
    pub(super) held: bool,
    /// It is, or the writer sends none: `recvonly`.
    pub(super) one_way: bool,
    /// A name stands where an address would.
    pub(super) named: bool,
    address: Option<IpAddr>,
    attributes: Attributes,
    /// The address of the m-line that the bundle goes by, where it is not this one's own.
    pub(super) bundled: Option<Endpoint>,
    /// Of everything that the description holds.
    hash: u64,
}

/// Reads the media descriptions of a body, and shows each with its index.
pub(super) fn sections<'a>(body: &'a [u8], mut found: impl FnMut(u8, &Section<'a>)) {
    let (mut session, mut own) = (Said::default(), Said::default());
    let mut mline = 0_u8;
    let mut tagged = None;
    sdp::walk(body, |part| match part {
        Part::Session(field) => session.note(field),
        Part::Line(field) => own.note(field),
        Part::Media(media) => {
            let own = std::mem::take(&mut own);
            let mut section = Section::new(&session, &own, media);
            if let (Some(mids), Some(mid)) = (session.group, own.group) {
                section.bundle(mids, mid, &mut tagged);
            }
            found(mline, &section);
            mline = mline.saturating_add(1);
        }
    });
}

impl<'a> Section<'a> {
    fn new(session: &Said<'a>, own: &Said<'a>, media: Media<'a>) -> Self {
        let general = session.attributes.0 & Attributes::OF_SESSION.0;
        let attributes = Attributes(own.attributes.0 | general);
        let mut hasher = STABLE.build_hasher();
        hasher.write_u64(own.rtpmaps);
        hasher.write_u16(attributes.0 & Attributes::DESCRIBED.0);
        hasher.write(media.kind);
        hasher.write(media.proto);
        hasher.write(media.formats_text());
        let connection = own.connection.or(session.connection).map(Connection::parse);
        let address = connection.and_then(|connection| connection.ip());
        let directed = own.attributes.has(Attributes(Attributes::HELD.0 | Attributes::FLOWS.0));
        let direction = if directed { own.attributes } else { session.attributes };
        let null = address.is_some_and(|address| address.is_unspecified());
        Self {
            media,
            key: attributes.has(Attributes::CRYPTO)
                && media.cryptos().any(|crypto| crypto.has_usable_key()),
            held: null || direction.has(Attributes::HELD),
            one_way: null || direction.has(Attributes(Attributes::HELD.0 | Attributes::RECEIVES.0)),
            named: address.is_none() && connection.is_some_and(|of| of.is_name()),
            address,
            attributes,
            bundled: None,
            hash: hasher.finish(),
        }
    }

    /// Finds out whether the m-line is one of a bundle, whose address is that of its first `mid`
    /// (RFC 9143 §7.2). Without a port of its own it must say that it is part of one.
    fn bundle(&mut self, mids: &[u8], mid: &[u8], tagged: &mut Option<Endpoint>) {
        let mut mids = mids.split(|octet| *octet == b' ').filter(|mid| !mid.is_empty());
        let place = mids.position(|of| of == mid);
        if place == Some(0) {
            *tagged = self.endpoint();
        } else if place.is_some()
            && (self.media.port != 0 || self.attributes.has(Attributes::BUNDLE_ONLY))
        {
            self.bundled = tagged.filter(|tagged| Some(*tagged) != self.endpoint());
        }
    }

    /// The shared description.
    pub(super) fn describe(&self, shared: &mut Descriptions) -> Arc<MediaDescription> {
        let same = |known: &MediaDescription| {
            is_written(known.kind.as_bytes(), cut(self.media.kind))
                && is_written(known.profile.as_bytes(), cut(self.media.proto))
                && known
                    .codecs
                    .iter()
                    .map(|codec| codec.0)
                    .eq(self.media.payload_types().take(MAX_CODECS))
        };
        shared.get(self.hash, same, |shared| self.make(if shared { MAX_CODECS } else { 0 }))
    }

    /// ICE (RFC 8839).
    pub(super) const fn ice(&self) -> bool {
        self.attributes.has(Attributes(Attributes::ICE.0 | Attributes::CANDIDATE.0))
    }

    /// Where media is expected: `None` for port 0, a name, or the zero address.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        usable(self.address?, self.media.port)
    }

    /// Where RTCP is expected, if not at the same port.
    pub(super) fn rtcp(&self) -> Option<Endpoint> {
        if self.attributes.has(Attributes::RTCP_MUX) {
            return None;
        }
        if self.attributes.has(Attributes::RTCP)
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
        if self.attributes.has(Attributes::SSRC) {
            for ssrc in self.media.ssrcs() {
                if ssrcs.len() < MAX_SSRCS && !ssrcs.contains(&ssrc.ssrc) {
                    ssrcs.push(ssrc.ssrc);
                }
            }
        }
        ssrcs
    }

    /// The first 64 bits of `a=zrtp-hash` values; what is no SHA-256 in hexadecimal is left out.
    pub(super) fn zrtp(&self) -> Vec<u64> {
        if !self.attributes.has(Attributes::ZRTP) {
            return Vec::new();
        }
        let number = |(_, hex): (&[u8], &[u8])| {
            let text = std::str::from_utf8(hex).ok()?;
            let whole = text.len() == 64 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
            u64::from_str_radix(text.get(..16).filter(|_| whole)?, 16).ok()
        };
        self.media.zrtp_hashes().filter_map(number).take(MAX_SSRCS).collect()
    }

    /// ICE candidates for RTP: number from 1, endpoint, and the candidate for RTCP with
    /// the same foundation.
    pub(super) fn candidates(&self) -> impl Iterator<Item = (u8, Endpoint, Option<Endpoint>)> {
        let asked = self.attributes.has(Attributes::CANDIDATE).then_some(&self.media);
        let usable_of = |component: u16| {
            move |candidate: sdp::Candidate<'a>| {
                // A TCP candidate that waits for the other side has a port (RFC 6544 §4.5).
                let listens = candidate.is_udp() || candidate.port != 9;
                let wanted = candidate.component == component && listens;
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
        let has = |attribute| self.attributes.has(attribute);
        let mut description = MediaDescription {
            digest: 0,
            kind: text(self.media.kind).to_ascii_lowercase(),
            profile: text(self.media.proto).to_ascii_uppercase(),
            codecs: codecs.collect(),
            crypto: has(Attributes::CRYPTO),
            fingerprint: has(Attributes::FINGERPRINT),
            zrtp: has(Attributes::ZRTP),
            mikey: has(Attributes::MIKEY),
            rtcp_mux: has(Attributes::RTCP_MUX),
            secure: self.media.is_secure_profile(),
            plain: self.media.is_rtp() && !self.media.is_secure_profile(),
            capable: has(Attributes::CAPABLE),
        };
        description.digest = stable_hash(&description);
        description
    }
}

impl<'a> Said<'a> {
    #[inline]
    fn note(&mut self, field: Field<'a>) {
        match field.kind {
            b'a' => self.attribute(field.value),
            b'c' if self.connection.is_none() => self.connection = Some(field.value),
            _ => {}
        }
    }

    /// Notes one attribute: most are told by their first letter to be none of these.
    fn attribute(&mut self, value: &'a [u8]) {
        let is = |name| is_called(value, name);
        let bit = match value.first() {
            Some(b'r' | b'R') if is(b"rtpmap") => {
                self.rtpmaps = hash_on(self.rtpmaps, value);
                return;
            }
            Some(b'm' | b'M') if is(b"mid") => {
                self.group = self.group.or(behind_colon(value));
                return;
            }
            Some(b'g' | b'G') if is(b"group") => {
                let group = behind_colon(value).and_then(|group| group.strip_prefix(b"BUNDLE "));
                self.group = self.group.or(group);
                return;
            }
            Some(b'b' | b'B') if is(b"bundle-only") => Attributes::BUNDLE_ONLY,
            Some(b'r' | b'R') if is(b"rtcp-mux") => Attributes::RTCP_MUX,
            Some(b'r' | b'R') if is(b"rtcp") => Attributes::RTCP,
            Some(b'c' | b'C') if is(b"candidate") => Attributes::CANDIDATE,
            Some(b'c' | b'C') if is(b"crypto") => Attributes::CRYPTO,
            Some(b'f' | b'F') if is(b"fingerprint") => Attributes::FINGERPRINT,
            Some(b's' | b'S') if is(b"ssrc") => Attributes::SSRC,
            Some(b's') if value == b"sendrecv" => Attributes::FLOWS,
            Some(b's') if value == b"sendonly" => Attributes::HELD,
            Some(b'i') if value == b"inactive" => Attributes::HELD,
            Some(b'r') if value == b"recvonly" => {
                Attributes(Attributes::FLOWS.0 | Attributes::RECEIVES.0)
            }
            Some(b'i' | b'I') if is(b"ice-ufrag") => Attributes::ICE,
            Some(b't' | b'T') if is(b"tcap") => Attributes::CAPABLE,
            Some(b'p' | b'P') if is(b"pcfg") => Attributes::CAPABLE,
            Some(b'a' | b'A') if is(b"acfg") => Attributes::CAPABLE,
            Some(b'z' | b'Z') if is(b"zrtp-hash") => Attributes::ZRTP,
            Some(b'k' | b'K') if is(b"key-mgmt") => Attributes::MIKEY,
            _ => return,
        };
        self.attributes.0 |= bit.0;
    }
}

/// Whether an attribute has this name: white space may follow it, then a colon or nothing.
fn is_called(value: &[u8], name: &[u8]) -> bool {
    let Some((head, rest)) = value.split_at_checked(name.len()) else { return false };
    is_written(head, name) && matches!(rest.trim_ascii_start(), [] | [b':', ..])
}

/// What stands behind the first colon.
fn behind_colon(value: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', value)?;
    Some(value.get(colon.saturating_add(1)..)?.trim_ascii())
}

/// Whether two words are the same in any case of letters; nearly always they are in this one.
fn is_written(one: &[u8], other: &[u8]) -> bool {
    one == other || one.eq_ignore_ascii_case(other)
}

fn usable(address: IpAddr, port: u16) -> Option<Endpoint> {
    (port != 0 && !address.is_unspecified()).then(|| Endpoint::new(address.into(), port))
}

fn cut(name: &[u8]) -> &[u8] {
    name.get(..NAME_OCTETS).unwrap_or(name)
}
