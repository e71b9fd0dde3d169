//! A certificate (RFC 5280), as far as a reviewer asks: whose, by whom, until when, how strong, for
//! which names. The only file that names `x509-parser`. Nothing is trusted or verified here.

use std::net::{Ipv4Addr, Ipv6Addr};

use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::key_exchange::bits;
use super::registry::Hash;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Who owns it: `CN=proxy.example.org`.
    pub subject: String,
    /// The common name of the subject, the last of several.
    pub common_name: Option<String>,
    /// Who issued it.
    pub issuer: String,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// Seconds since 1970 from which it is valid.
    pub not_before: i64,
    /// Seconds since 1970 until which it is valid.
    pub not_after: i64,
    /// The key.
    pub key: Key,
    /// The algorithm of the issuer's signature: `sha256WithRSAEncryption`.
    pub signature: String,
    /// Its hash.
    pub signature_hash: Hash,
    /// `subjectAltName`; `None` without the extension.
    pub names: Option<Vec<Name>>,
    /// `extKeyUsage`; `None` without the extension.
    pub usage: Option<Usage>,
    /// It may issue others.
    pub is_authority: bool,
    /// A policy of the CA/Browser Forum stands in it: an authority that browsers know issued it.
    pub is_public: bool,
    /// Subject and issuer are the same, octet for octet. Whether the key made the signature is for
    /// whoever can verify it: [`Signed`].
    pub names_itself: bool,
}

/// The public key of a certificate.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// RSA.
    Rsa {
        /// Bits of the modulus.
        bits: u32,
        /// The exponent; `None` beyond 64 bits.
        exponent: Option<u64>,
    },
    /// A curve of that many bits; 0 for one that is not known here.
    Ec {
        /// Bits of the field.
        bits: u16,
    },
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// DSA.
    Dsa,
    /// Something else.
    Other,
}

/// One of the names of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A host.
    Dns(String),
    /// A URI.
    Uri(String),
    /// An address.
    Ip(std::net::IpAddr),
    /// Another kind.
    Other,
}

/// What the key may be used for (RFC 5280 §4.2.1.12, RFC 5924).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Servers.
    pub server: bool,
    /// Clients.
    pub client: bool,
    /// Anything.
    pub any: bool,
    /// `id-kp-sipDomain`.
    pub sip_domain: bool,
}

/// What a signature is made over and by whom.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// The octets that are signed.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
    /// The public key in the certificate: `subjectPublicKey`.
    pub key: &'a [u8],
}

impl Certificate {
    /// Reads a certificate in DER; `None` if it is none.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (_, found) = X509Certificate::from_der(der).ok()?;
        let signature = algorithm(&found.signature_algorithm.algorithm.to_id_string());
        let common = found.subject().iter_common_name().last();
        Some(Self {
            subject: found.subject().to_string(),
            common_name: common.and_then(|name| name.as_str().ok()).map(str::to_owned),
            issuer: found.issuer().to_string(),
            serial: serial(found.raw_serial()),
            not_before: found.validity().not_before.timestamp(),
            not_after: found.validity().not_after.timestamp(),
            key: key(&found),
            signature_hash: hash_of(&signature),
            signature,
            names: names(&found),
            usage: usage(&found),
            is_authority: found.is_ca(),
            is_public: is_public(&found),
            names_itself: found.subject().as_raw() == found.issuer().as_raw(),
        })
    }
}

/// The certificates of a file in DER: those of PEM blocks (RFC 7468), or one in DER. What is none is
/// left out.
pub fn in_file(octets: &[u8]) -> Vec<Vec<u8>> {
    let blocks = x509_parser::pem::Pem::iter_from_buffer(octets).map_while(Result::ok);
    let blocks = blocks.filter(|block| block.label == "CERTIFICATE");
    let mut found: Vec<Vec<u8>> = blocks.map(|block| block.contents).collect();
    if found.is_empty() {
        found.push(octets.to_vec());
    }
    found.retain(|der| Certificate::parse(der).is_some());
    found
}

