//! What few streams show: telephone events (RFC 4733), and packets that contradict each other.
//!
//! Digits are secret: nothing prints them, and no output gets them.

use std::fmt;

use super::evidence::FrameRef;
use super::time::Span;

/// Telephone events kept of one stream; later ones are only counted.
pub const DIGITS: usize = 64;

/// A longer pause between two digits ends a number.
const PAUSE: Span = Span::from_secs(10);

/// What is noted of one stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// Telephone events.
    pub digits: Digits,
    /// Packets that contradict each other.
    pub contest: Contest,
    /// Tones in G.711.
    pub tones: Tones,
    /// Packets that were sent again much later.
    pub replay: Option<Replay>,
    /// Two markings, if there were.
    pub marked: Option<Marked>,
}

/// Two markings where there should be one (RFC 2474 §3).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The DSCP before, or of the first sighting; and the other one.
    pub dscp: [u8; 2],
    /// A packet with each: of a change the first of the stream and the first with the other one, of
    /// sightings the two frames of one packet.
    pub at: [FrameRef; 2],
    /// They are of one packet, seen twice; otherwise the stream changed, as far as is known.
    pub twice: bool,
}

/// Packets of a stream whose octets look random that came a second time, octet for octet, more than
/// [`REPLAY_AFTER`](crate::policy::media::REPLAY_AFTER) later; of those that were compared.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// How many.
    pub packets: u32,
    /// The first of them.
    pub first: FrameRef,
    /// The last one.
    pub last: FrameRef,
    /// The number of the frame in which the first came before, in the same source.
    pub original: u64,
    /// How much later it came again, milliseconds.
    pub after_ms: u32,
}

/// Tones heard in a stream of G.711, as far as anybody listened.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Tones {
    /// Keys pressed.
    pub digits: u32,
    /// The packet in which the first key was heard first.
    pub first: FrameRef,
    /// The one in which the last key was certain.
    pub last: FrameRef,
    /// What a fax machine began with, and where that was certain.
    pub fax: Option<(FaxTone, FrameRef)>,
}

/// What fax machines begin with (ITU-T T.30 §4, V.21).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FaxTone {
    /// CED, 2,100 Hz.
    Answering,
    /// CNG, 1,100 Hz for half a second, and again three seconds later.
    Calling,
    /// Flags at 300 bit/s in the upper channel of V.21.
    Preamble,
}

impl Tones {
    /// Whether there was any.
    pub const fn any(&self) -> bool {
        self.digits > 0 || self.fax.is_some()
    }

    /// Adds what was heard later.
    pub fn add(&mut self, later: Self) {
        if later.digits > 0 {
            self.first = if self.digits == 0 { later.first } else { self.first };
            self.last = later.last;
        }
        self.digits = self.digits.saturating_add(later.digits);
        self.fax = self.fax.or(later.fax);
    }
}

/// The telephone events of one stream, each once however often it was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Digits {
    /// 0 to 9, 10 for the star, 11 for the hash, 12 to 15 for A to D (RFC 4733 §3.2).
    events: [u8; DIGITS],
    /// When each began, tenths of a second after the first.
    tenths: [u16; DIGITS],
    count: u32,
    /// PT of the last one.
    pub payload_type: u8,
    /// The packet that began the first event.
    pub first: FrameRef,
    /// The packet that began the last one.
    pub last: FrameRef,
}

impl Default for Digits {
    fn default() -> Self {
        Self {
            events: [0; DIGITS],
            tenths: [0; DIGITS],
            count: 0,
            payload_type: 0,
            first: FrameRef::default(),
            last: FrameRef::default(),
        }
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digits({})", self.count)
    }
}

impl Digits {
    /// Notes an event that began with this packet.
    pub fn push(&mut self, event: u8, payload_type: u8, at: FrameRef) {
        if self.count == 0 {
            self.first = at;
        }
        let place = usize::try_from(self.count).unwrap_or(usize::MAX);
        let tenths = at.time.since(self.first.time).nanos().max(0) / 100_000_000;
        if let (Some(kept), Some(when)) = (self.events.get_mut(place), self.tenths.get_mut(place)) {
            *kept = event;
            *when = u16::try_from(tenths).unwrap_or(u16::MAX);
        }
        self.count = self.count.saturating_add(1);
        (self.payload_type, self.last) = (payload_type, at);
    }

    /// How many there were.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Which keys they were, those that are kept: a secret.
    pub fn keys(&self) -> String {
        let key =
            |event: &u8| char::from(*b"0123456789*#ABCD".get(usize::from(*event)).unwrap_or(&b'?'));
        self.kept().0.iter().map(key).collect()
    }

