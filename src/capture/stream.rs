//! What octets are read from: a file, or standard input. Its first octets can be looked at
//! before it is decided what reads them, which a pipe allows only once.

use std::fs::File;
use std::io::{self, Read, Stdin};

use super::kept;

/// Octets looked at: every magic number that matters has as many.
pub(super) const HEAD: usize = 4;

/// A file or pipe.
#[derive(Debug)]
pub(super) struct Stream {
    from: From,
    /// Octets that were looked at and not read yet: those of `head` from `at` to `end`.
    head: [u8; HEAD],
    at: usize,
    end: usize,
}

#[derive(Debug)]
enum From {
    File(File),
    Stdin(Stdin),
    Kept(kept::Reader),
    Nothing,
}

impl Stream {
    /// A file, from where it stands.
    pub(super) fn file(file: File) -> Self {
        Self::of(From::File(file))
    }

    /// Standard input.
    pub(super) fn stdin() -> Self {
        Self::of(From::Stdin(io::stdin()))
    }

    /// Standard input that was kept.
    pub(super) fn kept(kept: &kept::Kept) -> Self {
        Self::of(From::Kept(kept.reader()))
    }

    /// Nothing at all.
    pub(super) fn nothing() -> Self {
        Self::of(From::Nothing)
    }

    /// The first octets, fewer if there are no more. Reading begins with them all the same.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn look(&mut self) -> io::Result<&[u8]> {
        while let Some(room @ [_, ..]) = self.head.get_mut(self.end..) {
            match read_some(&mut self.from, room)? {
                0 => break,
                read => self.end = self.end.saturating_add(read),
            }
        }
        Ok(self.head.get(self.at..self.end).unwrap_or_default())
    }

    /// The file, if it is one.
    pub(super) fn as_file(&self) -> Option<&File> {
        match &self.from {
            From::File(file) => Some(file),
            From::Stdin(_) | From::Kept(_) | From::Nothing => None,
        }
    }

    fn of(from: From) -> Self {
        Self { from, head: [0; HEAD], at: 0, end: 0 }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at < self.end {
            let left = self.head.get(self.at..self.end).unwrap_or_default();
            let given = left.len().min(into.len());
            if let (Some(to), Some(octets)) = (into.get_mut(..given), left.get(..given)) {
                to.copy_from_slice(octets);
            }
            self.at = self.at.saturating_add(given);
            return Ok(given);
        }
        read_some(&mut self.from, into)
    }
}

impl Read for From {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(into),
            Self::Stdin(stdin) => stdin.read(into),
            Self::Kept(reader) => reader.read(into),
            Self::Nothing => Ok(0),
        }
    }
}

/// One read that is not interrupted; 0 at the end.
pub(super) fn read_some(from: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
