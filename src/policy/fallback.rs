//! Thresholds of the rules about security that is given up, by the names of their parameters.

/// Thresholds of the rules about security that is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FallbackThresholds {
    /// Seconds within which a refused secure call that is made again in clear counts as a retry, 30 at
    /// most (`MEDIA-DOWNGRADE-RETRY`).
    pub downgrade_retry_s: i64,
    /// Seconds within which no user, but a machine makes the call again (high confidence).
    pub downgrade_at_once_s: i64,
    /// Seconds within which a refused `sips` request that is made again as `sip` counts as a retry
    /// (`SIPS-RETRY-SIP`).
    pub sips_retry_s: i64,
    /// Seconds within which clear signalling after a failed handshake counts as a fallback
    /// (`SIG-TLS-FALLBACK-CLEAR`).
    pub tls_fallback_s: i64,
    /// Seconds without clear signalling before the failure; with some it is nothing new.
    pub tls_fallback_quiet_s: i64,
    /// Hours within which TLS and clear signalling between two peers count as mixed
    /// (`SIG-MIXED-TRANSPORT`).
    pub mixed_transport_h: i64,
}

impl Default for FallbackThresholds {
    fn default() -> Self {
        Self {
            downgrade_retry_s: 30,
            downgrade_at_once_s: 5,
            sips_retry_s: 30,
            tls_fallback_s: 60,
            tls_fallback_quiet_s: 600,
            mixed_transport_h: 24,
        }
    }
}

impl FallbackThresholds {
    /// The value of this name.
    pub fn named(&self, name: &str) -> Option<i64> {
        match name {
            "downgrade_retry_s" => Some(self.downgrade_retry_s),
            "downgrade_at_once_s" => Some(self.downgrade_at_once_s),
            "sips_retry_s" => Some(self.sips_retry_s),
            "tls_fallback_s" => Some(self.tls_fallback_s),
            "tls_fallback_quiet_s" => Some(self.tls_fallback_quiet_s),
            "mixed_transport_h" => Some(self.mixed_transport_h),
            _ => None,
        }
    }
}
