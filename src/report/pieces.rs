//! The lists of a report as JSON, in pieces of so many elements. With one thread a piece is made where
//! it is written; with more, each of some threads makes every so many pieces of every list, and the
//! caller's writes them in order. What is read is read by all, so that no record travels; of what is not
//! its own a thread reads the key alone.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::out::Out;
use super::records::{Json, Object, array};
use crate::correlate::archive::{CallRow, Reader, Sorted};
use crate::model::finding::Finding;

/// Elements of a piece.
const ELEMENTS: usize = 128;

/// Octets gathered before they are written, where one thread does both: few enough to stay in a
/// core's own cache.
const PIECE: usize = 256 << 10;

/// Pieces of one thread that may wait to be written.
const WAITING: usize = 2;

/// Threads that make pieces: with more than these, writing is what takes longest.
const MAKERS: usize = 3;

/// The lists whose elements may be millions, in the order of the document.
#[derive(Copy, Clone, Debug)]
pub(super) enum List {
    Calls,
    Registrations,
    Streams,
    Handshakes,
    Findings,
}

/// All lists, in this order.
const ALL: [List; 5] =
    [List::Calls, List::Registrations, List::Streams, List::Handshakes, List::Findings];

/// What the lists are made of.
#[derive(Copy, Clone, Debug)]
pub(super) struct Lists<'a> {
    pub(super) archive: Sorted<'a>,
    pub(super) findings: &'a [Finding],
}

/// Who makes the lists, each asked for once and in their order.
pub(super) enum Makers<'a> {
    /// Whoever writes them.
    Own(Lists<'a>, Box<Out>),
    /// Threads.
    Threads(Vec<Hand>),
}

/// Where the pieces of a thread come from, and go to when they are written.
#[derive(Debug)]
pub(super) struct Hand {
    full: Receiver<Piece>,
    empty: SyncSender<Vec<u8>>,
}

#[derive(Debug)]
struct Piece {
    text: Vec<u8>,
    /// Its thread has none behind it in this list.
    last: bool,
}

/// Which pieces a thread makes: of every so many one.
#[derive(Copy, Clone, Debug)]
struct Share {
    mine: usize,
    of: usize,
}

/// A list being made.
struct Making<'a> {
    out: &'a mut Out,
    share: Share,
    /// The next elements are its own.
    own: bool,
    /// How many until that changes.
    left: usize,
    /// What stands before the next element.
    before: &'static str,
    /// Takes a piece that is complete.
    give: &'a mut dyn FnMut(&mut Vec<u8>, bool) -> io::Result<()>,
}

/// Lets `write` have the lists made by so many threads, none with one.
pub(super) fn with(
    threads: usize,
    lists: Lists<'_>,
    write: impl FnOnce(&mut Makers<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let pieces = lists.archive.count().max(lists.findings.len()).div_ceil(ELEMENTS);
    let threads = threads.min(MAKERS).min(pieces);
    if threads < 2 {
        return write(&mut Makers::Own(lists, Box::default()));
    }
    std::thread::scope(|scope| {
        let hands = (0..threads).map(|mine| {
            let (full_out, full) = sync_channel(WAITING);
            let (empty, empty_in) = sync_channel(WAITING);
            let share = Share { mine, of: threads };
            scope.spawn(move || lists.all(share, &full_out, &empty_in));
            Hand { full, empty }
        });
        write(&mut Makers::Threads(hands.collect()))
    })
}

impl Makers<'_> {
    /// Writes the elements of a list, an element a line.
    pub(super) fn write(&mut self, list: List, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Own(lists, out) => {
                let all = Share { mine: 0, of: 1 };
                lists.make(list, all, out, &mut |text, last| {
                    if last || text.len() >= PIECE {
                        to.write_all(text)?;
                        text.clear();
                    }
                    Ok(())
                })
            }
            Self::Threads(hands) => {
                let mut ended = 0;
                for hand in hands.iter().cycle() {
                    // A thread that has panicked is told of when it is joined.
                    let mut piece = hand.full.recv().map_err(io::Error::other)?;
                    to.write_all(&piece.text)?;
                    piece.text.clear();
                    let _ = hand.empty.try_send(piece.text);
                    ended += usize::from(piece.last);
                    if ended == hands.len() {
                        break;
                    }
                }
                Ok(())
            }
        }
    }
}

