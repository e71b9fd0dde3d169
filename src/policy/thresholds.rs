//! One documented number for each threshold that a rule uses, by the names of the catalogue.

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
    /// Backward jump of capture time, milliseconds (`SENSOR-TIME`).
    pub time_backward_ms: i64,
    /// Days before the end of a certificate in which it is named (`TLS-CERT-EXPIRES-SOON`).
    pub tls_expiry_days: i64,
    /// Drift between the RTP clock and the capture clock, percent (`SENSOR-TIME`).
    pub time_drift_pct: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            cleartext_min_packets: 20,
            drop_share_pct: 30,
            drop_min_streams: 10,
            one_sided_transactions: 20,
            lookalike_min_packets: 20,
            time_backward_ms: 2_000,
            tls_expiry_days: 30,
            time_drift_pct: 1.0,
        }
    }
}
