//! How good the TLS between two hosts is, over all their handshakes, whoever began them.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::handshake::HandshakeRead;
use super::tls_grade::{Mark, Observation, Observed, Verdict};
use super::tls_named::{Named, Names};
use super::tls_peers::confidence;
use crate::model::addr::{Addr, Endpoint};
use crate::model::handshake::Outcome;
use crate::model::tls_peer::{AnnouncedServer, CapRecord, Next, TlsPairRecord};

/// Servers of a pair, each with the name it was asked for, that are held against what signalling names.
const SERVERS: usize = 4;

/// What else is known of a pair when everything has been seen.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What findings about it say of its grade.
    pub marks: Vec<Mark>,
    /// There was SIP in clear between them.
    pub clear: bool,
    /// What is not known, in words.
    pub unseen: Vec<&'static str>,
    /// Its servers that signalling names.
    pub announced: Vec<AnnouncedServer>,
}

/// What was seen of one pair.
#[derive(Debug, Default)]
struct Pair {
    outcomes: [u64; 3],
    /// The smaller address, and the other, took connections.
    served: [bool; 2],
    observed: Observed,
    /// Messages of SIP inside that could be read.
    inside: u64,
    /// Handshakes that name SIP as what they carry (ALPN), and those that name something else alone.
    named: [u64; 2],
    /// Who was asked, by which name.
    asked: Vec<(Endpoint, Option<Box<str>>)>,
    /// Digests inside: with MD5 or anything else, and with SHA-256.
    digests: [u64; 2],
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
    pub(super) fn handshake(&mut self, read: &HandshakeRead<'_>, seen: Option<&Observation>) {
        let facts = read.facts;
        let key = sorted(facts.client.addr, facts.server.addr);
        let full = self.seen.len() >= self.cap;
        let pair = match self.seen.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if full => {
                self.evicted = self.evicted.saturating_add(1);
                return;
            }
            Entry::Vacant(place) => place.insert(Pair::default()),
        };
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
        let (server, asked) = (facts.server, read.server_name());
        let is = |of: &(Endpoint, Option<Box<str>>)| of.0 == server && of.1.as_deref() == asked;
        if pair.asked.len() < SERVERS && !pair.asked.iter().any(is) {
            pair.asked.push((server, asked.map(Box::from)));
        }
        if let Some(is_sip) = read.names_sip() {
            let [sip, other] = &mut pair.named;
            let count = if is_sip { sip } else { other };
            *count = count.saturating_add(1);
        }
    }

    /// Notes a message of SIP inside the TLS of a pair.
    pub(super) fn inside(&mut self, one: Addr, other: Addr) {
        if let Some(pair) = self.seen.get_mut(&sorted(one, other)) {
            pair.inside = pair.inside.saturating_add(1);
        }
    }

    /// Notes a digest inside the TLS of a pair.
    pub(super) fn digest(&mut self, client: Addr, server: Addr, is_sha2: bool) {
        if let Some(pair) = self.seen.get_mut(&sorted(client, server)) {
            let [other, sha2] = &mut pair.digests;
            let count = if is_sha2 { sha2 } else { other };
            *count = count.saturating_add(1);
        }
    }

    /// All pairs by address; `known` tells what else there is to say of each.
    pub(super) fn finish(self, named: &Named, known: impl Fn(Addr, Addr) -> Known) -> SeenPairs {
        let all = self.seen.into_iter().map(|((a, b), mut pair)| {
            let announced = pair.announced(named);
            (a, b, pair, Known { announced, ..known(a, b) })
        });
        let mut all: Vec<(Addr, Addr, Pair, Known)> = all.collect();
        all.sort_unstable_by_key(|(a, b, ..)| (*a.octets(), *b.octets()));
        SeenPairs(all)
    }
}

/// All pairs by address, with what else is known of them.
#[derive(Debug, Default)]
pub(super) struct SeenPairs(Vec<(Addr, Addr, Pair, Known)>);

impl SeenPairs {
    /// As the report prints them.
    pub(super) fn records(&self) -> impl Iterator<Item = TlsPairRecord> + '_ {
        self.0.iter().map(|(a, b, pair, known)| pair.record(*a, *b, known))
    }
}

impl Pair {
    /// Its servers that signalling names; the others are forgotten.
    fn announced(&mut self, named: &Named) -> Vec<AnnouncedServer> {
        let all = std::mem::take(&mut self.asked).into_iter().filter_map(|(server, asked)| {
            let by_address = named.of(server, None);
            let told = by_address.or_else(|| named.of(server, asked.as_deref()))?;
            Some(AnnouncedServer {
                server: server.to_string(),
                name: asked.filter(|_| by_address.is_none()).map(String::from),
                carries: told.names.word(),
                by: told.by,
                source: told.at.frame.source,
                frame: told.at.frame.number,
            })
        });
        let mut all: Vec<AnnouncedServer> = all.collect();
        all.dedup();
        all
    }

    fn record(&self, a: Addr, b: Addr, known: &Known) -> TlsPairRecord {
        let [completed, refused, incomplete] = self.outcomes;
        let [other, sha2] = self.digests;
        let verdict = self.observed.verdict(&known.marks, sha2 > 0 && other == 0);
        let caps = verdict.iter().flat_map(|verdict| &verdict.caps);
        let mut unseen = known.unseen.clone();
        if self.observed.hidden() > 0 {
            unseen.push("certificates, and whether clients show one: TLS 1.3 hides them");
        }
        let clear = known.clear;
        let is_named = |names: Names| known.announced.iter().any(|of| of.carries == names.word());
        let [sip, other] = self.named;
        let carries = [
            (self.inside > 0, "SIP inside, which could be read"),
            (sip > 0, "SIP by ALPN"),
            (clear, "SIP in clear between the two"),
            (is_named(Names::Sip), "SIP at a server that signalling names"),
            (is_named(Names::Media), "media at a server that SDP names"),
            (other > 0, "something else by ALPN"),
        ];
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
            carries: carries.into_iter().filter(|(seen, _)| *seen).map(|(_, word)| word).collect(),
            announced: known.announced.clone(),
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
