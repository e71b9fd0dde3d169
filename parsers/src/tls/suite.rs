//! What the name of a cipher suite says: `TLS_<key exchange>_WITH_<cipher>_<hash>`, and since TLS 1.3
//! `TLS_<cipher>_<hash>` (RFC 8446 appendix B.4). No table of 350 rows: the name is the table.

use super::registry;

/// A suite by number, name and what follows from the name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The code point.
    pub id: u16,
    /// The name.
    pub name: &'static str,
    /// Key exchange and authentication: `ECDHE_RSA`, `RSA`, `DH_anon`; empty for TLS 1.3.
    pub exchange: &'static str,
    /// How it encrypts.
    pub cipher: Cipher,
    /// Bits an attacker has to guess; 0 for none.
    pub bits: u16,
    /// The key exchange leaves nothing behind that opens a recording later.
    pub forward_secret: bool,
    /// What is weak about it.
    pub weak: Weak,
    /// What else its name says, for a look: searching the name costs more than all that is asked of it.
    says: Says,
}

/// Words in a name.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Says {
    cbc: bool,
    anonymous: bool,
    export: bool,
    psk: bool,
}

/// Weaknesses that the name of a suite shows: a set of bits.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Weak(u16);

impl Weak {
    /// No encryption.
    pub const NULL: Self = Self(1);
    /// Fewer than 112 secret bits, or made for export.
    pub const SHORT: Self = Self(1 << 1);
    /// Nobody is authenticated.
    pub const ANONYMOUS: Self = Self(1 << 2);
    /// RC4.
    pub const RC4: Self = Self(1 << 3);
    /// 3DES.
    pub const TRIPLE_DES: Self = Self(1 << 4);
    /// IDEA.
    pub const IDEA: Self = Self(1 << 5);
    /// Another block cipher of 64 bits that is not short.
    pub const BLOCK64: Self = Self(1 << 6);
    /// A MAC with MD5.
    pub const MD5: Self = Self(1 << 7);
    /// CBC.
    pub const CBC: Self = Self(1 << 8);
    /// RSA key transport.
    pub const STATIC_RSA: Self = Self(1 << 9);
    /// Diffie-Hellman with the key of the certificate.
    pub const STATIC_DH: Self = Self(1 << 10);
    /// A shared key without Diffie-Hellman.
    pub const SHARED_KEY: Self = Self(1 << 11);
    /// Diffie-Hellman over a prime.
    pub const DHE: Self = Self(1 << 12);

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The sets as they are.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether the sets have a weakness in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What is weak about any suite of a list, and with which suite each weakness comes first.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct WeakOffers {
    all: Weak,
    /// By the place of a weakness among the bits.
    first: [u16; 16],
}

impl WeakOffers {
    /// Looks through a list of suites.
    pub fn of(suites: impl Iterator<Item = u16>) -> Self {
        let mut offers = Self::default();
        for suite in suites.filter_map(registry::suite) {
            for (bit, first) in (0_u32..).zip(&mut offers.first) {
                let one = Weak(1_u16.unbounded_shl(bit));
                if suite.weak.meets(one) && !offers.all.meets(one) {
                    *first = suite.id;
                }
            }
            offers.all = offers.all.or(suite.weak);
        }
        offers
    }

    /// All weaknesses.
    pub const fn all(&self) -> Weak {
        self.all
    }

    /// The first suite with this weakness; of several of them with the one that stands first in [`Weak`].
    pub fn first(&self, weak: Weak) -> Option<u16> {
        let met = weak.0 & self.all.0;
        let bit = usize::try_from(met.trailing_zeros()).ok()?;
        self.first.get(bit).copied()
    }
}

/// How a suite encrypts, as far as it matters to who listens.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// Not at all.
    Null,
    /// RC4.
    Rc4,
    /// A block cipher of 64 bits: DES, 3DES, RC2, IDEA, GOST 28147, Magma.
    Block64,
    /// A block cipher of 128 bits with CBC.
    Cbc,
    /// Authenticated encryption: GCM, CCM, ChaCha20-Poly1305 and the like.
    Aead,
    /// A value that is no suite, or one whose name says nothing of these.
    Other,
}

