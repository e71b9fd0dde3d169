//! `SENSOR-ONE-SIDED`: two hosts of which the tap sees only one talking.

use overhear_parsers::sip::Method;

use super::super::ahead::Coming;
use super::super::by_hash::ByHash;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, SipSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::addr::Addr;
use crate::model::evidence::FrameRef;
use crate::model::fact::length;
use crate::model::finding::{Confidence, Figure};
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Two hosts between which many requests were seen and not one response to them, or many
    /// responses without one request. Retransmissions and ACK do not count.
    ///
    /// ## Why it matters
    /// The tap sees one direction only, so calls look unanswered, answers lack their offers, and
    /// whatever the other side said was not judged.
    ///
    /// ## Evidence
    /// The first of them, and the one that crossed the threshold.
    ///
    /// ## False positives
    /// A host that is down, or a scanner that nobody answers, leaves requests without responses
    /// too: then the other direction of other traffic is there.
    ///
    /// ## Fix
    /// Mirror both directions of the port, or capture where both pass.
    id: "SENSOR-ONE-SIDED",
    name: "sensor-one-sided",
    title: "Only one direction of the signalling was captured",
    severity: Low ..= Low,
    status: Stable,
    wants: [SIP],
    references: ["RFC 3261 §17"],
    remediation: super::FIX,
    question: None,
    thresholds: ["one_sided_transactions"],
    since: "0.1.0",
}

/// Tally: requests without a response; responses without a request.
const REQUESTS: usize = 0;
const RESPONSES: usize = 1;

/// Requests from one host to another, and the responses to them, while only one of both was seen.
#[derive(Copy, Clone, Debug, Default)]
struct Balance {
    asks: Addr,
    answers: Addr,
    requests: u32,
    /// Final responses: one per transaction.
    finals: u32,
    provisional: bool,
    first: FrameRef,
    crossed: FrameRef,
    last: FrameRef,
}

/// The rule at work.
pub(crate) struct OneSided {
    threshold: u64,
    cap: usize,
    /// By the hash of who asks and who answers: where the balance is, or [`ANSWERED`].
    pairs: ByHash<u32>,
    /// Few at a time, as a rule: nearly every pair answers soon.
    balances: Vec<Balance>,
    /// Places of `balances` that are not in use.
    free: Vec<u32>,
    /// Pairs seen in both directions: they need no more watching, and make room first.
    answered: usize,
    evicted: u64,
}

/// Stands for the balance of a pair that was seen in both directions.
const ANSWERED: u32 = u32::MAX;

impl Balance {
    fn is_answered(&self) -> bool {
        self.requests > 0 && (self.finals > 0 || self.provisional)
    }
}

impl OneSided {
    /// Forgets pairs that answered when the table is full of them. A sweep has to be worth it: a
    /// flood of silent pairs must not make every message one.
    #[inline]
    fn make_room(&mut self) {
        if self.pairs.len() >= self.cap && self.answered >= self.cap.div_ceil(4) {
            self.pairs.retain(|place| *place != ANSWERED);
            self.answered = 0;
        }
    }

    /// Where a balance that begins is to be put.
    fn place(&mut self, begun: Balance) -> u32 {
        if let Some(place) = self.free.pop()
            && let Some(free) = index(place).and_then(|index| self.balances.get_mut(index))
        {
            *free = begun;
            return place;
        }
        self.balances.push(begun);
        length(self.balances.len() - 1)
    }
}

fn index(place: u32) -> Option<usize> {
    usize::try_from(place).ok()
}

/// The hash of who asks whom.
fn direction(pair: Subject, asks: Addr, answers: Addr) -> u64 {
    pair.hash64() ^ u64::from(asks <= answers)
}

pub(crate) fn new(policy: &Policy) -> OneSided {
    OneSided {
        threshold: policy.thresholds.one_sided_transactions,
        cap: policy.limits.peers,
        pairs: ByHash::default(),
        balances: Vec::new(),
        free: Vec::new(),
        answered: 0,
        evicted: 0,
    }
}

impl Detector for OneSided {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn sip(&mut self, seen: &SipSeen<'_>, _: &mut Sink) {
        let event = seen.event;
        let message = &event.message;
        let status = message.status();
        if seen.placement.retransmission || (status.is_none() && message.method() == Method::Ack) {
            return;
        }
        let (asks, answers) = match status {
            None => (event.src.addr, event.dst.addr),
            Some(_) => (event.dst.addr, event.src.addr),
        };
        self.make_room();
        let hash = direction(seen.pair, asks, answers);
        let place = match self.pairs.get(hash) {
            Some(&ANSWERED) => return,
            Some(place) => *place,
            None if self.pairs.len() < self.cap => {
                let begun = Balance { asks, answers, first: event.at, ..Balance::default() };
                let place = self.place(begun);
                self.pairs.insert(hash, place);
                place
            }
            None => {
                self.evicted += 1;
                return;
            }
        };
        let Some(balance) = index(place).and_then(|place| self.balances.get_mut(place)) else {
            return;
        };
        match status {
            None => balance.requests = balance.requests.saturating_add(1),
            Some(..200) => balance.provisional = true,
            Some(_) => balance.finals = balance.finals.saturating_add(1),
        }
        balance.last = event.at;
        if u64::from(balance.requests.max(balance.finals)) <= self.threshold {
            balance.crossed = event.at;
        }
        if balance.is_answered() {
            *balance = Balance::default();
            self.free.push(place);
            self.answered += 1;
            if let Some(place) = self.pairs.get_mut(hash) {
                *place = ANSWERED;
            }
        }
    }

    #[inline]
    fn fetch(&self, coming: &Coming) {
        self.pairs.fetch(direction(coming.pair, coming.asks, coming.answers));
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        let mut found: Vec<Balance> = Vec::new();
        // What answered is all zero: neither side has said enough.
        for balance in std::mem::take(&mut self.balances) {
            let silent = balance.finals == 0 && !balance.provisional;
            let enough = |n: u32| u64::from(n) >= self.threshold;
            if (silent && enough(balance.requests))
                || (balance.requests == 0 && enough(balance.finals))
            {
                found.push(balance);
            }
        }
        found.sort_by_key(|b| (b.first.time, b.first.frame, b.asks, b.answers));
        for Balance { asks, answers, requests, finals, first, crossed, last, .. } in found {
            let sighting = Sighting::new(&META, Subject::pair(asks, answers), first)
                .confidence(Confidence::Medium)
                .kind(u32::from(requests == 0));
            sink.sighting(sighting, |_| {
                let what = if requests == 0 {
                    format!("first of {finals} responses of {answers} to {asks}, no request")
                } else {
                    format!("first of {requests} requests of {asks} to {answers}, no response")
                };
                (what, None)
            })
            .until(last)
            .alert(crossed)
            .times(u64::from(requests.max(finals)))
            .add(REQUESTS, u64::from(requests))
            .add(RESPONSES, u64::from(finals));
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let (requests, responses) = (entry.tally(REQUESTS), entry.tally(RESPONSES));
        let mut parts = Vec::new();
        if requests > 0 {
            parts.push(sentence!("{} without any response", plural(requests, "request")));
        }
        if responses > 0 {
            parts.push(sentence!("{} without any request", plural(responses, "final response")));
        }
        Words {
            summary: sentence!("Between {}: {}.", entry.subject.spoken(), parts.join(", ")),
            parameters: vec![
                ("one_sided_transactions", Figure::Count(self.threshold)),
                ("requests", Figure::Count(requests)),
                ("responses", Figure::Count(responses)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("peers", self.evicted)
    }
}
