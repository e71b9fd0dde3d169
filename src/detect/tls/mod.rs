//! How weak the TLS and DTLS of a pair of peers is: one row of a table for each weakness.
//!
//! A row is its documentation and a test that looks at one handshake; what the rows share, counting
//! and sentences, stands here once (`docs/decisions/0012-rows-of-weak-handshakes.md`). What was only
//! offered weighs one severity less than what was agreed on.

pub(super) mod cert_changed;
pub(super) mod cert_name_mismatch;
pub(super) mod cert_shared_key;
mod certificates;
mod extensions;
pub(super) mod fp_new;
pub(super) mod handshake_failed;
pub(super) mod handshake_flood;
pub(super) mod handshake_slow;
mod keys;
pub(super) mod no_mtls;
pub(super) mod no_pq;
mod prints;
pub(super) mod reneg_seen;
mod suites;
pub(super) mod ticket_reuse_old;
pub(super) mod version_dance;
mod versions;

pub(super) use self::certificates::{
    cert_chain_incomplete, cert_ec_small, cert_eku, cert_expired, cert_expires_soon, cert_long,
    cert_no_san, cert_not_yet, cert_rsa_exp, cert_rsa_small, cert_self_signed, cert_sig_md5,
    cert_sig_sha1, cert_untrusted, cert_wildcard,
};
pub(super) use self::extensions::{
    alpn, client_no_ri, compression, early_data, heartbeat, heartbleed, insecure_reneg, no_ems,
    sni_missing, sni_unrecognized, ticket_long, trunc_hmac,
};
pub(super) use self::keys::{
    curve_weak, dh_common_prime, dh_small, point_format, pq_offered_not_chosen, sigalg_missing,
    sigalg_sha1_offered, ske_md5, ske_sha1,
};
pub(super) use self::prints::{grease, ja3, ja4};
pub(super) use self::suites::{
    anon, bits64, cbc, dhe, export, idea, md5_mac, no_etm, null, psk_no_dhe, rc4, static_dh,
    static_rsa, suite_unknown, triple_des,
};
pub(super) use self::versions::{
    downgrade_sentinel, dtls_1_0, fallback_scsv, fallback_scsv_rejected, legacy_offered, only_1_2,
    ssl2, ssl3, tls_1_0, tls_1_1,
};

use std::fmt;

use overhear_parsers::tls::{ServerHello, Weak};

use super::lately::Lately;
use super::rule::{Detector, Meta, Words};
use super::seen::HandshakeSeen;
use super::shows::Shows;
use super::sink::{Entry, Sighting, Sink};
use super::text::{plural, printable, sentence};
use crate::correlate::certificates::Known;
use crate::correlate::handshake::alert_name;
use crate::model::addr::stable_hash;
use crate::model::code_point::{CipherSuite, Group, Scheme, Version};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::policy::{Policy, Thresholds};

/// Tally: handshakes in which it was agreed on, or showed itself.
const AGREED: usize = 0;
/// Tally: those in which it was only offered.
const OFFERED: usize = 1;

/// What a row's test says of a handshake in which it finds something.
#[derive(Copy, Clone, Debug)]
struct Sight<'a> {
    severity: Severity,
    confidence: Confidence,
    /// The client offered it, and something else was agreed on, or nothing.
    offered: bool,
    place: Place,
    detail: Detail<'a>,
}

