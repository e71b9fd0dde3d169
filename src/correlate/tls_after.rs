//! What clients do when a handshake was refused: try again with less, with the same or with more, go on
//! in clear, or give up (RFC 9325 §3.1.3, §3.2).
//!
//! What comes within a minute between the same two hosts counts as the answer to the refusal.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use overhear_parsers::tls::client_hello::rank;

use crate::model::addr::{Addr, stable_hash};
use crate::model::time::{Span, Ts};
use crate::model::tls_peer::Within;

/// How long a refusal waits for what the client does next.
const WAITS: Span = Span::from_secs(60);

/// What a client did.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// A hello whose highest version is lower.
    Lower,
    /// The same version, and something else offered.
    Other,
    /// The same hello.
    Same,
    /// A higher version.
    Higher,
    /// A request in clear that begins something.
    Clear,
    /// Nothing for a minute.
    GaveUp,
    /// Nothing until the capture ended.
    Unknown,
}

/// As the report writes them.
const WORDS: [&str; 7] =
    ["retry-lower", "retry-other", "retry-same", "retry-higher", "cleartext", "gave-up", "unknown"];

impl After {
    const fn place(self) -> usize {
        match self {
            Self::Lower => 0,
            Self::Other => 1,
            Self::Same => 2,
            Self::Higher => 3,
            Self::Clear => 4,
            Self::GaveUp => 5,
            Self::Unknown => 6,
        }
    }
}

/// How often what was done, and how soon.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub(super) struct Afterwards {
    counts: [u32; WORDS.len()],
    within: Option<Within>,
}

impl Afterwards {
    /// Notes one; `time` since the refusal, unless nothing was done.
    pub(super) fn note(&mut self, what: After, time: Option<Span>) {
        if let Some(count) = self.counts.get_mut(what.place()) {
            *count = count.saturating_add(1);
        }
        // Microseconds are what a tap can tell.
        let ms = time.map(|time| (time.millis_f64() * 1_000.0).round() / 1_000.0);
        if let Some(ms) = ms {
            let within = self.within.get_or_insert(Within { min: ms, max: ms });
            (within.min, within.max) = (within.min.min(ms), within.max.max(ms));
        }
    }

    /// By word, those that occurred.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let all = WORDS.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        all.map(|(word, count)| (*word, count.into())).collect()
    }

    /// How soon.
    pub(super) const fn within(&self) -> Option<Within> {
        self.within
    }
}

/// A refusal that waits, with what its owner needs to find it again.
#[derive(Clone, Debug)]
pub(super) struct Refused<T> {
    /// When.
    pub(super) at: Ts,
    /// The highest version that was offered, and a hash of all that was.
    pub(super) offered: (u16, u64),
    /// The owner's.
    pub(super) whose: T,
}

/// Those that wait, the last of each client and server.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    refused: HashMap<u64, Refused<T>, FixedState>,
    cap: usize,
    evicted: u64,
}

impl<T> Waiting<T> {
    pub(super) fn new(cap: usize) -> Self {
        Self { refused: HashMap::default(), cap, evicted: 0 }
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.refused.is_empty()
    }

    /// Refusals for which there was no room.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Another handshake of this client with this server begins: what waited, what this makes of it,
    /// and how long it took.
    pub(super) fn tries(
        &mut self,
        (client, server): (Addr, Addr),
        (version, hash): (u16, u64),
        at: Ts,
    ) -> Option<(T, After, Option<Span>)> {
        let (waited, time) = self.take(client, server, at)?;
        let Some(time) = time else { return Some((waited.whose, After::GaveUp, None)) };
        let (before, hash_before) = waited.offered;
        let what = match rank(version).cmp(&rank(before)) {
            std::cmp::Ordering::Less => After::Lower,
            std::cmp::Ordering::Greater => After::Higher,
            std::cmp::Ordering::Equal if hash == hash_before => After::Same,
            std::cmp::Ordering::Equal => After::Other,
        };
        Some((waited.whose, what, Some(time)))
    }

    /// A request in clear from this client to this server.
    pub(super) fn clear(
        &mut self,
        (client, server): (Addr, Addr),
        at: Ts,
    ) -> Option<(T, After, Option<Span>)> {
        let (waited, time) = self.take(client, server, at)?;
        let what = if time.is_some() { After::Clear } else { After::GaveUp };
        Some((waited.whose, what, time))
    }

