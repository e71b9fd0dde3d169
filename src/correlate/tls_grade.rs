//! A grade for what was agreed on: scores of protocol, key exchange and cipher as the SSL Labs rating
//! guide weighs them (30, 30 and 40 of 100, best and worst averaged), then caps. A tap does not scan: best
//! and worst are those of the handshakes that were seen, and nothing is said without one.

use overhear_parsers::tls::certificate::Key;
use overhear_parsers::tls::client_hello::rank;
use overhear_parsers::tls::extension::{EXTENDED_MASTER_SECRET, RENEGOTIATION_INFO};
use overhear_parsers::tls::registry::{self, Hash};
use overhear_parsers::tls::suite::Cipher;

use super::handshake::HandshakeRead;
use crate::model::record::HandshakeKind;

/// A grade, best first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Nothing to improve.
    APlus,
    /// Good.
    A,
    /// Good, with a warning.
    AMinus,
    /// Usable.
    B,
    /// Old.
    C,
    /// Weak.
    D,
    /// Very weak.
    E,
    /// Good or not: the certificate is for another name.
    M,
    /// Good or not: nobody known vouches for the certificate.
    T,
    /// Broken.
    F,
}

impl Grade {
    /// As the report writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::APlus => "A+",
            Self::A => "A",
            Self::AMinus => "A-",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
            Self::M => "M",
            Self::T => "T",
            Self::F => "F",
        }
    }

    const fn of(score: u32) -> Self {
        match score {
            80.. => Self::A,
            65.. => Self::B,
            50.. => Self::C,
            35.. => Self::D,
            20.. => Self::E,
            _ => Self::F,
        }
    }
}

/// What caps a grade, and at what, in the order of the bits of a set.
const CAPS: [(Grade, &str); 20] = [
    (Grade::F, "SSL 2.0 or SSL 3.0 is agreed on"),
    (Grade::F, "nothing is encrypted"),
    (Grade::F, "nobody is authenticated"),
    (Grade::F, "keys of fewer than 112 bits"),
    (Grade::F, "a certificate signed with MD5, or with the exponent 1"),
    (Grade::F, "a key exchange of fewer than 1,024 bits"),
    (Grade::T, "a certificate that signed itself or has expired"),
    (Grade::C, "TLS 1.0 or 1.1, or DTLS 1.0, is agreed on"),
    (Grade::C, "RC4"),
    (Grade::C, "a cipher of 64-bit blocks"),
    (Grade::C, "a prime of fewer than 2,048 bits"),
    (Grade::C, "signatures with SHA-1"),
    (Grade::C, "renegotiation is not protected"),
    (Grade::C, "compression"),
    (Grade::B, "no forward secrecy"),
    (Grade::B, "no authenticated encryption"),
    (Grade::B, "a certificate's key of fewer than 2,048 bits"),
    (Grade::AMinus, "keys are not bound to the handshake"),
    (Grade::AMinus, "a suite that is not recommended"),
    (Grade::A, "whether the client is authenticated is not to be seen, or it is not"),
];

/// The best and the worst of a score.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Range {
    best: u32,
    worst: u32,
}

impl Range {
    fn note(&mut self, score: u32) {
        self.best = self.best.max(score);
        self.worst = self.worst.min(score);
    }

    /// Twice the average.
    const fn double(self) -> u32 {
        self.best.saturating_add(self.worst)
    }
}

/// What was seen of one peer, as far as it is graded.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    protocol: Option<Range>,
    exchange: Option<Range>,
    cipher: Option<Range>,
    /// One bit for each of [`CAPS`].
    caps: u32,
}

fn note(range: &mut Option<Range>, score: u32) {
    range.get_or_insert(Range { best: score, worst: score }).note(score);
}

impl Observed {
    /// Notes a completed handshake.
    pub fn handshake(&mut self, read: &HandshakeRead<'_>) {
        let Some(version) = read.version() else { return };
        note(&mut self.protocol, protocol(version));
        note(&mut self.exchange, exchange(read));
        note(&mut self.cipher, cipher(read));
        for (bit, met) in (0_u32..).zip(met(read, version)) {
            self.caps |= u32::from(met) << bit;
        }
    }

