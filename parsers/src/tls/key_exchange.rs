//! The messages between the hellos and Finished up to TLS 1.2: `ServerKeyExchange`,
//! `CertificateRequest`, `CertificateVerify`, `NewSessionTicket` (RFC 5246 §7.4.3 to §7.4.8, RFC 8422
//! §5.4, RFC 4279 §2, RFC 5077 §3.3). TLS 1.3 hides them.

use super::reader::Reader;
use super::registry::{Hash, signature_hash};
use super::suite::Suite;

/// The keys that a server offers for one session.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ServerKeyExchange<'a> {
    /// The group.
    pub group: KeyGroup<'a>,
    /// How it is signed.
    pub signature: Option<Signature>,
}

/// The group of a key exchange.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum KeyGroup<'a> {
    /// Diffie-Hellman over a prime, most significant octet first.
    Prime(&'a [u8]),
    /// A curve by its number.
    Named(u16),
    /// A curve that the server describes itself, which nobody may accept (RFC 8422 §5.4).
    Explicit,
    /// RSA keys for export, and whatever else is no Diffie-Hellman.
    Other,
}

/// What is known of a signature.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// The scheme, since TLS 1.2.
    pub scheme: Option<u16>,
    /// The hash: before TLS 1.2 MD5 with SHA-1 for RSA, which counts as SHA-1, or SHA-1.
    pub hash: Hash,
}

impl<'a> ServerKeyExchange<'a> {
    /// Reads the body of a message of type 12; `tls12` from version 1.2 on.
    pub fn parse(body: &'a [u8], suite: &Suite, tls12: bool) -> Option<Self> {
        let mut reader = Reader::new(body);
        let exchange = suite.exchange;
        if suite.is_psk() {
            reader.vector16()?;
        }
        let group = if exchange.starts_with("ECDH") {
            curve(&mut reader)?
        } else if exchange.starts_with("DH") || exchange == "PSK_DHE" {
            let prime = reader.vector16()?;
            let (_generator, _public) = (reader.vector16()?, reader.vector16()?);
            KeyGroup::Prime(trimmed(prime))
        } else {
            return Some(Self { group: KeyGroup::Other, signature: None });
        };
        let signed = !suite.is_anonymous() && !suite.is_psk() && group != KeyGroup::Explicit;
        let signature = if signed { signature(&mut reader, tls12) } else { None };
        Some(Self { group, signature })
    }

    /// Bits of the prime.
    pub fn prime_bits(&self) -> Option<u32> {
        let KeyGroup::Prime(prime) = self.group else { return None };
        Some(bits(prime))
    }
}

fn curve<'a>(reader: &mut Reader<'a>) -> Option<KeyGroup<'a>> {
    if reader.u8()? != 3 {
        return Some(KeyGroup::Explicit);
    }
    let named = reader.u16()?;
    reader.vector8()?;
    Some(KeyGroup::Named(named))
}

fn signature(reader: &mut Reader<'_>, tls12: bool) -> Option<Signature> {
    let scheme = if tls12 { Some(reader.u16()?) } else { None };
    reader.vector16()?;
    Some(Signature { scheme, hash: scheme.map_or(Hash::Sha1, signature_hash) })
}

/// The signature of a `CertificateVerify` of TLS 1.2; before that it is MD5 with SHA-1 or SHA-1.
pub fn certificate_verify(body: &[u8], tls12: bool) -> Option<Signature> {
    signature(&mut Reader::new(body), tls12)
}

/// How many seconds the ticket of a `NewSessionTicket` may be used; 0 leaves it to the client.
pub fn ticket_lifetime(body: &[u8]) -> Option<u32> {
    Reader::new(body).u32()
}

/// The ticket of a `NewSessionTicket`; empty when the server gives none after all.
pub fn ticket(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    reader.u32()?;
    reader.vector16()
}

/// The ticket of a `NewSessionTicket` of TLS 1.3, behind what obscures its age and its nonce (RFC 8446
/// §4.6.1).
pub fn ticket_13(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    let (_lifetime, _age) = (reader.u32()?, reader.u32()?);
    reader.vector8()?;
    reader.vector16()
}

/// Whether a Certificate message up to TLS 1.2 holds any; a client that has none sends an empty one.
pub fn has_certificates(body: &[u8]) -> bool {
    Reader::new(body).vector24().is_some_and(|list| !list.is_empty())
}

/// The certificates of a Certificate message up to TLS 1.2, in DER, the owner's first.
pub fn certificates(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut list = Reader::new(Reader::new(body).vector24().unwrap_or_default());
    std::iter::from_fn(move || list.vector24())
}

/// The same message as TLS 1.3 has it: without the context, and without the extensions behind each
/// certificate (RFC 8446 §4.4.2).
pub fn certificates_13(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(body);
    let list = reader.vector8().and_then(|_| reader.vector24()).unwrap_or_default();
    let mut list = Reader::new(list);
    std::iter::from_fn(move || {
        let certificate = list.vector24()?;
        list.vector16()?;
        Some(certificate)
    })
}

