//! `QOS-SRTP-COST`: what encryption costs two hosts, in octets, in jitter and in time to set up.

use hashbrown::HashMap;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, HandshakeSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use super::compare::Sample;
use super::{headers, hundredths, is_audio, spoken};
use crate::model::evidence::FrameRef;
use crate::model::finding::Figure;
use crate::model::handshake::Outcome;
use crate::model::record::Protection;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// Pairs of hosts with encrypted audio: octets of each packet, bandwidth and the median of
    /// jitter, beside those of the streams in clear between the same two, if there are any; with
    /// thirty streams of each kind also whether their jitter differs (Mann-Whitney, 1 %). And how
    /// long the TLS and DTLS handshakes between the two took.
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
    wants: [STREAM, HANDSHAKE],
    references: ["RFC 3711 §3.1", "RFC 7714 §8"],
    remediation: "No action: these are the measured costs of encryption on this path.",
    question: Some("QOS"),
    thresholds: ["dscp_min_packets", "cost_min_streams"],
    since: "0.1.0",
}

/// Standard deviations that chance exceeds once in a hundred times, to either side.
const UNLIKELY: f64 = 2.576;

/// What streams of one kind had between one pair.
#[derive(Clone, Debug, Default)]
struct Sum {
    streams: u64,
    packets: u64,
    octets: u64,
    /// Octets of the IP packets.
    wire: u64,
    milliseconds: u64,
    /// Mean jitter of each stream, hundredths of a millisecond.
    jitter: Sample,
}

/// One pair of hosts.
#[derive(Clone, Debug, Default)]
struct Pair {
    first: Option<FrameRef>,
    clear: Sum,
    encrypted: Sum,
    /// How long handshakes took, hundredths of a millisecond.
    handshakes: Sample,
}

/// The rule at work.
pub(crate) struct SrtpCost {
    pairs: HashMap<Subject, Pair, foldhash::fast::FixedState>,
    cap: usize,
    least: u64,
    ranked: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> SrtpCost {
    SrtpCost {
        pairs: HashMap::default(),
        cap: policy.limits.peers,
        least: policy.thresholds.dscp_min_packets,
        ranked: usize::try_from(policy.thresholds.media.cost_min_streams).unwrap_or(usize::MAX),
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
        let packets = record.packets.saturating_mul(headers(record));
        self.wire = self.wire.saturating_add(record.payload_bytes.saturating_add(packets));
        self.milliseconds =
            self.milliseconds.saturating_add(u64::try_from(nanos / 1_000_000).unwrap_or(0));
        if let Some(jitter) = record.jitter_ms {
            self.jitter.add(hundredths(jitter.mean));
        }
    }

    /// Octets behind the RTP header of each packet, hundredths.
    fn octets_a_packet(&self) -> u64 {
        self.octets.saturating_mul(100).checked_div(self.packets).unwrap_or(0)
    }

    /// Bits of IP packets in each second of each stream, in kbit/s, hundredths: between the first and
    /// the last packet of a stream is time for all but one.
    fn bandwidth(&self) -> u64 {
        let timed = u128::from(self.packets.saturating_sub(self.streams)) * u128::from(self.wire);
        let over = u128::from(self.packets) * u128::from(self.milliseconds);
        let kbit_s = timed.saturating_mul(800).checked_div(over).unwrap_or(0);
        u64::try_from(kbit_s).unwrap_or(u64::MAX)
    }

    /// Median of the streams' mean jitter, hundredths of a millisecond.
    fn median_jitter(&self) -> u64 {
        self.jitter.median().unwrap_or(0)
    }
}

impl SrtpCost {
    /// The pair's place, if there is room.
    fn pair(&mut self, subject: Subject) -> Option<&mut Pair> {
        if self.pairs.len() >= self.cap && !self.pairs.contains_key(&subject) {
            self.evicted += 1;
            return None;
        }
        Some(self.pairs.entry(subject).or_default())
    }

