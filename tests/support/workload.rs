//! A made capture in which everything happens at once: hundreds of calls over UDP and TCP, keys in
//! signalling, registrations, challenges, scans, fragments in any order, mirror duplicates,
//! handshakes, noise that looks like media, lost and repeated frames, and a clock that is set back.

use std::fmt::Write as _;

use overhear::model::time::{Span, Ts};
use overhear::scenario::{self, Scenario};

use super::{Fixture, written};

/// A generator with a fixed seed (xorshift64*).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// One that gives the same sequence every time.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit.max(1)
    }

    /// Whether one of `of` came up.
    pub(crate) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

const HOSTS: &str = "\
host alice 192.0.2.10
host bob 192.0.2.11
host carol 192.0.2.12
host six 2001:db8::10
host six-pbx 2001:db8:1::5
host pbx 198.51.100.5
host trunk 203.0.113.7
";

/// The text of a busy quarter of a minute: `calls` calls and what goes on beside them.
pub(crate) fn text(calls: u64, seed: u64) -> String {
    let mut dice = Dice::new(seed);
    let mut text = String::from(HOSTS);
    for number in 0..calls {
        call(&mut text, number, &mut dice);
    }
    beside(&mut text, calls);
    text
}

fn call(text: &mut String, number: u64, dice: &mut Dice) {
    let (caller, callee) = match dice.below(8) {
        0 | 1 => ("alice", "pbx"),
        2 => ("bob", "pbx"),
        3 => ("carol", "trunk"),
        4 => ("pbx", "trunk"),
        5 => ("six", "six-pbx"),
        6 => ("trunk", "pbx"),
        _ => ("bob", "carol"),
    };
    // Ports are used again by later calls, as those of a media relay are.
    let ports = (40_000 + 2 * (number % 97), 50_000 + 2 * (number % 89));
    let at = dice.below(15_000);
    let talk = 200 + dice.below(400);
    let extra = match dice.below(16) {
        0 => "crypto=AES_CM_128_HMAC_SHA1_80",
        1 => "crypto=AEAD_AES_256_GCM codec=opus",
        2 => "fingerprint codec=opus",
        3 => "auth=digest",
        4 => "auth=digest qop=none codec=G729",
        5 => "auth=basic",
        6 => "final=486",
        7 => "cancel",
        8 => "early",
        9 => "late-offer codec=PCMA",
        10 => "transport=tcp",
        11 => "transport=tcp crypto=AES_CM_128_HMAC_SHA1_80",
        12 => "transport=tls",
        13 => "hangup=none",
        14 => "fragment=400 fragorder=reversed",
        _ => "mirror=10us",
    };
    let from = number % 40;
    writeln!(
        text,
        "call {caller} > {callee} from=u{from} to=d{number} ports={},{} talk={talk}ms {extra} @{at}ms",
        ports.0, ports.1
    )
    .unwrap();
}

fn beside(text: &mut String, calls: u64) {
    let many = (calls / 4).max(4);
    let _ = write!(
        text,
        "\
register alice > pbx auth=digest repeat={many} every=61ms @3ms
register bob > trunk expires=60 repeat=5 every=2s @1s
options trunk > pbx repeat={many} every=37ms @5ms
options alice > trunk final=0 repeat=30 every=400ms @7ms
rtp alice:41000 > trunk:51000 streams=30 both n=40 lose=3,7-9 dup=5 swap=8 @2s
rtp six:41000 > six-pbx:51000 n=60 seq=random @3s
rtp bob:42000 > carol:52000 n=700 codec=G722 lose=100-110 @1s
rtp bob:42000 > carol:52000 n=200 ssrc=0x77 pt=96 codec=opus fragment=64 @2s
srtp carol:43000 > pbx:53000 n=100 both @4s
rtcp bob:42001 > carol:52001 sr sdes=bob ssrc=0x77 repeat=20 every=200ms @2s
srtcp carol:43001 > pbx:53001 sr ssrc=0x11 index=1 repeat=9 every=1s @4s
udp alice:27000 > pbx:27001 random=172 repeat=200 every=20ms @1s
udp alice > pbx fragment=200 fraglose=2 repeat=20 every=300ms @1s
  INVITE sip:lost@198.51.100.5 SIP/2.0
  Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKlost{{i}}
  From: <sip:a@x>;tag=1
  To: <sip:b@x>
  Call-ID: lost{{i}}
  CSeq: 1 INVITE
  X-Padding: {padding}

tcp alice:44000 > pbx:5060 split=100,7,31,60,200,1 order=3,1,2 resend=1 @6s
  OPTIONS sip:pbx SIP/2.0
  Via: SIP/2.0/TCP 192.0.2.10;branch=z9hG4bKx1
  From: <sip:a@x>;tag=1
  To: <sip:b@x>
  Call-ID: tcp-one
  CSeq: 1 OPTIONS
  Content-Length: 0

tcp alice:44001 > pbx:5060 split=90,90,90,90 lose=2 @6s
  OPTIONS sip:pbx SIP/2.0
  Via: SIP/2.0/TCP 192.0.2.10;branch=z9hG4bKx2
  From: <sip:a@x>;tag=1
  To: <sip:b@x>
  Call-ID: tcp-two
  CSeq: 1 OPTIONS
  X-Padding: {padding}
  Content-Length: 0

tls bob:45000 > trunk:5061 records=9 @5s
tls carol:45001 > trunk:5061 midstream records=9 @5s
dtls carol:43000 > pbx:53000 @4s
stun carol:43000 > pbx:53000 repeat=10 every=500ms @4s
dns alice > trunk repeat=40 every=100ms @2s
",
        padding = "p".repeat(300),
    );
}

/// The busy quarter of a minute, compiled and then treated as networks and taps do: a few frames
/// out of order, some lost, some seen twice, and the clock set back twice.
pub(crate) fn scenario(calls: u64, seed: u64) -> Scenario {
    let mut scenario = scenario::compile(&text(calls, seed), "workload").unwrap();
    let mut dice = Dice::new(seed.wrapping_mul(31));
    let frames = &mut scenario.frames;
    let mut at = 0;
    while at + 8 < frames.len() {
        match dice.below(60) {
            0 => frames.swap(at, at + 1),
            1 => frames.swap(at, at + 7),
            2 => {
                frames.remove(at);
            }
            3 => {
                let mut again = frames[at].clone();
                again.ts = again.ts.plus(Span::from_nanos(30_000));
                frames.insert(at + 1, again);
            }
            _ => {}
        }
        at += 1;
    }
    let (third, two) = (frames.len() / 3, frames.len() / 3 * 2);
    for (at, frame) in frames.iter_mut().enumerate() {
        let back = if at > two {
            7_500
        } else if at > third {
            4_000
        } else {
            0
        };
        frame.ts = frame.ts.minus(Span::from_millis(back));
    }
    scenario
}

/// [`scenario`] as a capture.
pub(crate) fn capture(calls: u64, seed: u64) -> Fixture {
    written(&format!("workload-{calls}-{seed}"), &scenario(calls, seed))
}

/// Each frame that much later.
pub(crate) fn shifted(scenario: &Scenario, by: Span) -> Scenario {
    let mut scenario = scenario.clone();
    for frame in &mut scenario.frames {
        frame.ts = Ts::from_nanos(frame.ts.nanos().saturating_add(by.nanos()));
    }
    scenario
}