/// What was found, for a sentence.
#[derive(Copy, Clone, Debug)]
enum Detail<'a> {
    Suite(u16),
    Version(u16),
    Group(u16),
    Scheme(u16),
    Bits(&'static str, u32),
    /// Seconds for which a ticket may be used.
    Lifetime(u32),
    Alert(u8),
    Word(&'static str),
    /// A word and a text from the wire.
    Name(&'static str, &'a str),
    /// A word and a certificate.
    Certificate(&'static str, &'a Known),
    /// A certificate's key, with its bits.
    Key(&'static str, u32, &'a Known),
}

/// Where in a handshake it shows.
#[derive(Copy, Clone, Debug)]
enum Place {
    /// The client's hello.
    Offer,
    /// The server's hello.
    Answer,
    /// The server's `Certificate`.
    Certificate,
    /// The client's.
    ClientCertificate,
    /// The `ServerKeyExchange`.
    Exchange,
    /// The client's `CertificateVerify`.
    Verify,
    /// The `NewSessionTicket`.
    Ticket,
    /// The last alert.
    Alert,
    /// What ended it.
    End,
}

impl Place {
    /// The frame; that of the hello where it is not known.
    fn of(self, seen: &HandshakeSeen<'_>) -> FrameRef {
        let facts = seen.read.facts;
        let [server, client] = facts.frames.certificates;
        let found = match self {
            Self::Offer => Some(facts.first),
            Self::Answer => None,
            Self::Certificate => server,
            Self::ClientCertificate => client,
            Self::Exchange => facts.frames.exchange,
            Self::Verify => facts.frames.verify,
            Self::Ticket => facts.frames.ticket,
            Self::Alert => facts.frames.alert.or(Some(facts.last)),
            Self::End => Some(facts.last),
        };
        found.unwrap_or_else(|| seen.answered_at())
    }
}

/// A certificate, for a sentence: whose it is, and what tells it from others.
struct Named<'a>(&'a Known);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Known { says, sha256, .. } = self.0;
        let subject = printable(says.subject.as_bytes(), 80);
        let serial = printable(says.serial.as_bytes(), 40);
        let print = sha256.get(..16).unwrap_or_default();
        write!(f, "certificate of {subject}, serial {serial}, SHA-256 {print}")
    }
}

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Suite(code) => write!(f, "{} (0x{code:04x})", CipherSuite(code)),
            Self::Version(code) => Version(code).fmt(f),
            Self::Group(code) => write!(f, "{} (0x{code:04x})", Group(code)),
            Self::Scheme(code) => write!(f, "{} (0x{code:04x})", Scheme(code)),
            Self::Bits(what, bits) => write!(f, "{what} of {bits} bits"),
            Self::Alert(description) => write!(f, "alert {}", alert_name(description)),
            Self::Word(word) => f.write_str(word),
            Self::Name(word, name) => write!(f, "{word} {}", printable(name.as_bytes(), 64)),
            Self::Lifetime(seconds) => write!(f, "a ticket for {} hours", seconds / 3_600),
            Self::Certificate(word, known) => write!(f, "{word}, {}", Named(known)),
            Self::Key(what, bits, known) => write!(f, "{what} of {bits} bits, {}", Named(known)),
        }
    }
}

impl<'a> Sight<'a> {
    /// It was agreed on, or shows in what was sent.
    const fn agreed(severity: Severity, detail: Detail<'a>) -> Self {
        let (confidence, place) = (Confidence::Certain, Place::Answer);
        Self { severity, confidence, offered: false, place, detail }
    }

    /// It shows there.
    const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// It was only offered.
    const fn offered(severity: Severity, detail: Detail<'a>) -> Self {
        let (severity, confidence) = (lower(severity), Confidence::High);
        Self { severity, confidence, offered: true, place: Place::Offer, detail }
    }
}

/// The severity of what is offered and not taken.
const fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium => Severity::Low,
        Severity::Low | Severity::Info => Severity::Info,
    }
}

/// What a row looks for in one handshake.
type Test = for<'a> fn(&HandshakeSeen<'a>, &Thresholds) -> Option<Sight<'a>>;

/// What a row tells once only of a pair of peers, however often it comes.
type Once = for<'a> fn(&HandshakeSeen<'a>) -> Option<&'a str>;

/// A row at work.
pub(crate) struct Row {
    meta: &'static Meta,
    /// It looks at handshakes that show any of this.
    looks_for: Shows,
    test: Test,
    /// What it finds depends on when a handshake was.
    timed: bool,
    /// In a box, so that what every handshake needs of a row is one cache line.
    once: Option<Box<(Once, Lately<u64, ()>)>>,
    thresholds: Box<Thresholds>,
}

impl Row {
    fn new(
        meta: &'static Meta,
        (looks_for, test, timed): (Shows, Test, bool),
        once: Option<Once>,
        policy: &Policy,
    ) -> Self {
        let once = once.map(|once| Box::new((once, Lately::new(policy.limits.peers))));
        Self { meta, looks_for, test, timed, once, thresholds: Box::new(policy.thresholds.clone()) }
    }

    /// Whether this was told of the pair before.
    fn is_told(&mut self, seen: &HandshakeSeen<'_>) -> bool {
        let Some((once, told)) = self.once.as_deref_mut() else { return false };
        let Some(what) = once(seen) else { return false };
        told.get_or_put(stable_hash(&(seen.pair.hash64(), what)), ()).is_some()
    }
}

impl Detector for Row {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn looks_at(&self, seen: &HandshakeSeen<'_>, shows: Shows) -> bool {
        let finds = || (self.test)(seen, &self.thresholds).is_some();
        let looks = shows.meets(self.looks_for);
        debug_assert!(looks || !finds(), "{}", self.meta.id);
        looks && (self.timed || finds())
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        if self.is_told(seen) {
            return;
        }
        let Some(sight) = (self.test)(seen, &self.thresholds) else { return };
        let sighting = Sighting::new(self.meta, seen.pair, sight.place.of(seen))
            .severity(sight.severity)
            .confidence(sight.confidence)
            .kind(u32::from(sight.offered));
        let (client, server) = (seen.record.client, seen.record.server);
        sink.sighting(sighting, |_| {
            let what = if sight.offered {
                sentence!("{client} offers {server} {}", sight.detail)
            } else {
                sentence!("{client} to {server}: {}", sight.detail)
            };
            (what, None)
        })
        .add(if sight.offered { OFFERED } else { AGREED }, 1)
        .handshake(seen.key);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (agreed, offered) = (entry.tally(AGREED), entry.tally(OFFERED));
        let of = entry.subject.spoken();
        let summary = match (agreed, offered) {
            (agreed, 0) => sentence!("{} between {of}.", plural(agreed, "handshake")),
            (0, offered) => {
                sentence!("{} between {of}, each only an offer.", plural(offered, "handshake"))
            }
            _ => sentence!(
                "{} between {of}, and {} with the offer alone.",
                plural(agreed, "handshake"),
                plural(offered, "handshake"),
            ),
        };
        Words {
            summary,
            parameters: vec![
                ("handshakes", Figure::Count(entry.count)),
                ("agreed", Figure::Count(agreed)),
                ("offered", Figure::Count(offered)),
            ],
        }
    }
}

