//! Names of code points, from the registries of IANA: one file of data each under `registry/`, a
//! line per code point. What is not there has no name, and none is guessed.

use std::sync::LazyLock;

use super::suite::Suite;

/// Code points and names, sorted.
type Names = Vec<(u16, &'static str)>;

static GROUPS: LazyLock<Names> = LazyLock::new(|| names(include_str!("registry/groups.txt")));
static SIGNATURES: LazyLock<Names> =
    LazyLock::new(|| names(include_str!("registry/signatures.txt")));
static ALERTS: LazyLock<Names> = LazyLock::new(|| names(include_str!("registry/alerts.txt")));
static SRTP: LazyLock<Names> = LazyLock::new(|| names(include_str!("registry/srtp.txt")));
static VERSIONS: LazyLock<Names> = LazyLock::new(|| names(include_str!("registry/versions.txt")));
static SUITES: LazyLock<Vec<Suite>> = LazyLock::new(|| {
    names(include_str!("registry/suites.txt"))
        .into_iter()
        .map(|(id, name)| Suite::new(id, name))
        .collect()
});

/// Where in [`SUITES`] the suite of each number stands: they are looked up for every hello.
static PLACES: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut places = vec![u16::MAX; 1 << 16];
    for (place, suite) in (0..).zip(SUITES.iter()) {
        if let Some(slot) = places.get_mut(usize::from(suite.id)) {
            *slot = place;
        }
    }
    places
});

/// The lines of a registry's file: four hexadecimal digits, SP, the name.
fn names(text: &'static str) -> Names {
    let line = |line: &'static str| {
        let (code, name) = line.split_once(' ')?;
        Some((u16::from_str_radix(code, 16).ok()?, name))
    };
    text.lines().filter(|text| !text.starts_with('#')).filter_map(line).collect()
}

fn look_up(names: &[(u16, &'static str)], code: u16) -> Option<&'static str> {
    let found = names.binary_search_by_key(&code, |(known, _)| *known).ok()?;
    names.get(found).map(|(_, name)| *name)
}

/// The suite of this number (`TLS_AES_128_GCM_SHA256`), with what its name says of it.
pub fn suite(code: u16) -> Option<&'static Suite> {
    let place = PLACES.get(usize::from(code))?;
    SUITES.get(usize::from(*place))
}

/// The suite of this name.
pub fn suite_by_name(name: &str) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.name == name)
}

/// The group of this number: `x25519`.
pub fn group(code: u16) -> Option<&'static str> {
    look_up(&GROUPS, code)
}

/// The number of the group of this name.
pub fn group_by_name(name: &str) -> Option<u16> {
    GROUPS.iter().find(|(_, known)| *known == name).map(|(code, _)| *code)
}

/// The signature scheme of this number: `rsa_pss_rsae_sha256`.
pub fn signature(code: u16) -> Option<&'static str> {
    look_up(&SIGNATURES, code)
}

/// The number of the signature scheme of this name.
pub fn signature_by_name(name: &str) -> Option<u16> {
    SIGNATURES.iter().find(|(_, known)| *known == name).map(|(code, _)| *code)
}

/// The alert of this description: `handshake_failure`.
pub fn alert(description: u8) -> Option<&'static str> {
    look_up(&ALERTS, description.into())
}

/// The number of the alert of this name.
pub fn alert_by_name(name: &str) -> Option<u8> {
    let (code, _) = ALERTS.iter().find(|(_, known)| *known == name)?;
    u8::try_from(*code).ok()
}

/// The SRTP protection profile of this number: `SRTP_AEAD_AES_128_GCM`.
pub fn srtp_profile(code: u16) -> Option<&'static str> {
    look_up(&SRTP, code)
}

/// The version of this number: `TLS 1.2`, `DTLS 1.2`, `SSL 3.0`.
pub fn version(code: u16) -> Option<&'static str> {
    look_up(&VERSIONS, code)
}

/// Bits of the field of an elliptic curve; of a group over integers its prime's. `None` for those
/// after quantum computers and those without a name.
pub fn group_bits(code: u16) -> Option<u16> {
    Some(match code {
        1..=3 => 163,
        4 | 5 => 193,
        6 | 7 => 233,
        8 => 239,
        9 | 10 => 283,
        11 | 12 => 409,
        13 | 14 => 571,
        15..=17 => 160,
        18 | 19 => 192,
        20 | 21 => 224,
        22 | 23 | 26 | 29 | 31 | 34..=37 | 41 => 256,
        24 | 27 | 32 => 384,
        25 => 521,
        28 | 33 | 38..=40 => 512,
        30 => 448,
        0x100 => 2048,
        0x101 => 3072,
        0x102 => 4096,
        0x103 => 6144,
        0x104 => 8192,
        _ => return None,
    })
}

/// Whether a group withstands quantum computers, by itself or as one half of a pair.
pub const fn is_post_quantum(group: u16) -> bool {
    matches!(group, 0x0200..=0x0202 | 0x11eb..=0x11ed | 0x6399 | 0x639a)
}

/// The hash of a signature.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// MD5, forgeable.
    Md5,
    /// SHA-1, forgeable with effort.
    Sha1,
    /// SHA-2 and whatever is no weaker.
    Strong,
}

/// The hash of a signature scheme.
pub const fn signature_hash(scheme: u16) -> Hash {
    match scheme {
        0x0101..=0x01ff => Hash::Md5,
        0x0201..=0x02ff => Hash::Sha1,
        _ => Hash::Strong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_sorted_and_hold_a_code_point_once() {
        for names in [&GROUPS, &SIGNATURES, &ALERTS, &SRTP, &VERSIONS] {
            assert!(names.len() > 5 && names.is_sorted_by(|a, b| a.0 < b.0), "{names:?}");
        }
        assert!(SUITES.len() > 340 && SUITES.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn names_are_found_both_ways() {
        assert_eq!(
            suite(0xc02f).map(|suite| suite.name),
            Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
        );
        assert_eq!(suite_by_name("TLS_RSA_WITH_RC4_128_SHA").map(|suite| suite.id), Some(5));
        assert_eq!((group(0x1d), group_by_name("secp256r1")), (Some("x25519"), Some(23)));
        assert_eq!(
            (signature(0x0804), alert(40)),
            (Some("rsa_pss_rsae_sha256"), Some("handshake_failure"))
        );
        assert_eq!(
            (version(0xfefd), srtp_profile(7)),
            (Some("DTLS 1.2"), Some("SRTP_AEAD_AES_128_GCM"))
        );
        assert_eq!(
            (suite(0x5678), group(0x7777), alert_by_name("unknown_ca")),
            (None, None, Some(48))
        );
        assert_eq!(signature_by_name("ed25519"), Some(0x0807));
    }

    #[test]
    fn every_elliptic_curve_with_a_name_has_a_size() {
        for (code, name) in GROUPS.iter().filter(|(code, _)| *code < 0xff01) {
            assert!(group_bits(*code).is_some() || is_post_quantum(*code), "{name}");
        }
    }
}
