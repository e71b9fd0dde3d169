//! The server's RSA key, with which static-RSA sessions open.

use super::keylog::Kept;

/// A private key.
#[derive(Debug)]
pub struct RsaKey;

impl RsaKey {
    /// Reads PEM or DER; `None` if it is not an RSA private key.
    pub fn read(_octets: &[u8]) -> Option<Self> {
        None
    }

    /// The premaster secret that a client encrypted to this key; `None` if it was another.
    pub fn premaster(&self, _encrypted: &[u8]) -> Option<Kept> {
        None
    }
}
