//! Datagrams built like UDPTL (ITU-T T.38): counted by sender and receiver until they are silent.
//!
//! Nothing in such a datagram says that it is fax, so none is claimed here: the collector books them
//! when it knows whether SDP announced one of the sockets for it.

use overhear_parsers::udptl;

use crate::model::evidence::FrameRef;
use crate::model::fact::{Body, UdptlEnded};
use crate::model::time::Ts;
use crate::policy::Limits;

use super::emit::Emitter;
use super::flow_table::FlowTable;
use super::input::Input;

/// Name of the table in `evicted`.
pub const TABLE: &str = "udptl_flows";

/// Octets of one flow.
pub const ENTRY: usize = FlowTable::<Flow>::ENTRY;

/// Numbers that a datagram may be ahead of the one before it and still follow it.
const AHEAD: u16 = 4;

/// What one socket sent to another.
#[derive(Copy, Clone, Debug)]
pub struct Flow {
    so_far: UdptlEnded,
    hash: u64,
    sequence: u16,
    /// Watermark of the last datagram.
    last_seen: Ts,
}

/// The flows of one cell.
#[derive(Debug)]
pub struct UdptlFlows {
    table: FlowTable<Flow>,
    idle: crate::model::time::Span,
}

impl UdptlFlows {
    /// A table with one cell's share of the limits.
    pub fn new(limits: &Limits) -> Self {
        let cap = Limits::per_cell(limits.udptl_flows);
        Self { table: FlowTable::new(cap, limits.idle), idle: limits.idle }
    }

    /// Flows given up for lack of room.
    pub fn evicted(&self) -> u64 {
        self.table.evicted()
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        self.table.next_timer()
    }

    /// Takes a datagram that is nothing else, if it is built like UDPTL.
    pub fn packet(&mut self, input: &Input, payload: &[u8], emit: &mut Emitter<'_>) -> bool {
        let Some(datagram) = udptl::parse(payload).filter(|_| !input.packet.clipped) else {
            return false;
        };
        let (src, dst, at) = (input.packet.src, input.packet.dst, input.frame_ref());
        // The two directions are apart.
        let hash = if src <= dst { input.flow } else { input.flow.rotate_left(1) ^ 1 };
        let new = || Flow {
            so_far: UdptlEnded {
                src,
                dst,
                first: at,
                last: at,
                packets: 0,
                in_order: 0,
                frames: 0,
            },
            hash: input.flow,
            sequence: datagram.sequence.wrapping_sub(1),
            last_seen: input.watermark,
        };
        let mut gone = None;
        let flow =
            self.table.get_or_insert(hash, input.watermark, new, &mut |flow| gone = Some(flow));
        let ahead = datagram.sequence.wrapping_sub(flow.sequence);
        let so_far = &mut flow.so_far;
        so_far.packets += 1;
        so_far.in_order += u64::from(ahead <= AHEAD);
        so_far.frames += u64::from(input.frames);
        so_far.last = at;
        flow.sequence = datagram.sequence;
        flow.last_seen = input.watermark;
        if let Some(gone) = gone {
            let before = emit.cite(gone.so_far.last);
            emit.fact(Body::UdptlEnded(Box::new(gone.so_far)));
            emit.cite(before);
        }
        true
    }

    /// Ends flows that have been silent for too long.
    pub fn advance(&mut self, watermark: Ts, emit: &mut Emitter<'_>) {
        let idle = self.idle;
        self.table.advance(watermark, &mut |flow: Flow| {
            let last: FrameRef = flow.so_far.last;
            emit.due(flow.last_seen.plus(idle), flow.hash, last);
            emit.fact(Body::UdptlEnded(Box::new(flow.so_far)));
        });
    }
}
