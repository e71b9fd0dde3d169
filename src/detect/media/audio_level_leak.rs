//! `MEDIA-AUDIO-LEVEL-LEAK`: audio levels in clear beside encrypted media (RFC 6464 §6).

use super::super::rule::rule;
use super::super::seen::StreamSeen;
use super::super::small::{Report, Small};
use super::secured::describe;
use crate::model::finding::Confidence;
use crate::model::finding::Severity;
use crate::model::record::Protection;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An encrypted stream of a call whose offer and answer both announce audio levels in header
    /// extensions (`ssrc-audio-level`, `csrc-audio-level`), neither encrypted by RFC 6904 nor with
    /// `a=cryptex`.
    ///
    /// ## Why it matters
    /// SRTP leaves header extensions readable. The level of every 20 ms tells who speaks when, and
    /// lets words be guessed.
    ///
    /// ## Evidence
    /// The stream, and that levels were agreed on.
    ///
    /// ## False positives
    /// A side may announce the extension and never send it.
    ///
    /// ## Fix
    /// Encrypt header extensions (RFC 9335, RFC 6904), or do not offer the extension outside of
    /// conferences.
    id: "MEDIA-AUDIO-LEVEL-LEAK",
    name: "media-audio-level-leak",
    title: "Loudness of encrypted speech can be read",
    severity: Low ..= Low,
    status: Preview,
    wants: [HIDDEN],
    references: ["RFC 6464 §6", "RFC 6904", "RFC 9335"],
    remediation: "Encrypt header extensions: RFC 9335 or RFC 6904. Use SRTCP with encryption, random per-session CNAMEs (RFC 7022), constant bit rate or padding (RFC 6562).",
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "stream", "how loud everybody speaks can be read").of_streams(judge)
}

fn judge(seen: &StreamSeen<'_>, report: &mut Report<'_>) {
    let hidden =
        matches!(seen.record.protection, Protection::EncryptedLike | Protection::SrtpProven);
    if hidden && seen.agreement.is_some_and(|agreement| agreement.levels) {
        report.unsure(Confidence::High);
        report.saw(Severity::Low, || describe(seen));
    }
}
