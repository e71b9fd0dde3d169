//! `QOS-NO-RTP`: calls that were answered and carry no media, between peers whose media the tap sees.

use hashbrown::{HashMap, HashSet};

use super::super::calls::CallSeen;
use super::super::lately::{Horizon, Lately};
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence, spoken_length};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::model::id::RecordKey;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Calls that were answered and lasted at least five seconds, with an RTP profile agreed on and
    /// never on hold, of which no RTP packet of either side was seen, while other calls between the
    /// same two peers have media.
    ///
    /// ## Why it matters
    /// Both sides hear nothing: a firewall, or addresses in SDP that nobody can reach. Callers pay
    /// for silence, or toll fraud tests which numbers answer.
    ///
    /// ## Evidence
    /// The INVITE of each such call, with how long it lasted.
    ///
    /// ## False positives
    /// Media of some calls takes another way than the tap's: bypass between the endpoints, another
    /// media server.
    ///
    /// ## Fix
    /// Compare the media addresses in offer and answer with those of a call that works.
    id: "QOS-NO-RTP",
    name: "qos-no-rtp",
    title: "Answered calls have no media",
    severity: Medium ..= Medium,
    status: Preview,
    wants: [CALL, STREAM],
    references: ["RFC 3264 §5.1", "RFC 3550 §5.1"],
    remediation: super::FIX,
    question: Some("QOS"),
    thresholds: ["no_rtp_s"],
    since: "0.1.0",
}

/// Tally: the longest of the calls, ms.
const LONGEST: usize = 0;

/// A call that may be without media.
#[derive(Copy, Clone, Debug)]
struct Silent {
    pair: Subject,
    at: FrameRef,
    talk_ms: u64,
}

/// The rule at work.
pub(crate) struct NoRtp {
    /// Calls whose end came before that of any stream of theirs.
    silent: HashMap<RecordKey, Silent, foldhash::fast::FixedState>,
    /// Calls of which a stream ended while they were up.
    heard: Lately<RecordKey, ()>,
    horizon: Horizon,
    /// Peers between which calls have media.
    working: HashSet<Subject, foldhash::fast::FixedState>,
    cap: usize,
    least_s: u64,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> NoRtp {
    NoRtp {
        silent: HashMap::default(),
        heard: Lately::new(policy.limits.peers),
        horizon: Horizon::new(),
        working: HashSet::default(),
        cap: policy.limits.peers,
        least_s: policy.thresholds.media.no_rtp_s,
        evicted: 0,
    }
}

impl NoRtp {
    fn works(&mut self, pair: Subject) {
        if self.working.len() < self.cap {
            self.working.insert(pair);
        } else if !self.working.contains(&pair) {
            self.evicted += 1;
        }
    }
}

impl Detector for NoRtp {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn call(&mut self, seen: &CallSeen<'_>, _: &mut Sink) {
        let record = seen.record;
        let talk_ms = super::whole_ms(record.talk_s.unwrap_or(0.0) * 1e3);
        let media = &record.media;
        let rtp = media.answered.iter().any(|profile| profile.contains("RTP/"));
        let (Some(pair), true) = (seen.pair, rtp && media.holds.is_empty()) else { return };
        if talk_ms < self.least_s.saturating_mul(1_000) || &*record.via == "hep" {
            return;
        }
        if self.heard.get(&seen.key).is_some() {
            self.works(pair);
        } else if self.silent.len() < self.cap && self.horizon.reaches(record.start) {
            self.silent.insert(seen.key, Silent { pair, at: seen.first(), talk_ms });
        } else {
            self.evicted += 1;
        }
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, _: &mut Sink) {
        let Some(call) = seen.call.filter(|_| !seen.lookalike) else { return };
        match self.silent.remove(&call) {
            Some(Silent { pair, .. }) => self.works(pair),
            // Streams end a minute after their last packet, nearly always behind their call.
            None if seen.around.over.is_none() => {
                let full = self.heard.turns(call, ());
                self.horizon.put(full, seen.record.last);
            }
            None => {}
        }
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        let silent = self.silent.iter().filter(|(_, of)| self.working.contains(&of.pair));
        let mut found: Vec<_> = silent.map(|(call, of)| (*call, *of)).collect();
        found.sort_by_key(|(call, of)| (of.at.time, of.at.frame, call.id));
        for (call, Silent { pair, at, talk_ms }) in found {
            let sighting = Sighting::new(&META, pair, at).confidence(Confidence::Medium);
            sink.sighting(sighting, |_| {
                let lasted = spoken_length(talk_ms);
                (sentence!("INVITE of a call of {lasted} without any RTP"), None)
            })
            .most(LONGEST, talk_ms)
            .call(Some(call));
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let longest = entry.tally(LONGEST);
        Words {
            summary: sentence!(
                "{} between {} had no RTP either way, for up to {}; other calls between them have.",
                plural(entry.count, "answered call"),
                entry.subject.spoken(),
                spoken_length(longest),
            ),
            parameters: vec![
                ("no_rtp_s", Figure::Count(self.least_s)),
                ("calls", Figure::Count(entry.count)),
                ("longest_ms", Figure::Count(longest)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        // Where no call has media, nothing would have been found.
        ("silent_calls", if self.working.is_empty() { 0 } else { self.evicted })
    }
}
