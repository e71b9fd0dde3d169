//! MIKEY: SRTP keys in one message of their own, which SDP carries in `a=key-mgmt:mikey` in base64
//! (RFC 3830 §6, RFC 4567 §3).
//!
//! ```text
//! | version 1 | data type | next payload | V, PRF | CSB ID (4) | #CS | map type | map | payloads ...
//! payload: | next payload | ... its own layout ... |
//! ```
//!
//! Read are the common header and the payloads that tell what the keys are protected with: KEMAC
//! with its keys where they are in clear, RAND, the security policies, DH and SIGN. The rest is
//! stepped over. Nothing is verified or deciphered, and no key is derived.

use crate::sdp::sextet;
use crate::secret::Secret;

/// Octets of a message at most: an SDP line would hardly hold more.
pub const MAX_OCTETS: usize = 16 << 10;
/// Payloads, keys and policies of one message that are looked at.
const MAX_PAYLOADS: usize = 32;

/// Why octets are no MIKEY message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MikeyError {
    /// The header or its map ends early.
    Short,
    /// Not version 1.
    Version(u8),
}

/// How the keys were agreed (RFC 3830 §6.1, RFC 4650 §4.2.1).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DataType {
    /// The keys are in the message, under a key that both have already.
    PreShared,
    /// The keys are in the message, under a public key.
    PublicKey,
    /// Diffie-Hellman.
    DiffieHellman,
    /// Diffie-Hellman, authenticated with a pre-shared key.
    DiffieHellmanHmac,
    /// An answer or an error without keys, or a type of a later standard.
    Other(u8),
}

/// A message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// How the keys were agreed.
    pub data_type: DataType,
    /// The crypto session bundle.
    pub bundle: u32,
    /// Crypto sessions in it.
    pub sessions: u8,
    first: u8,
    payloads: &'a [u8],
}

/// One payload.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Keys, perhaps encrypted (§6.2).
    Kemac {
        /// 0: not encrypted.
        encryption: u8,
        /// Key data sub-payloads.
        keys: Secret<'a>,
    },
    /// A Diffie-Hellman value (§6.4).
    Dh,
    /// A signature (§6.5): the last payload.
    Sign,
    /// A security policy for SRTP: type and value of each parameter (§6.10.1).
    Policy(&'a [u8]),
    /// The random value that keys are derived with (§6.11).
    Rand(&'a [u8]),
    /// Another one, by its number.
    Other(u8),
}

/// One key of a KEMAC payload (§6.13).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// It is the traffic key itself; otherwise traffic keys are derived from it.
    pub traffic: bool,
    /// The key.
    pub key: Secret<'a>,
    /// The salt that came with it; empty without one.
    pub salt: Secret<'a>,
}

impl<'a> Message<'a> {
    /// Reads a message, decoded from base64.
    ///
    /// # Errors
    /// [`MikeyError::Version`] for another version than 1, [`MikeyError::Short`] when header or map
    /// point past the end.
    pub fn parse(octets: &'a [u8]) -> Result<Self, MikeyError> {
        let (header, rest) = octets.split_first_chunk::<10>().ok_or(MikeyError::Short)?;
        let [version, data_type, first, _, b0, b1, b2, b3, sessions, map] = *header;
        if version != 1 {
            return Err(MikeyError::Version(version));
        }
        // An SRTP-ID map has policy, SSRC and rollover counter of each session; others are empty.
        let map = if map == 0 { usize::from(sessions).saturating_mul(9) } else { 0 };
        let payloads = rest.get(map..).ok_or(MikeyError::Short)?;
        let data_type = match data_type {
            0 => DataType::PreShared,
            2 => DataType::PublicKey,
            4 | 5 => DataType::DiffieHellman,
            7 | 8 => DataType::DiffieHellmanHmac,
            other => DataType::Other(other),
        };
        let bundle = u32::from_be_bytes([b0, b1, b2, b3]);
        Ok(Self { data_type, bundle, sessions, first, payloads })
    }

    /// The payloads, up to the first that cannot be read.
    pub fn payloads(&self) -> impl Iterator<Item = Payload<'a>> + use<'a> {
        let (mut kind, mut rest) = (self.first, self.payloads);
        let next = move || {
            let (payload, following, behind) = payload(kind, rest)?;
            (kind, rest) = (following, behind);
            Some(payload)
        };
        std::iter::from_fn(next).take(MAX_PAYLOADS)
    }

