//! Stamps facts with their place in the total order.

use crate::model::evidence::FrameRef;
use crate::model::fact::{Body, EpochFacts, Fact, FactKey};
use crate::model::handshake::HandshakeFacts;
use crate::model::time::Ts;

use super::input::Input;

/// The first number of a packet's facts: those that secrets open which act from this packet on come
/// before.
const AFTER_SECRETS: u32 = 1 << 31;

/// Writes the facts of one frame, or of one sweep of the timers, into an epoch.
#[derive(Debug)]
pub struct Emitter<'a> {
    /// The epoch's buffers.
    pub epoch: &'a mut EpochFacts,
    key: FactKey,
    frame: FrameRef,
}

impl<'a> Emitter<'a> {
    /// For the facts of one packet.
    pub fn of_packet(epoch: &'a mut EpochFacts, input: &Input) -> Self {
        let (at, ordinal, flow) = (input.watermark, input.ordinal, input.flow);
        let key = FactKey { at, ordinal, flow, sequence: AFTER_SECRETS };
        Self { epoch, key, frame: input.frame_ref() }
    }

    /// For what secrets open that act from the frame of this ordinal on, at this watermark.
    pub fn of_secrets(epoch: &'a mut EpochFacts, at: Ts, ordinal: u64, flow: u64) -> Self {
        let key = FactKey { at, ordinal, flow, sequence: 0 };
        Self { epoch, key, frame: FrameRef::default() }
    }

    /// For the facts of timers; [`Self::due`] names each one's deadline and flow.
    pub fn of_timers(epoch: &'a mut EpochFacts) -> Self {
        let key = FactKey { at: Ts::MIN, ordinal: 0, flow: 0, sequence: 0 };
        Self { epoch, key, frame: FrameRef::default() }
    }

    /// Turns to the timer of `flow` that was due at `deadline` and last saw `frame`.
    pub fn due(&mut self, deadline: Ts, flow: u64, frame: FrameRef) {
        if (self.key.at, self.key.flow) != (deadline, flow) {
            self.key = FactKey { at: deadline, ordinal: 0, flow, sequence: 0 };
        }
        self.frame = frame;
    }

    /// Has the next facts cite `frame`, under the key that holds, and gives back the one before: a
    /// packet may end another flow, whose facts are not of that packet's frame.
    pub fn cite(&mut self, frame: FrameRef) -> FrameRef {
        std::mem::replace(&mut self.frame, frame)
    }

    /// The frame that the next facts cite.
    pub fn frame(&self) -> FrameRef {
        self.frame
    }

    /// Writes the fact of a handshake that is over.
    pub fn handshake(&mut self, handshake: HandshakeFacts) {
        let place = self.epoch.greeted(handshake);
        self.fact(Body::Handshake(place));
    }

    /// Writes one fact.
    pub fn fact(&mut self, body: Body) {
        self.epoch.facts.push(Fact { key: self.key, frame: self.frame, body });
        self.key.sequence = self.key.sequence.saturating_add(1);
    }
}
