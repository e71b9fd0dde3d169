//! One gzip member, zstd frame or lz4 frame being unpacked: the door of the three crates that do
//! it (`docs/decisions/0009-compressed-captures.md`).
//!
//! Each gives what came out before a fault first, and says what is wrong when it is asked again.

use std::fmt;
use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};
use lz4_flex::frame::{Error as Lz4Error, FrameDecoder as Lz4Decoder};
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder as ZstdDecoder};

use super::packed::Spoilt;
use super::raw::Raw;
use super::stream::Stream;

/// What the compressed octets go through now.
#[derive(Debug)]
pub(super) enum Codec {
    /// Nothing: a member or frame begins, or the data ends.
    Between(Raw),
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
    Lz4(Box<Lz4>),
}

/// A gzip member.
#[derive(Debug)]
pub(super) struct Gzip {
    raw: Raw,
    inflate: Decompress,
    ended: bool,
}

/// A zstd frame.
pub(super) struct Zstd {
    raw: Raw,
    decoder: ZstdDecoder,
    spoilt: Option<Spoilt>,
}

/// An lz4 frame.
pub(super) struct Lz4 {
    decoder: Lz4Decoder<Raw>,
}

/// Octets of a zstd frame unpacked at once; a block is at most 128 KiB.
const ZSTD_STEP: usize = 128 << 10;

impl Codec {
    /// The compressed octets.
    pub(super) fn raw(&self) -> &Raw {
        match self {
            Self::Between(raw) => raw,
            Self::Gzip(gzip) => &gzip.raw,
            Self::Zstd(zstd) => &zstd.raw,
            Self::Lz4(lz4) => lz4.decoder.get_ref(),
        }
    }

    /// Unpacks into `into`, which is not empty; 0 at the end of the member or frame.
    pub(super) fn unpack(&mut self, into: &mut [u8]) -> Result<usize, Spoilt> {
        match self {
            Self::Between(_) => Ok(0),
            Self::Gzip(gzip) => gzip.unpack(into),
            Self::Zstd(zstd) => zstd.unpack(into),
            Self::Lz4(lz4) => lz4.unpack(into),
        }
    }

    /// Leaves a member or frame that has ended.
    pub(super) fn end(&mut self) {
        let raw = self.take();
        *self = Self::Between(raw);
    }

    /// The compressed octets, for another codec.
    pub(super) fn take(&mut self) -> Raw {
        let nothing = Self::Between(Raw::new(Stream::nothing()));
        match std::mem::replace(self, nothing) {
            Self::Between(raw) => raw,
            Self::Gzip(gzip) => gzip.raw,
            Self::Zstd(zstd) => zstd.raw,
            Self::Lz4(lz4) => lz4.decoder.into_inner(),
        }
    }
}

impl Gzip {
    /// A member that begins with the next octet of `raw`.
    pub(super) fn new(raw: Raw) -> Self {
        Self { raw, inflate: Decompress::new_gzip(15), ended: false }
    }

    fn unpack(&mut self, into: &mut [u8]) -> Result<usize, Spoilt> {
        while !self.ended {
            let input = self.raw.filled()?;
            if input.is_empty() {
                return Err(Spoilt::Cut);
            }
            let before = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(input, into, FlushDecompress::None);
            let used = passed(before.0, self.inflate.total_in());
            let made = passed(before.1, self.inflate.total_out());
            self.raw.consume(used);
            match status {
                Ok(Status::StreamEnd) => self.ended = true,
                Ok(_) if used > 0 || made > 0 => {}
                Err(_) if made > 0 => {}
                _ => return Err(Spoilt::Corrupt),
            }
            if made > 0 {
                return Ok(made);
            }
        }
        Ok(0)
    }
}

impl Zstd {
    /// A frame that begins with the next octet of `raw` and looks back at most `window` octets.
    pub(super) fn begin(mut raw: Raw, window: u64) -> Result<Self, (Raw, Spoilt)> {
        let mut decoder = ZstdDecoder::new();
        decoder.set_max_window_size(window);
        match decoder.reset(&mut raw) {
            Ok(()) => Ok(Self { raw, decoder, spoilt: None }),
            Err(error) => {
                let spoilt = match error {
                    FrameDecoderError::WindowSizeTooBig { requested, .. } => {
                        Spoilt::Window(requested)
                    }
                    FrameDecoderError::DictNotProvided { .. } => Spoilt::Dictionary,
                    _ => raw.spoilt(),
                };
                Err((raw, spoilt))
            }
        }
    }

    fn unpack(&mut self, into: &mut [u8]) -> Result<usize, Spoilt> {
        loop {
            match self.decoder.read(into) {
                Ok(0) => {}
                Ok(made) => return Ok(made),
                Err(_) => return Err(Spoilt::Corrupt),
            }
            if let Some(spoilt) = self.spoilt {
                return Err(spoilt);
            }
            if self.decoder.is_finished() {
                let said = self.decoder.get_checksum_from_data();
                let is = self.decoder.get_calculated_checksum();
                let agree = said.is_none_or(|said| is == Some(said));
                return if agree { Ok(0) } else { Err(Spoilt::Corrupt) };
            }
            let step = BlockDecodingStrategy::UptoBytes(ZSTD_STEP);
            if self.decoder.decode_blocks(&mut self.raw, step).is_err() {
                self.spoilt = Some(self.raw.spoilt());
                self.release();
            }
        }
    }

    /// Has the decoder give out its window, which it keeps as long as a frame goes on: an empty
    /// last block, with a check sum that nobody will look at.
    fn release(&mut self) {
        let last = [1, 0, 0, 0, 0, 0, 0];
        // Should it be refused, the window is lost: no more than that.
        let _ = self.decoder.decode_blocks(last.as_slice(), BlockDecodingStrategy::UptoBlocks(1));
    }
}

impl Lz4 {
    /// A frame that begins with the next octet of `raw`.
    pub(super) fn new(raw: Raw) -> Self {
        Self { decoder: Lz4Decoder::new(raw) }
    }

    fn unpack(&mut self, into: &mut [u8]) -> Result<usize, Spoilt> {
        match self.decoder.read(into) {
            // The decoder takes data that breaks off between blocks for complete.
            Ok(0) if self.decoder.get_ref().ended() => Err(Spoilt::Cut),
            Ok(made) => Ok(made),
            Err(error) => Err(match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(Lz4Error::DictionaryNotSupported) => Spoilt::Dictionary,
                _ => self.decoder.get_ref().spoilt(),
            }),
        }
    }
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd").field("raw", &self.raw).finish_non_exhaustive()
    }
}

impl fmt::Debug for Lz4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lz4").finish_non_exhaustive()
    }
}

/// How far a counter went.
fn passed(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}
