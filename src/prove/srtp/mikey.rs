//! SRTP keys of a MIKEY message whose keys are not encrypted (RFC 3830 §4.1, §6.10.1).
//!
//! A traffic key stands in the message, or is made for each crypto session from a generation key:
//!
//! ```text
//! label = constant || session (1) || bundle (4) || RAND
//! PRF   = XOR over the blocks of 256 bits of the generation key of P(block, label)
//! P     = HMAC(s, A1 || label) || HMAC(s, A2 || label) ...   A0 = label, An = HMAC(s, An-1)
//! ```

use overhear_parsers::mikey::{Key, Message, Payload};

use super::mac::Mac;
use super::master::MasterKey;
use super::suite::{LONGEST, Suite};

/// The constants that tell a traffic encryption key from a salt (§4.1.4).
const TRAFFIC: u32 = 0x2ad0_1c64;
const SALT: u32 = 0x39a2_c14b;

/// Crypto sessions that keys are made for: both directions of sound and picture.
const SESSIONS: u8 = 4;
/// Keys that one message gives.
const KEYS: usize = 8;

/// The master keys that anyone who reads the message knows; at most 8. For which stream each is
/// does not stand in a message that the answerer has not seen: all are candidates.
pub fn mikey_keys(message: &Message<'_>) -> Vec<MasterKey> {
    let (mut suite, mut rand) = (Some(Suite::AesCm128Sha1Tag80), &[][..]);
    for payload in message.payloads() {
        match payload {
            Payload::Policy(parameters) => suite = suite_of(parameters),
            Payload::Rand(value) => rand = value,
            _ => {}
        }
    }
    let Some(suite) = suite else { return Vec::new() };
    let of = |key: Key<'_>| {
        let sessions = if key.traffic { 1 } else { message.sessions.clamp(1, SESSIONS) };
        (1..=sessions)
            .filter_map(|session| master_key(suite, &key, &Labels { session, message, rand }))
            .collect::<Vec<_>>()
    };
    message.clear_keys().flat_map(of).take(KEYS).collect()
}

/// What every label of one crypto session has in common.
struct Labels<'a> {
    session: u8,
    message: &'a Message<'a>,
    rand: &'a [u8],
}

impl Labels<'_> {
    fn of(&self, constant: u32) -> Vec<u8> {
        let (constant, bundle) = (constant.to_be_bytes(), self.message.bundle.to_be_bytes());
        [&constant[..], &[self.session], &bundle, self.rand].concat()
    }
}

fn master_key(suite: Suite, key: &Key<'_>, labels: &Labels<'_>) -> Option<MasterKey> {
    let (wanted, salt) = (suite.key_octets(), suite.salt_octets());
    let mut octets = if key.traffic {
        key.key.expose().to_vec()
    } else {
        stretch(key.key.expose(), &labels.of(TRAFFIC), wanted)?
    };
    if key.salt.is_empty() && !key.traffic {
        octets.extend(stretch(key.key.expose(), &labels.of(SALT), salt)?);
    } else {
        octets.extend_from_slice(key.salt.expose());
    }
    MasterKey::new(suite, &octets)
}

/// The pseudo-random function, `length` octets of it.
fn stretch(key: &[u8], label: &[u8], length: usize) -> Option<Vec<u8>> {
    if length > LONGEST || key.is_empty() {
        return None;
    }
    let mut out = vec![0; length];
    for block in key.chunks(32) {
        let mac = Mac::new(block)?;
        let mut link = mac.tag([label, &[]]);
        for piece in out.chunks_mut(link.len()) {
            let octets = mac.tag([&link, label]);
            piece.iter_mut().zip(octets).for_each(|(octet, mask)| *octet ^= mask);
            link = mac.tag([&link, &[]]);
        }
    }
    Some(out)
}

