//! A mapped file: the only file of the project with `unsafe`.
//!
//! The mapping is private and read-only. Pages are populated in windows ahead of the reader and
//! released behind it, so that the file is not charged to the process; a page that is touched
//! again after its release comes back from the page cache.
//!
//! What can go wrong: a file that another process cuts while it is mapped. Touching a page past
//! the new end raises SIGBUS and ends the process. Populating ahead reports it as an error
//! instead, which leaves only the populated window at risk; `--no-mmap` leaves nothing.

use std::fs::File;
use std::hint::black_box;
use std::io;

use memmap2::{Advice, Mmap, UncheckedAdvice};

/// What populating says where touching would raise SIGBUS (madvise(2)).
const EFAULT: i32 = 14;

/// A regular file in memory.
#[derive(Debug)]
pub struct Mapping {
    map: Mmap,
}

impl Mapping {
    /// Maps all of `file`.
    ///
    /// # Errors
    /// What the system says; some file systems cannot map.
    #[allow(unsafe_code, reason = "mapping a file is unsafe by nature; see SAFETY")]
    pub(super) fn of(file: &File) -> io::Result<Self> {
        // SAFETY: the map is read-only and only ever seen as octets, for which every value is
        // valid, so a concurrent writer can make us misread, not misbehave: lengths are checked
        // against each other wherever they are read, and no value is validated once and then
        // read again unchecked. A file cut while mapped can raise SIGBUS, which ends the process
        // without touching memory that is not ours; the module's header says what limits that.
        let map = unsafe { Mmap::map(file)? };
        Ok(Self { map })
    }

    /// All octets of the file as it was when it was mapped.
    #[inline]
    pub fn octets(&self) -> &[u8] {
        &self.map
    }

    /// Has the system enter `octets` from `offset` on in the page tables, and walks through them,
    /// one octet of each cache line. A parser jumps from record to record, a chain of misses that
    /// no prefetcher foresees; the walk is what prefetchers are made for, and leaves the octets
    /// where the parser and its lane find them (docs/decisions/0003-reading-files.md).
    ///
    /// # Errors
    /// The file does not reach that far any more, or its medium failed. A system without this
    /// advice is no error.
    pub(super) fn populate(&self, offset: usize, octets: usize) -> io::Result<()> {
        let Some((offset, octets)) = self.within(offset, octets) else { return Ok(()) };
        match self.map.advise_range(Advice::PopulateRead, offset, octets) {
            // Linux before 5.14 does not know it: the walk then enters the pages.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            Err(error) if error.raw_os_error() == Some(EFAULT) => {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Err(error) => return Err(error),
            Ok(()) => {}
        }
        let window = self.map.get(offset..).and_then(|rest| rest.get(..octets));
        let lines = window.unwrap_or_default().chunks(64);
        black_box(lines.fold(0, |sum, line| sum ^ line.first().copied().unwrap_or_default()));
        Ok(())
    }

    /// Takes `octets` from `offset` on out of the page tables.
    #[allow(unsafe_code, reason = "MADV_DONTNEED is harmless on a file mapping; see SAFETY")]
    pub(super) fn release(&self, offset: usize, octets: usize) {
        let Some((offset, octets)) = self.within(offset, octets) else { return };
        // SAFETY: the range lies within the mapping (`within`; the crate checks the two numbers
        // each for itself only). DONTNEED would lose what was written to an anonymous or private mapping; this
        // one is read-only and backed by its file, so a later access finds the same octets there.
        let advised =
            unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, offset, octets) };
        // Advice refused costs memory, not correctness.
        drop(advised);
    }

    /// The part of a range that lies within the mapping, `None` if there is none.
    fn within(&self, offset: usize, octets: usize) -> Option<(usize, usize)> {
        let left = self.map.len().checked_sub(offset)?;
        let octets = octets.min(left);
        (octets > 0).then_some((offset, octets))
    }
}
