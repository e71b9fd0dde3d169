//! One media description (RFC 8866 §5.14) and the attributes that say how its packets look and are
//! protected: rtpmap and fmtp (§6.6, §6.15), crypto (RFC 4568), fingerprint and setup (RFC 8122, RFC
//! 4145), ICE (RFC 8839), rtcp (RFC 3605), rtcp-mux (RFC 5761), ssrc (RFC 5576), zrtp-hash (RFC 6189
//! §8.1), key-mgmt (RFC 4567). What a media description does not say, its session says for it.

use std::fmt;

use super::{
    Candidate, Connection, Crypto, Direction, Field, KeyField, MAX_FORMATS, attributes, connection,
    connection_value, direction, fields, key, whole,
};
use crate::cursor::{is_lws, narrow, split_once, starts_with_any_case, word};
use crate::secret::Secret;

/// One `m=` line with the lines that belong to it.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Media<'a> {
    /// `audio`, `video`, `image`, `message` and so on, as written.
    pub kind: &'a [u8],
    /// The port that media is to be sent to; 0 refuses the medium, and stands for an unreadable one.
    pub port: u16,
    /// How many ports, 1 unless given as `port/count`.
    pub port_count: u16,
    /// `RTP/AVP`, `RTP/SAVPF`, `UDP/TLS/RTP/SAVP`, `udptl` and so on, as written.
    pub proto: &'a [u8],
    formats: &'a [u8],
    pub(super) head: &'a [u8],
    pub(super) section: &'a [u8],
}

/// `a=rtpmap` (RFC 8866 §6.6).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RtpMap<'a> {
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// The encoding's name, as written; compare in any case.
    pub encoding: &'a [u8],
    /// Ticks per second of the RTP timestamp; 0 if unreadable.
    pub clock: u32,
    /// Audio channels, 1 unless given.
    pub channels: u16,
}

/// `a=fingerprint` (RFC 8122 §5).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint<'a> {
    /// The hash's name, as written.
    pub hash: &'a [u8],
    /// Hexadecimal octets with colons.
    pub value: &'a [u8],
}

/// `a=setup` (RFC 4145 §4): who opens the DTLS handshake.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Setup {
    /// This side sends the `ClientHello`.
    Active,
    /// This side waits.
    Passive,
    /// Either.
    ActPass,
    /// Not now.
    HoldConn,
    /// Another word.
    Other,
}

/// `a=rtcp` (RFC 3605).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RtcpPort<'a> {
    /// Where RTCP goes instead of the next higher port.
    pub port: u16,
    /// The address, if it differs from that of the media.
    pub connection: Option<Connection<'a>>,
}

/// `a=ssrc` (RFC 5576 §4.1).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ssrc<'a> {
    /// The synchronization source.
    pub ssrc: u32,
    /// `cname`, `msid` and so on.
    pub attribute: &'a [u8],
    /// What follows its colon; empty if there is none.
    pub value: &'a [u8],
}

/// `a=key-mgmt` (RFC 4567 §3): MIKEY in the signalling.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct KeyMgmt<'a> {
    /// `mikey`.
    pub protocol: &'a [u8],
    /// The message, base64.
    pub data: Secret<'a>,
}

impl<'a> Media<'a> {
    /// The description whose `m=` line has this value.
    pub(super) fn new(line: &'a [u8], head: &'a [u8], section: &'a [u8]) -> Self {
        let (kind, rest) = word(line);
        let (port_text, rest) = word(rest);
        let (proto, formats) = word(rest);
        let (port, count) = split_once(port_text, b'/');
        Self {
            kind,
            port: narrow(port).unwrap_or(0),
            port_count: count.and_then(narrow).unwrap_or(1),
            proto,
            formats,
            head,
            section,
        }
    }

    /// Kind, port, protocol and a format are there, and the port is a number.
    pub(super) fn is_well_formed(line: &[u8]) -> bool {
        let (port_text, rest) = word(word(line).1);
        narrow::<u16>(split_once(port_text, b'/').0).is_some() && !word(rest).1.is_empty()
    }

