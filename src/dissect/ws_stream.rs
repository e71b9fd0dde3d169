//! SIP on one direction of a WebSocket connection (RFC 7118 §5): the head of the upgrade, then frames
//! (RFC 6455 §5), of which text and binary make messages, whole or in pieces, with control frames in
//! between. After a hole, and where the capture began later, reading goes on at the first frame that
//! begins a SIP message. Payloads that an extension changed are passed over.

use overhear_parsers::sip;
use overhear_parsers::websocket::{self, Header, Opcode, Upgrade, WsError};

/// Octets of a frame, and of a message, at most: as of a SIP message on TCP.
const MESSAGE_MAX: usize = super::sip_stream::BUFFER_MAX;

/// Memory that an empty buffer may keep.
const SPARE_MAX: usize = 8 << 10;

/// Octets of a payload that are looked at to tell SIP.
const PROBED: usize = 1024;

/// Where a direction is.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Its first octets have not come.
    #[default]
    Head,
    /// In the frames.
    Frames,
    /// It is not known where a frame begins.
    Lost,
}

/// One direction's unfinished frame and message.
#[derive(Debug, Default)]
pub struct WsStream {
    phase: Phase,
    /// A message has begun.
    open: bool,
    /// It cannot be read.
    unreadable: bool,
    frames: Vec<u8>,
    message: Vec<u8>,
}

impl WsStream {
    /// Memory taken.
    pub fn cost(&self) -> u64 {
        let octets = self.frames.capacity().saturating_add(self.message.capacity());
        u64::try_from(octets).unwrap_or(u64::MAX)
    }

    /// Forgets what is unfinished, with its memory.
    pub fn forget(&mut self) {
        *self = Self { phase: Phase::Lost, ..Self::default() };
    }

    /// Takes the next octets of the direction and shows each whole message.
    pub fn push(&mut self, octets: &[u8], after_gap: bool, found: &mut impl FnMut(&[u8])) {
        if after_gap {
            self.forget();
        }
        let mut octets = octets;
        if self.phase == Phase::Lost {
            let Some(from) =
                (0..octets.len()).find(|from| octets.get(*from..).is_some_and(begins_sip))
            else {
                return;
            };
            octets = octets.get(from..).unwrap_or_default();
        }
        self.frames.extend_from_slice(octets);
        let mut used = 0_usize;
        if self.phase == Phase::Head {
            match websocket::upgrade(&self.frames) {
                Upgrade::More => return,
                Upgrade::Sip(head) => used = head,
                Upgrade::No if begins_sip(&self.frames) => {}
                Upgrade::No => return self.forget(),
            }
        }
        self.phase = Phase::Frames;
        let frames = std::mem::take(&mut self.frames);
        while let Some(rest) = frames.get(used..).filter(|rest| !rest.is_empty()) {
            match self.frame(rest, found) {
                Some(0) => break,
                Some(octets) => used = used.saturating_add(octets),
                None => return self.forget(),
            }
        }
        self.frames = frames;
        self.frames.drain(..used.min(self.frames.len()));
        for buffer in [&mut self.frames, &mut self.message] {
            if buffer.is_empty() && buffer.capacity() > SPARE_MAX {
                *buffer = Vec::new();
            }
        }
    }

    /// Takes one frame: its octets, 0 for one that is not whole, `None` where none can be.
    fn frame(&mut self, octets: &[u8], found: &mut impl FnMut(&[u8])) -> Option<usize> {
        let header = match Header::read(octets) {
            Ok(header) => header,
            Err(WsError::Short(_)) => return Some(0),
            Err(WsError::Malformed) => return None,
        };
        if header.octets() > MESSAGE_MAX {
            return None;
        }
        let Some(frame) = octets.get(..header.octets()) else { return Some(0) };
        if !header.opcode.is_control() {
            self.data(&header, frame.get(header.header..).unwrap_or_default(), found);
        }
        Some(frame.len())
    }

