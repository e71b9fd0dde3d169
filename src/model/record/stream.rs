//! What the report says of an RTP stream.

#[cfg(test)]
use serde::Serialize;

use crate::model::addr::Endpoint;
use crate::model::finding::Confidence;
use crate::model::frame::FrameId;
use crate::model::id::{RecordId, RecordKey};
use crate::model::packed::{Text, packed, packed_words};
use crate::model::time::Ts;

/// What an eavesdropper gains from a stream, in the words of the contract.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(Serialize))]
pub enum Protection {
    /// Nothing proves either way.
    #[default]
    #[cfg_attr(test, serde(rename = "unknown"))]
    Unknown,
    /// The payload is what the codec produced: anyone on the path can play it.
    #[cfg_attr(test, serde(rename = "cleartext"))]
    Cleartext,
    /// Authenticated but not encrypted (NULL cipher).
    #[cfg_attr(test, serde(rename = "authenticated-only"))]
    AuthenticatedOnly,
    /// Looks encrypted; not proof of SRTP or of a good key.
    #[cfg_attr(test, serde(rename = "encrypted-like"))]
    EncryptedLike,
    /// Authentication tags verified with a known key.
    #[cfg_attr(test, serde(rename = "srtp-proven"))]
    SrtpProven,
}

packed_words! { Protection { Unknown Cleartext AuthenticatedOnly EncryptedLike SrtpProven } }

impl Protection {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Cleartext => "cleartext",
            Self::AuthenticatedOnly => "authenticated-only",
            Self::EncryptedLike => "encrypted-like",
            Self::SrtpProven => "srtp-proven",
        }
    }
}

/// A payload type seen in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct PayloadType<'a> {
    /// The number, 0 to 127.
    pub pt: u8,
    /// Encoding name from SDP, else from RFC 3551 §6.
    pub codec: Option<Text<'a>>,
    /// Hz.
    pub clock_rate: Option<u32>,
    /// Packets that carried it.
    pub packets: u64,
}

packed! { PayloadType<'a> { pt codec clock_rate packets } }

/// Interarrival jitter (RFC 3550 §6.4.1), milliseconds.
#[derive(Copy, Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Jitter {
    /// Mean of the running estimate over all packets.
    pub mean: f64,
    /// Largest value of the running estimate.
    pub max: f64,
    /// What 95 of 100 packets kept to, from each to the next (|D|), rounded up to a step; `None` for
    /// up to 10 ms.
    pub p95: Option<f64>,
}

packed! { Jitter { mean max p95 } }

/// The RTCP that was seen for a stream.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct StreamRtcp {
    /// Sender reports about this SSRC.
    pub sender_reports: u64,
    /// Report blocks about this SSRC, by whoever received it.
    pub report_blocks: u64,
    /// Largest cumulative loss that a receiver reported.
    pub reported_lost: Option<i64>,
    /// Largest interarrival jitter that a receiver reported, timestamp units.
    pub reported_jitter: Option<u32>,
    /// Extended highest sequence number in the latest report block.
    pub reported_through: Option<u32>,
    /// BYE packets naming this SSRC.
    pub byes: u64,
    /// Mean time from the tap to the receiver and back, ms: from the tap's sight of a sender report
    /// to that of the report block that answers it, less the delay which the receiver says.
    pub round_trip_ms: Option<f64>,
    /// The last `VoIP` metrics that the receiver sent (RFC 3611 §4.7).
    pub extended: Option<ReportedQuality>,
}

packed! {
    StreamRtcp {
        sender_reports report_blocks reported_lost reported_jitter reported_through byes
        round_trip_ms extended
    }
}

/// SRTCP that was seen for a stream, as far as its addresses and the SSRC of its sender tell.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct StreamSrtcp {
    /// The sender of the stream sent some.
    pub by_sender: bool,
    /// The receiver did.
    pub by_receiver: bool,
}

packed! { StreamSrtcp { by_sender by_receiver } }

