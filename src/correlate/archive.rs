//! Finished calls, registrations, streams and handshakes, and the links that are known only at the
//! end: a call's streams and its exposure, the findings that name a record.
//!
//! Links are lists of pairs sorted like the records they point at, so joining them is one walk over
//! both (`join.rs`); nothing holds all records in memory. A record that is read borrows from where it
//! lies, so records are shown to whoever asks, one after the other, and not handed out.

use std::collections::BTreeMap;
use std::io;

mod sorted;

pub use sorted::{Reader, Sorted};

use super::exposure::Exposure;
use super::named::Named;
use super::shelf::Shelf;
use super::spool::Store;
use super::tally::Tally;
use crate::model::handshake::{CertificateRecord, HandshakeRecord, Offered};
use crate::model::id::RecordKey;
use crate::model::key::StreamKeyed;
use crate::model::packed::packed;
use crate::model::record::{CallRecord, Protection, RegistrationRecord, StreamRecord};
use crate::policy::Limits;

/// Everything finished.
#[derive(Debug)]
pub struct Archive {
    calls: Store,
    registrations: Store,
    streams: Store,
    handshakes: Store,
    /// What clients offer.
    offers: Shelf<Offered>,
    /// Certificates of servers.
    chains: Shelf<Vec<CertificateRecord>>,
    /// Handshakes that opened when they had been kept.
    opened: Store,
    /// Keyed by the call.
    call_streams: Store,
    findings_of: Named,
    /// The place in the report's findings of each number; empty while they are the same.
    places: Vec<u32>,
    tally: Tally,
}

/// A stream of a call.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallStream {
    /// The stream.
    pub stream: RecordKey,
    /// Its verdict.
    pub protection: Protection,
    /// It is encrypted for a part of the time only.
    pub partly: bool,
    /// Its key, if that stood in signalling.
    pub keyed: Option<StreamKeyed>,
}

packed! { CallStream { stream protection partly keyed } }

/// A call with what was joined to it.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRow<'a> {
    /// The call.
    pub record: CallRecord<'a>,
    /// Who can listen.
    pub exposure: Exposure,
    /// Its streams in order.
    pub streams: &'a [CallStream],
    /// Places of its findings in the report's list, ascending.
    pub findings: &'a [u32],
}

/// Another record with its findings.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a, T> {
    /// The record.
    pub record: T,
    /// Places of its findings in the report's list, ascending.
    pub findings: &'a [u32],
}

impl Archive {
    /// An archive whose memory and spool are those of `limits`, divided over the kinds.
    pub fn new(limits: &Limits) -> Self {
        let (memory, spool) = (limits.records_octets, limits.spool_octets);
        Self {
            streams: Store::new(memory / 8 * 3, spool / 8 * 3),
            calls: Store::new(memory / 4, spool / 4),
            call_streams: Store::new(memory / 8, spool / 8),
            findings_of: Named::new(memory / 8, spool / 8),
            registrations: Store::new(memory / 16, spool / 16),
            handshakes: Store::new(memory / 16, spool / 16),
            opened: Store::new(memory / 32, 0),
            offers: Shelf::new(memory / 32),
            chains: Shelf::new(memory / 32),
            places: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Keeps a finished call.
    pub fn push_call(&mut self, call: &CallRecord<'_>) {
        self.tally.call(call);
        self.calls.push(call.key(), call);
    }

    /// Keeps a finished registration.
    pub fn push_registration(&mut self, registration: &RegistrationRecord<'_>) {
        self.tally.registration(registration);
        self.registrations.push(registration.key(), registration);
    }

    /// Keeps a finished stream, and links it and its key to its call.
    pub fn push_stream(
        &mut self,
        stream: &StreamRecord<'_>,
        call: Option<RecordKey>,
        keyed: Option<StreamKeyed>,
    ) {
        self.tally.stream(stream);
        self.streams.push(stream.key(), stream);
        if let Some(call) = call {
            let (partly, protection) = (stream.is_partly_clear(), stream.protection);
            let link = CallStream { stream: stream.key(), protection, partly, keyed };
            self.call_streams.push(call, &link);
        }
    }

    /// Keeps a handshake, and what it has in common with others once: the record then says where.
    pub fn push_handshake(&mut self, handshake: &mut HandshakeRecord<'_>) {
        self.tally.handshake(handshake);
        if let Some(offered) = &mut handshake.offered {
            offered.put(self.offers.put(offered.value(), offered.number()));
        }
        let HandshakeRecord { certificates, client_certificates, .. } = handshake;
        for chain in [certificates, client_certificates].into_iter().flatten() {
            chain.put(self.chains.put(chain.value(), chain.number()));
        }
        self.handshakes.push(handshake.key(), &*handshake);
    }

    /// Says that a handshake has opened: its secrets came late.
    pub fn opened(&mut self, handshake: RecordKey) {
        self.opened.push(handshake, &true);
    }

    /// Says which findings name which records, of whichever kind. A number is the finding's place in the
    /// report's list unless [`Self::settle`] says otherwise. Saying it again changes nothing.
    pub fn cite(&mut self, links: &[(RecordKey, u32)]) {
        self.findings_of.push(links);
    }

    /// Gives the place in the report's sorted list of each finding number cited, once all findings
    /// are known.
    pub fn settle(&mut self, places: Vec<u32>) {
        self.places = places;
    }

    /// Calls held.
    pub fn call_count(&self) -> u64 {
        self.calls.len()
    }

    /// Streams held.
    pub fn stream_count(&self) -> u64 {
        self.streams.len()
    }

    /// Totals over everything that was pushed.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Records for which there was no room, by the table names of `evicted`; only those above 0.
    pub fn refused(&self) -> BTreeMap<&'static str, u64> {
        [
            ("call_records", self.calls.refused()),
            ("registration_records", self.registrations.refused()),
            ("stream_records", self.streams.refused()),
            ("handshake_records", self.handshakes.refused()),
            ("opened_handshakes", self.opened.refused()),
            ("call_streams", self.call_streams.refused()),
            ("finding_links", self.findings_of.refused()),
        ]
        .into_iter()
        .filter(|(_, refused)| *refused > 0)
        .collect()
    }

    /// What went wrong with the spool, if anything did: a sentence for `limits`.
    pub fn fault(&self) -> Option<&str> {
        self.calls
            .fault()
            .or(self.registrations.fault())
            .or(self.streams.fault())
            .or(self.handshakes.fault())
            .or(self.call_streams.fault())
            .or(self.findings_of.fault())
    }

    /// All records in order.
    pub fn sorted(&mut self) -> Sorted<'_> {
        let Self { calls, registrations, streams, handshakes, opened, call_streams, .. } = self;
        let stores = [calls, registrations, streams, handshakes, opened, call_streams];
        stores.into_iter().chain(self.findings_of.all_mut()).for_each(Store::sort);
        Sorted(self)
    }

