//! L7: what an eavesdropper can do with the keys that a capture shows, and what of the media can be
//! heard.
//!
//! [`srtp`] checks and opens protected media with a key; which keys belong to which stream is the
//! engine's to know. [`audio`] and [`codec`] make sound of media, on request only.

pub mod audio;
pub mod codec;
pub mod opener;
pub mod srtp;

use crate::model::frame::FrameId;
use crate::model::stream::StreamKey;

/// A stream with the key that opens it: what a second pass over the capture needs.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The stream.
    pub stream: StreamKey,
    /// Its first packet: a stream of the same addresses and SSRC may have come before or after.
    pub first_frame: FrameId,
    /// Its last packet.
    pub last_frame: FrameId,
    /// The key; its length of MKI is that of the packets.
    pub key: srtp::MasterKey,
    /// The rollover counter of the packet with this sequence number: of one of the first packets.
    pub roc: u32,
    /// That packet's sequence number.
    pub sequence: u16,
}
