//! Speex in Ogg (RFC 3533), a packet a page: as much of the container as a player needs.

use std::io::{self, Write};

/// The number of the only stream.
const SERIAL: u32 = 0x6f76_6872;

/// An Ogg file being written.
pub(super) struct Ogg<'a> {
    out: &'a mut dyn Write,
    page: u32,
    samples: u64,
}

impl<'a> Ogg<'a> {
    /// Begins a file of Speex in one channel, with its two header packets.
    pub(super) fn speex(out: &'a mut dyn Write, rate: u32) -> io::Result<Self> {
        let mut ogg = Self { out, page: 0, samples: 0 };
        let mut head = b"Speex   1.2".to_vec();
        head.resize(28, 0);
        let mode = rate / 16_000;
        // Version, octets of this header, rate, mode and its version, channels, bit rate not
        // known, samples a frame, VBR, frames a packet, further headers, two reserved.
        for number in [1, 80, rate, mode, 4, 1, u32::MAX, rate / 50, 0, 1, 0, 0, 0] {
            head.extend(number.to_le_bytes());
        }
        ogg.write(&head, 2)?;
        let mut comment = 8_u32.to_le_bytes().to_vec();
        comment.extend(b"overhear");
        comment.extend(0_u32.to_le_bytes());
        ogg.write(&comment, 0)?;
        Ok(ogg)
    }

    /// Adds a packet that stands for so many samples.
    pub(super) fn packet(&mut self, octets: &[u8], samples: usize, last: bool) -> io::Result<()> {
        self.samples = self.samples.saturating_add(u64::try_from(samples).unwrap_or(0));
        self.write(octets, if last { 4 } else { 0 })
    }

    /// A page of one packet; flags are 2 for the first page and 4 for the last.
    fn write(&mut self, packet: &[u8], flags: u8) -> io::Result<()> {
        // 255 segments of 255 octets is a page's room: more than a datagram of speech ever has.
        let packet = packet.get(..packet.len().min(254 * 255)).unwrap_or_default();
        let whole = packet.len() / 255;
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend(self.samples.to_le_bytes());
        page.extend(SERIAL.to_le_bytes());
        page.extend(self.page.to_le_bytes());
        page.extend([0; 4]);
        page.push(u8::try_from(whole + 1).unwrap_or(u8::MAX));
        page.resize(page.len() + whole, 255);
        page.push(u8::try_from(packet.len() % 255).unwrap_or_default());
        page.extend(packet);
        let sum = checksum(&page).to_le_bytes();
        if let Some(field) = page.get_mut(22..26) {
            field.copy_from_slice(&sum);
        }
        self.page = self.page.wrapping_add(1);
        self.out.write_all(&page)
    }
}

/// The CRC of RFC 3533 §6: polynomial 0x04c11db7, neither reflected nor inverted.
fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum, octet| {
        let mut sum: u32 = sum ^ u32::from(*octet) << 24;
        for _ in 0..8 {
            sum = if sum >> 31 == 0 { sum << 1 } else { sum << 1 ^ 0x04c1_1db7 };
        }
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_the_header_the_segments_and_the_sum_of_the_standard() {
        let mut out = Vec::new();
        let mut ogg = Ogg::speex(&mut out, 16_000).unwrap();
        ogg.packet(&[9; 300], 320, true).unwrap();
        let page = &out[out.len() - 300 - 2 - 27..];
        assert_eq!((&page[..6], page[26], &page[27..29]), (&b"OggS\0\x04"[..], 2, &[255, 45][..]));
        let mut without = page.to_vec();
        without[22..26].fill(0);
        assert_eq!(page[22..26], checksum(&without).to_le_bytes());
        assert_eq!(checksum(b"123456789"), 0x89a1_897f);
    }
}
