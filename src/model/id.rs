//! Identities of records: derived from content, so that the same call has the same id in a file,
//! on a live interface and in another tap's recording.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::frame::FrameId;

/// What kind of record an id names; its letter is the id's first character.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A call, `c`.
    Call,
    /// A handshake, `h`.
    Handshake,
    /// A registration, `r`.
    Registration,
    /// A media stream, `s`.
    Stream,
}

impl Kind {
    const fn letter(self) -> char {
        match self {
            Self::Call => 'c',
            Self::Handshake => 'h',
            Self::Registration => 'r',
            Self::Stream => 's',
        }
    }
}

/// A record's id: its kind and 56 bits of a stable hash of what it is.
///
/// Prints as the kind's letter and 14 hexadecimal digits, e.g. `c0f31a6b29c4d7e`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    kind: Kind,
    hash: u64,
}

impl RecordId {
    /// The id of a record of `kind` whose identity hashes to `hash`.
    pub const fn new(kind: Kind, hash: u64) -> Self {
        Self { kind, hash: hash >> 8 }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:014x}", self.kind.letter(), self.hash)
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.kind, self.hash).serialize(serializer)
        }
    }
}

/// Only the compact form is read back (the spool); the printed form is output.
impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (kind, hash) = Deserialize::deserialize(deserializer)?;
        Ok(Self { kind, hash })
    }
}

/// A record's place in the report: records are sorted by first frame, then id.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The first frame that belongs to the record.
    pub first: FrameId,
    /// The record.
    pub id: RecordId,
}
