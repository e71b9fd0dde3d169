//! The fixed header of an RTP packet, its contributing sources and its extension.
//!
//! ```text
//!  0                   1                   2                   3
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! |                           timestamp                           |
//! |                             SSRC                              |
//! |                 CSRC, CC times                                |
//! |   profile, if X               |  length in 32-bit words       |
//! |                 extension ...                                 |
//! ```
//!
//! RFC 3550 §5.1 and §5.3.1. SRTP (RFC 3711 §3.1) leaves all of this in clear, so one reader serves
//! both; that is also why padding is not removed here: under SRTP its count is ciphertext.
//! Not decided here: whether the datagram is RTP at all (see [`crate::demux`]).

/// The length of the fixed part, octets.
pub const FIXED: usize = 12;

/// The header of one RTP or SRTP packet and what follows it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// M: meaning set by the profile; for audio the first packet of a talkspurt (RFC 3551 §4.1).
    pub marker: bool,
    /// PT, 0 to 127.
    pub payload_type: u8,
    /// Sequence number, one more for each packet sent, wrapping.
    pub sequence: u16,
    /// Sampling instant, in ticks of the payload type's clock rate (not seconds), wrapping.
    pub timestamp: u32,
    /// The synchronization source.
    pub ssrc: u32,
    /// Contributing sources: 4 octets each, big endian, 0 to 15 of them.
    pub csrc: &'a [u8],
    /// The profile's word and the octets of the header extension, if X is set.
    pub extension: Option<(u16, &'a [u8])>,
    /// P: the last octet counts padding octets. Under SRTP that count is encrypted.
    pub padding: bool,
    /// All octets after the header, padding, MKI and authentication tag included.
    pub payload: &'a [u8],
}

/// Why a datagram is not an RTP packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RtpError {
    /// CC or the extension length points past the end.
    Short {
        /// Octets the header asks for, as far as it could be read.
        need: usize,
        /// Octets there are.
        have: usize,
    },
    /// V is not 2.
    Version(u8),
    /// A payload type that belongs to RTCP on a port they share (RFC 5761 §4); the header itself is
    /// read whatever it is.
    PayloadType(u8),
}

impl RtpError {
    /// A fixed label for counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Short { .. } => "rtp-short",
            Self::Version(_) => "rtp-version",
            Self::PayloadType(_) => "rtp-payload-type",
        }
    }
}

/// What CC and X announce, and the payload behind it.
type Optional<'a> = (&'a [u8], Option<(u16, &'a [u8])>, &'a [u8]);

