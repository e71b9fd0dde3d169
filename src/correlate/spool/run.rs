//! One run of the temporary file, as it is read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::HEAD;
use crate::model::frame::FrameId;
use crate::model::id::{RecordId, RecordKey};

/// One run being read: a window of it, and the record at hand.
#[derive(Debug)]
pub(super) struct Run {
    /// What of the file has not been read.
    left: Range<u64>,
    buffer: Vec<u8>,
    /// Read but not given out.
    ready: Range<usize>,
    /// The record at hand.
    current: Range<usize>,
    ahead: usize,
}

impl Run {
    pub(super) fn new(left: Range<u64>, ahead: usize) -> Self {
        Self { left, buffer: Vec::new(), ready: 0..0, current: 0..0, ahead }
    }

    pub(super) fn record(&self) -> &[u8] {
        self.buffer.get(self.current.clone()).unwrap_or_default()
    }

    /// Moves to the next record and returns its key.
    pub(super) fn advance(&mut self, file: &Mutex<File>) -> io::Result<Option<RecordKey>> {
        self.fill(file, HEAD)?;
        let Some((length, key)) = self.head() else { return Ok(None) };
        self.fill(file, HEAD.saturating_add(length))?;
        let start = self.ready.start.saturating_add(HEAD);
        let end = start.saturating_add(length);
        if end > self.ready.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.current = start..end;
        self.ready.start = end;
        Ok(Some(key))
    }

    /// Length and key of the record that waits.
    fn head(&self) -> Option<(usize, RecordKey)> {
        let (length, rest) = self.waiting().split_first_chunk()?;
        let (source, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let first =
            FrameId { source: u16::from_le_bytes(*source), number: u64::from_le_bytes(*number) };
        let id = RecordId::from_number(u64::from_le_bytes(*rest.first_chunk()?));
        Some((usize::try_from(u32::from_le_bytes(*length)).ok()?, RecordKey { first, id }))
    }

    fn waiting(&self) -> &[u8] {
        self.buffer.get(self.ready.clone()).unwrap_or_default()
    }

    /// Makes `need` octets ready, or as many as the run still has.
    fn fill(&mut self, file: &Mutex<File>, need: usize) -> io::Result<()> {
        if self.ready.len() >= need || self.left.is_empty() {
            return Ok(());
        }
        self.buffer.drain(..self.ready.start);
        self.buffer.truncate(self.ready.len());
        let room = need.max(self.ahead).saturating_sub(self.buffer.len());
        let take = (self.left.end - self.left.start).min(u64::try_from(room).unwrap_or(u64::MAX));
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.left.start))?;
        let got = file.by_ref().take(take).read_to_end(&mut self.buffer)?;
        self.left.start = self.left.start.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
        if got == 0 {
            self.left.start = self.left.end;
        }
        self.ready = 0..self.buffer.len();
        Ok(())
    }
}