    /// Shows all calls in order, until an error.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn calls(&mut self, mut each: impl FnMut(CallRow<'_>) -> io::Result<()>) -> io::Result<()> {
        self.sorted().calls(&mut (), |(), row| each(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::sample;
    use crate::model::id::RecordId;

    fn archive(memory: usize) -> Archive {
        let limits = Limits { records_octets: memory, ..Limits::default() };
        let mut archive = Archive::new(&limits);
        // Out of order, every third call with two streams, the later one first; the finding of a
        // call that is never archived must not confuse the join.
        for number in (1..=60).rev() {
            let call = sample::call(number * 10);
            if number % 3 == 0 {
                for later in [2, 1] {
                    let mut stream = sample::stream(number * 10 + later);
                    stream.call = Some(call.id);
                    archive.push_stream(&stream, Some(call.key()), None);
                    archive.cite(&[(stream.key(), 7)]);
                }
            }
            if number != 30 {
                archive.push_call(&call);
            }
            archive.cite(&[(call.key(), 9), (call.key(), 1)]);
            archive.cite(&[(call.key(), 9)]);
        }
        archive
    }

    /// First frame, stream ids, exposure and findings of every call.
    fn calls(archive: &mut Archive) -> Vec<(u64, Vec<RecordId>, Exposure, Vec<u32>)> {
        let mut rows = Vec::new();
        let shown = archive.calls(|row| {
            let streams = row.streams.iter().map(|link| link.stream.id).collect();
            rows.push((row.record.first_frame, streams, row.exposure, row.findings.to_vec()));
            Ok(())
        });
        shown.unwrap();
        rows
    }

    #[test]
    fn links_meet_their_records_in_memory_and_from_disk() {
        for memory in [64 << 20, 100] {
            let mut archive = archive(memory);
            let rows = calls(&mut archive);
            assert_eq!(rows.len(), 59);
            for (frame, streams, exposure, findings) in &rows {
                let third = frame % 30 == 0;
                assert_eq!(findings, &[1, 9]);
                assert_eq!(streams.len(), if third { 2 } else { 0 });
                assert_eq!(*exposure, if third { Exposure::Clear } else { Exposure::NoMedia });
                for (offset, id) in (1..).zip(streams) {
                    assert_eq!(*id, sample::stream(frame + offset).id);
                }
            }
            assert!(rows.is_sorted_by_key(|row| row.0));
            let mut streams = 0;
            let shown = archive.sorted().streams(&mut (), |(), row| {
                assert_eq!(row.findings, [7]);
                streams += 1;
                Ok(())
            });
            shown.unwrap();
            assert_eq!(streams, 40);
            assert_eq!(calls(&mut archive), rows, "reading is repeatable");
            assert!(archive.refused().is_empty());
            archive.settle((0..10).rev().collect());
            assert!(calls(&mut archive).iter().all(|row| row.3 == [0, 8]), "numbers become places");
        }
    }

    /// Prints what a record costs; run with `--ignored --nocapture` and a release profile.
    #[test]
    #[ignore = "measures"]
    #[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]
    fn cost_of_a_record() {
        let mut archive = Archive::new(&Limits::default());
        let mut stream = sample::stream(1);
        let start = std::time::Instant::now();
        for frame in 0..1_000_000 {
            stream.first_frame = frame;
            archive.push_stream(&stream, Some(sample::call(1).key()), None);
        }
        let pushed = start.elapsed().as_secs_f64();
        let start = std::time::Instant::now();
        archive.sorted().streams(&mut (), |(), _| Ok(())).unwrap();
        let read = start.elapsed().as_secs_f64();
        println!("push {pushed:.2} us, read {read:.2} us a stream");
    }
}
