//! The ClientHello of a QUIC connection: the client's Initial packets, whose keys follow from what stands
//! in clear in the first of them (RFC 9001 §5.2, RFC 9369 §3.3), opened, and their CRYPTO frames put
//! together. Nothing else of QUIC can be read without secrets, and nothing else is.

use overhear_parsers::quic::{self, Initial, Version};

use super::gathered::Gathered;
use super::tls_open::primitives::{AeadKey, Mac, quic_mask};
use super::tls_open::schedule::expand_label;
use super::tls_open::suites::{Aead, Hash};

/// What the keys of a version are made with, beside the connection ID.
struct Recipe {
    salt: [u8; 20],
    key: &'static [u8],
    iv: &'static [u8],
    mask: &'static [u8],
}

const ONE: Recipe = Recipe {
    salt: [
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c,
        0xad, 0xcc, 0xbb, 0x7f, 0x0a,
    ],
    key: b"quic key",
    iv: b"quic iv",
    mask: b"quic hp",
};

const TWO: Recipe = Recipe {
    salt: [
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d,
        0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
    ],
    key: b"quicv2 key",
    iv: b"quicv2 iv",
    mask: b"quicv2 hp",
};

/// `ClientHello` (RFC 8446 §4).
const CLIENT_HELLO: u8 = 1;

/// The longest handshake message that is waited for, with its header.
const LONGEST: usize = 16 << 10;

/// The hello of a connection on its way.
#[derive(Debug)]
pub struct QuicHello {
    key: AeadKey,
    iv: [u8; 12],
    mask: Vec<u8>,
    gathered: Gathered,
}

impl QuicHello {
    /// The hello that begins with a packet of the client; `None` if its keys do not open the packet.
    pub fn begin(initial: &Initial<'_>) -> Option<Self> {
        let (recipe, hash) =
            (if initial.version == Version::One { &ONE } else { &TWO }, Hash::Sha256);
        let mut first = Vec::new();
        Mac::new(hash, &recipe.salt)?.tag(&[initial.destination], &mut first);
        let secret = expand_label(hash, &first, b"client in", hash.octets());
        let key = AeadKey::new(Aead::Aes128Gcm, &expand_label(hash, &secret, recipe.key, 16))?;
        let iv = expand_label(hash, &secret, recipe.iv, 12).try_into().ok()?;
        let mask = expand_label(hash, &secret, recipe.mask, 16);
        let mut hello = Self { key, iv, mask, gathered: Gathered::default() };
        hello.packet(initial).then_some(hello)
    }

    /// Takes a packet; false if it does not open.
    pub fn packet(&mut self, initial: &Initial<'_>) -> bool {
        let Some(payload) = self.open(initial) else { return false };
        for frame in quic::crypto(&payload) {
            let begin = usize::try_from(frame.offset).unwrap_or(usize::MAX);
            if begin.saturating_add(frame.octets.len()) <= LONGEST {
                self.gathered.add(begin, frame.octets);
            }
        }
        true
    }

    /// The ClientHello behind its type and length, once all of it has come.
    pub fn whole(&self) -> Option<&[u8]> {
        let &[kind, a, b, c] = self.gathered.beginning(4)? else { return None };
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
        self.gathered.beginning(length.checked_add(4)?).filter(|_| kind == CLIENT_HELLO)
    }

    /// Memory taken.
    pub fn cost(&self) -> usize {
        self.gathered.cost().saturating_add(size_of::<Self>())
    }

    /// The payload of a packet (RFC 9001 §5.3, §5.4).
    fn open(&self, initial: &Initial<'_>) -> Option<Vec<u8>> {
        let [flip, numbers @ ..] = quic_mask(&self.mask, initial.rest.get(4..20)?)?;
        let mut header = initial.header.to_vec();
        let first = header.first_mut()?;
        *first ^= flip & 0x0f;
        let octets = usize::from(*first & 3).checked_add(1)?;
        let (number, sealed) = initial.rest.split_at_checked(octets)?;
        let number: Vec<u8> =
            number.iter().zip(numbers).map(|(octet, with)| octet ^ with).collect();
        header.extend_from_slice(&number);
        let mut nonce = self.iv;
        for (octet, with) in nonce.iter_mut().rev().zip(number.iter().rev()) {
            *octet ^= with;
        }
        let mut payload = sealed.to_vec();
        self.key.open(nonce, &header, &mut payload)?;
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tls_open::testing::hex;
    use super::*;

    /// An Initial packet sealed with the keys of RFC 9001 §A.1, whose connection ID it has.
    #[test]
    fn keys_are_those_of_the_appendix() {
        let mut first = Vec::new();
        let id = hex("8394c8f03e515708");
        Mac::new(Hash::Sha256, &ONE.salt).unwrap().tag(&[&id], &mut first);
        let secret = expand_label(Hash::Sha256, &first, b"client in", 32);
        let key = |label| expand_label(Hash::Sha256, &secret, label, 16);
        assert_eq!(key(ONE.key), hex("1f369613dd76d5467730efcbe3b1a22d"));
        assert_eq!(key(ONE.mask), hex("9f50449e04a0e810283a1e9933adedd2"));
        let iv = expand_label(Hash::Sha256, &secret, ONE.iv, 12);
        assert_eq!(iv, hex("fa044b2f42a3fd3b46fb255c"));
        let sample = hex("d1b1c98dd7689fb8ec11d242b123dc9b");
        assert_eq!(quic_mask(&key(ONE.mask), &sample), hex("437b9aec36").try_into().ok());
    }
}
