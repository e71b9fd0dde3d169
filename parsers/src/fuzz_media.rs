//! The fuzz bodies of the media parsers: each takes any octets and returns, or there is a bug.
//!
//! Plain functions, so that the fuzzer, the sweep in `tests/total_media.rs` and a reviewer with a
//! crash file run the same code.

use crate::rtcp::Body;
use crate::rtp::header::Header;
use crate::{demux, dtls, rtcp, stun, tls, zrtp};

/// Runs every media parser over one datagram or stream prefix.
pub fn all(octets: &[u8]) {
    rtp(octets);
    compound(octets);
    stun(octets);
    records(octets);
    let _ = (zrtp::parse(octets), demux::classify(octets));
}

/// RTP: what was read never exceeds what there was.
pub fn rtp(octets: &[u8]) {
    if let Ok(header) = Header::parse(octets) {
        let unpadded = header.unpadded().unwrap_or(&[]);
        debug_assert!(unpadded.len() <= header.payload.len());
        debug_assert!(header.payload.len() <= octets.len());
    }
}

/// RTCP: every sub-packet with everything in it.
pub fn compound(octets: &[u8]) {
    let _ = (rtcp::looks_like(octets), rtcp::srtcp_index(octets));
    for packet in rtcp::Packets::new(octets) {
        match packet.decode() {
            Body::SenderReport { reports, .. } | Body::ReceiverReport { reports, .. } => {
                debug_assert!(reports.count() <= 31);
            }
            Body::Sdes(items) => debug_assert!(items.count() <= octets.len()),
            Body::Bye { .. } | Body::ExtendedReport { .. } | Body::Other => {}
        }
    }
}

/// STUN and channel data.
pub fn stun(octets: &[u8]) {
    if let Ok(message) = stun::Message::parse(octets) {
        let _ = (message.mapped_address(), message.username(), message.use_candidate());
        debug_assert!(message.attributes().count() <= octets.len());
    }
    let _ = stun::channel_data(octets);
}

/// DTLS and TLS records.
pub fn records(octets: &[u8]) {
    let count = dtls::Records::new(octets).filter(|record| record.handshake().is_some()).count();
    debug_assert!(count <= octets.len());
    let _ = (dtls::unified(octets), tls::start(octets));
    let mut rest = octets;
    while let Some(record) = tls::Record::read(rest) {
        let _ = record.handshake();
        rest = rest.get(record.octets()..).unwrap_or(&[]);
    }
}
