//! WebSocket (RFC 6455): the upgrade that asks for SIP (RFC 7118 §4), and the header of a frame.
//!
//! ```text
//! |F|R R R|op(4)|M|  length (7, or 16 or 64 more bits)  |  masking key (32), if M  |
//! ```
//!
//! RFC 6455 §5.2. Extensions are not undone: a frame with a reserved bit is told as such (§9; what
//! RFC 7692 compresses cannot be read). Handshake keys are not verified.

/// Octets of an HTTP head after which it is not looked for any more.
pub const HEAD_MAX: usize = 4096;

/// The opcodes of RFC 6455 §11.8, reserved ones left out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// Goes on with the message of the frame before.
    Continuation,
    /// Begins a message of text.
    Text,
    /// Begins a message of octets.
    Binary,
    /// Ends the connection.
    Close,
    /// Asks whether the other side is there.
    Ping,
    /// Says so.
    Pong,
}

/// The header of one frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The last frame of its message.
    pub fin: bool,
    /// A reserved bit is set: an extension changed the payload.
    pub extended: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The key of a client's frames (RFC 6455 §5.3).
    pub mask: Option<[u8; 4]>,
    /// Octets of the header.
    pub header: usize,
    /// Octets of the payload, as announced: up to 2^63.
    pub payload: u64,
}

/// Why octets are not the header of a frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum WsError {
    /// Fewer octets than the header has; so many are needed at least.
    Short(usize),
    /// A reserved opcode, a control frame of more than 125 octets or in pieces, or a length that is
    /// longer than it has to be or above 2^63.
    Malformed,
}

/// What the head of an HTTP message says of a WebSocket.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// The head ends here, and the subprotocol is SIP.
    Sip(usize),
    /// More octets could tell.
    More,
    /// Some other HTTP, or none.
    No,
}

impl Header {
    /// Reads the header at the beginning of `octets`.
    ///
    /// # Errors
    /// See [`WsError`].
    pub fn read(octets: &[u8]) -> Result<Self, WsError> {
        let &[first, second, ref rest @ ..] = octets else { return Err(WsError::Short(2)) };
        let opcode = Opcode::of(first & 0x0f).ok_or(WsError::Malformed)?;
        let (masked, short) = (second & 0x80 != 0, second & 0x7f);
        let long: usize = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let header = long.saturating_add(if masked { 6 } else { 2 });
        if opcode.is_control() && (short > 125 || first & 0x80 == 0) {
            return Err(WsError::Malformed);
        }
        let Some((length, rest)) = rest.split_at_checked(long) else {
            return Err(WsError::Short(header));
        };
        let payload = match length {
            [] => u64::from(short),
            _ => length.iter().fold(0, |sum: u64, octet| sum << 8 | u64::from(*octet)),
        };
        // RFC 6455 §5.2: the minimal number of octets must be used.
        let least = match long {
            2 => 126,
            8 => 0x1_0000,
            _ => 0,
        };
        if payload < least || payload >> 63 != 0 {
            return Err(WsError::Malformed);
        }
        let mask = if masked {
            Some(*rest.first_chunk::<4>().ok_or(WsError::Short(header))?)
        } else {
            None
        };
        let (fin, extended) = (first & 0x80 != 0, first & 0x70 != 0);
        Ok(Self { fin, extended, opcode, mask, header, payload })
    }

    /// Octets of the whole frame; as many as there can be for one that is longer than memory.
    pub fn octets(&self) -> usize {
        usize::try_from(self.payload).unwrap_or(usize::MAX).saturating_add(self.header)
    }

    /// Appends a payload to `out`, its mask taken off.
    pub fn unmask(&self, payload: &[u8], out: &mut Vec<u8>) {
        match self.mask {
            None => out.extend_from_slice(payload),
            Some(mask) => {
                out.extend(payload.iter().zip(mask.iter().cycle()).map(|(octet, key)| octet ^ key));
            }
        }
    }
}