    /// The keys that anyone can read: those of KEMAC payloads without encryption.
    pub fn clear_keys(&self) -> impl Iterator<Item = Key<'a>> + use<'a> {
        self.payloads().flat_map(|payload| match payload {
            Payload::Kemac { encryption: 0, keys } => keys_of(keys.expose()),
            _ => keys_of(&[]),
        })
    }
}

/// The message of an `a=key-mgmt` value, `mikey` and base64, decoded; `None` for another protocol,
/// and for what is no base64 or longer than [`MAX_OCTETS`].
pub fn of_attribute(value: &[u8]) -> Option<Vec<u8>> {
    let (protocol, rest) = value.trim_ascii().split_at_checked(5)?;
    let text = rest.trim_ascii();
    if !protocol.eq_ignore_ascii_case(b"mikey") || text.len() > MAX_OCTETS {
        return None;
    }
    let end = text.iter().rposition(|&octet| octet != b'=')?.checked_add(1)?;
    let mut octets = Vec::with_capacity(text.len());
    for group in text.get(..end)?.chunks(4) {
        let mut bits = 0_u32;
        for place in 0..4 {
            let value = match group.get(place) {
                Some(octet) => sextet(*octet)?,
                None => 0,
            };
            bits = bits.wrapping_shl(6) | u32::from(value);
        }
        let [_, all @ ..] = bits.to_be_bytes();
        octets.extend(all.iter().take(group.len().saturating_sub(1)));
    }
    Some(octets)
}

/// One payload of this kind, the kind of the next one and what follows; `None` at the end.
fn payload(kind: u8, octets: &[u8]) -> Option<(Payload<'_>, u8, &[u8])> {
    if kind == 0 {
        return None;
    }
    // A signature has no next payload.
    if kind == 4 {
        return Some((Payload::Sign, 0, &[]));
    }
    let (&next, rest) = octets.split_first()?;
    let (payload, behind) = match kind {
        1 => {
            let (&encryption, rest) = rest.split_first()?;
            let (keys, rest) = counted16(rest)?;
            let (mac, rest) = rest.split_first()?;
            let mac = if *mac == 1 { 20 } else { 0 };
            (Payload::Kemac { encryption, keys: Secret::new(keys) }, rest.get(mac..)?)
        }
        // The two high bits of the length say how the envelope key is kept.
        2 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*length) & 0x3fff);
            (Payload::Other(kind), rest.get(length..)?)
        }
        3 => {
            let (&group, rest) = rest.split_first()?;
            let value = [192, 96, 128].get(usize::from(group)).copied()?;
            (Payload::Dh, validity(rest.get(value..)?)?.1)
        }
        5 => {
            let (&kind_of_time, rest) = rest.split_first()?;
            let length = if kind_of_time == 2 { 4 } else { 8 };
            (Payload::Other(kind), rest.get(length..)?)
        }
        6 | 7 | 21 => (Payload::Other(kind), counted16(rest.get(1..)?)?.1),
        8 => {
            let (&hash, rest) = rest.split_first()?;
            (Payload::Other(kind), rest.get(if hash == 1 { 16 } else { 20 }..)?)
        }
        9 => {
            let (&mac, rest) = rest.split_first()?;
            (Payload::Other(kind), rest.get(if mac == 1 { 20 } else { 0 }..)?)
        }
        10 => {
            let (policy, rest) = counted16(rest.get(2..)?)?;
            (Payload::Policy(policy), rest)
        }
        11 => {
            let (&length, rest) = rest.split_first()?;
            let (rand, rest) = rest.split_at_checked(usize::from(length))?;
            (Payload::Rand(rand), rest)
        }
        12 => (Payload::Other(kind), rest.get(3..)?),
        _ => return None,
    };
    Some((payload, next, behind))
}

/// Key data sub-payloads; the first that cannot be read ends them.
fn keys_of(octets: &[u8]) -> impl Iterator<Item = Key<'_>> + use<'_> {
    let mut left = Some(octets).filter(|octets| !octets.is_empty());
    let next = move || {
        let (&following, rest) = left?.split_first()?;
        let (&kinds, _) = rest.split_first()?;
        let (key, rest) = counted16(rest.get(1..)?)?;
        let (salt, rest) = if kinds >> 4 & 1 == 1 { counted16(rest)? } else { (&[][..], rest) };
        let rest = period(kinds & 0x0f, rest)?;
        left = Some(rest).filter(|_| following == 20);
        let traffic = matches!(kinds >> 4, 2 | 3);
        Some(Key { traffic, key: Secret::new(key), salt: Secret::new(salt) })
    };
    std::iter::from_fn(next).take(MAX_PAYLOADS)
}

