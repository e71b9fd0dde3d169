//! MSRP on one direction of a byte stream (RFC 4975 §7): counts messages by their start lines and
//! skips to their end-lines. Bodies are not kept.

use overhear_parsers::msrp::{self, MsrpError, Start};

/// Between messages where nothing is known: what a start line begins with.
const BEGINS: &[u8] = b"MSRP ";

/// One direction: the message it is in, and the tail of what was searched.
#[derive(Debug, Default)]
pub struct MsrpStream {
    ident: Vec<u8>,
    tail: Vec<u8>,
}

impl MsrpStream {
    /// Memory taken: a few hundred octets.
    pub fn cost(&self) -> u64 {
        let octets = self.tail.capacity().saturating_add(self.ident.capacity());
        u64::try_from(octets).unwrap_or(u64::MAX)
    }

    /// Takes the next octets; returns how many messages begin in them.
    pub fn push(&mut self, octets: &[u8], after_gap: bool) -> u64 {
        if after_gap {
            *self = Self::default();
        }
        let mut buffer = std::mem::take(&mut self.tail);
        buffer.extend_from_slice(octets);
        let mut rest = buffer.as_slice();
        let mut begun = 0_u64;
        let keep = loop {
            if !self.ident.is_empty() {
                let Some(end) = msrp::end(rest, &self.ident) else { break msrp::END_MAX };
                rest = rest.get(end..).unwrap_or_default();
                self.ident.clear();
                continue;
            }
            match Start::read(rest) {
                Ok(start) => {
                    begun = begun.saturating_add(1);
                    self.ident.extend_from_slice(start.ident);
                    rest = rest.get(start.octets..).unwrap_or_default();
                }
                Err(MsrpError::Short) => break rest.len(),
                Err(MsrpError::Other) => {
                    let behind = rest.get(1..).unwrap_or_default();
                    let Some(next) = memchr::memmem::find(behind, BEGINS) else {
                        break BEGINS.len();
                    };
                    rest = behind.get(next..).unwrap_or_default();
                }
            }
        };
        let kept = rest.get(rest.len().saturating_sub(keep)..).unwrap_or(rest).to_vec();
        self.tail = kept;
        begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_in_any_chunks() {
        let text = b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://b:1/x;tcp\r\nMessage-ID: 1\r\n\r\n\
            MSRP fake SEND, in a body\r\n-------a786hjs2$\r\nMSRP a786hjs2 200 OK\r\n\
            To-Path: msrp://a:1/y;tcp\r\n-------a786hjs2$\r\n";
        for size in [1, 3, 16, text.len()] {
            let mut stream = MsrpStream::default();
            let count: u64 = text.chunks(size).map(|chunk| stream.push(chunk, false)).sum();
            assert_eq!(count, 2, "{size}");
            assert!(stream.cost() < 2048);
        }
    }

    #[test]
    fn after_a_hole_the_next_start_line_counts() {
        let mut stream = MsrpStream::default();
        assert_eq!(stream.push(b"MSRP abcd1234 SEND\r\n", false), 1);
        assert_eq!(stream.push(b"body\r\n-------abcd1234$\r\nMSRP efgh5678 SEND\r\n", true), 1);
    }
}
