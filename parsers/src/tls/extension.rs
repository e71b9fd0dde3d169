//! Extensions of the hellos (RFC 8446 §4.2, RFC 6066), and lists of code points.

use super::reader::Reader;

/// `server_name` (RFC 6066 §3).
pub const SERVER_NAME: u16 = 0;
/// `truncated_hmac` (RFC 6066 §7).
pub const TRUNCATED_HMAC: u16 = 4;
/// `supported_groups` (RFC 8446 §4.2.7), earlier `elliptic_curves`.
pub const SUPPORTED_GROUPS: u16 = 10;
/// `ec_point_formats` (RFC 8422 §5.1.2).
pub const EC_POINT_FORMATS: u16 = 11;
/// `signature_algorithms` (RFC 8446 §4.2.3).
pub const SIGNATURE_ALGORITHMS: u16 = 13;
/// `use_srtp` (RFC 5764 §4.1.1).
pub const USE_SRTP: u16 = 14;
/// `heartbeat` (RFC 6520).
pub const HEARTBEAT: u16 = 15;
/// `application_layer_protocol_negotiation` (RFC 7301).
pub const ALPN: u16 = 16;
/// `encrypt_then_mac` (RFC 7366).
pub const ENCRYPT_THEN_MAC: u16 = 22;
/// `extended_master_secret` (RFC 7627).
pub const EXTENDED_MASTER_SECRET: u16 = 23;
/// `session_ticket` (RFC 5077).
pub const SESSION_TICKET: u16 = 35;
/// `pre_shared_key` (RFC 8446 §4.2.11).
pub const PRE_SHARED_KEY: u16 = 41;
/// `early_data` (RFC 8446 §4.2.10).
pub const EARLY_DATA: u16 = 42;
/// `supported_versions` (RFC 8446 §4.2.1).
pub const SUPPORTED_VERSIONS: u16 = 43;
/// `psk_key_exchange_modes` (RFC 8446 §4.2.9).
pub const PSK_KEY_EXCHANGE_MODES: u16 = 45;
/// `key_share` (RFC 8446 §4.2.8).
pub const KEY_SHARE: u16 = 51;
/// `encrypted_client_hello` (RFC 9849).
pub const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
/// `renegotiation_info` (RFC 5746).
pub const RENEGOTIATION_INFO: u16 = 0xff01;

/// Whether a code point of a version, suite, group, extension or signature scheme is one of those
/// that say nothing and keep readers tolerant (RFC 8701).
pub const fn is_grease(code: u16) -> bool {
    let [high, low] = code.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// A list of code points of two octets each, as it was sent.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes<'a>(&'a [u8]);

impl<'a> Codes<'a> {
    /// The pairs of `octets`; one left over says nothing.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The code points in order.
    pub fn iter(self) -> impl Iterator<Item = u16> + Clone + 'a {
        let (pairs, _) = self.0.as_chunks::<2>();
        pairs.iter().map(|pair| u16::from_be_bytes(*pair))
    }

    /// The pairs as they were sent.
    pub fn octets(self) -> &'a [u8] {
        let (pairs, _) = self.0.as_chunks::<2>();
        pairs.as_flattened()
    }

    /// Whether GREASE is among them.
    pub fn has_grease(self) -> bool {
        self.iter().fold(false, |any, code| any | is_grease(code))
    }

    /// Those that are no GREASE.
    pub fn meant(self) -> impl Iterator<Item = u16> + Clone + 'a {
        self.iter().filter(|code| !is_grease(*code))
    }

    /// Whether `code` is among them.
    pub fn contains(self, code: u16) -> bool {
        // All are looked at: that takes fewer steps than to stop at the first.
        self.iter().filter(|other| *other == code).count() > 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0.len() < 2
    }
}

/// The extensions of a hello in order, up to the first that is cut.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions<'a>(&'a [u8]);

impl<'a> Extensions<'a> {
    /// The list behind its length.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// Number and content of each.
    pub fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> + Clone {
        let mut reader = Reader::new(self.0);
        std::iter::from_fn(move || Some((reader.u16()?, reader.vector16()?)))
    }
}

/// Which extensions a hello has, of those below 62 and the two of high number that matter.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Present(u64);

impl Present {
    const fn bit(extension: u16) -> u64 {
        match extension {
            0..=61 => {
                let [_, low] = extension.to_be_bytes();
                1_u64.wrapping_shl(low_bits(low))
            }
            RENEGOTIATION_INFO => 1 << 62,
            ENCRYPTED_CLIENT_HELLO => 1 << 63,
            _ => 0,
        }
    }

    /// Whether it was there.
    pub const fn has(self, extension: u16) -> bool {
        self.0 & Self::bit(extension) != 0
    }

    pub(super) const fn note(&mut self, extension: u16) {
        self.0 |= Self::bit(extension);
    }
}

/// An octet as a number of bits.
const fn low_bits(octet: u8) -> u32 {
    u32::from_be_bytes([0, 0, 0, octet])
}

/// A vector that is all of an extension: behind two octets of length.
pub(super) fn list16(content: &[u8]) -> &[u8] {
    Reader::new(content).vector16().unwrap_or_default()
}

/// The same behind one octet.
pub(super) fn list8(content: &[u8]) -> &[u8] {
    Reader::new(content).vector8().unwrap_or_default()
}

/// The first host name of `server_name`.
pub(super) fn host_name(content: &[u8]) -> Option<&[u8]> {
    let mut names = Reader::new(list16(content));
    while let (Some(kind), Some(name)) = (names.u8(), names.vector16()) {
        if kind == 0 {
            return Some(name);
        }
    }
    None
}

/// The names of ALPN in order.
pub fn protocols(list: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let mut reader = Reader::new(list);
    std::iter::from_fn(move || reader.vector8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_walked_up_to_the_first_that_is_cut() {
        let octets = [0, 23, 0, 0, 0xff, 1, 0, 1, 0, 0, 10, 0, 4, 0];
        let found: Vec<_> =
            Extensions::new(&octets).iter().map(|(id, text)| (id, text.len())).collect();
        assert_eq!(found, [(23, 0), (0xff01, 1)]);
        let mut present = Present::default();
        for (id, _) in &found {
            present.note(*id);
        }
        assert!(present.has(EXTENDED_MASTER_SECRET) && present.has(RENEGOTIATION_INFO));
        assert!(!present.has(SUPPORTED_GROUPS) && !present.has(0x4469));
    }

    #[test]
    fn grease_has_two_equal_octets_that_end_in_a() {
        let grease: Vec<u16> = (0..=u16::MAX).filter(|code| is_grease(*code)).collect();
        assert_eq!((grease.len(), grease[0], grease[15]), (16, 0x0a0a, 0xfafa));
    }
}