/// What a receiver says of how it hears a stream (RFC 3611 §4.7).
#[derive(Copy, Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct ReportedQuality {
    /// Share lost, percent.
    pub loss_pct: f64,
    /// Share discarded, percent.
    pub discarded_pct: f64,
    /// Share lost or discarded within bursts, percent.
    pub burst_density_pct: f64,
    /// The same between bursts.
    pub gap_density_pct: f64,
    /// Mean length of a burst, ms.
    pub burst_ms: u64,
    /// Mean length of a gap, ms.
    pub gap_ms: u64,
    /// Round trip that the receiver measured, ms.
    pub round_trip_ms: Option<u64>,
    /// R.
    pub r_factor: Option<u64>,
    /// MOS of listening.
    pub mos_lq: Option<f64>,
    /// MOS of conversation.
    pub mos_cq: Option<f64>,
}

packed! {
    ReportedQuality {
        loss_pct discarded_pct burst_density_pct gap_density_pct burst_ms gap_ms round_trip_ms
        r_factor mos_lq mos_cq
    }
}

/// How a stream sounds by the E-model (ITU-T G.107), and how its loss clustered (RFC 3611 §4.7.2).
#[derive(Copy, Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct StreamQuality {
    /// R, with the assumed delay and play-out buffer.
    pub r_factor: f64,
    /// MOS from loss alone.
    pub mos_unbuffered: f64,
    /// MOS with a play-out buffer: what came too late for it counts as lost.
    pub mos_buffered: f64,
    /// Share of packets that came too late, percent; `None` if arrival was not looked at.
    pub discarded_pct: Option<f64>,
    /// Mean length of runs of loss, against that of random loss.
    pub burst_ratio: f64,
    /// Bursts.
    pub bursts: u64,
    /// Share lost within bursts, percent.
    pub burst_density_pct: f64,
    /// Share lost between bursts, percent.
    pub gap_density_pct: f64,
    /// Mean length of a burst, ms.
    pub burst_ms: Option<f64>,
    /// Mean length of a gap, ms.
    pub gap_ms: Option<f64>,
    /// One-way delay that the scores go by, ms, play-out included: a tap does not see it, so it is assumed
    /// unless RTCP tells a round trip.
    pub assumed_delay_ms: f64,
    /// A wideband codec, put on the narrowband scale.
    pub approximate: bool,
    /// RTCP told how long the network takes.
    pub delay_told: bool,
}

packed! {
    StreamQuality {
        r_factor mos_unbuffered mos_buffered discarded_pct burst_ratio bursts burst_density_pct
        gap_density_pct burst_ms gap_ms assumed_delay_ms approximate
        delay_told
    }
}

/// Why a stream's protection is what it is.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct VerdictRecord<'a> {
    /// The deciding test: `T1` to `T9` of the catalogue, or `none`.
    pub test: Text<'a>,
    /// `certain`, `high`, `medium`, `low`.
    pub confidence: Confidence,
    /// The figures, in the order of their names.
    #[cfg_attr(test, serde(serialize_with = "by_name"))]
    pub figures: Vec<(Text<'a>, f64)>,
}

