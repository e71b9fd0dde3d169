//! A store of finished records that grows on disk, not in memory.
//!
//! Records are packed into an arena beside an index of their keys. When both together reach the
//! memory given, they are sorted and written as one run to an unlinked temporary file; reading
//! merges the runs and what is still in memory in the order of [`RecordKey`] (first frame, then id).
//! The order is the same whether or not anything was spooled, so a report does not show how much
//! memory it had.
//!
//! It does not know what a record is, and never gives one back before the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use super::radix;
use crate::model::frame::FrameId;
use crate::model::id::{RecordId, RecordKey};
use crate::model::packed::{Packed, Packer};

/// Octets before each record of a run: its length, and the key (source and number of the first
/// frame, id).
const HEAD: usize = 4 + 2 + 8 + 8;

/// Octets written at once.
const PIECE: usize = 256 << 10;

/// Smallest and largest read-ahead of one run, octets.
const READ_AHEAD: Range<usize> = 4 << 10..256 << 10;

/// Finished records of one kind.
#[derive(Debug)]
pub struct Store {
    /// Packed records, one after the other.
    arena: Packer,
    /// Their keys and places; sorted when read.
    index: Vec<Entry>,
    /// What has been written to disk.
    spool: Spool,
    /// Octets of arena and index at which a run is written.
    memory: usize,
    /// Records held, on disk or not.
    stored: u64,
    /// Records turned away: no room on disk.
    refused: u64,
}

/// Where a record lies in the arena.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: RecordKey,
    at: u32,
    len: u32,
}

/// The temporary file and its runs.
#[derive(Debug)]
struct Spool {
    file: Option<File>,
    runs: Vec<Range<u64>>,
    /// Octets written.
    octets: u64,
    /// Octets at most.
    cap: u64,
    /// The first thing that went wrong.
    fault: Option<String>,
}

impl Store {
    /// A store that holds about `memory` octets before it writes a run, and writes at most
    /// `spool` octets.
    pub fn new(memory: usize, spool: u64) -> Self {
        Self {
            arena: Packer::default(),
            index: Vec::new(),
            spool: Spool { file: None, runs: Vec::new(), octets: 0, cap: spool, fault: None },
            memory,
            stored: 0,
            refused: 0,
        }
    }

    /// Keeps `record` under `key`. Records of one key keep the order in which they came.
    ///
    /// A record that finds no room is counted under [`Self::refused`]; tells whether there was some.
    pub fn push<'a>(&mut self, key: RecordKey, record: &impl Packed<'a>) -> bool {
        if !self.index.is_empty() && self.octets() >= self.memory && !self.spill() {
            self.refused = self.refused.saturating_add(1);
            return false;
        }
        let before = self.arena.octets().len();
        self.arena.record(record);
        let len = self.arena.octets().len().saturating_sub(before);
        let place = u32::try_from(before).ok().zip(u32::try_from(len).ok());
        if let Some((at, len)) = place {
            self.index.push(Entry { key, at, len });
            self.stored = self.stored.saturating_add(1);
        } else {
            self.arena.truncate(before);
            self.refused = self.refused.saturating_add(1);
        }
        place.is_some()
    }

    /// Records held.
    pub fn len(&self) -> u64 {
        self.stored
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.stored == 0
    }

    /// Records turned away because the spool was full or could not be written.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// What went wrong with the temporary file, if anything did.
    pub fn fault(&self) -> Option<&str> {
        self.spool.fault.as_deref()
    }

    /// All records in the order of their keys. May be called again.
    pub fn read(&mut self) -> Merge<'_> {
        radix::sort(&mut self.index, |entry| entry.key.first);
        Merge::new(self)
    }

    /// Octets of memory in use.
    fn octets(&self) -> usize {
        self.arena
            .octets()
            .len()
            .saturating_add(self.index.len().saturating_mul(size_of::<Entry>()))
    }

    /// Writes what is in memory as a run. False when it stays in memory instead.
    fn spill(&mut self) -> bool {
        let framing = self.index.len().saturating_mul(size_of::<Entry>());
        let need =
            u64::try_from(self.arena.octets().len().saturating_add(framing)).unwrap_or(u64::MAX);
        if self.spool.fault.is_some() || self.spool.octets.saturating_add(need) > self.spool.cap {
            return false;
        }
        radix::sort(&mut self.index, |entry| entry.key.first);
        match self.spool.write(&self.index, self.arena.octets()) {
            Ok(()) => {
                self.index.clear();
                self.arena.truncate(0);
                true
            }
            Err(error) => {
                self.spool.fault =
                    Some(format!("the temporary file could not be written: {error}"));
                false
            }
        }
    }
}

