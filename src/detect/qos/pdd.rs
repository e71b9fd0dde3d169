//! `QOS-PDD`: callers that wait long until something rings (RFC 6076 §4.3).

use hashbrown::HashMap;

use super::super::calls::CallSeen;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::CaptureSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence, spoken_length};
use crate::model::evidence::FrameRef;
use crate::model::finding::Figure;
use crate::model::id::RecordKey;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Peers between which more than one call in twenty waits longer than six seconds from INVITE
    /// to 180, 183 or the answer (the 95th percentile of the post-dial delay). Calls that never
    /// rang do not count, and a handful of calls is not judged.
    ///
    /// ## Why it matters
    /// Callers hear silence and hang up, or dial again.
    ///
    /// ## Evidence
    /// The INVITE of the call that waited longest.
    ///
    /// ## False positives
    /// Destinations that are slow by nature: mobiles that have to be found, calls abroad.
    ///
    /// ## Fix
    /// See on which hop the time goes: DNS, routes that are tried one after the other, or a carrier.
    id: "QOS-PDD",
    name: "qos-pdd",
    title: "Calls take long until they ring",
    severity: Info ..= Info,
    status: Stable,
    wants: [CALL],
    references: ["RFC 6076 §4.3"],
    remediation: "Compare the time of INVITE and 180 at each hop; shorten timers of routes that are tried in vain, and remove destinations that do not answer.",
    question: Some("QOS"),
    thresholds: ["pdd_ms", "pdd_min_calls"],
    since: "0.1.0",
}

/// Tally: calls that rang; those above the threshold; the longest wait, ms.
const CALLS: usize = 0;
const SLOW: usize = 1;
const LONGEST: usize = 2;

/// One call in so many may be slow.
const ONE_IN: u64 = 20;

/// The calls of one pair of peers.
#[derive(Copy, Clone, Debug)]
struct Waits {
    calls: u64,
    slow: u64,
    longest_ms: u64,
    call: RecordKey,
    at: FrameRef,
}

/// The rule at work.
pub(crate) struct Pdd {
    pairs: HashMap<Subject, Waits, foldhash::fast::FixedState>,
    cap: usize,
    limit_ms: u64,
    least: u64,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> Pdd {
    Pdd {
        pairs: HashMap::default(),
        cap: policy.limits.peers,
        limit_ms: policy.thresholds.media.pdd_ms,
        least: policy.thresholds.media.pdd_min_calls,
        evicted: 0,
    }
}

impl Detector for Pdd {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn call(&mut self, seen: &CallSeen<'_>, _: &mut Sink) {
        let record = seen.record;
        let rang = record.ring_ms.is_some() || record.answer.is_some();
        let Some((setup_ms, pair)) = record.setup_ms.filter(|_| rang).zip(seen.pair) else {
            return;
        };
        if self.pairs.len() >= self.cap && !self.pairs.contains_key(&pair) {
            self.evicted += 1;
            return;
        }
        let (call, at) = (seen.key, seen.first());
        let none = Waits { calls: 0, slow: 0, longest_ms: 0, call, at };
        let waits = self.pairs.entry(pair).or_insert(none);
        let wait = super::whole_ms(setup_ms);
        waits.calls += 1;
        waits.slow += u64::from(wait > self.limit_ms);
        if wait > waits.longest_ms {
            (waits.longest_ms, waits.call, waits.at) = (wait, call, at);
        }
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        let slow = |waits: &Waits| waits.calls >= self.least && waits.slow * ONE_IN > waits.calls;
        let pairs = self.pairs.iter().filter(|(_, waits)| slow(waits));
        let mut found: Vec<_> = pairs.map(|(pair, waits)| (*pair, *waits)).collect();
        found.sort_by_key(|(pair, waits)| (waits.at.time, waits.at.frame, pair.hash64()));
        for (pair, waits) in found {
            sink.sighting(Sighting::new(&META, pair, waits.at), |_| {
                (sentence!("INVITE that waited {}", spoken_length(waits.longest_ms)), None)
            })
            .times(waits.slow)
            .add(CALLS, waits.calls)
            .add(SLOW, waits.slow)
            .most(LONGEST, waits.longest_ms)
            .call(Some(waits.call));
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (calls, slow, longest) = (entry.tally(CALLS), entry.tally(SLOW), entry.tally(LONGEST));
        Words {
            summary: sentence!(
                "{slow} of {} between {} waited longer than {} until they rang, one of them {}.",
                plural(calls, "call"),
                entry.subject.spoken(),
                spoken_length(self.limit_ms),
                spoken_length(longest),
            ),
            parameters: vec![
                ("pdd_ms", Figure::Count(self.limit_ms)),
                ("calls", Figure::Count(calls)),
                ("slow_calls", Figure::Count(slow)),
                ("longest_ms", Figure::Count(longest)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("delay_pairs", self.evicted)
    }
}
