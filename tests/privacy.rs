//! Invariant 9, private by default: no key, digest response, password, digit or message body
//! leaves in any output; and no name from the wire can act on a terminal.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;

use overhear::report::text::Layout;
use overhear::report::{Outcome, calls, findings, ladder, terminal};
use support::source::sources;
use support::{Config, Fixture, fixtures, made, review, text, workload};

/// Every output there is, one after the other.
fn outputs(fixture: &Fixture) -> Option<String> {
    let mut outcome = review(&fixture.config())?;
    let mut all = text(&mut outcome);
    let mut octets = Vec::new();
    for colour in [false, true] {
        let layout = Layout { width: 80, colour };
        terminal::write(&mut outcome, layout, &mut octets).unwrap();
        calls::write(&mut outcome, layout, &mut octets).unwrap();
        findings::write(&outcome, layout, &mut octets).unwrap();
    }
    octets.extend(ladders(fixture, &mut outcome));
    all.push_str(&String::from_utf8(octets).unwrap());
    Some(all)
}

/// The ladders of the first calls.
fn ladders(fixture: &Fixture, outcome: &mut Outcome) -> Vec<u8> {
    let mut ids = Vec::new();
    let shown = outcome.archive.calls(|row| {
        ids.push(row.record.id.to_string());
        Ok(())
    });
    shown.unwrap();
    ids.truncate(3);
    let mut octets = Vec::new();
    for id in ids {
        let config = Config { ladder: Some(id), ..fixture.config() };
        let outcome = review(&config).unwrap();
        assert!(!outcome.ladder.is_empty(), "{}", fixture.name);
        ladder::write(&outcome, Layout::default(), &mut octets).unwrap();
    }
    octets
}

/// What stands between `before` and the first of `ends`, wherever it is long enough to be told
/// from chance.
fn between(octets: &[u8], before: &str, ends: &[u8], least: usize) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for at in memchr_all(octets, before.as_bytes()) {
        let rest = &octets[at + before.len()..];
        let end = rest.iter().position(|octet| ends.contains(octet)).unwrap_or(0);
        if end >= least && rest[..end].is_ascii() {
            found.insert(String::from_utf8_lossy(&rest[..end]).into_owned());
        }
    }
    found
}

fn memchr_all(octets: &[u8], word: &[u8]) -> Vec<usize> {
    let hits = octets.windows(word.len()).enumerate();
    hits.filter(|(_, window)| window.eq_ignore_ascii_case(word)).map(|(at, _)| at).collect()
}

/// The secrets that can be read in a capture file.
fn secrets(octets: &[u8]) -> BTreeSet<String> {
    let mut secrets = between(octets, "inline:", b"|\r\n; ", 16);
    for quoted in ["response=\"", "cnonce=\"", "rspauth=\"", "nextnonce=\""] {
        secrets.extend(between(octets, quoted, b"\"", 6));
    }
    secrets.extend(between(octets, "Authorization: Basic ", b"\r\n", 4));
    // DTMF in INFO, and the text of messages.
    secrets.extend(between(octets, "Signal=", b"\r\n", 4));
    // Lines of SDP: a body.
    secrets.extend(between(octets, "\r\na=rtpmap:", b"\r\n", 8));
    secrets.extend(between(octets, "\r\no=", b"\r\n", 12));
    secrets
}

#[test]
fn no_secret_of_any_capture_is_in_any_output() {
    let busy = workload::capture(80, 13);
    let mut looked_for = 0;
    for fixture in fixtures().iter().chain([&busy]) {
        let secrets = secrets(&fs::read(&fixture.path).unwrap());
        let Some(printed) = outputs(fixture) else { continue };
        for secret in &secrets {
            assert!(!printed.contains(secret.as_str()), "{}: {secret} is printed", fixture.name);
        }
        looked_for += secrets.len();
    }
    assert!(looked_for > 150, "only {looked_for} secrets: the search sees nothing");
}

const SECRETS: &str = r#"
host eve 192.0.2.66
host pbx 198.51.100.5

udp eve > pbx
  REGISTER sip:198.51.100.5 SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKs1
  From: <sip:eve:hunter2pw@example.org>;tag=1
  To: <sip:eve:hunter2pw@example.org>
  Call-ID: s1
  CSeq: 1 REGISTER
  Contact: <sip:eve:hunter2pw@192.0.2.66>
  Authorization: Basic ZXZlOmh1bnRlcjJwdw==

udp eve > pbx
  INVITE sip:bob:hunter2pw@198.51.100.5 SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKs2
  From: <sip:eve:hunter2pw@example.org>;tag=2
  To: <sip:bob@example.org>
  Call-ID: s2
  CSeq: 1 INVITE
  Proxy-Authorization: Digest username="eve", realm="r", nonce="n", uri="sip:x", response="deadbeefcafedeadbeefcafedeadbeef", algorithm=MD5
  Content-Type: application/sdp
  Content-Length: auto

  v=0
  o=- 1 1 IN IP4 192.0.2.66
  s=bodysecret-subject
  c=IN IP4 192.0.2.66
  t=0 0
  k=clear:bodysecret-key
  m=audio 40000 RTP/SAVP 0
  a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4

