//! Finished records: calls, registrations, streams, as the report prints them. Those of handshakes are
//! in [`super::handshake`].
//!
//! Each is plain and keyed. The field names are the report's (`docs/report.md`), which writes them in
//! the order in which they stand here. Texts are borrowed, from what is known of a live call or from
//! the compact form ([`super::packed`]): a record is made and read without copying them. Fields that are known only at the very end (a call's streams, its
//! findings, its exposure) are not here: they are joined in when the report is written.

#[cfg(test)]
use serde::Serialize;

use super::addr::Endpoint;
use super::frame::FrameId;
use super::id::{RecordId, RecordKey};
use super::packed::{Packed, Packer, Text, Unpacker, packed, packed_words};
use super::time::Ts;

/// A party of a call, as its From or To header names it. Text from the wire, made valid UTF-8 with
/// U+FFFD for what is not; outputs escape it again for their own format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Party<'a> {
    /// The URI as written, without angle brackets and header parameters.
    pub uri: Option<Text<'a>>,
    /// Its user part.
    pub user: Option<Text<'a>>,
    /// Its host part.
    pub host: Option<Text<'a>>,
    /// The display name, unquoted.
    pub display: Option<Text<'a>>,
}

packed! { Party<'a> { uri user host display } }

/// A value each for the calling and the called side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Sides<T> {
    /// The side that sent the initial INVITE.
    pub caller: T,
    /// The other side.
    pub callee: T,
}

impl<'a, T: Packed<'a>> Packed<'a> for Sides<T> {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        self.caller.pack(out);
        self.callee.pack(out);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self { caller: T::unpack(from)?, callee: T::unpack(from)? })
    }
}

/// How far a call came.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub enum CallState {
    /// A 2xx was seen.
    #[cfg_attr(test, serde(rename = "answered"))]
    Answered,
    /// A final response of 300 or above.
    #[cfg_attr(test, serde(rename = "failed"))]
    Failed,
    /// CANCEL, then 487 or nothing.
    #[cfg_attr(test, serde(rename = "cancelled"))]
    Cancelled,
    /// The last thing seen was a provisional response above 100.
    #[cfg_attr(test, serde(rename = "ringing"))]
    Ringing,
    /// The last thing seen was the INVITE or a 100.
    #[cfg_attr(test, serde(rename = "in-progress"))]
    InProgress,
    /// The INVITE itself was not seen.
    #[cfg_attr(test, serde(rename = "unknown"))]
    Unknown,
}

packed_words! { CallState { Answered Failed Cancelled Ringing InProgress Unknown } }

impl CallState {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Unknown => "unknown",
        }
    }
}

/// One of the two sides.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum Side {
    /// The side that sent the initial INVITE.
    Caller,
    /// The other side.
    Callee,
}

packed_words! { Side { Caller Callee } }

/// How media keys were agreed, over all of a call's offers and answers.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum Keying {
    /// No keying attribute.
    #[default]
    None,
    /// `a=crypto` (RFC 4568).
    Sdes,
    /// `a=fingerprint` (RFC 5763).
    Dtls,
    /// `a=zrtp-hash` (RFC 6189).
    Zrtp,
    /// `a=key-mgmt:mikey` (RFC 4567).
    Mikey,
    /// More than one of them.
    Mixed,
}

packed_words! { Keying { None Sdes Dtls Zrtp Mikey Mixed } }

/// What a call's SDP agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct CallMedia<'a> {
    /// Distinct profiles offered, in order of appearance: `RTP/AVP`.
    pub offered: Vec<Text<'a>>,
    /// Distinct profiles of accepted m-lines in answers.
    pub answered: Vec<Text<'a>>,
    /// The keying.
    pub keying: Keying,
    /// Distinct codec names of answers (of offers while there is no answer), first choice first.
    pub codecs: Vec<Text<'a>>,
    /// Times on hold within the established call.
    pub holds: Vec<Hold>,
    /// Media addresses that became others within the established call.
    pub moves: Vec<Moved>,
    /// What the descriptions use: `ice`, `fqdn` (a name in `c=`), `capability-negotiation` (RFC 5939),
    /// `t38`.
    pub features: Vec<Text<'a>>,
}

