//! What is held of a connection only while its octets are read: most connections are read for a few packets,
//! and known for a minute after them.

use super::{Arrival, Carries, Connection};
use crate::dissect::sip_stream::SipStream;
use crate::dissect::tls_handshake::TlsHandshake;
use crate::model::capture::Reassembly;
use crate::reassemble::purse::Purse;
use crate::reassemble::tcp::Direction;
use crate::track::emit::Emitter;
use crate::track::shared::Shared;
use crate::track::tcp_carried::Carried;
use crate::track::tls_opening::Opening;

/// Name in `evicted` of unfinished messages for which there was no memory.
const MESSAGES: &str = "tcp_messages";

/// Where its directions stand, and what is unfinished of what they carry; first from `key.low`, then from
/// `key.high`.
#[derive(Debug, Default)]
pub(in crate::track) struct Reading {
    pub(super) directions: [Direction; 2],
    /// Unfinished SIP messages; while unknown, the octets to judge by.
    pub(super) messages: [SipStream; 2],
    /// What the purse has paid for `messages` and `carried`.
    pub(super) paid: [u64; 2],
    /// What is unfinished of anything but plain SIP.
    pub(super) carried: Option<Carried>,
    /// What TLS it is becomes readable, if it can be opened.
    pub(super) opening: Option<Box<Opening>>,
}

impl Reading {
    /// Whether either side has ended the connection.
    pub(super) fn closed(&self) -> bool {
        self.directions.iter().any(Direction::closed)
    }

    /// The TLS handshake, if that is what is carried.
    pub(super) fn handshake(&mut self) -> Option<&mut TlsHandshake> {
        self.carried.as_mut().and_then(Carried::handshake)
    }

    /// Gives back all that the purse has paid.
    pub(super) fn give_back(&mut self, purse: &mut Purse) {
        purse.give(std::mem::take(&mut self.paid).iter().sum());
    }

    /// Nothing more is read: another connection may have the memory.
    pub(super) fn end(mut self: Box<Self>, shared: &mut Shared) {
        self.give_back(&mut shared.purse);
        *self = Self::default();
        shared.readings.put(self);
    }
}

impl Connection {
    /// The next octet wanted of a direction.
    pub(super) fn next(&self, side: usize) -> Option<u32> {
        let directions = self.reading.as_ref().map(|reading| &reading.directions);
        match directions {
            Some(directions) => directions.get(side).and_then(Direction::next),
            None => self.next.get(side).copied().flatten(),
        }
    }

    /// Has the purse pay for the memory of an unfinished message. Where it cannot, the message is
    /// given out as far as it goes.
    pub(super) fn settle(&mut self, side: usize, arrival: &mut Arrival<'_, '_>) {
        let Some(Reading { messages, paid, carried, .. }) = self.reading.as_deref_mut() else {
            return;
        };
        let (Some(stream), Some(paid)) = (messages.get_mut(side), paid.get_mut(side)) else {
            return;
        };
        let carried = carried.as_ref().map_or(0, |carried| carried.cost(side));
        let cost = stream.cost().saturating_add(carried);
        if cost <= *paid {
            arrival.shared.purse.give(*paid - cost);
            *paid = cost;
        } else if arrival.shared.purse.take(cost - *paid) {
            *paid = cost;
        } else {
            arrival.shared.purse.give(std::mem::take(paid));
            arrival.shared.purse.evict(MESSAGES, 1);
            if self.carries == Carries::Sip {
                self.sip(side, &[], true, arrival);
            }
            self.tell_waiting(arrival.shared, arrival.emit);
            let Some(reading) = &mut self.reading else { return };
            if let Some(stream) = reading.messages.get_mut(side) {
                stream.forget();
            }
            if let Some(carried) = &mut reading.carried {
                carried.forget(side);
            }
        }
    }

    /// Lets go of what was held to read the octets, once they are not read any more and nothing that they
    /// brought is waited with.
    pub(super) fn end_reading(&mut self, arrival: &mut Arrival<'_, '_>) {
        let over = |it: &Reading| it.carried.is_none() && it.opening.is_none();
        if self.carries.is_read() || !self.reading.as_deref().is_some_and(over) {
            return;
        }
        for side in [0, 1] {
            // What waits behind a hole is not read either, but the hole counts.
            if self.has_hole(side) {
                self.reassemble(side, None, arrival);
            }
        }
        let Some(reading) = self.reading.take() else { return };
        self.next = reading.directions.each_ref().map(Direction::next);
        reading.end(arrival.shared);
    }

    /// Whether octets of a direction wait for what lies before them.
    pub(super) fn has_hole(&self, side: usize) -> bool {
        let direction = self.reading.as_ref().and_then(|reading| reading.directions.get(side));
        direction.is_some_and(Direction::has_hole)
    }

    /// Gives out what is held, at the end of the connection.
    pub(super) fn flush(
        &mut self,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
        reassembly: &mut Reassembly,
    ) {
        // Media that comes out only now has no packet that it could be of.
        let datagrams = shared.datagrams.len();
        for (side, src, dst) in [(0, self.key.low, self.key.high), (1, self.key.high, self.key.low)]
        {
            let mut arrival = Arrival { src, dst, shared, emit, reassembly };
            if self.has_hole(side) {
                self.reassemble(side, None, &mut arrival);
                self.settle(side, &mut arrival);
                self.settle_opening(&mut arrival);
            }
            if self.carries == Carries::Sip {
                // A gap with nothing behind it makes the stream give out what it holds.
                self.sip(side, &[], true, &mut arrival);
            }
            let paid = self.reading.as_mut().and_then(|reading| reading.paid.get_mut(side));
            shared.purse.give(paid.map(std::mem::take).unwrap_or_default());
        }
        if self.carries == Carries::Handshake {
            self.end_handshake(shared, emit);
        }
        self.close_opening(shared, emit);
        shared.datagrams.truncate(datagrams);
        if let Some(reading) = self.reading.take() {
            reading.end(shared);
        }
    }
}