udp eve > pbx
  MESSAGE sip:bob@198.51.100.5 SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKs3
  From: <sip:eve@example.org>;tag=3
  To: <sip:bob@example.org>
  Call-ID: s3
  CSeq: 1 MESSAGE
  Content-Type: text/plain
  Content-Length: auto

  bodysecret-text the pin is 8642975310

udp eve > pbx
  INFO sip:bob@198.51.100.5 SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKs4
  From: <sip:eve@example.org>;tag=2
  To: <sip:bob@example.org>;tag=9
  Call-ID: s2
  CSeq: 2 INFO
  Content-Type: application/dtmf-relay
  Content-Length: auto

  Signal=8642975310
  Duration=160
"#;

#[test]
fn passwords_keys_digits_and_bodies_are_never_printed() {
    let printed = outputs(&made("secrets", SECRETS)).unwrap();
    for secret in
        ["hunter2pw", "ZXZlOmh1bnRlcjJwdw", "deadbeefcafe", "bodysecret", "WVNfX19z", "8642975310"]
    {
        let at = printed.find(secret);
        let around = at.map(|at| &printed[at.saturating_sub(200)..(at + 60).min(printed.len())]);
        assert_eq!(around, None, "{secret} is printed");
    }
    for rule in ["AUTH-BASIC", "MEDIA-SDES-KEY-EXPOSED", "SIG-DIGEST-CLEARTEXT"] {
        assert!(printed.contains(rule), "{rule} did not look at it");
    }
}

const HOSTILE: &str = r#"
host eve 192.0.2.66
host pbx 198.51.100.5

udp eve > pbx escapes
  INVITE sip:\x1b[2Jbob@198.51.100.5 SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKh1\x07
  From: "\x1b]0;owned\x07\xe2\x80\xae\xe2\x81\xa6" <sip:\x1b[31mred\xc2\x9b31m@example.org>;tag=\x1b[5m1
  To: "\xff\xfe\xc3\x28" <sip:b\x08\x08\x08ob@example.org>
  Call-ID: h1\x1b[2J\xe2\x80\xae
  CSeq: 1 INVITE
  User-Agent: ua\x1b[2J\x9b2J\xe2\x80\x8f\xd8\x9c\xe2\x80\xa8\xef\xbb\xbf
  Content-Type: application/sdp\x1b[1m
  Content-Length: auto

  v=0
  o=- 1 1 IN IP4 192.0.2.66
  s=-
  c=IN IP4 192.0.2.66
  t=0 0
  m=audio\x1b[2J 40000 RTP/SAVP\x1b[3J 0 96
  a=rtpmap:96 \x1b[2Jcodec\xe2\x80\xae/8000
  a=crypto:1 SUITE\x1b[2J\xe2\x80\xae inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz

udp pbx > eve escapes
  SIP/2.0 486 Bu\x1b[2Jsy\xe2\x80\xae
  Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKh1\x07
  From: "\x1b]0;owned\x07\xe2\x80\xae\xe2\x81\xa6" <sip:\x1b[31mred\xc2\x9b31m@example.org>;tag=\x1b[5m1
  To: <sip:b\x08\x08\x08ob@example.org>;tag=2
  Call-ID: h1\x1b[2J\xe2\x80\xae
  CSeq: 1 INVITE
  Server: srv\x1b[2J\x85
  WWW-Authenticate: Basic realm="\x1b[2J\xe2\x80\xae"
  Content-Length: 0

udp eve > pbx escapes
  EVIL\x1b[2J sip:x SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKh2
  From: <sip:\x1b[31m@x>;tag=1
  To: <sip:x>
  Call-ID: h2
  CSeq: 2 EVIL\x1b[2J
  Authorization: Digest username="\x1b[2J\xe2\x80\xae", realm="\x1b[2J", nonce="n", uri="x", response="00112233445566778899aabbccddeeff"
  Content-Length: 0

rtp eve:40000 > pbx:50000 n=40 pt=96
"#;

/// Characters that move a cursor, colour, hide or reverse.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[test]
fn names_from_the_wire_cannot_act_on_a_terminal() {
    let fixture = made("hostile-names", HOSTILE);
    let mut outcome = review(&fixture.config()).unwrap();
    let mut octets = Vec::new();
    terminal::write(&mut outcome, Layout::default(), &mut octets).unwrap();
    calls::write(&mut outcome, Layout::default(), &mut octets).unwrap();
    findings::write(&outcome, Layout::default(), &mut octets).unwrap();
    octets.extend(ladders(&fixture, &mut outcome));
    let mut printed = String::from_utf8(octets).unwrap();
    assert!(printed.contains("\\u{1b}"), "nothing hostile was printed at all:\n{printed}");
    printed.push_str(&text(&mut outcome));
    let bad = printed.char_indices().find(|(_, c)| acts(*c));
    let around = bad.map(|(at, c)| {
        let from = printed[..at].rfind('\n').unwrap_or(0);
        format!("{c:?} behind {:?}", &printed[from..at])
    });
    assert_eq!(around, None);
}

#[test]
fn nothing_is_logged() {
    let words = ["println!", "eprintln!", "print!(", "eprint!(", "dbg!(", "use log::", "tracing::"];
    for source in sources() {
        for word in words {
            assert!(!source.code.contains(word), "{word} in {}", source.path);
        }
    }
}
