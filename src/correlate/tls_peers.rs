//! What each server and each client of TLS and DTLS accepts and refuses, over all its handshakes.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use overhear_parsers::tls::client_hello::rank;

use super::handshake::{HandshakeRead, alert_name};
use super::tls_grade::Observed;
use crate::model::addr::Endpoint;
use crate::model::code_point::{CipherSuite, Group, Version};
use crate::model::handshake::{Ending, Outcome, Peer};
use crate::model::record::HandshakeKind;
use crate::model::tls_peer::{Accepted, Refusal, TlsPeerRecord};

/// The table's name among what was evicted.
pub const TABLE: &str = "tls_peers";

/// Different versions, suites, groups and refusals kept of a peer.
const KINDS: usize = 32;

/// A server by address and port, or a client by address, of TLS or of DTLS.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
struct Who {
    role: Peer,
    kind: HandshakeKind,
    /// A client's port is 0.
    at: Endpoint,
}

/// What was seen of one.
#[derive(Debug, Default)]
struct Entry {
    outcomes: [u64; 3],
    versions: Counts<u16>,
    suites: Counts<u16>,
    groups: Counts<u16>,
    refusals: Counts<(u16, Why)>,
    observed: Observed,
}

/// Why a handshake was refused.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Why {
    Alert(u8),
    Ending(Ending),
}

/// Few things with how often each was seen.
#[derive(Debug)]
struct Counts<T>(Vec<(T, u64)>);

impl<T> Default for Counts<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Counts<T> {
    fn note(&mut self, thing: T) {
        if let Some((_, count)) = self.0.iter_mut().find(|(known, _)| *known == thing) {
            *count = count.saturating_add(1);
        } else if self.0.len() < KINDS {
            self.0.push((thing, 1));
        }
    }
}

impl Counts<u16> {
    fn named(&self, name: impl Fn(u16) -> String) -> BTreeMap<String, u64> {
        self.0.iter().map(|(code, count)| (name(*code), *count)).collect()
    }
}

/// All peers.
#[derive(Debug)]
pub struct TlsPeers {
    entries: HashMap<Who, Entry, FixedState>,
    cap: usize,
    evicted: u64,
}

impl TlsPeers {
    /// Room for so many servers and clients; handshakes of further ones are counted as given up.
    pub fn new(cap: usize) -> Self {
        Self { entries: HashMap::default(), cap, evicted: 0 }
    }

    /// Handshakes of peers for which there was no room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Notes a handshake with both its ends.
    pub fn handshake(&mut self, read: &HandshakeRead<'_>) {
        let facts = read.facts;
        let client = Endpoint::new(facts.client.addr, 0);
        for (role, at) in [(Peer::Server, facts.server), (Peer::Client, client)] {
            let who = Who { role, kind: facts.kind, at };
            if self.entries.len() >= self.cap && !self.entries.contains_key(&who) {
                self.evicted = self.evicted.saturating_add(1);
            } else {
                self.entries.entry(who).or_default().note(read);
            }
        }
    }

    /// All peers, servers first, by address.
    pub fn finish(self) -> Vec<TlsPeerRecord> {
        let mut all: Vec<(&Who, &Entry)> = self.entries.iter().collect();
        all.sort_by_key(|(who, _)| {
            let client = who.role == Peer::Client;
            (client, who.kind == HandshakeKind::Dtls, *who.at.addr.octets(), who.at.port)
        });
        all.into_iter().map(|(who, entry)| entry.record(who)).collect()
    }
}

impl Entry {
    fn note(&mut self, read: &HandshakeRead<'_>) {
        let facts = read.facts;
        let [completed, refused, incomplete] = &mut self.outcomes;
        match facts.outcome {
            Outcome::Completed => *completed += 1,
            Outcome::Refused => *refused += 1,
            Outcome::Incomplete => *incomplete += 1,
        }
        if facts.outcome == Outcome::Completed {
            self.observed.handshake(read);
            read.version().into_iter().for_each(|version| self.versions.note(version));
            read.answer.iter().for_each(|answer| self.suites.note(answer.suite));
            read.group().into_iter().for_each(|group| self.groups.note(group));
        } else if facts.outcome == Outcome::Refused {
            let offered = read.hello.map_or(0, |hello| hello.highest_version());
            let why = match (facts.ending, facts.alert) {
                (Ending::Alert, Some((alert, _))) => Why::Alert(alert.description),
                (ending, _) => Why::Ending(ending),
            };
            self.refusals.note((offered, why));
        }
    }

    fn record(&self, who: &Who) -> TlsPeerRecord {
        let [completed, refused, incomplete] = self.outcomes;
        let grade = self.observed.grade();
        let mut refusals: Vec<&((u16, Why), u64)> = self.refusals.0.iter().collect();
        refusals.sort_by_key(|((offered, _), _)| std::cmp::Reverse(rank(*offered)));
        TlsPeerRecord {
            role: who.role.word(),
            kind: who.kind.word(),
            address: match who.role {
                Peer::Server => who.at.to_string(),
                Peer::Client => who.at.addr.to_string(),
            },
            handshakes: completed + refused + incomplete,
            completed,
            refused,
            incomplete,
            accepted: Accepted {
                versions: self.versions.named(|code| Version(code).to_string()),
                ciphers: self.suites.named(|code| CipherSuite(code).to_string()),
                groups: self.groups.named(|code| Group(code).to_string()),
            },
            refusals: refusals.into_iter().map(refusal).collect(),
            grade: grade.map_or("not observed", |(grade, _)| grade.word()),
            score: grade.map(|(_, score)| score),
            grade_reasons: self.observed.reasons().collect(),
            confidence: match completed {
                0 => None,
                1..5 => Some("low"),
                5..50 => Some("medium"),
                _ => Some("high"),
            },
        }
    }
}

fn refusal(((offered, why), count): &((u16, Why), u64)) -> Refusal {
    Refusal {
        offered: Version(*offered).to_string(),
        reason: match why {
            Why::Alert(description) => alert_name(*description).into_owned(),
            Why::Ending(ending) => ending.word().to_owned(),
        },
        count: *count,
    }
}
