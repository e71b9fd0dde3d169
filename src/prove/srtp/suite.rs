//! The crypto suites: what protects the packets, and how long keys, salts and tags are.
//!
//! RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §12 and the profiles of DTLS-SRTP (RFC 5764 §4.1.2). SEED
//! and ARIA suites are not known here: nobody was seen to use them.

/// How a suite encrypts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Not at all.
    Null,
    /// AES in counter mode (RFC 3711 §4.1.1).
    Counter,
    /// AES in f8 mode (RFC 3711 §4.1.2).
    F8,
    /// AES-GCM, which authenticates too (RFC 7714).
    Gcm,
}

/// A crypto suite.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// AES-128 in counter mode, tag of 80 bits.
    AesCm128Sha1Tag80,
    /// AES-128 in counter mode, tag of 32 bits.
    AesCm128Sha1Tag32,
    /// AES-128 in f8 mode, tag of 80 bits.
    F8Sha1Tag80,
    /// AES-128 in f8 mode, tag of 32 bits: printed in the grammar of RFC 4568, not defined by it.
    F8Sha1Tag32,
    /// AES-192 in counter mode, tag of 80 bits.
    AesCm192Sha1Tag80,
    /// AES-192 in counter mode, tag of 32 bits.
    AesCm192Sha1Tag32,
    /// AES-256 in counter mode, tag of 80 bits.
    AesCm256Sha1Tag80,
    /// AES-256 in counter mode, tag of 32 bits.
    AesCm256Sha1Tag32,
    /// AES-128-GCM.
    AeadAes128Gcm,
    /// AES-256-GCM.
    AeadAes256Gcm,
    /// No encryption, tag of 80 bits.
    NullSha1Tag80,
    /// No encryption, tag of 32 bits.
    NullSha1Tag32,
}

/// One row of the table.
struct Row {
    suite: Suite,
    /// The name first, then what else products write.
    names: &'static [&'static str],
    mode: Mode,
    key: usize,
    salt: usize,
    tag: usize,
    /// The DTLS-SRTP protection profile.
    profile: Option<u16>,
}

/// The octets of key and salt of the longest suite together.
pub const LONGEST: usize = 46;

const fn row(
    suite: Suite,
    names: &'static [&'static str],
    mode: Mode,
    (key, salt, tag): (usize, usize, usize),
    profile: Option<u16>,
) -> Row {
    Row { suite, names, mode, key, salt, tag, profile }
}

/// Aliases of the 192 and 256 bit suites stand in manuals of products. RFC 5764 gives the NULL
/// profiles no key at all; libsrtp and those built on it derive the key of their tags from one of
/// 128 bits, so that is what is taken here.
#[rustfmt::skip]
static TABLE: [Row; 12] = [
    row(Suite::AesCm128Sha1Tag80, &["AES_CM_128_HMAC_SHA1_80"], Mode::Counter, (16, 14, 10), Some(1)),
    row(Suite::AesCm128Sha1Tag32, &["AES_CM_128_HMAC_SHA1_32"], Mode::Counter, (16, 14, 4), Some(2)),
    row(Suite::F8Sha1Tag80, &["F8_128_HMAC_SHA1_80"], Mode::F8, (16, 14, 10), None),
    row(Suite::F8Sha1Tag32, &["F8_128_HMAC_SHA1_32"], Mode::F8, (16, 14, 4), None),
    row(Suite::AesCm192Sha1Tag80, &["AES_192_CM_HMAC_SHA1_80", "AES_CM_192_HMAC_SHA1_80"], Mode::Counter, (24, 14, 10), None),
    row(Suite::AesCm192Sha1Tag32, &["AES_192_CM_HMAC_SHA1_32", "AES_CM_192_HMAC_SHA1_32"], Mode::Counter, (24, 14, 4), None),
    row(Suite::AesCm256Sha1Tag80, &["AES_256_CM_HMAC_SHA1_80", "AES_CM_256_HMAC_SHA1_80"], Mode::Counter, (32, 14, 10), None),
    row(Suite::AesCm256Sha1Tag32, &["AES_256_CM_HMAC_SHA1_32", "AES_CM_256_HMAC_SHA1_32"], Mode::Counter, (32, 14, 4), None),
    row(Suite::AeadAes128Gcm, &["AEAD_AES_128_GCM"], Mode::Gcm, (16, 12, 16), Some(7)),
    row(Suite::AeadAes256Gcm, &["AEAD_AES_256_GCM"], Mode::Gcm, (32, 12, 16), Some(8)),
    row(Suite::NullSha1Tag80, &["NULL_HMAC_SHA1_80"], Mode::Null, (16, 14, 10), Some(5)),
    row(Suite::NullSha1Tag32, &["NULL_HMAC_SHA1_32"], Mode::Null, (16, 14, 4), Some(6)),
];

/// What a suite that is not in the table would be: the table has all, as a test says.
const MANDATORY: &Row =
    &row(Suite::AesCm128Sha1Tag80, &["?"], Mode::Counter, (16, 14, 10), Some(1));

impl Suite {
    /// The suite that an `a=crypto` line names, in any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        let known = |row: &&Row| row.names.iter().any(|n| n.as_bytes().eq_ignore_ascii_case(name));
        TABLE.iter().find(known).map(|row| row.suite)
    }

    /// The suite of a DTLS-SRTP protection profile (RFC 5764 §4.1.2, RFC 7714 §14.2).
    pub fn of_profile(profile: u16) -> Option<Self> {
        TABLE.iter().find(|row| row.profile == Some(profile)).map(|row| row.suite)
    }

    /// All suites.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.suite)
    }

    /// The name as registered.
    pub fn name(self) -> &'static str {
        self.row().names.first().copied().unwrap_or_default()
    }

    /// How it encrypts.
    pub fn mode(self) -> Mode {
        self.row().mode
    }

    /// Octets of the master key, and of the encryption key derived from it.
    pub fn key_octets(self) -> usize {
        self.row().key
    }

    /// Octets of the master salt, and of the session salt derived with it.
    pub fn salt_octets(self) -> usize {
        self.row().salt
    }

    /// Octets of the tag of an SRTP packet.
    pub fn tag_octets(self) -> usize {
        self.row().tag
    }

    /// Octets of the tag of an SRTCP packet: never less than 80 bits (RFC 3711 §5.2).
    pub fn rtcp_tag_octets(self) -> usize {
        self.row().tag.max(10)
    }

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.suite == self).unwrap_or(MANDATORY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_and_those_that_products_write_are_known() {
        assert_eq!(Suite::named(b"aes_cm_128_hmac_sha1_80"), Some(Suite::AesCm128Sha1Tag80));
        assert_eq!(Suite::named(b"AES_CM_256_HMAC_SHA1_32"), Some(Suite::AesCm256Sha1Tag32));
        assert_eq!(Suite::named(b"SEED_128_GCM_96"), None);
        assert_eq!(Suite::of_profile(8), Some(Suite::AeadAes256Gcm));
        assert_eq!(Suite::of_profile(9), None);
    }

    #[test]
    fn every_suite_has_a_row_with_its_own_name() {
        for suite in Suite::all() {
            assert_eq!(suite.row().suite, suite);
            assert_eq!(Suite::named(suite.name().as_bytes()), Some(suite));
            assert!(suite.key_octets() + suite.salt_octets() <= LONGEST);
        }
        assert_eq!(Suite::AesCm128Sha1Tag32.rtcp_tag_octets(), 10);
        assert_eq!(Suite::AeadAes128Gcm.rtcp_tag_octets(), 16);
    }
}
