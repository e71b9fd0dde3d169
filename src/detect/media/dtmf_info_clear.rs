//! `MEDIA-DTMF-INFO-CLEAR`: digits in readable INFO (RFC 6086 appendix).

use super::super::rule::rule;
use super::super::seen::SipSeen;
use super::super::small::{Report, Small};
use super::super::text::{printable, sentence};
use crate::model::finding::Severity;
use crate::model::revealed::Kind;
use crate::policy::Policy;
use overhear_parsers::sip::body::{BodyKind, media_type};
use overhear_parsers::sip::{HeaderName, Method};

rule! {
    /// ## What it detects
    /// An INFO request in signalling that could be read without a key, with a body of
    /// `application/dtmf-relay` or `application/dtmf`, or one that says `Signal=`.
    ///
    /// ## Why it matters
    /// What the user dials during the call can be read: PINs, card numbers, customer numbers.
    ///
    /// ## Evidence
    /// The request with its Content-Type; a label stands for its body.
    ///
    /// ## False positives
    /// Flash-hook and other signals of gateways that are no digits.
    ///
    /// ## Fix
    /// Carry digits as telephone events inside SRTP, or signalling in TLS.
    id: "MEDIA-DTMF-INFO-CLEAR",
    name: "media-dtmf-info-clear",
    title: "Digits can be read in INFO",
    severity: High ..= High,
    status: Preview,
    wants: [DIGITS],
    references: ["RFC 6086", "RFC 4733 §7"],
    remediation: "Digits are readable. Carry them only in SRTP or TLS; never in INFO or NOTIFY over clear signalling.",
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "INFO request", "what users dial can be read").of_sip(judge)
}

fn judge(seen: &SipSeen<'_>, report: &mut Report<'_>) {
    let event = seen.event;
    if event.encrypted || event.message.method() != Method::Info {
        return;
    }
    let kind = event.message.header(HeaderName::ContentType).unwrap_or_default();
    let digits = matches!(BodyKind::of(kind), BodyKind::Dtmf)
        || event.message.body().windows(7).any(|word| word.eq_ignore_ascii_case(b"signal="));
    if digits {
        report.saw_secret(Severity::High, |labels| {
            let body = labels.label(Kind::Body, event.message.body());
            (sentence!("INFO with {}, {body}", printable(media_type(kind), 48)), None)
        });
    }
}
