//! A batch: the unit in which packets travel to a lane.

use std::sync::Arc;

use crate::capture::Backing;
use crate::model::time::Ts;
use crate::track::input::Input;

use super::secrets::NewSecrets;

/// Packets handed over at once. A message a packet would double the cost of a packet.
pub const BATCH: usize = 256;
/// The same where nothing is handed over, with one lane: what is written of so few packets is still in the
/// first cache when the lane reads it.
pub const FEW: usize = 64;

/// [`Input::backing`] of a packet whose octets are in [`Batch::joined`].
pub const JOINED: u16 = u16::MAX;

/// What ends with a batch.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// Nothing: more of the same epoch follows.
    #[default]
    Nothing,
    /// The epoch, at this watermark.
    Epoch(Ts),
    /// The epoch, at this watermark, and with it the capture.
    Capture(Ts),
}

/// Packets for one lane with what owns their octets. Emptied and reused.
#[derive(Debug, Default)]
pub struct Batch {
    /// The packets, in order.
    pub inputs: Vec<Input>,
    /// Owners of their octets.
    pub backings: Vec<Backing>,
    /// Octets of datagrams that were joined from fragments.
    pub joined: Vec<u8>,
    /// Secrets that hold from its first packet on.
    pub secrets: Option<Arc<NewSecrets>>,
    /// What ends with it.
    pub end: End,
}

impl Batch {
    /// The octets that an input's offsets refer to.
    pub fn octets(&self, input: &Input) -> &[u8] {
        let owner = if input.backing == JOINED {
            self.joined.as_slice()
        } else {
            self.backings.get(usize::from(input.backing)).map(Backing::octets).unwrap_or_default()
        };
        let len = usize::try_from(input.len).unwrap_or(usize::MAX);
        owner.get(input.at..input.at.saturating_add(len)).unwrap_or_default()
    }

    /// Empties it, keeping its memory but not its hold on capture blocks.
    pub fn clear(&mut self) {
        self.inputs.clear();
        self.backings.clear();
        self.joined.clear();
        self.secrets = None;
        self.end = End::Nothing;
    }
}
