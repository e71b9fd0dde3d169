//! SDES: SRTP keys in the signalling (RFC 4568 §9.1).
//!
//! `crypto:tag suite inline:key[|lifetime][|MKI:length][;inline:...] [session parameters]`
//!
//! The key is base64 of master key and salt together. It is measured and, for who proves exposure,
//! decoded; a key that is not as long as its suite asks for makes the attribute invalid (§6.1).

use crate::cursor::{narrow, split_once, starts_with_any_case, trim, word};
use crate::secret::Secret;

/// Octets that [`InlineKey::decode`] may write: the longest suite has 46.
pub const MAX_KEY: usize = 64;

/// One `a=crypto`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// The number that an answer refers to; `None` if it is not 1 to 9 digits.
    pub tag: Option<u32>,
    /// The crypto suite, as written.
    pub suite: &'a [u8],
    /// `inline:...`, all keys.
    pub key_params: Secret<'a>,
    /// `UNENCRYPTED_SRTP`, `KDR=` and so on, parted by spaces.
    pub session_params: &'a [u8],
}

/// One `inline:` key.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct InlineKey<'a> {
    /// Master key and salt in base64, without `=` at its end, so that equal keys are equal here.
    pub key: Secret<'a>,
    /// `2^n` or a decimal number of packets.
    pub lifetime: Option<&'a [u8]>,
    /// Value and length in octets of the master key identifier, as written.
    pub mki: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Crypto<'a> {
    /// Reads what follows `crypto:`; `None` without a suite.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (tag, rest) = word(value);
        let (suite, rest) = word(rest);
        let (key_params, session_params) = word(rest);
        let tag = if tag.len() <= 9 { narrow(tag) } else { None };
        let key_params = Secret::new(key_params);
        (!suite.is_empty()).then_some(Self { tag, suite, key_params, session_params })
    }

    /// The keys, in order.
    pub const fn keys(&self) -> InlineKeys<'a> {
        InlineKeys { rest: Some(self.key_params.expose()) }
    }

    /// Length of the first key with its salt, octets; `None` if there is none or it is no base64.
    pub fn key_octets(&self) -> Option<usize> {
        self.keys().next()?.octets()
    }

    /// Whether a key of the line could be used: it is base64, and as long as its suite asks for
    /// (any length above 0, where the suite is not known).
    pub fn has_usable_key(&self) -> bool {
        let wanted = key_octets_of(self.suite);
        self.keys().filter_map(|key| key.octets()).any(|octets| match wanted {
            Some(wanted) => octets == wanted,
            None => octets > 0,
        })
    }

    /// The session parameters, in order.
    pub fn session_parameters(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.session_params.split(|&octet| octet == b' ').filter(|word| !word.is_empty())
    }
}

/// The keys of one [`Crypto`], in order.
#[derive(Clone)]
pub struct InlineKeys<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for InlineKeys<'a> {
    type Item = InlineKey<'a>;

    fn next(&mut self) -> Option<InlineKey<'a>> {
        while let Some(text) = self.rest {
            let (piece, rest) = split_once(text, b';');
            self.rest = rest;
            if starts_with_any_case(piece, b"inline:") {
                return Some(inline_key(split_once(piece, b':').1.unwrap_or_default()));
            }
        }
        None
    }
}

impl InlineKey<'_> {
    /// Length of key and salt, octets; `None` if the text is no base64.
    pub fn octets(&self) -> Option<usize> {
        let text = self.key.expose();
        let legal = text.iter().all(|&octet| sextet(octet).is_some());
        let (groups, left) = (text.len().checked_div(4)?, text.len().checked_rem(4)?);
        let last = match left {
            0 => 0,
            2 => 1,
            3 => 2,
            _ => return None,
        };
        legal.then(|| groups.saturating_mul(3).saturating_add(last))
    }

    /// Writes key and salt to the front of `into` and gives their length in octets; `None` if the
    /// text is no base64 or longer than [`MAX_KEY`] octets.
    pub fn decode(&self, into: &mut [u8; MAX_KEY]) -> Option<usize> {
        let octets = self.octets().filter(|&octets| octets <= MAX_KEY)?;
        let mut sink = into.iter_mut().take(octets);
        for group in self.key.expose().chunks(4) {
            let mut bits = 0_u32;
            for place in 0..4 {
                let value = group.get(place).copied().and_then(sextet).unwrap_or(0);
                bits = bits.wrapping_shl(6) | u32::from(value);
            }
            let [_, octets @ ..] = bits.to_be_bytes();
            for octet in octets {
                if let Some(slot) = sink.next() {
                    *slot = octet;
                }
            }
        }
        Some(octets)
    }
}

