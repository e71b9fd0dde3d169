//! From secrets to keys: the pseudorandom functions of TLS 1.0 to 1.2 (RFC 2246 §5, RFC 5246 §5),
//! HKDF-Expand-Label of TLS 1.3 (RFC 8446 §7.1), and exporters (RFC 5705).

use super::primitives::{Mac, digest};
use super::suites::Hash;

/// Which pseudorandom function a session uses.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Prf {
    /// TLS 1.0 and 1.1: MD5 and SHA-1, each over half of the secret.
    Halves,
    /// TLS 1.2: one hash.
    One(Hash),
}

impl Prf {
    /// `PRF(secret, label, seed)`, so many octets of it.
    pub fn expand(self, secret: &[u8], label: &[u8], seed: &[&[u8]], octets: usize) -> Vec<u8> {
        match self {
            Self::One(hash) => p_hash(hash, secret, label, seed, octets),
            Self::Halves => {
                let half = secret.len().div_ceil(2);
                let first = secret.get(..half).unwrap_or_default();
                let second = secret.get(secret.len().saturating_sub(half)..).unwrap_or_default();
                let mut out = p_hash(Hash::Md5, first, label, seed, octets);
                let other = p_hash(Hash::Sha1, second, label, seed, octets);
                out.iter_mut().zip(other).for_each(|(octet, with)| *octet ^= with);
                out
            }
        }
    }

    /// The hash of a handshake's messages, which the extended master secret is made of (RFC 7627
    /// §3).
    pub fn session_hash(self, messages: &[u8]) -> Vec<u8> {
        match self {
            Self::One(hash) => digest(hash, messages),
            Self::Halves => [digest(Hash::Md5, messages), digest(Hash::Sha1, messages)].concat(),
        }
    }
}

/// `P_hash` of RFC 5246 §5.
fn p_hash(hash: Hash, secret: &[u8], label: &[u8], seed: &[&[u8]], octets: usize) -> Vec<u8> {
    let seed = [&[label], seed].concat().concat();
    let Some(mac) = Mac::new(hash, secret) else { return Vec::new() };
    let mut chain = Vec::new();
    mac.tag(&[&seed], &mut chain);
    let mut out = Vec::with_capacity(octets.saturating_add(hash.octets()));
    while out.len() < octets {
        mac.tag(&[&chain, &seed], &mut out);
        let mut next = Vec::with_capacity(hash.octets());
        mac.tag(&[&chain], &mut next);
        chain = next;
    }
    out.truncate(octets);
    out
}

/// `HKDF-Expand-Label(secret, label, "", octets)`.
pub fn expand_label(hash: Hash, secret: &[u8], label: &[u8], octets: usize) -> Vec<u8> {
    let length = u16::try_from(octets).unwrap_or(u16::MAX).to_be_bytes();
    let name = [&b"tls13 "[..], label].concat();
    let name_length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let info = [&length[..], &[name_length], &name, &[0]].concat();
    let Some(mac) = Mac::new(hash, secret) else { return Vec::new() };
    let (mut out, mut block) = (Vec::with_capacity(octets), Vec::new());
    for counter in 1..=u8::MAX {
        let mut next = Vec::with_capacity(hash.octets());
        mac.tag(&[&block, &info, &[counter]], &mut next);
        out.extend_from_slice(&next);
        if out.len() >= octets {
            break;
        }
        block = next;
    }
    out.truncate(octets);
    out
}

/// The secret of the next generation of traffic keys (RFC 8446 §7.2).
pub fn next_generation(hash: Hash, secret: &[u8]) -> Vec<u8> {
    expand_label(hash, secret, b"traffic upd", hash.octets())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::tls_open::testing::hex;

    #[test]
    fn expand_label_gives_the_keys_of_rfc_8448() {
        // §3, {server} derive write traffic keys for handshake data.
        let secret = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        assert_eq!(
            expand_label(Hash::Sha256, &secret, b"key", 16),
            hex("3fce516009c21727d0f2e4e86ee403bc")
        );
        assert_eq!(expand_label(Hash::Sha256, &secret, b"iv", 12), hex("5d313eb2671276ee13000b30"));
    }

    #[test]
    fn the_prf_of_tls_1_2_gives_the_known_answer() {
        // The vector for SHA-256 that circulates since the IETF TLS list of 2009.
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
        let out = Prf::One(Hash::Sha256).expand(&secret, b"test label", &[&seed], 100);
        assert_eq!(out.len(), 100);
        assert_eq!(out.get(..16).unwrap(), hex("e3f229ba727be17b8d122620557cd453"));
        assert_eq!(out.get(94..).unwrap(), hex("f70187347b66"));
    }
}
