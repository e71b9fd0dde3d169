//! What each server and each client of TLS and DTLS accepts and refuses, over all its handshakes, and
//! what clients do when they were refused.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry as Place;
use overhear_parsers::tls::ClientHello;
use overhear_parsers::tls::client_hello::rank;

use super::handshake::{HandshakeRead, alert_name};
use super::quic_seen::QuicSeen;
use super::tls_after::{After, Afterwards, Refused, Waiting};
use super::tls_grade::{Observation, Observed};
use super::tls_named::Named;
use super::tls_offers::{AllOffers, PeerOffers};
use super::tls_pairs::{Pairs, SeenPairs};
use crate::model::addr::{Addr, Endpoint};
use crate::model::code_point::{CipherSuite, Group, Scheme, Version};
use crate::model::handshake::{Ending, HandshakeFacts, Outcome, Peer};
use crate::model::record::HandshakeKind;
use crate::model::time::{Span, Ts};
use crate::model::tls_peer::{
    CodePoints, Counted, QuicRecord, Refusal, TlsOfferRecord, TlsPairRecord, TlsPeerRecord,
};

pub use super::tls_pairs::Known;

/// The tables' names among what was evicted.
const PEERS: &str = "tls_peers";
const PAIRS: &str = "tls_pairs";
const REFUSALS: &str = "tls_refusals";
const OFFERS: &str = "tls_offers";

/// Servers that signalling names, for each of those and of their clients that there is room for: phones
/// that never take a connection name themselves too.
const NAMED_EACH: usize = 2;

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
    signatures: Counts<u16>,
    offers: PeerOffers,
    refusals: Vec<Row>,
    observed: Observed,
}

/// Handshakes refused alike.
#[derive(Debug)]
struct Row {
    offered: u16,
    why: Why,
    from: Option<Peer>,
    count: u64,
    after: Afterwards,
}

/// Where a refusal stands that waits for what its client does next: both peers, with the rows.
type Places = [Option<(Who, usize)>; 2];

/// Why a handshake was refused.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Why {
    Alert(u8),
    Ending(Ending),
}

/// Few things with how often each was seen.
#[derive(Debug)]
struct Counts<T>(Vec<(T, u32)>);

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
    fn named(&self, name: impl Fn(u16) -> String) -> Counted {
        self.0.iter().map(|(code, count)| (name(*code), u64::from(*count))).collect()
    }
}

/// All peers.
#[derive(Debug)]
pub struct TlsPeers {
    entries: HashMap<Who, Entry, FixedState>,
    offers: AllOffers,
    waiting: Waiting<Places>,
    pairs: Pairs,
    /// Which servers signalling names.
    pub named: Named,
    /// What goes on over QUIC.
    pub quic: QuicSeen,
    cap: usize,
    evicted: u64,
}

/// Everything that is told of TLS beyond single handshakes: as small as it was kept, a record at a time.
#[derive(Debug, Default)]
pub struct TlsSummary {
    offers: Vec<TlsOfferRecord>,
    peers: Vec<(Who, Entry)>,
    pairs: SeenPairs,
    quic: Vec<QuicRecord>,
}

impl TlsSummary {
    /// What clients offer, each once, in the order in which it was first seen.
    pub fn offers(&self) -> &[TlsOfferRecord] {
        &self.offers
    }

    /// Servers and clients, servers first, by address.
    pub fn peers(&self) -> impl Iterator<Item = TlsPeerRecord> + '_ {
        self.peers.iter().map(|(who, entry)| entry.record(who))
    }

    /// Servers of QUIC, in the order in which they were first seen.
    pub fn quic(&self) -> &[QuicRecord] {
        &self.quic
    }

    /// Pairs of hosts, by address.
    pub fn pairs(&self) -> impl Iterator<Item = TlsPairRecord> + '_ {
        self.pairs.records()
    }
}

impl TlsPeers {
    /// Room for so many servers and clients, and for as many pairs; handshakes of further ones are
    /// counted as given up.
    pub fn new(cap: usize) -> Self {
        Self {
            entries: HashMap::default(),
            offers: AllOffers::default(),
            waiting: Waiting::new(cap),
            pairs: Pairs::new(cap),
            quic: QuicSeen::default(),
            named: Named::new(cap.saturating_mul(NAMED_EACH)),
            cap,
            evicted: 0,
        }
    }

