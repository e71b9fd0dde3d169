//! Standard input, kept so that it can be read a second time.
//!
//! What needs two passes over a pipe copies it first into a temporary file without a name. That
//! file is read as the pipe would be: in blocks, from the beginning, by anyone who asks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Octets copied at once.
const PIECE: usize = 256 << 10;

/// All octets of a pipe.
#[derive(Clone, Debug)]
pub struct Kept(Arc<Mutex<File>>);

/// A reader of them from the first to the last.
#[derive(Debug)]
pub(super) struct Reader {
    kept: Kept,
    at: u64,
}

impl Kept {
    /// Copies standard input to its end, `most` octets of it at the most.
    ///
    /// # Errors
    /// What the system says, and when there is more.
    pub fn stdin(most: u64) -> io::Result<Self> {
        Self::of(io::stdin(), most)
    }

    fn of(mut from: impl Read, most: u64) -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        let mut piece = vec![0; PIECE];
        let mut left = most;
        loop {
            let read = super::stream::read_some(&mut from, &mut piece)?;
            if read == 0 {
                return Ok(Self(Arc::new(Mutex::new(file))));
            }
            let rest = left.checked_sub(u64::try_from(read).unwrap_or(u64::MAX));
            left = rest.ok_or_else(|| {
                io::Error::other(format!("standard input has more than {most} octets"))
            })?;
            file.write_all(piece.get(..read).unwrap_or_default())?;
        }
    }

    /// A reader from the beginning.
    pub(super) fn reader(&self) -> Reader {
        Reader { kept: self.clone(), at: 0 }
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // Readers share the file and so its place: each goes to its own first.
        let mut file = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.read(into)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_as_often_as_wanted_and_by_two_readers_at_once() {
        let octets: Vec<u8> = (0_u32..300_000).flat_map(u32::to_be_bytes).collect();
        let kept = Kept::of(octets.as_slice(), 1 << 30).unwrap();
        let (mut one, mut other) = (kept.reader(), kept.reader());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut piece = [0; 10_000];
        one.read_exact(&mut piece).unwrap();
        first.extend(piece);
        other.read_to_end(&mut second).unwrap();
        one.read_to_end(&mut first).unwrap();
        assert_eq!((first == octets, second == octets), (true, true));
    }

    #[test]
    fn a_pipe_that_is_too_long_is_refused() {
        let error = Kept::of([0_u8; 101].as_slice(), 100).unwrap_err();
        assert_eq!(error.to_string(), "standard input has more than 100 octets");
        assert!(Kept::of([0_u8; 100].as_slice(), 100).is_ok());
    }
}
