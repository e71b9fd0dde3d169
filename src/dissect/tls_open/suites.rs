//! Which cipher suite protects records how: a table of the registered numbers that can be opened.
//!
//! The numbers and what they stand for are in the IANA registry "TLS Cipher Suites"; the
//! constructions in RFC 5246 (CBC and NULL), RFC 5288 (GCM), RFC 6655 and RFC 7251 (CCM), RFC 7905
//! (ChaCha20-Poly1305) and RFC 8446 appendix B.4 (TLS 1.3). Not in it, and so not opened: RC4, DES
//! and 3DES, Camellia, ARIA, SEED, IDEA, GOST, and whatever exists on paper only.

/// A hash function, of a MAC or of a key schedule.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Hash {
    /// RFC 1321.
    Md5,
    /// FIPS 180-4, as the others.
    Sha1,
    /// 256 bits.
    Sha256,
    /// 384 bits.
    Sha384,
}

impl Hash {
    /// Octets of its output.
    pub const fn octets(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// An authenticated cipher (RFC 5116).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Aead {
    /// AES in Galois/Counter Mode, key of 16 octets.
    Aes128Gcm,
    /// The same, key of 32 octets.
    Aes256Gcm,
    /// RFC 8439.
    ChaCha20Poly1305,
    /// AES in counter mode with CBC-MAC, key of 16 octets, tag of 16.
    Aes128Ccm,
    /// The same, key of 32 octets.
    Aes256Ccm,
    /// Key of 16 octets, tag of 8.
    Aes128Ccm8,
    /// Key of 32 octets, tag of 8.
    Aes256Ccm8,
}

impl Aead {
    /// Octets of its key.
    pub const fn key(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 => 16,
            Self::Aes256Gcm | Self::Aes256Ccm | Self::Aes256Ccm8 | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// Octets of its tag.
    pub const fn tag(self) -> usize {
        match self {
            Self::Aes128Ccm8 | Self::Aes256Ccm8 => 8,
            _ => 16,
        }
    }
}

/// How records are protected.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// A MAC over cleartext.
    Null(Hash),
    /// AES-CBC with a key of so many octets, and a MAC.
    Cbc(usize, Hash),
    /// One cipher for both.
    Aead(Aead),
}

/// What a suite's number stands for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Protection of records.
    pub cipher: Cipher,
    /// Hash of the key schedule from TLS 1.2 on; before, it is MD5 and SHA-1 together.
    pub prf: Hash,
    /// The premaster secret travels under the server's RSA key, so that this key opens the session.
    pub rsa: bool,
}

/// Suites of one kind. The first so many of `numbers` exchange keys by RSA.
struct Row {
    cipher: Cipher,
    prf: Hash,
    rsa: usize,
    numbers: &'static [u16],
}

