//! `SIP-MALFORMED-START`: start lines that break the grammar (RFC 3261 §7.1).

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::SipSeen;
use super::super::sink::{Entry, Sink};
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

/// The rule at work.
pub(crate) struct MalformedStart(Malformed);

pub(crate) fn new(policy: &Policy) -> MalformedStart {
    MalformedStart(Malformed::new(&META, super::START, policy))
}

impl Detector for MalformedStart {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, sink: &mut Sink) {
        self.0.sip(seen, sink);
    }

    fn summarise(&self, entry: &Entry) -> Words {
        self.0.summarise(entry)
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("malformed_sources", self.0.rates.evicted())
    }
}
