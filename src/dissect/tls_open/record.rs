//! Protected records of one direction, opened: RFC 2246 and RFC 4346 §6.2.3 (CBC with and without
//! an IV of its own), RFC 7366 (encrypt-then-MAC), RFC 5246 §6.2.3 and RFC 8446 §5.2 (AEAD), RFC
//! 6347 §4.1.2 (epoch and sequence in place of the count).
//!
//! A record opens whole or not at all: nothing is given out whose tag was not verified, but for
//! NULL suites without keys, which hide nothing. Connection ids (RFC 9146), truncated HMAC and
//! compression are not read.

use super::primitives::{AeadKey, Mac, cbc_decrypt};
use super::schedule::expand_label;
use super::suites::{Aead, Cipher, Hash, Suite};

/// A block of AES, and so an IV.
const BLOCK: usize = 16;

/// The version that a handshake agreed on, DTLS under that of TLS which it is made of.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// RFC 2246.
    Tls10,
    /// RFC 4346; DTLS 1.0.
    Tls11,
    /// RFC 5246; DTLS 1.2.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// A record as it travelled.
#[derive(Copy, Clone, Debug)]
pub struct Sealed<'a> {
    /// The content type of its header.
    pub content_type: u8,
    /// The version of its header.
    pub version: u16,
    /// Its place among the records of its direction under these keys; of DTLS epoch and sequence.
    pub sequence: u64,
    /// What follows the header.
    pub fragment: &'a [u8],
}

/// The keys of one direction.
#[derive(Debug)]
pub struct Opener {
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Cleartext and a MAC; without a key the MAC is taken off unseen.
    Null { mac: Option<Mac>, octets: usize },
    /// Blocks; `chain` is the IV of the next record where records have none of their own.
    Cbc { key: Vec<u8>, mac: Mac, chain: Option<[u8; BLOCK]>, mac_last: bool },
    /// TLS 1.2: the nonce is `salt` and what the record begins with.
    Explicit { key: AeadKey, tag: usize, salt: [u8; 4] },
    /// The nonce is `iv` with the sequence.
    Implicit { key: AeadKey, tag: usize, iv: [u8; 12], tls13: bool },
}

/// The keys of both directions before TLS 1.3, as the key block is cut (RFC 5246 §6.3).
#[derive(Debug)]
pub struct KeyBlock {
    mac: usize,
    key: usize,
    iv: usize,
}

impl Version {
    /// The version of a ServerHello; `None` for SSL and for what is not opened.
    pub const fn of_wire(version: u16) -> Option<Self> {
        match version {
            0x0301 => Some(Self::Tls10),
            0x0302 | 0xfeff | 0x0100 => Some(Self::Tls11),
            0x0303 | 0xfefd => Some(Self::Tls12),
            0x0304 => Some(Self::Tls13),
            _ => None,
        }
    }
}

impl KeyBlock {
    /// How the key block of a suite is cut.
    pub const fn of(cipher: Cipher, version: Version) -> Self {
        match cipher {
            Cipher::Null(hash) => Self { mac: hash.octets(), key: 0, iv: 0 },
            Cipher::Cbc(key, hash) => {
                let iv = if matches!(version, Version::Tls10) { BLOCK } else { 0 };
                Self { mac: hash.octets(), key, iv }
            }
            Cipher::Aead(aead) => {
                let iv = if matches!(aead, Aead::ChaCha20Poly1305) { 12 } else { 4 };
                Self { mac: 0, key: aead.key(), iv }
            }
        }
    }

    /// Octets of the whole.
    pub const fn octets(&self) -> usize {
        self.mac.saturating_add(self.key).saturating_add(self.iv).saturating_mul(2)
    }

    /// MAC key, key and IV of the client (0) or the server (1).
    fn parts<'a>(&self, block: &'a [u8], side: usize) -> Option<[&'a [u8]; 3]> {
        let mut rest = block;
        let mut own = [&[][..]; 3];
        for (part, octets) in own.iter_mut().zip([self.mac, self.key, self.iv]) {
            let (client, after) = rest.split_at_checked(octets)?;
            let (server, after) = after.split_at_checked(octets)?;
            *part = if side == 0 { client } else { server };
            rest = after;
        }
        Some(own)
    }
}

