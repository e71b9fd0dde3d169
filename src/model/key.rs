//! What is known of an SRTP master key that stood in signalling: where, and what it opens. The key
//! itself is not here.

use super::addr::Endpoint;
use super::evidence::FrameRef;
use super::frame::FrameId;
use super::id::RecordKey;
use super::packed::{packed, packed_words};
use super::record::Side;
use super::time::Ts;

/// Where a key stood.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    /// The message.
    pub at: FrameRef,
    /// The call.
    pub call: RecordKey,
    /// Stable hash of the Call-ID, which forks of a call share.
    pub call_id: u64,
    /// Who sends what the key protects: the side whose description it is (RFC 4568 §4.1).
    pub side: Side,
    /// Index of the m-line, from 0.
    pub mline: u8,
    /// Whether the description answers another.
    pub answer: bool,
    /// Who sent the message.
    pub src: Endpoint,
    /// To whom.
    pub dst: Endpoint,
    /// The message could be read without any key: it did not travel in TLS.
    pub clear: bool,
}

/// A key that three packets of a stream were verified with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Stable hash of master key and salt: equal keys are equal here.
    pub key: u64,
    /// Where it stood.
    pub place: KeyPlace,
    /// The registered name of its suite.
    pub suite: &'static str,
    /// The rollover counter of the first of the packets (RFC 3711 §3.3.1).
    pub roc: u32,
    /// Its sequence number.
    pub sequence: u16,
    /// The packets.
    pub frames: [FrameId; 3],
    /// When the third of them came.
    pub at: Ts,
}

/// How sure it is that a key opens a stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyHold {
    /// Tags of three packets verify with it.
    Proven,
    /// It is the key that the sender told; no packet was tried.
    Told,
    /// It is the key that the sender told, and packets do not verify with it.
    Refuted,
}

packed_words! { KeyHold { Proven Told Refuted } }

/// The key of a stream, as far as an exposure needs it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKeyed {
    /// How sure it is.
    pub hold: KeyHold,
    /// The message that told the key.
    pub told: FrameId,
    /// That message could be read without any key.
    pub clear: bool,
    /// The packets that were tried.
    pub tried: Option<Tried>,
}

packed! { StreamKeyed { hold told clear tried } }

/// Three packets in a row.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tried {
    /// The first.
    pub first: FrameId,
    /// The second.
    pub second: FrameId,
    /// The third.
    pub third: FrameId,
}

packed! { Tried { first second third } }

impl From<[FrameId; 3]> for Tried {
    fn from([first, second, third]: [FrameId; 3]) -> Self {
        Self { first, second, third }
    }
}
