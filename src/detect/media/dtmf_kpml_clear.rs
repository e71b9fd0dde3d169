//! `MEDIA-DTMF-KPML-CLEAR`: key presses in readable NOTIFY (RFC 4730 §10).

use super::super::rule::rule;
use super::super::seen::SipSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::model::revealed::Kind;
use crate::policy::Policy;
use overhear_parsers::sip::body::media_type;
use overhear_parsers::sip::{HeaderName, Method};

rule! {
    /// ## What it detects
    /// A NOTIFY request in signalling that could be read without a key, with a body of
    /// `application/kpml-response+xml`.
    ///
    /// ## Why it matters
    /// It reports the keys that the user pressed to whoever asked for them, and to whoever is on
    /// the path.
    ///
    /// ## Evidence
    /// The request; a label stands for its body.
    ///
    /// ## False positives
    /// Reports that a subscription ended have no digits in them and look the same.
    ///
    /// ## Fix
    /// Carry signalling in TLS.
    id: "MEDIA-DTMF-KPML-CLEAR",
    name: "media-dtmf-kpml-clear",
    title: "Digits can be read in NOTIFY",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [DIGITS],
    references: ["RFC 4730 §10"],
    remediation: "Digits are readable. Carry them only in SRTP or TLS; never in INFO or NOTIFY over clear signalling.",
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "NOTIFY request", "what users dial can be read").of_sip(judge)
}

fn judge(seen: &SipSeen<'_>, report: &mut Report<'_>) {
    let event = seen.event;
    if event.encrypted || event.message.method() != Method::Notify {
        return;
    }
    let kind = event.message.header(HeaderName::ContentType).unwrap_or_default();
    if media_type(kind).eq_ignore_ascii_case(b"application/kpml-response+xml") {
        report.saw_secret(Severity::Medium, |labels| {
            let body = labels.label(Kind::Body, event.message.body());
            (sentence!("NOTIFY with KPML, {body}"), None)
        });
    }
}
