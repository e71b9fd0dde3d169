//! The table of TCP connections of one cell: found by address, ended by silence, evicted when there
//! are too many. What a connection does with its octets is in [`super::tcp_connection`].

use crate::decode::Tcp;
use crate::dissect::tls_handshake::TlsHandshake;
use crate::model::addr::FlowKey;
use crate::model::capture::Reassembly;
use crate::model::evidence::FrameRef;
use crate::model::fact::length;
use crate::model::fetch;
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

use super::alarm::Alarms;
use super::emit::Emitter;
use super::index::{self, Index};
use super::input::Input;
use super::shared::{Awaited, Shared};
use super::tcp_connection::{Connection, Reading, opens};

/// Name of the table in `evicted`.
pub const TABLE: &str = "tcp_flows";

/// Octets of one connection with its timer and its index, without what the purse pays for.
pub const ENTRY: usize =
    size_of::<Option<Connection>>() + READ + 3 * size_of::<Ts>() + index::ENTRY;

/// Octets more of one that is read, and carries a TLS handshake.
const READ: usize = size_of::<Reading>() + size_of::<TlsHandshake>();

/// The connections of one cell.
#[derive(Debug)]
pub struct TcpFlows {
    index: Index,
    slots: Vec<Option<Connection>>,
    free: Vec<u32>,
    alarms: Alarms,
    cap: usize,
    idle: Span,
    closed_idle: Span,
    reassembly: Reassembly,
    evicted: u64,
}

impl TcpFlows {
    /// A table with one cell's share of the limits.
    pub fn new(limits: &Limits) -> Self {
        Self {
            index: Index::new(),
            slots: Vec::new(),
            free: Vec::new(),
            alarms: Alarms::default(),
            cap: Limits::per_cell(limits.tcp_flows),
            idle: limits.tcp_idle,
            closed_idle: limits.idle,
            reassembly: Reassembly::default(),
            evicted: 0,
        }
    }

