//! The server's RSA private key, with which the premaster secret of a static-RSA session opens
//! (RFC 5246 §7.4.7.1): PKCS #1 or PKCS #8, PEM or DER, without a password.
//!
//! Nobody waits for an answer of ours, so that how long a decryption takes tells nobody anything
//! (`docs/decisions/0005-dependencies.md`).

use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};

use super::keylog::Kept;

/// Octets of a premaster secret.
const PREMASTER: usize = 48;

/// A private key. Its `Debug` shows nothing of it.
pub struct RsaKey(Box<RsaPrivateKey>);

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaKey")
    }
}

impl RsaKey {
    /// Reads PEM, of which other parts are passed over, or DER; `None` if there is no RSA private
    /// key in it.
    pub fn read(octets: &[u8]) -> Option<Self> {
        let text = str::from_utf8(octets).unwrap_or_default();
        let pem = |label: &str| part(text, label);
        let key = pem("RSA PRIVATE KEY")
            .and_then(|pem| RsaPrivateKey::from_pkcs1_pem(&pem).ok())
            .or_else(|| RsaPrivateKey::from_pkcs8_pem(&pem("PRIVATE KEY")?).ok())
            .or_else(|| RsaPrivateKey::from_pkcs8_der(octets).ok())
            .or_else(|| RsaPrivateKey::from_pkcs1_der(octets).ok())?;
        Some(Self(Box::new(key)))
    }

    /// The premaster secret that a client encrypted to this key; `None` if it was another.
    pub fn premaster(&self, encrypted: &[u8]) -> Option<Kept> {
        let opened = self.0.decrypt(Pkcs1v15Encrypt, encrypted).ok()?;
        // It begins with the version that the client offered, that of DTLS turned over (RFC 6347 §4.1).
        let fits = opened.len() == PREMASTER && matches!(opened.first(), Some(3 | 0xfe));
        fits.then(|| Kept::new(&opened))
    }
}

/// The part of a PEM file with this label, its borders included.
fn part(text: &str, label: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let lines: Vec<&str> = body.split_ascii_whitespace().collect();
    Some(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")))
}
