//! The two byte orders a capture may be written in.

/// The byte order of a pcap file or of one pcapng section.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// Least significant octet first.
    #[default]
    Little,
    /// Most significant octet first.
    Big,
}

impl Order {
    /// A 16-bit number.
    #[inline]
    pub(super) const fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        }
    }

    /// A 32-bit number.
    #[inline]
    pub(super) const fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        }
    }

    /// Sixteen octets as four 32-bit numbers.
    #[inline]
    pub(super) const fn quad(self, octets: &[u8; 16]) -> [u32; 4] {
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = *octets;
        [
            self.u32([a0, a1, a2, a3]),
            self.u32([b0, b1, b2, b3]),
            self.u32([c0, c1, c2, c3]),
            self.u32([d0, d1, d2, d3]),
        ]
    }

    /// A 64-bit number.
    pub(super) const fn u64(self, octets: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(octets),
            Self::Big => u64::from_be_bytes(octets),
        }
    }
}
