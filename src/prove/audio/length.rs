//! What the length of a packet says of a stream that is partly encrypted: SRTP makes packets longer by an
//! authentication tag (RFC 3711 §3.1), and the packets of some codecs last as long as they are.

use overhear_parsers::rtp::header::Header;

use super::format::Formats;

/// Octets of authentication tags (RFC 3711 §5.2, RFC 7714 §13.2).
const TAGS: [usize; 3] = [4, 10, 16];

/// A step of the timestamp that is none: ten seconds of the slowest clock.
const LONGEST: u32 = 80_000;

/// The length of one packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Length {
    /// What the codec makes of the time from one packet to the next.
    Exact,
    /// Longer by a tag, in a stream with packets that are not.
    Tagged,
    /// Anything else, and wherever lengths are not fixed.
    Other,
}

/// The lengths of a stream, packet by packet.
#[derive(Debug, Default)]
pub struct Lengths {
    /// Sequence number and timestamp of the packet before.
    last: Option<(u16, u32)>,
    /// The last step of the timestamp between two packets in order.
    ticks: u32,
    /// There was an exact one.
    exact: bool,
    /// Octets of a tag behind the packet at hand.
    tag: usize,
}

impl Lengths {
    /// The length of the next packet, as it was captured.
    pub fn of(&mut self, header: &Header<'_>, formats: &Formats) -> Length {
        if let Some((sequence, timestamp)) = self.last
            && header.sequence == sequence.wrapping_add(1)
            && !header.marker
        {
            let ticks = header.timestamp.wrapping_sub(timestamp);
            self.ticks = if ticks < LONGEST { ticks } else { self.ticks };
        }
        self.last = Some((header.sequence, header.timestamp));
        self.tag = 0;
        let format =
            formats.find(header.payload_type).filter(|_| self.ticks > 0 && !header.padding);
        let Some(whole) = format.and_then(|format| format.octets(self.ticks)) else {
            return Length::Other;
        };
        match header.payload.len().checked_sub(whole) {
            Some(0) => {
                self.exact = true;
                Length::Exact
            }
            Some(surplus) if TAGS.contains(&surplus) => {
                self.tag = surplus;
                if self.exact { Length::Tagged } else { Length::Other }
            }
            _ => Length::Other,
        }
    }

    /// Octets that the packet at hand is too long by, if an authentication tag has as many.
    pub const fn tag(&self) -> usize {
        self.tag
    }
}

#[cfg(test)]
mod tests {
    use super::Length::{Exact, Other, Tagged};
    use super::*;
    use crate::prove::audio::format::Format;

    #[test]
    fn packets_with_a_tag_are_told_from_those_before() {
        let mut formats = Formats::default();
        formats.add(0, Format::named(0, Some("PCMU"), 8_000));
        formats.add(97, Format::named(97, Some("opus"), 48_000));
        let mut lengths = Lengths::default();
        let mut packet = |number: u16, payload_type: u8, octets: usize| {
            let [high, low] = number.to_be_bytes();
            let timestamp = (u32::from(number) * 160).to_be_bytes();
            let head = [0x80, payload_type, high, low];
            let packet = [&head[..], &timestamp, &[0, 0, 0, 7], &vec![0x55; octets]].concat();
            lengths.of(&Header::parse(&packet).unwrap(), &formats)
        };
        let lengths =
            [(1, 0, 170), (2, 0, 170), (3, 0, 160), (4, 0, 170), (5, 0, 171), (6, 97, 60)];
        let said =
            lengths.map(|(number, payload_type, octets)| packet(number, payload_type, octets));
        // Where all are longer they are the codec's own, or nothing can be told.
        assert_eq!(said, [Other, Other, Exact, Tagged, Other, Other]);
    }
}
