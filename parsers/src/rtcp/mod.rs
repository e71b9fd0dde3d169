//! RTCP: whether a datagram is a compound packet, and the sub-packets of one.
//!
//! ```text
//! |V=2|P|   RC    |      PT       |   length in 32-bit words - 1  |   of each sub-packet
//! |                     SSRC of packet sender                     |
//! ```
//!
//! RFC 3550 §6, reduced-size packets of RFC 5506 included. SRTCP keeps the first 8 octets in clear,
//! then comes ciphertext, then `E(1)|index(31)` and the authentication tag (RFC 3711 §3.4); AES-GCM
//! has its tag before that word (RFC 7714 §9.2). The MKI is not searched for.

pub mod extended;
pub mod packet;

pub use packet::{Body, Packet, Packets, ReportBlock, SdesItem};

/// What a datagram looks like to someone who expects RTCP.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RtcpShape {
    /// Every sub-packet has V=2 and a known type, and the lengths end exactly at the end.
    Clear,
    /// The first header is RTCP's, the rest does not walk, and an SRTCP index stands at the end.
    Encrypted,
    /// Neither.
    No,
}

/// The word that SRTCP appends (RFC 3711 §3.4).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SrtcpIndex {
    /// E: the packet is encrypted.
    pub encrypted: bool,
    /// Counts the sender's SRTCP packets, 31 bits.
    pub index: u32,
    /// Octets after the word: 10 for HMAC-SHA1 (the tag), 0 for AES-GCM (the tag is before).
    pub behind: usize,
}

impl SrtcpIndex {
    /// The word as it stands in the packet: E in the highest bit.
    pub const fn word(self) -> u32 {
        if self.encrypted { self.index | 1 << 31 } else { self.index }
    }
}

/// Indices above this are not believed: at one packet a second it takes half a year to get here.
const LARGEST_INDEX: u32 = 0x00ff_ffff;
/// HMAC-SHA1: the word and an 80-bit tag, whatever the SRTP tag is (RFC 3711 §3.4, §5.2).
const HMAC_TRAILER: usize = 14;
/// AES-GCM: a 128-bit tag and the word.
const GCM_TRAILER: usize = 20;

/// Tells clear RTCP from SRTCP from anything else, by lengths and types alone.
///
/// Random octets pass as `Clear` or `Encrypted` less than once in a million.
pub fn looks_like(datagram: &[u8]) -> RtcpShape {
    let Some(first) = Packet::read(datagram) else { return RtcpShape::No };
    if !matches!(first.packet_type, 192..=195 | 200..=213) {
        return RtcpShape::No;
    }
    let mut packets = Packets::new(datagram);
    let walked = packets.by_ref().last().is_some();
    if walked && packets.rest().is_empty() {
        return RtcpShape::Clear;
    }
    if srtcp_index(datagram).is_some() { RtcpShape::Encrypted } else { RtcpShape::No }
}

/// The SRTCP index of a datagram whose first header is RTCP's.
///
/// With E=1 it must be below 2^24. With E=0 the sub-packets must in addition walk up to exactly
/// where the trailer begins. HMAC's place is tried before GCM's.
pub fn srtcp_index(datagram: &[u8]) -> Option<SrtcpIndex> {
    let first = Packet::read(datagram)?;
    if !(200..=207).contains(&first.packet_type) {
        return None;
    }
    let rest = datagram.len().checked_sub(first.octets())?;
    [(HMAC_TRAILER, 10), (GCM_TRAILER, 0)].into_iter().find_map(|(trailer, behind)| {
        let cut = rest.checked_sub(trailer).and_then(|_| datagram.len().checked_sub(trailer))?;
        let at = datagram.len().checked_sub(behind)?.checked_sub(4)?;
        let word = u32::from_be_bytes(*datagram.get(at..)?.first_chunk()?);
        let found = SrtcpIndex { encrypted: word >> 31 == 1, index: word & 0x7fff_ffff, behind };
        if found.index > LARGEST_INDEX {
            return None;
        }
        if !found.encrypted {
            let mut packets = Packets::new(datagram.get(..cut)?);
            packets.by_ref().last()?;
            return packets.rest().is_empty().then_some(found);
        }
        Some(found)
    })
}

/// The word that would be SRTCP's with `behind` octets after it: an MKI and the tag of HMAC-SHA1, or an
/// MKI alone with AES-GCM. With E=0 the content in front of the trailer must walk as RTCP.
///
/// By itself this says nothing: with E=1 half of all random octets pass. The index must rise by one
/// from packet to packet of a sender.
pub fn srtcp_word(datagram: &[u8], behind: usize) -> Option<SrtcpIndex> {
    let first = Packet::read(datagram)?;
    if !(200..=207).contains(&first.packet_type) {
        return None;
    }
    let at = datagram.len().checked_sub(behind)?.checked_sub(4)?;
    let word = u32::from_be_bytes(*datagram.get(at..)?.first_chunk()?);
    let found = SrtcpIndex { encrypted: word >> 31 == 1, index: word & 0x7fff_ffff, behind };
    if at < 8 {
        return None;
    }
    if !found.encrypted {
        let hmac = datagram.get(..at)?;
        let gcm = at.checked_sub(16).and_then(|cut| datagram.get(..cut));
        let walks = |content: &[u8]| {
            let mut packets = Packets::new(content);
            packets.by_ref().last().is_some() && packets.rest().is_empty()
        };
        return (walks(hmac) || gcm.is_some_and(walks)).then_some(found);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A receiver report without blocks, then a BYE.
    pub(super) const COMPOUND: [u8; 16] =
        [0x80, 201, 0, 1, 0, 0, 0, 7, 0x81, 203, 0, 1, 0, 0, 0, 7];

    #[test]
    fn a_compound_packet_ends_where_its_lengths_say() {
        assert_eq!(looks_like(&COMPOUND), RtcpShape::Clear);
        assert_eq!(looks_like(&COMPOUND[..8]), RtcpShape::Clear);
        for len in (0..8).chain(9..16) {
            assert_eq!(looks_like(&COMPOUND[..len]), RtcpShape::No, "{len}");
        }
        let mut other = COMPOUND;
        other[1] = 96;
        assert_eq!(looks_like(&other), RtcpShape::No);
    }

    #[test]
    fn srtcp_is_told_by_the_index_before_or_behind_the_tag() {
        let mut hmac = COMPOUND[..8].to_vec();
        hmac.extend([0x55; 20]);
        hmac.extend([0x80, 0, 0, 1]);
        hmac.extend([0xaa; 10]);
        assert_eq!(looks_like(&hmac), RtcpShape::Encrypted);
        let index = SrtcpIndex { encrypted: true, index: 1, behind: 10 };
        assert_eq!(srtcp_index(&hmac), Some(index));

        let mut gcm = COMPOUND[..8].to_vec();
        gcm.extend([0xaa; 36]);
        gcm.extend([0x80, 0, 0, 9]);
        assert_eq!(srtcp_index(&gcm).map(|i| (i.index, i.behind)), Some((9, 0)));

        let mut clear = COMPOUND.to_vec();
        clear.extend([0, 0, 0, 3]);
        clear.extend([0xaa; 10]);
        assert_eq!(srtcp_index(&clear).map(|i| (i.encrypted, i.index)), Some((false, 3)));
    }
}
