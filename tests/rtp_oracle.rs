//! Our RTP header reader against the `rtp-rs` crate: what that one accepts, ours reads the same.
//!
//! The other way round it does not hold, on purpose: `rtp-rs` refuses a packet whose padding count
//! is impossible, and under SRTP that count is ciphertext.

use overhear_parsers::rtp::header::Header;
use proptest::prelude::*;
use rtp_rs::RtpReader;

fn agree(datagram: &[u8]) -> bool {
    let Ok(theirs) = RtpReader::new(datagram) else { return false };
    let ours = Header::parse(datagram);
    assert!(ours.is_ok(), "rtp-rs accepts it");
    let Ok(ours) = ours else { return false };
    assert_eq!(ours.marker, theirs.mark());
    assert_eq!(ours.payload_type, theirs.payload_type());
    assert_eq!(ours.sequence, u16::from(theirs.sequence_number()));
    assert_eq!(ours.timestamp, theirs.timestamp());
    assert_eq!(ours.ssrc, theirs.ssrc());
    let csrc: Vec<u32> =
        ours.csrc.as_chunks::<4>().0.iter().map(|four| u32::from_be_bytes(*four)).collect();
    assert_eq!(csrc, theirs.csrc().collect::<Vec<_>>());
    assert_eq!(ours.extension, theirs.extension());
    assert_eq!(ours.padding, theirs.padding().is_some());
    assert_eq!(datagram.len() - ours.payload.len(), theirs.payload_offset());
    assert_eq!(ours.unpadded(), Some(theirs.payload()));
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn every_packet_that_rtp_rs_accepts_reads_the_same(
        first in 0x80..=0xbf_u8,
        rest in proptest::collection::vec(any::<u8>(), 11..120),
    ) {
        agree(&[&[first], &rest[..]].concat());
    }

    #[test]
    fn packets_with_all_options_read_the_same(
        sources in 0..=15_u8,
        extension in proptest::option::of(0..=4_u8),
        padding in 0..=9_u8,
        fixed in any::<[u8; 11]>(),
        body in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut packet = vec![
            0x80 | sources | u8::from(extension.is_some()) << 4 | u8::from(padding > 0) << 5,
        ];
        packet.extend(fixed);
        packet.extend(vec![0xcc; usize::from(sources) * 4]);
        if let Some(words) = extension {
            packet.extend([0xbe, 0xde, 0, words]);
            packet.extend(vec![0xee; usize::from(words) * 4]);
        }
        packet.extend(body);
        if padding > 0 {
            packet.extend(vec![0; usize::from(padding) - 1]);
            packet.push(padding);
        }
        prop_assert!(agree(&packet));
        // A cut packet must not be read by one and refused by the other for its header's sake.
        for len in 0..packet.len() {
            agree(&packet[..len]);
        }
    }
}