impl Opener {
    /// The keys of one side, 0 the client's, from a key block.
    pub fn of_block(
        suite: &Suite,
        version: Version,
        encrypt_then_mac: bool,
        block: &[u8],
        side: usize,
    ) -> Option<Self> {
        let [mac_key, key, iv] = KeyBlock::of(suite.cipher, version).parts(block, side)?;
        let way = match suite.cipher {
            Cipher::Null(hash) => {
                Way::Null { mac: Some(Mac::new(hash, mac_key)?), octets: hash.octets() }
            }
            Cipher::Cbc(_, hash) => Way::Cbc {
                key: key.to_vec(),
                mac: Mac::new(hash, mac_key)?,
                chain: iv.first_chunk().copied(),
                mac_last: encrypt_then_mac,
            },
            Cipher::Aead(aead) => Self::aead(aead, key, iv)?,
        };
        Some(Self { way })
    }

    fn aead(aead: Aead, key: &[u8], iv: &[u8]) -> Option<Way> {
        let (key, tag) = (AeadKey::new(aead, key)?, aead.tag());
        Some(match iv.try_into() {
            Ok(salt) => Way::Explicit { key, tag, salt },
            Err(_) => Way::Implicit { key, tag, iv: iv.try_into().ok()?, tls13: false },
        })
    }

    /// The keys of a traffic secret of TLS 1.3 (RFC 8446 §7.3).
    pub fn of_secret(aead: Aead, hash: Hash, secret: &[u8]) -> Option<Self> {
        let key = expand_label(hash, secret, b"key", aead.key());
        let iv = expand_label(hash, secret, b"iv", 12);
        let (key, iv) = (AeadKey::new(aead, &key)?, iv.as_slice().try_into().ok()?);
        Some(Self { way: Way::Implicit { key, tag: aead.tag(), iv, tls13: true } })
    }

    /// For a NULL suite without keys.
    pub const fn of_null(hash: Hash) -> Self {
        Self { way: Way::Null { mac: None, octets: hash.octets() } }
    }

    /// A record went by, opened or not: where the next one's IV is the end of this one, notes it.
    pub fn passed(&mut self, record: &Sealed<'_>) {
        let Way::Cbc { mac, chain: Some(chain), mac_last, .. } = &mut self.way else { return };
        let tag = if *mac_last { mac.octets() } else { 0 };
        if let Some((blocks, _)) = cut(record.fragment, tag)
            && let Some(last) = blocks.last_chunk()
        {
            *chain = *last;
        }
    }

    /// Puts the plaintext into `out`, in place of what is there, and says what its content type is.
    /// `None` if the tag does not fit.
    pub fn open(&self, record: &Sealed<'_>, out: &mut Vec<u8>) -> Option<u8> {
        out.clear();
        match &self.way {
            Way::Null { mac, octets } => {
                let (text, tag) = cut(record.fragment, *octets)?;
                if let Some(mac) = mac {
                    record.vouched(mac, text, tag)?;
                }
                out.extend_from_slice(text);
                Some(record.content_type)
            }
            Way::Cbc { key, mac, chain, mac_last } => {
                let mut fragment = record.fragment;
                if *mac_last {
                    let (text, tag) = cut(fragment, mac.octets())?;
                    record.vouched(mac, text, tag)?;
                    fragment = text;
                }
                let (iv, blocks) = match chain {
                    Some(iv) => (iv, fragment),
                    None => fragment.split_first_chunk()?,
                };
                out.extend_from_slice(blocks);
                cbc_decrypt(key, iv, out)?;
                unpad(out)?;
                if !*mac_last {
                    let (text, tag) = cut(out, mac.octets())?;
                    record.vouched(mac, text, tag)?;
                    out.truncate(text.len());
                }
                Some(record.content_type)
            }
            Way::Explicit { key, tag, salt } => {
                let (explicit, sealed) = record.fragment.split_first_chunk::<8>()?;
                let length = sealed.len().checked_sub(*tag)?;
                out.extend_from_slice(sealed);
                let mut nonce = [0; 12];
                let octets = salt.iter().chain(explicit);
                nonce.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
                key.open(nonce, &record.preface(length)?, out)?;
                Some(record.content_type)
            }
            Way::Implicit { key, tag, iv, tls13 } => {
                let length = record.fragment.len().checked_sub(*tag)?;
                out.extend_from_slice(record.fragment);
                let nonce = nonce(iv, record.sequence);
                if *tls13 {
                    key.open(nonce, &record.header()?, out)?;
                    return inner_type(out);
                }
                key.open(nonce, &record.preface(length)?, out)?;
                Some(record.content_type)
            }
        }
    }
}

