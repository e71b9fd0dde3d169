//! SCTP packets and their DATA chunks (RFC 9260 §3), as SIP uses them (RFC 4168).
//!
//! ```text
//! | source port | destination port | verification tag | checksum |   common header, 12 octets
//! | type | flags | length | value ...                            |   chunks, padded to 4
//! ```
//!
//! The checksum is not verified. Only DATA chunks have their value read; I-DATA (RFC 8260) is passed
//! over.

/// Octets of the common header.
pub const HEADER: usize = 12;

/// One chunk.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The type: 0 DATA, 1 INIT, 3 SACK, ...
    pub kind: u8,
    /// Flags; their meaning depends on the type.
    pub flags: u8,
    /// The value without padding, as much of it as was captured.
    pub value: &'a [u8],
    /// Less was captured than the length says.
    pub cut: bool,
}

/// A piece of a user message (RFC 9260 §3.3.1).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// The first piece of its message.
    pub begins: bool,
    /// The last one.
    pub ends: bool,
    /// The transmission sequence number: pieces of one message have consecutive ones.
    pub tsn: u32,
    /// The stream.
    pub stream: u16,
    /// The payload protocol identifier as sent.
    pub protocol: u32,
    /// The octets.
    pub payload: &'a [u8],
    /// Less was captured than was sent.
    pub cut: bool,
}

/// The chunks of a packet, up to the first whose length cannot be.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// The chunks behind a common header.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (&[kind, flags, l0, l1], _) = self.rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if length < 4 {
            return None;
        }
        let cut = length > self.rest.len();
        let value = self.rest.get(4..length.min(self.rest.len()))?;
        self.rest = self.rest.get(length.checked_next_multiple_of(4)?..).unwrap_or(&[]);
        Some(Chunk { kind, flags, value, cut })
    }
}

impl<'a> Chunk<'a> {
    /// What a DATA chunk holds; `None` for another chunk, and for one cut inside its header.
    pub fn data(&self) -> Option<Data<'a>> {
        if self.kind != 0 {
            return None;
        }
        let (&[t0, t1, t2, t3, s0, s1, _, _, p0, p1, p2, p3], payload) =
            self.value.split_first_chunk()?;
        Some(Data {
            begins: self.flags & 2 != 0,
            ends: self.flags & 1 != 0,
            tsn: u32::from_be_bytes([t0, t1, t2, t3]),
            stream: u16::from_be_bytes([s0, s1]),
            protocol: u32::from_be_bytes([p0, p1, p2, p3]),
            payload,
            cut: self.cut,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_chunks_are_told_apart() {
        let mut octets = vec![3, 0, 0, 6, 9, 9, 0, 0];
        octets.extend([0, 3, 0, 18, 0, 0, 0, 7, 0, 1, 0, 0, 0, 0, 0, 0, b'h', b'i', 0, 0]);
        octets.extend([0, 2, 0, 17, 0, 0, 0, 8, 0, 1, 0, 1, 0, 0, 0, 0, b'!']);
        let data: Vec<Data<'_>> = Chunks::new(&octets).filter_map(|chunk| chunk.data()).collect();
        let told: Vec<_> = data.iter().map(|d| (d.tsn, d.begins, d.ends, d.payload)).collect();
        assert_eq!(told, [(7, true, true, &b"hi"[..]), (8, true, false, b"!")]);
    }

    #[test]
    fn a_cut_chunk_says_so_and_a_length_of_nothing_ends_the_walk() {
        let octets = [0, 3, 0, 100, 0, 0, 0, 7, 0, 1, 0, 0, 0, 0, 0, 0, b'h'];
        let data = Chunks::new(&octets).next().unwrap().data().unwrap();
        assert!(data.cut && data.payload == b"h");
        assert_eq!(Chunks::new(&[0, 3, 0, 3, 0]).count(), 0);
        assert_eq!(Chunks::new(&[0, 3]).count(), 0);
    }
}