impl Opcode {
    /// The opcode of these four bits.
    pub const fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Close, ping and pong, which may stand between the frames of a message.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Whether `octets` begin with the head of a request for a WebSocket with SIP, or of the response
/// that agrees to it (RFC 7118 §4.1).
pub fn upgrade(octets: &[u8]) -> Upgrade {
    let begins = |with: &[u8]| {
        let len = with.len().min(octets.len());
        octets.get(..len) == with.get(..len)
    };
    if !begins(b"GET ") && !begins(b"HTTP/1.1 101") {
        return Upgrade::No;
    }
    let head = octets.get(..HEAD_MAX).unwrap_or(octets);
    let Some(end) = memchr::memmem::find(head, b"\r\n\r\n") else {
        return if head.len() < HEAD_MAX { Upgrade::More } else { Upgrade::No };
    };
    let lines = head.get(..end).unwrap_or_default().split(|octet| *octet == b'\n').skip(1);
    let (mut asked, mut sip) = (false, false);
    for line in lines {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        let mut values = value.get(1..).unwrap_or_default().split(|octet| *octet == b',');
        let mut has = |word: &[u8]| values.any(|v| v.trim_ascii().eq_ignore_ascii_case(word));
        match name.trim_ascii() {
            name if name.eq_ignore_ascii_case(b"Upgrade") => asked |= has(b"websocket"),
            name if name.eq_ignore_ascii_case(b"Sec-WebSocket-Protocol") => sip |= has(b"sip"),
            _ => {}
        }
    }
    if asked && sip { Upgrade::Sip(end.saturating_add(4)) } else { Upgrade::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_6455_are_read() {
        // §5.7: "Hello", unmasked and masked.
        let plain = [0x81, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
        let header = Header::read(&plain).unwrap();
        assert_eq!((header.opcode, header.fin, header.octets()), (Opcode::Text, true, 7));
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let header = Header::read(&masked).unwrap();
        let mut out = Vec::new();
        header.unmask(&masked[header.header..], &mut out);
        assert_eq!(out, b"Hello");
        // 256 octets of binary, unmasked; 65,536 octets.
        assert_eq!(Header::read(&[0x82, 0x7e, 1, 0]).unwrap().payload, 256);
        let long = [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];
        assert_eq!(Header::read(&long).unwrap().payload, 65_536);
    }

    #[test]
    fn a_control_frame_is_short_and_whole() {
        assert_eq!(Header::read(&[0x89, 5]).map(|h| h.opcode), Ok(Opcode::Ping));
        assert_eq!(Header::read(&[0x09, 5]), Err(WsError::Malformed));
        assert_eq!(Header::read(&[0x89, 126, 1, 0]), Err(WsError::Malformed));
        assert_eq!(Header::read(&[0x83, 5]), Err(WsError::Malformed));
        // A length that would have fitted in seven bits; a length of 64 bits.
        assert_eq!(Header::read(&[0x81, 126, 0, 5]), Err(WsError::Malformed));
        assert_eq!(Header::read(&[0x81, 127, 255, 0, 0, 0, 0, 0, 0, 0]), Err(WsError::Malformed));
        for len in 0..14 {
            let octets = &[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4][..len];
            assert!(matches!(Header::read(octets), Err(WsError::Short(n)) if n > len), "{len}");
        }
    }

    #[test]
    fn only_an_upgrade_to_sip_counts() {
        let ask = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: chat, sip\r\n\r\n";
        assert_eq!(upgrade(ask), Upgrade::Sip(ask.len()));
        for len in 0..ask.len() {
            assert_eq!(upgrade(&ask[..len]), Upgrade::More, "{len}");
        }
        let agree = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
            Sec-WebSocket-Protocol: sip\r\n\r\n\x81\x02hi";
        assert_eq!(upgrade(agree), Upgrade::Sip(agree.len() - 4));
        assert_eq!(upgrade(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), Upgrade::No);
        assert_eq!(upgrade(b"HTTP/1.1 200 OK\r\n\r\n"), Upgrade::No);
        assert_eq!(upgrade(b"INVITE sip:a@b SIP/2.0\r\n"), Upgrade::No);
    }
}