/// Steps over the octet that says how long a Diffie-Hellman key holds, and what it announces.
fn validity(octets: &[u8]) -> Option<(u8, &[u8])> {
    let (&kind, rest) = octets.split_first()?;
    Some((kind, period(kind & 0x0f, rest)?))
}

/// Steps over how long a key holds (§6.14): always, an SPI or MKI, or an interval.
fn period(kind: u8, octets: &[u8]) -> Option<&[u8]> {
    match kind {
        0 => Some(octets),
        1 => counted8(octets),
        2 => counted8(counted8(octets)?),
        _ => None,
    }
}

fn counted8(octets: &[u8]) -> Option<&[u8]> {
    let (&length, rest) = octets.split_first()?;
    rest.get(usize::from(length)..)
}

fn counted16(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pre-shared, one session, RAND, policy, KEMAC with a TGK and a TEK with salt, both in clear.
    fn message(encryption: u8) -> Vec<u8> {
        let mut octets = vec![1, 0, 5, 0, 0xde, 0xad, 0xbe, 0xef, 1, 0];
        octets.extend([0, 1, 2, 3, 4, 0, 0, 0, 0]);
        octets.extend([11, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        octets.extend([10, 4, 9, 9, 9, 9]);
        octets.extend([1, 0, 0, 0, 6, 0, 1, 1, 1, 1, 16]);
        let mut keys = vec![20, 0x00, 0, 3, 7, 7, 7];
        keys.extend([0, 0x31, 0, 2, 5, 6, 0, 1, 8, 2, 0xaa, 0xbb]);
        octets.extend([0, encryption, 0, u8::try_from(keys.len()).unwrap()]);
        octets.extend(keys);
        octets.extend([1]);
        octets.extend([0; 20]);
        octets
    }

    #[test]
    fn a_message_with_keys_in_clear_is_read_whole() {
        let octets = message(0);
        let message = Message::parse(&octets).unwrap();
        assert_eq!((message.data_type, message.bundle), (DataType::PreShared, 0xdead_beef));
        let kinds: Vec<_> = message.payloads().collect();
        assert_eq!(kinds.len(), 4);
        assert_eq!(kinds[1], Payload::Rand(&[9; 4]));
        assert_eq!(kinds[2], Payload::Policy(&[0, 1, 1, 1, 1, 16]));
        let keys: Vec<_> = message.clear_keys().collect();
        assert_eq!(keys.len(), 2);
        assert_eq!((keys[0].traffic, keys[0].key.expose()), (false, &[7; 3][..]));
        assert_eq!((keys[1].traffic, keys[1].salt.expose()), (true, &[8][..]));
        assert!(!format!("{keys:?} {kinds:?}").contains("7, 7"));
    }

    #[test]
    fn encrypted_keys_are_not_looked_at() {
        let octets = message(1);
        assert_eq!(Message::parse(&octets).unwrap().clear_keys().count(), 0);
    }

    #[test]
    fn a_signed_diffie_hellman_message_is_told_from_others() {
        let mut octets = vec![1, 4, 3, 0, 0, 0, 0, 1, 0, 1, 4, 2];
        octets.extend([0; 128]);
        octets.extend([0, 0x10, 0]);
        let message = Message::parse(&octets).unwrap();
        assert_eq!(message.data_type, DataType::DiffieHellman);
        assert_eq!(message.payloads().collect::<Vec<_>>(), [Payload::Dh, Payload::Sign]);
    }

    #[test]
    fn every_truncation_ends_and_other_versions_are_refused() {
        let octets = message(0);
        for length in 0..octets.len() {
            if let Ok(message) = Message::parse(&octets[..length]) {
                assert!(message.payloads().count() <= 4 && message.clear_keys().count() <= 2);
            }
        }
        assert_eq!(Message::parse(&[2; 40]), Err(MikeyError::Version(2)));
        assert_eq!(Message::parse(&[1; 9]), Err(MikeyError::Short));
    }

    #[test]
    fn the_attribute_is_decoded() {
        assert_eq!(of_attribute(b"mikey AQAFAA=="), Some(vec![1, 0, 5, 0]));
        assert_eq!(of_attribute(b"MIKEY   AQAF"), Some(vec![1, 0, 5]));
        assert_eq!(of_attribute(b"mikey A*AF"), None);
        assert_eq!(of_attribute(b"other AQAF"), None);
        assert_eq!(of_attribute(b"mikey "), None);
        assert_eq!(of_attribute(b""), None);
    }
}
