//! Every entry point returns for every input: truncations, single-bit flips and chunkings of every
//! fixture go through the fuzz bodies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use overhear_parsers::fuzz;

const DIALOG: &[u8] = b"\r\n\r\nINVITE sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/TCP a.example;branch=z9hG4bK1;rport\r\n\
    From: \"A\" <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n\
    Contact: <sip:a@192.0.2.1:5060;transport=tcp>;+sip.instance=\"<urn:x>\"\r\n\
    Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:b\", response=\"00\", qop=auth, nc=00000001\r\n\
    Identity: a.b.c;info=<https://x/y>;alg=ES256;ppt=shaken\r\n\
    Content-Type: multipart/mixed;boundary=b\r\nContent-Length: 260\r\n\r\n\
    --b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/SAVP 96 0\r\na=rtpmap:96 opus/48000/2\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODw==|2^20|1:4\r\na=fingerprint:sha-256 AA\r\n\
    SIP/2.0 401 Unauthorized\r\nv: SIP/2.0/TCP a.example;branch=z9hG4bK1;received=192.0.2.1\r\n\
    f: <sip:a@a.example>;tag=1\r\nt: <sip:b@b.example>;tag=2\r\ni: c1\r\nCSeq: 1 INVITE\r\n\
    WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", Basic realm=\"r\"\r\nl: 0\r\n\r\n";

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let mut all = vec![("dialog".to_owned(), DIALOG.to_vec())];
    for folder in ["rfc4475", "rfc5118"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/torture").join(folder);
        for entry in std::fs::read_dir(folder).expect("the torture fixtures") {
            let path = entry.expect("a folder entry").path();
            all.push((path.display().to_string(), std::fs::read(&path).expect("a fixture")));
        }
    }
    all.sort();
    all
}

#[test]
fn every_truncation_of_every_fixture_returns() {
    for (_, octets) in fixtures() {
        for end in 0..=octets.len() {
            fuzz::sip_datagram(&octets[..end]);
            fuzz::sip_stream(&octets[..end]);
        }
        // From the front: what a capture that starts in the middle of a stream sees.
        for start in 0..octets.len() {
            fuzz::all(&octets[start..]);
        }
    }
}

#[test]
fn every_single_bit_flip_of_every_fixture_returns() {
    for (_, mut octets) in fixtures() {
        for at in 0..octets.len() {
            for bit in 0..8 {
                octets[at] ^= 1 << bit;
                fuzz::sip_datagram(&octets);
                fuzz::sip_stream(&octets);
                octets[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn the_value_parsers_return_for_every_flip_of_their_samples() {
    let samples: [&[u8]; 5] = [
        b"Digest realm=\"r\\\"x\", nonce=n, qop=\"auth,auth-int\", Basic realm=x, Negotiate",
        b"\"A \\\" <x\" <sips:a:pw@[2001:db8::1]:5061;lr?To=x>;tag=1;x=\"y;z\", <tel:+1>",
        b"SIP / 2.0 / UDP [::1] : 5060 ;rport;received=[::1];branch=z9hG4bK, SIP/2.0/TCP b",
        b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x\r\n\r\n--x--",
        b"v=0\r\no=- 1 1 IN IP4 x\r\nm=audio 1/2 RTP/AVP 0\r\na=candidate:1 1 UDP 1 ::1 5 typ host\r\n",
    ];
    for sample in samples {
        let mut octets = sample.to_vec();
        for at in 0..octets.len() {
            fuzz::all(&octets[at..]);
            for value in 0..=255 {
                let kept = std::mem::replace(&mut octets[at], value);
                fuzz::all(&octets);
                octets[at] = kept;
            }
        }
    }
}

#[test]
fn long_hostile_values_do_not_stall() {
    let pieces: [&[u8]; 10] = [
        b"\"\\\",",
        b"<,",
        b";;",
        b"a=\",",
        b"\\",
        b"SIP/2.0/UDP a,",
        b"Digest a=\"",
        b"--\r\n",
        b"m=a 1 RTP/AVP 0\r\n",
        b"\r\n ",
    ];
    for piece in pieces {
        let long = piece.repeat(64 * 1024 / piece.len());
        fuzz::all(&long);
        for name in ["Via", "To", "Authorization", "Contact", "Identity"] {
            let head = format!("INVITE sip:a SIP/2.0\r\nVia: x\r\n{name}: ");
            fuzz::all(&[head.as_bytes(), &long, b"\r\n\r\n"].concat());
        }
    }
}

const DESCRIPTION: &[u8] = b"v=0\r\no=- 1 1 IN IP4 h.example\r\ns=-\r\nc=IN IP4 233.252.0.1/127/3\r\nt=0 0\r\n\
    a=group:BUNDLE a b\r\na=csup:cap-v0\r\na=acap:9 setup:active\r\na=tcap:4 UDP/TLS/RTP/SAVP\r\na=ice-lite\r\n\
    m=audio 4000 RTP/AVP 0\r\na=mid:a\r\na=sendonly\r\na=ice-options:trickle\r\na=ice-ufrag:F7gI\r\na=ice-pwd:x9cml\r\n\
    a=candidate:1 1 UDP 1 192.0.2.1 4000 typ srflx raddr 192.0.2.9 rport 5 tcptype so\r\na=tcap:1 RTP/SAVPF RTP/SAVP\r\n\
    a=pcfg:1 t=2|4 a=-m:1,[9]\r\na=remote-candidates:1 192.0.2.3 5\r\nm=image 5 udptl t38\r\na=mid:b\r\n\
    a=T38FaxVersion:3\r\na=T38FaxMaxBuffer:262\r\nbad line\r\n";

#[test]
fn descriptions_with_everything_in_them_return_for_every_flip() {
    let mut octets = DESCRIPTION.to_vec();
    for at in 0..octets.len() {
        fuzz::sdp(&octets[at..]);
        for bit in 0..8 {
            octets[at] ^= 1 << bit;
            fuzz::sdp(&octets);
            octets[at] ^= 1 << bit;
        }
    }
}