/// Without leading zeros.
fn trimmed(mut number: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = number {
        number = rest;
    }
    number
}

/// Bits of a number, most significant octet first.
pub(super) fn bits(number: &[u8]) -> u32 {
    let number = trimmed(number);
    let Some(first) = number.first() else { return 0 };
    let octets = u32::try_from(number.len()).unwrap_or(u32::MAX);
    octets.saturating_mul(8).saturating_sub(first.leading_zeros())
}

/// Primes that many servers share, by their length in octets and their first 16 octets; all of them
/// short enough that a state could have broken them once for all (Logjam).
const COMMON_PRIMES: [(usize, u128, &str); 4] = [
    (96, 0xffff_ffff_ffff_ffff_c90f_daa2_2168_c234, "RFC 2409 group 1"),
    (128, 0xffff_ffff_ffff_ffff_c90f_daa2_2168_c234, "RFC 2409 group 2"),
    (192, 0xffff_ffff_ffff_ffff_c90f_daa2_2168_c234, "RFC 3526 group 5"),
    (128, 0xd67d_e440_cbbb_dc19_36d6_93d3_4afd_0ad5, "Apache mod_ssl 1024"),
];

/// The name of a well-known prime of at most 1536 bits.
pub fn common_prime(prime: &[u8]) -> Option<&'static str> {
    let prime = trimmed(prime);
    let start = u128::from_be_bytes(*prime.first_chunk()?);
    let known =
        |(octets, first, _): &&(usize, u128, &str)| *octets == prime.len() && *first == start;
    COMMON_PRIMES.iter().find(known).map(|(_, _, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::super::registry::suite_by_name;
    use super::*;

    fn suite(name: &str) -> &'static Suite {
        suite_by_name(name).unwrap()
    }

    #[test]
    fn a_curve_and_its_signature_are_read() {
        let body = [3, 0, 0x17, 2, 9, 9, 2, 1, 0, 2, 7, 7];
        let found =
            ServerKeyExchange::parse(&body, suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), true);
        let found = found.unwrap();
        assert_eq!(found.group, KeyGroup::Named(0x17));
        assert_eq!(found.signature, Some(Signature { scheme: Some(0x0201), hash: Hash::Sha1 }));
        let old = [3, 0, 0x17, 2, 9, 9, 0, 2, 7, 7];
        let found =
            ServerKeyExchange::parse(&old, suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"), false);
        assert_eq!(found.unwrap().signature, Some(Signature { scheme: None, hash: Hash::Sha1 }));
        let explicit =
            ServerKeyExchange::parse(&[1, 2, 3], suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"), true);
        assert_eq!(explicit.unwrap().group, KeyGroup::Explicit);
    }

    #[test]
    fn a_prime_is_measured_and_a_shared_one_is_named() {
        let mut prime = vec![0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        prime.extend([0xc9, 0x0f, 0xda, 0xa2, 0x21, 0x68, 0xc2, 0x34]);
        prime.resize(129, 1);
        let body = [&[0, 129][..], &prime, &[0, 1, 2, 0, 1, 9]].concat();
        let found =
            ServerKeyExchange::parse(&body, suite("TLS_DH_anon_WITH_AES_128_CBC_SHA"), true)
                .unwrap();
        assert_eq!((found.prime_bits(), found.signature), (Some(1024), None));
        assert_eq!(common_prime(&prime), Some("RFC 2409 group 2"));
        assert_eq!((common_prime(&[7; 128]), bits(&[0, 1, 0])), (None, 9));
    }

    #[test]
    fn a_hint_stands_before_keys_with_a_shared_secret() {
        let body = [0, 2, b'h', b'i', 3, 0, 0x1d, 1, 9];
        let found =
            ServerKeyExchange::parse(&body, suite("TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA"), true);
        assert_eq!(found.unwrap().group, KeyGroup::Named(0x1d));
    }

    #[test]
    fn a_list_of_certificates_is_walked() {
        let body = [0, 0, 9, 0, 0, 2, 1, 2, 0, 0, 1, 3];
        assert_eq!(certificates(&body).collect::<Vec<_>>(), [&[1, 2][..], &[3]]);
        assert!(has_certificates(&body) && !has_certificates(&[0, 0, 0]));
        assert_eq!(ticket_lifetime(&[0, 0, 1, 0, 0]), Some(256));
        assert_eq!(ticket(&[0, 0, 1, 0, 0, 2, 7, 8]), Some(&[7, 8][..]));
        assert_eq!((ticket(&[0, 0, 1, 0, 0, 2, 7]), ticket(&[0])), (None, None));
        assert_eq!(ticket_13(&[0, 0, 1, 0, 9, 9, 9, 9, 1, 5, 0, 2, 7, 8]), Some(&[7, 8][..]));
        assert_eq!(ticket_13(&[0, 0, 1, 0, 9, 9, 9, 9, 1]), None);
    }
}
