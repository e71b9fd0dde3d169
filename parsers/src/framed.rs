//! Datagrams on a byte stream: RTP with a length before each packet (RFC 4571 §2), used by ICE over
//! TCP too (RFC 6544 §4), and TURN, whose messages say their own length (RFC 8489 §6.2.2,
//! RFC 8656 §12.5). Says how long a frame is and whether a stream begins like one of the two; no
//! state.

use crate::rtp::header::Header;
use crate::{demux, rtcp, stun};

/// The two ways.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Two octets of length before each packet.
    Length,
    /// STUN messages and channel data, one behind the other.
    Turn,
}

/// What the beginning of a stream looks like.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Certainly one of the two.
    Is(Way),
    /// More octets could decide it.
    More,
    /// Neither.
    No,
}

/// One frame at the beginning of octets.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The datagram.
    pub datagram: &'a [u8],
    /// Octets that it takes on the stream.
    pub octets: usize,
}

/// The next frame.
///
/// # Errors
/// `Some`: so many octets are needed. `None`: no frame of this way begins here.
pub fn next(way: Way, octets: &[u8]) -> Result<Frame<'_>, Option<usize>> {
    let (from, length, taken): (usize, usize, usize) = match way {
        Way::Length => {
            let octets = octets.first_chunk::<2>().ok_or(Some(2_usize))?;
            let length = usize::from(u16::from_be_bytes(*octets));
            (2, length, length.saturating_add(2))
        }
        // A STUN message, whose length is a multiple of 4; channel data, which is padded to one.
        Way::Turn => {
            let &[a, _, c, d] = octets.first_chunk::<4>().ok_or(Some(4_usize))?;
            let length = usize::from(u16::from_be_bytes([c, d]));
            match a {
                0..=0x3f if length.is_multiple_of(4) => {
                    (0, length.saturating_add(20), length.saturating_add(20))
                }
                0x40..=0x4f => {
                    let whole = length.saturating_add(4);
                    (0, whole, whole.saturating_add(3) & !3)
                }
                _ => return Err(None),
            }
        }
    };
    let frame = octets.get(..taken).ok_or(Some(taken))?;
    let datagram = frame.get(from..from.saturating_add(length)).ok_or(None)?;
    Ok(Frame { datagram, octets: taken })
}

/// Judges the first octets of a stream. STUN is certain by its cookie; RTP by two packets in a row of
/// one source whose numbers follow each other, or by RTCP behind it.
pub fn start(octets: &[u8]) -> Start {
    let word =
        |at: usize| octets.get(at..)?.first_chunk::<4>().map(|word| u32::from_be_bytes(*word));
    let Some(&[first, _]) = octets.first_chunk::<2>() else { return Start::More };
    let cookie = |at: usize| word(at).map(|word| word == stun::MAGIC_COOKIE);
    if first <= 1 {
        match cookie(4) {
            Some(true) if stun_length(octets).is_some() => return Start::Is(Way::Turn),
            None => return Start::More,
            _ => {}
        }
    }
    match next(Way::Length, octets) {
        Err(need) => match octets.get(2) {
            None => Start::More,
            Some(0..=1) => match cookie(6) {
                Some(true) => framed_stun(octets),
                None => Start::More,
                Some(false) => Start::No,
            },
            Some(version) if version >> 6 == 2 && need.is_some() => plausible(octets),
            Some(_) => Start::No,
        },
        Ok(frame) if stun::Message::parse(frame.datagram).is_ok() && cookie(6) == Some(true) => {
            framed_stun(octets)
        }
        Ok(frame) => follows(frame.datagram, octets.get(frame.octets..).unwrap_or_default()),
    }
}

fn stun_length(octets: &[u8]) -> Option<usize> {
    let &[_, _, a, b] = octets.first_chunk::<4>()?;
    Some(usize::from(u16::from_be_bytes([a, b]))).filter(|length| length.is_multiple_of(4))
}

