//! What is known to differ from the yardstick, figure by figure: because a later version reads it,
//! or because the yardstick errs (`docs/tshark-differences.md` has the frames). A row that excuses
//! nothing any more is a fault.

/// Figures of a file that a later version reaches: the file, beginnings of figure names (an empty
/// one is every figure), and what it takes.
pub(crate) const LATER: &[(&str, &[&str], &str)] = &[
    ("4in6.pcap", &[""], "encapsulations"),
    ("erspan2.pcap", &[""], "encapsulations"),
    ("espnull.pcap", &[""], "encapsulations"),
    ("gre.pcap", &[""], "encapsulations"),
    ("gtpu.pcap", &[""], "encapsulations"),
    ("ipip.pcap", &[""], "encapsulations"),
    ("mpls2.pcap", &[""], "encapsulations"),
    ("pppoe.pcap", &[""], "encapsulations"),
    ("vxlan.pcap", &[""], "encapsulations"),
    ("irontec+sngrep__tests__ipip.pcap", &[""], "encapsulations"),
    ("ws_webrtc_dtls_srtp.pcapng", SIGNALLING, "SIP over WebSocket"),
    ("baresip_clearrtp_over_tls_dsb.pcapng", SIGNALLING, "decryption with embedded secrets"),
    ("baresip_dtlssrtp_tls_dsb.pcapng", SIGNALLING, "decryption with embedded secrets"),
    ("baresip_sdes_tls_dsb.pcapng", SIGNALLING, "decryption with embedded secrets"),
    ("siptls_tls12_ecdhe_dsb.pcapng", SIGNALLING, "decryption with embedded secrets"),
    ("siptls_tls12_null.pcapng", SIGNALLING, "TLS without encryption read through"),
    ("baresip_turn_sdes.pcapng", &["RTP "], "media inside TURN"),
    ("ntop+nDPI__stun_dtls_rtp.pcapng", &["RTP "], "media inside TURN"),
];

const SIGNALLING: &[&str] = &[
    "sip messages",
    "INVITE Call-IDs",
    "answered Call-IDs",
    "final status",
    "finding cleartext-signalling",
    "finding digest-credentials-in-clear",
];

/// Files of malformed messages: their counts are no targets, but no message that the yardstick
/// found may be lost.
pub(crate) const MALFORMED: &[&str] = &[
    "ntop+nDPI__fuzz-2006-06-26-2594.pcap",
    "torture__kamailio_misc_sip.pcap",
    "torture__rfc4475_resiprocate.pcap",
];

/// Figures in which the yardstick is wrong: the file, the figure's name, ours.
pub(crate) const DIFFERENCES: &[(&str, &str, &str)] = &[];
