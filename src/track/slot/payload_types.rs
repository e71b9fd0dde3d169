//! How many packets had which payload type: the first four in order of appearance.
//!
//! Nearly every stream has one only. Its packets are all that are not counted here.

use super::Slot;
use crate::model::stream::PayloadCount;

/// Packets of the second payload type and on.
#[derive(Debug, Default)]
pub(super) struct MoreTypes {
    /// In order of appearance; none where there are no packets.
    counts: [u32; 3],
    /// Of a fifth payload type and on.
    beyond: u32,
    types: [u8; 3],
}

impl MoreTypes {
    fn each(&self) -> impl DoubleEndedIterator<Item = PayloadCount> {
        let count = |(&payload_type, &packets)| PayloadCount { payload_type, packets };
        self.types.iter().zip(&self.counts).map(count)
    }

    /// All packets counted here.
    fn packets(&self) -> u32 {
        self.counts.iter().fold(self.beyond, |sum, count| sum.saturating_add(*count))
    }
}

impl Slot {
    /// Counts the payload type of a packet that is booked.
    #[inline]
    pub(super) fn count_payload_type(&mut self, payload_type: u8) {
        if payload_type != self.payload_type {
            self.count_another_type(payload_type);
        }
    }

    #[cold]
    fn count_another_type(&mut self, payload_type: u8) {
        let MoreTypes { counts, beyond, types } = &mut self.more_types;
        for (known, count) in types.iter_mut().zip(counts) {
            if *count == 0 {
                *known = payload_type;
            }
            if *known == payload_type {
                *count = count.saturating_add(1);
                return;
            }
        }
        *beyond = beyond.saturating_add(1);
    }

    fn first_type(&self) -> PayloadCount {
        let packets = self.packets.saturating_sub(self.more_types.packets());
        PayloadCount { payload_type: self.payload_type, packets }
    }

    /// Packets of a payload type, if it is among the first four.
    pub(super) fn packets_of(&self, payload_type: u8) -> u32 {
        let mut known = std::iter::once(self.first_type()).chain(self.more_types.each());
        known.find(|count| count.payload_type == payload_type).map_or(0, |count| count.packets)
    }

    /// The first four payload types with their packets, and the packets of all others.
    pub(super) fn payload_types(&self) -> ([PayloadCount; 4], u32) {
        let mut types = [PayloadCount::default(); 4];
        let seen = self.more_types.each().filter(|count| count.packets > 0);
        for (place, count) in types.iter_mut().zip(std::iter::once(self.first_type()).chain(seen)) {
            *place = count;
        }
        (types, self.more_types.beyond)
    }

    /// The payload type with the most packets, the earlier one of equals.
    pub(super) fn main_payload_type(&self) -> u8 {
        let counted = std::iter::once(self.first_type()).chain(self.more_types.each()).rev();
        counted.max_by_key(|count| count.packets).map_or(0, |count| count.payload_type)
    }
}
