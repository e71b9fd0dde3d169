//! `ClientHello`: what a client offers (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2, RFC 6347 §4.2.1).

use super::extension::{self, Codes, Extensions, Present, is_grease};
use super::reader::Reader;

/// A `ClientHello` of SSL 3.0 to TLS 1.3, or of DTLS.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ClientHello<'a> {
    /// The version that stands first; since TLS 1.3 it says 1.2 and means nothing.
    pub version: u16,
    /// 32 octets; only 16 to 32 of a hello in SSL 2.0 form.
    pub random: &'a [u8],
    /// A session to resume, or what looks like one.
    pub session_id: &'a [u8],
    /// The answer to a `HelloVerifyRequest` of DTLS; empty elsewhere.
    pub cookie: &'a [u8],
    /// Cipher suites in order of preference, GREASE and signalling values among them.
    pub suites: Codes<'a>,
    /// Compression methods; 0 is none.
    pub compressions: &'a [u8],
    /// All extensions in order.
    pub extensions: Extensions<'a>,
    /// Which of them there are.
    pub present: Present,
    /// The host name of `server_name`.
    pub server_name: Option<&'a [u8]>,
    /// The list of ALPN, for [`extension::protocols`].
    pub alpn: &'a [u8],
    /// `supported_versions`.
    pub versions: Codes<'a>,
    /// `supported_groups`.
    pub groups: Codes<'a>,
    /// `ec_point_formats`; 0 is uncompressed.
    pub point_formats: &'a [u8],
    /// `signature_algorithms`.
    pub signatures: Codes<'a>,
    /// `psk_key_exchange_modes`: 0 `psk_ke`, 1 `psk_dhe_ke`.
    pub psk_modes: &'a [u8],
    /// The shares of `key_share`, for [`Self::key_shares`].
    shares: &'a [u8],
    /// `session_ticket`: a ticket to resume with.
    pub ticket: &'a [u8],
    /// The profiles of `use_srtp`.
    pub srtp_profiles: Codes<'a>,
    /// Whether the message had octets behind its extensions, or extensions that do not fit.
    pub is_odd: bool,
}

impl<'a> ClientHello<'a> {
    /// Reads the body of a message of type 1 over TCP; `None` if it ends before its compression
    /// methods do.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        Self::read(body, false)
    }

    /// Reads one of DTLS, which has a cookie.
    pub fn parse_dtls(body: &'a [u8]) -> Option<Self> {
        Self::read(body, true)
    }

    /// Only the cipher suites of the body of one over TCP.
    pub fn suites(body: &'a [u8]) -> Option<Codes<'a>> {
        let mut reader = Reader::new(body);
        reader.take(34)?;
        reader.vector8()?;
        reader.vector16().map(Codes::new)
    }

    fn read(body: &'a [u8], dtls: bool) -> Option<Self> {
        let mut reader = Reader::new(body);
        let version = reader.u16()?;
        let random = reader.take(32)?;
        let session_id = reader.vector8()?;
        let cookie = if dtls { reader.vector8()? } else { &[] };
        let suites = Codes::new(reader.vector16()?);
        let compressions = reader.vector8()?;
        let mut hello = Self::bare(version, random, session_id, suites);
        (hello.cookie, hello.compressions) = (cookie, compressions);
        if reader.is_empty() {
            return Some(hello);
        }
        let Some(list) = reader.vector16() else {
            hello.is_odd = true;
            return Some(hello);
        };
        hello.is_odd = !reader.is_empty();
        hello.extensions = Extensions::new(list);
        for (kind, content) in hello.extensions.iter() {
            hello.extension(kind, content);
        }
        Some(hello)
    }

    /// A hello without extensions.
    pub(super) fn bare(
        version: u16,
        random: &'a [u8],
        session_id: &'a [u8],
        suites: Codes<'a>,
    ) -> Self {
        let (none, codes) = (&[][..], Codes::default());
        Self {
            version,
            random,
            session_id,
            cookie: none,
            suites,
            compressions: none,
            extensions: Extensions::default(),
            present: Present::default(),
            server_name: None,
            alpn: none,
            versions: codes,
            groups: codes,
            point_formats: none,
            signatures: codes,
            psk_modes: none,
            shares: none,
            ticket: none,
            srtp_profiles: codes,
            is_odd: false,
        }
    }

    fn extension(&mut self, kind: u16, content: &'a [u8]) {
        use extension::{
            ALPN, EC_POINT_FORMATS, KEY_SHARE, PSK_KEY_EXCHANGE_MODES, SERVER_NAME, SESSION_TICKET,
            SIGNATURE_ALGORITHMS, SUPPORTED_GROUPS, SUPPORTED_VERSIONS, USE_SRTP, host_name, list8,
            list16,
        };
        self.present.note(kind);
        match kind {
            SERVER_NAME => self.server_name = host_name(content),
            ALPN => self.alpn = list16(content),
            SUPPORTED_VERSIONS => self.versions = Codes::new(list8(content)),
            SUPPORTED_GROUPS => self.groups = Codes::new(list16(content)),
            EC_POINT_FORMATS => self.point_formats = list8(content),
            SIGNATURE_ALGORITHMS => self.signatures = Codes::new(list16(content)),
            PSK_KEY_EXCHANGE_MODES => self.psk_modes = list8(content),
            KEY_SHARE => self.shares = list16(content),
            SESSION_TICKET => self.ticket = content,
            USE_SRTP => self.srtp_profiles = Codes::new(list16(content)),
            _ => {}
        }
    }

    /// The groups for which a key share came along, GREASE among them.
    pub fn key_shares(&self) -> impl Iterator<Item = u16> + 'a {
        let mut reader = Reader::new(self.shares);
        std::iter::from_fn(move || {
            let group = reader.u16()?;
            reader.vector16()?;
            Some(group)
        })
    }

    /// The ticket with which the client wants to go on: that of `session_ticket` (RFC 5077 §3.2), or
    /// in TLS 1.3 the first identity of `pre_shared_key` (RFC 8446 §4.2.11).
    pub fn ticket_offered(&self) -> Option<&'a [u8]> {
        if self.present.has(extension::PRE_SHARED_KEY) {
            let mut all = self.extensions.iter();
            let (_, content) = all.find(|(kind, _)| *kind == extension::PRE_SHARED_KEY)?;
            let identities = Reader::new(content).vector16()?;
            return Reader::new(identities).vector16().filter(|ticket| !ticket.is_empty());
        }
        Some(self.ticket).filter(|ticket| !ticket.is_empty())
    }

    /// The versions offered, best first as far as the client says: those of `supported_versions`
    /// but GREASE, else the one that stands first, which means that one and all below.
    pub fn offered_versions(&self) -> impl Iterator<Item = u16> + 'a {
        let listed = self.present.has(extension::SUPPORTED_VERSIONS);
        let single = (!listed).then_some(self.version);
        self.versions.meant().chain(single)
    }

    /// The highest version offered: of DTLS the one with the lowest number.
    pub fn highest_version(&self) -> u16 {
        self.offered_versions().max_by_key(|version| rank(*version)).unwrap_or(self.version)
    }

    /// Whether the code points, GREASE apart, hold this suite.
    pub fn offers(&self, suite: u16) -> bool {
        self.suites.contains(suite)
    }

    /// Whether a client that wants to be told from others sent values of RFC 8701.
    pub fn has_grease(&self) -> bool {
        let extensions = self.extensions.iter().any(|(kind, _)| is_grease(kind));
        extensions || self.suites.iter().any(is_grease)
    }
}

