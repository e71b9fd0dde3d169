//! Certificates, read once each however often they are sent: a trunk of ten thousand handshakes shows
//! the same two. Self-signed ones are verified with their own key, where the algorithm is one that is
//! still in use; nothing is trusted for it.

use std::fmt::Write as _;
use std::ops::Deref;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use overhear_parsers::tls::certificate::{self, Certificate, Key, Name};
use overhear_parsers::tls::key_exchange;
use ring::digest;
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use sha2::{Digest, Sha256};

use crate::model::addr::stable_hash;
use crate::model::handshake::CertificateRecord;
use crate::model::shared::Shared;
use crate::model::time::civil_from_days;

/// Distinct certificates remembered; beyond that all are forgotten and read again.
const REMEMBERED: usize = 4_096;

/// Octets of Certificate messages remembered; beyond that all are forgotten likewise.
const REMEMBERED_OCTETS: usize = 1 << 20;

/// A certificate that was seen, and what follows from it alone.
#[derive(Debug)]
pub struct Known {
    /// What it says.
    pub says: Certificate,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// `not_before` as RFC 3339.
    pub not_before: String,
    /// `not_after` likewise.
    pub not_after: String,
    /// The key in words: `rsa-2048`, `ec-256`, `ed25519`.
    pub key: String,
    /// Its names in words: `DNS:proxy.example.org`.
    pub names: Vec<String>,
    /// Subject and issuer are the same, and its own key verifies the signature, as far as that can
    /// be checked here.
    pub self_signed: bool,
    /// A hash of the subject's public key: which peers share one.
    pub key_hash: u64,
    public_key: Vec<u8>,
    der: Box<[u8]>,
}

/// The certificates of one message, the sender's own first.
#[derive(Clone, Debug, Default)]
pub struct Sent(Option<Arc<Links>>);

#[derive(Debug)]
struct Links {
    known: Vec<Arc<Known>>,
    records: Vec<CertificateRecord>,
    /// No other message has it.
    number: u64,
    /// The message.
    message: Box<[u8]>,
}

impl Deref for Sent {
    type Target = [Arc<Known>];

    fn deref(&self) -> &[Arc<Known>] {
        self.0.as_ref().map_or(&[], |links| &links.known)
    }
}

impl<'a> IntoIterator for &'a Sent {
    type Item = &'a Arc<Known>;
    type IntoIter = std::slice::Iter<'a, Arc<Known>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Sent {
    fn new(known: Vec<Arc<Known>>, message: &[u8], number: u64) -> Self {
        let records = known.iter().map(|known| known.record()).collect();
        Self(Some(Arc::new(Links { known, records, number, message: message.into() })))
    }

    /// The number of the message, by which it is told from others; 0 if there was none.
    pub fn number(&self) -> u64 {
        self.0.as_ref().map_or(0, |links| links.number)
    }

    /// The certificates for the report; `None` if there was no message.
    pub fn records(&self) -> Option<Shared<'_, Vec<CertificateRecord>>> {
        self.0.as_ref().map(|links| Shared::borrowed(&links.records, links.number))
    }
}

/// Those seen lately, by a hash of their octets.
#[derive(Debug, Default)]
pub struct Certificates {
    known: HashMap<u64, Option<Arc<Known>>, FixedState>,
    /// By a hash of the message.
    chains: HashMap<u64, Sent, FixedState>,
    /// Octets of their messages.
    held: usize,
    /// Messages read.
    messages: u64,
}

impl Certificates {
    /// The certificates of a Certificate message, without those that are none. TLS 1.3
    /// writes it differently.
    pub fn chain(&mut self, message: &[u8], tls13: bool) -> Sent {
        let hash = stable_hash(&(tls13, message));
        if let Some(chain @ Sent(Some(links))) = self.chains.get(&hash)
            && *links.message == *message
        {
            return chain.clone();
        }
        let known = if tls13 {
            key_exchange::certificates_13(message).filter_map(|der| self.read(der)).collect()
        } else {
            key_exchange::certificates(message).filter_map(|der| self.read(der)).collect()
        };
        let chain = Sent::new(known, message, self.next());
        self.held = self.held.saturating_add(message.len());
        if self.held > REMEMBERED_OCTETS {
            self.chains.clear();
            self.held = message.len();
        }
        self.chains.insert(hash, chain.clone());
        chain
    }

    /// The one certificate that SSL 2.0 sends; none if it cannot be read.
    pub fn single(&mut self, der: &[u8]) -> Sent {
        self.read(der).map_or_else(Sent::default, |known| Sent::new(vec![known], &[], self.next()))
    }

    /// The number of the next message.
    fn next(&mut self) -> u64 {
        self.messages = self.messages.saturating_add(1);
        self.messages
    }

    /// What a certificate in DER says; `None` if it is none.
    pub fn read(&mut self, der: &[u8]) -> Option<Arc<Known>> {
        let hash = stable_hash(&der);
        if let Some(found) = self.known.get(&hash)
            && found.as_ref().is_none_or(|known| *known.der == *der)
        {
            return found.clone();
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        let known = Known::read(der).map(Arc::new);
        self.known.insert(hash, known.clone());
        known
    }
}

impl Known {
    /// The certificate for the report.
    fn record(&self) -> CertificateRecord {
        CertificateRecord {
            subject: self.says.subject.clone(),
            issuer: self.says.issuer.clone(),
            serial: self.says.serial.clone(),
            not_before: self.not_before.clone(),
            not_after: self.not_after.clone(),
            key: self.key.clone(),
            signature: self.says.signature.clone(),
            san: self.names.clone(),
            sha256: self.sha256.clone(),
            self_signed: self.self_signed,
        }
    }

