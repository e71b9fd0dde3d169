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
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

mod run;

use run::Run;

use super::radix;
use crate::model::id::RecordKey;
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
    /// Readers share it, and so its place.
    file: Option<Mutex<File>>,
    runs: Vec<Range<u64>>,
    /// Octets written.
    octets: u64,
    /// Octets at most.
    cap: u64,
    /// The first thing that went wrong.
    fault: OnceLock<String>,
}

impl Store {
    /// A store that holds about `memory` octets before it writes a run, and writes at most
    /// `spool` octets.
    pub fn new(memory: usize, spool: u64) -> Self {
        Self {
            arena: Packer::default(),
            index: Vec::new(),
            spool: Spool {
                file: None,
                runs: Vec::new(),
                octets: 0,
                cap: spool,
                fault: OnceLock::new(),
            },
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
        self.spool.fault.get().map(String::as_str)
    }

    /// Makes ready for reading.
    pub fn sort(&mut self) {
        radix::sort(&mut self.index, |entry| entry.key.first);
    }

    /// All records in the order of their keys, once they are sorted. May be called again, and for
    /// several readers at once.
    pub fn read(&self) -> Merge<'_> {
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
        if self.fault().is_some() || self.spool.octets.saturating_add(need) > self.spool.cap {
            return false;
        }
        self.sort();
        match self.spool.write(&self.index, self.arena.octets()) {
            Ok(()) => {
                self.index.clear();
                self.arena.truncate(0);
                true
            }
            Err(error) => {
                let why = || format!("the temporary file could not be written: {error}");
                self.spool.fault.get_or_init(why);
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
            none => none.insert(Mutex::new(tempfile::tempfile()?)),
        };
        let file = file.get_mut().unwrap_or_else(PoisonError::into_inner);
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
    file: Option<&'a Mutex<File>>,
    runs: Vec<Run>,
    fault: &'a OnceLock<String>,
    /// The next key of each run, and of memory, whose number is the one after the last run: on
    /// equal keys the older run comes first. Empty where there is no run: memory is in order.
    heads: BinaryHeap<Reverse<(RecordKey, usize)>>,
    /// The first head's record has been given out: its run moves on when the next one is asked for.
    lent: bool,
}

impl<'a> Merge<'a> {
    fn new(store: &'a Store) -> Self {
        let Store { arena, index, spool, memory, .. } = store;
        let ahead = (*memory / spool.runs.len().max(1)).clamp(READ_AHEAD.start, READ_AHEAD.end);
        let mut merge = Self {
            index: index.iter(),
            arena: arena.octets(),
            file: spool.file.as_ref(),
            runs: spool.runs.iter().map(|place| Run::new(place.clone(), ahead)).collect(),
            fault: &spool.fault,
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
    pub fn damaged(&self) {
        self.fault.get_or_init(|| "a finished record was damaged".to_owned());
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
            self.fault.get_or_init(|| format!("the temporary file could not be read: {error}"));
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::sample;
    use crate::model::frame::FrameId;
    use crate::model::id::{Kind, RecordId};
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
        store.sort();
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