    /// The grade with its score out of 100; `None` while nothing was agreed on.
    pub fn grade(&self) -> Option<(Grade, u32)> {
        let (protocol, exchange, cipher) = (self.protocol?, self.exchange?, self.cipher?);
        let none = [protocol, exchange, cipher].iter().any(|range| range.worst == 0);
        let sum = protocol.double() * 30 + exchange.double() * 30 + cipher.double() * 40;
        let score = if none { 0 } else { sum / 200 };
        let capped = self.reasons_at().map(|(cap, _)| cap).max().unwrap_or(Grade::APlus);
        let base = if score >= 80 { Grade::APlus } else { Grade::of(score) };
        Some((base.max(capped), score))
    }

    /// What caps the grade.
    pub fn reasons(&self) -> impl Iterator<Item = &'static str> {
        self.reasons_at().map(|(_, reason)| reason)
    }

    fn reasons_at(&self) -> impl Iterator<Item = (Grade, &'static str)> {
        let caps = self.caps;
        (0_u32..).zip(CAPS).filter(move |(bit, _)| caps >> bit & 1 == 1).map(|(_, cap)| cap)
    }
}

/// Which of [`CAPS`] a handshake meets.
fn met(read: &HandshakeRead<'_>, version: u16) -> [bool; CAPS.len()] {
    let suite = read.suite;
    let is = |test: fn(&overhear_parsers::tls::Suite) -> bool| suite.is_some_and(test);
    let tls = read.facts.kind == HandshakeKind::Tls;
    let own = read.chain.first().map(AsRef::as_ref);
    let now = read.facts.first.time.nanos().div_euclid(1_000_000_000);
    let weak_signature = |hash| {
        let signed = read.exchange.and_then(|exchange| exchange.signature);
        let by_server = signed.is_some_and(|it| it.scheme.is_some() && it.hash == hash);
        let mut chain = read.chain.iter().filter(|known| !known.says.names_itself);
        by_server || chain.any(|known| known.says.signature_hash == hash)
    };
    let prime = read.exchange.and_then(|exchange| exchange.prime_bits());
    let old = !read.is_tls13() && read.answer.is_some();
    let asked = read
        .hello
        .is_some_and(|hello| hello.present.has(RENEGOTIATION_INFO) || hello.offers(0x00ff));
    let exponent =
        own.is_some_and(|own| matches!(own.says.key, Key::Rsa { exponent: Some(1), .. }));
    let expired = own.is_some_and(|own| now > own.says.not_after || now < own.says.not_before);
    let modern = is(|suite| suite.is_tls13() || suite.is_recommended());
    [
        matches!(version, 0x0002 | 0x0300),
        is(|suite| suite.cipher == Cipher::Null),
        is(overhear_parsers::tls::Suite::is_anonymous),
        is(|suite| (1..112).contains(&suite.bits) || suite.is_export()),
        weak_signature(Hash::Md5) || exponent,
        prime.is_some_and(|bits| bits < 1_024),
        tls && (own.is_some_and(|own| own.self_signed) || expired),
        (10..12).contains(&rank(version)),
        is(|suite| suite.cipher == Cipher::Rc4),
        is(|suite| suite.cipher == Cipher::Block64),
        prime.is_some_and(|bits| bits < 2_048),
        weak_signature(Hash::Sha1),
        old && asked && !read.echoed(RENEGOTIATION_INFO),
        old && read.answer.is_some_and(|answer| answer.compression != 0),
        is(|suite| !suite.forward_secret),
        is(|suite| suite.cipher != Cipher::Aead),
        own.is_some_and(|own| matches!(own.says.key, Key::Rsa { bits: ..2_048, .. })),
        old && !read.echoed(EXTENDED_MASTER_SECRET),
        !modern,
        read.client_certificate != Some(true),
    ]
}

const fn protocol(version: u16) -> u32 {
    match rank(version) {
        12 | 13 => 100,
        11 => 95,
        10 => 90,
        3 => 80,
        _ => 0,
    }
}

