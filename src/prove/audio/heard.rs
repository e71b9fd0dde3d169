//! One stream of a call that was asked for: what the first pass over the capture found out about it,
//! and what the second one brought.

use crate::model::frame::FrameId;
use crate::model::id::{RecordId, RecordKey};
use crate::model::record::{Protection, Side};
use crate::model::stream::StreamKey;
use crate::model::time::Ts;

use super::format::Formats;
use super::recording::Recording;

/// What the first pass found out.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The call.
    pub call: RecordKey,
    /// The stream, as the report names it.
    pub id: RecordId,
    /// Its addresses and SSRC.
    pub key: StreamKey,
    /// Who speaks.
    pub sender: Side,
    /// Capture time of its first packet.
    pub first: Ts,
    /// Of its last.
    pub last: Ts,
    /// Its first packet.
    pub first_frame: FrameId,
    /// Its last packet.
    pub last_frame: FrameId,
    /// Packets, duplicates included.
    pub packets: u64,
    /// The verdict.
    pub protection: Protection,
    /// SDP agreed on a profile of SRTP.
    pub secure: bool,
    /// What its payload types stand for.
    pub formats: Formats,
    /// Their names, in order of appearance.
    pub codecs: Vec<String>,
}

/// With what the second pass brought.
#[derive(Debug)]
pub struct Taken {
    /// The stream.
    pub heard: Heard,
    /// Its packets.
    pub recording: Recording,
    /// What opened it, if it was encrypted: the key as [`KeyNames`](crate::prove::KeyNames) calls it.
    pub opened: Option<String>,
}

impl Heard {
    /// Whether the payload can be read as sent, as far as is known.
    pub fn is_clear(&self) -> bool {
        match self.protection {
            // Authenticated only, it is the codec's but for a tag at its end.
            Protection::Cleartext | Protection::AuthenticatedOnly => true,
            Protection::Unknown => !self.secure,
            Protection::EncryptedLike | Protection::SrtpProven => false,
        }
    }
}
