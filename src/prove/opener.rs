//! Opens the packets of one stream with a key that was proven to be its own, keeping count of the
//! rollovers (RFC 3711 §3.3.1).

use overhear_parsers::rtp::header::Header;

use super::Opened;
use super::srtp::Session;

/// The state of one stream.
#[derive(Debug)]
pub struct Opener {
    session: Session,
    /// Rollover counter and sequence number of the highest packet so far.
    roc: u32,
    highest: u16,
    out: Vec<u8>,
}

impl Opener {
    /// An opener that knows one packet's place; `None` if the key does not fit its suite.
    pub fn new(opened: &Opened) -> Option<Self> {
        let session = opened.key.session()?;
        Some(Self { session, roc: opened.roc, highest: opened.sequence, out: Vec::new() })
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
        let roc = guesses
            .into_iter()
            .find(|roc| self.session.open(packet, *roc, &mut self.out).is_ok())?;
        if forward || roc != near {
            (self.roc, self.highest) = (roc, sequence);
        }
        Some(&self.out)
    }

    /// The RTCP packets that were in an SRTCP packet; `None` if its tag does not match.
    pub fn open_rtcp(&mut self, packet: &[u8]) -> Option<&[u8]> {
        self.session.open_rtcp(packet, &mut self.out).ok()?;
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
}
