//! SRTCP (RFC 3711 §3.4): which datagrams are, and whether their content is encrypted.
//!
//! SRTCP appends a word, E and a 31-bit index that rises by exactly one with each packet of a
//! sender. One word proves little; three in a row at the same place are certain. The place depends
//! on what stands behind: the 80-bit tag of HMAC-SHA1, nothing with AES-GCM (RFC 7714 §9.2), and in
//! both an MKI. E is 0 where encryption was given up (RFC 4568 §6.3.2): then the content walks as
//! RTCP up to the trailer. State is kept only where one packet does not say enough: an MKI, or E=0.

use overhear_parsers::rtcp;

use crate::model::stream::StreamKey;
use crate::model::time::Ts;
use crate::policy::Limits;

use super::flow_table::FlowTable;

/// Name of the table in `evicted`.
pub const TABLE: &str = "srtcp";

/// Octets of one sender.
pub const ENTRY: usize = FlowTable::<Sender>::ENTRY;

/// Octets behind the word: an HMAC tag of 10 or none, and an MKI of 0, 1, 2, 4 or 8.
const BEHIND: [usize; 10] = [10, 11, 12, 14, 18, 0, 1, 2, 4, 8];

/// Packets whose index rises until it is certain.
const CERTAIN: u8 = 3;

/// What is remembered of one sender: for each place the last word, and how many rose in a row.
#[derive(Copy, Clone, Debug)]
pub struct Sender {
    words: [u32; BEHIND.len()],
    rose: [u8; BEHIND.len()],
}

/// What a datagram turned out to be.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing is certain yet.
    Nothing,
    /// SRTCP.
    Encrypted,
    /// SRTCP whose content is in clear; `news` with the packet that makes it certain.
    Clear {
        /// It is the third in a row.
        news: bool,
    },
}

/// The senders of one cell.
#[derive(Debug)]
pub struct SrtcpFlows {
    senders: FlowTable<Sender>,
}

impl SrtcpFlows {
    /// A table with one cell's share of the limits.
    pub fn new(limits: &Limits) -> Self {
        Self { senders: FlowTable::new(Limits::per_cell(limits.srtcp), limits.idle) }
    }

    /// Senders given up for lack of room.
    pub fn evicted(&self) -> u64 {
        self.senders.evicted()
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        self.senders.next_timer()
    }

    /// Forgets senders that have been silent for too long.
    pub fn advance(&mut self, watermark: Ts) {
        self.senders.advance(watermark, &mut |_| {});
    }

    /// Takes a datagram that is not RTCP in clear; `stream` is its sender, receiver and SSRC.
    pub fn datagram(&mut self, stream: &StreamKey, datagram: &[u8], watermark: Ts) -> Said {
        let new = || Sender { words: [0; BEHIND.len()], rose: [0; BEHIND.len()] };
        let sender = self.senders.get_or_insert(stream.hash64(), watermark, new, &mut |_| {});
        sender.datagram(datagram)
    }
}

impl Sender {
    fn datagram(&mut self, datagram: &[u8]) -> Said {
        let places = BEHIND.iter().zip(&mut self.words).zip(&mut self.rose);
        let mut said = Said::Nothing;
        for ((behind, before), rose) in places {
            let Some(word) = rtcp::srtcp_word(datagram, *behind) else {
                *rose = 0;
                continue;
            };
            // E stands in the highest bit and stays as it is; the index never gets there.
            let follows = *rose > 0 && word.word() == before.wrapping_add(1);
            *rose = if follows { rose.saturating_add(1) } else { 1 };
            *before = word.word();
            if *rose >= CERTAIN && said == Said::Nothing {
                let news = *rose == CERTAIN;
                said = if word.encrypted { Said::Encrypted } else { Said::Clear { news } };
            }
        }
        said
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "noise")]
mod tests {
    use super::*;
    use crate::model::addr::{Addr, Endpoint};

    const REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 7];

    fn packet(content: &[u8], word: u32, mki: usize, tag: usize) -> Vec<u8> {
        let noise = |n: usize| (0..n).map(move |i| (word as u8).wrapping_mul(91) ^ (i * 57) as u8);
        let mut octets = REPORT.to_vec();
        octets.extend(content);
        octets.extend(word.to_be_bytes());
        octets.extend(vec![0xab; mki]);
        octets.extend(noise(tag));
        octets
    }

    fn said(packets: impl IntoIterator<Item = Vec<u8>>) -> Vec<Said> {
        let mut flows = SrtcpFlows::new(&Limits::default());
        let at = Endpoint::new(Addr::v4([192, 0, 2, 1]), 4001);
        let stream = StreamKey { src: at, dst: at, ssrc: 7 };
        packets.into_iter().map(|packet| flows.datagram(&stream, &packet, Ts::MIN)).collect()
    }

    #[test]
    fn three_indices_that_rise_are_certain_wherever_they_stand() {
        for (mki, tag) in [(0, 10), (0, 0), (4, 10), (1, 10), (4, 0)] {
            let sent = (5..9).map(|i| packet(&[0x55; 20], 0x8000_0000 | i, mki, tag));
            let nothing = Said::Nothing;
            let expected = [nothing, nothing, Said::Encrypted, Said::Encrypted];
            assert_eq!(said(sent), expected, "{mki} {tag}");
        }
    }

    #[test]
    fn a_clear_content_with_an_index_is_told_once() {
        let sent = (0..4).map(|i| packet(&[0x81, 203, 0, 1, 0, 0, 0, 7], i, 0, 10));
        let (nothing, again) = (Said::Nothing, Said::Clear { news: false });
        assert_eq!(said(sent), [nothing, nothing, Said::Clear { news: true }, again]);
        let noise = (0..4).map(|i| packet(&[0x55; 20], i, 0, 10));
        assert!(said(noise).iter().all(|said| *said == Said::Nothing), "it must walk");
    }

    #[test]
    fn an_index_that_jumps_begins_anew() {
        let sent = [1, 2, 4, 5, 6].map(|i| packet(&[0x55; 20], 0x8000_0000 | i, 0, 10));
        assert_eq!(said(sent).iter().filter(|said| **said == Said::Encrypted).count(), 1);
    }
}
