//! What a connection that carries TLS does to have it opened: octets in, secrets that come later, and
//! the end.

use crate::dissect::tls_open::keylog::Random;
use crate::track::emit::Emitter;
use crate::track::shared::Shared;
use crate::track::tcp_carried::Piece;
use crate::track::tls_opening::Opening;

use super::{Arrival, Carries, Connection};

impl Connection {
    /// Where it is opened.
    pub(super) fn opening(&self) -> Option<&Opening> {
        self.reading.as_ref().and_then(|reading| reading.opening.as_deref())
    }

    fn opening_mut(&mut self) -> Option<&mut Opening> {
        self.reading.as_mut().and_then(|reading| reading.opening.as_deref_mut())
    }

    /// Whether it would open with the secrets of the session whose ClientHello had this random.
    pub(in crate::track) fn waits_for(&self, random: &Random) -> bool {
        self.opening().is_some_and(|opening| opening.waits_for() == Some(random))
    }

    /// Secrets came for it.
    pub(in crate::track) fn secrets(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let ends = [self.key.low, self.key.high];
        let Some(opening) = self.opening() else { return };
        let Some(stream) = opening.preview(shared) else {
            shared.waiting.extend(opening.waits_for().map(|random| (*random, self.flow)));
            return;
        };
        self.tell_opened(&stream, shared, emit);
        let (clipped, told) = (self.clipped, self.carries != Carries::Handshake);
        let Some(opening) = self.opening_mut() else { return };
        if !opening.again(ends, [clipped, told], shared, emit) {
            self.close_opening(shared, emit);
        }
    }

    /// Takes octets of TLS to where it is opened.
    pub(super) fn open(&mut self, piece: &Piece<'_>, arrival: &mut Arrival<'_, '_>) {
        let flow = self.flow;
        let Some(opening) = self.opening_mut().filter(|opening| opening.is_read()) else { return };
        opening.push(piece, arrival.shared, arrival.emit);
        if let Some(random) = opening.waits_for() {
            arrival.shared.waiting.insert((*random, flow));
        }
        if !opening.may_show_more() {
            self.tell_waiting(arrival.shared, arrival.emit);
        }
    }

    /// Has the purse pay for what is unfinished inside TLS; ends what is over.
    pub(super) fn settle_opening(&mut self, arrival: &mut Arrival<'_, '_>) {
        if let Some(opening) = self.opening_mut()
            && !opening.settle(arrival.shared)
        {
            self.close_opening(arrival.shared, arrival.emit);
        }
    }

    /// Nothing more will come of opening it.
    pub(super) fn close_opening(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) {
        self.tell_waiting(shared, emit);
        let opening = self.reading.as_mut().and_then(|reading| reading.opening.take());
        let Some(opening) = opening else { return };
        if let Some(random) = opening.waits_for() {
            shared.waiting.remove(&(*random, self.flow));
        }
        opening.close([self.key.low, self.key.high], self.clipped, shared, emit);
    }
}
