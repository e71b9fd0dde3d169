//! `MEDIA-DTLS-SETUP-BAD`: `a=setup` of offer and answer that do not fit (RFC 8842 §5.3).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::seen::HandshakeSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use crate::model::finding::Severity;
use crate::policy::Policy;
use overhear_parsers::sdp::Setup;

rule! {
    /// ## What it detects
    /// An answer that accepts an m-line with DTLS-SRTP and says `a=setup:actpass`, or the same of
    /// `active` and `passive` as the offer, or `holdconn`. And a handshake between the sockets of a call
    /// that a side opened which had announced to be passive, or in which one was greeted that had announced
    /// to be active.
    ///
    /// ## Why it matters
    /// Who opens the handshake is left open or nobody does: calls without media, or, where products
    /// guess, two handshakes that cross.
    ///
    /// ## Evidence
    /// The answer with what both sides say, or the handshake.
    ///
    /// ## False positives
    /// An offer whose `a=setup` is missing counts as `active`, as RFC 4145 has it, and is not
    /// compared.
    ///
    /// ## Fix
    /// Update the side that wrote the answer.
    id: "MEDIA-DTLS-SETUP-BAD",
    name: "media-dtls-setup-bad",
    title: "The sides of a DTLS handshake do not fit together",
    severity: Low ..= Low,
    status: Preview,
    wants: [NEGOTIATION, HANDSHAKE],
    references: ["RFC 8842 §5.3", "RFC 4145 §4"],
    remediation: super::DTLS_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "contradiction", "who opens the handshake is not settled")
        .of_negotiations(judge)
        .of_handshakes(acted)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for (offered, answered) in seen.answers() {
        if !answered.accepted() || answered.fingerprints.is_empty() {
            continue;
        }
        let pair = (offered.and_then(|of| of.setup), answered.setup);
        let what = match pair {
            (_, Some(Setup::ActPass)) => "an answer that leaves the side open: actpass",
            (_, Some(Setup::HoldConn)) => "an answer that opens no connection: holdconn",
            (Some(Setup::Active), Some(Setup::Active)) => "both sides say active",
            (Some(Setup::Passive), Some(Setup::Passive)) => "both sides say passive",
            _ => continue,
        };
        report.saw(Severity::Low, || what.to_owned());
    }
}

/// Compares who acted with what both had announced.
fn acted(seen: &HandshakeSeen<'_>, report: &mut Report<'_>) {
    let known = seen.greeting.is_some_and(|greeting| greeting.known);
    let Some(announced) = seen.announced.filter(|_| known) else { return };
    let (client, server) = (seen.record.client, seen.record.server);
    let said = |socket| announced.at(socket).first().and_then(|of| of.setup);
    if said(server) == Some(Setup::Active) {
        report.saw(Severity::Low, || sentence!("{server} says active and is greeted by {client}"));
    }
    if said(client) == Some(Setup::Passive) {
        report.saw(Severity::Low, || sentence!("{client} says passive and greets {server}"));
    }
}
