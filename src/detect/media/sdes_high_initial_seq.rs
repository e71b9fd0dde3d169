//! `MEDIA-SDES-HIGH-INITIAL-SEQ`: first sequence numbers that make the rollover counter uncertain (RFC 4568 §6.4).

use super::super::rule::rule;
use super::super::seen::StreamSeen;
use super::super::small::{Report, Small};
use super::super::text::sentence;
use super::secured::describe;
use crate::model::finding::Confidence;
use crate::model::finding::Severity;
use crate::model::record::Protection;
use crate::model::time::Span;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An encrypted stream of a call that agreed on `a=crypto`, whose first packet came within 5
    /// seconds of the answer and has a sequence number of 32,768 or more.
    ///
    /// ## Why it matters
    /// SDES does not tell the receiver how often the sequence number has wrapped. Where a stream
    /// begins in the upper half and its first packets are lost, the receiver counts a wrap too few,
    /// and all packets fail to authenticate.
    ///
    /// ## Evidence
    /// The stream with its first number.
    ///
    /// ## False positives
    /// A stream that goes on from before, as after a re-INVITE, may have any number; so may one
    /// whose beginning is not in the capture.
    ///
    /// ## Fix
    /// Have the sender choose its first number below 32,768.
    id: "MEDIA-SDES-HIGH-INITIAL-SEQ",
    name: "media-sdes-high-initial-seq",
    title: "SRTP keyed by SDES begins with a high sequence number",
    severity: Info ..= Info,
    status: Preview,
    wants: [HIDDEN],
    references: ["RFC 4568 §6.4"],
    remediation: super::SDES_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// How far from the answer a stream begins that begins with it.
const AT_ONCE: Span = Span::from_secs(5);

/// The rule at work.
pub(crate) const fn new(_: &Policy) -> Small {
    Small::new(&META, "stream", "the first loss may desynchronise sender and receiver")
        .of_streams(judge)
}

fn judge(seen: &StreamSeen<'_>, report: &mut Report<'_>) {
    let hidden =
        matches!(seen.record.protection, Protection::EncryptedLike | Protection::SrtpProven);
    let agreed = seen.agreement.filter(|agreement| agreement.sdes);
    let (Some(agreed), Some(ended)) = (agreed.filter(|_| hidden), seen.around.ended) else {
        return;
    };
    let after = seen.record.first.since(agreed.at.time);
    let begins = after.nanos().saturating_abs() <= AT_ONCE.nanos() && ended.restarts == 0;
    let (lowest, _) = ended.run;
    if begins && lowest >= 0x8000 {
        report.unsure(Confidence::High);
        report.saw(Severity::Info, || sentence!("{}; first number {lowest}", describe(seen)));
    }
}
