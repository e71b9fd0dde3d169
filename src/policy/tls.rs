//! Thresholds of the rules about TLS, by the names of their parameters.

super::table! {
    /// Thresholds of the rules about TLS.
    TlsThresholds;
    /// Handshakes a second that begin with one server, beyond which it is a flood
    /// (`TLS-HANDSHAKE-FLOOD`).
    tls_flood_cps = 100,
    /// Percent of them that must be completed; below that it is one.
    tls_flood_completed_pct = 20,
    /// Milliseconds that a handshake may take (`TLS-HANDSHAKE-SLOW`).
    tls_slow_ms = 5_000,
    /// Handshakes with one server that take longer, within a minute.
    tls_slow_handshakes = 10,
    /// Hours after which a ticket should not be taken any more (`TLS-TICKET-REUSE-OLD`).
    tls_ticket_hours = 48,
    /// Handshakes after which a client's fingerprints count as known (`TLS-FP-NEW`).
    tls_fp_known = 5,
}