impl Sealed<'_> {
    /// Whether the tag is the MAC of this text in this record.
    fn vouched(&self, mac: &Mac, text: &[u8], tag: &[u8]) -> Option<()> {
        mac.verify(&[&self.preface(text.len())?, text], tag).then_some(())
    }

    /// What precedes the text under a MAC: sequence, type, version and the text's length.
    fn preface(&self, length: usize) -> Option<[u8; 13]> {
        let mut preface = [0; 13];
        let (sequence, rest) = preface.split_first_chunk_mut()?;
        *sequence = self.sequence.to_be_bytes();
        let (rest, octets) = rest.split_last_chunk_mut()?;
        *octets = u16::try_from(length).ok()?.to_be_bytes();
        let [major, minor] = self.version.to_be_bytes();
        rest.copy_from_slice(&[self.content_type, major, minor]);
        Some(preface)
    }

    /// The header as it travelled.
    fn header(&self) -> Option<[u8; 5]> {
        let [major, minor] = self.version.to_be_bytes();
        let [high, low] = u16::try_from(self.fragment.len()).ok()?.to_be_bytes();
        Some([self.content_type, major, minor, high, low])
    }
}

/// Takes off what fills the last block (RFC 5246 §6.2.3.2).
fn unpad(out: &mut Vec<u8>) -> Option<()> {
    let padding = usize::from(*out.last()?).checked_add(1)?;
    let (text, padded) = cut(out, padding)?;
    padded.iter().all(|octet| usize::from(*octet).checked_add(1) == Some(padding)).then_some(())?;
    out.truncate(text.len());
    Some(())
}

/// Takes the padding and the content type off a `TLSInnerPlaintext` (RFC 8446 §5.2).
fn inner_type(out: &mut Vec<u8>) -> Option<u8> {
    while let Some(last) = out.pop() {
        if last != 0 {
            return Some(last);
        }
    }
    None
}

/// `iv` with the sequence at its end.
fn nonce(iv: &[u8; 12], sequence: u64) -> [u8; 12] {
    let mut nonce = *iv;
    let sequence = sequence.to_be_bytes();
    nonce.iter_mut().skip(4).zip(sequence).for_each(|(octet, with)| *octet ^= with);
    nonce
}

/// Splits so many octets off the end.
fn cut(octets: &[u8], tail: usize) -> Option<(&[u8], &[u8])> {
    octets.split_at_checked(octets.len().checked_sub(tail)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::tls_open::testing::hex;

    #[test]
    fn the_application_record_of_rfc_8448_opens() {
        // §3: {client} send application_data record of 50 octets, 00 to 31.
        let secret = hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
        let fragment = hex(
            "a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b\
             62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
        );
        let opener = Opener::of_secret(Aead::Aes128Gcm, Hash::Sha256, &secret).unwrap();
        let record = Sealed { content_type: 23, version: 0x0303, sequence: 0, fragment: &fragment };
        let mut out = Vec::new();
        assert_eq!(opener.open(&record, &mut out), Some(23));
        assert_eq!(out, (0..0x32).collect::<Vec<u8>>());
        assert_eq!(opener.open(&Sealed { sequence: 1, ..record }, &mut out), None);
    }

    #[test]
    fn anything_at_all_is_refused_without_a_panic() {
        for cipher in [
            Cipher::Null(Hash::Md5),
            Cipher::Cbc(16, Hash::Sha1),
            Cipher::Cbc(32, Hash::Sha384),
            Cipher::Aead(Aead::Aes256Gcm),
            Cipher::Aead(Aead::ChaCha20Poly1305),
            Cipher::Aead(Aead::Aes128Ccm8),
            Cipher::Aead(Aead::Aes256Ccm),
        ] {
            let suite = Suite { cipher, prf: Hash::Sha256, rsa: false };
            for (version, mac_last) in
                [(Version::Tls10, false), (Version::Tls12, false), (Version::Tls12, true)]
            {
                let block = vec![7; KeyBlock::of(cipher, version).octets()];
                let opener = Opener::of_block(&suite, version, mac_last, &block, 1);
                let opener = opener.unwrap();
                for length in 0..80 {
                    let fragment = vec![3; length];
                    let record = Sealed {
                        content_type: 23,
                        version: 0x0303,
                        sequence: 0,
                        fragment: &fragment,
                    };
                    assert_eq!(opener.open(&record, &mut Vec::new()), None, "{cipher:?} {length}");
                }
                assert!(Opener::of_block(&suite, version, false, &block[1..], 1).is_none());
            }
        }
    }
}
