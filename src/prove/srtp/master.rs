//! A master key with its salt, owned: what an SDES line, a MIKEY message or a DTLS handshake gives.

use std::fmt;

use overhear_parsers::secret::Secret;

use super::Session;
use super::suite::{LONGEST, Suite};

/// A master key and its salt, and how it is used. It has no `Display`, and its `Debug` shows the
/// suite only.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    octets: [u8; LONGEST],
    mki: u8,
    unencrypted: bool,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl MasterKey {
    /// From key and salt, one behind the other; `None` unless they are as long as the suite asks
    /// for.
    pub fn new(suite: Suite, key_and_salt: &[u8]) -> Option<Self> {
        let mut octets = [0; LONGEST];
        let wanted = suite.key_octets().checked_add(suite.salt_octets())?;
        if key_and_salt.len() != wanted {
            return None;
        }
        octets.get_mut(..wanted)?.copy_from_slice(key_and_salt);
        Some(Self { suite, octets, mki: 0, unencrypted: false })
    }

    /// The same, named in each packet by an identifier of so many octets, 0 for none.
    pub fn with_mki(self, octets: u8) -> Self {
        Self { mki: octets, ..self }
    }

    /// The same for SRTP that is authenticated but not encrypted.
    pub fn unencrypted(self) -> Self {
        Self { unencrypted: true, ..self }
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Octets of the identifier in each packet.
    pub fn mki_octets(&self) -> u8 {
        self.mki
    }

    /// Whether its packets are encrypted: neither `UNENCRYPTED_SRTP` nor a NULL suite.
    pub fn encrypts(&self) -> bool {
        !self.unencrypted && self.suite.mode() != super::Mode::Null
    }

    /// The master key.
    pub fn key(&self) -> Secret<'_> {
        Secret::new(self.octets.get(..self.suite.key_octets()).unwrap_or_default())
    }

    /// The master salt.
    pub fn salt(&self) -> Secret<'_> {
        let both = self.octets.get(..self.length()).unwrap_or_default();
        Secret::new(both.get(self.suite.key_octets()..).unwrap_or_default())
    }

    /// Key and salt together, as SDES carries them.
    pub fn both(&self) -> Secret<'_> {
        Secret::new(self.octets.get(..self.length()).unwrap_or_default())
    }

    /// What the key protects.
    pub fn session(&self) -> Option<Session> {
        let session = Session::new(self.suite, self.key().expose(), self.salt().expose())?;
        let session = session.with_mki(usize::from(self.mki));
        Some(if self.unencrypted { session.unencrypted() } else { session })
    }

    fn length(&self) -> usize {
        self.suite.key_octets().saturating_add(self.suite.salt_octets())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_wrong_length_is_none_and_nothing_is_printed() {
        assert_eq!(MasterKey::new(Suite::AesCm128Sha1Tag80, &[7; 29]), None);
        let key = MasterKey::new(Suite::AeadAes128Gcm, &[7; 28]).unwrap().with_mki(2);
        assert_eq!((key.key().len(), key.salt().len(), key.both().len()), (16, 12, 28));
        assert_eq!(format!("{key:?}"), "MasterKey { suite: AeadAes128Gcm, .. }");
        assert!(key.session().is_some() && key.encrypts() && !key.unencrypted().encrypts());
    }
}
