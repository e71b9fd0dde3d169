//! One documented number for each threshold that a rule uses, by the names of the catalogue.

use super::fallback::FallbackThresholds;
use super::media::MediaThresholds;
use super::sip::SipThresholds;
use super::tls::TlsThresholds;

/// Thresholds of the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// Packets below which a stream is not judged (`MEDIA-CLEARTEXT-RTP`).
    pub cleartext_min_packets: u64,
    /// Share of all streams, percent, that must lose packets in the same second (`SENSOR-DROP`).
    pub drop_share_pct: u64,
    /// Streams that must be active in that second before the share means anything.
    pub drop_min_streams: u64,
    /// Transactions of a pair of peers of which only one direction is seen (`SENSOR-ONE-SIDED`).
    pub one_sided_transactions: u64,
    /// Packets below which a flow with RTP-like headers is not named: any DNS resolver has a few
    /// (`SENSOR-RTP-LOOKALIKE`).
    pub lookalike_min_packets: u64,
    /// How long after it came to a border element an SRTP key may leave it, milliseconds
    /// (`MEDIA-SDES-KEY-PASSTHROUGH`).
    pub key_passthrough_ms: i64,
    /// Sequence numbers below which loss and jitter are not judged: five seconds of speech
    /// (`QOS-LOSS`, `QOS-JITTER`).
    pub loss_min_packets: u64,
    /// Loss, percent, from which it is a low finding.
    pub loss_low_pct: f64,
    /// The same for a medium one.
    pub loss_medium_pct: f64,
    /// The same for a high one.
    pub loss_high_pct: f64,
    /// Mean jitter, milliseconds, from which it is a low finding (`QOS-JITTER`).
    pub jitter_low_ms: f64,
    /// The same for a medium one.
    pub jitter_medium_ms: f64,
    /// Shortest stream, seconds, whose score is judged (`QOS-MOS`).
    pub mos_min_s: f64,
    /// Mean opinion score below which it is a low finding.
    pub mos_low: f64,
    /// The same for a medium one.
    pub mos_medium: f64,
    /// The same for a high one.
    pub mos_high: f64,
    /// Packets below which a stream's marking and cost are not looked at (`QOS-DSCP`,
    /// `QOS-SRTP-COST`).
    pub dscp_min_packets: u64,
    /// Packets that one side of a call sends while the other is silent (`QOS-ONE-WAY`).
    pub one_way_packets: u64,
    /// For how long, milliseconds. After a forged BYE the other side gives up within seconds: four in the
    /// recording of one.
    pub one_way_ms: i64,
    /// Seconds without RTCP (`QOS-RTCP-ABSENT`).
    pub rtcp_absent_s: f64,
    /// Backward jump of capture time, milliseconds (`SENSOR-TIME`).
    pub time_backward_ms: i64,
    /// Days before the end of a certificate in which it is named (`TLS-CERT-EXPIRES-SOON`).
    pub tls_expiry_days: i64,
    /// Drift between the RTP clock and the capture clock, percent (`SENSOR-TIME`).
    pub time_drift_pct: f64,
    /// Of the rules about security that is given up.
    pub fallback: FallbackThresholds,
    /// Of the rules about media streams.
    pub media: MediaThresholds,
    /// Of the rules about SIP messages.
    pub sip: SipThresholds,
    /// Of the rules about TLS.
    pub tls: TlsThresholds,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            cleartext_min_packets: 20,
            drop_share_pct: 30,
            drop_min_streams: 10,
            one_sided_transactions: 20,
            lookalike_min_packets: 20,
            key_passthrough_ms: 10_000,
            loss_min_packets: 250,
            loss_low_pct: 1.0,
            loss_medium_pct: 3.0,
            loss_high_pct: 10.0,
            jitter_low_ms: 20.0,
            jitter_medium_ms: 50.0,
            mos_min_s: 5.0,
            mos_low: 3.6,
            mos_medium: 3.1,
            mos_high: 2.6,
            dscp_min_packets: 50,
            one_way_packets: 100,
            one_way_ms: 3_000,
            rtcp_absent_s: 30.0,
            time_backward_ms: 2_000,
            tls_expiry_days: 30,
            time_drift_pct: 1.0,
            fallback: FallbackThresholds::default(),
            media: MediaThresholds::default(),
            sip: SipThresholds::default(),
            tls: TlsThresholds::default(),
        }
    }
}
