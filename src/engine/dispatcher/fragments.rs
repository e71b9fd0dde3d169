//! Frames of uncommon shapes; fragments of IP datagrams on their way through reassembly, and what they make
//! whole.

use crate::capture::MergedBatch;
use crate::decode::{self, Decoded};
use crate::model::frame::{FrameId, RawFrame};
use crate::model::tally::Skipped;
use crate::reassemble::ip::Pushed;

use super::super::reason::reason;
use super::{Arrived, Dispatcher, Lanes, Place, Whereabouts};

impl Dispatcher {
    /// Takes a frame of another shape.
    #[inline(never)]
    pub(super) fn uncommon(
        &mut self,
        raw: &RawFrame,
        octets: &[u8],
        place: &Place,
        merged: &MergedBatch,
        lanes: &mut impl Lanes,
    ) {
        match decode::decode_general(raw.link, octets, raw.original) {
            Decoded::Packet(packet) => {
                let whereabouts = Whereabouts::Frame { at: raw.offset, len: raw.captured };
                let payload = packet.payload(octets);
                self.packet(
                    &Arrived { packet: &packet, payload, whereabouts },
                    place,
                    merged,
                    lanes,
                );
            }
            Decoded::Fragment(fragment) => {
                self.fragment(&fragment, fragment.data(octets), place, merged, lanes);
            }
            Decoded::Skipped(skip) => self.totals.tally.skipped(reason(skip), 1),
        }
    }

    pub(super) fn fragment(
        &mut self,
        fragment: &decode::Fragment,
        data: &[u8],
        place: &Place,
        merged: &MergedBatch,
        lanes: &mut impl Lanes,
    ) {
        let mut joined = self.join(fragment, data, place.frame);
        // A tunnel's packet joined from fragments may carry a fragment of another.
        while let Some((Decoded::Fragment(inner), octets, frames)) = &joined {
            let inner = decode::Fragment { frames: *frames, ..*inner };
            joined = self.join(&inner, inner.data(octets), place.frame);
        }
        let given_up = self.fragments.advance(self.watermark);
        self.totals.tally.skipped(Skipped::FragmentIncomplete, given_up);
        match joined {
            Some((Decoded::Packet(packet), octets, frames)) => {
                let payload = packet.payload(&octets);
                let whereabouts = Whereabouts::Joined { octets: &octets, frames };
                let arrived = Arrived { packet: &packet, payload, whereabouts };
                self.packet(&arrived, place, merged, lanes);
            }
            Some((Decoded::Skipped(skip), _, frames)) => {
                self.totals.tally.skipped(reason(skip), u64::from(frames));
            }
            _ => {}
        }
    }

    /// What a fragment makes whole, with the datagram's octets and frames.
    fn join(
        &mut self,
        fragment: &decode::Fragment,
        data: &[u8],
        frame: FrameId,
    ) -> Option<(Decoded, Vec<u8>, u32)> {
        match self.fragments.push(fragment, data, frame, self.watermark) {
            Pushed::Waits => None,
            Pushed::Duplicate => {
                self.totals.tally.skipped(Skipped::Duplicate, u64::from(fragment.frames));
                None
            }
            Pushed::Whole(datagram) => {
                Some((datagram.decode(), datagram.octets.to_vec(), datagram.frames))
            }
        }
    }
}