/// The suite that a security policy describes, what it does not say being as RFC 3830 §6.10.1 has
/// it; `None` for one that is not known.
fn suite_of(mut parameters: &[u8]) -> Option<Suite> {
    let (mut encryption, mut key, mut tag) = (1, 16, 10);
    while let Some(([kind, length], rest)) = parameters.split_first_chunk::<2>() {
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        parameters = rest;
        let number = value.iter().fold(0_u32, |all, octet| all << 8 | u32::from(*octet));
        match kind {
            0 => encryption = number,
            1 => key = number,
            11 => tag = number,
            // SRTP encryption off.
            7 if number == 0 => encryption = 0,
            _ => {}
        }
    }
    let short = tag == 4;
    Some(match (encryption, key) {
        (0, _) if short => Suite::NullSha1Tag32,
        (0, _) => Suite::NullSha1Tag80,
        (1, 16) if short => Suite::AesCm128Sha1Tag32,
        (1, 16) => Suite::AesCm128Sha1Tag80,
        (1, 32) if short => Suite::AesCm256Sha1Tag32,
        (1, 32) => Suite::AesCm256Sha1Tag80,
        (2, 16) if short => Suite::F8Sha1Tag32,
        (2, 16) => Suite::F8Sha1Tag80,
        (6, 16) => Suite::AeadAes128Gcm,
        (6, 32) => Suite::AeadAes256Gcm,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    /// A message with RAND 16 times 5 and one key of this type in clear.
    fn message(kind: u8, key: &[u8], salt: &[u8]) -> Vec<u8> {
        let mut octets = hex("01000b00 01020304 0200");
        octets.extend([0; 18]);
        octets.extend([1, 16]);
        octets.extend([5; 16]);
        let mut keys = vec![0, kind << 4, 0, u8::try_from(key.len()).unwrap()];
        keys.extend(key);
        if !salt.is_empty() {
            keys.extend([0, u8::try_from(salt.len()).unwrap()]);
            keys.extend(salt);
        }
        octets.extend([0, 0, 0, u8::try_from(keys.len()).unwrap()]);
        octets.extend(keys);
        octets.push(0);
        octets
    }

    #[test]
    fn a_traffic_key_is_taken_as_it_is() {
        let octets = message(3, &[7; 16], &[8; 14]);
        let keys = mikey_keys(&Message::parse(&octets).unwrap());
        assert_eq!(keys.len(), 1);
        assert_eq!((keys[0].key().expose(), keys[0].salt().expose()), (&[7; 16][..], &[8; 14][..]));
        let octets = message(2, &[7; 16], &[]);
        assert!(mikey_keys(&Message::parse(&octets).unwrap()).is_empty(), "no salt");
    }

    #[test]
    fn traffic_keys_and_salts_are_made_of_a_generation_key() {
        // Reckoned by hand with another HMAC.
        let octets = message(0, &[9; 40], &[]);
        let keys = mikey_keys(&Message::parse(&octets).unwrap());
        assert_eq!(keys.len(), 2);
        assert_eq!(
            keys[0].both().expose(),
            hex("115c3e0977e10a1860f49941789c130e5f209bbc7ae39830370109390d28")
        );
        assert_eq!(
            keys[1].both().expose(),
            hex("8a697f10d9b0a96cbfa1c9b1aa38357d28b103c47c2fc2d13f903b7a80b0")
        );
    }

    #[test]
    fn a_policy_names_its_suite() {
        assert_eq!(suite_of(&[]), Some(Suite::AesCm128Sha1Tag80));
        assert_eq!(suite_of(&[0, 1, 1, 1, 1, 16, 11, 1, 4]), Some(Suite::AesCm128Sha1Tag32));
        assert_eq!(suite_of(&[0, 1, 6, 1, 1, 32]), Some(Suite::AeadAes256Gcm));
        assert_eq!(suite_of(&[7, 1, 0]), Some(Suite::NullSha1Tag80));
        assert_eq!(suite_of(&[0, 1, 9]), None);
        assert_eq!(suite_of(&[0, 9, 9]), None);
    }
}
