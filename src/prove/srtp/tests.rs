//! Packets of RFC 7714, and packets made by another implementation from the key of RFC 3711 B.3.

use super::*;

fn b3() -> Session {
    let key = hex("e1f97a0d3e018be0d64fa32c06de4139");
    Session::new(Suite::AesCm128Sha1Tag80, &key, &hex("0ec675ad498afeebb6960b3aabe6")).unwrap()
}

fn b3_with(suite: Suite, key: &str) -> Session {
    Session::new(suite, &hex(key), &hex("0ec675ad498afeebb6960b3aabe6")).unwrap()
}

const PLAIN: &str = "800f1234decafbadcafebabeabababababababababababababababab";
const SRTP: &str = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb";
const SRTCP: &str = "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798";

fn opened(session: &Session, packet: &str, roc: u32) -> Vec<u8> {
    let mut out = vec![1];
    assert!(session.verify(&hex(packet), roc));
    session.open(&hex(packet), roc, &mut out).unwrap();
    out
}

#[test]
fn a_packet_of_each_counter_mode_suite_opens() {
    assert_eq!(opened(&b3(), SRTP, 0), hex(PLAIN));
    let short = "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc";
    let session = b3_with(Suite::AesCm128Sha1Tag32, "e1f97a0d3e018be0d64fa32c06de4139");
    assert_eq!(opened(&session, short, 0), hex(PLAIN));
    let long = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let session = b3_with(Suite::AesCm256Sha1Tag80, long);
    let packet = "800f1234decafbadcafebabe2eafab4c5411baca2355d553eb99f2520e6b00dbd51d0c94fc25";
    assert_eq!(opened(&session, packet, 0), hex(PLAIN));
}

#[test]
fn the_rollover_counter_decides() {
    let (last, first) = (
        "800fffffdecafbadcafebabef36e96fc87ac01758cea5f94ba171db81149c9c49efa93c1b483",
        "800f0000decafbadcafebabe24ecf92d9c97bf2ac679b796fdfd365a267beecdc56456590e62",
    );
    for (packet, roc) in [(last, 0), (first, 1)] {
        assert_eq!(opened(&b3(), packet, roc).get(12..), Some(&[0xab; 16][..]));
        assert!(!b3().verify(&hex(packet), roc + 1));
        let mut out = vec![1];
        assert_eq!(b3().open(&hex(packet), roc + 1, &mut out), Err(SrtpError::Tag));
        assert!(out.is_empty());
    }
}

#[test]
fn srtcp_opens_and_says_its_index() {
    let mut out = Vec::new();
    let said = RtcpIndex { index: 1, encrypted: true };
    assert_eq!(b3().verify_rtcp(&hex(SRTCP)), Some(said));
    assert_eq!(b3().open_rtcp(&hex(SRTCP), &mut out), Ok(said));
    let plain = hex("81c8000bcafebabeabababababababababababababababab");
    assert_eq!(out, plain);
    assert_eq!(b3().protect_rtcp(&plain, said, &[]), Some(hex(SRTCP)));
}

/// RFC 7714 §16 and §17 give session keys, not master keys.
fn rfc_7714(suite: Suite) -> Session {
    let key: Vec<u8> = (0..32).take(suite.key_octets()).collect();
    let salt = hex("517569642070726f2071756f");
    let keys = || Keys { cipher: cipher::Cipher::new(Mode::Gcm, &key, &salt).unwrap(), mac: None };
    Session { suite, mki: 0, clear_rtp: false, rtp: keys(), rtcp: keys() }
}

const GALLIA: &str = "8040f17b8041f8d35501a0b2 47616c6c69612065 7374206f6d6e6973 20646976
    69736120696e2070 6172746573207472 6573";

#[test]
fn the_srtp_packets_of_rfc_7714_16_open() {
    for (suite, sealed, tagged) in [
        (
            Suite::AeadAes128Gcm,
            "8040f17b8041f8d35501a0b2 f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7
             d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
            "8040f17b8041f8d35501a0b2 47616c6c69612065 7374206f6d6e6973 20646976
             69736120696e2070 6172746573207472 6573 22493f82d2bce397e9d79e3b19aa4216",
        ),
        (
            Suite::AeadAes256Gcm,
            "8040f17b8041f8d35501a0b2 32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ff
             ae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
            "8040f17b8041f8d35501a0b2 47616c6c69612065 7374206f6d6e6973 20646976
             69736120696e2070 6172746573207472 6573 a866d5910f887463067ceefec45215d4",
        ),
    ] {
        let session = rfc_7714(suite);
        assert_eq!(opened(&session, sealed, 0), hex(GALLIA));
        assert_eq!(session.protect(&hex(GALLIA), 0, &[]), Some(hex(sealed)));
        let session = session.unencrypted();
        assert_eq!(opened(&session, tagged, 0), hex(GALLIA));
        assert_eq!(session.protect(&hex(GALLIA), 0, &[]), Some(hex(tagged)));
    }
}

