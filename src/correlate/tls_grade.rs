//! A grade for what was agreed on: scores of protocol, key exchange and cipher as the SSL Labs rating
//! guide weighs them (30, 30 and 40 of 100, best and worst averaged), then caps. A tap does not scan: best
//! and worst are those of the handshakes that were seen, and nothing is said without one.

use overhear_parsers::tls::certificate::Key;
use overhear_parsers::tls::client_hello::rank;
use overhear_parsers::tls::extension::{EXTENDED_MASTER_SECRET, RENEGOTIATION_INFO};
use overhear_parsers::tls::registry::{self, Hash};
use overhear_parsers::tls::suite::{Cipher, Weak};

use super::certificates::Known;
use super::handshake::HandshakeRead;
use super::sip_identity::Fit;
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

/// What caps a grade.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// At what.
    pub grade: Grade,
    /// In words.
    pub reason: &'static str,
    /// What lifts it.
    pub remedy: &'static str,
}

const fn cap(grade: Grade, reason: &'static str, remedy: &'static str) -> Cap {
    Cap { grade, reason, remedy }
}

/// Seconds by which a sensor's clock may be off.
const SKEW: i64 = 3_600;

/// What caps a grade, by what a handshake shows, in the order of [`met`].
const CAPS: [Cap; 25] = [
    cap(Grade::F, "SSL 2.0 or SSL 3.0 is agreed on", VERSIONS),
    cap(Grade::F, "nothing is encrypted", SUITES),
    cap(Grade::F, "nobody is authenticated", SUITES),
    cap(Grade::F, "keys of fewer than 112 bits", SUITES),
    cap(Grade::F, "a certificate signed with MD5, or with the exponent 1", CERTIFICATE),
    cap(
        Grade::F,
        "a key exchange of fewer than 1,024 bits, or over a curve of fewer than 192",
        PRIME,
    ),
    cap(
        Grade::F,
        "a certificate's key of fewer than 1,024 bits, or on a curve of fewer than 192",
        CERTIFICATE,
    ),
    cap(Grade::T, "a certificate that signed itself or has expired", CERTIFICATE),
    cap(Grade::T, UNTRUSTED, CERTIFICATE),
    cap(Grade::M, ANOTHER_NAME, "a certificate for the SIP domain"),
    cap(Grade::C, "TLS 1.0 or 1.1, or DTLS 1.0, is agreed on", VERSIONS),
    cap(Grade::C, "RC4", SUITES),
    cap(Grade::C, "a cipher of 64-bit blocks", SUITES),
    cap(Grade::C, "a prime of fewer than 2,048 bits", PRIME),
    cap(Grade::C, "signatures with SHA-1", "signatures with SHA-256, of keys and of certificates"),
    cap(Grade::C, "renegotiation is not protected", "renegotiation_info, or TLS 1.3"),
    cap(Grade::C, "compression", "no compression"),
    cap(Grade::B, "no forward secrecy", SUITES),
    cap(Grade::B, "no authenticated encryption", SUITES),
    cap(Grade::B, "a key exchange over a curve of fewer than 224 bits", PRIME),
    cap(
        Grade::B,
        "a certificate's key of fewer than 2,048 bits, or on a curve of fewer than 224",
        CERTIFICATE,
    ),
    cap(Grade::AMinus, "keys are not bound to the handshake", "extended_master_secret, or TLS 1.3"),
    cap(Grade::AMinus, "Diffie-Hellman over a prime", SUITES),
    cap(Grade::A, "a suite that is not among those recommended for TLS 1.2", SUITES),
    cap(
        Grade::A,
        NO_CLIENT,
        "a certificate of the client, or digests with SHA-256, to be seen in all of it",
    ),
];

/// What a client that is authenticated inside lifts.
const NO_CLIENT: &str = "whether the client is authenticated is not to be seen, or it is not";

const VERSIONS: &str = "TLS 1.2 or 1.3 only";
const SUITES: &str = "suites with ECDHE and AES-GCM or ChaCha20-Poly1305 only";
const PRIME: &str = "ECDHE, or a prime of 2,048 bits and more";
const CERTIFICATE: &str = "a certificate of a trusted authority, in date, signed with SHA-256, for a \
                           key of 2,048 bits or on P-256";

