//! SRTP keys from a DTLS handshake (RFC 5764 §4.2).
//!
//! The keying material is exported with the label `EXTRACTOR-dtls_srtp` and no context; whoever has
//! the handshake's secrets computes it. It is cut like this:
//!
//! ```text
//! | client master key | server master key | client master salt | server master salt |
//! ```

use super::master::MasterKey;
use super::suite::Suite;

/// The keys of what the DTLS client and the DTLS server send, from the profile that the server's
/// `use_srtp` chose, the length of its MKI, and the exported material, of which what is too long
/// is left; `None` for a profile that is not known and for too little material.
pub fn dtls_keys(profile: u16, mki: u8, material: &[u8]) -> Option<(MasterKey, MasterKey)> {
    let suite = Suite::of_profile(profile)?;
    let (key, salt) = (suite.key_octets(), suite.salt_octets());
    let (client_key, rest) = material.split_at_checked(key)?;
    let (server_key, rest) = rest.split_at_checked(key)?;
    let (client_salt, rest) = rest.split_at_checked(salt)?;
    let (server_salt, _) = rest.split_at_checked(salt)?;
    let client = MasterKey::new(suite, &[client_key, client_salt].concat())?;
    let server = MasterKey::new(suite, &[server_key, server_salt].concat())?;
    Some((client.with_mki(mki), server.with_mki(mki)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_material_is_cut_into_two_keys_and_two_salts() {
        let material: Vec<u8> = (0..60).collect();
        let (client, server) = dtls_keys(1, 0, &material).unwrap();
        assert_eq!(client.suite(), Suite::AesCm128Sha1Tag80);
        assert_eq!((client.key().expose()[0], client.salt().expose()[0]), (0, 32));
        assert_eq!((server.key().expose()[0], server.salt().expose()[0]), (16, 46));
        assert_eq!(server.salt().expose().last(), Some(&59));
        assert_eq!(dtls_keys(1, 0, material.get(..59).unwrap()), None);
        assert_eq!(dtls_keys(3, 0, &material), None);
        assert_eq!(dtls_keys(7, 4, &material).unwrap().0.mki_octets(), 4);
    }
}
