//! `SIPS-TRANSPORT-TLS`: the deprecated transport=tls (RFC 5630 §3.1.4).

use super::super::rule::rule;
use super::super::seen::SipSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::policy::Policy;
use memchr::memmem;
use overhear_parsers::sip::HeaderName;

rule! {
    /// ## What it detects
    /// An INVITE, REGISTER or MESSAGE with `transport=tls` in the Request-URI, Contact or Route.
    ///
    /// ## Why it matters
    /// RFC 3261 has deprecated the parameter in favour of `sips`, and RFC 5630 says so again;
    /// nearly every product uses it all the same. It asks for TLS on one hop and promises nothing
    /// for the others.
    ///
    /// ## Evidence
    /// The first requests.
    ///
    /// ## False positives
    /// It is what most networks do; this is for the inventory.
    ///
    /// ## Fix
    /// Nothing needs fixing. Where TLS is wanted from end to end, use `sips` URIs.
    id: "SIPS-TRANSPORT-TLS",
    name: "sips-transport-tls",
    title: "The transport parameter tls is in use",
    severity: Info ..= Info,
    status: Preview,
    wants: [SIPS],
    references: ["RFC 3261 §26.2.2", "RFC 5630 §3.1.4"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "request", "TLS is asked for on one hop only").of_sip(judge)
}

fn judge(seen: &SipSeen<'_>, report: &mut Report<'_>) {
    let message = &seen.event.message;
    let named = |value: &[u8]| memmem::find(value, b"transport=tls").is_some();
    let headers = [HeaderName::Contact, HeaderName::Route];
    let anywhere = named(message.request_uri())
        || headers.into_iter().filter_map(|name| message.header(name)).any(named);
    if message.is_request() && anywhere {
        report.saw(Severity::Info, || sentence!("{} with transport=tls", seen.describe()));
    }
}
