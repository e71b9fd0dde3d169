//! `ServerHello` and `HelloRetryRequest`: what a server chose (RFC 8446 §4.1.3, §4.1.4, RFC 5246
//! §7.4.1.3).

use super::extension::{self, Codes, Extensions, Present};
use super::reader::Reader;

/// The random that makes a `ServerHello` a `HelloRetryRequest`: SHA-256 of that word.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// The last octets of a random by which a server says that it could have done better.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sentinel {
    /// It knows TLS 1.3 and agreed on 1.2.
    From13,
    /// It knows TLS 1.2 or 1.3 and agreed on 1.1 or below.
    From12,
}

/// A `ServerHello`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ServerHello<'a> {
    /// The version that stands first; since TLS 1.3 [`Self::agreed_version`] counts.
    pub version: u16,
    /// The random.
    pub random: &'a [u8; 32],
    /// The session; in TLS 1.3 what the client sent.
    pub session_id: &'a [u8],
    /// The suite.
    pub suite: u16,
    /// The compression method; 0 is none.
    pub compression: u8,
    /// All extensions in order.
    pub extensions: Extensions<'a>,
    /// Which of them there are.
    pub present: Present,
    /// `supported_versions`: the version agreed on.
    pub selected: Option<u16>,
    /// The group of `key_share`.
    pub group: Option<u16>,
    /// The protocol of ALPN; TLS 1.3 hides it.
    pub alpn: Option<&'a [u8]>,
    /// The profile of `use_srtp`; DTLS 1.3 hides it.
    pub srtp_profile: Option<u16>,
    /// `ec_point_formats`.
    pub point_formats: &'a [u8],
}

impl<'a> ServerHello<'a> {
    /// Reads the body of a message of type 2; `None` if it ends before its compression method.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut hello = Self {
            version: reader.u16()?,
            random: reader.array()?,
            session_id: reader.vector8()?,
            suite: reader.u16()?,
            compression: reader.u8()?,
            extensions: Extensions::default(),
            present: Present::default(),
            selected: None,
            group: None,
            alpn: None,
            srtp_profile: None,
            point_formats: &[],
        };
        hello.extensions = Extensions::new(reader.vector16().unwrap_or_default());
        for (kind, content) in hello.extensions.iter() {
            hello.extension(kind, content);
        }
        Some(hello)
    }

    fn extension(&mut self, kind: u16, content: &'a [u8]) {
        self.present.note(kind);
        let first = || Reader::new(content).u16();
        match kind {
            extension::SUPPORTED_VERSIONS => self.selected = first(),
            extension::KEY_SHARE => self.group = first(),
            extension::ALPN => self.alpn = protocol(content),
            extension::USE_SRTP => self.srtp_profile = srtp_profile(content),
            extension::EC_POINT_FORMATS => self.point_formats = extension::list8(content),
            _ => {}
        }
    }

    /// The version agreed on.
    pub fn agreed_version(&self) -> u16 {
        self.selected.unwrap_or(self.version)
    }

    /// Whether it asks for another `ClientHello` instead.
    pub fn is_retry(&self) -> bool {
        *self.random == RETRY
    }

    /// What the end of the random says (RFC 8446 §4.1.3).
    pub fn sentinel(&self) -> Option<Sentinel> {
        match self.random.last_chunk::<8>() {
            Some(b"DOWNGRD\x01") => Some(Sentinel::From13),
            Some(b"DOWNGRD\x00") => Some(Sentinel::From12),
            _ => None,
        }
    }
}

/// The extensions that TLS 1.3 answers encrypted (RFC 8446 §4.3.1).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct EncryptedExtensions<'a> {
    /// Which of them there are.
    pub present: Present,
    /// The protocol of ALPN.
    pub alpn: Option<&'a [u8]>,
    /// The profile of `use_srtp`.
    pub srtp_profile: Option<u16>,
}

impl<'a> EncryptedExtensions<'a> {
    /// Reads the body of a message of type 8; `None` if its list is not whole.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let list = Extensions::new(Reader::new(body).vector16()?);
        let mut found = Self { present: Present::default(), alpn: None, srtp_profile: None };
        for (kind, content) in list.iter() {
            found.present.note(kind);
            match kind {
                extension::ALPN => found.alpn = protocol(content),
                extension::USE_SRTP => found.srtp_profile = srtp_profile(content),
                _ => {}
            }
        }
        Some(found)
    }
}

/// The one protocol of an answer.
fn protocol(content: &[u8]) -> Option<&[u8]> {
    extension::protocols(extension::list16(content)).next()
}

/// The one profile of an answer.
fn srtp_profile(content: &[u8]) -> Option<u16> {
    Codes::new(extension::list16(content)).iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(random: [u8; 32], extensions: &[u8]) -> Vec<u8> {
        let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
        [&[3, 3][..], &random, &[1, 9], &[0x13, 1, 0], &length, extensions].concat()
    }

    #[test]
    fn what_was_agreed_on_is_read() {
        let octets = hello([1; 32], &[0, 43, 0, 2, 3, 4, 0, 51, 0, 4, 0x11, 0xec, 0, 0]);
        let found = ServerHello::parse(&octets).unwrap();
        assert_eq!(
            (found.agreed_version(), found.suite, found.group),
            (0x0304, 0x1301, Some(0x11ec))
        );
        assert!(!found.is_retry() && found.sentinel().is_none());
        assert!((0..38).all(|length| ServerHello::parse(&octets[..length]).is_none()));
    }

    #[test]
    fn what_is_answered_encrypted_is_read() {
        let octets = [0, 14, 0, 16, 0, 6, 0, 4, 3, b's', b'i', b'p', 0, 42, 0, 0];
        let found = EncryptedExtensions::parse(&octets).unwrap();
        assert_eq!((found.alpn, found.srtp_profile), (Some(&b"sip"[..]), None));
        assert!(found.present.has(extension::EARLY_DATA));
        assert!(!found.present.has(extension::HEARTBEAT));
        assert!((0..16).all(|length| EncryptedExtensions::parse(&octets[..length]).is_none()));
    }

    #[test]
    fn randoms_that_say_something_are_told() {
        assert!(ServerHello::parse(&hello(RETRY, &[])).unwrap().is_retry());
        let mut random = [1; 32];
        random[24..].copy_from_slice(b"DOWNGRD\x01");
        let octets = hello(random, &[]);
        assert_eq!(ServerHello::parse(&octets).unwrap().sentinel(), Some(Sentinel::From13));
    }
}
