//! A master key with its salt, owned: what an SDES line, a MIKEY message or a DTLS handshake gives.

use std::fmt;

use overhear_parsers::sdp::{Crypto, MAX_KEY};
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

    /// The keys of an `a=crypto` line, each with the length of its MKI (RFC 4568 §6.1); none where the
    /// suite is not known, and none of the wrong length.
    pub fn of_line<'a>(line: &Crypto<'a>) -> impl Iterator<Item = Self> + use<'a> {
        let suite = Suite::named(line.suite);
        let unencrypted = line
            .session_parameters()
            .any(|parameter| parameter.eq_ignore_ascii_case(b"UNENCRYPTED_SRTP"));
        line.keys().filter_map(move |inline| {
            let mut octets = [0; MAX_KEY];
            let length = inline.decode(&mut octets)?;
            let mki = inline.mki.and_then(|(_, octets)| std::str::from_utf8(octets).ok());
            let mki = mki.and_then(|octets| octets.parse().ok()).unwrap_or(0);
            Some(Self { mki, unencrypted, ..Self::new(suite?, octets.get(..length)?)? })
        })
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
    fn a_line_gives_its_keys_with_their_mki() {
        let (one, other) = ("A".repeat(40), "B".repeat(40));
        let keys = |line: &str| -> Vec<MasterKey> {
            MasterKey::of_line(&Crypto::parse(line.as_bytes()).unwrap()).collect()
        };
        let line = format!("1 AES_CM_128_HMAC_SHA1_32 inline:{one}|2^20|1:2;inline:{other}|2:2");
        assert_eq!(keys(&line).iter().map(MasterKey::mki_octets).collect::<Vec<_>>(), [2, 2]);
        let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{one} UNENCRYPTED_SRTP KDR=0");
        assert!(keys(&line).iter().all(|key| !key.encrypts()) && keys(&line).len() == 1);
        assert!(keys("1 AES_CM_128_HMAC_SHA1_80 inline:AAAA").is_empty());
        assert!(keys(&format!("1 SEED_CTR_128_HMAC_SHA1_80 inline:{one}")).is_empty());
    }

    #[test]
    fn a_key_of_the_wrong_length_is_none_and_nothing_is_printed() {
        assert_eq!(MasterKey::new(Suite::AesCm128Sha1Tag80, &[7; 29]), None);
        let key = MasterKey::new(Suite::AeadAes128Gcm, &[7; 28]).unwrap().with_mki(2);
        assert_eq!((key.key().len(), key.salt().len(), key.both().len()), (16, 12, 28));
        assert_eq!(format!("{key:?}"), "MasterKey { suite: AeadAes128Gcm, .. }");
        assert!(key.session().is_some() && key.encrypts() && !key.unencrypted().encrypts());
    }
}
