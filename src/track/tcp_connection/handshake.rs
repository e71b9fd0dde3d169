//! The TLS handshake of a connection: whether it is over, and the fact that tells of it.

use super::{Arrival, Carries, Connection};
use crate::dissect::tls_open::stream::TlsStream;
use crate::model::addr::Endpoint;
use crate::reassemble::tcp::Direction;
use crate::track::emit::Emitter;
use crate::track::tcp_carried::Carried;
use crate::track::tls_flow::{preliminary_fact, tls_fact};

impl Connection {
    /// Whether the handshake is over, by what it said or because the sender hung up.
    pub(super) fn watch_handshake(
        &mut self,
        side: usize,
        reset: bool,
        arrival: &mut Arrival<'_, '_>,
    ) {
        let hung_up = reset || self.directions.get(side).is_some_and(Direction::closed);
        let Some(handshake) = self.carried.as_deref_mut().and_then(Carried::handshake) else {
            return;
        };
        if hung_up {
            if self.directions.iter().any(|direction| direction.waiting() > 0) {
                handshake.waits_behind_hole();
            }
            handshake.closed(side, reset, arrival.emit.frame());
        }
        if handshake.ended.is_some() {
            self.end_handshake(arrival.emit);
            if self.carried.is_none() {
                arrival.shared.purse.give(std::mem::take(&mut self.paid).iter().sum());
            }
        }
    }

    /// The handshake is over, and what follows is not read. It is told of, unless TLS 1.3 hides parts of
    /// it that secrets may still show: then when they come, or when they cannot any more.
    pub(super) fn end_handshake(&mut self, emit: &mut Emitter<'_>) {
        self.carries = Carries::Tls;
        let Some(handshake) = self.carried.as_deref_mut().and_then(Carried::handshake) else {
            return;
        };
        if handshake.may_renegotiate() {
            self.glance.watch(handshake.client());
        }
        if !handshake.hides_more() || !self.opening.as_ref().is_some_and(|it| it.may_show_more()) {
            self.tell_handshake(emit);
        } else {
            preliminary_fact(handshake, [self.key.low, self.key.high], self.clipped, emit);
        }
    }

    /// Tells of a handshake that is over, if that is still to be done.
    pub(super) fn tell_handshake(&mut self, emit: &mut Emitter<'_>) {
        let stream = self.opening.as_ref().map(|opening| opening.stream());
        Self::tell(self.carried.take(), [self.key.low, self.key.high], self.clipped, stream, emit);
        self.opening.iter_mut().for_each(|opening| opening.handshake_over());
    }

    /// Tells of a handshake that waited for the secrets that have come now, and show this of it.
    pub(super) fn tell_opened(&mut self, shown: &TlsStream, emit: &mut Emitter<'_>) {
        if self.carries == Carries::Tls && self.carried.is_some() {
            let ends = [self.key.low, self.key.high];
            Self::tell(self.carried.take(), ends, self.clipped, Some(shown), emit);
        }
    }

    /// Tells of a handshake that still waits and has nothing to wait for any more.
    pub(super) fn tell_waiting(&mut self, emit: &mut Emitter<'_>) {
        if self.carries == Carries::Tls && self.carried.is_some() {
            self.tell_handshake(emit);
        }
    }

    fn tell(
        carried: Option<Box<Carried>>,
        ends: [Endpoint; 2],
        clipped: bool,
        stream: Option<&TlsStream>,
        emit: &mut Emitter<'_>,
    ) {
        let Some(mut carried) = carried else { return };
        if let Some(handshake) = carried.handshake() {
            tls_fact(handshake, ends, clipped, stream, emit);
        }
    }
}
