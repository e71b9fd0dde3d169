//! Session keys from a master key and its salt (RFC 3711 §4.3, RFC 6188 §3, RFC 7714 §11).
//!
//! The key derivation rate is taken to be 0, as everyone uses it: the keys hold for the whole
//! session.
//!
//! ```text
//! x  = master salt XOR label at octet 7 of 14         label: 0 encryption, 1 authentication, 2 salt
//! IV = x || 0 0                                       of SRTP; 3, 4, 5 of SRTCP
//! key = AES-CTR keystream under the master key, as long as needed
//! ```
//!
//! The master salt of the GCM suites has 12 octets; it stands to the left, two octets of 0 follow.
//! RFC 7714 does not say so in words: it is what libsrtp does.

use super::aes::{Aes, BLOCK};
use super::cipher::Cipher;
use super::mac::{self, Mac};
use super::suite::{Mode, Suite};

/// What protects one of the two, RTP or RTCP.
pub(super) struct Keys {
    pub(super) cipher: Cipher,
    /// `None` where the cipher authenticates.
    pub(super) mac: Option<Mac>,
}

/// The keys of RTP and of RTCP; `None` unless key and salt are as long as the suite asks for.
pub(super) fn derive(suite: Suite, key: &[u8], salt: &[u8]) -> Option<(Keys, Keys)> {
    if key.len() != suite.key_octets() || salt.len() != suite.salt_octets() {
        return None;
    }
    let (aes, salt) = (Aes::new(key)?, leading(salt));
    Some((keys(suite, &aes, salt, 0)?, keys(suite, &aes, salt, 3)?))
}

fn keys(suite: Suite, aes: &Aes, salt: u128, label: u8) -> Option<Keys> {
    let mut key = [0; 32];
    let key = key.get_mut(..suite.key_octets())?;
    stretch(aes, salt, label, key);
    let mut session_salt = [0; 14];
    let session_salt = session_salt.get_mut(..suite.salt_octets())?;
    stretch(aes, salt, label.wrapping_add(2), session_salt);
    let mut auth = [0; mac::KEY];
    stretch(aes, salt, label.wrapping_add(1), &mut auth);
    let mac = if suite.mode() == Mode::Gcm { None } else { Some(Mac::new(&auth)?) };
    Some(Keys { cipher: Cipher::new(suite.mode(), key, session_salt)?, mac })
}

/// Fills `out` with the keystream that belongs to `label`.
fn stretch(aes: &Aes, salt: u128, label: u8, out: &mut [u8]) {
    out.fill(0);
    aes.counter(salt ^ (u128::from(label) << 64), out);
}

/// Up to 16 octets as the high octets of a block.
pub(super) fn leading(octets: &[u8]) -> u128 {
    let mut block = [0; BLOCK];
    for (slot, octet) in block.iter_mut().zip(octets) {
        *slot = *octet;
    }
    u128::from_be_bytes(block)
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    #[test]
    fn the_keys_of_rfc_3711_b3_are_derived() {
        let aes = Aes::new(&hex("E1F97A0D3E018BE0D64FA32C06DE4139")).unwrap();
        let salt = leading(&hex("0EC675AD498AFEEBB6960B3AABE6"));
        let key = |label, octets| {
            let mut out = vec![0xff; octets];
            stretch(&aes, salt, label, &mut out);
            out
        };
        assert_eq!(key(0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(key(2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(
            key(1, 94),
            hex("CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
                 E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
                 6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2")
        );
    }

    #[test]
    fn the_keys_of_rfc_6188_7_2_and_7_4_are_derived() {
        for [master, salt, key, session_salt, auth] in [
            [
                "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
                "3b04803de51ee7c96423ab5b78d2",
                "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
                "fa31791685ca444a9e07c6c64e93",
                "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
            ],
            [
                "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1",
                "c8522f3acd4ce86d5add78edbb11",
                "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb",
                "2372b82d639b6d8503a47adc0a6c",
                "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb",
            ],
        ] {
            let (aes, salt) = (Aes::new(&hex(master)).unwrap(), leading(&hex(salt)));
            for (label, wanted) in [(0, key), (1, auth), (2, session_salt)] {
                let mut out = vec![0; wanted.len() / 2];
                stretch(&aes, salt, label, &mut out);
                assert_eq!(out, hex(wanted), "label {label}");
            }
        }
    }
}
