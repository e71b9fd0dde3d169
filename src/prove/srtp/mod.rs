//! SRTP and SRTCP with a known key: whether a packet's tag was made with it, and what is inside
//! (RFC 3711, RFC 6188, RFC 7714).
//!
//! ```text
//! HMAC suites  | header, CSRC, extension | ciphertext          | MKI | tag |
//! GCM suites   | header, CSRC, extension | ciphertext and tag  | MKI |
//!               \------ in clear ------/
//! ```
//!
//! The header is never encrypted (header extensions under RFC 6904 would be; they are passed on as
//! they are). A session has no memory: the rollover counter is given with each packet, so a capture
//! that begins in the middle of a call can be tried with several. Not decided here: which counter
//! that is, whether a packet is a replay, and what to do with what was opened.
//!
//! [`Session::protect`] makes the packets of test scenarios.

mod aes;
mod cipher;
mod derive;
mod dtls;
mod gcm;
mod mac;
mod master;
mod mikey;
mod srtcp;
mod suite;

use std::fmt;

use overhear_parsers::rtp::header::{Header, RtpError};

pub use self::dtls::dtls_keys;
pub use self::master::MasterKey;
pub use self::mikey::mikey_keys;
pub use self::srtcp::RtcpIndex;
pub use self::suite::{LONGEST, Mode, Suite};

use self::cipher::Place;
use self::derive::Keys;

/// Why a packet could not be opened.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SrtpError {
    /// It is no RTP packet.
    Header(RtpError),
    /// It has no room for MKI and tag, or is no RTCP packet.
    Short,
    /// Its tag was not made with this key and rollover counter, or it was changed on its way.
    Tag,
}

/// What one master key protects: one direction of a session.
pub struct Session {
    suite: Suite,
    mki: usize,
    clear_rtp: bool,
    rtp: Keys,
    rtcp: Keys,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// An SRTP packet, cut.
struct Parts<'a> {
    header: &'a [u8],
    /// Of a GCM suite with its tag.
    text: &'a [u8],
    /// Empty for a GCM suite.
    tag: &'a [u8],
    /// Header and ciphertext.
    signed: &'a [u8],
    place: Place,
}

impl Session {
    /// A session without MKI; `None` unless key and salt are as long as the suite asks for.
    pub fn new(suite: Suite, key: &[u8], salt: &[u8]) -> Option<Self> {
        let (rtp, rtcp) = derive::derive(suite, key, salt)?;
        Some(Self { suite, mki: 0, clear_rtp: false, rtp, rtcp })
    }

    /// The same with a master key identifier of so many octets in each packet, 0 for none.
    pub fn with_mki(mut self, octets: usize) -> Self {
        self.mki = octets;
        self
    }

