//! `MEDIA-DOWNGRADE-REINVITE`: re-INVITEs that take security away (RFC 3264 §8).

use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::speaker;
use super::super::small::{Report, Small};
use crate::correlate::exchange::Notes;
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An answer within a call that accepts plain RTP without any keying, between two hosts that
    /// had agreed on a secure profile or on keys for it before.
    ///
    /// ## Why it matters
    /// The rest of the call can be listened to, while the users may still see a closed lock.
    ///
    /// ## Evidence
    /// The answer that lets plain media in.
    ///
    /// ## False positives
    /// A music server that hold or a queue brings in may have no SRTP. A change to T.38 for a fax
    /// is not reported: its m-line is no RTP.
    ///
    /// ## Fix
    /// Require a secure profile in every offer of the call, not only in the first.
    id: "MEDIA-DOWNGRADE-REINVITE",
    name: "media-downgrade-reinvite",
    title: "A secured call was renegotiated to plain media",
    severity: High ..= High,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 3264 §8", "RFC 3711"],
    remediation: super::DOWNGRADE_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "answer", "calls that were secured went on in clear").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    let Some(answer) = seen.exchange.answer() else { return };
    let notes = answer.notes;
    let secured = notes.has(Notes::SECURE) || notes.has(Notes::KEYED);
    if seen.exchange.secured_before && notes.has(Notes::PLAIN) && !secured {
        report.saw(Severity::High, || {
            speaker(answer) + " accepts plain RTP in a call that was secured"
        });
    }
}
