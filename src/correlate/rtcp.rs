//! What RTCP in clear says about streams, kept until the stream ends (RFC 3550 §6).

use std::collections::VecDeque;
use std::hash::BuildHasher;

use hashbrown::HashMap;
use overhear_parsers::rtcp::{Body, Packets, ReportBlock};

use crate::model::addr::{Addr, Endpoint, STABLE};
use crate::model::record::StreamRtcp;
use crate::model::stream::StreamKey;
use crate::policy::Limits;

/// Name of the table in `evicted`.
pub const TABLE: &str = "rtcp";

/// Octets of one stream's reports, in a table that is half full after it has grown.
pub const ENTRY: usize = 2 * (size_of::<(About, Reports)>() + 1) + 2 * size_of::<(u64, About)>();

/// An SSRC between two hosts, whichever of them sends; ports differ between RTP and RTCP.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
struct About {
    low: Addr,
    high: Addr,
    ssrc: u32,
}

/// RTCP by the stream it is about.
#[derive(Debug)]
pub struct RtcpReports {
    table: HashMap<About, Reports, foldhash::quality::FixedState>,
    /// In the order of arrival, to evict the oldest; some are gone already.
    arrival: VecDeque<(u64, About)>,
    arrived: u64,
    cap: usize,
    evicted: u64,
}

/// What was said about one stream.
#[derive(Debug)]
struct Reports {
    /// Its number in the order of arrival.
    arrived: u64,
    said: StreamRtcp,
}

impl RtcpReports {
    /// An empty table.
    pub fn new(limits: &Limits) -> Self {
        Self {
            table: HashMap::with_hasher(STABLE),
            arrival: VecDeque::new(),
            arrived: 0,
            cap: limits.rtcp.max(1),
            evicted: 0,
        }
    }

    /// Streams whose RTCP was forgotten for lack of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Reads one compound packet.
    pub fn datagram(&mut self, src: Endpoint, dst: Endpoint, octets: &[u8]) {
        for packet in Packets::new(octets) {
            match packet.decode() {
                Body::SenderReport { ssrc, reports, .. } => {
                    self.about(src, dst, ssrc).sender_reports += 1;
                    self.blocks(src, dst, reports);
                }
                Body::ReceiverReport { reports, .. } => self.blocks(src, dst, reports),
                Body::Bye { sources, .. } => {
                    let (sources, _) = sources.as_chunks::<4>();
                    for ssrc in sources {
                        self.about(src, dst, u32::from_be_bytes(*ssrc)).byes += 1;
                    }
                }
                _ => {}
            }
        }
    }

    /// What was said about a stream that has ended, and forgets it.
    pub fn take(&mut self, stream: &StreamKey) -> Option<StreamRtcp> {
        let key = about(stream.src, stream.dst, stream.ssrc);
        self.table.remove(&key).map(|reports| reports.said)
    }

    fn blocks(&mut self, src: Endpoint, dst: Endpoint, reports: impl Iterator<Item = ReportBlock>) {
        for report in reports {
            let entry = self.about(src, dst, report.ssrc);
            entry.report_blocks += 1;
            let lost = i64::from(report.cumulative_lost);
            entry.reported_lost = Some(entry.reported_lost.map_or(lost, |most| most.max(lost)));
            let jitter = report.jitter;
            entry.reported_jitter =
                Some(entry.reported_jitter.map_or(jitter, |most| most.max(jitter)));
        }
    }

    fn about(&mut self, src: Endpoint, dst: Endpoint, ssrc: u32) -> &mut StreamRtcp {
        let key = about(src, dst, ssrc);
        if !self.table.contains_key(&key) {
            while self.table.len() >= self.cap {
                let Some((arrived, oldest)) = self.arrival.pop_front() else { break };
                if is_live(&self.table, arrived, &oldest) {
                    self.table.remove(&oldest);
                    self.evicted += 1;
                }
            }
            if self.arrival.len() >= self.cap.saturating_mul(2) {
                let table = &self.table;
                self.arrival.retain(|(arrived, key)| is_live(table, *arrived, key));
            }
            self.arrived += 1;
            self.arrival.push_back((self.arrived, key));
        }
        let new = || Reports { arrived: self.arrived, said: StreamRtcp::default() };
        &mut self.table.entry(key).or_insert_with(new).said
    }
}

/// Whether the table still holds what arrived under this number.
fn is_live<S: BuildHasher>(table: &HashMap<About, Reports, S>, arrived: u64, key: &About) -> bool {
    table.get(key).is_some_and(|reports| reports.arrived == arrived)
}

fn about(src: Endpoint, dst: Endpoint, ssrc: u32) -> About {
    About { low: src.addr.min(dst.addr), high: src.addr.max(dst.addr), ssrc }
}
