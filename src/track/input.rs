//! One packet on its way to a cell.

use crate::decode::Packet;
use crate::model::addr::{FlowKey, Proto};
use crate::model::evidence::FrameRef;
use crate::model::frame::FrameId;
use crate::model::stream::StreamKey;
use crate::model::time::Ts;
use crate::policy::limits::CELLS;

/// A decoded packet with its place in the total order and where its octets lie.
#[derive(Copy, Clone, Debug, Default)]
pub struct Input {
    /// Headers, as decoded.
    pub packet: Packet,
    /// Its frame; of a reassembled datagram the one that completed it.
    pub frame: FrameId,
    /// Capture time.
    pub ts: Ts,
    /// Highest capture time up to this frame.
    pub watermark: Ts,
    /// Place of the frame in the total order, from 1.
    pub ordinal: u64,
    /// Hash of the flow, the same in both directions.
    pub flow: u64,
    /// The cell that owns the packet.
    pub cell: u8,
    /// The dispatcher saw a SIP start line in a UDP datagram.
    pub sip: bool,
    /// Frames to book for it: more than one after IP reassembly.
    pub frames: u32,
    /// Octets of the frame on the wire.
    pub wire_len: u32,
    /// Interface within the source.
    pub interface: u32,
    /// Which backing of the batch holds the octets.
    pub backing: u16,
    /// Where the frame's (or the reassembled datagram's) octets begin there.
    pub at: usize,
    /// How many there are.
    pub len: u32,
}

impl Input {
    /// The RTP stream of a packet with this SSRC.
    pub const fn stream_key(&self, ssrc: u32) -> StreamKey {
        StreamKey { src: self.packet.src, dst: self.packet.dst, ssrc }
    }

    /// Octets of its datagram that were sent but not captured.
    #[inline]
    pub fn missing(&self) -> u16 {
        let missing = self.packet.wire_payload_len.saturating_sub(self.packet.payload_len);
        u16::try_from(missing).unwrap_or(u16::MAX)
    }

    /// Whether its datagrams came in a connection (RFC 4571).
    pub fn framed(&self) -> bool {
        self.packet.proto != Proto::UDP
    }

    /// The frame with its capture time.
    pub fn frame_ref(&self) -> FrameRef {
        FrameRef { frame: self.frame, time: self.ts }
    }

    /// Hash of the flow that `packet` belongs to.
    pub fn flow_hash(packet: &Packet) -> u64 {
        FlowKey::hash_between(&packet.src, &packet.dst, packet.proto)
    }

    /// The cell of a flow hash. The low bits stay free for tables.
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below 64")]
    pub fn cell_of(hash: u64) -> u8 {
        ((hash >> 48) % CELLS as u64) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::addr::{Addr, Endpoint};
    use crate::policy::Limits;

    /// Packets of the flow from this address and port to that.
    fn between(src: (u32, u32), dst: (u32, u32)) -> Packet {
        let endpoint = |(addr, port): (u32, u32)| {
            Endpoint::new(Addr::v4(addr.to_be_bytes()), u16::try_from(port & 0xffff).unwrap())
        };
        let (src, dst) = (endpoint(src), endpoint(dst));
        Packet { src, dst, proto: Proto::UDP, ..Packet::default() }
    }

    /// A flow has a stream each way, both in one cell, and a cell has its share of the limit and no
    /// more: the hash must spread flows whose addresses hardly differ.
    #[test]
    fn a_million_streams_fit_into_the_shares_of_the_cells() {
        let room = Limits::per_cell(Limits::default().streams);
        let plans: [fn(u32) -> Packet; 3] = [
            // As many hosts as flows.
            |n| between((0x0a20_0000 + n, 16_384 + n % 8_192 * 2), (0xc612_0001 + n, 10_000)),
            // Every port of few hosts.
            |n| between((0x0a00_0001 + n / 32_000, n % 32_000 * 2), (0x0a00_0101, 5_004)),
            // Two hosts that face each other.
            |n| between((0xc000_0201, n / 720), (0xc000_0202, n % 720)),
        ];
        for (number, plan) in plans.iter().enumerate() {
            let mut streams = [0; CELLS];
            for n in 0..500_000 {
                let cell = Input::cell_of(Input::flow_hash(&plan(n)));
                streams[usize::from(cell)] += 2;
            }
            let most = streams.iter().max().unwrap();
            assert!(*most <= room, "plan {number}: {most} of {room}");
        }
    }
}