packed! { CallMedia<'a> { offered answered keying codecs holds moves features } }

/// A time on hold (RFC 3264 §8.4).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Hold {
    /// Who wants no media.
    pub by: Side,
    /// Frame of the offer that says so.
    pub frame: FrameId,
    /// Frame of the offer that takes it back; `None` if there was none.
    pub until: Option<FrameId>,
}

packed! { Hold { by frame until } }

/// A media address that became another (RFC 3264 §8.3.1).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Moved {
    /// Whose address.
    pub by: Side,
    /// Frame of the description with the new one.
    pub frame: FrameId,
}

packed! { Moved { by frame } }

/// A transfer asked for within a call (RFC 3515).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Transfer {
    /// The Refer-To URI.
    pub target: String,
    /// The status of the REFER's final response.
    pub accepted: Option<u16>,
    /// The last status line reported by a NOTIFY with `message/sipfrag`.
    pub outcome: Option<u16>,
    /// Frame of the REFER.
    pub frame: FrameId,
}

packed! { Transfer { target accepted outcome frame } }

/// One call: an initial INVITE (Call-ID, From tag) and what follows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct CallRecord<'a> {
    /// Derived from Call-ID, From tag and, for further forks, To tag.
    pub id: RecordId,
    /// The Call-ID as written.
    pub call_id: Text<'a>,
    /// Distinct transports: `UDP`, `TCP`.
    pub transport: Vec<Text<'a>>,
    /// From of the initial INVITE.
    pub caller: Party<'a>,
    /// To of the initial INVITE.
    pub callee: Party<'a>,
    /// P-Asserted-Identity values of the initial INVITE.
    pub asserted: Vec<Text<'a>>,
    /// Request-URI of the initial INVITE.
    pub request_uri: Option<Text<'a>>,
    /// User-Agent or Server of each side.
    pub user_agents: Sides<Option<Text<'a>>>,
    /// How far it came.
    pub state: CallState,
    /// The final response that decided it; `None` while there is none.
    pub final_status: Option<u16>,
    /// Who sent BYE (or CANCEL).
    pub ended_by: Option<Side>,
    /// Time of the initial INVITE.
    pub start: Ts,
    /// Time of the first 2xx.
    pub answer: Option<Ts>,
    /// Time of the BYE, of the CANCEL's or the failing final response.
    pub end: Option<Ts>,
    /// Initial INVITE to first 18x or final response, milliseconds (post-dial delay).
    pub setup_ms: Option<f64>,
    /// First 180 to the final response, milliseconds.
    pub ring_ms: Option<f64>,
    /// Answer to end, seconds.
    pub talk_s: Option<f64>,
    /// SIP messages of this call, retransmissions and other hops included; copies sent in HEP only
    /// if nothing else of it was seen.
    pub messages: u64,
    /// Source of the first frame.
    pub first_source: u16,
    /// First frame.
    pub first_frame: u64,
    /// Source of the last frame.
    pub last_source: u16,
    /// Last frame.
    pub last_frame: u64,
    /// `wire`, `hep` or `both`.
    pub via: Text<'a>,
    /// Where each side's signalling was seen: source and destination of the initial INVITE.
    pub endpoints: Sides<Option<Endpoint>>,
    /// The trunk; `None` until trunks are known.
    pub trunk: Option<Text<'a>>,
    /// Offers and answers.
    pub media: CallMedia<'a>,
    /// REFERs within the call.
    pub transfers: Vec<Transfer>,
    /// Digest challenges (401, 407) answered within the call.
    pub challenges: u32,
    /// Readable signalling: at least one message of the call travelled without encryption.
    pub signalling_clear: bool,
    /// An SRTP key of this call was readable in signalling.
    pub key_exposed: bool,
}

