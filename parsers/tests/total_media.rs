//! Every media parser returns for every input: truncations, bit flips and random octets.

use overhear_parsers::fuzz_media;
use proptest::prelude::*;

fn packets() -> Vec<Vec<u8>> {
    let hex = [
        // RTP with two sources, an extension and padding.
        "b2600001000000020000000300000000a0000000bbede000110ff00000102030002",
        // SR with a block, SDES, BYE.
        "81c8000c0000000100000002000000030000000400000005000000060000000780fffffe00010002000000080000000900\
         00000a81ca0003000000010103614062000000 81cb0002000000010362796500000000",
        // SRTCP.
        "80c9000100000007555555555555555580000001aaaaaaaaaaaaaaaaaaaa",
        // Binding request with USERNAME and USE-CANDIDATE, and a response with an address.
        "000100102112a442b7e7a701bc34d686fa87dfae00060003613a620000250000",
        "0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643",
        "0101000c01020304b7e7a701bc34d686fa87dfae00010008000113c4c0000209",
        "4001000407080900",
        // TURN: a Send indication with a peer and RTP, and a request for a channel.
        "001600182112a442b7e7a701bc34d686fa87dfae001200080001a147e112a6430013000880000001000000a0",
        "000900142112a442b7e7a701bc34d686fa87dfae000c000440010000001200080001a147e112a643",
        // SCTP: two chunks of data behind an acknowledgement.
        "030000100000000a0001000000000000 0003001200000007000100000000000068690000 0002001100000008000100000000000021",
        // WebSocket: an upgrade, a masked frame, a long one; MSRP; RTP and STUN with lengths.
        "474554202f20485454502f312e310d0a557067726164653a20776562736f636b65740d0a5365632d576562536f636b65742d50726f746f636f6c3a207369700d0a0d0a",
        "818537fa213d7f9f4d5158 890130 827e0003010203",
        "4d53525020613738366868733220534e440d0a0d0a2d2d2d2d2d2d2d6137383668687332240d0a",
        "000e80000001000000a0010203040506000e80000002000000a0010203040506",
        "0014000100002112a442b7e7a701bc34d686fa87dfae",
        // DTLS: a handshake record and a change of cipher.
        "16fefd0000000000000000000d0b000001000100000000000109 14fefd0000000000000001000101",
        "2e000100100000000000000000000000000000000000",
        // TLS and SSL 2.0.
        "160301000601000002030314030300010116030300040e000000",
        "801c01000200030000001001008007070707070707070707070707070707",
        // ClientHello with a name, groups and versions; ServerHello; ServerKeyExchange; Certificate.
        "1603010050 0100004c 0303 07070707070707070707070707070707 07070707070707070707070707070707 00\
         0004c02f000a 0100 001f 0000000800060000036e2e6f 000a0004 00020 01d 002b0003020304 00100005 00030 26832",
        "1603030036 02000032 0303 07070707070707070707070707070707 07070707070707070707070707070707 00 c02f 00\
         000a ff01000100 00170000",
        "1603030010 0c00000c 03001702 0909 0201 0002 0707 160303000d 0b000009 000006 000003 308000",
        // UDPTL with an earlier packet, and with forward error correction.
        "0003 0106 00 01 0100",
        "0009 0106 80 01 02 0103 010203",
        // MIKEY: pre-shared, a time stamp, a key in clear.
        "01000500000000000101 0100 0001020304050607 0000 000a 0020 0006 010203040506 00",
        // ZRTP.
        "10000009 5a525450 00000005 505a0003 48656c6c6f41434b 01020304",
    ];
    hex.iter().map(|text| octets(text)).collect()
}

fn octets(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.as_chunks::<2>().0.iter().filter_map(|[a, b]| u8::try_from(a * 16 + b).ok()).collect()
}

#[test]
fn truncations_and_bit_flips_return() {
    for packet in packets() {
        for len in 0..=packet.len() {
            fuzz_media::all(&packet[..len]);
        }
        for bit in 0..packet.len() * 8 {
            let mut flipped = packet.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fuzz_media::all(&flipped);
            fuzz_media::all(&flipped[..flipped.len() - flipped.len() / 4]);
        }
    }
}

proptest! {
    #[test]
    fn random_octets_return(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz_media::all(&octets);
    }

    #[test]
    fn random_tails_behind_real_starts_return(
        which in 0..23_usize,
        keep in 0..40_usize,
        tail in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut packet = packets().swap_remove(which);
        packet.truncate(keep);
        packet.extend(tail);
        fuzz_media::all(&packet);
    }
}
