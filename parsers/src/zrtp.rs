//! ZRTP packets, recognised and named.
//!
//! ```text
//! |0 0 0 1|  (not used)           |      sequence number          |
//! |                magic cookie "ZRTP" 0x5a525450                 |
//! |                             SSRC                              |
//! |0 1 0 1 0 0 0 0 0 1 0 1 1 0 1 0|   message length in words     |
//! |            message type block, 8 octets                       |
//! |            ... and a CRC of 32 bits at the end                |
//! ```
//!
//! RFC 6189 §5. The checksum is not verified and the message is not read further.

/// "ZRTP".
pub const MAGIC_COOKIE: [u8; 4] = *b"ZRTP";

/// One ZRTP packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its own sequence number, apart from RTP's.
    pub sequence: u16,
    /// The SSRC of the media stream it keys.
    pub ssrc: u32,
    /// The type block without its trailing blanks: `Hello`, `HelloACK`, `Commit`, `DHPart1`, ...
    pub message_type: &'a [u8],
    /// The message after the type block and before the checksum, as far as captured.
    pub message: &'a [u8],
    /// The message from its preamble on, as RFC 6189 §8.1 hashes it; without the checksum.
    pub whole: &'a [u8],
}

/// Reads one datagram; `None` unless the first octet, the cookie and the preamble are ZRTP's.
pub fn parse(datagram: &[u8]) -> Option<Packet<'_>> {
    let (&[first, _, s0, s1, c0, c1, c2, c3, r0, r1, r2, r3], body) =
        datagram.split_first_chunk()?;
    let rest = body;
    let (&[0x50, 0x5a, l0, l1], rest) = rest.split_first_chunk()? else { return None };
    if first >> 4 != 1 || [c0, c1, c2, c3] != MAGIC_COOKIE {
        return None;
    }
    let (block, rest) = rest.split_first_chunk::<8>()?;
    // The length counts preamble and type block as well: 12 octets.
    let length = usize::from(u16::from_be_bytes([l0, l1])).saturating_mul(4).checked_sub(12)?;
    Some(Packet {
        sequence: u16::from_be_bytes([s0, s1]),
        ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
        message_type: block.trim_ascii_end(),
        message: rest.get(..length).unwrap_or(rest),
        whole: body.get(..length.saturating_add(12)).unwrap_or(body),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_ack_is_named() {
        let mut packet = vec![0x10, 0, 0, 9, b'Z', b'R', b'T', b'P', 0, 0, 0, 5];
        packet.extend([0x50, 0x5a, 0, 3]);
        packet.extend(*b"HelloACK");
        packet.extend([1, 2, 3, 4]);
        let parsed = parse(&packet).unwrap();
        assert_eq!((parsed.sequence, parsed.ssrc), (9, 5));
        assert_eq!((parsed.message_type, parsed.message), (&b"HelloACK"[..], &[][..]));
        for len in 0..24 {
            assert_eq!(parse(&packet[..len]), None);
        }
        packet[4] = b'z';
        assert_eq!(parse(&packet), None);
    }
}
