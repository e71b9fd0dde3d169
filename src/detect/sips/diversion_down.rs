//! `SIPS-DIVERSION-DOWN`: diversions that drop the promise of TLS (RFC 5630 §5.3).

use super::super::rule::rule;
use super::super::seen::SipSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::policy::Policy;
use overhear_parsers::sip::Uri;
use overhear_parsers::sip::uri::Scheme;

rule! {
    /// ## What it detects
    /// A request whose History-Info has a `sips` entry and a later one that is `sip`, or whose
    /// Diversion names a `sips` URI while its Request-URI is `sip`.
    ///
    /// ## Why it matters
    /// The caller was promised TLS on every hop; whoever diverted the call dropped the promise.
    ///
    /// ## Evidence
    /// The request.
    ///
    /// ## False positives
    /// Entries for other users of the same request, as in a forked one.
    ///
    /// ## Fix
    /// Have the diverting server keep the scheme, or refuse the call.
    id: "SIPS-DIVERSION-DOWN",
    name: "sips-diversion-down",
    title: "A sips call was diverted to a sip URI",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [SIPS],
    references: ["RFC 5630 §5.3", "RFC 7044 §7", "RFC 5806"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "request", "a diversion dropped the promise of TLS").of_sip(judge)
}

fn judge(seen: &SipSeen<'_>, report: &mut Report<'_>) {
    let message = &seen.event.message;
    if !message.is_request() {
        return;
    }
    let mut history = message.history().map(|entry| entry.address.uri().scheme);
    let within =
        history.any(|scheme| scheme == Scheme::Sips) && history.any(|scheme| scheme == Scheme::Sip);
    let here = Uri::parse(message.request_uri()).scheme;
    let diverted = here == Scheme::Sip
        && message.diversions().any(|by| by.address.uri().scheme == Scheme::Sips);
    if within || diverted {
        report.saw(Severity::Medium, || sentence!("{} diverted from sips to sip", seen.describe()));
    }
}
