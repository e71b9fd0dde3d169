//! UDP flows of one cell that carry DTLS: remembered so that a repeated ClientHello is one
//! handshake, and so that DTLS 1.3 records, which have no version, are known for what they are.

use hashbrown::HashTable;

use crate::model::time::{Span, Ts};
use crate::policy::Limits;

use super::alarm::Alarms;

/// Name of the table in `evicted`.
pub const TABLE: &str = "udp_flows";

/// Octets of one flow with its timer, in a table that is half full after it has grown.
pub const ENTRY: usize = 2 * (size_of::<Flow>() + 1) + 3 * size_of::<Ts>();

#[derive(Copy, Clone, Debug)]
struct Flow {
    hash: u64,
    last_seen: Ts,
    armed: Ts,
    greeted: bool,
}

/// The DTLS flows of one cell, by flow hash.
#[derive(Debug)]
pub struct DtlsFlows {
    table: HashTable<Flow>,
    alarms: Alarms,
    cap: usize,
    idle: Span,
    evicted: u64,
}

impl DtlsFlows {
    /// A table with one cell's share of the limits.
    pub fn new(limits: &Limits) -> Self {
        Self {
            table: HashTable::new(),
            alarms: Alarms::default(),
            cap: Limits::per_cell(limits.udp_flows),
            idle: limits.idle,
            evicted: 0,
        }
    }

    /// Flows given up for lack of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        self.alarms.next()
    }

    /// Whether the flow is known to carry DTLS.
    pub fn contains(&self, hash: u64) -> bool {
        self.table.find(hash, |flow| flow.hash == hash).is_some()
    }

    /// Notes a record of the flow; tells whether it begins a handshake that was not yet counted.
    pub fn record(&mut self, hash: u64, client_hello: bool, watermark: Ts) -> bool {
        if let Some(flow) = self.table.find_mut(hash, |flow| flow.hash == hash) {
            flow.last_seen = watermark;
            let begins = client_hello && !flow.greeted;
            flow.greeted |= client_hello;
            return begins;
        }
        if self.table.len() >= self.cap {
            self.evict_longest_idle();
        }
        let armed = watermark.plus(self.idle);
        let flow = Flow { hash, last_seen: watermark, armed, greeted: client_hello };
        self.table.insert_unique(hash, flow, |flow| flow.hash);
        self.alarms.arm(armed, hash, 0);
        client_hello
    }

    /// Forgets flows that have been silent for too long.
    pub fn advance(&mut self, watermark: Ts) {
        while let Some((armed, hash, _)) = self.alarms.pop_due(watermark) {
            let Ok(mut entry) = self.table.find_entry(hash, |flow| flow.hash == hash) else {
                continue;
            };
            let flow = entry.get_mut();
            let deadline = flow.last_seen.plus(self.idle);
            if flow.armed == armed && deadline > watermark {
                flow.armed = deadline;
                self.alarms.arm(deadline, hash, 0);
            } else if flow.armed == armed {
                entry.remove();
            }
        }
    }

    fn evict_longest_idle(&mut self) {
        while let Some((armed, hash, _)) = self.alarms.pop_due(Ts::MAX) {
            let Ok(mut entry) = self.table.find_entry(hash, |flow| flow.hash == hash) else {
                continue;
            };
            let flow = entry.get_mut();
            let deadline = flow.last_seen.plus(self.idle);
            if flow.armed == armed && deadline > armed {
                flow.armed = deadline;
                self.alarms.arm(deadline, hash, 0);
            } else if flow.armed == armed {
                entry.remove();
                self.evicted += 1;
                return;
            }
        }
    }
}
