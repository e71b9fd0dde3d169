//! Compressed octets on their way to what unpacks them, counted as they are used up.

use std::io::{self, Read};

use super::packed::Spoilt;
use super::stream::{Stream, read_some};

/// Octets read at once.
const BUFFER: usize = 64 << 10;

/// A stream with a buffer before it.
#[derive(Debug)]
pub(super) struct Raw {
    stream: Stream,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    taken: u64,
    /// Somebody wanted octets where there were none left.
    ended: bool,
    failed: Option<io::ErrorKind>,
}

impl Raw {
    /// All of `stream`.
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, buffer: Vec::new(), at: 0, end: 0, taken: 0, ended: false, failed: None }
    }

    /// Octets used up.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Why reading on failed: the system's reason before the end of the data before corruption.
    pub(super) fn spoilt(&self) -> Spoilt {
        match self.failed {
            Some(kind) => Spoilt::Io(kind),
            None if self.ended => Spoilt::Cut,
            None => Spoilt::Corrupt,
        }
    }

    /// Whether octets were wanted where there were none left.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The octets at hand, read if there are none; empty at the end.
    pub(super) fn filled(&mut self) -> Result<&[u8], Spoilt> {
        if self.at >= self.end {
            self.fill(0)?;
        }
        Ok(self.buffer.get(self.at..self.end).unwrap_or_default())
    }

    /// The next four octets, fewer at the end.
    pub(super) fn look(&mut self) -> Result<&[u8], Spoilt> {
        self.ahead(4)
    }

    /// The next `octets`, which fit the buffer, or fewer at the end.
    pub(super) fn ahead(&mut self, octets: usize) -> Result<&[u8], Spoilt> {
        while self.end.saturating_sub(self.at) < octets {
            let kept = self.end.saturating_sub(self.at);
            if self.at > 0 {
                self.buffer.copy_within(self.at..self.end, 0);
            }
            if !self.fill(kept)? {
                break;
            }
        }
        let end = self.at.saturating_add(octets).min(self.end);
        Ok(self.buffer.get(self.at..end).unwrap_or_default())
    }

    /// Counts `octets` as used up.
    pub(super) fn consume(&mut self, octets: usize) {
        let octets = octets.min(self.end.saturating_sub(self.at));
        self.at = self.at.saturating_add(octets);
        self.taken = self.taken.saturating_add(u64::try_from(octets).unwrap_or(u64::MAX));
    }

    /// Passes over a frame that is not data: a magic number, a length, and as many octets.
    pub(super) fn skip_frame(&mut self) -> Result<(), Spoilt> {
        let &[_, _, _, _, l0, l1, l2, l3] = self.ahead(8)? else { return Err(Spoilt::Cut) };
        self.consume(8);
        let mut left = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        while left > 0 {
            let passed = self.filled()?.len().min(left);
            if passed == 0 {
                return Err(Spoilt::Cut);
            }
            self.consume(passed);
            left = left.saturating_sub(passed);
        }
        Ok(())
    }

    /// Whether nothing but zeros is left. They are used up.
    pub(super) fn only_zeros(&mut self) -> Result<bool, Spoilt> {
        loop {
            let octets = self.filled()?;
            if octets.iter().any(|octet| *octet != 0) {
                return Ok(false);
            }
            let passed = octets.len();
            if passed == 0 {
                return Ok(true);
            }
            self.consume(passed);
        }
    }

    /// Reads behind the first `kept` octets of the buffer, which begins to be read at 0 again.
    /// `false` at the end.
    fn fill(&mut self, kept: usize) -> Result<bool, Spoilt> {
        if self.buffer.is_empty() {
            self.buffer.resize(BUFFER, 0);
        }
        self.at = 0;
        self.end = kept;
        let room = self.buffer.get_mut(kept..).unwrap_or_default();
        match read_some(&mut self.stream, room) {
            Ok(read) => {
                self.end = kept.saturating_add(read);
                Ok(read > 0)
            }
            Err(error) => {
                self.failed = Some(error.kind());
                Err(Spoilt::Io(error.kind()))
            }
        }
    }
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let octets = self.filled().map_err(io::Error::other)?;
        let given = octets.len().min(into.len());
        if let (Some(to), Some(octets)) = (into.get_mut(..given), octets.get(..given)) {
            to.copy_from_slice(octets);
        }
        self.consume(given);
        self.ended |= given == 0 && !into.is_empty();
        Ok(given)
    }
}
