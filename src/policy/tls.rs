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
    /// Days for which a ticket may be given (`TLS-TICKET-LONG`).
    tls_ticket_days = 7,
    /// Seconds within which a hello with less follows a refusal (`TLS-VERSION-DANCE`).
    tls_dance_s = 10,
    /// Seconds by which a sensor's clock may be off (`TLS-CERT-EXPIRED`, `TLS-CERT-NOT-YET`).
    tls_skew_s = 3_600,
    /// Days for which a public authority may issue (`TLS-CERT-LONG`).
    tls_public_days = 398,
    /// Days that private authorities are given.
    tls_private_days = 825,
    /// Days for which a server's keys are remembered (`TLS-CERT-CHANGED`).
    tls_changed_days = 30,
    /// Bits that RSA keys and primes should have (`TLS-CERT-RSA-SMALL`, `TLS-DH-SMALL`).
    tls_key_bits = 2_048,
    /// Bits below which they are as good as broken.
    tls_broken_bits = 1_024,
    /// Bits that elliptic curves should have (`TLS-CERT-EC-SMALL`, `TLS-CURVE-WEAK`).
    tls_curve_bits = 224,
    /// The smallest exponent of RSA that is not remarked on (`TLS-CERT-RSA-EXP`).
    tls_exponent = 65_537,
    /// Handshakes after which a client's fingerprints count as known (`TLS-FP-NEW`).
    tls_fp_known = 5,
}