packed! {
    CallRecord<'a> {
        id call_id transport caller callee asserted request_uri user_agents state final_status
        ended_by start answer end setup_ms ring_ms talk_s messages first_source first_frame
        last_source last_frame via endpoints trunk media transfers challenges signalling_clear
        key_exposed
    }
}

impl CallRecord<'_> {
    /// Its place in the report.
    pub fn key(&self) -> RecordKey {
        RecordKey {
            first: FrameId { source: self.first_source, number: self.first_frame },
            id: self.id,
        }
    }
}

/// How a registration ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum RegistrationState {
    /// The last final response was 2xx.
    Ok,
    /// The last final response was a refusal other than a challenge.
    Failed,
    /// The last final response was 401 or 407.
    Challenged,
    /// The last accepted REGISTER removed the binding.
    Expired,
    /// No response was seen.
    Unknown,
}

packed_words! { RegistrationState { Ok Failed Challenged Expired Unknown } }

/// REGISTER requests of one address of record from one source (Call-ID), with their outcome.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct RegistrationRecord<'a> {
    /// Derived from address of record, Call-ID and source.
    pub id: RecordId,
    /// To URI.
    pub aor: Text<'a>,
    /// First Contact.
    pub contact: Option<Text<'a>>,
    /// Who sent the first REGISTER.
    pub source: Endpoint,
    /// Where to.
    pub registrar: Endpoint,
    /// How it ended.
    pub state: RegistrationState,
    /// REGISTER requests, retransmissions excluded.
    pub attempts: u64,
    /// Seconds granted by the last 2xx, else asked for.
    pub expires_s: Option<u64>,
    /// User-Agent of the first REGISTER.
    pub user_agent: Option<Text<'a>>,
    /// Call-ID of the REGISTER.
    pub call_id: Text<'a>,
    /// Source of the first frame.
    pub first_source: u16,
    /// First frame.
    pub first_frame: u64,
    /// Last frame.
    pub last_frame: u64,
}

packed! {
    RegistrationRecord<'a> {
        id aor contact source registrar state attempts expires_s user_agent call_id first_source
        first_frame last_frame
    }
}

impl RegistrationRecord<'_> {
    /// Its place in the report.
    pub fn key(&self) -> RecordKey {
        RecordKey {
            first: FrameId { source: self.first_source, number: self.first_frame },
            id: self.id,
        }
    }
}

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
    /// One-way delay that was assumed, ms: a tap does not see it.
    pub assumed_delay_ms: f64,
    /// A wideband codec, put on the narrowband scale.
    pub approximate: bool,
}

packed! {
    StreamQuality {
        r_factor mos_unbuffered mos_buffered discarded_pct burst_ratio bursts burst_density_pct
        gap_density_pct burst_ms gap_ms assumed_delay_ms approximate
    }
}

/// Why a stream's protection is what it is.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct VerdictRecord<'a> {
    /// The deciding test: `T1` to `T9` of the catalogue, or `none`.
    pub test: Text<'a>,
    /// `certain`, `high`, `medium`, `low`.
    pub confidence: super::finding::Confidence,
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
}

packed! {
    StreamRecord<'a> {
        id call src dst ssrc payload_types packets payload_bytes wire_bytes first last duration_s
        first_source first_frame last_frame last_source expected lost loss_pct duplicates
        reordered jitter_ms mos dscp ttl gaps protection verdict negotiated digits rtcp quality
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

/// `tls` or `dtls`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum HandshakeKind {
    /// Over TCP.
    Tls,
    /// Over UDP.
    Dtls,
}

packed_words! { HandshakeKind { Tls Dtls } }

impl HandshakeKind {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Dtls => "dtls",
        }
    }
}
