//! `SIP-MALFORMED-HEADER`: headers that break their grammar (RFC 3261 §25).

use super::super::rule::rule;
use super::Malformed;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A header line without a colon or with a name that is no token, control octets, NUL, text that is not
    /// UTF-8, a CSeq, Via, From, To or Contact that cannot be read, a URI that can be read in two ways,
    /// escaped line ends, a known name in disguise, a Via with two branches, dates, warnings and numbers that
    /// are none. Values are read closely where the layout is odd, and where a glance finds a reason to: at
    /// requests that stand outside of a dialog, and at rare headers and bodies in parts of all messages. Low;
    /// medium from five a minute and source, high from fifty.
    ///
    /// ## Why it matters
    /// A header that one element skips and the next one obeys carries an identity, a route or a key past
    /// whoever was to check it.
    ///
    /// ## Evidence
    /// A message for each kind of oddity, with its name and the sender.
    ///
    /// ## False positives
    /// Display names in Latin-1; phones that do not quote.
    ///
    /// ## Fix
    /// Refuse it at the border; have the sender's software mended.
    id: "SIP-MALFORMED-HEADER",
    name: "sip-malformed-header",
    title: "Headers that break their grammar",
    severity: Low ..= High,
    status: Stable,
    wants: [ODD],
    references: ["RFC 3261 §7.3", "RFC 3261 §25.1", "RFC 4475 §3.1"],
    remediation: super::FIX,
    question: Some("ROBUSTNESS"),
    thresholds: ["malformed_medium_a_minute", "malformed_high_a_minute"],
    since: "0.1.0",
}

pub(crate) fn new(policy: &Policy) -> Malformed {
    Malformed::new(&META, super::HEADER, policy)
}
