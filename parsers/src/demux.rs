//! What a UDP datagram on a media port is: RTP, RTCP, STUN, DTLS, ZRTP or TURN channel data.
//!
//! The first octet gives the class (RFC 7983 §7, RFC 9443 §2); the parser of that protocol then has
//! to agree. RTCP shares 128 to 191 with RTP and is told by its second octet (RFC 5761 §4) and by
//! walking it. One RTP header proves little: whether a flow is media is decided over several
//! packets, where streams are tracked.

use crate::rtcp::RtcpShape;
use crate::rtp::header::{Header, RtpError};
use crate::{dtls, rtcp, stun, zrtp};

/// What the first octet leaves possible.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// 0 to 3.
    Stun,
    /// 16 to 19.
    Zrtp,
    /// 20 to 63.
    Dtls,
    /// 64 to 79: TURN channel data.
    TurnChannel,
    /// 128 to 191.
    RtpOrRtcp,
    /// The rest.
    Other,
}

/// What the whole datagram is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A readable RTP header whose payload type can be media: a candidate, not more.
    Rtp,
    /// A compound RTCP packet in clear.
    Rtcp,
    /// An SRTCP packet.
    Srtcp,
    /// A STUN message.
    Stun,
    /// DTLS records.
    Dtls,
    /// A ZRTP packet.
    Zrtp,
    /// TURN channel data.
    TurnChannel,
    /// None of these.
    Other,
}

/// The class of a datagram with this first octet.
pub const fn class(first: u8) -> Class {
    match first {
        0..=3 => Class::Stun,
        16..=19 => Class::Zrtp,
        20..=63 => Class::Dtls,
        64..=79 => Class::TurnChannel,
        128..=191 => Class::RtpOrRtcp,
        _ => Class::Other,
    }
}

/// The header of a datagram that [`classify`] would call RTP.
///
/// # Errors
/// It is none, or what would be payload types 64 to 95, with the marker or without, which is left
/// to RTCP (RFC 5761 §4).
#[inline]
pub fn rtp(datagram: &[u8]) -> Result<Header<'_>, RtpError> {
    match datagram {
        &[_, second, ..] if second & 0x60 == 0x40 => Err(RtpError::PayloadType(second & 0x7f)),
        _ => Header::parse(datagram),
    }
}

/// Classifies one datagram by its content alone.
pub fn classify(datagram: &[u8]) -> Kind {
    let &[first, second, ..] = datagram else { return Kind::Other };
    let (kind, holds) = match class(first) {
        Class::RtpOrRtcp => return rtp_or_rtcp(second, datagram),
        Class::Stun => (Kind::Stun, stun::Message::parse(datagram).is_ok()),
        Class::Zrtp => (Kind::Zrtp, zrtp::parse(datagram).is_some()),
        Class::Dtls => (Kind::Dtls, dtls::looks_like(datagram)),
        Class::TurnChannel => (Kind::TurnChannel, stun::channel_data(datagram).is_some()),
        Class::Other => (Kind::Other, true),
    };
    if holds { kind } else { Kind::Other }
}

fn rtp_or_rtcp(second: u8, datagram: &[u8]) -> Kind {
    // 192 to 223 would be payload types 64 to 95 with the marker, which no sender may use beside
    // RTCP: what does not walk as RTCP is nothing at all.
    if (192..=223).contains(&second) {
        return match rtcp::looks_like(datagram) {
            RtcpShape::Clear => Kind::Rtcp,
            RtcpShape::Encrypted => Kind::Srtcp,
            RtcpShape::No => Kind::Other,
        };
    }
    if rtp(datagram).is_ok() { Kind::Rtp } else { Kind::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_are_those_of_rfc_7983() {
        let count = |class_: Class| (0..=255).filter(|&first| class(first) == class_).count();
        assert_eq!((count(Class::Stun), count(Class::Zrtp), count(Class::Dtls)), (4, 4, 44));
        assert_eq!((count(Class::TurnChannel), count(Class::RtpOrRtcp)), (16, 64));
    }

    #[test]
    fn rtcp_and_rtp_are_told_apart_on_one_port() {
        let report = [0x80, 201, 0, 1, 0, 0, 0, 7];
        assert_eq!(classify(&report), Kind::Rtcp);
        let mut media = [0; 20];
        media[0] = 0x80;
        assert_eq!(classify(&media), Kind::Rtp);
        for second in [64, 95, 192, 223] {
            media[1] = second;
            assert_eq!(classify(&media), Kind::Other, "{second}");
        }
        assert_eq!(classify(b"INVITE sip:bob@example.org SIP/2.0\r\n"), Kind::Other);
        assert_eq!(classify(&[0x80]), Kind::Other);
    }

    #[test]
    fn dns_is_not_stun() {
        // Id 1, recursion desired, one question: the length 256 does not fit.
        let mut query = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend(b"\x07example\x03org\x00\x00\x01\x00\x01");
        assert_eq!(classify(&query), Kind::Other);
    }
}