impl Spool {
    /// Appends one sorted run: each record behind its head.
    fn write(&mut self, index: &[Entry], arena: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.octets))?;
        let mut piece = Vec::with_capacity(PIECE);
        let mut end = self.octets;
        for entry in index {
            let record = entry.record(arena);
            let length = HEAD.saturating_add(record.len());
            if piece.len().saturating_add(length) > PIECE {
                file.write_all(&piece)?;
                piece.clear();
            }
            let RecordKey { first, id } = entry.key;
            piece.extend_from_slice(&entry.len.to_le_bytes());
            piece.extend_from_slice(&first.source.to_le_bytes());
            piece.extend_from_slice(&first.number.to_le_bytes());
            piece.extend_from_slice(&id.number().to_le_bytes());
            piece.extend_from_slice(record);
            end = end.saturating_add(length as u64);
        }
        file.write_all(&piece)?;
        self.runs.push(self.octets..end);
        self.octets = end;
        Ok(())
    }
}

impl Entry {
    fn record(self, arena: &[u8]) -> &[u8] {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        let len = usize::try_from(self.len).unwrap_or(usize::MAX);
        arena.get(at..at.saturating_add(len)).unwrap_or_default()
    }
}

/// The records of a [`Store`] in order, one at a time.
#[derive(Debug)]
pub struct Merge<'a> {
    index: std::slice::Iter<'a, Entry>,
    arena: &'a [u8],
    file: Option<&'a File>,
    runs: Vec<Run>,
    fault: &'a mut Option<String>,
    /// The next key of each run, and of memory, whose number is the one after the last run: on
    /// equal keys the older run comes first. Empty where there is no run: memory is in order.
    heads: BinaryHeap<Reverse<(RecordKey, usize)>>,
    /// The first head's record has been given out: its run moves on when the next one is asked for.
    lent: bool,
}

impl<'a> Merge<'a> {
    fn new(store: &'a mut Store) -> Self {
        let Store { arena, index, spool, memory, .. } = store;
        let ahead = (*memory / spool.runs.len().max(1)).clamp(READ_AHEAD.start, READ_AHEAD.end);
        let mut merge = Self {
            index: index.iter(),
            arena: arena.octets(),
            file: spool.file.as_ref(),
            runs: spool.runs.iter().map(|place| Run::new(place.clone(), ahead)).collect(),
            fault: &mut spool.fault,
            heads: BinaryHeap::new(),
            lent: false,
        };
        if !merge.runs.is_empty() {
            for number in 0..=merge.runs.len() {
                let head = merge.next_key(number).map(|key| Reverse((key, number)));
                merge.heads.extend(head);
            }
        }
        merge
    }

    /// The next record's key and octets.
    #[inline]
    pub fn next_record(&mut self) -> Option<(RecordKey, &[u8])> {
        if self.runs.is_empty() {
            let entry = self.index.next()?;
            return Some((entry.key, entry.record(self.arena)));
        }
        self.next_of_runs()
    }

    /// Says that octets given out made no record.
    pub fn damaged(&mut self) {
        *self.fault = Some("a finished record was damaged".to_owned());
    }

    fn next_of_runs(&mut self) -> Option<(RecordKey, &[u8])> {
        if self.lent {
            self.move_on();
        }
        let &Reverse((key, number)) = self.heads.peek()?;
        self.lent = true;
        let octets = match self.runs.get(number) {
            Some(run) => run.record(),
            None => self.index.next().map_or(&[][..], |entry| entry.record(self.arena)),
        };
        Some((key, octets))
    }

    /// Puts the next key of the first head's run in its place: often it is the first again, so that
    /// taking it out and putting another in would be twice the work.
    fn move_on(&mut self) {
        let Some(&Reverse((_, number))) = self.heads.peek() else { return };
        let next = self.next_key(number);
        let Some(mut head) = self.heads.peek_mut() else { return };
        match next {
            Some(key) => *head = Reverse((key, number)),
            None => drop(PeekMut::pop(head)),
        }
    }

    /// The next key of run `number`, or of memory.
    fn next_key(&mut self, number: usize) -> Option<RecordKey> {
        let (Some(run), Some(file)) = (self.runs.get_mut(number), self.file) else {
            return self.index.as_slice().first().map(|entry| entry.key);
        };
        run.advance(file).unwrap_or_else(|error| {
            *self.fault = Some(format!("the temporary file could not be read: {error}"));
            None
        })
    }
}

