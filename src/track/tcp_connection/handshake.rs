//! The TLS handshake of a connection: whether it is over, and the fact that tells of it.

use super::{Arrival, Carries, Connection, Reading};
use crate::dissect::tls_open::stream::TlsStream;
use crate::model::addr::Endpoint;
use crate::reassemble::tcp::Direction;
use crate::track::emit::Emitter;
use crate::track::shared::Shared;
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
        let Some(reading) = &mut self.reading else { return };
        let hung_up = reset || reading.directions.get(side).is_some_and(Direction::closed);
        let holed = hung_up && reading.directions.iter().any(|it| it.waiting() > 0);
        let Some(handshake) = reading.handshake() else { return };
        if holed {
            handshake.waits_behind_hole();
        }
        if hung_up {
            handshake.closed(side, reset, arrival.emit.frame());
        }
        if handshake.ended.is_some() {
            self.end_handshake(arrival.shared, arrival.emit);
            if let Some(reading) = self.reading.as_mut().filter(|it| it.carried.is_none()) {
                reading.give_back(&mut arrival.shared.purse);
            }
        }
    }

    /// The handshake is over, and what follows is not read. It is told of, unless TLS 1.3 hides parts of
    /// it that secrets may still show: then when they come, or when they cannot any more.
    pub(super) fn end_handshake(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) {
        self.carries = Carries::Tls;
        let Some(reading) = &mut self.reading else { return };
        let shows_more = reading.opening.as_ref().is_some_and(|it| it.may_show_more());
        let Some(handshake) = reading.handshake() else { return };
        if handshake.may_renegotiate() {
            self.glance.watch(handshake.client());
        }
        if !handshake.hides_more() || !shows_more {
            self.tell_handshake(shared, emit);
        } else {
            preliminary_fact(handshake, [self.key.low, self.key.high], self.clipped, emit);
        }
    }

    /// Tells of a handshake that is over, if that is still to be done.
    pub(super) fn tell_handshake(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let Some(Reading { carried, opening, .. }) = self.reading.as_deref_mut() else { return };
        let (ends, stream) =
            ([self.key.low, self.key.high], opening.as_ref().map(|it| it.stream()));
        tell(carried.take(), ends, self.clipped, stream, shared, emit);
        if let Some(opening) = opening {
            opening.handshake_over();
        }
    }

    /// Tells of a handshake that waited for the secrets that have come now, and show this of it.
    pub(super) fn tell_opened(
        &mut self,
        shown: &TlsStream,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        if let Some(reading) = self.reading.as_mut().filter(|_| self.carries == Carries::Tls) {
            let ends = [self.key.low, self.key.high];
            tell(reading.carried.take(), ends, self.clipped, Some(shown), shared, emit);
        }
    }

    /// Tells of a handshake that still waits and has nothing to wait for any more.
    pub(super) fn tell_waiting(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let waits = self.reading.as_ref().is_some_and(|reading| reading.carried.is_some());
        if self.carries == Carries::Tls && waits {
            self.tell_handshake(shared, emit);
        }
    }
}

fn tell(
    carried: Option<Carried>,
    ends: [Endpoint; 2],
    clipped: bool,
    stream: Option<&TlsStream>,
    shared: &mut Shared,
    emit: &mut Emitter<'_>,
) {
    if let Some(Carried::Tls(handshake)) = carried {
        tls_fact(&handshake, ends, clipped, stream, emit);
        shared.keep(handshake);
    }
}
