//! Identities of records: derived from content, so that the same call has the same id in a file,
//! on a live interface and in another tap's recording.

use std::fmt;

use serde::{Serialize, Serializer};

use super::frame::FrameId;
use super::packed::{Packed, Packer, Unpacker, packed};
use super::text::Short;

/// What kind of record an id names; its letter is the id's first character.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
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
    const fn letter(self) -> u64 {
        match self {
            Self::Call => 0x63,
            Self::Handshake => 0x68,
            Self::Registration => 0x72,
            Self::Stream => 0x73,
        }
    }
}

/// A record's id: its kind and 56 bits of a stable hash of what it is.
///
/// Prints as the kind's letter and 14 hexadecimal digits, e.g. `c0f31a6b29c4d7e`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(u64);

impl RecordId {
    /// The id of a record of `kind` whose identity hashes to `hash`.
    pub const fn new(kind: Kind, hash: u64) -> Self {
        Self(kind.letter() << 56 | hash >> 8)
    }

    /// The id of which [`Self::number`] is this.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The kind's letter in ASCII, and the hash in 56 bits.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// What kind of record it names; `None` only for a number that is no id's.
    pub fn kind(self) -> Option<Kind> {
        let kinds = [Kind::Call, Kind::Handshake, Kind::Registration, Kind::Stream];
        kinds.into_iter().find(|kind| kind.letter() == self.0 >> 56)
    }

    fn text(self) -> Short {
        let [letter, ..] = self.0.to_be_bytes();
        let mut text = Short::EMPTY;
        text.push(letter);
        text.hexadecimal(self.0, 14);
        text
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl Packed<'_> for RecordId {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        self.0.to_be_bytes().pack(out);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        Packed::unpack(from).map(|octets| Self(u64::from_be_bytes(octets)))
    }
}

/// A record's place in the report: records are sorted by first frame, then id.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The first frame that belongs to the record.
    pub first: FrameId,
    /// The record.
    pub id: RecordId,
}

packed! { RecordKey { first id } }
