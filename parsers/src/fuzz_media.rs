//! The fuzz bodies of the media parsers: each takes any octets and returns, or there is a bug.
//!
//! Plain functions, so that the fuzzer, the sweep in `tests/total_media.rs` and a reviewer with a
//! crash file run the same code.

use crate::rtcp::Body;
use crate::rtp::header::Header;
use crate::{
    demux, dtls, framed, mikey, msrp, quic, rtcp, sctp, stun, tls, udptl, websocket, zrtp,
};

/// Runs every media parser over one datagram or stream prefix.
pub fn all(octets: &[u8]) {
    rtp(octets);
    compound(octets);
    stun(octets);
    records(octets);
    chunks(octets);
    streams(octets);
    fax(octets);
    keys(octets);
    initial(octets);
    let _ = demux::classify(octets);
}

/// QUIC: a packet and what it may hold.
pub fn initial(octets: &[u8]) {
    if let Some((initial, rest)) = quic::Initial::read(octets) {
        let parts = [initial.header.len(), initial.rest.len(), rest.len()];
        debug_assert!(parts.iter().sum::<usize>() == octets.len());
    }
    let held: usize = quic::crypto(octets).map(|frame| frame.octets.len()).sum();
    debug_assert!(held <= octets.len());
}

/// UDPTL: all that was read was there.
pub fn fax(octets: &[u8]) {
    if let Some(datagram) = udptl::parse(octets) {
        debug_assert!(!datagram.primary.is_empty() && datagram.primary.len() < octets.len());
        debug_assert!(datagram.secondary < octets.len());
    }
}

/// Agreement on keys: ZRTP, and MIKEY as octets and as SDP carries it.
pub fn keys(octets: &[u8]) {
    if let Some(packet) = zrtp::parse(octets) {
        debug_assert!(packet.message.len() <= packet.whole.len());
        debug_assert!(packet.whole.len() < octets.len());
    }
    let carried = mikey::of_attribute(&[b"mikey ", octets].concat());
    for message in [Some(octets), carried.as_deref()].into_iter().flatten() {
        if let Ok(message) = mikey::Message::parse(message) {
            debug_assert!(message.payloads().count() <= octets.len());
            let _ = message.clear_keys().map(|key| key.key.expose().len()).max();
        }
    }
}

/// RTP: what was read never exceeds what there was.
pub fn rtp(octets: &[u8]) {
    if let Ok(header) = Header::parse(octets) {
        let unpadded = header.unpadded().unwrap_or(&[]);
        debug_assert!(unpadded.len() <= header.payload.len());
        debug_assert!(header.payload.len() <= octets.len());
        let mut written = Vec::with_capacity(header.octets());
        header.write(&mut written);
        debug_assert!(written == octets);
    }
}

/// RTCP: every sub-packet with everything in it.
pub fn compound(octets: &[u8]) {
    let _ = (rtcp::looks_like(octets), rtcp::srtcp_index(octets));
    let words = [0, 4, 10, 14].map(|behind| rtcp::srtcp_word(octets, behind));
    debug_assert!(words.iter().flatten().all(|word| word.word() & 0x7fff_ffff == word.index));
    for packet in rtcp::Packets::new(octets) {
        match packet.decode() {
            Body::SenderReport { reports, .. } | Body::ReceiverReport { reports, .. } => {
                debug_assert!(reports.count() <= 31);
            }
            Body::Sdes(items) => debug_assert!(items.count() <= octets.len()),
            Body::ExtendedReport { blocks, .. } => {
                let _ = rtcp::extended::Metrics::new(blocks).count();
            }
            Body::Bye { .. } | Body::Other => {}
        }
    }
}

/// STUN and channel data.
pub fn stun(octets: &[u8]) {
    if let Ok(message) = stun::Message::parse(octets) {
        let _ = (message.mapped_address(), message.username(), message.use_candidate());
        debug_assert!(message.attributes().count() <= octets.len());
    }
    if let Ok(message) = stun::Message::parse(octets) {
        let _ = (message.relayed_address(), message.peer_address(), message.channel_number());
        debug_assert!(message.data().is_none_or(|data| data.len() < octets.len()));
    }
    let _ = (stun::channel_data(octets), stun::channel_data_cut(octets, octets.len()));
}