    /// Handshakes for which there was no room, by table.
    pub fn evicted(&self) -> [(&'static str, u64); 6] {
        let (pairs, refusals) = (self.pairs.evicted(), self.waiting.evicted());
        let offers = self.offers.evicted();
        // A name that no handshake needs is no loss.
        let (table, lost) = self.named.evicted();
        let named = (table, if self.entries.is_empty() { 0 } else { lost });
        let peers = [(PEERS, self.evicted), (PAIRS, pairs), (REFUSALS, refusals), (OFFERS, offers)];
        let [a, b, c, d] = peers;
        [a, b, c, d, named, self.quic.evicted()]
    }

    /// Notes that a client tries again after a refusal; the handshake may follow later.
    pub fn tries(&mut self, read: &HandshakeRead<'_>) {
        let facts = read.facts;
        if is_of_signalling(facts) && !self.waiting.is_empty() {
            let hop = (facts.client.addr, facts.server.addr);
            let tried = self.waiting.tries(hop, offered(read), facts.first.time);
            self.book(tried);
        }
    }

    /// Notes a handshake with both its ends.
    pub fn handshake(&mut self, read: &HandshakeRead<'_>) {
        let facts = read.facts;
        let hop = (facts.client.addr, facts.server.addr);
        let offers = read.prints.as_ref().map(|prints| &prints.offers);
        let offer = offers.and_then(|offers| self.offers.note(offers));
        self.tries(read);
        let done = facts.outcome == Outcome::Completed;
        let seen = if done { Observation::of(read) } else { None };
        let client = Endpoint::new(facts.client.addr, 0);
        let both = [(Peer::Server, facts.server), (Peer::Client, client)];
        let places = both.map(|(role, at)| {
            let who = Who { role, kind: facts.kind, at };
            let full = self.entries.len() >= self.cap;
            let entry = match self.entries.entry(who) {
                Place::Occupied(known) => known.into_mut(),
                Place::Vacant(_) if full => {
                    self.evicted = self.evicted.saturating_add(1);
                    return None;
                }
                Place::Vacant(place) => place.insert(Entry::default()),
            };
            let refused = facts.outcome == Outcome::Refused;
            if let Some(offer) = offer {
                entry.offers.note(offer, refused);
            }
            let row = entry.note(read, seen.as_ref())?;
            Some((who, row))
        });
        if !is_of_signalling(facts) {
            return;
        }
        self.pairs.handshake(read, seen.as_ref());
        if facts.outcome == Outcome::Refused {
            let refused = Refused { at: facts.last.time, offered: offered(read), whose: places };
            for (places, what) in self.waiting.refused(hop, refused) {
                self.book(Some((places, what, None)));
            }
        }
    }

    /// A request in clear that begins something.
    pub fn clear(&mut self, client: Addr, server: Addr, at: Ts) {
        if !self.waiting.is_empty() {
            let answer = self.waiting.clear((client, server), at);
            self.book(answer);
        }
    }

    /// A message of SIP inside the TLS of two hosts could be read.
    pub fn inside(&mut self, one: Addr, other: Addr) {
        self.pairs.inside(one, other);
    }

    /// A request inside the TLS of two hosts, opened, shows how its sender is authenticated.
    pub fn digest(&mut self, client: Addr, server: Addr, is_sha2: bool) {
        self.pairs.digest(client, server, is_sha2);
    }

    /// Books what a client did after a refusal.
    fn book(&mut self, what: Option<(Places, After, Option<Span>)>) {
        let Some((places, what, time)) = what else { return };
        for (who, row) in places.into_iter().flatten() {
            let entry = self.entries.get_mut(&who);
            if let Some(row) = entry.and_then(|entry| entry.refusals.get_mut(row)) {
                row.after.note(what, time);
            }
        }
    }

    /// All offers, all peers, servers first, by address, and all pairs; `end` is when the capture ended,
    /// `known` tells what else there is to say of a pair.
    pub fn finish(mut self, end: Ts, known: impl Fn(Addr, Addr) -> Known) -> TlsSummary {
        let waiting = std::mem::replace(&mut self.waiting, Waiting::new(0));
        for (places, what) in waiting.finish(end) {
            self.book(Some((places, what, None)));
        }
        let mut all: Vec<(Who, Entry)> = std::mem::take(&mut self.entries).into_iter().collect();
        all.shrink_to_fit();
        all.sort_unstable_by_key(|(who, _)| {
            let client = who.role == Peer::Client;
            (client, who.kind == HandshakeKind::Dtls, *who.at.addr.octets(), who.at.port)
        });
        TlsSummary {
            offers: self.offers.finish(),
            peers: all,
            pairs: self.pairs.finish(&self.named, known),
            quic: self.quic.finish(),
        }
    }
}

impl Entry {
    /// Notes a handshake; gives the row of its refusal.
    fn note(&mut self, read: &HandshakeRead<'_>, seen: Option<&Observation>) -> Option<usize> {
        let facts = read.facts;
        let [completed, refused, incomplete] = &mut self.outcomes;
        match facts.outcome {
            Outcome::Completed => *completed += 1,
            Outcome::Refused => *refused += 1,
            Outcome::Incomplete => *incomplete += 1,
        }
        if facts.outcome == Outcome::Completed {
            if let Some(seen) = seen {
                self.observed.note(seen);
            }
            let signed = read.exchange.and_then(|exchange| exchange.signature);
            read.version().into_iter().for_each(|version| self.versions.note(version));
            read.answer.iter().for_each(|answer| self.suites.note(answer.suite));
            read.group().into_iter().for_each(|group| self.groups.note(group));
            if let Some(scheme) = signed.and_then(|signature| signature.scheme) {
                self.signatures.note(scheme);
            }
        }
        let refused = facts.outcome == Outcome::Refused;
        if refused { self.refuse(read) } else { None }
    }

