//! One TLS connection on its way from records to messages: opened if its secrets are known, kept for
//! a while if they may still come, and what is inside read like what is not inside TLS.
//!
//! Inside, SIP, WebSocket with SIP, and MSRP are recognised by content; anything else ends the
//! opening. Datagrams inside TLS (TURN) are not read.

use overhear_parsers::tls::{ClientHello, Messages, Record};

use crate::dissect::sip_stream::SipStream;
use crate::dissect::tcp_probe::{self, Probe, TlsStart};
use crate::dissect::tls_open::keylog::Random;
use crate::dissect::tls_open::keys::Keys;
use crate::dissect::tls_open::stream::{Plain, State, TlsStream};
use crate::dissect::tls_open::suites;
use crate::model::addr::Endpoint;
use crate::model::transport::Transport;

use super::emit::Emitter;
use super::shared::Shared;
use super::sip_fact::{Way, found_fact};
use super::tcp_carried::{Carried, Piece};
use super::tls_retained::{Kept, Retained};

/// Name in `evicted` of unfinished messages for which there was no memory.
const MESSAGES: &str = "tcp_messages";

/// Octets of plaintext kept while it is not known what they are.
const PROBE_OCTETS: usize = 4_096;

/// A connection.
#[derive(Debug, Default)]
pub(super) struct Opening {
    stream: TlsStream,
    retained: Retained,
    inside: Inside,
    /// What the purse has paid.
    paid: u64,
    /// Nothing more will come of it.
    over: bool,
    /// Its records are user messages of SCTP.
    sctp: bool,
}

/// What the plaintext is.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    Sip,
    Carried,
    Other,
}

/// What is unfinished of the plaintext.
#[derive(Debug, Default)]
struct Inside {
    kind: Kind,
    messages: [SipStream; 2],
    carried: Option<Box<Carried>>,
}

impl Opening {
    /// Whether TLS that begins with these octets may be opened: there are secrets or more may come, or else
    /// the client would do without encryption. Of what does not tell yet, it may.
    pub(super) fn is_worthwhile(start: TlsStart, octets: &[u8], keys: &Keys) -> bool {
        let offered = || {
            let record = Record::read(octets)?;
            let hello = Messages::new(record.fragment).next().filter(|hello| hello.is_whole)?;
            ClientHello::suites(hello.body)
        };
        match start {
            TlsStart::Ssl2Client => false,
            TlsStart::Client if keys.is_empty() => {
                offered().is_none_or(|offered| offered.iter().any(suites::is_null))
            }
            _ => true,
        }
    }

    /// One whose records are user messages of SCTP (RFC 3436).
    pub(super) fn over_sctp() -> Self {
        Self { sctp: true, ..Self::default() }
    }

    /// What it is to those inside.
    const fn transport(&self) -> Transport {
        if self.sctp { Transport::TlsSctp } else { Transport::Tls }
    }