    /// Its fingerprint of this hash, whose name is in lower case as RFC 8122 §5 has it; `None` for one that
    /// nobody should use (RFC 8122 forbids MD2 and MD5) or that is not known.
    pub fn fingerprint(&self, hash: &str) -> Option<Vec<u8>> {
        let algorithm = match hash {
            "sha-512" => &digest::SHA512,
            "sha-384" => &digest::SHA384,
            "sha-256" => &digest::SHA256,
            "sha-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            _ => return None,
        };
        Some(digest::digest(algorithm, &self.der).as_ref().to_vec())
    }

    fn read(der: &[u8]) -> Option<Self> {
        let says = Certificate::parse(der)?;
        let (mut public_key, mut key_hash) = (Vec::new(), 0);
        certificate::signed(der, |parts| {
            public_key = parts.key.to_vec();
            key_hash = stable_hash(&parts.key);
            true
        });
        let mut known = Self {
            sha256: hexadecimal(&Sha256::digest(der)),
            not_before: moment(says.not_before),
            not_after: moment(says.not_after),
            key: key_text(says.key),
            names: says.names.iter().flatten().filter_map(name_text).collect(),
            self_signed: false,
            key_hash,
            public_key,
            der: der.into(),
            says,
        };
        known.self_signed = known.says.names_itself && known.is_signed_by(&known);
        Some(known)
    }

    /// Whether the key of `issuer` made the signature; where nothing here can tell, its word is taken.
    pub(super) fn is_signed_by(&self, issuer: &Self) -> bool {
        let Some(algorithm) = algorithm(&self.says.signature, issuer.says.key) else { return true };
        certificate::signed(&self.der, |parts| {
            let key = UnparsedPublicKey::new(algorithm, &issuer.public_key);
            key.verify(parts.signed, parts.signature).is_ok()
        })
    }
}

/// How a signature of this name by a key of this kind is verified; `None` where nothing here can tell.
fn algorithm(signature: &str, key: Key) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (signature, key) {
        (_, Key::Rsa { bits: ..1024, .. }) => return None,
        ("sha1WithRSAEncryption", Key::Rsa { .. }) => {
            &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY
        }
        ("sha256WithRSAEncryption", Key::Rsa { .. }) => {
            &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
        }
        ("sha384WithRSAEncryption", Key::Rsa { bits: 2048.., .. }) => {
            &signature::RSA_PKCS1_2048_8192_SHA384
        }
        ("sha512WithRSAEncryption", Key::Rsa { .. }) => {
            &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
        }
        ("ecdsa-with-SHA256", Key::Ec { bits: 256 }) => &signature::ECDSA_P256_SHA256_ASN1,
        ("ecdsa-with-SHA384", Key::Ec { bits: 256 }) => &signature::ECDSA_P256_SHA384_ASN1,
        ("ecdsa-with-SHA256", Key::Ec { bits: 384 }) => &signature::ECDSA_P384_SHA256_ASN1,
        ("ecdsa-with-SHA384", Key::Ec { bits: 384 }) => &signature::ECDSA_P384_SHA384_ASN1,
        ("ed25519", Key::Ed25519) => &signature::ED25519,
        _ => return None,
    })
}

/// Octets as hexadecimal digits.
pub fn hexadecimal(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().saturating_mul(2));
    for octet in octets {
        // A `String` takes everything.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

fn key_text(key: Key) -> String {
    match key {
        Key::Rsa { bits, .. } => format!("rsa-{bits}"),
        Key::Ec { bits: 0 } => "ec".to_owned(),
        Key::Ec { bits } => format!("ec-{bits}"),
        Key::Ed25519 => "ed25519".to_owned(),
        Key::Ed448 => "ed448".to_owned(),
        Key::Dsa => "dsa".to_owned(),
        Key::Other => "other".to_owned(),
    }
}

fn name_text(name: &Name) -> Option<String> {
    match name {
        Name::Dns(host) => Some(format!("DNS:{host}")),
        Name::Uri(uri) => Some(format!("URI:{uri}")),
        Name::Ip(address) => Some(format!("IP:{address}")),
        Name::Other => None,
    }
}

/// Seconds since 1970 as RFC 3339. Certificates name years that nanoseconds do not reach.
fn moment(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, date) = civil_from_days(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &[u8] = include_bytes!("../../parsers/src/tls/samples/ed25519.der");
    const RSA: &[u8] = include_bytes!("../../parsers/src/tls/samples/rsa1024_sha1.der");

    #[test]
    fn what_signed_itself_is_told_from_what_only_says_so() {
        let mut all = Certificates::default();
        let known = all.read(ED25519).unwrap();
        assert!(known.self_signed && all.read(RSA).unwrap().self_signed);
        assert_eq!(known.names, ["DNS:proxy.example.org", "URI:sip:example.org", "IP:192.0.2.1"]);
        assert!(Arc::ptr_eq(&known, &all.read(ED25519).unwrap()), "read once");
        let mut forged = ED25519.to_vec();
        *forged.last_mut().unwrap() ^= 1;
        assert!(!all.read(&forged).unwrap().self_signed);
        assert!(all.read(b"no certificate").is_none());
    }

    #[test]
    fn moments_are_written_for_any_year() {
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(951_782_400 + 3_661), "2000-02-29T01:01:01Z");
        assert_eq!(moment(253_402_300_799), "9999-12-31T23:59:59Z");
        assert_eq!(moment(-1), "1969-12-31T23:59:59Z");
    }
}
