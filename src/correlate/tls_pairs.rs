//! How good the TLS between two hosts is, over all their handshakes, whoever began them.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::tls_grade::{Mark, Observation, Observed, Verdict};
use super::tls_peers::confidence;
use crate::model::addr::Addr;
use crate::model::handshake::{HandshakeFacts, Outcome};
use crate::model::tls_peer::{CapRecord, Next, TlsPairRecord};

/// What else is known of a pair when everything has been seen.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What findings about it say of its grade.
    pub marks: Vec<Mark>,
    /// What is not known, in words.
    pub unseen: Vec<&'static str>,
}

/// What was seen of one pair.
#[derive(Debug, Default)]
struct Pair {
    outcomes: [u64; 3],
    /// The smaller address, and the other, took connections.
    served: [bool; 2],
    observed: Observed,
}

/// All pairs, the smaller address first.
#[derive(Debug)]
pub(super) struct Pairs {
    seen: HashMap<(Addr, Addr), Pair, FixedState>,
    cap: usize,
    evicted: u64,
}

fn sorted(one: Addr, other: Addr) -> (Addr, Addr) {
    if one.octets() <= other.octets() { (one, other) } else { (other, one) }
}

impl Pairs {
    pub(super) fn new(cap: usize) -> Self {
        Self { seen: HashMap::default(), cap, evicted: 0 }
    }

    /// Handshakes of pairs for which there was no room.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Notes a handshake over TCP.
    pub(super) fn handshake(&mut self, facts: &HandshakeFacts, seen: Option<&Observation>) {
        let key = sorted(facts.client.addr, facts.server.addr);
        if self.seen.len() >= self.cap && !self.seen.contains_key(&key) {
            self.evicted = self.evicted.saturating_add(1);
            return;
        }
        let pair = self.seen.entry(key).or_default();
        let [completed, refused, incomplete] = &mut pair.outcomes;
        let count = match facts.outcome {
            Outcome::Completed => completed,
            Outcome::Refused => refused,
            Outcome::Incomplete => incomplete,
        };
        *count = count.saturating_add(1);
        let [low, high] = &mut pair.served;
        let served = if facts.server.addr == key.0 { low } else { high };
        // Who only refuses is asked, and serves nobody.
        *served |= facts.outcome == Outcome::Completed;
        if let Some(seen) = seen {
            pair.observed.note(seen);
        }
    }

    /// All pairs by address; `known` tells what else there is to say of each.
    pub(super) fn finish(self, known: impl Fn(Addr, Addr) -> Known) -> Vec<TlsPairRecord> {
        let mut all: Vec<((Addr, Addr), Pair)> = self.seen.into_iter().collect();
        all.sort_by_key(|((a, b), _)| (*a.octets(), *b.octets()));
        all.iter().map(|((a, b), pair)| pair.record(*a, *b, known(*a, *b))).collect()
    }
}

impl Pair {
    fn record(&self, a: Addr, b: Addr, known: Known) -> TlsPairRecord {
        let [completed, refused, incomplete] = self.outcomes;
        let verdict = self.observed.verdict(&known.marks);
        let caps = verdict.iter().flat_map(|verdict| &verdict.caps);
        let mut unseen = known.unseen;
        if self.observed.hidden() > 0 {
            unseen.push("certificates, and whether clients show one: TLS 1.3 hides them");
        }
        let served = ["a", "b"].into_iter().zip(self.served);
        TlsPairRecord {
            a: a.to_string(),
            b: b.to_string(),
            servers: served.filter(|(_, served)| *served).map(|(name, _)| name).collect(),
            handshakes: completed.saturating_add(refused).saturating_add(incomplete),
            completed,
            refused,
            incomplete,
            caps: caps.map(cap).collect(),
            grade: verdict.as_ref().map_or("not observed", |verdict| verdict.grade.word()),
            score: verdict.as_ref().and_then(|verdict| verdict.score),
            next: verdict.as_ref().and_then(next),
            unseen,
            confidence: confidence(completed),
        }
    }
}

fn cap(mark: &Mark) -> CapRecord {
    let Mark { cap, count } = mark;
    CapRecord { grade: cap.grade.word(), reason: cap.reason, count: *count }
}

/// What would raise a grade, as the report prints it.
fn next(verdict: &Verdict) -> Option<Next> {
    let (grade, by) = verdict.next.as_ref()?;
    Some(Next { grade: grade.word(), by: by.clone() })
}
