//! QUIC as far as anybody can read it: the header of an Initial packet of version 1 or 2 (RFC 9000 §17.2.2,
//! RFC 9369 §3), and the CRYPTO frames of its payload once that is opened (RFC 9000 §19.6).
//!
//! ```text
//! | 11TTRRPP | version (32) | length, destination | length, source | length, token | length | number, payload
//! ```
//!
//! Lengths of token and packet are variable-length integers (RFC 9000 §16). Nothing is decrypted here, and
//! no other packet is looked at.

/// A version of QUIC whose Initial packets are known.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 9000.
    One,
    /// RFC 9369.
    Two,
}

/// An Initial packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Initial<'a> {
    /// Its version.
    pub version: Version,
    /// The destination connection ID, of which the client's first makes the keys (RFC 9001 §5.2).
    pub destination: &'a [u8],
    /// The header up to the packet number, which is protected.
    pub header: &'a [u8],
    /// Packet number and payload, protected.
    pub rest: &'a [u8],
}

/// A piece of the handshake's octets.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// Where in them it begins.
    pub offset: u64,
    /// The octets.
    pub octets: &'a [u8],
}

/// The longest connection ID (RFC 9000 §17.2).
const ID_MAX: usize = 20;

impl<'a> Initial<'a> {
    /// Reads the Initial packet at the start of a datagram, and gives what follows it; `None` if it is
    /// none.
    pub fn read(datagram: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[first, v0, v1, v2, v3, length], rest) = datagram.split_first_chunk()?;
        let (version, kind) = match u32::from_be_bytes([v0, v1, v2, v3]) {
            0x0000_0001 => (Version::One, 0),
            0x6b33_43cf => (Version::Two, 1),
            _ => return None,
        };
        if first & 0xc0 != 0xc0 || first >> 4 & 3 != kind {
            return None;
        }
        let (destination, rest) = id(length, rest)?;
        let (&length, rest) = rest.split_first()?;
        let (_, rest) = id(length, rest)?;
        let (token, rest) = number(rest)?;
        let (_, rest) = rest.split_at_checked(usize::try_from(token).ok()?)?;
        let (length, rest) = number(rest)?;
        let header = datagram.get(..datagram.len().checked_sub(rest.len())?)?;
        let (rest, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        Some((Self { version, destination, header, rest }, after))
    }
}

/// The CRYPTO frames of a payload that was opened, up to the first frame that an Initial packet has no
/// room for (RFC 9000 §12.4).
pub fn crypto(payload: &[u8]) -> impl Iterator<Item = Crypto<'_>> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        loop {
            let (&kind, after) = rest.split_first()?;
            rest = match kind {
                // PADDING and PING.
                0 | 1 => after,
                2 | 3 => ack(after, kind == 3)?,
                6 => {
                    let (offset, after) = number(after)?;
                    let (length, after) = number(after)?;
                    let (octets, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
                    rest = after;
                    return Some(Crypto { offset, octets });
                }
                _ => return None,
            };
        }
    })
}

/// What follows an ACK frame (RFC 9000 §19.3).
fn ack(octets: &[u8], counts: bool) -> Option<&[u8]> {
    let (_largest, rest) = number(octets)?;
    let (_delay, rest) = number(rest)?;
    let (ranges, rest) = number(rest)?;
    let (_first, mut rest) = number(rest)?;
    let more = if counts { 3 } else { 0 };
    for _ in 0..ranges.saturating_mul(2).saturating_add(more) {
        (_, rest) = number(rest)?;
    }
    Some(rest)
}

fn id(length: u8, octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(length);
    octets.split_at_checked(length).filter(|_| length <= ID_MAX)
}

/// A variable-length integer (RFC 9000 §16).
fn number(octets: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, rest) = octets.split_first()?;
    let (more, rest) = rest.split_at_checked((1_usize << (first >> 6)).checked_sub(1)?)?;
    let value =
        more.iter().fold(u64::from(first & 0x3f), |sum, octet| sum << 8 | u64::from(*octet));
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_length_integers_are_those_of_the_appendix() {
        // RFC 9000 §A.1.
        let cases: [(&[u8], u64); 4] = [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x40, 0x25], 37),
        ];
        for (octets, value) in cases {
            assert_eq!(number(octets), Some((value, &[][..])));
            assert_eq!(number(&octets[..octets.len() - 1]), None);
        }
    }

    #[test]
    fn an_initial_packet_is_cut_into_its_parts() {
        let datagram = [
            &[0xc3, 0, 0, 0, 1, 4, 1, 2, 3, 4, 1, 9][..],
            &[2, 7, 7, 0x40, 3, 0xaa, 0xbb, 0xcc],
            b"next",
        ]
        .concat();
        let (initial, after) = Initial::read(&datagram).unwrap();
        assert_eq!((initial.version, initial.destination), (Version::One, &[1, 2, 3, 4][..]));
        assert_eq!((initial.header.len(), initial.rest), (17, &[0xaa, 0xbb, 0xcc][..]));
        assert_eq!(after, b"next");
        for short in 0..datagram.len() - 4 {
            assert_eq!(Initial::read(&datagram[..short]), None, "{short}");
        }
        for (place, octet) in [(0, 0x83), (0, 0xd3), (4, 2), (5, 21)] {
            let mut other = datagram.clone();
            other[place] = octet;
            assert_eq!(Initial::read(&other), None, "{place}");
        }
    }

    #[test]
    fn crypto_frames_are_found_between_others() {
        let payload = [
            &[0, 1, 6, 0x40, 5, 2, b'a', b'b'][..],
            &[2, 9, 0, 1, 0, 0, 0],
            &[3, 9, 0, 0, 0, 1, 2, 3, 6, 0, 1, b'c', 0x1c, 6, 0, 1, b'd'],
        ]
        .concat();
        let found: Vec<_> = crypto(&payload).map(|frame| (frame.offset, frame.octets)).collect();
        assert_eq!(found, [(5, &b"ab"[..]), (0, b"c")]);
    }
}