/// What the signature of a certificate in DER is made over, for who can verify it.
pub fn signed(der: &[u8], each: impl FnOnce(Signed<'_>) -> bool) -> bool {
    let Ok((_, found)) = X509Certificate::from_der(der) else { return false };
    each(Signed {
        signed: found.tbs_certificate.as_ref(),
        signature: &found.signature_value.data,
        key: &found.public_key().subject_public_key.data,
    })
}

fn serial(octets: &[u8]) -> String {
    let digits = octets.iter().map(|octet| format!("{octet:02x}"));
    digits.collect()
}

fn key(found: &X509Certificate<'_>) -> Key {
    let info = found.public_key();
    match info.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            Key::Rsa { bits: bits(rsa.modulus), exponent: exponent(rsa.exponent) }
        }
        Ok(PublicKey::EC(_)) => {
            let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            Key::Ec { bits: curve.map_or(0, |oid| curve_bits(&oid.to_id_string())) }
        }
        Ok(PublicKey::DSA(_)) => Key::Dsa,
        _ => match info.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => Key::Ed25519,
            "1.3.101.113" => Key::Ed448,
            _ => Key::Other,
        },
    }
}

fn exponent(octets: &[u8]) -> Option<u64> {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let octets = octets.get(zeros..)?;
    (octets.len() <= 8).then(|| {
        octets.iter().fold(0_u64, |number, octet| number.wrapping_shl(8) | u64::from(*octet))
    })
}

/// Bits of the field of a curve by its object identifier (RFC 5480 §2.1.1.1, RFC 5639).
fn curve_bits(oid: &str) -> u16 {
    match oid {
        "1.2.840.10045.3.1.1" | "1.3.132.0.31" => 192,
        "1.2.840.10045.3.1.7" | "1.3.132.0.10" | "1.3.36.3.3.2.8.1.1.7" => 256,
        "1.3.132.0.33" | "1.3.132.0.32" => 224,
        "1.3.132.0.34" | "1.3.36.3.3.2.8.1.1.11" => 384,
        "1.3.132.0.35" => 521,
        "1.3.36.3.3.2.8.1.1.13" => 512,
        "1.3.132.0.8" | "1.3.132.0.9" | "1.3.132.0.30" => 160,
        "1.3.132.0.1" | "1.3.132.0.15" => 163,
        _ => 0,
    }
}

/// The name of a signature algorithm (RFC 3279 §2.2, RFC 4055, RFC 5758, RFC 8410); otherwise the
/// identifier itself.
fn algorithm(oid: &str) -> String {
    let name = match oid {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14" => "sha224WithRSAEncryption",
        "1.2.840.10040.4.3" => "dsa-with-SHA1",
        "2.16.840.1.101.3.4.3.2" => "dsa-with-SHA256",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "ed25519",
        "1.3.101.113" => "ed448",
        other => other,
    };
    name.to_owned()
}

fn hash_of(algorithm: &str) -> Hash {
    match algorithm {
        "md2WithRSAEncryption" | "md5WithRSAEncryption" => Hash::Md5,
        "sha1WithRSAEncryption" | "dsa-with-SHA1" | "ecdsa-with-SHA1" => Hash::Sha1,
        _ => Hash::Strong,
    }
}

fn names(found: &X509Certificate<'_>) -> Option<Vec<Name>> {
    let extension = found.subject_alternative_name().ok()??;
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(host) => Name::Dns((*host).to_owned()),
        GeneralName::URI(uri) => Name::Uri((*uri).to_owned()),
        GeneralName::IPAddress(octets) => address(octets).map_or(Name::Other, Name::Ip),
        _ => Name::Other,
    };
    Some(extension.value.general_names.iter().map(name).collect())
}

fn address(octets: &[u8]) -> Option<std::net::IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Some(Ipv4Addr::from(four).into());
    }
    <[u8; 16]>::try_from(octets).ok().map(|sixteen| Ipv6Addr::from(sixteen).into())
}

