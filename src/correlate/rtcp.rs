//! What RTCP in clear says about streams, kept until the stream ends (RFC 3550 §6).

use std::collections::VecDeque;

use hashbrown::HashMap;
use overhear_parsers::rtcp::{Body, Packets, ReportBlock};

use crate::model::addr::{Addr, Endpoint, STABLE};
use crate::model::record::StreamRtcp;
use crate::model::stream::StreamKey;

/// Name of the table in `evicted`.
pub const TABLE: &str = "rtcp";

/// Streams for which RTCP is remembered; the oldest goes first.
const CAP: usize = 200_000;

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
    table: HashMap<About, StreamRtcp, foldhash::quality::FixedState>,
    arrival: VecDeque<About>,
    evicted: u64,
}

impl Default for RtcpReports {
    fn default() -> Self {
        Self { table: HashMap::with_hasher(STABLE), arrival: VecDeque::new(), evicted: 0 }
    }
}

impl RtcpReports {
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
        self.table.remove(&about(stream.src, stream.dst, stream.ssrc))
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
            while self.table.len() >= CAP {
                let Some(oldest) = self.arrival.pop_front() else { break };
                self.evicted += u64::from(self.table.remove(&oldest).is_some());
            }
            self.arrival.push_back(key);
            if self.arrival.len() > 2 * CAP {
                let table = &self.table;
                self.arrival.retain(|key| table.contains_key(key));
            }
        }
        self.table.entry(key).or_default()
    }
}

fn about(src: Endpoint, dst: Endpoint, ssrc: u32) -> About {
    About { low: src.addr.min(dst.addr), high: src.addr.max(dst.addr), ssrc }
}
