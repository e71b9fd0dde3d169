//! Opens the packets of one stream with a key that was proven to be its own, keeping count of the
//! rollovers (RFC 3711 §3.3.1); and goes over to another key of its sender when a packet opens with that
//! one only: after a new offer, or under another MKI.

use overhear_parsers::rtp::header::Header;

use super::Opened;
use super::srtp::Session;
use crate::model::frame::FrameId;
use crate::model::stream::StreamKey;

/// Packets in a row that open with no key, on each of which all keys are tried; then on one in so many.
const ALL_KEYS: u32 = 256;
const ONE_IN: u32 = 64;

/// The state of one stream.
#[derive(Debug)]
pub struct Opener {
    session: Session,
    /// Rollover counter and sequence number of the highest packet so far.
    roc: u32,
    highest: u16,
    /// Keys that are not in force.
    others: Vec<Session>,
    /// Packets in a row that did not open.
    failed: u32,
    out: Vec<u8>,
}

impl Opener {
    /// An opener that knows one packet's place; `None` if the key does not fit its suite.
    pub fn new(opened: &Opened) -> Option<Self> {
        let session = opened.key.session()?;
        let (roc, highest) = (opened.roc, opened.sequence);
        Some(Self { session, roc, highest, others: Vec::new(), failed: 0, out: Vec::new() })
    }

    /// What opens the stream with this first packet, and the key that was proven to; `None` if none is
    /// known.
    pub fn of<'a>(
        stream: &StreamKey,
        first: FrameId,
        opened: &'a [Opened],
    ) -> Option<(Self, &'a Opened)> {
        let of_stream = |opened: &&Opened| (opened.stream, opened.first_frame) == (*stream, first);
        let mut opened = opened.iter().filter(of_stream);
        let proven = opened.next()?;
        let mut opener = Self::new(proven)?;
        opener.others = opened.filter_map(|other| other.key.session()).collect();
        Some((opener, proven))
    }

    /// The RTP packet that was in an SRTP packet; `None` if its tag does not match.
    pub fn open(&mut self, packet: &[u8]) -> Option<&[u8]> {
        let sequence = Header::parse(packet).ok()?.sequence;
        let ahead = sequence.wrapping_sub(self.highest);
        let forward = ahead < 0x8000;
        // The counter changes between the two numbers where one wraps.
        let near = match (forward, sequence < self.highest) {
            (true, true) => self.roc.wrapping_add(1),
            (false, false) => self.roc.wrapping_sub(1),
            _ => self.roc,
        };
        // Behind a hole of more than half the numbers it may be one more, or one less.
        let guesses = [near, near.wrapping_add(1), near.wrapping_sub(1)];
        let opens = |roc: &u32| self.session.open(packet, *roc, &mut self.out).is_ok();
        if let Some(roc) = guesses.into_iter().find(opens) {
            if forward || roc != near {
                (self.roc, self.highest) = (roc, sequence);
            }
        } else {
            self.roc = self.turn_over(packet, near)?;
            self.highest = sequence;
        }
        self.failed = 0;
        Some(&self.out)
    }

    /// Puts the key in force that opens a packet which the one in force does not. The rollover counter goes
    /// on (RFC 3711 §3.3.1), or begins anew (RFC 4568 §6.4).
    fn turn_over(&mut self, packet: &[u8], near: u32) -> Option<u32> {
        self.failed = self.failed.saturating_add(1);
        if self.failed > ALL_KEYS && !self.failed.is_multiple_of(ONE_IN) {
            return None;
        }
        for other in &mut self.others {
            for roc in [near, 0, 1] {
                if other.open(packet, roc, &mut self.out).is_ok() {
                    std::mem::swap(&mut self.session, other);
                    return Some(roc);
                }
            }
        }
        None
    }

    /// The RTCP packets that were in an SRTCP packet; `None` if its tag does not match.
    pub fn open_rtcp(&mut self, packet: &[u8]) -> Option<&[u8]> {
        let mut sessions = std::iter::once(&self.session).chain(&self.others);
        let out = &mut self.out;
        sessions.find_map(|session| session.open_rtcp(packet, out).ok())?;
        Some(&self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::addr::Endpoint;
    use crate::model::frame::FrameId;
    use crate::model::stream::StreamKey;
    use crate::prove::srtp::{MasterKey, Suite};

    fn packet(sequence: u16) -> Vec<u8> {
        let [high, low] = sequence.to_be_bytes();
        vec![0x80, 0, high, low, 0, 0, 0, 1, 0, 0, 0, 7, 1, 2, 3, 4]
    }

    #[test]
    fn rollovers_are_counted_both_ways_and_strangers_stay_closed() {
        let stream = StreamKey { src: Endpoint::default(), dst: Endpoint::default(), ssrc: 7 };
        let key = MasterKey::new(Suite::AesCm128Sha1Tag80, &[9; 30]).unwrap();
        let frame = FrameId { source: 0, number: 1 };
        let opened = Opened {
            stream,
            first_frame: frame,
            last_frame: frame,
            key,
            proven: true,
            roc: 3,
            sequence: 65_530,
            label: None,
        };
        let mut opener = Opener::new(&opened).unwrap();
        let session = key.session().unwrap();
        for (sequence, roc) in [
            (65_529, 3),
            (65_535, 3),
            (0, 4),
            (65_534, 3),
            (2, 4),
            (40_000, 4),
            (1, 5),
            (39_000, 5),
        ] {
            let sealed = session.protect(&packet(sequence), roc, &[]).unwrap();
            assert_eq!(opener.open(&sealed), Some(&packet(sequence)[..]), "{sequence} {roc}");
        }
        assert_eq!(opener.open(&packet(9)), None);
        assert_eq!(opener.open(&[]), None);
        let sealed = session.protect(&packet(9), 99, &[]).unwrap();
        assert_eq!(opener.open(&sealed), None);
    }

    #[test]
    fn another_key_of_the_sender_takes_over_and_back() {
        let stream = StreamKey { src: Endpoint::default(), dst: Endpoint::default(), ssrc: 7 };
        let key = |octet| MasterKey::new(Suite::AesCm128Sha1Tag80, &[octet; 30]).unwrap();
        let first = FrameId { source: 0, number: 1 };
        let opened = Opened {
            stream,
            first_frame: first,
            last_frame: first,
            key: key(9),
            proven: true,
            roc: 3,
            sequence: 10,
            label: None,
        };
        let opened = [opened, Opened { key: key(8), ..opened }];
        let (mut opener, proven) = Opener::of(&stream, first, &opened).unwrap();
        assert_eq!(proven.key, key(9));
        for (octet, sequence, roc) in [(9, 10, 3), (8, 12, 3), (9, 11, 3), (8, 13, 3), (9, 7, 0)] {
            let session = key(octet).session().unwrap();
            let sealed = session.protect(&packet(sequence), roc, &[]).unwrap();
            assert_eq!(opener.open(&sealed), Some(&packet(sequence)[..]), "{octet} {sequence}");
        }
        let stranger = key(7).session().unwrap().protect(&packet(9), 0, &[]).unwrap();
        assert_eq!(opener.open(&stranger), None);
        let later = FrameId { source: 0, number: 2 };
        assert!(Opener::of(&stream, later, &opened).is_none());
    }
}