    /// The formats of the media line as written.
    pub const fn formats_text(&self) -> &'a [u8] {
        self.formats
    }

    /// The formats of the media line, in order of preference, at most [`MAX_FORMATS`].
    pub fn formats(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let words = self.formats.split(|&octet| is_lws(octet));
        words.filter(|word| !word.is_empty()).take(MAX_FORMATS)
    }

    /// The formats that are payload types, 0 to 127.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.formats().filter_map(narrow::<u8>).filter(|&payload_type| payload_type < 128)
    }

    /// True if the protocol is a secure profile of RTP: `RTP/SAVP`, `UDP/TLS/RTP/SAVPF` and so on.
    pub fn is_secure_profile(&self) -> bool {
        self.is_rtp() && starts_with_any_case(self.profile(), b"SAVP")
    }

    /// True if the protocol is RTP.
    pub fn is_rtp(&self) -> bool {
        let mut words = self.proto.split(|&octet| octet == b'/');
        words.any(|word| word.eq_ignore_ascii_case(b"RTP"))
    }

    /// The last word of the protocol: `AVP`, `SAVPF`.
    pub fn profile(&self) -> &'a [u8] {
        self.proto.rsplit(|&octet| octet == b'/').next().unwrap_or_default()
    }

    /// Where to send this medium: its own `c=`, or the session's.
    pub fn connection(&self) -> Option<Connection<'a>> {
        connection(self.section).or_else(|| connection(self.head))
    }

    /// Which way it flows: its own attribute, the session's, or `sendrecv`.
    pub fn direction(&self) -> Direction {
        direction(self.section).or_else(|| direction(self.head)).unwrap_or_default()
    }

    /// The lines of this description.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        fields(self.section)
    }

    /// The first value of an attribute here, or in the session; empty for one without a value.
    pub fn attribute(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.attributes(name).next()
    }

    /// All values of an attribute here; if there are none, those of the session.
    pub fn attributes<'n>(&self, name: &'n [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let own = attributes(self.section, name).next().is_some();
        attributes(if own { self.section } else { self.head }, name)
    }

    /// Every rtpmap, in order.
    pub fn rtpmaps(&self) -> impl Iterator<Item = RtpMap<'a>> + use<'a> {
        self.attributes(b"rtpmap").filter_map(rtpmap)
    }

    /// What a payload type means, if the description says.
    pub fn rtpmap(&self, payload_type: u8) -> Option<RtpMap<'a>> {
        self.rtpmaps().find(|map| map.payload_type == payload_type)
    }

    /// The codec's parameters.
    pub fn fmtp(&self, payload_type: u8) -> Option<&'a [u8]> {
        self.attributes(b"fmtp")
            .map(word)
            .find(|(format, _)| narrow(format) == Some(payload_type))
            .map(|(_, parameters)| parameters)
    }

    /// Milliseconds of media in a packet.
    pub fn ptime(&self) -> Option<u32> {
        self.attribute(b"ptime").and_then(whole)
    }

    /// The SDES keys that are offered or accepted (RFC 4568).
    pub fn cryptos(&self) -> impl Iterator<Item = Crypto<'a>> + use<'a> {
        self.attributes(b"crypto").filter_map(Crypto::parse)
    }

    /// The hashes of the DTLS certificate.
    pub fn fingerprints(&self) -> impl Iterator<Item = Fingerprint<'a>> + use<'a> {
        self.attributes(b"fingerprint").map(|value| {
            let (hash, value) = word(value);
            Fingerprint { hash, value }
        })
    }

    /// The side of the DTLS handshake.
    pub fn setup(&self) -> Option<Setup> {
        let value = self.attribute(b"setup")?;
        let named = [
            (&b"active"[..], Setup::Active),
            (b"passive", Setup::Passive),
            (b"actpass", Setup::ActPass),
            (b"holdconn", Setup::HoldConn),
        ];
        let found = named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
        Some(found.map_or(Setup::Other, |(_, setup)| setup))
    }

    /// The addresses that ICE will try.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate<'a>> + use<'a> {
        self.attributes(b"candidate").filter_map(Candidate::parse)
    }

    /// The ICE user name fragment.
    pub fn ice_ufrag(&self) -> Option<&'a [u8]> {
        self.attribute(b"ice-ufrag")
    }

    /// The ICE password.
    pub fn ice_pwd(&self) -> Option<Secret<'a>> {
        self.attribute(b"ice-pwd").map(Secret::new)
    }

    /// Where RTCP goes, if not to the next port.
    pub fn rtcp(&self) -> Option<RtcpPort<'a>> {
        let (port, rest) = word(self.attribute(b"rtcp")?);
        let connection = (!rest.is_empty()).then(|| connection_value(rest));
        Some(RtcpPort { port: narrow(port)?, connection })
    }

    /// True if RTCP shares the port of RTP.
    pub fn rtcp_mux(&self) -> bool {
        self.attribute(b"rtcp-mux").is_some()
    }

    /// The announced synchronization sources, one per attribute.
    pub fn ssrcs(&self) -> impl Iterator<Item = Ssrc<'a>> + use<'a> {
        attributes(self.section, b"ssrc").filter_map(|value| {
            let (ssrc, rest) = word(value);
            let (attribute, value) = split_once(rest, b':');
            let value = value.unwrap_or_default();
            Some(Ssrc { ssrc: narrow(ssrc)?, attribute, value })
        })
    }

    /// `version hash` of each announced ZRTP Hello.
    pub fn zrtp_hashes(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.attributes(b"zrtp-hash").map(word)
    }

    /// MIKEY messages.
    pub fn key_mgmt(&self) -> impl Iterator<Item = KeyMgmt<'a>> + use<'a> {
        self.attributes(b"key-mgmt").map(|value| {
            let (protocol, data) = word(value);
            KeyMgmt { protocol, data: Secret::new(data) }
        })
    }

    /// `k=` here, or in the session.
    pub fn key(&self) -> Option<KeyField<'a>> {
        key(self.section).or_else(|| key(self.head))
    }
}