impl Suite {
    pub(super) fn new(id: u16, name: &'static str) -> Self {
        let inner = name.strip_prefix("TLS_").unwrap_or(name);
        let (exchange, rest) = inner.split_once("_WITH_").unwrap_or(("", inner));
        let cipher = if inner.ends_with("_SCSV") { Cipher::Other } else { cipher(rest) };
        let mut suite = Self {
            id,
            name,
            exchange,
            cipher,
            bits: bits(rest, exchange),
            forward_secret: exchange.starts_with("ECDHE")
                || is_dhe(exchange)
                || exchange.starts_with("ECCPWD")
                || exchange.is_empty() && cipher != Cipher::Other,
            weak: Weak::default(),
            says: Says {
                cbc: name.contains("_CBC_"),
                anonymous: exchange.contains("_anon") || exchange == "NULL",
                export: exchange.contains("EXPORT"),
                psk: exchange.contains("PSK"),
            },
        };
        suite.weak = suite.weaknesses();
        suite
    }

    fn weaknesses(&self) -> Weak {
        let named = |word| self.name.contains(word);
        let block = self.cipher == Cipher::Block64 && !named("3DES") && !named("IDEA");
        let short = self.is_export() || (1..112).contains(&self.bits);
        let all = [
            (Weak::NULL, self.cipher == Cipher::Null),
            (Weak::SHORT, short),
            (Weak::ANONYMOUS, self.is_anonymous() && self.id != 0),
            (Weak::RC4, self.cipher == Cipher::Rc4),
            (Weak::TRIPLE_DES, named("3DES")),
            (Weak::IDEA, named("IDEA")),
            (Weak::BLOCK64, block && !short),
            (Weak::MD5, self.name.ends_with("_MD5")),
            (Weak::CBC, self.is_cbc()),
            (Weak::STATIC_RSA, self.is_static_rsa()),
            (Weak::STATIC_DH, self.is_static_dh()),
            (Weak::SHARED_KEY, matches!(self.exchange, "PSK" | "RSA_PSK")),
            (Weak::DHE, is_dhe(self.exchange)),
        ];
        let there = all.into_iter().filter(|(_, there)| *there);
        there.fold(Weak::default(), |sum, (weak, _)| sum.or(weak))
    }

    /// CBC, of whatever block.
    pub const fn is_cbc(&self) -> bool {
        self.says.cbc
    }

    /// No one is authenticated.
    pub const fn is_anonymous(&self) -> bool {
        self.says.anonymous
    }

    /// Made for export from the United States of the nineties.
    pub const fn is_export(&self) -> bool {
        self.says.export
    }

    /// A key shared beforehand has a part in it.
    pub const fn is_psk(&self) -> bool {
        self.says.psk
    }

    /// RSA key transport: who has the server's key opens the recording.
    pub fn is_static_rsa(&self) -> bool {
        matches!(self.exchange, "RSA" | "RSA_EXPORT" | "RSA_EXPORT1024" | "RSA_FIPS")
    }

    /// Diffie-Hellman with the key of the certificate.
    pub fn is_static_dh(&self) -> bool {
        let fixed = |start| self.exchange.starts_with(start);
        (fixed("DH_") || fixed("ECDH_")) && !self.is_anonymous()
    }

    /// A suite of TLS 1.3.
    pub fn is_tls13(&self) -> bool {
        self.exchange.is_empty() && self.cipher != Cipher::Other
    }

    /// One of the four that RFC 9325 §4.2 recommends for TLS 1.2.
    pub const fn is_recommended(&self) -> bool {
        matches!(self.id, 0xc02b | 0xc02c | 0xc02f | 0xc030)
    }
}

/// Ephemeral Diffie-Hellman over a prime. The registry writes two suites of RFC 6655 the other way
/// round: `TLS_PSK_DHE_WITH_AES_128_CCM_8`.
fn is_dhe(exchange: &str) -> bool {
    exchange.starts_with("DHE") || exchange == "PSK_DHE"
}

