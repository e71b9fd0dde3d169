//! `SIG-CLEAR-ON-5061`: SIP without TLS on port 5061 (RFC 3261 §18).

use super::super::kinds::SIPS_PORT;
use super::super::rule::rule;
use super::super::seen::SipSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::model::transport::Transport;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// SIP that could be read straight from a TCP connection whose server has port 5061.
    ///
    /// ## Why it matters
    /// 5061 is the port on which TLS is expected: whoever opened it for clear SIP, or made a
    /// connection to it without TLS, believes that it is encrypted.
    ///
    /// ## Evidence
    /// The first messages.
    ///
    /// ## False positives
    /// A load balancer or proxy that ends TLS and passes the connection on to the same port behind
    /// it.
    ///
    /// ## Fix
    /// Configure TLS on the listener, and refuse what does not begin with a handshake.
    id: "SIG-CLEAR-ON-5061",
    name: "sig-clear-on-5061",
    title: "Clear SIP on the port of TLS",
    severity: High ..= High,
    status: Preview,
    wants: [SIPS],
    references: ["RFC 3261 §18.1.1", "RFC 3261 §26.2.1"],
    remediation: super::FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "SIP message", "port 5061 carries SIP without TLS").of_sip(judge)
}

fn judge(seen: &SipSeen<'_>, report: &mut Report<'_>) {
    let event = seen.event;
    let server = if event.message.is_request() { event.dst } else { event.src };
    if event.transport == Transport::Tcp && !event.encrypted && server.port == SIPS_PORT {
        let what = || sentence!("{} in clear at port 5061", seen.describe());
        report.saw(Severity::High, what);
    }
}
