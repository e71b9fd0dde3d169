//! The findings that name a record: their numbers, keyed by it. A handshake is named by half a dozen rules at
//! once, so its numbers are kept as one entry. Other records are named whenever a packet of theirs comes: what of
//! that comes together depends on where epochs end, and what there is room for must not.

use super::spool::Store;
use crate::model::id::{Kind, RecordKey};
use crate::model::packed::{Packed, Packer, Unpacker};

/// Numbers in one entry at most.
const TOGETHER: usize = 12;

/// Numbers of findings that name one record.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    all: [u32; TOGETHER],
    len: u8,
}

/// Numbers of the findings that name a record, keyed by it. Those of one kind of record lie by
/// themselves, so that walking over its records reads no others.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) calls: Store,
    pub(super) registrations: Store,
    pub(super) streams: Store,
    pub(super) handshakes: Store,
    refused: u64,
}

impl Numbers {
    /// Adds the numbers of these links, of [`TOGETHER`] at most, to none.
    fn fill(&mut self, links: &[(RecordKey, u32)]) {
        for (place, (_, number)) in self.all.iter_mut().zip(links) {
            *place = *number;
            self.len += 1;
        }
    }

    /// They themselves.
    pub(super) fn all(&self) -> &[u32] {
        self.all.get(..self.len.into()).unwrap_or_default()
    }
}

impl Packed<'_> for Numbers {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        self.len.pack(out);
        self.all().iter().for_each(|number| number.pack(out));
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        let mut numbers = Self { len: u8::unpack(from)?, ..Self::default() };
        for place in numbers.all.get_mut(..numbers.len.into())? {
            *place = u32::unpack(from)?;
        }
        Some(numbers)
    }
}

impl Named {
    /// Divides memory and spool over the kinds.
    pub(super) fn new(memory: usize, spool: u64) -> Self {
        let [large, small] = [3, 1]
            .map(|eighths| move || Store::new(memory / 8 * eighths, spool / 8 * (eighths as u64)));
        Self {
            calls: large(),
            streams: large(),
            registrations: small(),
            handshakes: small(),
            refused: 0,
        }
    }

    /// Keeps links of records to the findings of these numbers.
    pub(super) fn push(&mut self, links: &[(RecordKey, u32)]) {
        let together = |(one, _): &(RecordKey, u32), (other, _): &(RecordKey, u32)| {
            one == other && one.id.kind() == Some(Kind::Handshake)
        };
        for of_one in links.chunk_by(together) {
            for together in of_one.chunks(TOGETHER) {
                let Some((record, _)) = together.first() else { continue };
                let store = match record.id.kind() {
                    Some(Kind::Call) | None => &mut self.calls,
                    Some(Kind::Registration) => &mut self.registrations,
                    Some(Kind::Stream) => &mut self.streams,
                    Some(Kind::Handshake) => &mut self.handshakes,
                };
                // In its place: a copy would wait until what was written in parts is written.
                let mut numbers = Numbers::default();
                numbers.fill(together);
                if !store.push(*record, &numbers) {
                    self.refused = self.refused.saturating_add(together.len() as u64);
                }
            }
        }
    }

    /// Links for which there was no room.
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }

    /// All stores.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Store> {
        let Self { calls, registrations, streams, handshakes, .. } = self;
        [calls, registrations, streams, handshakes].into_iter()
    }

    /// What went wrong with the spool, if anything did.
    pub(super) fn fault(&self) -> Option<&str> {
        let mut all =
            [&self.calls, &self.registrations, &self.streams, &self.handshakes].into_iter();
        all.find_map(Store::fault)
    }
}

#[cfg(test)]
mod tests {
    use super::super::join::Citations;
    use super::*;
    use crate::model::frame::FrameId;
    use crate::model::id::RecordId;

    #[test]
    fn numbers_that_come_together_are_one_entry_and_none_is_lost() {
        let key = |number| RecordKey {
            first: FrameId { source: 0, number },
            id: RecordId::new(Kind::Handshake, 0),
        };
        let mut links: Vec<(RecordKey, u32)> = (0..30).map(|number| (key(2), number)).collect();
        links.extend([(key(1), 300), (key(1), 7)]);
        for memory in [1 << 20, 0] {
            let mut named = Named::new(memory, 1 << 20);
            named.push(&links);
            assert_eq!((named.handshakes.len(), named.refused()), (4, 0));
            named.all_mut().for_each(Store::sort);
            let mut cited = Citations::new(&named.handshakes, &[]);
            assert_eq!(cited.of(key(1)), [7, 300]);
            assert_eq!(cited.of(key(2)), (0..30).collect::<Vec<_>>());
            assert!(cited.of(key(3)).is_empty());
            assert!(named.fault().is_none());
        }
        let mut full = Named::new(0, 0);
        full.push(&links);
        assert_eq!(full.refused(), 20, "the first entry is kept");
    }
}
