//! What the parts of one cell share.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use overhear_parsers::sip::HeaderSpan;

use crate::dissect::tls_handshake::TlsHandshake;
use crate::dissect::tls_open::keylog::Random;
use crate::dissect::tls_open::keys::Keys;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::tally::Tally;
use crate::reassemble::purse::Purse;

use super::stock::Stock;
use super::tcp_connection::Reading;

/// Memory that the queue of datagrams keeps when it is empty.
const SPARE_MAX: usize = 64 << 10;

/// The random by which secrets that come later find a session, and the flow in which it waits for them.
pub type Awaited = (Random, u64);

/// What one cell's flows share with the rest of the cell.
#[derive(Debug)]
pub struct Shared {
    /// Memory for reassembly.
    pub purse: Purse,
    /// Where frames are booked.
    pub tally: Tally,
    /// Scratch for header spans.
    pub spans: Vec<HeaderSpan>,
    /// Datagrams that a byte stream carried, on their way to where datagrams go.
    pub datagrams: Datagrams,
    /// Messages, counted.
    pub inner: Inner,
    /// Secrets with which TLS opens.
    pub keys: Arc<Keys>,
    /// Memory for TLS of which secrets may still come.
    pub retain: Purse,
    /// Connections that would open with secrets that are not known, by what they would be found
    /// by; with the hash of the flow.
    pub waiting: BTreeSet<Awaited>,
    /// TLS sessions, by whether they opened.
    pub openings: Openings,
    /// What connections that are not read any more held for it, emptied.
    pub(super) readings: Stock<Reading>,
    /// Handshakes that were told of; the purse pays for their memory.
    handshakes: Stock<TlsHandshake>,
}

impl Shared {
    /// Nothing yet, with so many octets for reassembly and for TLS that waits for its secrets.
    pub fn new(reassembly: usize, retain: usize, keys: &Arc<Keys>) -> Self {
        Self {
            purse: Purse::new(reassembly as u64),
            tally: Tally::default(),
            spans: Vec::new(),
            datagrams: Datagrams::default(),
            inner: Inner::default(),
            keys: Arc::clone(keys),
            retain: Purse::new(retain as u64),
            waiting: BTreeSet::new(),
            openings: Openings::default(),
            readings: Stock::default(),
            handshakes: Stock::default(),
        }
    }

    /// A handshake that begins, in the memory of one that was told of if there is such: then the purse has
    /// paid for what it costs, and whoever has it gives that back.
    pub(super) fn handshake(
        &mut self,
        client: usize,
        ssl2: bool,
        first: FrameRef,
    ) -> Box<TlsHandshake> {
        let Some(mut spare) = self.handshakes.get() else {
            return Box::new(TlsHandshake::new(client, ssl2, first));
        };
        spare.again(client, ssl2, first);
        spare
    }

    /// Keeps the memory of a handshake that was told of, if there is room for it.
    pub(super) fn keep(&mut self, mut told: Box<TlsHandshake>) {
        told.empty();
        if self.handshakes.has_room() && self.purse.take(told.cost(0).saturating_add(told.cost(1)))
        {
            self.handshakes.put(told);
        }
    }
}

/// What became of TLS sessions.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Openings {
    /// Sessions inside which something is read.
    pub tls: Opened,
    /// Of these are DTLS, over SCTP.
    pub over_sctp: u64,
    /// DTLS over UDP, which is for keys of SRTP.
    pub over_udp: Opened,
    /// Of DTLS over UDP agreed on keys once more, where it was not followed.
    pub renewed: u64,
    /// Secrets came when what they open had gone by.
    pub late: u64,
}

/// Sessions of one kind.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Sessions of which both hellos were seen.
    pub sessions: u64,
    /// Of these could be read.
    pub opened: u64,
    /// Of these have no secrets.
    pub unknown: u64,
    /// Of these have secrets and did not open all the same.
    pub failed: u64,
}

impl Openings {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.tls.add(&other.tls);
        self.over_sctp += other.over_sctp;
        self.over_udp.add(&other.over_udp);
        self.renewed += other.renewed;
        self.late += other.late;
    }
}

impl Opened {
    /// Counts a session: whether it could be read, and whether there were secrets for it.
    pub fn count(&mut self, read: bool, known: bool) {
        self.sessions += 1;
        self.opened += u64::from(read);
        self.unknown += u64::from(!read && !known);
        self.failed += u64::from(!read && known);
    }

    /// Secrets came for one that was counted as without.
    pub fn came(&mut self, read: bool) {
        self.unknown = self.unknown.saturating_sub(1);
        self.opened += u64::from(read);
        self.failed += u64::from(!read);
    }

    fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.opened += other.opened;
        self.unknown += other.unknown;
        self.failed += other.failed;
    }
}

/// Messages, where frames do not say how many there are: those inside connections.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Inner {
    /// MSRP requests and responses.
    pub msrp: u64,
    /// RTCP packets in clear.
    pub rtcp: u64,
    /// RTCP packets that look encrypted.
    pub srtcp: u64,
    /// STUN messages, in datagrams too.
    pub stun: u64,
}

impl Inner {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.msrp += other.msrp;
        self.rtcp += other.rtcp;
        self.srtcp += other.srtcp;
        self.stun += other.stun;
    }
}

/// Datagrams with their senders and receivers. Emptied after each packet.
#[derive(Debug, Default)]
pub struct Datagrams {
    octets: Vec<u8>,
    parts: Vec<(Endpoint, Endpoint, Range<usize>)>,
}

impl Datagrams {
    /// Appends one.
    pub fn push(&mut self, src: Endpoint, dst: Endpoint, datagram: &[u8]) {
        let start = self.octets.len();
        self.octets.extend_from_slice(datagram);
        self.parts.push((src, dst, start..self.octets.len()));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Forgets all but the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.parts.truncate(len);
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Endpoint, Endpoint, &[u8])> {
        let part = |(src, dst, range): &(Endpoint, Endpoint, Range<usize>)| {
            (*src, *dst, self.octets.get(range.clone()).unwrap_or_default())
        };
        self.parts.iter().map(part)
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.parts.clear();
        self.octets.clear();
        if self.octets.capacity() > SPARE_MAX {
            *self = Self::default();
        }
    }
}