impl Lists<'_> {
    /// Makes a share of all lists, until they are made or nobody takes them any more.
    fn all(self, share: Share, full: &SyncSender<Piece>, empty: &Receiver<Vec<u8>>) {
        let mut out = Out::default();
        let mut give = |text: &mut Vec<u8>, last| {
            let next = empty.try_recv().unwrap_or_default();
            let text = std::mem::replace(text, next);
            full.send(Piece { text, last }).map_err(io::Error::other)
        };
        for list in ALL {
            if self.make(list, share, &mut out, &mut give).is_err() {
                break;
            }
        }
    }

    /// Makes a share of a list.
    fn make(
        self,
        list: List,
        share: Share,
        out: &mut Out,
        give: &mut dyn FnMut(&mut Vec<u8>, bool) -> io::Result<()>,
    ) -> io::Result<()> {
        let before = if share.mine == 0 { "\n" } else { ",\n" };
        let left = if share.mine == 0 { ELEMENTS } else { share.mine.saturating_mul(ELEMENTS) };
        let mut making = Making { out, share, own: share.mine == 0, left, before, give };
        let making = &mut making;
        match list {
            List::Calls => self.archive.calls(making, |making, row| {
                call(&row, making.element());
                self.cite(row.findings, making);
                Ok(())
            })?,
            List::Registrations => self.archive.registrations(making, |making, row| {
                self.row(&row.record, row.findings, making);
                Ok(())
            })?,
            List::Streams => self.archive.streams(making, |making, row| {
                self.row(&row.record, row.findings, making);
                Ok(())
            })?,
            List::Handshakes => self.archive.handshakes(making, |making, row| {
                self.row(&row.record, row.findings, making);
                Ok(())
            })?,
            List::Findings => {
                for finding in self.findings {
                    if making.wants()? {
                        finding.json(making.element());
                    }
                }
            }
        }
        (making.give)(&mut making.out.octets, true)
    }

    /// An element that is a record with its findings.
    #[inline]
    fn row(self, record: &impl Object, places: &[u32], making: &mut Making<'_>) {
        record.members(making.element());
        self.cite(places, making);
    }

    /// Ends a record with the ids of the findings at some places of the list.
    fn cite(self, places: &[u32], making: &mut Making<'_>) {
        let at = |place: &u32| usize::try_from(*place).ok().and_then(|at| self.findings.get(at));
        let out = &mut *making.out;
        out.raw(",\"findings\":[");
        let mut before = "\"";
        for finding in places.iter().filter_map(at) {
            out.raw(before);
            // A rule and digits: there is nothing to escape.
            out.raw(&finding.id);
            out.raw("\"");
            before = ",\"";
        }
        out.raw("]}");
    }
}

impl Making<'_> {
    /// Where the next element is to be written.
    #[inline]
    fn element(&mut self) -> &mut Out {
        self.out.raw(std::mem::replace(&mut self.before, ",\n"));
        self.out
    }

    /// After the last element of a piece, or the last before one.
    fn turn(&mut self) -> io::Result<()> {
        let Share { of, .. } = self.share;
        if self.own {
            (self.give)(&mut self.out.octets, false)?;
        }
        self.own = !self.own || of == 1;
        self.left = if self.own { ELEMENTS } else { (of - 1).saturating_mul(ELEMENTS) };
        Ok(())
    }
}

impl Reader for Making<'_> {
    #[inline]
    fn wants(&mut self) -> io::Result<bool> {
        if self.left == 0 {
            self.turn()?;
        }
        self.left -= 1;
        Ok(self.own)
    }
}

/// A call with what was joined to it, but for its findings.
fn call(row: &CallRow<'_>, out: &mut Out) {
    row.record.members(out);
    out.raw(",\"exposure\":");
    row.exposure.json(out);
    out.raw(",\"exposure_text\":");
    out.sentence(row.exposure, row.streams);
    out.raw(",\"exposure_chain\":");
    array(&row.exposure.chain(row.streams), out, Json::json);
    out.raw(",\"streams\":");
    array(row.streams, out, Json::json);
    out.raw(",\"legs\":[]");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::archive::Archive;
    use crate::correlate::sample as records;
    use crate::policy::Limits;
    use crate::report::{json, sample};

    /// An outcome with so many calls, and streams of which every fifth is named by a finding.
    fn outcome(calls: u64, memory: usize) -> crate::report::Outcome {
        let mut outcome = sample::outcome();
        let limits = Limits { records_octets: memory, ..Limits::default() };
        outcome.archive = Archive::new(&limits);
        for number in 1..=calls {
            let call = records::call(number * 10);
            for later in 1..=number % 3 {
                let stream = records::stream(number * 10 + later);
                outcome.archive.push_stream(&stream, Some(call.key()), None);
                if number % 5 == 0 {
                    outcome.archive.cite(&[(stream.key(), u32::try_from(later).unwrap())]);
                }
            }
            outcome.archive.push_call(&call);
        }
        outcome
    }

    fn written(outcome: &mut crate::report::Outcome, threads: usize) -> String {
        let mut octets = Vec::new();
        json::write(outcome, threads, &mut octets).unwrap();
        String::from_utf8(octets).unwrap()
    }

    #[test]
    fn threads_write_what_one_writes() {
        let size = ELEMENTS as u64;
        for calls in [0, 1, size - 1, size, size + 1, 2 * size, 3 * size, 7 * size + 5] {
            for memory in [64 << 20, 100_000] {
                let mut outcome = outcome(calls, memory);
                let alone = written(&mut outcome, 1);
                serde_json::from_str::<serde_json::Value>(&alone).unwrap();
                for threads in [2, 3, 64] {
                    assert!(
                        written(&mut outcome, threads) == alone,
                        "{calls} calls, {threads} threads"
                    );
                }
            }
        }
    }

    #[test]
    fn threads_end_when_nothing_can_be_written() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(octets.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(octets.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut outcome = outcome(20 * ELEMENTS as u64, 64 << 20);
        for room in [0, 100_000, 1_000_000] {
            let error = json::write(&mut outcome, 2, &mut Full(room)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
    }
}
