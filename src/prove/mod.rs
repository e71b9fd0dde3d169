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

/// A stream with the key that opens it: what a second pass over the capture needs. Of several of one
/// stream the first was proven to; each of the others may come into force later.
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
    /// Packets prove it. Otherwise its sender told it, and the stream is in clear for a part.
    pub proven: bool,
    /// The rollover counter of the packet with this sequence number: of one of the first packets.
    pub roc: u32,
    /// That packet's sequence number.
    pub sequence: u16,
    /// The number of its label, if the report of the same capture names it.
    pub label: Option<u32>,
}

/// What keys are called: `secret-2 (AES_CM_128_HMAC_SHA1_80)` as in the report, and those that the report does
/// not name `SRTP key 1 (...)`, counted from 1 in the order in which they are asked for.
#[derive(Debug, Default)]
pub struct KeyNames {
    unlabelled: Vec<srtp::MasterKey>,
}

impl KeyNames {
    /// The name of a stream's key.
    pub fn of(&mut self, opened: &Opened) -> String {
        let suite = opened.key.suite().name();
        if let Some(label) = opened.label {
            return format!("secret-{label} ({suite})");
        }
        let known = self.unlabelled.iter().position(|key| *key == opened.key);
        let number = known.unwrap_or_else(|| {
            self.unlabelled.push(opened.key);
            self.unlabelled.len() - 1
        });
        format!("SRTP key {} ({suite})", number + 1)
    }
}
