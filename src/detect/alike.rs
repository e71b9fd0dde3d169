//! Handshakes that are alike: clients and servers of one make greet alike over and over, and most rules look
//! for something that follows from that alone. Which of them find it is worked out once for each likeness.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use overhear_parsers::tls::extension::Present;
use overhear_parsers::tls::key_exchange::{KeyGroup, Signature, common_prime};
use overhear_parsers::tls::server_hello::Sentinel;
use overhear_parsers::tls::{Alert, ServerHello};

use super::rule::Detector;
use super::seen::HandshakeSeen;
use super::shows::Shows;
use crate::correlate::sip_identity::Fit;
use crate::correlate::trust::Chain;
use crate::model::handshake::{Outcome, Peer};

/// Distinct likenesses remembered; beyond that all are forgotten and worked out again.
const REMEMBERED: usize = 4_096;

/// What [`Detector::looks_at`] may go by: all that the messages and the end of a handshake say, apart from
/// names, keys and times.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
struct Likeness {
    /// The shape of the client's hello, without the name that it asks for.
    prints: u64,
    named: bool,
    answer: Option<Answer>,
    exchange: Option<Exchange>,
    verify: Option<Signature>,
    ticket: Option<u32>,
    chains: [(u64, Chain); 2],
    fit: Option<Fit>,
    media: bool,
    outcome: Outcome,
    alert: Option<(Alert, Peer)>,
    early_data: bool,
    heartbleed: bool,
    resumed: Option<bool>,
}

/// What it may go by of a `ServerHello`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
struct Answer {
    version: u16,
    agreed: u16,
    suite: u16,
    group: Option<u16>,
    compression: u8,
    present: Present,
    sentinel: Option<Sentinel>,
    alpn: bool,
    srtp: Option<u16>,
}

/// What it may go by of a `ServerKeyExchange`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
struct Exchange {
    /// The bits of a prime, and whether many use it.
    prime: Option<(u32, bool)>,
    named: Option<u16>,
    explicit: bool,
    signature: Option<Signature>,
}

impl Likeness {
    /// That of a handshake; `None` for one of a kind that hardly comes, or that was opened.
    fn of(seen: &HandshakeSeen<'_>) -> Option<Self> {
        let (read, facts) = (seen.read, seen.read.facts);
        if read.ssl2.is_some() || read.ssl2_answer.is_some() || read.hidden.is_some() {
            return None;
        }
        let exchange = read.exchange.map(|exchange| Exchange {
            prime: match exchange.group {
                KeyGroup::Prime(prime) => {
                    exchange.prime_bits().map(|bits| (bits, common_prime(prime).is_some()))
                }
                _ => None,
            },
            named: match exchange.group {
                KeyGroup::Named(group) => Some(group),
                _ => None,
            },
            explicit: exchange.group == KeyGroup::Explicit,
            signature: exchange.signature,
        });
        Some(Self {
            prints: read.prints.as_ref().map_or(0, |prints| prints.number),
            named: read.hello.is_some_and(|hello| hello.server_name.is_some()),
            answer: read.answer.as_ref().map(Answer::of),
            exchange,
            verify: read.verify,
            ticket: read.ticket_lifetime,
            chains: [
                (read.chain.number(), read.chain_says),
                (read.client_chain.number(), read.client_chain_says),
            ],
            fit: read.fit,
            media: seen.is_for_media(),
            outcome: facts.outcome,
            alert: facts.alert,
            early_data: facts.early_data,
            heartbleed: facts.heartbleed,
            resumed: read.resumed,
        })
    }
}

impl Answer {
    fn of(hello: &ServerHello<'_>) -> Self {
        Self {
            version: hello.version,
            agreed: hello.agreed_version(),
            suite: hello.suite,
            group: hello.group,
            compression: hello.compression,
            present: hello.present,
            sentinel: hello.sentinel(),
            alpn: hello.alpn.is_some(),
            srtp: hello.srtp_profile,
        }
    }
}

/// Which rules look at handshakes of a likeness.
#[derive(Debug, Default)]
pub(super) struct Alike {
    known: HashMap<Likeness, Box<[usize]>, FixedState>,
    /// Those that look at a handshake of none.
    unlike: Vec<usize>,
}

impl Alike {
    /// Those of `rules` at these places that look at a handshake, in order.
    pub(super) fn looking(
        &mut self,
        seen: &HandshakeSeen<'_>,
        rules: &[Box<dyn Detector + Send>],
        places: &[usize],
    ) -> &[usize] {
        let work_out = || {
            let shows = Shows::of(seen.read, seen.weak());
            let looks =
                move |place: &usize| rules.get(*place).is_some_and(|it| it.looks_at(seen, shows));
            places.iter().copied().filter(looks)
        };
        let Some(likeness) = Likeness::of(seen) else {
            self.unlike.clear();
            self.unlike.extend(work_out());
            return &self.unlike;
        };
        if self.known.len() >= REMEMBERED && !self.known.contains_key(&likeness) {
            self.known.clear();
        }
        match self.known.entry(likeness) {
            Entry::Occupied(known) => {
                debug_assert!(work_out().eq(known.get().iter().copied()), "{likeness:?}");
                known.into_mut()
            }
            Entry::Vacant(place) => place.insert(work_out().collect()),
        }
    }
}
