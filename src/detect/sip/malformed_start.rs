//! `SIP-MALFORMED-START`: start lines that break the grammar (RFC 3261 §7.1).

use super::super::rule::rule;
use super::Malformed;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A version other than SIP/2.0, a method in lower case, a status that is no status, white space or
    /// quotes within the Request-URI, a Request-URI with headers (`?Route=`), more than one space or
    /// space before the line. Low; from five a minute and source medium, from fifty high.
    ///
    /// ## Why it matters
    /// Elements that repair such a line and elements that refuse it disagree about what was asked for.
    /// Many of them are a scanner or a fuzzer.
    ///
    /// ## Evidence
    /// A message for each kind of oddity, with its name and the sender.
    ///
    /// ## False positives
    /// Old or home-made clients; HTTP or RTSP answered on a SIP port.
    ///
    /// ## Fix
    /// Refuse it at the border; have the sender's software mended.
    id: "SIP-MALFORMED-START",
    name: "sip-malformed-start",
    title: "Start lines that break the grammar",
    severity: Low ..= High,
    status: Stable,
    wants: [ODD],
    references: ["RFC 3261 §7.1", "RFC 3261 §19.1.1", "RFC 4475 §3.1.2"],
    remediation: super::FIX,
    question: Some("ROBUSTNESS"),
    thresholds: ["malformed_medium_a_minute", "malformed_high_a_minute"],
    since: "0.1.0",
}

pub(crate) fn new(policy: &Policy) -> Malformed {
    Malformed::new(&META, super::START, policy)
}
