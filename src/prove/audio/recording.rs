//! The packets of one stream, brought into the order in which they were sent.
//!
//! Packets are ordered by extended sequence number (RFC 3550 appendix A.1), not by arrival; the first
//! of several with one number counts. Numbers that go on from somewhere else begin another *chain*:
//! if it begins when the one before has ended, the sender started again, and it is played behind; if
//! both run at one time, somebody else sends under the same SSRC, and only the chain that was
//! there first is kept. What the packets mean is decided in [`super::player`].

use overhear_parsers::rtp::header::Header;
use overhear_parsers::rtp::sequence;
use serde::Serialize;

use crate::model::time::{Span, Ts};

use crate::policy::limits::{HEARD_OCTETS, HEARD_SECONDS};

/// How far numbers may jump ahead within a chain, and fall back (RFC 3550 appendix A.1).
const MAX_DROPOUT: u16 = 3_000;
const MAX_MISORDER: u16 = 100;

/// Chains that a packet may belong to: the newest.
const NEWEST: usize = 4;

/// Chains of one recording.
const CHAINS: usize = 4_096;

/// By how much a chain may begin before the end of another and still come after it.
const OVERLAP: Span = Span::from_millis(500);

/// One packet of a recording.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Capture time.
    pub at: Ts,
    /// RTP timestamp, ticks of the payload type's clock.
    pub timestamp: u32,
    /// PT.
    pub payload_type: u8,
    /// M: for audio the first packet of a talkspurt.
    pub marker: bool,
    chain: u16,
    number: u32,
    start: u32,
    len: u16,
}

/// Consecutive numbers.
#[derive(Copy, Clone, Debug)]
struct Chain {
    highest: u32,
    first: Ts,
    last: Ts,
}

/// What happened to packets that are not played.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Their number had come before.
    pub duplicates: u64,
    /// They belong to a second sender under the same SSRC.
    pub intruding: u64,
    /// They came after more than six hours, or after too many octets.
    pub beyond: u64,
    /// They were encrypted and could not be opened.
    pub sealed: u64,
}

/// The packets of one stream.
#[derive(Debug, Default)]
pub struct Recording {
    pieces: Vec<Piece>,
    octets: Vec<u8>,
    chains: Vec<Chain>,
    /// What is not played.
    pub left_out: LeftOut,
    /// Packets of which the capture holds only a part.
    pub clipped: u64,
}

impl Recording {
    /// Takes one packet: its header, and its payload without padding and encryption.
    pub fn push(&mut self, at: Ts, header: &Header<'_>, payload: &[u8]) {
        let begun = self.chains.first().map_or(at, |chain| chain.first);
        let late =
            at.since(begun) > Span::from_secs(i64::try_from(HEARD_SECONDS).unwrap_or(i64::MAX));
        let full = self.octets.len().saturating_add(payload.len()) > HEARD_OCTETS;
        let place = (u32::try_from(self.octets.len()), u16::try_from(payload.len()));
        let (chain, (Ok(start), Ok(len))) = (self.chain(at, header.sequence), place) else {
            self.left_out.beyond += 1;
            return;
        };
        let (false, false, Some((chain, number))) = (late, full, chain) else {
            self.left_out.beyond += 1;
            return;
        };
        self.octets.extend_from_slice(payload);
        self.pieces.push(Piece {
            at,
            timestamp: header.timestamp,
            payload_type: header.payload_type,
            marker: header.marker,
            chain,
            number,
            start,
            len,
        });
    }

    /// Brings the packets into order, once all are there.
    pub fn finish(&mut self) {
        let all = self.pieces.len();
        // Stable: of equal numbers the one that came first stays first.
        self.pieces.sort_by_key(|piece| (piece.chain, piece.number));
        self.pieces.dedup_by_key(|piece| (piece.chain, piece.number));
        self.left_out.duplicates += count(all.saturating_sub(self.pieces.len()));
        let mut end = Ts::MIN;
        let kept: Vec<bool> = self
            .chains
            .iter()
            .map(|chain| {
                let after = chain.first.plus(OVERLAP) >= end;
                if after {
                    end = end.max(chain.last);
                }
                after
            })
            .collect();
        let all = self.pieces.len();
        self.pieces.retain(|piece| kept.get(usize::from(piece.chain)).copied().unwrap_or(false));
        self.left_out.intruding += count(all.saturating_sub(self.pieces.len()));
    }

    /// The packets in the order in which they were sent.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The payload of one.
    pub fn payload(&self, piece: &Piece) -> &[u8] {
        let start = usize::try_from(piece.start).unwrap_or(usize::MAX);
        self.octets.get(start..start.saturating_add(piece.len.into())).unwrap_or_default()
    }