fn cipher(read: &HandshakeRead<'_>) -> u32 {
    match read.suite.map_or(128, |suite| suite.bits) {
        256.. => 100,
        128.. => 80,
        1.. => 20,
        0 => 0,
    }
}

/// The weaker of the ephemeral key and the certificate's.
fn exchange(read: &HandshakeRead<'_>) -> u32 {
    let Some(suite) = read.suite else { return 80 };
    if suite.is_anonymous() {
        return 0;
    }
    if suite.is_export() {
        return 40;
    }
    let group = read.group().map(|group| {
        let bits = registry::group_bits(group).map_or(384, u32::from);
        if registry::is_post_quantum(group) { 100 } else { curve(bits) }
    });
    let prime = read.exchange.and_then(|exchange| exchange.prime_bits()).map(modulus);
    let own = read.chain.first().and_then(|own| match own.says.key {
        Key::Rsa { bits, .. } => Some(modulus(bits)),
        Key::Ec { bits } if bits > 0 => Some(curve(bits.into())),
        _ => None,
    });
    [group, prime, own].into_iter().flatten().min().unwrap_or(90)
}

const fn modulus(bits: u32) -> u32 {
    match bits {
        0..512 => 20,
        512..1_024 => 40,
        1_024..2_048 => 80,
        2_048..4_096 => 90,
        _ => 100,
    }
}

const fn curve(bits: u32) -> u32 {
    match bits {
        0..192 => 40,
        192..224 => 80,
        // From 2,048 on: bits of a prime, for groups over integers.
        224..384 | 2_048..4_096 => 90,
        _ => 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Scores and caps as handshakes leave them.
    fn seen(handshakes: &[(u32, u32, u32, u32)]) -> Observed {
        let mut observed = Observed::default();
        for (protocol, exchange, cipher, caps) in handshakes {
            note(&mut observed.protocol, *protocol);
            note(&mut observed.exchange, *exchange);
            note(&mut observed.cipher, *cipher);
            observed.caps |= caps;
        }
        observed
    }

    fn graded(handshakes: &[(u32, u32, u32, u32)]) -> &'static str {
        seen(handshakes).grade().map_or("none", |(grade, _)| grade.word())
    }

    #[test]
    fn scores_and_caps_make_a_grade() {
        let cap =
            |reason: &str| 1 << CAPS.iter().position(|(_, text)| text.contains(reason)).unwrap();
        for (handshakes, grade) in [
            (&[][..], "none"),
            (&[(100, 90, 100, 0)], "A+"),
            (&[(100, 90, 80, 0)], "A+"),
            (&[(100, 90, 100, cap("client is authenticated"))], "A"),
            (&[(100, 90, 100, cap("bound"))], "A-"),
            (&[(100, 90, 80, cap("forward"))], "B"),
            (&[(90, 90, 80, cap("TLS 1.0"))], "C"),
            (&[(100, 90, 100, 0), (90, 90, 80, cap("TLS 1.0"))], "C"),
            (&[(100, 90, 0, cap("nothing is encrypted"))], "F"),
            (&[(100, 0, 80, cap("nobody"))], "F"),
            (&[(100, 90, 100, cap("signed itself"))], "T"),
            (&[(80, 60, 40, 0)], "C"),
            (&[(80, 20, 20, 0)], "D"),
        ] {
            assert_eq!(graded(handshakes), grade, "{handshakes:?}");
        }
    }

    proptest! {
        #[test]
        fn a_bad_handshake_never_raises_a_grade(
            good in prop::collection::vec((80_u32..=100, 40_u32..=100, 20_u32..=100, 0_u32..1 << 20), 1..5),
            caps in 0_u32..1 << 20,
        ) {
            let before = seen(&good).grade().unwrap();
            let mut more = good.clone();
            let worst = |pick: fn(&(u32, u32, u32, u32)) -> u32| good.iter().map(pick).min().unwrap();
            more.push((worst(|it| it.0) - 1, worst(|it| it.1) - 1, worst(|it| it.2) - 1, caps));
            let after = seen(&more).grade().unwrap();
            prop_assert!(after.0 >= before.0 && after.1 <= before.1);
        }
    }
}
