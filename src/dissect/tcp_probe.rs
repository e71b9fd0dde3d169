//! What a TCP connection carries, told by the first octets of one of its directions.
//!
//! SIP by a start line and a SIP header field (a reply that begins `SIP/2.0 200` and goes on like
//! HTTP is not SIP), TLS by its record header, HEP by its magic number, a WebSocket by an upgrade to
//! SIP or a frame with SIP in it, MSRP by a start line, RTP and TURN by frames that follow each
//! other. A port never decides.

use overhear_parsers::framed::{self, Way};
use overhear_parsers::msrp::{MsrpError, Start};
use overhear_parsers::websocket::{self, Upgrade};
use overhear_parsers::{sip, tls};

use super::ws_stream;

/// Octets after which a start line that has not ended is not one.
const START_LINE_MAX: usize = 4096;

/// The answer of [`probe`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// SIP.
    Sip,
    /// A TLS record.
    Tls(TlsStart),
    /// HEP, version 3.
    Hep,
    /// A WebSocket with SIP.
    WebSocket,
    /// MSRP.
    Msrp,
    /// Datagrams in frames of this kind.
    Framed(Way),
    /// More octets could decide it.
    More,
    /// Neither.
    Other,
}

/// With what a TLS connection begins, as far as it was captured.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TlsStart {
    /// A `ClientHello`.
    Client,
    /// One in the form of SSL 2.0.
    Ssl2Client,
    /// A `ServerHello`: the client's messages are missing, or come later.
    Server,
    /// Another message of a handshake.
    Handshake,
    /// Data: the handshake was before the capture.
    Data,
}

/// Judges the octets delivered so far.
pub fn probe(octets: &[u8]) -> Probe {
    let Some(first) = octets.iter().position(|octet| !b"\r\n".contains(octet)) else {
        return if octets.len() < START_LINE_MAX { Probe::More } else { Probe::Other };
    };
    let text = octets.get(first..).unwrap_or_default();
    if octets.starts_with(b"HEP3") || octets.starts_with(b"EEP3") {
        return Probe::Hep;
    }
    if text.first().is_some_and(u8::is_ascii_alphabetic) {
        sip_or_other(text)
    } else {
        tls_probe(octets)
    }
}

fn sip_or_other(text: &[u8]) -> Probe {
    match websocket::upgrade(text) {
        Upgrade::Sip(_) => return Probe::WebSocket,
        Upgrade::More if text.len() > 4 => return Probe::More,
        _ => {}
    }
    match Start::read(text) {
        Ok(_) => return Probe::Msrp,
        Err(MsrpError::Short) if text.len() > 4 => return Probe::More,
        Err(_) => {}
    }
    let Some(end) = memchr::memchr(b'\n', text) else {
        let printable = text.iter().all(|octet| !octet.is_ascii_control() || *octet == b'\r');
        return if printable && text.len() < START_LINE_MAX { Probe::More } else { Probe::Other };
    };
    let line = text.get(..end).unwrap_or_default();
    if !contains_sip_version(line) {
        return Probe::Other;
    }
    if sip::probe(text) {
        return Probe::Sip;
    }
    let headers_end = memchr::memmem::find(text, b"\r\n\r\n").is_some();
    if headers_end || text.len() >= START_LINE_MAX { Probe::Other } else { Probe::More }
}

fn contains_sip_version(line: &[u8]) -> bool {
    line.windows(4).any(|window| window.eq_ignore_ascii_case(b"SIP/"))
}

fn tls_probe(octets: &[u8]) -> Probe {
    match tls::start(octets) {
        tls::Start::Ssl2 => Probe::Tls(TlsStart::Ssl2Client),
        tls::Start::Incomplete => Probe::More,
        tls::Start::No if ws_stream::begins_sip(octets) => Probe::WebSocket,
        tls::Start::No => match framed::start(octets) {
            framed::Start::Is(way) => Probe::Framed(way),
            framed::Start::More => Probe::More,
            framed::Start::No => Probe::Other,
        },
        tls::Start::Tls => match tls::Record::read(octets) {
            Some(record) if record.content_type != 22 => Probe::Tls(TlsStart::Data),
            Some(record) if record.fragment.len() < 4 => Probe::More,
            Some(record) => Probe::Tls(match record.handshake() {
                Some(1) => TlsStart::Client,
                Some(2) => TlsStart::Server,
                Some(_) => TlsStart::Handshake,
                None => TlsStart::Data,
            }),
            None => Probe::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[u8] = b"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2\r\n\
        Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";

    #[test]
    fn sip_is_told_by_content_and_no_prefix_of_it_is_refused() {
        assert_eq!(probe(OPTIONS), Probe::Sip);
        for length in 1..OPTIONS.len() {
            assert_ne!(probe(&OPTIONS[..length]), Probe::Other, "{length}");
        }
        assert_eq!(probe(b"\r\n\r\n"), Probe::More);
    }

    #[test]
    fn hep_is_told_by_its_magic_number() {
        assert_eq!(probe(b"HEP3\x00\x40\x00"), Probe::Hep);
        assert_eq!((probe(b"HEP"), probe(b"HEP 3 a\r\nb")), (Probe::More, Probe::Other));
    }

    #[test]
    fn an_upgrade_to_sip_and_msrp_are_told_and_other_http_is_not() {
        let ask = b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
        assert_eq!(probe(ask), Probe::WebSocket);
        for length in 1..ask.len() {
            assert_eq!(probe(&ask[..length]), Probe::More, "{length}");
        }
        assert_eq!(probe(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), Probe::Other);
        assert_eq!(probe(b"MSRP d93kswow 200 OK\r\n"), Probe::Msrp);
        let frame = [&[0x81, 116][..], OPTIONS].concat();
        assert_eq!(probe(&frame), Probe::WebSocket);
    }

    #[test]
    fn http_that_borrows_the_version_is_not_sip() {
        assert_eq!(
            probe(b"SIP/2.0 200 OK\r\nContent-Length: 3\r\nServer: x\r\n\r\nabc"),
            Probe::Other
        );
        assert_eq!(probe(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), Probe::Other);
    }
}