/// One run being read: a window of it, and the record at hand.
#[derive(Debug)]
struct Run {
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
    fn new(left: Range<u64>, ahead: usize) -> Self {
        Self { left, buffer: Vec::new(), ready: 0..0, current: 0..0, ahead }
    }

    fn record(&self) -> &[u8] {
        self.buffer.get(self.current.clone()).unwrap_or_default()
    }

    /// Moves to the next record and returns its key.
    fn advance(&mut self, file: &File) -> io::Result<Option<RecordKey>> {
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
    fn fill(&mut self, mut file: &File, need: usize) -> io::Result<()> {
        if self.ready.len() >= need || self.left.is_empty() {
            return Ok(());
        }
        self.buffer.drain(..self.ready.start);
        self.buffer.truncate(self.ready.len());
        let room = need.max(self.ahead).saturating_sub(self.buffer.len());
        let take = (self.left.end - self.left.start).min(u64::try_from(room).unwrap_or(u64::MAX));
        file.seek(SeekFrom::Start(self.left.start))?;
        let got = file.take(take).read_to_end(&mut self.buffer)?;
        self.left.start = self.left.start.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
        if got == 0 {
            self.left.start = self.left.end;
        }
        self.ready = 0..self.buffer.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::sample;
    use crate::model::id::Kind;
    use crate::model::packed::unpack;
    use proptest::prelude::*;

    fn key(number: u64) -> RecordKey {
        RecordKey {
            first: FrameId { source: 0, number },
            id: RecordId::new(Kind::Stream, number << 8),
        }
    }

    fn filled(memory: usize, spool: u64, numbers: &[u64]) -> Store {
        let mut store = Store::new(memory, spool);
        for (place, number) in numbers.iter().enumerate() {
            let text = "x".repeat(usize::try_from(number % 300).unwrap());
            store.push(key(*number), &(place as u64, text));
        }
        store
    }

    /// All records, read once.
    fn all<T: for<'a> Packed<'a>>(store: &mut Store) -> Vec<(RecordKey, T)> {
        let mut merge = store.read();
        let mut all = Vec::new();
        while let Some((key, octets)) = merge.next_record() {
            all.push((key, unpack(key, octets).unwrap()));
        }
        all
    }

    proptest! {
        #[test]
        fn a_spooled_store_reads_like_one_in_memory(
            numbers in prop::collection::vec(0u64..40, 0..300),
            memory in 0usize..4096,
        ) {
            let mut small = filled(memory, u64::MAX, &numbers);
            let mut large = filled(usize::MAX, 0, &numbers);
            let whole: Vec<(RecordKey, (u64, String))> = all(&mut large);
            prop_assert_eq!(all(&mut small), whole.clone());
            prop_assert_eq!(all(&mut small), whole.clone());
            prop_assert_eq!(whole.len(), numbers.len());
            prop_assert!(whole.is_sorted_by_key(|(key, (place, _))| (*key, *place)));
            prop_assert_eq!(small.fault(), None);
        }
    }

    #[test]
    fn a_full_spool_refuses_and_counts() {
        let numbers: Vec<u64> = (0..1000).collect();
        let mut store = filled(4096, 10_000, &numbers);
        assert!(store.refused() > 0);
        assert_eq!(store.len() + store.refused(), 1000);
        let kept: Vec<u64> =
            all::<(u64, String)>(&mut store).into_iter().map(|(_, (place, _))| place).collect();
        assert_eq!(kept, (0..store.len()).collect::<Vec<_>>(), "the first ones are kept");
    }

    #[test]
    fn a_record_larger_than_the_read_ahead_survives_the_spool() {
        let mut store = Store::new(1, u64::MAX);
        let large = "y".repeat(300_000);
        store.push(key(2), &large);
        store.push(key(1), &large);
        store.push(key(3), &String::new());
        let lengths: Vec<usize> =
            all::<String>(&mut store).into_iter().map(|(_, text)| text.len()).collect();
        assert_eq!(lengths, [300_000, 300_000, 0]);
    }

    #[test]
    fn typical_records_are_compact() {
        let octets = |store: usize| store - size_of::<Entry>();
        let mut calls = Store::new(usize::MAX, 0);
        calls.push(key(1), &sample::call(1));
        assert!(octets(calls.octets()) <= 400);
        let mut streams = Store::new(usize::MAX, 0);
        streams.push(key(1), &sample::stream(1));
        assert!(octets(streams.octets()) <= 240);
    }
}
