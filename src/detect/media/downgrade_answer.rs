//! `MEDIA-DOWNGRADE-ANSWER`: answers that take security away (RFC 3264 §6, RFC 5939).

use super::super::negotiation::MediaLine;
use super::super::negotiation::NegotiationSeen;
use super::super::rule::rule;
use super::super::small::{Report, Small};
use super::super::text::{printable, sentence};
use crate::model::finding::Severity;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An answer that accepts plain RTP where security was offered. High: the m-line offered a
    /// secure profile and its answer names `RTP/AVP`, which RFC 3264 does not allow. Medium: of a
    /// secure and a plain m-line for one medium the plain one was taken; or the secure profile was
    /// a capability (RFC 5939) and the answer chose none.
    ///
    /// ## Why it matters
    /// Media of the call flows in clear although the caller could do better. Somebody who can
    /// change signalling brings this about by removing a line.
    ///
    /// ## Evidence
    /// The answer, with both profiles.
    ///
    /// ## False positives
    /// The two forms at medium are allowed, and policy of gateways towards networks without
    /// encryption.
    ///
    /// ## Fix
    /// Make the answering side accept the secure profile, or the offering side refuse calls without
    /// it.
    id: "MEDIA-DOWNGRADE-ANSWER",
    name: "media-downgrade-answer",
    title: "A secure offer was answered without security",
    severity: Medium ..= High,
    status: Preview,
    wants: [NEGOTIATION],
    references: ["RFC 3264 §6", "RFC 5939 §3.6", "RFC 8643"],
    remediation: super::DOWNGRADE_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "answer", "the call fell back to plain media").of_negotiations(judge)
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for (offered, answered) in seen.answers().filter(|(_, answered)| answered.plain()) {
        let Some(offered) = offered else { continue };
        let profile = |of: &MediaLine<'_>| printable(of.media.proto, 32).to_string();
        if offered.secure {
            let what = || sentence!("{} was answered with {}", profile(offered), profile(answered));
            report.saw(Severity::High, what);
        } else if offered.could_be_secure && !answered.actual {
            let what = || "a secure profile was a capability, and none was chosen".to_owned();
            report.saw(Severity::Medium, what);
        } else if is_second_choice(seen, offered.media.kind) {
            let what =
                || sentence!("of a secure and a plain m-line {} was taken", profile(answered));
            report.saw(Severity::Medium, what);
        }
    }
}

/// Whether a secure m-line of this kind was offered, and refused by port 0.
fn is_second_choice(seen: &NegotiationSeen<'_>, kind: &[u8]) -> bool {
    seen.answers().any(|(offered, answered)| {
        offered.is_some_and(|of| of.secure && of.accepted() && of.media.kind == kind)
            && !answered.accepted()
    })
}
