//! AES-GCM as SRTP uses it (RFC 7714 §8, §9): a nonce of 96 bits, a tag of 128 bits behind the
//! ciphertext.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Octets of the nonce, and of the salt that hides it.
pub(super) const NONCE: usize = 12;

/// The key.
pub(super) struct Gcm(LessSafeKey);

impl Gcm {
    /// With a key of 16 or 32 octets; `None` for any other.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        let key = UnboundKey::new(algorithm, key).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Deciphers `text`, ciphertext and tag, in place and says how much of it is plaintext; `None`
    /// if the tag does not match.
    pub(super) fn open(&self, nonce: [u8; NONCE], aad: &[u8], text: &mut [u8]) -> Option<usize> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_in_place(nonce, Aad::from(aad), text).ok().map(|plain| plain.len())
    }

    /// Enciphers `text` in place and gives its tag.
    pub(super) fn seal(&self, nonce: [u8; NONCE], aad: &[u8], text: &mut [u8]) -> Option<[u8; 16]> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), text).ok()?;
        tag.as_ref().try_into().ok()
    }
}