    /// What waited, and for how long; no time when it was too long. What began before the refusal is no
    /// answer to it.
    fn take(&mut self, client: Addr, server: Addr, at: Ts) -> Option<(Refused<T>, Option<Span>)> {
        let hop = stable_hash(&(client, server));
        let time = at.since(self.refused.get(&hop)?.at);
        if time < Span::ZERO {
            return None;
        }
        let waited = self.refused.remove(&hop)?;
        Some((waited, Some(time).filter(|time| *time <= WAITS)))
    }

    /// A handshake of this client with this server was refused; gives back those that gave up and made
    /// room, and one that this takes the place of: which of the two is answered next cannot be told.
    pub(super) fn refused(
        &mut self,
        (client, server): (Addr, Addr),
        refused: Refused<T>,
    ) -> Vec<(T, After)> {
        let mut over = Vec::new();
        let hop = stable_hash(&(client, server));
        let full = |waiting: &Self| {
            waiting.refused.len() >= waiting.cap && !waiting.refused.contains_key(&hop)
        };
        if full(self) {
            let now = refused.at;
            let old = self.refused.extract_if(|_, waits| now.since(waits.at) > WAITS);
            over.extend(old.map(|(_, waits)| (waits.whose, After::GaveUp)));
        }
        if full(self) {
            self.evicted = self.evicted.saturating_add(1);
        } else {
            let before = self.refused.insert(hop, refused);
            over.extend(before.map(|waits| (waits.whose, After::Unknown)));
        }
        over
    }

    /// The capture ended: what became of the rest.
    pub(super) fn finish(self, end: Ts) -> impl Iterator<Item = (T, After)> {
        self.refused.into_values().map(move |waits| {
            let long = end.since(waits.at) > WAITS;
            (waits.whose, if long { After::GaveUp } else { After::Unknown })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Ts {
        Ts::from_nanos(seconds * 1_000_000_000)
    }

    fn hosts() -> (Addr, Addr) {
        (Addr::v4([192, 0, 2, 1]), Addr::v4([192, 0, 2, 2]))
    }

    fn waiting() -> Waiting<u8> {
        let mut waiting = Waiting::new(2);
        let refused = Refused { at: at(100), offered: (0x0303, 7), whose: 1 };
        assert!(waiting.refused(hosts(), refused).is_empty());
        waiting
    }

    #[test]
    fn the_next_hello_says_what_the_client_made_of_the_refusal() {
        for (offered, seconds, what) in [
            ((0x0301, 7), 101, Some(After::Lower)),
            ((0x0304, 7), 101, Some(After::Higher)),
            ((0x0303, 7), 101, Some(After::Same)),
            ((0x0303, 8), 160, Some(After::Other)),
            ((0x0303, 7), 161, Some(After::GaveUp)),
            ((0x0303, 7), 99, None),
        ] {
            let found = waiting().tries(hosts(), offered, at(seconds));
            assert_eq!(found.map(|(_, what, _)| what), what, "{offered:?} {seconds}");
        }
        let (client, server) = hosts();
        assert!(waiting().tries((server, client), (0x0303, 7), at(101)).is_none());
    }

    #[test]
    fn a_request_in_clear_is_the_worst_answer_and_silence_needs_time_to_be_one() {
        let (_, what, time) = waiting().clear(hosts(), at(105)).unwrap();
        assert_eq!((what, time), (After::Clear, Some(Span::from_secs(5))));
        let end = |seconds| waiting().finish(at(seconds)).next().unwrap().1;
        assert_eq!((end(130), end(161)), (After::Unknown, After::GaveUp));
    }

    #[test]
    fn those_that_gave_up_make_room_and_the_rest_is_counted() {
        let mut waiting = waiting();
        let next = |n: u8| (Addr::v4([192, 0, 2, n]), Addr::v4([192, 0, 2, 2]));
        let refused = |whose, seconds| Refused { at: at(seconds), offered: (0, 0), whose };
        assert!(waiting.refused(next(3), refused(3, 150)).is_empty());
        assert!(waiting.refused(next(4), refused(4, 151)).is_empty());
        assert_eq!(waiting.evicted(), 1);
        assert_eq!(waiting.refused(next(5), refused(5, 190)), [(1, After::GaveUp)]);
        assert_eq!(waiting.refused(next(5), refused(6, 191)), [(5, After::Unknown)]);
    }

    #[test]
    fn times_are_kept_as_the_shortest_and_the_longest() {
        let mut after = Afterwards::default();
        after.note(After::Lower, Some(Span::from_secs(2)));
        after.note(After::Lower, Some(Span::from_secs(1)));
        after.note(After::GaveUp, None);
        assert_eq!(after.counts(), [("gave-up", 1), ("retry-lower", 2)].into());
        assert_eq!(after.within(), Some(Within { min: 1_000.0, max: 2_000.0 }));
    }
}
