//! `SIPS-CONTACT-NOT-SIPS`: the way back from a sips request (RFC 5630 §5.1.1).

use super::super::rule::rule;
use super::super::seen::SipSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::dissect::sip_marks::is_sips;
use crate::model::finding::Severity;
use crate::policy::Policy;
use overhear_parsers::sip::HeaderName;
use overhear_parsers::sip::uri::Scheme;

rule! {
    /// ## What it detects
    /// An INVITE, REGISTER or MESSAGE whose Request-URI or topmost Route is `sips:`, and whose
    /// Contact is `sip:`.
    ///
    /// ## Why it matters
    /// RFC 3261 wants a `sips` Contact then, so that what the other side sends goes through TLS as
    /// well: a BYE, a re-INVITE with new keys. As it is, that may come back in clear.
    ///
    /// ## Evidence
    /// The request.
    ///
    /// ## False positives
    /// None is known.
    ///
    /// ## Fix
    /// Write `sips` Contacts for `sips` requests.
    id: "SIPS-CONTACT-NOT-SIPS",
    name: "sips-contact-not-sips",
    title: "A request to a sips URI has a Contact without it",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [SIPS],
    references: ["RFC 3261 §8.1.1.8", "RFC 5630 §5.1.1"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "request", "what comes back may travel in clear").of_sip(judge)
}

fn judge(seen: &SipSeen<'_>, report: &mut Report<'_>) {
    let message = &seen.event.message;
    let route = message.addresses(HeaderName::Route).next();
    let promised = is_sips(message.request_uri()) || route.is_some_and(|route| is_sips(route.uri));
    let contact = message.addresses(HeaderName::Contact).next();
    if message.is_request() && promised && contact.is_some_and(|of| of.uri().scheme == Scheme::Sip)
    {
        report.saw(Severity::Medium, || sentence!("{} with a sip Contact", seen.describe()));
    }
}