    /// The most digits within any time of this length.
    pub fn most_within(&self, span: Span) -> usize {
        let tenths = u16::try_from(span.nanos() / 100_000_000).unwrap_or(u16::MAX);
        let times = self.kept().1;
        let mut most = 0;
        for (from, begin) in times.iter().enumerate() {
            let rest = times.get(from..).unwrap_or_default();
            let within = |when: &&u16| when.saturating_sub(*begin) <= tenths;
            most = most.max(rest.iter().take_while(within).count());
        }
        most
    }

    /// Whether some number among them, ended by another key or a pause, has 13 to 19 digits of which
    /// the last is the check digit of a payment card (ISO/IEC 7812-1 annex B).
    pub fn has_card(&self) -> bool {
        let (events, tenths) = self.kept();
        let pause = u16::try_from(PAUSE.nanos() / 100_000_000).unwrap_or(u16::MAX);
        let (mut number, mut before) = (Vec::with_capacity(DIGITS), 0);
        for (event, when) in events.iter().zip(tenths) {
            if *event > 9 || when.saturating_sub(before) > pause {
                if is_card(&number) {
                    return true;
                }
                number.clear();
            }
            if *event <= 9 {
                number.push(*event);
            }
            before = *when;
        }
        is_card(&number)
    }

    fn kept(&self) -> (&[u8], &[u16]) {
        let kept = usize::try_from(self.count).unwrap_or(usize::MAX).min(DIGITS);
        (self.events.get(..kept).unwrap_or_default(), self.tenths.get(..kept).unwrap_or_default())
    }
}

/// Packets of one stream that two senders may have sent.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Contest {
    /// Packets with the number of another one that came at most five seconds before, and another
    /// payload, by a sample of the stream that begins where something is odd; or with that of one of another
    /// counter that was ahead by more than a hundred.
    pub conflicts: u32,
    /// The TTLs of the first such pair, the earlier packet's first.
    pub ttls: (u8, u8),
    /// Times that the TTL changed; up to 255.
    pub switches: u8,
    /// How many of them at most came one by one among other packets, with few of those between; of two
    /// counters, how often they took turns.
    pub interleaved: u16,
    /// The first packet that contradicts another.
    pub first: FrameRef,
    /// The last one.
    pub last: FrameRef,
}

impl Contest {
    /// Notes a packet that contradicts another; the TTL of that one first.
    pub fn conflict(&mut self, ttls: (u8, u8), at: FrameRef) {
        if self.conflicts == 0 {
            (self.ttls, self.first) = (ttls, at);
        }
        self.conflicts = self.conflicts.saturating_add(1);
        self.last = at;
    }
}

/// The check digit of a number of 13 to 19 digits fits.
fn is_card(number: &[u8]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let digits = number.iter().rev().map(|digit| u32::from(*digit)).enumerate();
    let sum: u32 = digits.map(|(i, d)| if i % 2 == 1 { doubled(d) } else { d }).sum();
    (13..=19).contains(&number.len())
        && sum.is_multiple_of(10)
        && number.iter().any(|digit| *digit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Ts;

    fn typed(keys: &[(u8, i64)]) -> Digits {
        let mut digits = Digits::default();
        for (key, ms) in keys {
            let time = Ts::from_nanos(ms * 1_000_000);
            digits.push(*key, 101, FrameRef { time, ..FrameRef::default() });
        }
        digits
    }

    #[test]
    fn a_number_with_a_good_check_digit_is_a_card_number() {
        // The usual example of the algorithm, made 16 digits long by zeros in front.
        let number = [0, 0, 0, 0, 0, 7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3];
        let keys = |pause: i64| -> Vec<(u8, i64)> {
            (0..).zip(number).map(|(i, key)| (key, i * pause)).collect()
        };
        assert!(typed(&keys(500)).has_card());
        assert!(!typed(&keys(20_000)).has_card(), "apart");
        assert!(!typed(&keys(500)[..15]).has_card());
        let mut with_menu = vec![(1, 0), (11, 300)];
        with_menu.extend(keys(500).iter().map(|(key, ms)| (*key, ms + 1_000)));
        assert!(typed(&with_menu).has_card());
    }

    #[test]
    fn digits_are_counted_within_a_time_and_never_shown() {
        let digits = typed(&[(1, 0), (2, 1_000), (3, 50_000), (4, 61_000), (5, 62_000)]);
        assert_eq!(digits.most_within(Span::from_secs(60)), 3);
        assert_eq!(format!("{digits:?}"), "Digits(5)");
        assert_eq!(typed(&[(1, 0), (10, 1), (11, 2), (15, 3)]).keys(), "1*#D");
        let many: Vec<(u8, i64)> = (0..100).map(|i| (1, i * 100)).collect();
        assert_eq!(
            (typed(&many).count(), typed(&many).most_within(Span::from_secs(60))),
            (100, 64)
        );
    }
}