/// The arc of the policies under which public authorities issue (CA/Browser Forum, 2.23.140.1).
fn is_public(found: &X509Certificate<'_>) -> bool {
    let policies = found.extensions().iter().filter_map(|extension| {
        let ParsedExtension::CertificatePolicies(policies) = extension.parsed_extension() else {
            return None;
        };
        Some(policies)
    });
    policies
        .flat_map(|policies| policies.iter())
        .any(|policy| policy.policy_id.to_id_string().starts_with("2.23.140.1."))
}

fn usage(found: &X509Certificate<'_>) -> Option<Usage> {
    let extension = found.extended_key_usage().ok()??;
    let usage = extension.value;
    let sip =
        |oid: &x509_parser::der_parser::oid::Oid<'_>| oid.to_id_string() == "1.3.6.1.5.5.7.3.20";
    Some(Usage {
        server: usage.server_auth,
        client: usage.client_auth,
        any: usage.any,
        sip_domain: usage.other.iter().any(sip),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl req -x509 -newkey ed25519 -days 3650 -subj /CN=proxy.example.org` and a
    /// `subjectAltName` of a host, a SIP URI and an address.
    const ED25519: &[u8] = include_bytes!("samples/ed25519.der");
    /// RSA with 1024 bits and SHA-1, version 1, for `CN=old.example.org`.
    const RSA: &[u8] = include_bytes!("samples/rsa1024_sha1.der");

    #[test]
    fn names_key_and_times_are_read() {
        let found = Certificate::parse(ED25519).unwrap();
        assert_eq!(found.subject, "CN=proxy.example.org");
        assert_eq!(found.common_name.as_deref(), Some("proxy.example.org"));
        assert_eq!((found.key, found.signature_hash), (Key::Ed25519, Hash::Strong));
        let names = found.names.unwrap();
        assert_eq!(names[0], Name::Dns("proxy.example.org".to_owned()));
        assert_eq!(names[1], Name::Uri("sip:example.org".to_owned()));
        assert_eq!(names[2], Name::Ip("192.0.2.1".parse().unwrap()));
        assert!(found.names_itself && found.not_before < found.not_after);
        assert!(signed(ED25519, |signed| signed.key.len() == 32 && signed.signature.len() == 64));
    }

    #[test]
    fn an_old_one_is_read_too() {
        let found = Certificate::parse(RSA).unwrap();
        assert_eq!(found.key, Key::Rsa { bits: 1024, exponent: Some(65_537) });
        assert_eq!(
            (found.signature.as_str(), found.signature_hash),
            ("sha1WithRSAEncryption", Hash::Sha1)
        );
        assert_eq!((found.names, found.usage), (None, None));
    }

    #[test]
    fn a_policy_of_the_browsers_forum_tells_public_authorities() {
        // `openssl req -x509 ... -addext certificatePolicies=2.23.140.1.2.1`
        let public = include_bytes!("samples/public.der");
        let is_public = |der| Certificate::parse(der).unwrap().is_public;
        assert_eq!([is_public(public), is_public(ED25519), is_public(RSA)], [true, false, false]);
    }

    #[test]
    fn a_file_holds_one_in_der_or_several_in_pem() {
        assert_eq!(in_file(RSA), [RSA]);
        // {"a":1} in base64, twice: blocks that hold no certificate.
        let none = "-----BEGIN CERTIFICATE-----\neyJhIjoxfQ==\n-----END CERTIFICATE-----\n";
        assert!(in_file(none.repeat(2).as_bytes()).is_empty() && in_file(b"").is_empty());
    }

    #[test]
    fn every_cut_and_every_flip_returns() {
        for length in 0..ED25519.len() {
            assert_eq!(Certificate::parse(&ED25519[..length]), None, "{length}");
        }
        for at in 0..RSA.len() * 8 {
            let mut octets = RSA.to_vec();
            octets[at / 8] ^= 1 << (at % 8);
            let _ = (Certificate::parse(&octets), signed(&octets, |_| true));
        }
    }
}