fn cipher(rest: &str) -> Cipher {
    let has = |word| rest.contains(word);
    if rest.starts_with("NULL") || rest.starts_with("SHA") {
        Cipher::Null
    } else if rest.starts_with("RC4") {
        Cipher::Rc4
    } else if ["GCM", "CCM", "CHACHA20", "AEGIS", "MGM"].into_iter().any(has) {
        Cipher::Aead
    } else if ["DES", "RC2", "IDEA", "28147", "MAGMA"].into_iter().any(has) {
        Cipher::Block64
    } else if has("CBC") {
        Cipher::Cbc
    } else {
        Cipher::Other
    }
}

/// Bits of the key that are secret (RFC 9325 §4.1 counts 112 for 3DES).
fn bits(rest: &str, exchange: &str) -> u16 {
    let has = |word| rest.contains(word);
    if cipher(rest) == Cipher::Null || rest.ends_with("SCSV") {
        0
    } else if has("_40") || has("DES40") || exchange == "RSA_EXPORT" {
        40
    } else if has("3DES") {
        112
    } else if has("DES_CBC") || has("RC4_56") {
        56
    } else if ["256", "CHACHA20", "GOST", "MAGMA", "KUZNYECHIK", "28147"].into_iter().any(has)
        && !rest.contains("128_")
    {
        256
    } else {
        128
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::suite_by_name;
    use super::*;

    #[track_caller]
    fn found(name: &str) -> &'static Suite {
        suite_by_name(name).unwrap()
    }

    #[test]
    fn a_name_says_how_and_how_strongly_it_encrypts() {
        for (name, cipher, bits) in [
            ("TLS_RSA_WITH_NULL_SHA", Cipher::Null, 0),
            ("TLS_SHA256_SHA256", Cipher::Null, 0),
            ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", Cipher::Rc4, 40),
            ("TLS_RSA_WITH_RC4_128_SHA", Cipher::Rc4, 128),
            ("TLS_RSA_WITH_DES_CBC_SHA", Cipher::Block64, 56),
            ("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", Cipher::Block64, 40),
            ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", Cipher::Block64, 112),
            ("TLS_RSA_WITH_IDEA_CBC_SHA", Cipher::Block64, 128),
            ("TLS_RSA_WITH_AES_128_CBC_SHA256", Cipher::Cbc, 128),
            ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", Cipher::Cbc, 256),
            ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", Cipher::Aead, 128),
            ("TLS_AES_128_GCM_SHA256", Cipher::Aead, 128),
            ("TLS_AES_256_GCM_SHA384", Cipher::Aead, 256),
            ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Cipher::Aead, 256),
            ("TLS_FALLBACK_SCSV", Cipher::Other, 0),
        ] {
            let suite = found(name);
            assert_eq!((suite.cipher, suite.bits), (cipher, bits), "{name}");
        }
    }

    #[test]
    fn of_a_list_the_first_suite_with_each_weakness_is_known() {
        let offers = WeakOffers::of([0x1301, 0x002f, 0x0033, 0x0004].into_iter());
        let first = |weak| offers.first(weak);
        assert_eq!((first(Weak::CBC), first(Weak::STATIC_RSA)), (Some(0x002f), Some(0x002f)));
        assert_eq!((first(Weak::DHE), first(Weak::MD5)), (Some(0x0033), Some(0x0004)));
        assert_eq!((first(Weak::NULL), offers.all().meets(Weak::NULL)), (None, false));
        assert_eq!(WeakOffers::of([].into_iter()), WeakOffers::default());
    }

    #[test]
    fn a_name_says_what_is_left_behind() {
        assert!(found("TLS_RSA_WITH_AES_128_GCM_SHA256").is_static_rsa());
        assert!(found("TLS_ECDH_RSA_WITH_AES_128_CBC_SHA").is_static_dh());
        assert!(found("TLS_DH_anon_WITH_AES_128_CBC_SHA").is_anonymous());
        assert!(!found("TLS_DH_anon_WITH_AES_128_CBC_SHA").is_static_dh());
        assert!(found("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA").forward_secret);
        assert!(found("TLS_AES_128_GCM_SHA256").forward_secret);
        assert!(!found("TLS_PSK_WITH_AES_128_GCM_SHA256").forward_secret);
        assert!(found("TLS_RSA_WITH_RC4_128_MD5").weak.meets(Weak::MD5));
        assert!(!found("TLS_AES_128_GCM_SHA256").weak.meets(Weak(u16::MAX)));
    }
}