/// A certificate that leads to none of the authorities given.
pub const UNTRUSTED: &str = "a certificate of no authority that is trusted";
/// A certificate for somebody else.
pub const ANOTHER_NAME: &str = "a certificate for another name";

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

/// What one completed handshake adds to a grade.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Scores of protocol, key exchange and cipher.
    scores: [u32; 3],
    /// One bit for each of [`CAPS`].
    caps: u32,
    /// The certificates were hidden.
    hidden: bool,
}

impl Observation {
    /// That of a handshake; `None` for one in which nothing was agreed on.
    pub fn of(read: &HandshakeRead<'_>) -> Option<Self> {
        let version = read.version()?;
        let bits = (0_u32..).zip(met(read, version));
        Some(Self {
            scores: [protocol(version), exchange(read), cipher(read)],
            caps: bits.fold(0, |sum, (bit, met)| sum | u32::from(met) << bit),
            hidden: read.is_tls13() && !read.certified,
        })
    }
}

/// What was seen of one peer or pair, as far as it is graded.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Of protocol, key exchange and cipher.
    ranges: [Option<Range>; 3],
    /// Handshakes that met each of [`CAPS`].
    caps: [u32; CAPS.len()],
    hidden: u32,
}

/// Something else that caps a grade, and how often it was seen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What it is.
    pub cap: Cap,
    /// How often.
    pub count: u64,
}

/// A grade, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The grade.
    pub grade: Grade,
    /// Out of 100, before caps; `None` when nothing was agreed on.
    pub score: Option<u32>,
    /// What caps it, the hardest first.
    pub caps: Vec<Mark>,
    /// The grade that it would be if what holds it down were changed, and what to change.
    pub next: Option<(Grade, Vec<&'static str>)>,
}

impl Observed {
    /// Notes a completed handshake.
    pub fn note(&mut self, seen: &Observation) {
        for (range, score) in self.ranges.iter_mut().zip(seen.scores) {
            range.get_or_insert(Range { best: score, worst: score }).note(score);
        }
        for (bit, count) in (0_u32..).zip(&mut self.caps) {
            *count = count.saturating_add(seen.caps >> bit & 1);
        }
        self.hidden = self.hidden.saturating_add(u32::from(seen.hidden));
    }

    /// Handshakes whose certificates were hidden.
    pub const fn hidden(&self) -> u32 {
        self.hidden
    }

    /// The grade, with these marks beside what handshakes show, and whether clients were authenticated
    /// inside; `None` while nothing was agreed on and no mark says that everything is lost.
    pub fn verdict(&self, marks: &[Mark], authenticated: bool) -> Option<Verdict> {
        let score = self.score();
        let counts = |cap: &Cap| !(authenticated && cap.reason == NO_CLIENT);
        let shown = CAPS.iter().zip(self.caps).filter(|(cap, count)| *count > 0 && counts(cap));
        let mut caps: Vec<Mark> =
            shown.map(|(cap, count)| Mark { cap: *cap, count: count.into() }).collect();
        let new = |mark: &&Mark| !caps.iter().any(|known| known.cap.reason == mark.cap.reason);
        let further: Vec<Mark> = marks.iter().filter(new).copied().collect();
        caps.extend(further);
        caps.sort_by_key(|mark| std::cmp::Reverse(mark.cap.grade));
        let base = match score {
            Some(80..) => Grade::APlus,
            Some(score) => Grade::of(score),
            None => caps.first().map(|mark| mark.cap.grade).filter(|grade| *grade == Grade::F)?,
        };
        let grade = caps.first().map_or(base, |worst| worst.cap.grade.max(base));
        Some(Verdict { grade, score, next: next(grade, base, score.is_some(), &caps), caps })
    }

    /// The score out of 100.
    fn score(&self) -> Option<u32> {
        let [Some(protocol), Some(exchange), Some(cipher)] = self.ranges else { return None };
        let none = [protocol, exchange, cipher].iter().any(|range| range.worst == 0);
        let sum = protocol.double() * 30 + exchange.double() * 30 + cipher.double() * 40;
        Some(if none { 0 } else { sum / 200 })
    }
}