    fn refuse(&mut self, read: &HandshakeRead<'_>) -> Option<usize> {
        let offered = read.hello.as_ref().map_or(0, ClientHello::highest_version);
        let (why, from) = why(read.facts);
        let same = |row: &Row| (row.offered, row.why, row.from) == (offered, why, from);
        let place = self.refusals.iter().position(same).or_else(|| {
            let row = Row { offered, why, from, count: 0, after: Afterwards::default() };
            (self.refusals.len() < KINDS).then(|| self.refusals.push(row))?;
            self.refusals.len().checked_sub(1)
        })?;
        let row = self.refusals.get_mut(place)?;
        row.count = row.count.saturating_add(1);
        Some(place)
    }

    fn record(&self, who: &Who) -> TlsPeerRecord {
        let [completed, refused, incomplete] = self.outcomes;
        let verdict = self.observed.verdict(&[], false);
        let mut refusals: Vec<&Row> = self.refusals.iter().collect();
        refusals.sort_by_key(|row| std::cmp::Reverse(rank(row.offered)));
        let reasons = verdict.iter().flat_map(|verdict| &verdict.caps);
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
            offered: self.offers.counts(),
            accepted: CodePoints {
                versions: self.versions.named(|code| Version(code).to_string()),
                ciphers: self.suites.named(|code| CipherSuite(code).to_string()),
                groups: self.groups.named(|code| Group(code).to_string()),
                signature_algorithms: self.signatures.named(|code| Scheme(code).to_string()),
            },
            refusals: refusals.into_iter().map(refusal).collect(),
            grade_reasons: reasons.map(|mark| mark.cap.reason).collect(),
            grade: verdict.as_ref().map_or("not observed", |verdict| verdict.grade.word()),
            score: verdict.as_ref().and_then(|verdict| verdict.score),
            confidence: confidence(completed),
        }
    }
}

/// Whether a handshake is one of a hop of signalling, as far as its carrier tells: DTLS over UDP is media's.
fn is_of_signalling(facts: &HandshakeFacts) -> bool {
    facts.kind == HandshakeKind::Tls || facts.over_sctp
}

/// The highest version that a client offers, and a hash of all that it does.
fn offered(read: &HandshakeRead<'_>) -> (u16, u64) {
    let version = read.hello.as_ref().map_or(0, ClientHello::highest_version);
    (version, read.prints.as_ref().map_or(0, |prints| prints.offers.hash))
}

/// Why a handshake was refused, and by whom; an encrypted alert does not say.
fn why(facts: &HandshakeFacts) -> (Why, Option<Peer>) {
    match (facts.ending, facts.alert) {
        (Ending::Alert, Some((alert, from))) => (Why::Alert(alert.description), Some(from)),
        (ending @ (Ending::ClientReset | Ending::ClientClosed), _) => {
            (Why::Ending(ending), Some(Peer::Client))
        }
        (ending @ (Ending::ServerReset | Ending::ServerClosed), _) => {
            (Why::Ending(ending), Some(Peer::Server))
        }
        (ending, _) => (Why::Ending(ending), None),
    }
}

/// How much so many handshakes tell.
pub(super) const fn confidence(completed: u64) -> Option<&'static str> {
    match completed {
        0 => None,
        1..5 => Some("low"),
        5..50 => Some("medium"),
        _ => Some("high"),
    }
}

fn refusal(row: &Row) -> Refusal {
    Refusal {
        offered: Version(row.offered).to_string(),
        reason: match row.why {
            Why::Alert(description) => alert_name(description).into_owned(),
            Why::Ending(ending) => ending.word().to_owned(),
        },
        from: row.from.map(Peer::word),
        count: row.count,
        after: row.after.counts(),
        after_ms: row.after.within(),
    }
}