/// What stands there, or nothing.
macro_rules! optional {
    () => {
        None
    };
    ($what:expr) => {
        Some($what)
    };
}

/// Declares rows: for each a module with `META` and `new`, as `rule!` files have them.
macro_rules! rows {
    ($(
        $module:ident {
            id: $id:literal,
            name: $name:literal,
            title: $title:literal,
            severity: $lowest:ident ..= $highest:ident,
            detects: $detects:literal,
            matters: $matters:literal,
            false_positives: $false_positives:literal,
            fix: $fix:literal,
            references: [$($reference:literal),+],
            thresholds: [$($threshold:literal),*],
            $(looks_for: $looks_for:expr,)?
            test: $test:expr,
            $(timed: $timed:expr,)?
            $(once: $once:expr,)?
        }
    )+) => {$(
        pub(crate) mod $module {
            use super::*;

            #[doc = concat!("`", $id, "`.")]
            pub(crate) static META: $crate::detect::rule::Meta = $crate::detect::rule::Meta {
                id: $id,
                name: $name,
                title: $title,
                lowest: $crate::model::finding::Severity::$lowest,
                highest: $crate::model::finding::Severity::$highest,
                status: $crate::detect::rule::Status::Preview,
                wants: $crate::detect::rule::Interest::HANDSHAKE,
                references: &[$($reference),+],
                remediation: $fix,
                question: Some("TLS versions supported"),
                thresholds: &[$($threshold),*],
                since: "0.2.0",
                docs: concat!(
                    "## What it detects\n", $detects,
                    "\n\n## Why it matters\n", $matters,
                    "\n\n## Evidence\nThe frame in which it shows: a hello, the client's for what was only offered, a ",
                    "certificate, a key exchange, an alert; with names and numbers as the registry of IANA has ",
                    "them, of certificates the subject, the serial number and the beginning of the SHA-256.",
                    "\n\n## False positives\n", $false_positives,
                    "\n\n## Fix\n", $fix, "\n",
                ),
                file: file!(),
            };

            #[doc = "The row at work."]
            pub(crate) fn new(policy: &$crate::policy::Policy) -> $crate::detect::tls::Row {
                let once: Option<$crate::detect::tls::Once> =
                    $crate::detect::tls::optional!($($once)?);
                let looks_for: Option<$crate::detect::shows::Shows> =
                    $crate::detect::tls::optional!($($looks_for)?);
                let anything = $crate::detect::shows::Shows::ANYTHING;
                let look = looks_for.unwrap_or(anything);
                let timed: Option<bool> = $crate::detect::tls::optional!($($timed)?);
                let timed = timed.is_some();
                $crate::detect::tls::Row::new(&META, (look, $test, timed), once, policy)
            }
        }
    )+};
}

use {optional, rows};

/// A weakness of the suite: agreed on, or only offered.
fn by_suite<'a>(seen: &HandshakeSeen<'a>, severity: Severity, weak: Weak) -> Option<Sight<'a>> {
    if let Some(chosen) = seen.suite.filter(|suite| suite.weak.meets(weak)) {
        return Some(Sight::agreed(severity, Detail::Suite(chosen.id)));
    }
    let sight = Sight::offered(severity, Detail::Suite(seen.offered_weak.first(weak)?));
    // Every client offers them beside TLS 1.3 for old servers. Where 1.3 was agreed on they were not
    // taken, and who is on the path cannot have a server take them (RFC 8446 §4.1.3).
    let usual = Weak::CBC.or(Weak::STATIC_RSA).or(Weak::DHE);
    let harmless = seen.read.is_tls13() && usual.meets(weak);
    Some(if harmless { Sight { severity: Severity::Info, ..sight } } else { sight })
}

/// A property of handshakes up to TLS 1.2 that the server's hello shows.
fn before_13<'a>(
    seen: &HandshakeSeen<'a>,
    found: impl FnOnce(&ServerHello<'a>) -> Option<Sight<'a>>,
) -> Option<Sight<'a>> {
    let answer = seen.read.answer.as_ref().filter(|_| !seen.read.is_tls13())?;
    found(answer)
}
