//! The one door to the crates that compute: HMAC, authenticated ciphers, AES-CBC, QUIC's masks.
//!
//! Keys and nonces come in the lengths that the callers' tables state; a length that does not fit
//! gives `None`, as does a tag that does not. Nothing here knows TLS.

use aes::{Aes128, Aes256};
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding};
use ccm::Ccm;
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U8, U12, U16};
use hmac::Mac as _;
use ring::aead;

use super::suites::{Aead, Hash};

/// The key of an HMAC (RFC 2104).
#[derive(Clone)]
pub enum Mac {
    /// ring has no MD5.
    Md5(hmac::Hmac<md5::Md5>),
    /// Everything else.
    Sha(ring::hmac::Key),
}

impl std::fmt::Debug for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mac")
    }
}

impl Mac {
    /// A key of any length.
    pub fn new(hash: Hash, key: &[u8]) -> Option<Self> {
        Some(match hash {
            Hash::Md5 => Self::Md5(hmac::Hmac::new_from_slice(key).ok()?),
            Hash::Sha1 => Self::sha(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key),
            Hash::Sha256 => Self::sha(ring::hmac::HMAC_SHA256, key),
            Hash::Sha384 => Self::sha(ring::hmac::HMAC_SHA384, key),
        })
    }

    fn sha(algorithm: ring::hmac::Algorithm, key: &[u8]) -> Self {
        Self::Sha(ring::hmac::Key::new(algorithm, key))
    }

    /// Octets of the tag.
    pub fn octets(&self) -> usize {
        match self {
            Self::Md5(_) => Hash::Md5.octets(),
            Self::Sha(key) => key.algorithm().digest_algorithm().output_len(),
        }
    }

    /// Appends the tag over the parts, one after the other, to `out`.
    pub fn tag(&self, parts: &[&[u8]], out: &mut Vec<u8>) {
        match self {
            Self::Md5(keyed) => {
                let mut keyed = keyed.clone();
                for part in parts {
                    keyed.update(part);
                }
                out.extend_from_slice(&keyed.finalize().into_bytes());
            }
            Self::Sha(key) => {
                let mut context = ring::hmac::Context::with_key(key);
                for part in parts {
                    context.update(part);
                }
                out.extend_from_slice(context.sign().as_ref());
            }
        }
    }

    /// Whether `tag` is the one over the parts.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        let mut own = Vec::with_capacity(self.octets());
        self.tag(parts, &mut own);
        own == tag
    }
}

/// The key of an authenticated cipher.
#[allow(clippy::large_enum_variant, reason = "nearly all are the large one")]
pub enum AeadKey {
    /// GCM and ChaCha20-Poly1305, which ring has.
    Ring(aead::LessSafeKey),
    /// CCM, which it has not.
    Ccm(Aead, Vec<u8>),
}

impl std::fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AeadKey")
    }
}

impl AeadKey {
    /// A key of exactly the cipher's length.
    pub fn new(kind: Aead, key: &[u8]) -> Option<Self> {
        let algorithm = match kind {
            Aead::Aes128Gcm => &aead::AES_128_GCM,
            Aead::Aes256Gcm => &aead::AES_256_GCM,
            Aead::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
            _ if key.len() == kind.key() => return Some(Self::Ccm(kind, key.to_vec())),
            _ => return None,
        };
        let key = aead::UnboundKey::new(algorithm, key).ok()?;
        Some(Self::Ring(aead::LessSafeKey::new(key)))
    }

    /// Opens ciphertext and tag in place; what remains is the plaintext.
    pub fn open(&self, nonce: [u8; 12], aad: &[u8], sealed: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Ring(key) => {
                let nonce = aead::Nonce::assume_unique_for_key(nonce);
                let length = key.open_in_place(nonce, aead::Aad::from(aad), sealed).ok()?.len();
                sealed.truncate(length);
                Some(())
            }
            Self::Ccm(Aead::Aes128Ccm8, key) => {
                ccm_open::<Ccm<Aes128, U8, U12>>(key, nonce, aad, sealed)
            }
            Self::Ccm(Aead::Aes256Ccm8, key) => {
                ccm_open::<Ccm<Aes256, U8, U12>>(key, nonce, aad, sealed)
            }
            Self::Ccm(Aead::Aes256Ccm, key) => {
                ccm_open::<Ccm<Aes256, U16, U12>>(key, nonce, aad, sealed)
            }
            Self::Ccm(_, key) => ccm_open::<Ccm<Aes128, U16, U12>>(key, nonce, aad, sealed),
        }
    }
}

fn ccm_open<C>(key: &[u8], nonce: [u8; 12], aad: &[u8], sealed: &mut Vec<u8>) -> Option<()>
where
    C: KeyInit + AeadInOut<NonceSize = U12>,
{
    C::new_from_slice(key).ok()?.decrypt_in_place(&nonce.into(), aad, sealed).ok()
}

/// Decrypts AES-CBC in place: whole blocks, no padding removed.
pub fn cbc_decrypt(key: &[u8], iv: &[u8], blocks: &mut [u8]) -> Option<()> {
    match key.len() {
        16 => cbc::Decryptor::<Aes128>::new_from_slices(key, iv)
            .ok()?
            .decrypt_padded::<NoPadding>(blocks)
            .ok()
            .map(drop),
        _ => cbc::Decryptor::<Aes256>::new_from_slices(key, iv)
            .ok()?
            .decrypt_padded::<NoPadding>(blocks)
            .ok()
            .map(drop),
    }
}

/// The octets that hide a packet number of QUIC and part of the octet before it, by AES-128 (RFC 9001
/// §5.4.3).
pub fn quic_mask(key: &[u8], sample: &[u8]) -> Option<[u8; 5]> {
    let key = aead::quic::HeaderProtectionKey::new(&aead::quic::AES_128, key).ok()?;
    key.new_mask(sample).ok()
}

/// SHA-256 or SHA-384, for the hash of a handshake.
pub fn digest(hash: Hash, octets: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha384 => &ring::digest::SHA384,
        Hash::Sha1 => &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
        _ => &ring::digest::SHA256,
    };
    if hash == Hash::Md5 {
        use md5::Digest as _;
        return md5::Md5::digest(octets).to_vec();
    }
    ring::digest::digest(algorithm, octets).as_ref().to_vec()
}