/// Versions of TLS and DTLS in order of age, those that share a design alike: 2 SSL 2.0, 3 SSL 3.0,
/// 10 to 13 TLS 1.0 to 1.3; 11 DTLS 1.0, 12, 13. 0 for what is none.
pub const fn rank(version: u16) -> u8 {
    match version {
        0x0002 => 2,
        0x0300 => 3,
        0x0301 => 10,
        0x0302 | 0xfeff | 0x0100 => 11,
        0x0303 | 0xfefd => 12,
        0x0304 | 0xfefc => 13,
        _ => 0,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn vector16(content: &[u8]) -> Vec<u8> {
        [&u16::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
    }

    pub(in crate::tls) fn hello(extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let list: Vec<u8> = extensions
            .iter()
            .flat_map(|(kind, content)| [&kind.to_be_bytes()[..], &vector16(content)].concat())
            .collect();
        [
            &[3, 3][..],
            &[7; 32],
            &[0],
            &vector16(&[0x1a, 0x1a, 0xc0, 0x2f, 0, 5]),
            &[1, 0],
            &vector16(&list),
        ]
        .concat()
    }

    #[test]
    fn an_offer_is_read_whole() {
        let octets = hello(&[
            (0, &[0, 6, 0, 0, 3, b'a', b'.', b'b']),
            (16, &[0, 4, 3, b's', b'i', b'p']),
            (43, &[4, 0x1a, 0x1a, 3, 4]),
            (10, &[0, 4, 0, 0x1d, 0, 0x17]),
            (51, &[0, 5, 0, 0x1d, 0, 1, 9]),
            (14, &[0, 4, 0, 7, 0, 1, 0]),
        ]);
        let hello = ClientHello::parse(&octets).unwrap();
        assert_eq!(hello.server_name, Some(&b"a.b"[..]));
        assert_eq!(extension::protocols(hello.alpn).collect::<Vec<_>>(), [b"sip"]);
        assert_eq!(hello.offered_versions().collect::<Vec<_>>(), [0x0304]);
        assert_eq!(hello.key_shares().collect::<Vec<_>>(), [0x1d]);
        assert_eq!(hello.srtp_profiles.iter().collect::<Vec<_>>(), [7, 1]);
        assert!(hello.has_grease() && hello.offers(0xc02f) && !hello.is_odd);
        assert_eq!(hello.suites.meant().collect::<Vec<_>>(), [0xc02f, 5]);
    }

    #[test]
    fn every_truncation_returns_and_the_start_is_needed() {
        let octets = hello(&[(10, &[0, 4, 0, 0x1d, 0, 0x17])]);
        for length in 0..octets.len() {
            let read = ClientHello::parse(&octets[..length]);
            assert_eq!(read.is_some(), length >= 45, "{length}");
        }
    }

    #[test]
    fn the_highest_version_of_dtls_has_the_lowest_number() {
        let octets = hello(&[(43, &[6, 0xfe, 0xff, 0xfe, 0xfc, 0xfe, 0xfd])]);
        assert_eq!(ClientHello::parse(&octets).unwrap().highest_version(), 0xfefc);
        assert_eq!(ClientHello::parse(&hello(&[])).unwrap().highest_version(), 0x0303);
    }
}
