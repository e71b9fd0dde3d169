//! `QOS-SRTP-COST`: what encrypting media costs, in octets and in jitter.

use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::{hundredths, pair, spoken};
use crate::model::evidence::FrameRef;
use crate::model::finding::Figure;
use crate::model::record::Protection;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Pairs of hosts with encrypted audio: octets of each packet, bandwidth and jitter, beside
    /// those of the streams in clear between the same two, if there are any.
    ///
    /// ## Why it matters
    /// "Encryption costs quality" is the usual reason to go without. Here are the numbers: a tag of
    /// 10 octets is 5 % of a G.711 stream, and no delay that a tap can measure.
    ///
    /// ## Evidence
    /// The first encrypted stream, with its figures.
    ///
    /// ## False positives
    /// Different codecs or packet times on the two kinds of streams: compare like with like.
    ///
    /// ## Fix
    /// Nothing to fix. If the octets hurt, use longer packets before going without encryption.
    id: "QOS-SRTP-COST",
    name: "qos-srtp-cost",
    title: "What encryption costs on this path",
    severity: Info ..= Info,
    status: Stable,
    wants: [STREAM],
    references: ["RFC 3711 §3.1", "RFC 7714 §8"],
    remediation: "No action: these are the measured costs of encryption on this path.",
    question: Some("QOS"),
    thresholds: ["dscp_min_packets"],
    since: "0.1.0",
}

/// Octets of the headers of RTP (RFC 3550 §5.1) and UDP.
const RTP_UDP: u64 = 12 + 8;

/// What streams of one kind had between one pair.
#[derive(Copy, Clone, Debug, Default)]
struct Sum {
    streams: u64,
    packets: u64,
    octets: u64,
    /// Octets of the IP packets.
    wire: u64,
    milliseconds: u64,
    /// Mean jitter of each stream, hundredths of a millisecond, summed.
    jitter: u64,
}

/// One pair of hosts.
#[derive(Copy, Clone, Debug)]
struct Pair {
    first: Option<FrameRef>,
    clear: Sum,
    encrypted: Sum,
}

/// The rule at work.
pub(crate) struct SrtpCost {
    pairs: HashMap<Subject, Pair, foldhash::fast::FixedState>,
    cap: usize,
    least: u64,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> SrtpCost {
    SrtpCost {
        pairs: HashMap::default(),
        cap: policy.limits.peers,
        least: policy.thresholds.dscp_min_packets,
        evicted: 0,
    }
}

impl Sum {
    fn add(&mut self, seen: &StreamSeen<'_>) {
        let record = seen.record;
        let nanos = record.last.since(record.first).nanos();
        self.streams += 1;
        self.packets = self.packets.saturating_add(record.packets);
        self.octets = self.octets.saturating_add(record.payload_bytes);
        let headers = RTP_UDP + if record.src.addr.as_v4().is_some() { 20 } else { 40 };
        let packets = record.packets.saturating_mul(headers);
        self.wire = self.wire.saturating_add(record.payload_bytes.saturating_add(packets));
        self.milliseconds =
            self.milliseconds.saturating_add(u64::try_from(nanos / 1_000_000).unwrap_or(0));
        self.jitter += hundredths(record.jitter_ms.map_or(0.0, |jitter| jitter.mean));
    }

    /// Octets behind the RTP header of each packet, hundredths.
    fn octets_a_packet(&self) -> u64 {
        self.octets.saturating_mul(100).checked_div(self.packets).unwrap_or(0)
    }

    /// Bits of IP packets in each second of each stream, in kbit/s, hundredths.
    fn bandwidth(&self) -> u64 {
        self.wire.saturating_mul(800).checked_div(self.milliseconds).unwrap_or(0)
    }

    fn mean_jitter(&self) -> u64 {
        self.jitter.checked_div(self.streams).unwrap_or(0)
    }
}

impl Detector for SrtpCost {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, _: &mut Sink) {
        let record = seen.record;
        let encrypted = match record.protection {
            Protection::Cleartext => false,
            Protection::EncryptedLike | Protection::SrtpProven => true,
            Protection::Unknown | Protection::AuthenticatedOnly => return,
        };
        // Only audio has a quality, and only like can be compared with like.
        if seen.lookalike || record.packets < self.least || record.quality.is_none() {
            return;
        }
        let subject = pair(seen);
        if self.pairs.len() >= self.cap && !self.pairs.contains_key(&subject) {
            self.evicted += 1;
            return;
        }
        let empty = Pair { first: None, clear: Sum::default(), encrypted: Sum::default() };
        let pair = self.pairs.entry(subject).or_insert(empty);
        if encrypted {
            let first = pair.first.map_or(seen.first(), |first| {
                std::cmp::min_by_key(first, seen.first(), |at| (at.time, at.frame))
            });
            pair.first = Some(first);
            pair.encrypted.add(seen);
        } else {
            pair.clear.add(seen);
        }
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        let pairs = self.pairs.iter();
        let mut found: Vec<_> = pairs.filter_map(|(s, pair)| Some((pair.first?, *s))).collect();
        found.sort_by_key(|(first, subject)| (first.time, first.frame, subject.hash64()));
        for (first, subject) in found {
            let Some(pair) = self.pairs.get(&subject) else { continue };
            let sum = pair.encrypted;
            sink.sighting(Sighting::new(&META, subject, first), |_| {
                (
                    sentence!(
                        "the first of {}: {} octets a packet, {} kbit/s of IP, jitter {} ms",
                        plural(sum.streams, "encrypted stream"),
                        spoken(sum.octets_a_packet()),
                        spoken(sum.bandwidth()),
                        spoken(sum.mean_jitter()),
                    ),
                    None,
                )
            });
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let Some(pair) = self.pairs.get(&entry.subject) else { return Words::default() };
        let (srtp, rtp) = (&pair.encrypted, &pair.clear);
        let beside = if rtp.streams == 0 {
            "No stream in clear between them to compare with".to_owned()
        } else {
            sentence!(
                "In clear: {} octets, {} kbit/s, {} ms",
                spoken(rtp.octets_a_packet()),
                spoken(rtp.bandwidth()),
                spoken(rtp.mean_jitter()),
            )
        };
        Words {
            summary: sentence!(
                "{} between {}: {} octets a packet, {} kbit/s, jitter {} ms. {beside}.",
                plural(srtp.streams, "encrypted stream"),
                entry.subject.spoken(),
                spoken(srtp.octets_a_packet()),
                spoken(srtp.bandwidth()),
                spoken(srtp.mean_jitter()),
            ),
            parameters: vec![
                ("srtp_streams", Figure::Count(srtp.streams)),
                ("srtp_hundredths_octets_a_packet", Figure::Count(srtp.octets_a_packet())),
                ("srtp_hundredths_kbit_s", Figure::Count(srtp.bandwidth())),
                ("srtp_hundredths_jitter_ms", Figure::Count(srtp.mean_jitter())),
                ("rtp_streams", Figure::Count(rtp.streams)),
                ("rtp_hundredths_octets_a_packet", Figure::Count(rtp.octets_a_packet())),
                ("rtp_hundredths_kbit_s", Figure::Count(rtp.bandwidth())),
                ("rtp_hundredths_jitter_ms", Figure::Count(rtp.mean_jitter())),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("cost_pairs", self.evicted)
    }
}
