//! What is known to differ from the yardstick, figure by figure: because a later version reads it,
//! or because the yardstick errs (`docs/tshark-differences.md` has the frames). A row that excuses
//! nothing any more is a fault.

/// Figures of a file that a later version reaches: the file, beginnings of figure names (an empty
/// one is every figure), and what it takes.
pub(crate) const LATER: &[(&str, &[&str], &str)] = &[];

/// Files of malformed messages: their counts are no targets, but no message that the yardstick
/// found may be lost.
pub(crate) const MALFORMED: &[&str] = &[
    "ntop+nDPI__fuzz-2006-06-26-2594.pcap",
    "torture__kamailio_misc_sip.pcap",
    "torture__rfc4475_resiprocate.pcap",
];

/// Figures in which the yardstick is wrong: the file, the figure's name, ours.
pub(crate) const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("snap96.pcap", "INVITE Call-IDs", "0"),
    ("kamailio_hep3.pcapng", "INVITE Call-IDs", "1"),
    ("span_duplicates.pcap", "sip messages", "6"),
    ("span_duplicates.pcap", "RTP 0xdee0ee8f 10.88.0.10:30000 10.88.0.20:20000 packets", "101"),
    ("span_duplicates.pcap", "RTP 0x0e05384e 10.88.0.10:30000 10.88.0.20:20000 packets", "40"),
    (
        "ws_webrtc_dtls_srtp.pcapng",
        "RTP 0xc0579ccc 10.88.0.10:46228 10.88.0.20:35962 packets",
        "397",
    ),
    ("baresip_clearrtp_over_tls_dsb.pcapng", "sip messages", "32"),
    ("baresip_dtlssrtp_tls_dsb.pcapng", "sip messages", "32"),
    ("baresip_sdes_tls_dsb.pcapng", "sip messages", "32"),
    (FAX, "sip messages", "69"),
    (FAX, "RTP 0x0eaf0eaf 10.35.60.100:15580 10.23.1.52:16756 packets", "159"),
    ("ntop+nDPI__KakaoTalk_talk.pcap", "TLS handshakes", "3"),
    ("ntop+nDPI__stun_dtls_rtp.pcapng", "DTLS handshakes", "2"),
    (MEET, "RTP 0x00000000 142.250.82.76:19305 192.168.12.156:38152 packets", "31"),
    (MEET, "RTP 0x00000000 142.250.82.76:19305 192.168.12.156:38152 lost", "0"),
    (MEET, MEET_IPV6_PACKETS, "104"),
    (MEET, MEET_IPV6_LOST, "0"),
    ("zeek+zeek__tls__ssl-v2.pcap", "TLS handshakes", "1"),
    ("ntop+nDPI__rtp.pcapng", "RTP 0x00000000 172.16.168.24:40252 172.16.168.64:5000", "a stream"),
];

const FAX: &str = "ntop+nDPI__FAX-Call-t38-CA-TDM-SIP-FB-1.pcap";
const MEET: &str = "ntop+nDPI__stun_google_meet.pcapng";
const MEET_IPV6_PACKETS: &str = "RTP 0x00000000 [2001:4860:4864:6::81]:19305 \
     [2001:b07:a3d:c112:48a1:1094:1227:281e]:45572 packets";
const MEET_IPV6_LOST: &str = "RTP 0x00000000 [2001:4860:4864:6::81]:19305 \
     [2001:b07:a3d:c112:48a1:1094:1227:281e]:45572 lost";
