//! What findings about a pair of peers do to the grade of their TLS: what no single handshake shows.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::rule::Meta;
use super::{sig, tls};
use crate::correlate::tls_grade::{ANOTHER_NAME, Cap, Grade, Mark, UNTRUSTED};
use crate::correlate::tls_peers::Known;
use crate::model::addr::Addr;
use crate::model::finding::{Figure, Finding, Severity};

/// A rule, the least severity that counts, and what it does.
type Row = (&'static Meta, Severity, Cap);

/// The parameter of `SIG-CLEARTEXT` that counts requests which begin something.
const BEGINNINGS: &str = "beginnings";

const fn cap(grade: Grade, reason: &'static str, remedy: &'static str) -> Cap {
    Cap { grade, reason, remedy }
}

const IN_CLEAR: &str = "requests in clear";
const NO_CLEAR: &str = "no SIP without TLS between the two";

/// What a finding does that is no cap of its own: "A- if no cap but warnings".
const WARNED: Cap = cap(
    Grade::AMinus,
    "findings of low severity and above about certificates and extensions",
    "what these findings advise",
);

const fn warned(meta: &'static Meta) -> Row {
    (meta, Severity::Low, WARNED)
}

static ROWS: [Row; 19] = [
    (&sig::cleartext::META, Severity::High, cap(Grade::F, IN_CLEAR, NO_CLEAR)),
    (
        &sig::tls_fallback_clear::META,
        Severity::Critical,
        cap(Grade::F, "after TLS failed, signalling went on in clear", NO_CLEAR),
    ),
    (
        &tls::cert_untrusted::META,
        Severity::High,
        cap(Grade::T, UNTRUSTED, "a certificate of an authority that is trusted"),
    ),
    (
        &tls::cert_name_mismatch::META,
        Severity::High,
        cap(Grade::M, ANOTHER_NAME, "a certificate for the SIP domain"),
    ),
    (
        &tls::version_dance::META,
        Severity::Medium,
        cap(Grade::B, "a client falls back to older versions", "a client that does not fall back"),
    ),
    (
        &tls::no_mtls::META,
        Severity::Medium,
        cap(
            Grade::AMinus,
            "servers that do not ask each other for certificates",
            "client certificates between the two",
        ),
    ),
    warned(&tls::cert_changed::META),
    warned(&tls::cert_chain_incomplete::META),
    warned(&tls::cert_eku::META),
    warned(&tls::cert_expires_soon::META),
    warned(&tls::cert_long::META),
    warned(&tls::cert_no_san::META),
    warned(&tls::cert_rsa_exp::META),
    warned(&tls::cert_wildcard::META),
    warned(&tls::downgrade_sentinel::META),
    warned(&tls::early_data::META),
    warned(&tls::heartbeat::META),
    warned(&tls::ticket_reuse_old::META),
    warned(&tls::trunc_hmac::META),
];

/// What findings say of pairs of peers.
#[derive(Debug, Default)]
pub struct Marks {
    by_pair: HashMap<(Addr, Addr), Vec<Mark>, FixedState>,
    /// A rule had findings about more pairs than are told apart.
    overflown: bool,
}

impl Marks {
    /// Those of these findings.
    pub fn of(findings: &[Finding]) -> Self {
        let mut marks = Self::default();
        for finding in findings {
            let row = ROWS.iter().find(|(meta, ..)| meta.id == finding.rule);
            let row = row.filter(|(_, least, _)| finding.severity >= *least);
            let Some((_, _, cap)) = row else { continue };
            let begun = finding.parameters.iter().find(|(name, _)| *name == BEGINNINGS);
            let count = match begun {
                Some((_, Figure::Count(0))) => continue,
                Some((_, Figure::Count(count))) => *count,
                _ => finding.count,
            };
            let pair = match finding.scope.addresses.as_slice() {
                [a, b] => (*a, *b),
                [a] => (*a, *a),
                _ => {
                    marks.overflown = true;
                    continue;
                }
            };
            let of_pair = marks.by_pair.entry(pair).or_default();
            match of_pair.iter_mut().find(|mark| mark.cap.reason == cap.reason) {
                Some(mark) => mark.count = mark.count.saturating_add(count),
                None => of_pair.push(Mark { cap: *cap, count }),
            }
        }
        marks
    }

    /// What they say of these two, the smaller address first.
    pub fn about(&self, a: Addr, b: Addr) -> Known {
        let unseen =
            self.overflown.then_some("findings about it: they are of more pairs than are kept");
        let clear = |mark: &Mark| mark.cap.reason == IN_CLEAR;
        Known {
            clear: self.by_pair.get(&(a, b)).is_some_and(|marks| marks.iter().any(clear)),
            marks: self.by_pair.get(&(a, b)).cloned().unwrap_or_default(),
            unseen: unseen.into_iter().collect(),
            announced: Vec::new(),
        }
    }
}
