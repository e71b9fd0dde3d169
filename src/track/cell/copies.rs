//! Second sightings of a packet: left out of everything, but for the DSCP (RFC 2474 §3), which a hop
//! between two taps may have changed.
//!
//! An RTP packet is compared with its stream, if it is the stream's last one; a SIP datagram with the
//! last few of the cell. What comes in fragments or over TCP is not compared.

use overhear_parsers::demux;

use super::{Ahead, Cell, DUPLICATE_FACTS};
use crate::model::addr::Proto;
use crate::model::evidence::FrameRef;
use crate::model::fact::Body;
use crate::model::notes::Marked;
use crate::model::tally::Skipped;
use crate::track::emit::Emitter;
use crate::track::input::Input;

/// Datagrams that are remembered: those of the few milliseconds in which copies come.
const PASSED: usize = 32;
/// Remarked datagrams that a cell reports.
const REMARKED_FACTS: u32 = 64;

/// The last SIP datagrams of a cell.
#[derive(Debug, Default)]
pub(super) struct Passed {
    datagrams: [Datagram; PASSED],
    next: usize,
    told: u32,
}

#[derive(Copy, Clone, Debug, Default)]
struct Datagram {
    likeness: u64,
    at: FrameRef,
    dscp: u8,
}

impl Passed {
    /// Remembers a datagram in place of the oldest.
    pub(super) fn add(&mut self, input: &Input, ahead: &Ahead<'_>) {
        if let Some(place) = self.datagrams.get_mut(self.next % PASSED) {
            let (at, dscp) = (input.frame_ref(), input.packet.dscp);
            *place = Datagram { likeness: ahead.likeness, at, dscp };
        }
        self.next = self.next.wrapping_add(1);
    }

    /// How a datagram differs from its first sighting; the first so many times.
    fn remarked(&mut self, input: &Input, ahead: &Ahead<'_>) -> Option<Marked> {
        let is = |known: &&Datagram| known.likeness == ahead.likeness;
        let first = self.datagrams.iter().find(is)?;
        let dscp = [first.dscp, input.packet.dscp];
        if first.dscp == input.packet.dscp || self.told >= REMARKED_FACTS {
            return None;
        }
        let at = [first.at, input.frame_ref()];
        self.told = self.told.saturating_add(1);
        Some(Marked { dscp, at, twice: true })
    }
}

impl Cell {
    /// Books a second sighting as such.
    #[cold]
    pub(super) fn copy(&mut self, input: &Input, ahead: &Ahead<'_>, emit: &mut Emitter<'_>) {
        self.shared.tally.skipped(Skipped::Duplicate, u64::from(input.frames));
        self.duplicates_seen += 1;
        let packet = &input.packet;
        let (src, dst) = (packet.src, packet.dst);
        if self.duplicates_seen <= DUPLICATE_FACTS {
            emit.fact(Body::Duplicate { src, dst });
        }
        if packet.proto != Proto::UDP || packet.tunnels.is_hep() {
            return;
        }
        if input.sip {
            if let Some(marked) = self.passed.remarked(input, ahead) {
                emit.fact(Body::Remarked { src, dst, marked });
            }
        } else if ahead.streams
            && let Ok(header) = demux::rtp(packet.payload(ahead.octets))
        {
            self.streams.copy(ahead.sought, &header, input);
        }
    }
}