packed! { VerdictRecord<'a> { test confidence figures } }

/// One RTP stream: one direction, one SSRC.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct StreamRecord<'a> {
    /// Derived from addresses, ports, SSRC and the first packet's sequence number and timestamp.
    pub id: RecordId,
    /// The call it belongs to.
    pub call: Option<RecordId>,
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// Synchronisation source, `0x` and eight digits.
    #[cfg_attr(test, serde(serialize_with = "ssrc_text"))]
    pub ssrc: u32,
    /// Payload types in order of appearance.
    pub payload_types: Vec<PayloadType<'a>>,
    /// Packets, duplicates included.
    pub packets: u64,
    /// Octets after RTP header, CSRC list and extension.
    pub payload_bytes: u64,
    /// Octets of the frames on the wire.
    pub wire_bytes: u64,
    /// Time of the first packet.
    pub first: Ts,
    /// Time of the last packet.
    pub last: Ts,
    /// From first to last.
    pub duration_s: f64,
    /// Source of the first frame.
    pub first_source: u16,
    /// First frame.
    pub first_frame: u64,
    /// Last frame, in `last_source`.
    pub last_frame: u64,
    /// Source of the last frame.
    pub last_source: u16,
    /// Sequence numbers between the first and the last.
    pub expected: u64,
    /// Those never seen.
    pub lost: u64,
    /// `lost` of `expected`, percent.
    pub loss_pct: f64,
    /// Packets whose sequence number had been seen.
    pub duplicates: u64,
    /// Packets that arrived after a later one.
    pub reordered: u64,
    /// Jitter; `None` while the clock rate is unknown or there are fewer than two packets.
    pub jitter_ms: Option<Jitter>,
    /// Mean opinion score, 1 to 4.5, with a play-out buffer; `None` for video and unknown codecs.
    pub mos: Option<f64>,
    /// DSCP of the first packet.
    pub dscp: Option<u8>,
    /// TTL or hop limit of the first packet.
    pub ttl: Option<u8>,
    /// Runs of lost packets.
    pub gaps: u64,
    /// The verdict.
    pub protection: Protection,
    /// Why.
    pub verdict: VerdictRecord<'a>,
    /// The profile that SDP agreed on.
    pub negotiated: Option<Text<'a>>,
    /// DTMF digits carried; a later version fills it.
    pub digits: Option<u64>,
    /// RTCP seen for it.
    pub rtcp: Option<StreamRtcp>,
    /// How it sounds; `None` where `mos` is.
    pub quality: Option<StreamQuality>,
    /// SRTCP seen for it.
    pub srtcp: Option<StreamSrtcp>,
    /// Of `lost`, what is missing in holes of two seconds and more that lie in times when signalling lets the
    /// call's audio pause: on hold, or while it runs T.38. The sender counted on; `quality` leaves it out.
    pub lost_in_pauses: u64,
}

packed! {
    StreamRecord<'a> keyed {
        call src dst ssrc payload_types packets payload_bytes wire_bytes first last duration_s
        last_frame last_source expected lost loss_pct duplicates
        reordered jitter_ms mos dscp ttl gaps protection verdict negotiated digits rtcp quality
        srtcp lost_in_pauses
    }
}

impl StreamRecord<'_> {
    /// Its place in the report.
    pub fn key(&self) -> RecordKey {
        RecordKey {
            first: FrameId { source: self.first_source, number: self.first_frame },
            id: self.id,
        }
    }

    /// Packets that are not as most of the stream is, by their lengths: it turned. Pairs, to be exact,
    /// of which there are no more.
    pub fn contrary(&self) -> u64 {
        let figure = self.verdict.figures.iter().find(|(name, _)| &**name == "contrary");
        figure.map_or(0, |(_, packets)| whole(*packets))
    }

    /// Whether the stream looks encrypted, and was in clear for a part of the time.
    pub fn is_partly_clear(&self) -> bool {
        matches!(self.protection, Protection::EncryptedLike | Protection::SrtpProven)
            && (PART..self.packets).contains(&self.clear_packets())
    }

    /// Packets in clear: all of a stream in clear, or those parts of it that its lengths show.
    pub fn clear_packets(&self) -> u64 {
        match self.protection {
            Protection::Cleartext if self.verdict.confidence >= Confidence::High => {
                self.packets.saturating_sub(self.contrary())
            }
            Protection::EncryptedLike | Protection::SrtpProven => self.contrary(),
            _ => 0,
        }
    }
}

/// Packets in clear of an encrypted stream that are a part of it: as many as make a stream in clear.
const PART: u64 = 20;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
const fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

#[cfg(test)]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn ssrc_text<S: serde::Serializer>(ssrc: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("0x{ssrc:08x}"))
}

#[cfg(test)]
fn by_name<S: serde::Serializer>(
    figures: &[(Text<'_>, f64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(figures.iter().map(|(name, figure)| (name, figure)))
}
