//! SRTCP: the index travels in the packet, and a bit says whether the rest is encrypted (RFC 3711
//! §3.4); GCM puts its tag before the index (RFC 7714 §9.2).
//!
//! ```text
//! HMAC suites  | first 8 octets | ciphertext         | E | index | MKI | tag |
//! GCM suites   | first 8 octets | ciphertext and tag | E | index | MKI |
//! ```

use super::cipher::Place;
use super::derive::leading;
use super::{Session, SrtpError, open_sealed};

/// Octets in front that are never encrypted: the first header and the SSRC of the sender.
const FRONT: usize = 8;
/// The bit that says that the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// What an SRTCP packet says of itself.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RtcpIndex {
    /// Counts the packets of the sender, 31 bits.
    pub index: u32,
    /// E: the packet is encrypted.
    pub encrypted: bool,
}

impl RtcpIndex {
    fn word(self) -> u32 {
        let index = self.index & !ENCRYPTED;
        if self.encrypted { index | ENCRYPTED } else { index }
    }
}

/// An SRTCP packet, cut.
struct Parts<'a> {
    /// Without index, MKI and, for HMAC suites, tag.
    body: &'a [u8],
    /// E and index.
    word: &'a [u8],
    /// Body and word, which the HMAC is made of.
    signed: &'a [u8],
    /// Empty for a GCM suite.
    tag: &'a [u8],
    said: RtcpIndex,
    place: Place,
}

impl Session {
    /// Whether the tag of an SRTCP packet was made with this key; then what it says of itself.
    pub fn verify_rtcp(&self, packet: &[u8]) -> Option<RtcpIndex> {
        let parts = self.cut_rtcp(packet)?;
        let good = match &self.rtcp.mac {
            Some(mac) => mac.tag([parts.signed, &[]]).starts_with(parts.tag),
            None => self.unseal_rtcp(&parts, &mut Vec::new()).is_ok(),
        };
        good.then_some(parts.said)
    }

    /// Verifies an SRTCP packet and puts the RTCP compound packet that was in it into `out`, which
    /// is emptied before.
    ///
    /// # Errors
    /// [`SrtpError::Short`] for what is no SRTCP packet, [`SrtpError::Tag`] when the tag does not
    /// match: then `out` holds nothing.
    pub fn open_rtcp(&self, packet: &[u8], out: &mut Vec<u8>) -> Result<RtcpIndex, SrtpError> {
        out.clear();
        let parts = self.cut_rtcp(packet).ok_or(SrtpError::Short)?;
        let Some(mac) = &self.rtcp.mac else {
            return self.unseal_rtcp(&parts, out).map(|()| parts.said);
        };
        if !mac.tag([parts.signed, &[]]).starts_with(parts.tag) {
            return Err(SrtpError::Tag);
        }
        out.extend_from_slice(parts.body);
        if let Some(text) = out.get_mut(FRONT..).filter(|_| parts.said.encrypted) {
            self.rtcp.cipher.apply(&parts.place, text);
        }
        Ok(parts.said)
    }

    /// Makes the SRTCP packet of an RTCP packet, with this MKI: for tests. Gives nothing for what
    /// is no RTCP packet or an MKI of another length than the session's.
    pub fn protect_rtcp(&self, packet: &[u8], said: RtcpIndex, mki: &[u8]) -> Option<Vec<u8>> {
        if mki.len() != self.mki {
            return None;
        }
        let (place, word) = (place(packet, said)?, said.word().to_be_bytes());
        let mut out = packet.to_vec();
        let clear = if said.encrypted { FRONT } else { out.len() };
        if let Some((key, nonce)) = self.rtcp.cipher.gcm(&place) {
            let (front, text) = out.split_at_mut_checked(clear)?;
            let tag = key.seal(nonce, &[&*front, &word].concat(), text)?;
            for piece in [&tag[..], &word, mki] {
                out.extend_from_slice(piece);
            }
            return Some(out);
        }
        self.rtcp.cipher.apply(&place, out.get_mut(clear..)?);
        out.extend_from_slice(&word);
        let tag = self.rtcp.mac.as_ref()?.tag([&out, &[]]);
        out.extend_from_slice(mki);
        out.extend(tag.iter().take(self.suite.rtcp_tag_octets()));
        Some(out)
    }

    fn cut_rtcp<'a>(&self, packet: &'a [u8]) -> Option<Parts<'a>> {
        let tag = if self.rtcp.mac.is_some() { self.suite.rtcp_tag_octets() } else { 0 };
        let end = packet.len().checked_sub(tag)?.checked_sub(self.mki)?;
        let (signed, behind) = packet.split_at_checked(end)?;
        let (body, word) = signed.split_at_checked(end.checked_sub(4)?)?;
        let bits = word.try_into().map(u32::from_be_bytes).ok()?;
        let said = RtcpIndex { index: bits & !ENCRYPTED, encrypted: bits & ENCRYPTED != 0 };
        let place = place(body, said)?;
        Some(Parts { body, word, signed, tag: behind.get(self.mki..)?, said, place })
    }

    /// Opens a packet of a GCM suite: what is in clear is authenticated together with the word.
    fn unseal_rtcp(&self, parts: &Parts<'_>, out: &mut Vec<u8>) -> Result<(), SrtpError> {
        let (key, nonce) = self.rtcp.cipher.gcm(&parts.place).ok_or(SrtpError::Tag)?;
        let clear = if parts.said.encrypted {
            FRONT
        } else {
            parts.body.len().checked_sub(self.suite.rtcp_tag_octets()).ok_or(SrtpError::Short)?
        };
        let (front, text) = parts.body.split_at_checked(clear).ok_or(SrtpError::Short)?;
        let octets = [front, parts.word, text].concat();
        open_sealed(key, nonce, &octets, clear.saturating_add(4), out)?;
        // The word was put between the two to authenticate it; it is no part of the packet.
        out.drain(clear..clear.saturating_add(4));
        Ok(())
    }
}

/// The place of an SRTCP packet; `None` if it is none. The IV of f8 mode is E and index, and the
/// first eight octets.
fn place(body: &[u8], said: RtcpIndex) -> Option<Place> {
    let front = body.first_chunk::<FRONT>()?;
    let [first, .., r0, r1, r2, r3] = *front;
    if first >> 6 != 2 {
        return None;
    }
    let f8 = (u128::from(said.word()) << 64) | (leading(front) >> 64);
    let ssrc = u32::from_be_bytes([r0, r1, r2, r3]);
    Some(Place { ssrc, index: u64::from(said.index), f8 })
}
