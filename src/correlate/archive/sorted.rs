//! Reading the archive: records in order, joined with their links, shown to one reader or to several
//! at once.

use std::io;

use super::{Archive, CallRow, CallStream, Row};
use crate::correlate::exposure::Exposure;
use crate::correlate::join::{Citations, Join};
use crate::correlate::spool::{Merge, Store};
use crate::model::handshake::HandshakeRecord;
use crate::model::id::RecordKey;
use crate::model::packed::unpack;
use crate::model::record::{CallRecord, RegistrationRecord, StreamRecord};

/// All records in order. Several may read them at once.
#[derive(Copy, Clone, Debug)]
pub struct Sorted<'a>(pub(super) &'a Archive);

/// Who is shown records.
pub trait Reader {
    /// Whether the next record is to be shown: asked before each, as long as there is no error.
    ///
    /// # Errors
    /// Whatever makes the reader want no more.
    fn wants(&mut self) -> io::Result<bool>;
}

/// Wants all.
impl Reader for () {
    fn wants(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}

impl Sorted<'_> {
    /// How many there are of the kind of which there are most.
    pub fn count(self) -> usize {
        let Archive { calls, registrations, streams, handshakes, .. } = self.0;
        let most = [calls, registrations, streams, handshakes].map(Store::len).into_iter().max();
        most.and_then(|most| usize::try_from(most).ok()).unwrap_or_default()
    }

    /// Shows a reader the calls that it wants, until an error.
    ///
    /// # Errors
    /// Those of the reader and of `each`.
    pub fn calls<R: Reader>(
        self,
        reader: &mut R,
        mut each: impl FnMut(&mut R, CallRow<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut findings = Citations::new(&self.0.findings_of.calls, &self.0.places);
        let mut streams: Join<'_, CallStream> = Join::new(self.0.call_streams.read());
        show(reader, self.0.calls.read(), |reader, key, octets| {
            let record: CallRecord<'_> = unpack(key, octets)?;
            let streams = streams.of(key);
            streams.sort_unstable();
            let exposure = Exposure::of(streams);
            Some(each(reader, CallRow { record, exposure, streams, findings: findings.of(key) }))
        })
    }

    /// The same with registrations.
    ///
    /// # Errors
    /// Those of the reader and of `each`.
    pub fn registrations<R: Reader>(
        self,
        reader: &mut R,
        mut each: impl FnMut(&mut R, Row<'_, RegistrationRecord<'_>>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut findings = Citations::new(&self.0.findings_of.registrations, &self.0.places);
        show(reader, self.0.registrations.read(), |reader, key, octets| {
            let record: RegistrationRecord<'_> = unpack(key, octets)?;
            Some(each(reader, Row { record, findings: findings.of(key) }))
        })
    }

    /// The same with streams.
    ///
    /// # Errors
    /// Those of the reader and of `each`.
    pub fn streams<R: Reader>(
        self,
        reader: &mut R,
        mut each: impl FnMut(&mut R, Row<'_, StreamRecord<'_>>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut findings = Citations::new(&self.0.findings_of.streams, &self.0.places);
        show(reader, self.0.streams.read(), |reader, key, octets| {
            let record: StreamRecord<'_> = unpack(key, octets)?;
            Some(each(reader, Row { record, findings: findings.of(key) }))
        })
    }

    /// The same with handshakes.
    ///
    /// # Errors
    /// Those of the reader and of `each`.
    pub fn handshakes<R: Reader>(
        self,
        reader: &mut R,
        mut each: impl FnMut(&mut R, Row<'_, HandshakeRecord<'_>>) -> io::Result<()>,
    ) -> io::Result<()> {
        let Archive { offers, chains, .. } = self.0;
        let mut findings = Citations::new(&self.0.findings_of.handshakes, &self.0.places);
        let mut opened: Join<'_, bool> = Join::new(self.0.opened.read());
        show(reader, self.0.handshakes.read(), |reader, key, octets| {
            let mut record: HandshakeRecord<'_> = unpack(key, octets)?;
            record.decrypted |= !opened.of(key).is_empty();
            if let Some(offered) = &mut record.offered {
                offered.settle(|place| offers.get(place))?;
            }
            let HandshakeRecord { certificates, client_certificates, .. } = &mut record;
            for chain in [certificates, client_certificates].into_iter().flatten() {
                chain.settle(|place| chains.get(place))?;
            }
            Some(each(reader, Row { record, findings: findings.of(key) }))
        })
    }
}

/// Shows a reader the records of one store; `each` says `None` to octets that make no record.
fn show<R: Reader>(
    reader: &mut R,
    mut records: Merge<'_>,
    mut each: impl FnMut(&mut R, RecordKey, &[u8]) -> Option<io::Result<()>>,
) -> io::Result<()> {
    while let Some((key, octets)) = records.next_record() {
        if !reader.wants()? {
            continue;
        }
        match each(reader, key, octets) {
            Some(shown) => shown?,
            None => records.damaged(),
        }
    }
    Ok(())
}
