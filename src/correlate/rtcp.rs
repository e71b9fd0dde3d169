//! What RTCP in clear says about streams, kept until the stream ends (RFC 3550 §6).

use std::collections::VecDeque;
use std::hash::BuildHasher;

use hashbrown::HashMap;
use overhear_parsers::rtcp::extended::{Metrics, VoipMetrics};
use overhear_parsers::rtcp::{Body, Packets, ReportBlock};

use crate::model::addr::{Addr, Endpoint, STABLE};
use crate::model::evidence::FrameRef;
use crate::model::record::{ReportedQuality, StreamRtcp};
use crate::model::stream::StreamKey;
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

/// Name of the table in `evicted`.
pub const TABLE: &str = "rtcp";

/// Octets of one stream's reports, in a table that is half full after it has grown; and those of the
/// goodbyes, of which there are an eighth as many.
pub const ENTRY: usize = 2 * (size_of::<(About, Reports)>() + 1)
    + 2 * size_of::<(u64, About)>()
    + 2 * size_of::<((Addr, u32), Byes)>() / BYES_SHARE;

/// Goodbyes are remembered of so many times fewer streams.
const BYES_SHARE: usize = 8;

/// The first BYE about a source that a host was sent, from each of two senders (RFC 3550 §6.6).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Byes {
    /// Who sent it, and where it is.
    pub from: [Option<(Addr, FrameRef)>; 2],
}

/// A longer way is no way: clocks jumped, or a report was answered twice.
const LONGEST_TRIP: Span = Span::from_secs(10);

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
    /// By the host that was told, and the SSRC that is said to leave.
    byes: HashMap<(Addr, u32), Byes, foldhash::quality::FixedState>,
    /// In the order of arrival, to evict the oldest; some are gone already.
    told: VecDeque<(Addr, u32)>,
    cap: usize,
    evicted: u64,
}

/// What was said about one stream.
#[derive(Debug, Default)]
struct Reports {
    /// Its number in the order of arrival.
    arrived: u64,
    said: StreamRtcp,
    /// The middle of the NTP time of the last sender report, and when it was seen.
    sent: Option<(u32, Ts)>,
    /// Round trips from the tap to the receiver: their sum, and how many.
    trips: (Span, u32),
}

impl RtcpReports {
    /// An empty table.
    pub fn new(limits: &Limits) -> Self {
        Self {
            table: HashMap::with_hasher(STABLE),
            arrival: VecDeque::new(),
            arrived: 0,
            byes: HashMap::with_hasher(STABLE),
            told: VecDeque::new(),
            cap: limits.rtcp.max(1),
            evicted: 0,
        }
    }

    /// Streams whose RTCP was forgotten for lack of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Reads one compound packet.
    pub fn datagram(&mut self, src: Endpoint, dst: Endpoint, octets: &[u8], at: FrameRef) {
        for packet in Packets::new(octets) {
            match packet.decode() {
                Body::SenderReport { ssrc, ntp, reports, .. } => {
                    let of = self.about(src, dst, ssrc);
                    of.said.sender_reports += 1;
                    of.sent = Some((middle(ntp), at.time));
                    self.blocks(src, dst, at.time, reports);
                }
                Body::ReceiverReport { reports, .. } => self.blocks(src, dst, at.time, reports),
                Body::ExtendedReport { blocks, .. } => {
                    for metrics in Metrics::new(blocks) {
                        self.about(src, dst, metrics.ssrc).said.extended = Some(told(&metrics));
                    }
                }
                Body::Bye { sources, .. } => {
                    let (sources, _) = sources.as_chunks::<4>();
                    for ssrc in sources {
                        let ssrc = u32::from_be_bytes(*ssrc);
                        self.about(src, dst, ssrc).said.byes += 1;
                        self.bye(src.addr, (dst.addr, ssrc), at);
                    }
                }
                _ => {}
            }
        }
    }

    /// What was said about a stream that has ended, and forgets it.
    pub fn take(&mut self, stream: &StreamKey) -> Option<StreamRtcp> {
        if self.table.is_empty() {
            return None;
        }
        let key = about(stream.src, stream.dst, stream.ssrc);
        self.table.remove(&key).map(Reports::said)
    }

    /// The goodbyes that the receiver of a stream was sent about it, and forgets them.
    pub fn take_byes(&mut self, stream: &StreamKey) -> Byes {
        if self.byes.is_empty() {
            return Byes::default();
        }
        self.byes.remove(&(stream.dst.addr, stream.ssrc)).unwrap_or_default()
    }

