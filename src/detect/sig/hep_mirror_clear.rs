//! `SIG-HEP-MIRROR-CLEAR`: signalling that a capture agent sends on in clear (HEP).

use overhear_parsers::sip::{HeaderName, HeaderSet};

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sighting, Sink};
use super::super::text::{plural, sentence};
use crate::model::finding::{Figure, Severity};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// HEP datagrams with copies of SIP messages that anyone on their way can read. Medium when the
    /// copied signalling was in clear itself; high when it ran over TLS, by its topmost Via or its
    /// port; critical when such a copy carries an SRTP key (`a=crypto`) or a digest response.
    ///
    /// ## Why it matters
    /// The copy undoes the encryption of the original. A widely used proxy does this with its tracing
    /// switched on, and nobody notices: the calls themselves look well protected.
    ///
    /// ## Evidence
    /// The HEP frames, with the copied message, where it was seen, and what it gives away.
    ///
    /// ## False positives
    /// HEP on a loopback interface or in a management network of its own.
    ///
    /// ## Fix
    /// Send HEP over TLS or through a tunnel, or switch tracing off.
    id: "SIG-HEP-MIRROR-CLEAR",
    name: "sig-hep-mirror-clear",
    title: "Copies of call signalling are sent in clear",
    severity: Medium ..= Critical,
    status: Stable,
    wants: [COPY],
    references: ["RFC 3261 §26", "RFC 4568 §8.3"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// Tally: copies of what ran over TLS; of these, with a key or a digest response.
const SECURE: usize = 0;
const SECRETS: usize = 1;

/// The port of SIP over TLS (RFC 3261 §19.1.2).
const SIPS_PORT: u16 = 5061;

const CREDENTIALS: HeaderSet =
    HeaderSet::of(&[HeaderName::Authorization, HeaderName::ProxyAuthorization]);

/// The rule at work.
pub(crate) struct HepMirrorClear;

pub(crate) const fn new(_: &Policy) -> HepMirrorClear {
    HepMirrorClear
}

impl Detector for HepMirrorClear {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn copy(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        let (event, message) = (seen.event, &seen.event.message);
        let tls_via = message.vias().next().is_some_and(|via| {
            [&b"TLS"[..], b"WSS", b"TLS-SCTP"]
                .iter()
                .any(|of| via.transport.eq_ignore_ascii_case(of))
        });
        let secure = tls_via || event.src.port == SIPS_PORT || event.dst.port == SIPS_PORT;
        let credentials = message.is_request() && message.has_any(CREDENTIALS);
        let secret = secure && (credentials || seen.has_crypto());
        let severity = match (secure, secret) {
            (_, true) => Severity::Critical,
            (true, false) => Severity::High,
            (false, false) => Severity::Medium,
        };
        let sighting = Sighting::new(&META, seen.pair, event.at)
            .severity(severity)
            .kind(u32::from(secure) + u32::from(secret));
        sink.sighting(sighting, |_| {
            let over = if secure { "TLS" } else { "a transport in clear" };
            let with = if secret { ", with a secret of it" } else { "" };
            let (who, to) = (event.src, event.dst);
            (
                sentence!("HEP copy of {} from {who} to {to} over {over}{with}", seen.describe()),
                None,
            )
        })
        .add(SECURE, u64::from(secure))
        .add(SECRETS, u64::from(secret))
        .call(seen.placement.call);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (secure, secrets) = (entry.tally(SECURE), entry.tally(SECRETS));
        Words {
            summary: sentence!(
                "{} in HEP of signalling between {}, all in clear; {secure} of what ran over TLS, {secrets} \
                 of these with a key or a digest response.",
                plural(entry.count, "copied message"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("copies", Figure::Count(entry.count)),
                ("of_tls", Figure::Count(secure)),
                ("with_secrets", Figure::Count(secrets)),
            ],
        }
    }
}