    fn data(&mut self, header: &Header, payload: &[u8], found: &mut impl FnMut(&[u8])) {
        if header.opcode != Opcode::Continuation {
            self.message.clear();
            (self.open, self.unreadable) = (true, header.extended);
        }
        if !self.open {
            return;
        }
        self.unreadable |= self.message.len().saturating_add(payload.len()) > MESSAGE_MAX;
        if !self.unreadable {
            header.unmask(payload, &mut self.message);
        }
        if header.fin {
            if !self.unreadable {
                found(&self.message);
            }
            self.open = false;
            self.message.clear();
        }
    }
}

/// Whether octets begin with a frame whose payload begins a SIP message.
pub fn begins_sip(octets: &[u8]) -> bool {
    let Ok(header) = Header::read(octets) else { return false };
    let begins = matches!(header.opcode, Opcode::Text | Opcode::Binary) && !header.extended;
    if !begins || header.octets() > MESSAGE_MAX {
        return false;
    }
    let payload = octets.get(header.header..header.octets().min(octets.len())).unwrap_or_default();
    // Most of what is asked about here is no frame: one octet settles it.
    let mut text = Vec::new();
    header.unmask(payload.get(..1).unwrap_or_default(), &mut text);
    if !text.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    text.clear();
    header.unmask(payload.get(..PROBED).unwrap_or(payload), &mut text);
    sip::probe(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[u8] =
        b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\n\
        Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
    const HEAD: &[u8] =
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

    fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
        let masked = if mask.is_some() { 0x80 } else { 0 };
        let mut octets = vec![first];
        if let Some(len) = u8::try_from(payload.len()).ok().filter(|len| *len < 126) {
            octets.push(masked | len);
        } else {
            octets.push(masked | 0x7e);
            octets.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
        octets.extend(mask.unwrap_or_default().iter().take(if masked == 0 { 0 } else { 4 }));
        let key = mask.unwrap_or_default();
        octets.extend(payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b));
        octets
    }

    fn run(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut stream, mut all) = (WsStream::default(), Vec::new());
        for chunk in chunks {
            stream.push(chunk, false, &mut |message| all.push(message.to_vec()));
        }
        all
    }

    #[test]
    fn pieces_with_a_ping_between_make_one_message_in_any_chunks() {
        let mask = Some([1, 2, 3, 4]);
        let octets = [
            HEAD,
            &frame(0x01, &OPTIONS[..20], mask),
            &frame(0x89, b"?", mask),
            &frame(0x80, &OPTIONS[20..], mask),
            &frame(0x81, b"\r\n\r\n", mask),
            &frame(0x82, OPTIONS, None),
            &frame(0x88, b"", mask),
        ]
        .concat();
        let want = [OPTIONS.to_vec(), b"\r\n\r\n".to_vec(), OPTIONS.to_vec()];
        for size in [1, 2, 3, 7, 50, octets.len()] {
            assert_eq!(run(&octets.chunks(size).collect::<Vec<_>>()), want, "{size}");
        }
    }

    #[test]
    fn after_a_hole_reading_goes_on_where_a_message_begins() {
        let mut stream = WsStream::default();
        let mut count = 0;
        let whole = frame(0x81, OPTIONS, Some([9, 8, 7, 6]));
        let behind = [&whole[9..], &whole[..]].concat();
        for (octets, gap) in [(HEAD, false), (&whole[9..], true), (&whole[..], false)] {
            stream.push(octets, gap, &mut |_| count += 1);
        }
        assert_eq!(count, 1);
        stream.push(&behind, true, &mut |_| count += 1);
        assert_eq!(count, 2);
        assert!(begins_sip(&whole) && !begins_sip(OPTIONS) && !begins_sip(&[0x81, 3, 1, 2, 3]));
    }

    #[test]
    fn compressed_and_endless_messages_are_passed_over() {
        assert!(run(&[HEAD, &frame(0xc1, OPTIONS, None)]).is_empty());
        assert!(run(&[HEAD, &[0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0, 1]]).is_empty());
        let mut stream = WsStream::default();
        stream.push(HEAD, false, &mut |_| {});
        let piece = frame(0, &vec![b'a'; 60_000], None);
        for _ in 0..100 {
            stream.push(&piece, false, &mut |_| {});
        }
        assert!(stream.cost() < 4 << 20);
    }
}