/// Octets of master key and salt together (RFC 4568 §6.2, RFC 5669 §5, RFC 6188 §4, RFC 7714 §12,
/// RFC 8269 §5); `None` for a suite that is not known.
fn key_octets_of(suite: &[u8]) -> Option<usize> {
    const SUITES: &[(&[u8], usize)] = &[
        (b"AES_CM_128_HMAC_SHA1_80", 30),
        (b"AES_CM_128_HMAC_SHA1_32", 30),
        (b"F8_128_HMAC_SHA1_80", 30),
        (b"F8_128_HMAC_SHA1_32", 30),
        (b"SEED_CTR_128_HMAC_SHA1_80", 30),
        (b"SEED_128_CCM_80", 28),
        (b"SEED_128_GCM_96", 28),
        (b"AES_192_CM_HMAC_SHA1_80", 38),
        (b"AES_192_CM_HMAC_SHA1_32", 38),
        (b"AES_256_CM_HMAC_SHA1_80", 46),
        (b"AES_256_CM_HMAC_SHA1_32", 46),
        // The same, as some products spell them.
        (b"AES_CM_192_HMAC_SHA1_80", 38),
        (b"AES_CM_192_HMAC_SHA1_32", 38),
        (b"AES_CM_256_HMAC_SHA1_80", 46),
        (b"AES_CM_256_HMAC_SHA1_32", 46),
        (b"AEAD_AES_128_GCM", 28),
        (b"AEAD_AES_256_GCM", 44),
        (b"ARIA_128_CTR_HMAC_SHA1_80", 30),
        (b"ARIA_128_CTR_HMAC_SHA1_32", 30),
        (b"ARIA_192_CTR_HMAC_SHA1_80", 38),
        (b"ARIA_192_CTR_HMAC_SHA1_32", 38),
        (b"ARIA_256_CTR_HMAC_SHA1_80", 46),
        (b"ARIA_256_CTR_HMAC_SHA1_32", 46),
        (b"AEAD_ARIA_128_GCM", 28),
        (b"AEAD_ARIA_256_GCM", 44),
    ];
    let known = SUITES.iter().find(|(name, _)| name.eq_ignore_ascii_case(suite));
    known.map(|(_, octets)| *octets)
}

/// `key[|lifetime][|MKI:length]`: only an MKI has a colon (RFC 4568 §6.1).
fn inline_key(text: &[u8]) -> InlineKey<'_> {
    let mut pieces = text.split(|&octet| octet == b'|');
    let mut key = trim(pieces.next().unwrap_or_default());
    while let [rest @ .., b'='] = key {
        key = rest;
    }
    let mut found = InlineKey { key: Secret::new(key), lifetime: None, mki: None };
    for piece in pieces {
        match split_once(piece, b':') {
            (value, Some(length)) => found.mki = Some((value, length)),
            (lifetime, None) => found.lifetime = Some(lifetime),
        }
    }
    found
}

/// The six bits of a base64 character (RFC 4648 §4).
pub(crate) const fn sextet(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet.wrapping_sub(b'A'),
        b'a'..=b'z' => octet.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => octet.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_lifetime_and_mki_is_cut() {
        let crypto = Crypto::parse(
            b"1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 FEC_ORDER=FEC_SRTP",
        )
        .unwrap();
        assert_eq!((crypto.tag, crypto.key_octets()), (Some(1), Some(30)));
        let key = crypto.keys().next().unwrap();
        assert_eq!((key.lifetime, key.mki), (Some(&b"2^20"[..]), Some((&b"1"[..], &b"4"[..]))));
        assert_eq!(crypto.session_parameters().next(), Some(&b"FEC_ORDER=FEC_SRTP"[..]));
        let mut into = [0; MAX_KEY];
        assert_eq!(key.decode(&mut into), Some(30));
        assert_eq!(into.get(..4), Some(&b"YS__"[..]));
        assert!(!format!("{crypto:?} {key:?}").contains("WVN"));
    }

    #[test]
    fn padding_does_not_change_a_key_and_wrong_lengths_are_none() {
        let key = |text: &'static [u8]| Crypto::parse(text).unwrap().keys().next().unwrap();
        assert_eq!(key(b"1 S inline:AAECAw==").key, key(b"1 S inline:AAECAw").key);
        assert_eq!(key(b"1 S inline:AAECAw==").octets(), Some(4));
        assert_eq!(key(b"1 S inline:AAECA").octets(), None);
        assert_eq!(key(b"1 S inline:AA CA").octets(), Some(1));
        assert_eq!(key(b"1 S inline:A*CA").octets(), None);
        assert_eq!(Crypto::parse(b"1 S").unwrap().key_octets(), None);
        assert_eq!(Crypto::parse(b"1"), None);
    }

    #[test]
    fn a_key_of_another_length_than_its_suite_asks_for_is_of_no_use() {
        let usable = |text: &[u8]| Crypto::parse(text).unwrap().has_usable_key();
        let key = "A".repeat(40);
        assert!(usable(format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}").as_bytes()));
        assert!(usable(format!("1 aes_cm_128_hmac_sha1_32 inline:QUJD;inline:{key}").as_bytes()));
        assert!(!usable(b"1 AES_CM_128_HMAC_SHA1_80 inline:QUJD"));
        assert!(!usable(format!("1 AEAD_AES_256_GCM inline:{key}").as_bytes()));
        assert!(usable(b"1 A_SUITE_TO_COME inline:QUJD"));
        assert!(!usable(b"1 A_SUITE_TO_COME inline:A*CA") && !usable(b"1 S"));
    }

    #[test]
    fn several_keys_are_listed() {
        let crypto = Crypto::parse(b"x S inline:AAAA|1:1;inline:BBBB|2:1").unwrap();
        assert_eq!((crypto.keys().count(), crypto.tag), (2, None));
    }
}
