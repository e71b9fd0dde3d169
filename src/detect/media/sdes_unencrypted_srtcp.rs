//! `MEDIA-SDES-UNENCRYPTED-SRTCP`: SRTCP that only authenticates (RFC 4568 §6.3.2).

use super::super::lately::Lately;
use super::super::negotiation::NegotiationSeen;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::MediaSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::small::{Report, Small};
use super::super::text::{at_least, plural, sentence};
use super::sdes::{Fate, lines};
use crate::model::finding::{Figure, Severity};
use crate::model::id::RecordKey;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// An answer that chooses a line with the session parameter `UNENCRYPTED_SRTCP`; or, in a call whose
    /// answer chose any `a=crypto` line, a sender of SRTCP with E=0 (`MEDIA-SRTCP-E0`).
    ///
    /// ## Why it matters
    /// Reports of reception quality, names and SSRCs of the call can be read, although media
    /// cannot.
    ///
    /// ## Evidence
    /// The answer with the tag and the suite of the line; the third SRTCP packet with E=0.
    ///
    /// ## False positives
    /// Monitoring equipment that needs to read reports may ask for it. A line that was offered and
    /// not chosen is not reported.
    ///
    /// ## Fix
    /// Remove the parameter from the media security profile; give monitoring its own copy of the
    /// reports (RFC 6035).
    id: "MEDIA-SDES-UNENCRYPTED-SRTCP",
    name: "media-sdes-unencrypted-srtcp",
    title: "RTCP without encryption in a call keyed by SDES",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [NEGOTIATION, MEDIA],
    references: ["RFC 4568 §6.3.2", "RFC 3711 §3.4"],
    remediation: super::SDES_FIX,
    question: None,
    thresholds: [],
    since: "0.1.0",
}

/// Tally: senders of SRTCP with E=0.
const SENDERS: usize = 0;

/// The rule at work.
pub(crate) struct SdesUnencryptedSrtcp {
    answers: Small,
    /// Calls that are keyed by SDES.
    keyed: Lately<RecordKey, ()>,
}

pub(crate) fn new(policy: &Policy) -> SdesUnencryptedSrtcp {
    let answers = Small::new(&META, "", "").of_negotiations(judge);
    SdesUnencryptedSrtcp { answers, keyed: Lately::new(policy.limits.peers) }
}

impl Detector for SdesUnencryptedSrtcp {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn negotiation(&mut self, seen: &NegotiationSeen<'_>, sink: &mut Sink) {
        if lines(seen).any(|line| line.fate == Fate::Accepted) {
            self.keyed.put(seen.exchange.call, ());
        }
        self.answers.negotiation(seen, sink);
    }

    fn media(&mut self, seen: &MediaSeen<'_>, sink: &mut Sink) {
        let MediaSeen::SrtcpClear { src, dst, at, ssrc, call } = *seen else { return };
        let Some(call) = call.filter(|call| self.keyed.get(call).is_some()) else { return };
        let sighting = Sighting::new(&META, Subject::pair(src.addr, dst.addr), at).kind(1);
        let what = || sentence!("SRTCP {src} to {dst}, SSRC {ssrc:#010x}: E is 0");
        let _ = sink.sighting(sighting, |_| (what(), None)).add(SENDERS, 1).call(Some(call));
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let senders = entry.tally(SENDERS);
        let answers = entry.count.saturating_sub(senders);
        let mut parts = Vec::new();
        if answers > 0 {
            parts.push(sentence!("{} with UNENCRYPTED_SRTCP", plural(answers, "answer")));
        }
        if senders > 0 {
            parts.push(sentence!("{} of SRTCP with E=0", plural(senders, "sender")));
        }
        Words {
            summary: sentence!(
                "{} in {}{} between {}: reports about the calls can be read.",
                parts.join(" and "),
                at_least(entry.exhausted),
                plural(entry.calls, "call"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("answers", Figure::Count(answers)),
                ("senders", Figure::Count(senders)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("keyed_calls", self.keyed.evicted())
    }
}

fn judge(seen: &NegotiationSeen<'_>, report: &mut Report<'_>) {
    for line in lines(seen).filter(|line| line.fate == Fate::Accepted) {
        if line.asks(b"UNENCRYPTED_SRTCP") {
            report.within(line.statement).saw(Severity::Medium, || line.spoken());
        }
    }
}