/// SCTP chunks.
pub fn chunks(octets: &[u8]) {
    let data = sctp::Chunks::new(octets).filter_map(|chunk| chunk.data());
    debug_assert!(data.map(|data| data.payload.len()).sum::<usize>() <= octets.len());
}

/// What begins a byte stream: WebSocket, MSRP, framed datagrams. Every frame takes octets.
pub fn streams(octets: &[u8]) {
    if let websocket::Upgrade::Sip(head) = websocket::upgrade(octets) {
        debug_assert!(head <= octets.len());
    }
    let mut rest = octets;
    while let Ok(header) = websocket::Header::read(rest) {
        let mut out = Vec::new();
        header.unmask(rest.get(header.header..).unwrap_or_default(), &mut out);
        let Some(next) = rest.get(header.octets()..) else { break };
        debug_assert!(next.len() < rest.len());
        rest = next;
    }
    if let Ok(start) = msrp::Start::read(octets) {
        let body = octets.get(start.octets..).unwrap_or_default();
        debug_assert!(msrp::end(body, start.ident).is_none_or(|end| end <= body.len()));
    }
    let _ = framed::start(octets);
    for way in [framed::Way::Length, framed::Way::Turn] {
        let mut rest = octets;
        while let Ok(frame) = framed::next(way, rest) {
            debug_assert!(frame.octets > 0 && frame.datagram.len() <= frame.octets);
            rest = rest.get(frame.octets..).unwrap_or_default();
        }
    }
}

/// DTLS and TLS records.
pub fn records(octets: &[u8]) {
    let count = dtls::Records::new(octets).filter(|record| record.handshake().is_some()).count();
    debug_assert!(count <= octets.len());
    let fragments = dtls::Fragment::all(octets).map(|fragment| fragment.body.len());
    debug_assert!(fragments.sum::<usize>() <= octets.len());
    let _ = (dtls::unified(octets), tls::start(octets));
    let mut rest = octets;
    while let Some(record) = tls::Record::read(rest) {
        let _ = record.handshake();
        handshake(record.fragment);
        rest = rest.get(record.octets()..).unwrap_or(&[]);
    }
    handshake(octets);
}

/// The messages of a handshake, each read as whatever it could be.
pub fn handshake(octets: &[u8]) {
    let _ = (tls::ssl2::Ssl2ClientHello::parse(octets), tls::ssl2::Ssl2ServerHello::parse(octets));
    for message in tls::Messages::new(octets) {
        let body = message.body;
        for hello in [tls::ClientHello::parse(body), tls::ClientHello::parse_dtls(body)] {
            let Some(hello) = hello else { continue };
            let _ = (hello.highest_version(), hello.has_grease(), hello.key_shares().count());
            let mut text = String::new();
            tls::fingerprint::ja3(&hello, &mut text);
            let ja4 = tls::fingerprint::Ja4::of(&hello, tls::fingerprint::Over::Tcp);
            debug_assert!(ja4.shape.chars().count() == 10, "{}", ja4.shape);
        }
        if let Some(hello) = tls::ServerHello::parse(body) {
            let _ = (hello.is_retry(), hello.sentinel(), hello.agreed_version());
            let mut text = String::new();
            tls::fingerprint::ja3s(&hello, &mut text);
        }
        for suite in
            [0x0016, 0xc02f, 0xc014, 0x008e, 0xc033].into_iter().filter_map(tls::registry::suite)
        {
            let exchange = tls::key_exchange::ServerKeyExchange::parse(body, suite, true);
            let _ = exchange.map(|exchange| exchange.prime_bits());
        }
        let _ = tls::key_exchange::certificate_verify(body, true);
        let _ = tls::key_exchange::ticket_lifetime(body);
        for der in tls::key_exchange::certificates(body) {
            let _ = tls::certificate::Certificate::parse(der);
        }
    }
}