    /// The same with SRTP authenticated but not encrypted (`UNENCRYPTED_SRTP`, RFC 4568 §6.3.2).
    /// SRTCP says in each packet whether it is encrypted.
    pub fn unencrypted(mut self) -> Self {
        self.clear_rtp = true;
        self
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Whether the tag of an SRTP packet was made with this key under this rollover counter.
    pub fn verify(&self, packet: &[u8], roc: u32) -> bool {
        let Ok(parts) = self.cut(packet, roc) else { return false };
        match &self.rtp.mac {
            Some(mac) => mac.tag([parts.signed, &roc.to_be_bytes()]).starts_with(parts.tag),
            None => self.unseal(&parts, &mut Vec::new()).is_ok(),
        }
    }

    /// Verifies an SRTP packet and puts the RTP packet that was in it into `out`, header first,
    /// padding included; `out` is emptied before.
    ///
    /// # Errors
    /// [`SrtpError::Header`] and [`SrtpError::Short`] for what is no SRTP packet,
    /// [`SrtpError::Tag`] when the tag does not match: then `out` holds nothing.
    pub fn open(&self, packet: &[u8], roc: u32, out: &mut Vec<u8>) -> Result<(), SrtpError> {
        out.clear();
        let parts = self.cut(packet, roc)?;
        let Some(mac) = &self.rtp.mac else { return self.unseal(&parts, out) };
        if !mac.tag([parts.signed, &roc.to_be_bytes()]).starts_with(parts.tag) {
            return Err(SrtpError::Tag);
        }
        out.extend_from_slice(parts.signed);
        if let Some(text) = out.get_mut(parts.header.len()..).filter(|_| !self.clear_rtp) {
            self.rtp.cipher.apply(&parts.place, text);
        }
        Ok(())
    }

    /// Makes the SRTP packet of an RTP packet, with this MKI: for tests. Gives nothing for what is
    /// no RTP packet or an MKI of another length than the session's.
    pub fn protect(&self, packet: &[u8], roc: u32, mki: &[u8]) -> Option<Vec<u8>> {
        let header = Header::parse(packet).ok().filter(|_| mki.len() == self.mki)?;
        let (front, text) = packet.split_at(packet.len().checked_sub(header.payload.len())?);
        let place = place(&header, front, roc);
        let mut out = front.to_vec();
        out.extend_from_slice(text);
        let clear = if self.clear_rtp { out.len() } else { front.len() };
        if let Some((key, nonce)) = self.rtp.cipher.gcm(&place) {
            let (aad, text) = out.split_at_mut_checked(clear)?;
            let tag = key.seal(nonce, aad, text)?;
            out.extend_from_slice(&tag);
            out.extend_from_slice(mki);
            return Some(out);
        }
        self.rtp.cipher.apply(&place, out.get_mut(clear..)?);
        let tag = self.rtp.mac.as_ref()?.tag([&out, &roc.to_be_bytes()]);
        out.extend_from_slice(mki);
        out.extend(tag.iter().take(self.suite.tag_octets()));
        Some(out)
    }

    fn cut<'a>(&self, packet: &'a [u8], roc: u32) -> Result<Parts<'a>, SrtpError> {
        let header = Header::parse(packet).map_err(SrtpError::Header)?;
        let length = packet.len().saturating_sub(header.payload.len());
        let (front, _) = packet.split_at_checked(length).ok_or(SrtpError::Short)?;
        let tag = self.suite.tag_octets();
        let behind = if self.rtp.mac.is_some() { tag.saturating_add(self.mki) } else { self.mki };
        let end = packet.len().checked_sub(behind).filter(|end| *end >= length);
        let (signed, rest) =
            end.and_then(|end| packet.split_at_checked(end)).ok_or(SrtpError::Short)?;
        let text = signed.get(length..).unwrap_or_default();
        let tag = if self.rtp.mac.is_some() { rest.get(self.mki..) } else { None };
        if self.rtp.mac.is_none() && text.len() < self.suite.tag_octets() {
            return Err(SrtpError::Short);
        }
        let place = place(&header, front, roc);
        Ok(Parts { header: front, text, tag: tag.unwrap_or_default(), signed, place })
    }

    /// Opens a packet of a GCM suite.
    fn unseal(&self, parts: &Parts<'_>, out: &mut Vec<u8>) -> Result<(), SrtpError> {
        let (key, nonce) = self.rtp.cipher.gcm(&parts.place).ok_or(SrtpError::Tag)?;
        let sealed = if self.clear_rtp { self.suite.tag_octets() } else { parts.text.len() };
        let clear = parts.signed.len().saturating_sub(sealed);
        open_sealed(key, nonce, parts.signed, clear, out)
    }
}

/// Puts `octets` into `out` and opens what lies behind the first `clear` of them, which are
/// authenticated too; on failure `out` is empty.
fn open_sealed(
    key: &gcm::Gcm,
    nonce: [u8; gcm::NONCE],
    octets: &[u8],
    clear: usize,
    out: &mut Vec<u8>,
) -> Result<(), SrtpError> {
    out.clear();
    out.extend_from_slice(octets);
    let opened = out.split_at_mut_checked(clear).and_then(|(aad, text)| key.open(nonce, aad, text));
    if let Some(plain) = opened {
        out.truncate(clear.saturating_add(plain));
        Ok(())
    } else {
        out.clear();
        Err(SrtpError::Tag)
    }
}

/// The place of an SRTP packet; the IV of f8 mode is its header without the first octet, and ROC.
fn place(header: &Header<'_>, front: &[u8], roc: u32) -> Place {
    let fixed = derive::leading(front.get(1..12).unwrap_or_default()) >> 8;
    Place {
        ssrc: header.ssrc,
        index: (u64::from(roc) << 16) | u64::from(header.sequence),
        f8: fixed | u128::from(roc),
    }
}

/// Hexadecimal digits as octets; anything else between them is skipped.
#[cfg(test)]
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[cfg(test)]
mod tests;
