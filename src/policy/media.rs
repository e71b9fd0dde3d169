//! Thresholds of the rules about media streams, by the names of the catalogue.

use crate::model::stream::PLAYOUT_MS;
use crate::model::time::Span;

/// A packet of SRTP that comes again later than this is a replay (`MEDIA-SRTP-REPLAY`): what the network
/// doubles arrives within a second.
pub const REPLAY_AFTER: Span = Span::from_secs(2);

/// Sequence numbers ahead of the highest, and behind it, beyond which a stream goes on from somewhere else
/// (`MEDIA-SEQ-JUMP`; RFC 3550 appendix A.1: `MAX_DROPOUT`, `MAX_MISORDER`).
pub const SEQ_JUMP_AHEAD: u16 = 3_000;
/// The same, behind.
pub const SEQ_JUMP_BACK: u16 = 100;
/// Sequence numbers by which an injected packet may be ahead of the stream (`MEDIA-RTP-INJECT`).
pub const INJECT_DISTANCE: u16 = 1_000;
/// Seconds by which the timestamp of the next packet may jump at most (`MEDIA-SEQ-JUMP`).
pub const TIMESTAMP_JUMP_S: u32 = 10;

/// A time without any packet from which on missing numbers are told apart from other loss (`QOS-LOSS`).
pub const HOLE: Span = Span::from_secs(2);

/// One-way delay of the network that the E-model assumes where nobody tells it, milliseconds (`QOS-MOS`).
pub const ASSUMED_NETWORK_MS: u8 = 50;

/// Thresholds that packets are held against one by one, which configuration does not change.
pub const FIXED: [(&str, u64); 7] = [
    ("assumed_network_ms", ASSUMED_NETWORK_MS as u64),
    ("assumed_playout_ms", PLAYOUT_MS as u64),
    ("hole_s", 2),
    ("replay_after_s", 2),
    ("seq_jump_ahead", SEQ_JUMP_AHEAD as u64),
    ("seq_jump_back", SEQ_JUMP_BACK as u64),
    ("timestamp_jump_s", TIMESTAMP_JUMP_S as u64),
];

super::table! {
    /// Thresholds of the rules about media streams.
    MediaThresholds;
    /// Packets behind the answer that settle whether what was agreed on is done
    /// (`MEDIA-SAVP-BUT-CLEARTEXT`, `MEDIA-AVP-BUT-ENCRYPTED`).
    settled_packets = 50,
    /// Milliseconds after the answer in which both sides may still begin with encryption.
    settled_after_ms = 2_000,
    /// Packets before the answer that are early media (`MEDIA-EARLY-CLEARTEXT`).
    early_packets = 20,
    /// Seconds of talk without RTP (`QOS-NO-RTP`).
    no_rtp_s = 5,
    /// Milliseconds from the answer to the first RTP of a side (`QOS-LATE-MEDIA`).
    late_media_ms = 1_000,
    /// Milliseconds from INVITE to 180 or 183 that one call in twenty may exceed (`QOS-PDD`).
    pdd_ms = 6_000,
    /// Calls of two peers below which one in twenty means nothing.
    pdd_min_calls = 5,
    /// Octets of an IP packet beyond which it is fragmented or dropped (`QOS-FRAGMENT`).
    mtu_octets = 1_500,
    /// Streams of each kind, encrypted and not, from which their jitter is compared by rank
    /// (`QOS-SRTP-COST`).
    cost_min_streams = 30,
    /// 1: the tap is where TLS ends, behind the proxy, and sees in clear what the network does not;
    /// keys in signalling are no more than worth knowing (`MEDIA-SDES-KEY-EXPOSED`).
    tap_inside_tls = 0,
    /// Packets of a foreign source (`MEDIA-RTP-FOREIGN-SOURCE`), within `foreign_seconds`.
    foreign_packets = 10,
    /// Seconds for `foreign_packets`.
    foreign_seconds = 5,
    /// How long the rightful source goes on beside another one before that is odd: a client behind
    /// NAT changes its address faster, milliseconds.
    foreign_overlap_ms = 1_000,
    /// Milliseconds in which a stream may still find out where its peer is.
    latch_ms = 2_000,
    /// A new offer or answer this near explains a new source, milliseconds.
    handover_ms = 5_000,
    /// How near the sequence numbers of an injected stream are (`MEDIA-RTP-INJECT`).
    inject_distance = 1_000,
    /// Changes of the TTL within one stream that are no change of route.
    inject_ttl_switches = 4,
    /// Packets of one number with different payloads.
    inject_conflicts = 2,
    /// The same one by one among other packets, for a sender whose TTL is the same.
    inject_interleaved = 10,
    /// Ports of one host that one source tries (`MEDIA-RTP-PORT-SWEEP`), within
    /// `sweep_seconds`.
    sweep_ports = 20,
    /// Seconds for `sweep_ports`.
    sweep_seconds = 60,
    /// Ports of a media server that one source tries, of which one sends it a call (`MEDIA-RTP-BLEED`).
    bleed_ports = 5,
    /// Packets that one port gets of a sweep at most.
    sweep_packets = 20,
    /// Changes of the SSRC in a minute without a new offer (`MEDIA-SSRC-CHANGE`).
    ssrc_changes = 5,
    /// RTP packets after an RTCP BYE about them (`MEDIA-RTCP-BYE-FORGED`).
    forged_bye_packets = 50,
    /// RTP packets each way after the end of the call (`MEDIA-AFTER-BYE`).
    after_bye_packets = 50,
    /// How long after the end media may still arrive, milliseconds.
    after_bye_ms = 5_000,
    /// Packets each way of media that no SDP announced (`MEDIA-UNSIGNALLED`).
    unsignalled_packets = 20,
    /// Packets of such media in one direction only.
    unsignalled_one_way = 100,
    /// Share of the payloads looked at, percent, that are text (`MEDIA-RTT-CLEAR`).
    rtt_text_pct = 80,
    /// Digits within a minute that are somebody's number (`MEDIA-DTMF-4733-CLEAR`).
    dtmf_digits = 8,
    /// Payload lengths of an encrypted stream (`MEDIA-VBR-LEAK`).
    vbr_lengths = 8,
    /// Spurts of a stream that does not send silence (`MEDIA-VBR-LEAK`).
    dtx_spurts = 3,
    /// Share of the time in which such a stream is silent, percent.
    dtx_silence_pct = 10,
    /// UDPTL datagrams (`MEDIA-FAX-T38-CLEAR`).
    fax_packets = 5,
    /// Calls with the same CNAME (`MEDIA-RTCP-CNAME-LEAK`).
    cname_calls = 3,
    /// Milliseconds for two ZRTP endpoints to agree on keys (`MEDIA-ZRTP-NOT-SECURE`).
    zrtp_confirm_ms = 10_000,
    /// Milliseconds for a DTLS handshake to be completed (`MEDIA-DTLS-NOT-COMPLETED`).
    dtls_complete_ms = 10_000,
    /// RTP packets behind a handshake or an answer that settle what protects them
    /// (`MEDIA-DTLS-NOT-COMPLETED`, `MEDIA-DTLS-NO-USE-SRTP`).
    dtls_packets = 50,
}
