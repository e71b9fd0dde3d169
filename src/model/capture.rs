//! What is known about the capture itself: its sources, and where every frame went.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::time::{Span, Ts};

/// One input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceRecord {
    /// The path as given; `-` for stdin.
    pub path: String,
    /// `pcap` or `pcapng`.
    pub format: String,
    /// `file`, `stdin` or `live`.
    pub via: String,
    /// `none` until compressed input is read.
    pub compression: String,
    /// SHA-256 of the whole input, hexadecimal; only with `--hash`.
    pub sha256: Option<String>,
    /// Octets of the input.
    pub bytes: u64,
    /// How far its clock is ahead of that of the first source that it shares packets with, directly
    /// or by way of others: an estimate, in milliseconds in the report. `None`: it shares packets
    /// with none, too few to tell, or cannot be read twice.
    #[serde(rename = "clock_offset_ms", serialize_with = "millis")]
    pub clock_offset: Option<Span>,
    /// Frames.
    pub packets: u64,
    /// Link types in order of first use, by name, or their number.
    pub link_types: Vec<String>,
    /// Earliest capture time.
    pub first_packet: Option<Ts>,
    /// Latest capture time.
    pub last_packet: Option<Ts>,
    /// Whether the input ended before it should have.
    pub truncated: bool,
    /// What stopped the reader, in a sentence.
    pub fault: Option<String>,
    /// Frames of which the snap length cut something off.
    pub clipped_packets: u64,
    /// Oddities of the file that did not stop the reader, by name.
    pub oddities: BTreeMap<String, u64>,
}

/// Where every frame went. The sum of both maps is the number of frames.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Accounting {
    /// Frames by the protocol of their flow.
    pub handled: BTreeMap<&'static str, u64>,
    /// Frames not looked into further, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
}

impl Accounting {
    /// Frames accounted for.
    pub fn total(&self) -> u64 {
        self.handled.values().chain(self.skipped.values()).sum()
    }
}

/// What reassembly did.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reassembly {
    /// IP fragments seen.
    pub ip_fragments: u64,
    /// Datagrams put together from them.
    pub ip_datagrams: u64,
    /// TCP connections followed.
    pub tcp_streams: u64,
    /// Holes in them.
    pub tcp_gaps: u64,
    /// Overlapping segments whose octets differed.
    pub tcp_overlaps: u64,
}

/// The capture as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CaptureRecord {
    /// The inputs, in the order given.
    pub sources: Vec<SourceRecord>,
    /// Frames in all.
    pub packets: u64,
    /// Octets of those frames as captured.
    pub bytes: u64,
    /// Earliest capture time.
    pub first_packet: Option<Ts>,
    /// Latest capture time.
    pub last_packet: Option<Ts>,
    /// From one to the other.
    pub duration_s: Option<f64>,
    /// Where every frame went.
    pub accounting: Accounting,
    /// What reassembly did.
    pub reassembly: Reassembly,
    /// Entries evicted, by table.
    pub evicted: BTreeMap<&'static str, u64>,
    /// Frames that were lost before we saw them, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

/// What one address sends beyond the registries: names with how often they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PeerRecord {
    /// The address, without a port.
    pub address: String,
    /// Requests by method (RFC 3261 §7.1).
    pub unknown_methods: BTreeMap<String, u64>,
    /// Header lines by name (RFC 3261 §7.3).
    pub unknown_headers: BTreeMap<String, u64>,
    /// Body parts by media type (RFC 3261 §7.4.1), plain session descriptions left out.
    pub bodies: BTreeMap<String, u64>,
}

/// Findings by severity.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SeverityCounts {
    /// Critical.
    pub critical: u64,
    /// High.
    pub high: u64,
    /// Medium.
    pub medium: u64,
    /// Low.
    pub low: u64,
    /// Info.
    pub info: u64,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// SIP messages seen on the wire (copies inside HEP excepted).
    pub sip_messages: u64,
    /// Requests by method; a method outside RFC 3261 and its extensions counts as `OTHER`.
    pub sip_requests: BTreeMap<String, u64>,
    /// Responses by status code.
    pub sip_responses: BTreeMap<String, u64>,
    /// Of these, opened by decryption: what an eavesdropper without the keys cannot read.
    pub sip_decrypted: u64,
    /// Messages with at least one anomaly that breaks a MUST.
    pub sip_malformed: u64,
    /// Requests and responses that repeat one of the same transaction.
    pub sip_retransmissions: u64,
    /// SIP messages inside HEP.
    pub hep_messages: u64,
    /// Calls.
    pub calls: u64,
    /// Registrations.
    pub registrations: u64,
    /// RTP streams.
    pub rtp_streams: u64,
    /// Their packets.
    pub rtp_packets: u64,
    /// RTP streams whose verdict is `encrypted-like` or `srtp-proven`.
    pub srtp_streams: u64,
    /// RTCP packets (datagrams).
    pub rtcp_packets: u64,
    /// SRTCP packets (datagrams).
    pub srtcp_packets: u64,
    /// STUN messages.
    pub stun_messages: u64,
    /// TLS handshakes begun.
    pub tls_handshakes: u64,
    /// DTLS handshakes begun.
    pub dtls_handshakes: u64,
    /// ZRTP packets.
    pub zrtp_packets: u64,
    /// T.38 packets; a later version counts them.
    pub t38_packets: u64,
    /// MSRP requests and responses.
    pub msrp_messages: u64,
    /// Findings by severity.
    pub findings: SeverityCounts,
}

/// Milliseconds with three digits of fraction: more is not measured.
#[allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde says how such a function looks"
)]
fn millis<S: Serializer>(span: &Option<Span>, serializer: S) -> Result<S::Ok, S::Error> {
    span.map(|span| (span.millis_f64() * 1e3).round() / 1e3).serialize(serializer)
}