    /// Whether jitter differs, as far as ranks can tell: standard deviations by which that of the
    /// encrypted streams is higher. `None` for too few streams.
    fn higher(&self, pair: &Pair) -> Option<f64> {
        let (srtp, rtp) = (&pair.encrypted.jitter, &pair.clear.jitter);
        let enough = srtp.len() >= self.ranked && rtp.len() >= self.ranked;
        srtp.above(rtp).filter(|_| enough)
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
        if seen.lookalike || record.packets < self.least || !is_audio(seen) {
            return;
        }
        let Some(pair) = self.pair(seen.pair) else { return };
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

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, _: &mut Sink) {
        // A handshake that failed took the time that a timer has.
        let took = seen.record.setup_ms.filter(|_| seen.record.outcome == Outcome::Completed);
        if let Some((took, pair)) = took.zip(self.pair(seen.pair)) {
            pair.handshakes.add(hundredths(took));
        }
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        let pairs = self.pairs.iter();
        let mut found: Vec<_> = pairs.filter_map(|(s, pair)| Some((pair.first?, *s))).collect();
        found.sort_by_key(|(first, subject)| (first.time, first.frame, subject.hash64()));
        for (first, subject) in found {
            let Some(pair) = self.pairs.get(&subject) else { continue };
            let sum = &pair.encrypted;
            sink.sighting(Sighting::new(&META, subject, first), |_| {
                (
                    sentence!(
                        "the first of {}: {} octets a packet, {} kbit/s of IP, jitter {} ms",
                        plural(sum.streams, "encrypted stream"),
                        spoken(sum.octets_a_packet()),
                        spoken(sum.bandwidth()),
                        spoken(sum.median_jitter()),
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
                spoken(rtp.median_jitter()),
            )
        };
        let higher = self.higher(pair);
        let differs = match higher {
            Some(z) if z > UNLIKELY => "; the jitter of encrypted streams is higher",
            Some(z) if z < -UNLIKELY => "; the jitter of encrypted streams is lower",
            Some(_) => "; their jitter does not differ",
            None => "",
        };
        let took = pair.handshakes.median();
        let handshakes = took.map_or(String::new(), |took| {
            let count = u64::try_from(pair.handshakes.len()).unwrap_or(0);
            sentence!(" {} took {} ms.", plural(count, "handshake"), spoken(took))
        });
        Words {
            summary: sentence!(
                "{} between {}: {} octets a packet, {} kbit/s, jitter {} ms. {beside}{differs}.\
                 {handshakes}",
                plural(srtp.streams, "encrypted stream"),
                entry.subject.spoken(),
                spoken(srtp.octets_a_packet()),
                spoken(srtp.bandwidth()),
                spoken(srtp.median_jitter()),
            ),
            parameters: vec![
                ("srtp_streams", Figure::Count(srtp.streams)),
                ("srtp_hundredths_octets_a_packet", Figure::Count(srtp.octets_a_packet())),
                ("srtp_hundredths_kbit_s", Figure::Count(srtp.bandwidth())),
                ("srtp_hundredths_jitter_ms", Figure::Count(srtp.median_jitter())),
                ("rtp_streams", Figure::Count(rtp.streams)),
                ("rtp_hundredths_octets_a_packet", Figure::Count(rtp.octets_a_packet())),
                ("rtp_hundredths_kbit_s", Figure::Count(rtp.bandwidth())),
                ("rtp_hundredths_jitter_ms", Figure::Count(rtp.median_jitter())),
                ("jitter_deviations_above", Figure::Number(higher.map_or(0.0, rounded))),
                ("jitter_compared", Figure::Flag(higher.is_some())),
                ("handshakes", Figure::Count(u64::try_from(pair.handshakes.len()).unwrap_or(0))),
                ("handshake_hundredths_ms", Figure::Count(took.unwrap_or(0))),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("cost_pairs", self.evicted)
    }
}

/// Two decimals.
fn rounded(deviations: f64) -> f64 {
    (deviations * 100.0).round() / 100.0
}
