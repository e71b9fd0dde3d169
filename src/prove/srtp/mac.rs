//! HMAC-SHA1, cut to the length of the tag (RFC 3711 §4.2.1, RFC 2104).

use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;

/// Octets of the authentication key (RFC 3711 §5.2).
pub(super) const KEY: usize = 20;

/// HMAC-SHA1 with its key mixed in already.
pub(super) struct Mac(Hmac<Sha1>);

impl Mac {
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(key).ok().map(Self)
    }

    /// The tag of the pieces, one behind the other; its first octets are what is sent.
    pub(super) fn tag(&self, pieces: [&[u8]; 2]) -> [u8; 20] {
        let mut hmac = self.0.clone();
        for piece in pieces {
            hmac.update(piece);
        }
        hmac.finalize().into_bytes().into()
    }
}
