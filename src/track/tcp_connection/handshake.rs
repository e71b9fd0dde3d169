//! The TLS handshake of a connection: whether it is over, and the fact that tells of it.

use super::{Arrival, Carries, Connection};
use crate::reassemble::tcp::Direction;
use crate::track::emit::Emitter;
use crate::track::tcp_carried::Carried;
use crate::track::tls_flow::tls_fact;

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
            handshake.closed(side, reset, arrival.emit.frame());
        }
        if handshake.ended.is_some() {
            self.end_handshake(arrival.emit);
            arrival.shared.purse.give(std::mem::take(&mut self.paid).iter().sum());
        }
    }

    /// Tells of the handshake; what follows is not read.
    pub(super) fn end_handshake(&mut self, emit: &mut Emitter<'_>) {
        self.carries = Carries::Tls;
        let Some(mut carried) = self.carried.take() else { return };
        if let Some(handshake) = carried.handshake() {
            let ends = [self.key.low, self.key.high];
            if handshake.may_renegotiate() {
                self.glance.watch(handshake.client());
            }
            tls_fact(handshake, ends, self.clipped, self.opening.as_deref(), emit);
        }
        self.opening.iter_mut().for_each(|opening| opening.handshake_over());
    }
}