const fn row(cipher: Cipher, prf: Hash, rsa: usize, numbers: &'static [u16]) -> Row {
    Row { cipher, prf, rsa, numbers }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row(Cipher::Aead(Aead::Aes128Gcm), Hash::Sha256, 1, &[
        0x009c, 0x009e, 0x00a0, 0x00a2, 0x00a4, 0x00a6, 0x00a8, 0x00aa, 0x00ac,
        0xc02b, 0xc02d, 0xc02f, 0xc031, 0xd001, 0x1301,
    ]),
    row(Cipher::Aead(Aead::Aes256Gcm), Hash::Sha384, 1, &[
        0x009d, 0x009f, 0x00a1, 0x00a3, 0x00a5, 0x00a7, 0x00a9, 0x00ab, 0x00ad,
        0xc02c, 0xc02e, 0xc030, 0xc032, 0xd002, 0x1302,
    ]),
    row(Cipher::Aead(Aead::ChaCha20Poly1305), Hash::Sha256, 0, &[
        0xcca8, 0xcca9, 0xccaa, 0xccab, 0xccac, 0xccad, 0xccae, 0x1303,
    ]),
    row(Cipher::Aead(Aead::Aes128Ccm), Hash::Sha256, 1, &[
        0xc09c, 0xc09e, 0xc0a4, 0xc0a6, 0xc0ac, 0xd005, 0x1304,
    ]),
    row(Cipher::Aead(Aead::Aes256Ccm), Hash::Sha256, 1, &[
        0xc09d, 0xc09f, 0xc0a5, 0xc0a7, 0xc0ad,
    ]),
    row(Cipher::Aead(Aead::Aes128Ccm8), Hash::Sha256, 1, &[
        0xc0a0, 0xc0a2, 0xc0a8, 0xc0aa, 0xc0ae, 0xd003, 0x1305,
    ]),
    row(Cipher::Aead(Aead::Aes256Ccm8), Hash::Sha256, 1, &[
        0xc0a1, 0xc0a3, 0xc0a9, 0xc0ab, 0xc0af,
    ]),
    row(Cipher::Cbc(16, Hash::Sha1), Hash::Sha256, 1, &[
        0x002f, 0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x008c, 0x0090, 0x0094,
        0xc004, 0xc009, 0xc00e, 0xc013, 0xc018, 0xc035,
    ]),
    row(Cipher::Cbc(32, Hash::Sha1), Hash::Sha256, 1, &[
        0x0035, 0x0036, 0x0037, 0x0038, 0x0039, 0x003a, 0x008d, 0x0091, 0x0095,
        0xc005, 0xc00a, 0xc00f, 0xc014, 0xc019, 0xc036,
    ]),
    row(Cipher::Cbc(16, Hash::Sha256), Hash::Sha256, 1, &[
        0x003c, 0x003e, 0x003f, 0x0040, 0x0067, 0x006c, 0x00ae, 0x00b2, 0x00b6,
        0xc023, 0xc025, 0xc027, 0xc029, 0xc037,
    ]),
    row(Cipher::Cbc(32, Hash::Sha256), Hash::Sha256, 1, &[
        0x003d, 0x0068, 0x0069, 0x006a, 0x006b, 0x006d,
    ]),
    row(Cipher::Cbc(32, Hash::Sha384), Hash::Sha384, 0, &[
        0x00af, 0x00b3, 0x00b7, 0xc024, 0xc026, 0xc028, 0xc02a, 0xc038,
    ]),
    row(Cipher::Null(Hash::Md5), Hash::Sha256, 1, &[0x0001]),
    row(Cipher::Null(Hash::Sha1), Hash::Sha256, 1, &[
        0x0002, 0x002c, 0x002d, 0x002e, 0xc001, 0xc006, 0xc00b, 0xc010, 0xc015, 0xc039,
    ]),
    row(Cipher::Null(Hash::Sha256), Hash::Sha256, 1, &[
        0x003b, 0x00b0, 0x00b4, 0x00b8, 0xc03a,
    ]),
    row(Cipher::Null(Hash::Sha384), Hash::Sha384, 0, &[0x00b1, 0x00b5, 0x00b9, 0xc03b]),
];

/// What a number stands for; `None` for a suite that is not opened.
pub fn suite(number: u16) -> Option<Suite> {
    ROWS.iter().find_map(|row| {
        let place = row.numbers.iter().position(|known| *known == number)?;
        Some(Suite { cipher: row.cipher, prf: row.prf, rsa: place < row.rsa })
    })
}

/// Whether it is the number of one that does not encrypt.
pub const fn is_null(number: u16) -> bool {
    matches!(number, 0x0001 | 0x0002 | 0x002c..=0x002e | 0x003b | 0x00b0 | 0x00b1 | 0x00b4)
        || matches!(number, 0x00b5 | 0x00b8 | 0x00b9 | 0xc001 | 0xc006 | 0xc00b | 0xc010)
        || matches!(number, 0xc015 | 0xc039..=0xc03b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_in_one_row_only() {
        let mut all: Vec<u16> = ROWS.iter().flat_map(|row| row.numbers).copied().collect();
        let rows = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), rows);
    }

    #[test]
    fn those_that_do_not_encrypt_are_told_without_the_table() {
        for number in 0..=u16::MAX {
            let null = suite(number).is_some_and(|of| matches!(of.cipher, Cipher::Null(_)));
            assert_eq!(is_null(number), null, "{number:04x}");
        }
    }

    #[test]
    fn suites_are_what_the_registry_says() {
        let gcm = suite(0xc030).unwrap();
        assert_eq!((gcm.cipher, gcm.prf), (Cipher::Aead(Aead::Aes256Gcm), Hash::Sha384));
        assert!(!gcm.rsa && suite(0x009d).unwrap().rsa && suite(0x003b).unwrap().rsa);
        assert_eq!(suite(0xc014).unwrap().cipher, Cipher::Cbc(32, Hash::Sha1));
        assert_eq!(suite(0x000a), None);
    }
}
