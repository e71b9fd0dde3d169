//! `SIP-MALFORMED-FRAMING`: messages whose ends are not where they say (RFC 3261 §18.3).

use super::super::rule::rule;
use super::Malformed;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A Content-Length that is no number, differs from another one, or says more than there is; none on
    /// a stream; headers without the empty line behind them; lines that end in LF or CR alone; a start
    /// line among the headers; a multipart body without its boundary. Low; medium from five a minute and
    /// source, high from fifty.
    ///
    /// ## Why it matters
    /// Where one reader sees one message another sees two, or none: what lies between them was checked by
    /// neither.
    ///
    /// ## Evidence
    /// A message for each kind of oddity, with its name and the sender.
    ///
    /// ## False positives
    /// A frame that the capture cut (see SENSOR-SNAPLEN: such messages are left out). Scripts that write LF.
    ///
    /// ## Fix
    /// Refuse it at the border; have the sender's software mended.
    id: "SIP-MALFORMED-FRAMING",
    name: "sip-malformed-framing",
    title: "Messages that do not end where they say",
    severity: Low ..= High,
    status: Stable,
    wants: [ODD],
    references: ["RFC 3261 §7.5", "RFC 3261 §18.3", "RFC 4475 §3.1.2"],
    remediation: super::FIX,
    question: Some("ROBUSTNESS"),
    thresholds: ["malformed_medium_a_minute", "malformed_high_a_minute"],
    since: "0.1.0",
}

pub(crate) fn new(policy: &Policy) -> Malformed {
    Malformed::new(&META, super::FRAMING, policy)
}
