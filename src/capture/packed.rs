//! Captures compressed with gzip (RFC 1952), zstd (RFC 8878) or lz4 (its frame format, version
//! 1.6), unpacked as they are read. Several members or frames one after the other are one
//! capture, frames to be skipped are skipped, and check sums are checked where there are any.
//!
//! Memory is bounded by what the formats need to look back: 32 KiB for gzip, the window for zstd
//! ([`Unpacking::window`]), 8 MiB for lz4. What unpacks to far more than it takes is refused at
//! [`Unpacking::ratio`]. Whatever ends the data early, all that came out before is given first.
//!
//! Not here: archives, dictionaries, and data compressed twice.

use std::fmt;
use std::io::{self, Read};

use super::codec::{Codec, Gzip, Lz4, Zstd};
use super::raw::Raw;
use super::stream::Stream;

/// How a source is compressed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The LZ4 frame format.
    Lz4,
}

/// How far compressed captures are unpacked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Unpacking {
    /// Octets that one compressed octet may become, over all of a source. What is compressed
    /// better than any capture of calls is a bomb. The first 64 MiB are free.
    pub ratio: u64,
    /// Octets that a source may become.
    pub octets: u64,
    /// Octets that a zstd frame may look back: they are kept in memory.
    pub window: u64,
}

/// Why no more comes out of compressed data.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Spoilt {
    /// It ends within a member or frame.
    Cut,
    /// It cannot be unpacked, or its check sum is of something else.
    Corrupt,
    /// What follows a member or frame is neither.
    Trailing,
    /// It was made with a dictionary, which a capture file has not.
    Dictionary,
    /// It becomes more than this many times what it is.
    Ratio(u64),
    /// It becomes more than this many octets.
    Octets(u64),
    /// It needs a window of this many octets.
    Window(u64),
    /// The system could not read on.
    Io(io::ErrorKind),
}

/// Octets that come out before the ratio counts.
const FREE: u64 = 64 << 20;
/// The ratio is looked at whenever so many octets more have come out, so that the refusal does
/// not depend on the size of reads.
const MILESTONE: u64 = 1 << 20;

/// Compressed data being unpacked.
#[derive(Debug)]
pub(super) struct Packed {
    codec: Codec,
    compression: Compression,
    unpacking: Unpacking,
    given: u64,
    spoilt: Option<Spoilt>,
}

impl Compression {
    /// As the report names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }

    /// What data that begins so is compressed with. Frames to be skipped are of zstd and lz4
    /// alike; zstd is the guess until a frame of either follows.
    pub(super) fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            [first, 0x2a, 0x4d, 0x18, ..] if is_skippable(*first) => Self::Zstd,
            _ => Self::None,
        }
    }
}

impl Unpacking {
    /// What captures need and bombs do not: G.711 of a silent line, the most monotonous of
    /// calls, is compressed to a tenth.
    pub const USUAL: Self = Self { ratio: 200, octets: 1 << 40, window: 128 << 20 };
}

impl Packed {
    /// Unpacks `stream`, which begins like compressed data.
    pub(super) fn new(stream: Stream, compression: Compression, unpacking: Unpacking) -> Self {
        let codec = Codec::Between(Raw::new(stream));
        Self { codec, compression, unpacking, given: 0, spoilt: None }
    }

    /// What the data is compressed with.
    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// Compressed octets used up.
    pub(super) fn taken(&self) -> u64 {
        self.codec.raw().taken()
    }

    /// Octets of `wanted` that may come out now: up to the next milestone.
    fn room(&self, wanted: usize) -> Result<usize, Spoilt> {
        let Unpacking { ratio, octets, .. } = self.unpacking;
        if self.given >= octets {
            return Err(Spoilt::Octets(octets));
        }
        let milestone = self.given.checked_rem(MILESTONE).unwrap_or_default();
        if milestone == 0 && self.given > FREE && self.given > self.taken().saturating_mul(ratio) {
            return Err(Spoilt::Ratio(ratio));
        }
        let room = MILESTONE.saturating_sub(milestone).min(octets.saturating_sub(self.given));
        Ok(usize::try_from(room).unwrap_or(usize::MAX).min(wanted))
    }

    fn unpack(&mut self, into: &mut [u8]) -> Result<usize, Spoilt> {
        if let Some(spoilt) = self.spoilt {
            return Err(spoilt);
        }
        let room = self.room(into.len())?;
        let into = into.get_mut(..room).unwrap_or_default();
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if matches!(self.codec, Codec::Between(_)) {
                if !self.begin()? {
                    return Ok(0);
                }
                continue;
            }
            match self.codec.unpack(into)? {
                0 => self.codec.end(),
                made => {
                    self.given = self.given.saturating_add(u64::try_from(made).unwrap_or(u64::MAX));
                    return Ok(made);
                }
            }
        }
    }

    /// Begins the next member or frame; `false` at the end of the data.
    fn begin(&mut self) -> Result<bool, Spoilt> {
        let Codec::Between(raw) = &mut self.codec else { return Ok(true) };
        let first = raw.look()?;
        let compression = match first {
            [] => return Ok(false),
            [magic, 0x2a, 0x4d, 0x18, ..] if is_skippable(*magic) => {
                raw.skip_frame()?;
                return Ok(true);
            }
            // Archives of old pad to whole tape blocks.
            [0, ..] if self.compression == Compression::Gzip => {
                return if raw.only_zeros()? { Ok(false) } else { Err(Spoilt::Trailing) };
            }
            first => Compression::of(first),
        };
        let raw = self.codec.take();
        self.codec = match compression {
            Compression::None => {
                self.codec = Codec::Between(raw);
                return Err(Spoilt::Trailing);
            }
            Compression::Gzip => Codec::Gzip(Box::new(Gzip::new(raw))),
            Compression::Zstd => match Zstd::begin(raw, self.unpacking.window) {
                Ok(zstd) => Codec::Zstd(Box::new(zstd)),
                Err((raw, spoilt)) => {
                    self.codec = Codec::Between(raw);
                    return Err(spoilt);
                }
            },
            Compression::Lz4 => Codec::Lz4(Box::new(Lz4::new(raw))),
        };
        if self.given == 0 {
            self.compression = compression;
        }
        Ok(true)
    }
}

impl Read for Packed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.unpack(into).map_err(|spoilt| {
            self.spoilt = Some(spoilt);
            io::Error::other(spoilt)
        })
    }
}

impl Spoilt {
    /// What a failed read has to say, if it was of compressed data.
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).copied()
    }
}

impl std::error::Error for Spoilt {}

/// The end of a sentence about "the gzip data", say.
impl fmt::Display for Spoilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("breaks off"),
            Self::Corrupt => f.write_str("is corrupt"),
            Self::Trailing => f.write_str("is followed by something else"),
            Self::Dictionary => f.write_str("needs a dictionary"),
            Self::Ratio(ratio) => write!(
                f,
                "unpacks to more than {ratio} times its size, as no capture does \
                 (--limit unpack_ratio=N)"
            ),
            Self::Octets(octets) => {
                write!(f, "unpacks to more than {octets} octets (--limit unpack_octets=N)")
            }
            Self::Window(window) => write!(
                f,
                "needs {window} octets of memory, more than allowed (--limit unpack_window=N)"
            ),
            Self::Io(kind) => write!(f, "could not be read on: {kind}"),
        }
    }
}

/// Whether a first octet makes the magic number of a frame that is to be skipped.
fn is_skippable(first: u8) -> bool {
    first & 0xf0 == 0x50
}