/// What holds a grade down, and the grade without it.
fn next(
    grade: Grade,
    base: Grade,
    scored: bool,
    caps: &[Mark],
) -> Option<(Grade, Vec<&'static str>)> {
    if grade == Grade::APlus || !scored {
        return None;
    }
    let (held, rest): (Vec<&Mark>, Vec<&Mark>) =
        caps.iter().partition(|mark| mark.cap.grade == grade);
    let mut by: Vec<&'static str> = Vec::new();
    for remedy in held.iter().map(|mark| mark.cap.remedy) {
        if !by.contains(&remedy) {
            by.push(remedy);
        }
    }
    let base = if base == grade {
        by.push("newer versions, longer keys and stronger ciphers in every handshake");
        Grade::APlus
    } else {
        base
    };
    let rest = rest.iter().map(|mark| mark.cap.grade).max().unwrap_or(Grade::APlus);
    Some((rest.max(base), by))
}

/// Which of [`CAPS`] a handshake meets.
fn met(read: &HandshakeRead<'_>, version: u16) -> [bool; CAPS.len()] {
    let suite = read.suite;
    let is = |test: fn(&overhear_parsers::tls::Suite) -> bool| suite.is_some_and(test);
    let tls = read.facts.kind == HandshakeKind::Tls || read.facts.over_sctp;
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
    let expired = own.is_some_and(|own| {
        let (from, until) = (own.says.not_before, own.says.not_after);
        now > until.saturating_add(SKEW) || now < from.saturating_sub(SKEW)
    });
    let modern = is(|suite| suite.is_tls13() || suite.is_recommended());
    let forward = is(|suite| suite.forward_secret) && !read.is_psk_alone();
    let (ephemeral, own_key) = (ephemeral(read), own.and_then(key));
    [
        matches!(version, 0x0002 | 0x0300),
        is(|suite| suite.cipher == Cipher::Null),
        is(overhear_parsers::tls::Suite::is_anonymous),
        is(|suite| (1..112).contains(&suite.bits) || suite.is_export()),
        weak_signature(Hash::Md5) || exponent,
        ephemeral.is_some_and(|score| score <= 40),
        own_key.is_some_and(|score| score <= 40),
        tls && (own.is_some_and(|own| own.self_signed) || expired),
        tls && read.chain_says.anchored == Some(false),
        tls && matches!(read.fit, Some(Fit::No | Fit::Wildcard)),
        (10..12).contains(&rank(version)),
        is(|suite| suite.cipher == Cipher::Rc4),
        is(|suite| suite.cipher == Cipher::Block64),
        prime.is_some_and(|bits| bits < 2_048),
        weak_signature(Hash::Sha1),
        old && asked && !read.echoed(RENEGOTIATION_INFO),
        old && read.answer.is_some_and(|answer| answer.compression != 0),
        read.suite.is_some() && !forward,
        is(|suite| suite.cipher != Cipher::Aead),
        ephemeral.is_some_and(|score| score <= 80) && prime.is_none(),
        own_key.is_some_and(|score| score <= 80),
        old && !read.echoed(EXTENDED_MASTER_SECRET),
        is(|suite| suite.weak.meets(Weak::DHE)),
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
    let own = read.chain.first().and_then(|own| key(own));
    ephemeral(read).into_iter().chain(own).min().unwrap_or(90)
}

/// The score of the key exchange for the one session.
fn ephemeral(read: &HandshakeRead<'_>) -> Option<u32> {
    let group = read.group().map(|group| {
        let bits = registry::group_bits(group).map_or(384, u32::from);
        if registry::is_post_quantum(group) { 100 } else { curve(bits) }
    });
    let prime = read.exchange.and_then(|exchange| exchange.prime_bits()).map(modulus);
    group.or(prime)
}

/// The score of a certificate's key.
fn key(own: &Known) -> Option<u32> {
    match own.says.key {
        Key::Rsa { bits, .. } => Some(modulus(bits)),
        Key::Ec { bits } if bits > 0 => Some(curve(bits.into())),
        _ => None,
    }
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
#[path = "tls_grade_tests.rs"]
mod tests;