    fn bye(&mut self, from: Addr, told: (Addr, u32), at: FrameRef) {
        let cap = (self.cap / BYES_SHARE).max(1);
        if !self.byes.contains_key(&told) {
            while self.byes.len() >= cap || self.told.len() >= 2 * cap {
                let Some(oldest) = self.told.pop_front() else { break };
                self.evicted += u64::from(self.byes.remove(&oldest).is_some());
            }
            self.told.push_back(told);
        }
        let byes = self.byes.entry(told).or_default();
        let fits = |known: &Option<(Addr, FrameRef)>| known.is_none_or(|(by, _)| by == from);
        if let Some(place) = byes.from.iter_mut().find(|place| fits(place)) {
            place.get_or_insert((from, at));
        }
    }

    fn blocks(
        &mut self,
        src: Endpoint,
        dst: Endpoint,
        at: Ts,
        reports: impl Iterator<Item = ReportBlock>,
    ) {
        for report in reports {
            let of = self.about(src, dst, report.ssrc);
            of.answer(&report, at);
            let entry = &mut of.said;
            entry.report_blocks += 1;
            let lost = i64::from(report.cumulative_lost);
            entry.reported_lost = Some(entry.reported_lost.map_or(lost, |most| most.max(lost)));
            entry.reported_through = Some(report.highest_sequence);
            let jitter = report.jitter;
            entry.reported_jitter =
                Some(entry.reported_jitter.map_or(jitter, |most| most.max(jitter)));
        }
    }

    fn about(&mut self, src: Endpoint, dst: Endpoint, ssrc: u32) -> &mut Reports {
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
        let arrived = self.arrived;
        self.table.entry(key).or_insert_with(|| Reports { arrived, ..Reports::default() })
    }
}

impl Reports {
    /// Notes the round trip if this block answers the last sender report.
    fn answer(&mut self, report: &ReportBlock, at: Ts) {
        let Some((_, sent)) = self.sent.filter(|(ntp, _)| *ntp == report.last_sr && *ntp != 0)
        else {
            return;
        };
        let held = i64::from(report.delay_since_last_sr).saturating_mul(1_000_000_000) >> 16;
        let trip = at.since(sent).nanos().saturating_sub(held);
        if (0..=LONGEST_TRIP.nanos()).contains(&trip) {
            let (sum, trips) = self.trips;
            self.trips = (Span::from_nanos(sum.nanos().saturating_add(trip)), trips + 1);
        }
    }

    fn said(self) -> StreamRtcp {
        let (sum, trips) = self.trips;
        let mean = |sum: Span| (sum.secs_f64() * 1e6 / f64::from(trips)).round() / 1e3;
        StreamRtcp { round_trip_ms: (trips > 0).then(|| mean(sum)), ..self.said }
    }
}

/// The middle 32 bits of an NTP time, by which report blocks name a sender report.
fn middle(ntp: u64) -> u32 {
    u32::try_from(ntp >> 16 & u64::from(u32::MAX)).unwrap_or_default()
}

fn told(metrics: &VoipMetrics) -> ReportedQuality {
    let pct = |rate: u8| (f64::from(rate) / 256.0 * 1e4).round() / 100.0;
    let tenths = |score: u8| f64::from(score) / 10.0;
    ReportedQuality {
        loss_pct: pct(metrics.loss_rate),
        discarded_pct: pct(metrics.discard_rate),
        burst_density_pct: pct(metrics.burst_density),
        gap_density_pct: pct(metrics.gap_density),
        burst_ms: u64::from(metrics.burst_ms),
        gap_ms: u64::from(metrics.gap_ms),
        round_trip_ms: Some(u64::from(metrics.round_trip_ms)).filter(|trip| *trip > 0),
        r_factor: metrics.r_factor.map(u64::from),
        mos_lq: metrics.mos_lq.map(tenths),
        mos_cq: metrics.mos_cq.map(tenths),
    }
}

/// Whether the table still holds what arrived under this number.
fn is_live<S: BuildHasher>(table: &HashMap<About, Reports, S>, arrived: u64, key: &About) -> bool {
    table.get(key).is_some_and(|reports| reports.arrived == arrived)
}

fn about(src: Endpoint, dst: Endpoint, ssrc: u32) -> About {
    About { low: src.addr.min(dst.addr), high: src.addr.max(dst.addr), ssrc }
}
