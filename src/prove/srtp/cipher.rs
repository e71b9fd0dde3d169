//! What a session key makes of a packet: nothing, counter mode, f8 or GCM, each with its IV.
//!
//! ```text
//! counter  (salt << 16) XOR (SSRC << 64) XOR (index << 16)      RFC 3711 §4.1.1
//! f8       of the header's own fields; see [`Place::f8`]        RFC 3711 §4.1.2.2, §4.1.2.3
//! GCM      salt XOR (0 0 || SSRC || index)                      RFC 7714 §8.1, §9.1
//! ```
//!
//! The index of an SRTP packet is ROC and sequence number, 48 bits; of an SRTCP packet, 31 bits.

use super::aes::Aes;
use super::derive::leading;
use super::gcm::{Gcm, NONCE};
use super::suite::Mode;

/// Where a packet stands in its session: what makes its keystream its own.
pub(super) struct Place {
    pub(super) ssrc: u32,
    pub(super) index: u64,
    /// The IV of f8 mode.
    pub(super) f8: u128,
}

/// A session key at work.
#[allow(clippy::large_enum_variant, reason = "a few at a time, on the stack")]
pub(super) enum Cipher {
    Null,
    Counter {
        aes: Aes,
        salt: u128,
    },
    F8 {
        aes: Aes,
        /// Under the key masked with the salt: it encrypts the IV.
        masked: Aes,
    },
    Gcm {
        key: Gcm,
        salt: u128,
    },
}

impl Cipher {
    /// `None` for a key of a length that the mode does not take.
    pub(super) fn new(mode: Mode, key: &[u8], salt: &[u8]) -> Option<Self> {
        Some(match mode {
            Mode::Null => Self::Null,
            Mode::Counter => Self::Counter { aes: Aes::new(key)?, salt: leading(salt) },
            Mode::F8 => {
                let mask = salt.iter().copied().chain(std::iter::repeat(0x55));
                let masked: Vec<u8> = key.iter().zip(mask).map(|(octet, m)| octet ^ m).collect();
                Self::F8 { aes: Aes::new(key)?, masked: Aes::new(&masked)? }
            }
            // Of 96 bits: to the right.
            Mode::Gcm => Self::Gcm { key: Gcm::new(key)?, salt: leading(salt) >> 32 },
        })
    }

    /// The key of GCM with the nonce of the packet, for the one mode that is no keystream.
    pub(super) fn gcm(&self, place: &Place) -> Option<(&Gcm, [u8; NONCE])> {
        let Self::Gcm { key, salt } = self else { return None };
        let nonce = salt ^ (u128::from(place.ssrc) << 48) ^ u128::from(place.index);
        let [_, _, _, _, nonce @ ..] = nonce.to_be_bytes();
        Some((key, nonce))
    }

    /// Adds the keystream of the packet to its octets: enciphers and deciphers.
    pub(super) fn apply(&self, place: &Place, octets: &mut [u8]) {
        match self {
            Self::Counter { aes, salt } => {
                let iv = salt ^ (u128::from(place.ssrc) << 64) ^ (u128::from(place.index) << 16);
                aes.counter(iv, octets);
            }
            Self::F8 { aes, masked } => {
                let iv = u128::from_be_bytes(masked.block(place.f8.to_be_bytes()));
                aes.f8(iv, octets);
            }
            Self::Null | Self::Gcm { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    #[test]
    fn f8_gives_the_ciphertext_of_rfc_3711_b1() {
        let key = hex("234829008467be186c3de14aae72d62c");
        let cipher = Cipher::new(Mode::F8, &key, &hex("32f2870d")).unwrap();
        let f8 = 0x006e_5cba_5068_1de5_5c62_1599_d462_564a;
        let mut text = hex("70736575646f72616e646f6d6e657373 20697320746865206e65787420626573
                            74207468696e67");
        cipher.apply(&Place { ssrc: 0x5c62_1599, index: 0, f8 }, &mut text);
        assert_eq!(
            text,
            hex("019ce7a26e7854014a6366aa95d4eefd 1ad4172a14f9faf455b7f1d4b62bd08f
                 562c0eef7c4802")
        );
    }
}