#[test]
fn the_srtcp_packets_of_rfc_7714_17_open() {
    let plain = hex("81c8000d4d617273 4e5450314e545032525450200000042a0000e9304c756e61
                     deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    for (suite, encrypted, packet) in [
        (
            Suite::AeadAes128Gcm,
            true,
            "81c8000d4d617273 63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda
             4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade 800005d4",
        ),
        (
            Suite::AeadAes256Gcm,
            true,
            "81c8000d4d617273 d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be
             8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be 800005d4",
        ),
        (
            Suite::AeadAes128Gcm,
            false,
            "81c8000d4d617273 4e5450314e545032525450200000042a0000e9304c756e61
             deadbeefdeadbeefdeadbeefdeadbeefdeadbeef 841dd9683dd78ec92ae58790125f62b3 000005d4",
        ),
        (
            Suite::AeadAes256Gcm,
            false,
            "81c8000d4d617273 4e5450314e545032525450200000042a0000e9304c756e61
             deadbeefdeadbeefdeadbeefdeadbeefdeadbeef 91db4afbfeee5a978fab4393ed2615fe 000005d4",
        ),
    ] {
        let (session, mut out) = (rfc_7714(suite), Vec::new());
        let said = RtcpIndex { index: 0x5d4, encrypted };
        assert_eq!(session.verify_rtcp(&hex(packet)), Some(said));
        assert_eq!(session.open_rtcp(&hex(packet), &mut out), Ok(said));
        assert_eq!(out, plain);
        assert_eq!(session.protect_rtcp(&plain, said, &[]), Some(hex(packet)));
    }
}

/// An RTP packet with two sources and an extension.
const FULL: &str =
    "b26000010000000200000003 0000000a0000000b bede000110ff0000 0102030405060708090a02";

#[test]
fn every_suite_opens_what_it_protected_and_nothing_else() {
    for suite in Suite::all() {
        let octets: Vec<u8> =
            (1..=u8::try_from(suite.key_octets() + suite.salt_octets()).unwrap()).collect();
        let key = MasterKey::new(suite, &octets).unwrap();
        for (mki, key) in [(&b""[..], key), (b"\0\x07", key.with_mki(2)), (b"", key.unencrypted())]
        {
            let (session, plain, mut out) = (key.session().unwrap(), hex(FULL), Vec::new());
            let packet = session.protect(&plain, 5, mki).unwrap();
            assert_eq!(packet.len(), plain.len() + suite.tag_octets() + mki.len());
            assert_eq!(packet.starts_with(&plain), !key.encrypts(), "{suite:?}");
            assert!(packet.starts_with(&plain[..28]) && session.verify(&packet, 5));
            session.open(&packet, 5, &mut out).unwrap();
            assert_eq!(out, plain);
            for place in [0, 1, 2, 12, 20, 28, 35, packet.len() - 1] {
                let mut changed = packet.clone();
                changed[place] ^= 1;
                assert!(!session.verify(&changed, 5) || !mki.is_empty(), "{suite:?} {place}");
            }
            let said = RtcpIndex { index: 77, encrypted: true };
            let rtcp = hex("81c8000bcafebabe abababababababababababababababab");
            let packet = session.protect_rtcp(&rtcp, said, mki).unwrap();
            assert_eq!(session.open_rtcp(&packet, &mut out), Ok(said));
            assert_eq!(out, rtcp);
            assert_eq!(packet.starts_with(&rtcp), suite.mode() == Mode::Null);
        }
        let mut other = octets;
        other[0] ^= 1;
        let session = MasterKey::new(suite, &other).unwrap().session().unwrap();
        let packet = key.session().unwrap().protect(&hex(FULL), 0, &[]).unwrap();
        assert!(!session.verify(&packet, 0));
    }
}

#[test]
fn every_truncation_is_refused() {
    let key = MasterKey::new(Suite::AeadAes256Gcm, &[9; 44]).unwrap().with_mki(4);
    let said = RtcpIndex { index: 1, encrypted: true };
    for session in [b3(), b3().with_mki(4), key.session().unwrap(), rfc_7714(Suite::AeadAes128Gcm)]
    {
        let (srtp, srtcp) = (hex(SRTP), hex(SRTCP));
        for length in 0..srtp.len() {
            assert!(!session.verify(&srtp[..length], 0), "{length}");
        }
        for length in 0..srtcp.len() {
            assert_eq!(session.verify_rtcp(&srtcp[..length]), None, "{length}");
        }
        assert_eq!(session.protect_rtcp(&[], said, &[]), None);
    }
    assert!(b3().open(&[0x80; 11], 0, &mut Vec::new()).is_err());
    assert_eq!(b3().open(&hex(SRTP)[..20], 0, &mut Vec::new()), Err(SrtpError::Short));
}

#[test]
fn packets_that_libsrtp_made_open_so_the_salt_of_gcm_is_filled_up_as_it_does() {
    for (suite, srtp, srtcp) in [
        (
            Suite::AeadAes128Gcm,
            "f32dbe0e3f2fd7d41ab11616781e3f5b18532bfe1502874a5ad0",
            "db7c63b4733b245f1bb30fc7ea6b458864043b790171997d76a8a497ad2ed00b80000001",
        ),
        (
            Suite::AeadAes256Gcm,
            "e4994d9c30a88847dc4514f86812ed698454cb9cbf01129bf844",
            "85f8e10bb21bfa3a183c41f13947f13c75680e5b7da765537b9e7d966a06860a80000001",
        ),
        (
            Suite::AesCm128Sha1Tag80,
            "c1cec314cca2cd8bd5efe0ed0dee118045d90d3c",
            "03f0a2f39ed616569a32b8ad28dad37a800000013f8afb68f186babf9c4c",
        ),
    ] {
        let octets: Vec<u8> = (1..60).take(suite.key_octets() + suite.salt_octets()).collect();
        let session = MasterKey::new(suite, &octets).unwrap().session().unwrap();
        let rtp = "806000010000000200000003";
        let out = opened(&session, &format!("{rtp}{srtp}"), 0);
        assert_eq!(out, hex("80600001000000020000000301020304050607080900"));
        let said = session.verify_rtcp(&hex(&format!("81c8000bcafebabe{srtcp}")));
        assert_eq!(said, Some(RtcpIndex { index: 1, encrypted: true }));
    }
}
