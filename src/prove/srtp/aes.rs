//! AES with a key of 128, 192 or 256 bits: one block, the keystream of counter mode (RFC 3711
//! §4.1.1), and f8 mode (RFC 3711 §4.1.2).

use aes::cipher::{BlockCipherEncrypt, InnerIvInit, KeyInit, StreamCipher};
use aes::{Aes128Enc, Aes192Enc, Aes256Enc};
use ctr::{Ctr128BE, CtrCore};

/// Octets of a block.
pub(super) const BLOCK: usize = 16;

/// The expanded key.
pub(super) enum Aes {
    Short(Box<Aes128Enc>),
    Middle(Box<Aes192Enc>),
    Long(Box<Aes256Enc>),
}

impl Aes {
    /// With a key of 16, 24 or 32 octets; `None` for any other.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Short(Box::new(Aes128Enc::new_from_slice(key).ok()?)),
            24 => Self::Middle(Box::new(Aes192Enc::new_from_slice(key).ok()?)),
            32 => Self::Long(Box::new(Aes256Enc::new_from_slice(key).ok()?)),
            _ => return None,
        })
    }

    /// One block.
    pub(super) fn block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        match self {
            Self::Short(aes) => aes.encrypt_block(&mut block),
            Self::Middle(aes) => aes.encrypt_block(&mut block),
            Self::Long(aes) => aes.encrypt_block(&mut block),
        }
        block.into()
    }

    /// Adds the keystream that begins with the counter block `iv` to `octets`.
    pub(super) fn counter(&self, iv: u128, octets: &mut [u8]) {
        let iv = iv.to_be_bytes().into();
        match self {
            Self::Short(aes) => {
                Ctr128BE::from_core(CtrCore::inner_iv_init(&**aes, &iv)).apply_keystream(octets);
            }
            Self::Middle(aes) => {
                Ctr128BE::from_core(CtrCore::inner_iv_init(&**aes, &iv)).apply_keystream(octets);
            }
            Self::Long(aes) => {
                Ctr128BE::from_core(CtrCore::inner_iv_init(&**aes, &iv)).apply_keystream(octets);
            }
        }
    }

    /// Adds the keystream of f8 mode to `octets`: each block hides the number of the block and the
    /// one before behind `masked`, the IV encrypted under the masked key.
    pub(super) fn f8(&self, masked: u128, octets: &mut [u8]) {
        let mut last = 0_u128;
        for (number, block) in (0_u128..).zip(octets.chunks_mut(BLOCK)) {
            let keystream = self.block((masked ^ number ^ last).to_be_bytes());
            for (octet, mask) in block.iter_mut().zip(keystream) {
                *octet ^= mask;
            }
            last = u128::from_be_bytes(keystream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    #[test]
    fn the_keystream_of_counter_mode_is_that_of_rfc_3711_b2() {
        let aes = Aes::new(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
        let mut octets = vec![0; 48];
        aes.counter(0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_0000, &mut octets);
        assert_eq!(
            octets,
            hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
                 41E95B3BB0A2E8DD477901E4FCA894C0")
        );
    }

    #[test]
    fn keys_of_other_lengths_are_refused() {
        assert!(Aes::new(&[0; 24]).is_some() && Aes::new(&[0; 32]).is_some());
        assert!(Aes::new(&[0; 15]).is_none() && Aes::new(&[]).is_none());
    }
}