/// A STUN message whose own length agrees with the one before it.
fn framed_stun(octets: &[u8]) -> Start {
    let Some(&[a, b, ref rest @ ..]) = octets.get(..octets.len()) else { return Start::No };
    let framed = usize::from(u16::from_be_bytes([a, b]));
    let own = stun_length(rest).map(|length| length.saturating_add(20));
    if own == Some(framed) { Start::Is(Way::Length) } else { Start::No }
}

/// The beginning of a packet that has not come whole.
fn plausible(octets: &[u8]) -> Start {
    let long_enough = matches!(octets, [a, b, ..] if u16::from_be_bytes([*a, *b]) >= 12);
    if long_enough { Start::More } else { Start::No }
}

/// Whether the packet behind `packet` is of the same source, or RTCP.
fn follows(packet: &[u8], rest: &[u8]) -> Start {
    let Ok(header) = demux::rtp(packet) else {
        let clear = rtcp::looks_like(packet) == rtcp::RtcpShape::Clear;
        return if clear { Start::Is(Way::Length) } else { Start::No };
    };
    match next(Way::Length, rest) {
        Err(None) => Start::No,
        Err(Some(_)) => Start::More,
        Ok(second) => match demux::rtp(second.datagram) {
            Ok(next) if succeeds(&header, &next) => Start::Is(Way::Length),
            Err(_) if rtcp::looks_like(second.datagram) == rtcp::RtcpShape::Clear => {
                Start::Is(Way::Length)
            }
            _ => Start::No,
        },
    }
}

fn succeeds(before: &Header<'_>, after: &Header<'_>) -> bool {
    before.ssrc == after.ssrc && after.sequence.wrapping_sub(before.sequence) < 16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtp(sequence: u8, octets: usize) -> Vec<u8> {
        let mut packet = vec![0x80, 0, 0, sequence, 0, 0, 0, 9, 1, 2, 3, 4];
        packet.resize(octets, 0x55);
        let mut framed = u16::try_from(packet.len()).unwrap().to_be_bytes().to_vec();
        framed.extend(packet);
        framed
    }

    #[test]
    fn two_packets_of_one_source_are_rtp_and_one_is_not_yet() {
        let two = [rtp(1, 172), rtp(2, 172)].concat();
        for len in 0..two.len() {
            assert_eq!(start(&two[..len]), Start::More, "{len}");
        }
        assert_eq!(start(&two), Start::Is(Way::Length));
        let mut other = rtp(2, 172);
        other[13] ^= 1;
        assert_eq!(start(&[rtp(1, 172), other].concat()), Start::No);
    }

    #[test]
    fn stun_is_told_with_a_length_before_it_and_without() {
        let mut message = vec![0, 1, 0, 0];
        message.extend(stun::MAGIC_COOKIE.to_be_bytes());
        message.extend([7; 12]);
        for len in 0..8 {
            assert_eq!(start(&message[..len]), Start::More, "{len}");
        }
        assert_eq!(start(&message), Start::Is(Way::Turn));
        let framed = [&[0, 20][..], &message].concat();
        assert_eq!(start(&framed), Start::Is(Way::Length));
        assert_eq!(start(&[&[0, 24][..], &message, &[0; 4]].concat()), Start::No);
    }

    #[test]
    fn frames_are_cut_by_their_lengths() {
        let octets = [0x40, 1, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0x40];
        let frame = next(Way::Turn, &octets).unwrap();
        assert_eq!((frame.datagram, frame.octets), (&octets[..9], 12));
        assert_eq!(next(Way::Turn, &octets[..11]), Err(Some(12)));
        assert_eq!(next(Way::Turn, &[0x80, 0, 0, 0]), Err(None));
        assert_eq!(next(Way::Length, &[0, 2, 7, 8, 9]).unwrap().datagram, [7, 8]);
    }

    #[test]
    fn other_protocols_are_neither() {
        assert_eq!(start(b"GET / HTTP/1.1\r\n\r\n"), Start::No);
        assert_eq!(start(b"INVITE sip:a@b SIP/2.0\r\n"), Start::No);
        assert_eq!(start(b"\x00\x00\x00\x2f\xffSMB\x72"), Start::No);
    }
}
