//! Datagrams on one direction of a byte stream: RTP with lengths (RFC 4571), or TURN (RFC 8656 over
//! TCP). After a hole, reading goes on at a segment that is one frame, or where it certainly does.

use overhear_parsers::framed::{self, Start, Way};

/// Octets of a frame at most: 16 bits of length, padding and a header.
const FRAME_MAX: usize = 65_560;

/// Memory that an empty buffer may keep.
const SPARE_MAX: usize = 8 << 10;

/// One direction's unfinished frame.
#[derive(Debug, Default)]
pub struct FrameStream {
    buffer: Vec<u8>,
    lost: bool,
}

impl FrameStream {
    /// Memory taken.
    pub fn cost(&self) -> u64 {
        u64::try_from(self.buffer.capacity()).unwrap_or(u64::MAX)
    }

    /// Forgets what is unfinished, with its memory.
    pub fn forget(&mut self) {
        *self = Self { buffer: Vec::new(), lost: true };
    }

    /// Takes the next octets and shows each whole datagram.
    pub fn push(
        &mut self,
        way: Way,
        octets: &[u8],
        after_gap: bool,
        found: &mut impl FnMut(&[u8]),
    ) {
        if after_gap {
            self.forget();
        }
        let mut octets = octets;
        if self.lost {
            let whole = framed::next(way, octets).is_ok_and(|frame| frame.octets == octets.len());
            let from = (0..octets.len())
                .find(|from| *from == 0 && whole || goes_on(way, octets.get(*from..)));
            let Some(from) = from else { return };
            octets = octets.get(from..).unwrap_or_default();
            self.lost = false;
        }
        if self.buffer.is_empty() {
            let used = self.drain(way, octets, found);
            self.buffer.extend_from_slice(octets.get(used..).unwrap_or_default());
        } else {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.extend_from_slice(octets);
            let used = self.drain(way, &buffer, found);
            buffer.drain(..used.min(buffer.len()));
            self.buffer = buffer;
        }
        if self.lost || self.buffer.is_empty() && self.buffer.capacity() > SPARE_MAX {
            self.buffer = Vec::new();
        }
    }

    fn drain(&mut self, way: Way, octets: &[u8], found: &mut impl FnMut(&[u8])) -> usize {
        let mut used = 0_usize;
        while let Some(rest) = octets.get(used..).filter(|rest| !rest.is_empty()) {
            match framed::next(way, rest) {
                Ok(frame) => {
                    found(frame.datagram);
                    used = used.saturating_add(frame.octets);
                }
                Err(Some(need)) if need <= FRAME_MAX => break,
                Err(_) => {
                    self.lost = true;
                    break;
                }
            }
        }
        used
    }
}

/// Whether a stream certainly goes on here: as one begins, or with three frames of one channel.
fn goes_on(way: Way, octets: Option<&[u8]>) -> bool {
    let Some(octets) = octets else { return false };
    if framed::start(octets) == Start::Is(way) {
        return true;
    }
    let (mut rest, channel) = (octets, octets.get(..2));
    way == Way::Turn
        && matches!(octets, [0x40..=0x4f, ..])
        && (0..3).all(|_| {
            let frame = framed::next(way, rest).ok().filter(|_| rest.get(..2) == channel);
            let behind = frame.and_then(|frame| rest.get(frame.octets..));
            rest = behind.unwrap_or_default();
            behind.is_some()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_of_any_chunks() {
        let octets = [0, 3, 1, 2, 3, 0, 0, 0, 1, 9];
        for size in 1..=octets.len() {
            let (mut stream, mut all) = (FrameStream::default(), Vec::new());
            for chunk in octets.chunks(size) {
                stream.push(Way::Length, chunk, false, &mut |frame| all.push(frame.to_vec()));
            }
            assert_eq!(all, [vec![1, 2, 3], vec![], vec![9]], "{size}");
        }
    }

    #[test]
    fn after_a_hole_a_segment_that_is_one_frame_is_where_it_goes_on() {
        let (mut stream, mut count) = (FrameStream::default(), 0);
        let mut push =
            |octets: &[u8], gap| stream.push(Way::Turn, octets, gap, &mut |_| count += 1);
        push(&[0x40, 0, 0, 4, 1, 2, 3, 4], false);
        push(&[7, 7, 7], true);
        push(&[0x40, 0, 0, 4, 1, 2, 3, 4], false);
        push(&[0x90, 1, 2, 3], false);
        let mut behind = vec![1, 2, 3];
        behind.extend([0x40, 1, 0, 3, 7, 7, 7, 0].repeat(4));
        push(&behind, true);
        assert_eq!(count, 6);
    }
}
