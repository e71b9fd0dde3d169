//! What is noticed of a TLS connection beside its handshake, at the price of a few comparisons a segment:
//! that a server refused the connection or did not answer, and that both sides agree on keys once more.
//!
//! Up to TLS 1.2 the type of an encrypted record shows, and senders begin records at segments: a record
//! of the handshake behind data is a renegotiation (RFC 5246 §7.4.1.1). What is inside cannot be seen.

use super::{Carries, Connection, opens};
use crate::decode::Tcp;
use crate::model::addr::Proto;
use crate::model::fact::Body;
use crate::track::emit::Emitter;
use crate::track::input::Input;
use crate::track::knock::SIPS_PORT;

/// Octets of an encrypted handshake record: from a `HelloRequest` with its MAC to a hello.
const HANDSHAKE_OCTETS: std::ops::RangeInclusive<u16> = 16..=4_096;

/// What was noticed: bits.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Glance(u16);

/// A SYN was seen, and it came from the low side.
const CALLED: u16 = 1;
const CALLED_BY_LOW: u16 = 1 << 1;
/// The other side answered.
const REPLIED: u16 = 1 << 2;
/// What there was to tell was told.
const TOLD: u16 = 1 << 3;
/// The handshake is over, up to TLS 1.2; the high side was its client.
const WATCHED: u16 = 1 << 4;
const CLIENT_HIGH: u16 = 1 << 5;
/// Data followed.
const DATA: u16 = 1 << 6;
/// Then handshake records of the low side, and of the high one.
const AGAIN: [u16; 2] = [1 << 7, 1 << 8];

impl Glance {
    const fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }

    fn set(&mut self, bits: u16) {
        self.0 |= bits;
    }

    /// The handshake of this client's side is over, and records keep showing their types.
    pub(super) fn watch(&mut self, client: usize) {
        self.0 = WATCHED | if client == 0 { 0 } else { CLIENT_HIGH };
    }
}

impl Connection {
    /// Looks at a segment before it is taken.
    #[inline]
    pub(in crate::track) fn glance(
        &mut self,
        input: &Input,
        payload: &[u8],
        emit: &mut Emitter<'_>,
    ) {
        if self.carries == Carries::Unknown {
            if self.key.low.port == SIPS_PORT || self.key.high.port == SIPS_PORT {
                self.glance_at_opening(input, emit);
            }
        } else if self.glance.has(WATCHED) && !self.glance.has(TOLD) {
            self.glance_at_record(input, payload, emit);
        }
    }

    /// Whether somebody answers the SYN.
    fn glance_at_opening(&mut self, input: &Input, emit: &mut Emitter<'_>) {
        let tcp = input.packet.tcp;
        let by_low = input.packet.src == self.key.low;
        if opens(tcp) && !self.glance.has(CALLED) {
            self.glance.set(CALLED | if by_low { CALLED_BY_LOW } else { 0 });
            return;
        }
        if !self.glance.has(CALLED) || self.glance.has(REPLIED) {
            return;
        }
        let (reset, by_caller) =
            (tcp.flags & Tcp::RST != 0, by_low == self.glance.has(CALLED_BY_LOW));
        let asked_again = by_caller && opens(tcp);
        if !by_caller {
            self.glance.set(REPLIED);
        }
        if (asked_again || !by_caller && reset) && !self.glance.has(TOLD) {
            self.glance.set(TOLD);
            let (low, high) = (self.key.low, self.key.high);
            let called_by_low = self.glance.has(CALLED_BY_LOW);
            let (src, dst) = if called_by_low { (low, high) } else { (high, low) };
            emit.fact(Body::Unanswered { src, dst, reset, proto: Proto::TCP });
        }
    }

    /// Whether keys are agreed on once more.
    fn glance_at_record(&mut self, input: &Input, payload: &[u8], emit: &mut Emitter<'_>) {
        let &[kind @ 22..=23, 3, 0..=3, high, low, ..] = payload else { return };
        if kind == 23 {
            return self.glance.set(DATA);
        }
        let length = u16::from_be_bytes([high, low]);
        let side = usize::from(input.packet.src != self.key.low);
        let seq = input.packet.tcp.seq;
        let fresh = self.next(side).is_none_or(|next| seq.wrapping_sub(next) < 1 << 31);
        if !self.glance.has(DATA) || !fresh || !HANDSHAKE_OCTETS.contains(&length) {
            return;
        }
        AGAIN.get(side).into_iter().for_each(|bit| self.glance.set(*bit));
        let [one, other] = AGAIN;
        if self.glance.has(one | other) {
            self.glance.set(TOLD);
            let (low, high) = (self.key.low, self.key.high);
            let by_high = self.glance.has(CLIENT_HIGH);
            let (client, server) = if by_high { (high, low) } else { (low, high) };
            emit.fact(Body::Renegotiated { client, server, proto: Proto::TCP });
        }
    }
}