impl fmt::Debug for Media<'_> {
    /// The media line only: the attributes may hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("kind", &String::from_utf8_lossy(self.kind))
            .field("port", &self.port)
            .field("proto", &String::from_utf8_lossy(self.proto))
            .finish_non_exhaustive()
    }
}

/// `96 opus/48000/2`.
fn rtpmap(value: &[u8]) -> Option<RtpMap<'_>> {
    let (payload_type, rest) = word(value);
    let payload_type = narrow::<u8>(payload_type).filter(|&number| number < 128)?;
    let (encoding, rest) = split_once(word(rest).0, b'/');
    let (clock, channels) = split_once(rest.unwrap_or_default(), b'/');
    Some(RtpMap {
        payload_type,
        encoding,
        clock: narrow(clock).unwrap_or(0),
        channels: channels.and_then(narrow).unwrap_or(1),
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const SECURE: &[u8] = b"v=0\r\nc=IN IP4 192.0.2.1\r\na=fingerprint:sha-256 AA:BB\r\n\
        m=audio 4000 UDP/TLS/RTP/SAVPF 96 0 x 200\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:300 x/1\r\n\
        a=fmtp:96 useinbandfec=1; stereo=1\r\na=ptime:20\r\na=SETUP:active\r\na=rtcp:4001 IN IP4 192.0.2.9\r\n\
        a=rtcp-mux\r\na=ssrc:1234 cname:x@y\r\na=ice-ufrag:F7gI\r\na=ice-pwd:x9cml\r\n\
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\na=zrtp-hash:1.10 fe30\r\n\
        a=key-mgmt:mikey AQAF\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host\r\n";

    fn media() -> Media<'static> {
        parse(SECURE).media().next().unwrap()
    }

    #[test]
    fn codecs_are_named_by_payload_type() {
        let map = media().rtpmap(96).unwrap();
        assert_eq!((map.encoding, map.clock, map.channels), (&b"opus"[..], 48000, 2));
        assert_eq!(media().rtpmap(0), None);
        assert_eq!(media().fmtp(96), Some(&b"useinbandfec=1; stereo=1"[..]));
        assert_eq!((media().formats().count(), media().ptime()), (4, Some(20)));
        assert_eq!(media().payload_types().collect::<Vec<_>>(), [96, 0]);
    }

    #[test]
    fn everything_that_keys_the_media_is_found() {
        let media = media();
        assert!(media.is_rtp() && media.is_secure_profile() && media.rtcp_mux());
        assert_eq!(media.fingerprints().next().unwrap().value, b"AA:BB");
        assert_eq!(media.setup(), Some(Setup::Active));
        assert_eq!((media.cryptos().count(), media.candidates().count()), (1, 1));
        assert_eq!(media.zrtp_hashes().next(), Some((&b"1.10"[..], &b"fe30"[..])));
        assert_eq!(media.key_mgmt().next().unwrap().protocol, b"mikey");
        assert_eq!(media.ice_pwd().map(Secret::len), Some(5));
        assert!(!format!("{media:?}").contains("x9cml"));
    }

    #[test]
    fn where_rtcp_goes_and_which_sources_come() {
        let rtcp = media().rtcp().unwrap();
        assert_eq!((rtcp.port, rtcp.connection.unwrap().address), (4001, &b"192.0.2.9"[..]));
        let ssrc = media().ssrcs().next().unwrap();
        assert_eq!((ssrc.ssrc, ssrc.attribute, ssrc.value), (1234, &b"cname"[..], &b"x@y"[..]));
    }
}