    /// Whether packets of this payload type have so many octets for each tick until the next one: most of
    /// those that have a next one.
    pub fn keeps(&self, payload_type: u8, octets_a_tick: u32) -> bool {
        let mut pairs = 0_usize;
        let keeps = |pair: &&[Piece]| {
            let [one, next] = pair else { return false };
            let follows = one.chain == next.chain && next.number == one.number.wrapping_add(1);
            if !follows || one.payload_type != payload_type || next.payload_type != payload_type {
                return false;
            }
            pairs += 1;
            let ticks = next.timestamp.wrapping_sub(one.timestamp);
            ticks.checked_mul(octets_a_tick) == Some(u32::from(one.len))
        };
        let kept = self.pieces.windows(2).filter(keeps).count();
        kept > 0 && kept > pairs / 2
    }

    /// Octets of payload held.
    pub fn octets(&self) -> usize {
        self.octets.len()
    }

    /// The chain and extended number of a packet; `None` if there are too many chains.
    fn chain(&mut self, at: Ts, number: u16) -> Option<(u16, u32)> {
        let from = self.chains.len().saturating_sub(NEWEST);
        for (place, chain) in self.chains.iter_mut().enumerate().skip(from).rev() {
            let [_, _, high, low] = chain.highest.to_be_bytes();
            let ahead = number.wrapping_sub(u16::from_be_bytes([high, low]));
            if ahead <= MAX_DROPOUT || ahead >= MAX_MISORDER.wrapping_neg() {
                let extended = sequence::extend(chain.highest, number);
                chain.highest = chain.highest.max(extended);
                chain.last = chain.last.max(at);
                return u16::try_from(place).ok().map(|place| (place, extended));
            }
        }
        if self.chains.len() >= CHAINS {
            return None;
        }
        let extended = sequence::first(number);
        let place = u16::try_from(self.chains.len()).ok()?;
        self.chains.push(Chain { highest: extended, first: at, last: at });
        Some((place, extended))
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, timestamp: u32) -> Header<'static> {
        Header {
            marker: false,
            payload_type: 0,
            sequence,
            timestamp,
            ssrc: 1,
            csrc: &[],
            extension: None,
            padding: false,
            payload: &[],
        }
    }

    /// A recording of packets with these numbers, 20 ms apart, and the numbers in their order.
    fn ordered(numbers: &[u16]) -> (Vec<u8>, LeftOut) {
        let mut recording = Recording::default();
        for (millis, number) in (0..).step_by(20).zip(numbers) {
            let at = Ts::from_nanos(0).plus(Span::from_millis(millis));
            recording.push(at, &header(*number, 0), &[number.to_be_bytes()[1]]);
        }
        recording.finish();
        let payload = |piece: &Piece| recording.payload(piece)[0];
        (recording.pieces().iter().map(payload).collect(), recording.left_out)
    }

    #[test]
    fn packets_come_out_in_the_order_they_were_sent_and_once() {
        let (order, left_out) = ordered(&[65_534, 65_535, 1, 0, 2, 1, 5]);
        assert_eq!(order, [254, 255, 0, 1, 2, 5]);
        assert_eq!(left_out, LeftOut { duplicates: 1, ..LeftOut::default() });
        let (order, _) = ordered(&[7, 3, 4]);
        assert_eq!(order, [3, 4, 7]);
    }

    #[test]
    fn a_sender_that_starts_again_is_played_behind_itself() {
        let mut recording = Recording::default();
        for (second, number) in [(0, 40_000_u16), (1, 40_001), (5, 9), (6, 10)] {
            recording.push(Ts::from_nanos(second * 1_000_000_000), &header(number, 0), &[0]);
        }
        recording.finish();
        assert_eq!(recording.pieces().len(), 4);
        assert_eq!(recording.left_out.intruding, 0);
    }

    #[test]
    fn a_second_sender_under_the_same_name_is_left_out() {
        let mut numbers = vec![100];
        for step in 1..100_u16 {
            numbers.extend([100 + step, 30_000 + step]);
        }
        let (order, left_out) = ordered(&numbers);
        assert_eq!((order.len(), left_out.intruding), (100, 99));
    }

    #[test]
    fn the_time_between_packets_tells_how_many_octets_last_a_tick() {
        let mut recording = Recording::default();
        for (number, timestamp) in (0..9_u16).zip((0..).step_by(80)) {
            recording.push(Ts::from_nanos(0), &header(number, timestamp), &[0; 320]);
        }
        recording.finish();
        assert_eq!([2, 4].map(|octets| recording.keeps(0, octets)), [false, true]);
        assert!(!recording.keeps(1, 4));
    }

    #[test]
    fn more_than_six_hours_are_not_kept() {
        let mut recording = Recording::default();
        for hours in 0..9_u16 {
            let at = Ts::from_nanos(0).plus(Span::from_secs(i64::from(hours) * 3_600));
            recording.push(at, &header(hours, 0), &[0; 160]);
        }
        recording.finish();
        assert_eq!((recording.pieces().len(), recording.left_out.beyond), (7, 2));
    }
}