    /// Connections given up for lack of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        self.alarms.next()
    }

    /// What reassembly did so far, ended connections and live ones.
    pub fn reassembly(&self) -> Reassembly {
        self.reassembly
    }

    /// Takes one segment.
    pub fn packet(
        &mut self,
        input: &Input,
        payload: &[u8],
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        let tcp = input.packet.tcp;
        let mut slot = self.find(input);
        if let Some(found) = slot
            && opens(tcp)
            && self.connection(found).is_some_and(|connection| connection.closed)
        {
            self.remove(found, shared, emit);
            slot = None;
        }
        let slot = match slot {
            Some(slot) => slot,
            None => self.insert(input, shared, emit),
        };
        let Some(Some(connection)) = self.slots.get_mut(widen(slot)) else { return };
        connection.last_seen = input.watermark;
        connection.last_frame = input.frame_ref();
        connection.opened |= tcp.flags & Tcp::SYN != 0;
        connection.clipped |= input.packet.clipped;
        connection.book(u64::from(input.frames), &mut shared.tally);
        connection.glance(input, payload, emit);
        if connection.is_read() {
            connection.segment(input, payload, shared, emit, &mut self.reassembly);
        } else {
            connection.closed |= tcp.flags & (Tcp::FIN | Tcp::RST) != 0;
        }
        // A connection that closed ends sooner than its timer says.
        let closed_by = input.watermark.plus(self.closed_idle);
        if connection.closed && connection.armed > closed_by {
            self.arm(slot, closed_by);
        }
    }

    /// Secrets came for a connection that waits for them.
    pub fn secrets(
        &mut self,
        (random, flow): Awaited,
        shared: &mut Shared,
        emit: &mut Emitter<'_>,
    ) {
        let waits = |slot| self.connection(slot).is_some_and(|it| it.waits_for(&random));
        let Some(slot) = self.index.find(flow, waits) else { return };
        if let Some(Some(connection)) = self.slots.get_mut(widen(slot)) {
            connection.secrets(shared, emit);
        }
    }

    /// Ends connections that have been silent for too long.
    pub fn advance(&mut self, watermark: Ts, shared: &mut Shared, emit: &mut Emitter<'_>) {
        while let Some((armed, _, slot)) = self.alarms.pop_due(watermark) {
            match self.deadline(slot, armed) {
                None => {}
                Some(deadline) if deadline > armed => self.arm(slot, deadline),
                Some(deadline) => {
                    emit.due(deadline, self.flow(slot), self.last_frame(slot));
                    self.remove(slot, shared, emit);
                }
            }
        }
        // Nobody has looked at the next one for a minute.
        if let Some(slot) = self.alarms.upcoming() {
            fetch::element(&self.slots, widen(slot));
        }
    }

    /// Ends all connections, at the end of the capture.
    pub fn finish(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) {
        // As if the capture had gone on in silence: whatever was open times out.
        self.advance(Ts::MAX, shared, emit);
    }

    #[inline]
    fn find(&self, input: &Input) -> Option<u32> {
        let (src, dst, proto) = (&input.packet.src, &input.packet.dst, input.packet.proto);
        let is = |found: &Connection| found.key.is_between(src, dst, proto);
        self.index.find(input.flow, |slot| self.connection(slot).is_some_and(is))
    }

    fn connection(&self, slot: u32) -> Option<&Connection> {
        self.slots.get(widen(slot)).and_then(Option::as_ref)
    }

    fn flow(&self, slot: u32) -> u64 {
        self.connection(slot).map_or(0, |connection| connection.flow)
    }

    fn last_frame(&self, slot: u32) -> FrameRef {
        self.connection(slot).map(|connection| connection.last_frame).unwrap_or_default()
    }

    /// When the connection of a timer armed for `armed` ends; `None` for a stale timer.
    fn deadline(&self, slot: u32, armed: Ts) -> Option<Ts> {
        let connection = self.connection(slot).filter(|found| found.armed == armed)?;
        let idle = if connection.closed { self.closed_idle } else { self.idle };
        Some(connection.last_seen.plus(idle))
    }

    fn arm(&mut self, slot: u32, deadline: Ts) {
        // Ports that are opened and closed again and again leave a stale timer each.
        if self.alarms.len() > self.index.len().saturating_mul(2).saturating_add(1_024) {
            let slots = &self.slots;
            self.alarms.retain(|armed, slot| {
                let connection = slots.get(widen(slot)).and_then(Option::as_ref);
                connection.is_some_and(|found| found.armed == armed)
            });
        }
        self.alarms.arm(deadline, self.flow(slot), slot);
        if let Some(Some(connection)) = self.slots.get_mut(widen(slot)) {
            connection.armed = deadline;
        }
    }

    fn insert(&mut self, input: &Input, shared: &mut Shared, emit: &mut Emitter<'_>) -> u32 {
        if self.index.len() >= self.cap {
            self.evict_longest_idle(shared, emit);
        }
        let packet = &input.packet;
        let key = FlowKey::new(packet.src, packet.dst, packet.proto);
        let connection = Connection::new(key, input, shared.readings.get().unwrap_or_default());
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            length(self.slots.len() - 1)
        });
        if let Some(place) = self.slots.get_mut(widen(slot)) {
            *place = Some(connection);
        }
        self.index.insert(input.flow, slot);
        // Most connections close soon, and then end that much sooner: of others the deadline is moved on.
        self.arm(slot, input.watermark.plus(self.closed_idle.min(self.idle)));
        self.reassembly.tcp_streams += 1;
        slot
    }

    fn evict_longest_idle(&mut self, shared: &mut Shared, emit: &mut Emitter<'_>) {
        while let Some((armed, _, slot)) = self.alarms.pop_due(Ts::MAX) {
            match self.deadline(slot, armed) {
                None => {}
                Some(deadline) if deadline > armed => self.arm(slot, deadline),
                Some(_) => {
                    self.evicted += 1;
                    self.remove(slot, shared, emit);
                    return;
                }
            }
        }
    }

    fn remove(&mut self, slot: u32, shared: &mut Shared, emit: &mut Emitter<'_>) {
        let Some(place) = self.slots.get_mut(widen(slot)) else { return };
        let Some(connection) = place else { return };
        let (flow, cited) = (connection.flow, emit.cite(connection.last_frame));
        connection.close(shared, emit, &mut self.reassembly);
        emit.cite(cited);
        *place = None;
        self.index.remove(flow, slot);
        self.free.push(slot);
    }
}

fn widen(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}