impl<'a> Header<'a> {
    /// Reads one datagram.
    ///
    /// # Errors
    /// [`RtpError::Short`] when CC or the extension length points past the end,
    /// [`RtpError::Version`] when V is not 2.
    #[inline]
    pub fn parse(datagram: &'a [u8]) -> Result<Self, RtpError> {
        let Some((&[first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3], rest)) =
            datagram.split_first_chunk::<FIXED>()
        else {
            return Err(RtpError::Short { need: FIXED, have: datagram.len() });
        };
        if first >> 6 != 2 {
            return Err(RtpError::Version(first >> 6));
        }
        // Nearly every packet of a telephone has neither sources nor an extension.
        let (csrc, extension, payload) = match first & 0x1f {
            0 => (&[][..], None, rest),
            _ => Self::optional(first, rest)?,
        };
        Ok(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            csrc,
            extension,
            padding: first & 0x20 != 0,
            payload,
        })
    }

    /// The payload without padding; `None` when P is set and the count is 0 or more than there is.
    ///
    /// Means something only where the payload is cleartext: SRTP encrypts the count.
    pub fn unpadded(&self) -> Option<&'a [u8]> {
        if !self.padding {
            return Some(self.payload);
        }
        let &count = self.payload.last()?;
        let keep = self.payload.len().checked_sub(usize::from(count))?;
        if count == 0 { None } else { self.payload.get(..keep) }
    }

    /// Octets of the packet, from the header on.
    pub fn octets(&self) -> usize {
        let extension = self.extension.map_or(0, |(_, octets)| octets.len().saturating_add(4));
        let behind = [self.csrc.len(), extension, self.payload.len()];
        behind.into_iter().fold(FIXED, usize::saturating_add)
    }

    /// Appends the packet as it was read, octet for octet.
    pub fn write(&self, out: &mut Vec<u8>) {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let sources = u8::try_from(self.csrc.len() / 4).unwrap_or(0x0f) & 0x0f;
        let extended = bit(self.extension.is_some(), 0x10);
        out.push(0x80 | bit(self.padding, 0x20) | extended | sources);
        out.push(bit(self.marker, 0x80) | self.payload_type & 0x7f);
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend(self.csrc);
        if let Some((profile, octets)) = self.extension {
            out.extend(profile.to_be_bytes());
            out.extend(u16::try_from(octets.len() / 4).unwrap_or(u16::MAX).to_be_bytes());
            out.extend(octets);
        }
        out.extend(self.payload);
    }

    /// Contributing sources, extension and payload.
    #[cold]
    fn optional(first: u8, rest: &'a [u8]) -> Result<Optional<'a>, RtpError> {
        let have = rest.len().saturating_add(FIXED);
        let short = |need: usize| RtpError::Short { need: need.saturating_add(FIXED), have };
        let sources = usize::from(first & 0x0f).saturating_mul(4);
        let (csrc, rest) = rest.split_at_checked(sources).ok_or(short(sources))?;
        if first & 0x10 == 0 {
            return Ok((csrc, None, rest));
        }
        let start = sources.saturating_add(4);
        let Some((&[p0, p1, l0, l1], rest)) = rest.split_first_chunk::<4>() else {
            return Err(short(start));
        };
        let length = usize::from(u16::from_be_bytes([l0, l1])).saturating_mul(4);
        let (octets, rest) =
            rest.split_at_checked(length).ok_or(short(start.saturating_add(length)))?;
        Ok((csrc, Some((u16::from_be_bytes([p0, p1]), octets)), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: [u8; 16] = [0x80, 0x88, 1, 2, 3, 4, 5, 6, 0xde, 0xad, 0xbe, 0xef, 9, 8, 7, 6];

    fn full() -> Vec<u8> {
        let mut packet = vec![0xb2, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend([0, 0, 0, 10, 0, 0, 0, 11]);
        packet.extend([0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
        packet.extend([1, 2, 3, 0, 2]);
        packet
    }

    #[test]
    fn each_field_is_where_the_diagram_says() {
        let header = Header::parse(&PLAIN).unwrap();
        assert!(header.marker && !header.padding);
        assert_eq!((header.payload_type, header.sequence), (8, 0x0102));
        assert_eq!((header.timestamp, header.ssrc), (0x0304_0506, 0xdead_beef));
        assert_eq!((header.csrc, header.extension), (&[][..], None));
        assert_eq!(header.payload, [9, 8, 7, 6]);
        assert_eq!(header.unpadded(), Some(&[9, 8, 7, 6][..]));
    }

    #[test]
    fn sources_extension_and_padding_are_split_off() {
        let packet = full();
        let header = Header::parse(&packet).unwrap();
        assert_eq!(header.csrc, [0, 0, 0, 10, 0, 0, 0, 11]);
        assert_eq!(header.extension, Some((0xbede, &[0x10, 0xff, 0, 0][..])));
        assert_eq!(header.payload, [1, 2, 3, 0, 2]);
        assert_eq!(header.unpadded(), Some(&[1, 2, 3][..]));
    }

    #[test]
    fn what_was_read_is_written_octet_for_octet() {
        for packet in [PLAIN.to_vec(), full()] {
            let header = Header::parse(&packet).unwrap();
            let mut out = Vec::new();
            header.write(&mut out);
            assert_eq!((header.octets(), &out), (packet.len(), &packet));
        }
    }

    #[test]
    fn every_truncation_is_an_error_and_says_where() {
        let packet = full();
        for len in 0..28 {
            let need = match len {
                0..12 => 12,
                12..20 => 20,
                20..24 => 24,
                _ => 28,
            };
            assert_eq!(Header::parse(&packet[..len]), Err(RtpError::Short { need, have: len }));
        }
        assert_eq!(Header::parse(&[0x40; 12]), Err(RtpError::Version(1)));
    }

    #[test]
    fn padding_that_cannot_be_is_refused() {
        let mut packet = PLAIN;
        packet[0] |= 0x20;
        for (count, unpadded) in
            [(0, None), (5, None), (4, Some(&[][..])), (1, Some(&[9, 8, 7][..]))]
        {
            packet[15] = count;
            assert_eq!(Header::parse(&packet).unwrap().unpadded(), unpadded, "{count}");
        }
        assert_eq!(Header::parse(&packet[..12]).unwrap().unpadded(), None);
    }
}