    /// Takes ordered octets. The purse may be lent out meanwhile: it pays in [`Self::settle`].
    pub(super) fn push(&mut self, piece: &Piece<'_>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        if self.over {
            return;
        }
        if shared.keys.may_grow() && self.stream.state() != State::Open {
            let &Piece { side, after_gap, octets, .. } = piece;
            self.retained.keep((side, after_gap), octets, emit.frame(), shared);
        }
        self.open(piece, shared, emit);
        match self.stream.state() {
            State::Open => self.retained.forget(shared),
            State::Failed => self.over = true,
            State::Unknown => self.over = !shared.keys.may_grow(),
            State::Begins | State::Greeted => {}
        }
        self.over |= self.inside.kind == Kind::Other;
    }

    /// The random by which secrets that come later find it.
    pub(super) fn waits_for(&self) -> Option<&Random> {
        self.stream.random().filter(|_| self.stream.state() == State::Unknown)
    }

    /// Whether more octets of the connection are of use.
    pub(super) fn is_read(&self) -> bool {
        self.stream.state() != State::Unknown || !self.retained.given_up()
    }

    /// The stream, for what it opened of the handshake.
    pub(super) const fn stream(&self) -> &TlsStream {
        &self.stream
    }

    /// The handshake was told of.
    pub(super) fn handshake_over(&mut self) {
        self.stream.forget_flight();
    }

    /// Whether more may still show of what its handshake hides: secrets may come and open it from its
    /// beginning, or it is being opened.
    pub(super) fn may_show_more(&self) -> bool {
        let secrets = self.waits_for().is_some() && !self.retained.given_up();
        !self.over && (secrets || self.stream.opens_on())
    }

    /// What was kept of the connection as the secrets that have come open it, for what its handshake hid;
    /// `None` if more of them are needed.
    pub(super) fn preview(&self, shared: &Shared) -> Option<TlsStream> {
        let mut stream = TlsStream::default();
        for (Kept { side, after_gap, frame, .. }, octets) in self.retained.pieces() {
            stream.push(side, octets, after_gap, &shared.keys, &mut |_| {});
            stream.came(frame);
        }
        Some(stream).filter(|stream| stream.state() != State::Unknown)
    }

    /// Secrets came: what was kept of the connection is gone through once more, what the handshake hid
    /// too unless it was told of. False when nothing more will come of it.
    pub(super) fn again(
        &mut self,
        ends: [Endpoint; 2],
        [clipped, told]: [bool; 2],
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) -> bool {
        let mut retained = std::mem::take(&mut self.retained);
        if retained.given_up() {
            retained.missed(shared);
            return false;
        }
        self.stream = TlsStream::default();
        if told {
            self.stream.forget_flight();
        }
        for (Kept { side, after_gap, frame, .. }, octets) in retained.pieces() {
            emit.cite(frame);
            self.open(&sealed(side, ends, octets, after_gap, clipped), shared, emit);
        }
        retained.forget(shared);
        self.over = self.stream.state() != State::Open || self.inside.kind == Kind::Other;
        self.settle(shared)
    }

    /// Ends it: gives out what is unfinished, and counts.
    pub(super) fn close(
        mut self,
        ends: [Endpoint; 2],
        clipped: bool,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        let encrypted = !self.stream.is_null();
        for side in [0, 1] {
            let rest = Piece {
                transport: self.transport(),
                encrypted,
                ..sealed(side, ends, &[], true, clipped)
            };
            if self.inside.kind == Kind::Sip {
                self.inside.sip(&rest, shared, emit);
            }
        }
        self.retained.forget(shared);
        shared.purse.give(self.paid);
        let (read, state) = (self.stream.has_opened(), self.stream.state());
        let agreed = matches!(state, State::Open | State::Unknown | State::Failed);
        if agreed {
            shared.openings.tls.count(read, self.stream.has_secrets());
        }
    }

    /// Takes octets through the records into the messages.
    fn open(&mut self, piece: &Piece<'_>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let transport = self.transport();
        let Self { stream, inside, .. } = self;
        let at = emit.frame();
        let keys = shared.keys.clone();
        stream.push(piece.side, piece.octets, piece.after_gap, &keys, &mut |plain: &Plain<'_>| {
            let (src, dst) = if plain.side == piece.side {
                (piece.src, piece.dst)
            } else {
                (piece.dst, piece.src)
            };
            let opened = Piece {
                side: plain.side,
                src,
                dst,
                octets: plain.octets,
                after_gap: plain.after_gap,
                clipped: piece.clipped,
                transport,
                encrypted: plain.encrypted,
            };
            inside.push(&opened, shared, emit);
        });
        stream.came(at);
    }

    /// Has the purse pay for what is unfinished. False if it cannot, or if nothing more will come of
    /// the connection.
    pub(super) fn settle(&mut self, shared: &mut Shared) -> bool {
        let held = self.stream.cost().saturating_add(self.inside.cost());
        let cost = held.saturating_add(u64::try_from(size_of::<Self>()).unwrap_or(u64::MAX));
        if cost <= self.paid {
            shared.purse.give(self.paid - cost);
        } else if !shared.purse.take(cost - self.paid) {
            shared.purse.evict(MESSAGES, 1);
            return false;
        }
        self.paid = cost;
        !self.over
    }
}

impl Inside {
    fn cost(&self) -> u64 {
        let messages = self.messages.iter().map(SipStream::cost);
        let carried = self.carried.iter().flat_map(|carried| [carried.cost(0), carried.cost(1)]);
        messages.chain(carried).sum()
    }

    /// Takes plaintext.
    fn push(&mut self, piece: &Piece<'_>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        match self.kind {
            Kind::Unknown => self.judge(piece, shared, emit),
            Kind::Sip => self.sip(piece, shared, emit),
            Kind::Carried => {
                if let Some(carried) = &mut self.carried {
                    carried.push(piece, shared, emit);
                }
            }
            Kind::Other => {}
        }
    }

    fn sip(&mut self, piece: &Piece<'_>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let &Piece { side, src, dst, transport, clipped, encrypted, .. } = piece;
        let Some(stream) = self.messages.get_mut(side) else { return };
        let way = Way::within((src, dst), transport, clipped, encrypted);
        stream.push(piece.octets, piece.after_gap, &mut shared.spans, &mut |found| {
            found_fact(&way, found, emit);
        });
    }

    /// Finds out what the plaintext is, from what there is of a direction.
    fn judge(&mut self, piece: &Piece<'_>, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let Some(stream) = self.messages.get_mut(piece.side) else { return };
        if piece.after_gap {
            stream.forget();
        }
        stream.hold(piece.octets);
        let judged = tcp_probe::probe(stream.octets());
        self.kind = match judged {
            Probe::Sip => Kind::Sip,
            Probe::WebSocket | Probe::Msrp => Kind::Carried,
            Probe::More if stream.held() < PROBE_OCTETS => return,
            _ => Kind::Other,
        };
        if self.kind == Kind::Carried {
            self.carried = Carried::of(judged).map(|(carried, _)| Box::new(carried));
        }
        // What is held of both directions comes first.
        let held = self.messages.each_mut().map(SipStream::take);
        for (side, octets) in held.iter().enumerate().filter(|(_, octets)| !octets.is_empty()) {
            let (src, dst) =
                if side == piece.side { (piece.src, piece.dst) } else { (piece.dst, piece.src) };
            let first = Piece { side, src, dst, octets, after_gap: false, ..*piece };
            self.push(&first, shared, emit);
        }
    }
}

/// Octets as they travelled.
fn sealed(
    side: usize,
    [low, high]: [Endpoint; 2],
    octets: &[u8],
    after_gap: bool,
    clipped: bool,
) -> Piece<'_> {
    let (src, dst) = if side == 0 { (low, high) } else { (high, low) };
    let (transport, encrypted) = (Transport::Tcp, false);
    Piece { side, src, dst, octets, after_gap, clipped, transport, encrypted }
}
