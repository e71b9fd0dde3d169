//! Thresholds of the rules about TLS, by the names of their parameters.

/// Thresholds of the rules about TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsThresholds {
    /// Handshakes a second that begin with one server, beyond which it is a flood
    /// (`TLS-HANDSHAKE-FLOOD`).
    pub tls_flood_cps: i64,
    /// Percent of them that must be completed; below that it is one.
    pub tls_flood_completed_pct: i64,
    /// Milliseconds that a handshake may take (`TLS-HANDSHAKE-SLOW`).
    pub tls_slow_ms: i64,
    /// Handshakes with one server that take longer, within a minute.
    pub tls_slow_handshakes: i64,
    /// Hours after which a ticket should not be taken any more (`TLS-TICKET-REUSE-OLD`).
    pub tls_ticket_hours: i64,
    /// Handshakes after which a client's fingerprints count as known (`TLS-FP-NEW`).
    pub tls_fp_known: i64,
}

impl Default for TlsThresholds {
    fn default() -> Self {
        Self {
            tls_flood_cps: 100,
            tls_flood_completed_pct: 20,
            tls_slow_ms: 5_000,
            tls_slow_handshakes: 10,
            tls_ticket_hours: 48,
            tls_fp_known: 5,
        }
    }
}

impl TlsThresholds {
    /// The value of this name.
    pub fn named(&self, name: &str) -> Option<i64> {
        match name {
            "tls_flood_cps" => Some(self.tls_flood_cps),
            "tls_flood_completed_pct" => Some(self.tls_flood_completed_pct),
            "tls_slow_ms" => Some(self.tls_slow_ms),
            "tls_slow_handshakes" => Some(self.tls_slow_handshakes),
            "tls_ticket_hours" => Some(self.tls_ticket_hours),
            "tls_fp_known" => Some(self.tls_fp_known),
            _ => None,
        }
    }
}
