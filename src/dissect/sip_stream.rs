//! SIP on one direction of a byte stream: messages cut by Content-Length (RFC 3261 §18.3), with
//! keep-alives (RFC 5626 §3.5.1) dropped, junk skipped up to the next start line, and what a hole
//! in the capture leaves of a message kept.

use overhear_parsers::sip::{self, Framing, HeaderSpan, Layout};

/// Octets of an unfinished message held at most.
pub const BUFFER_MAX: usize = 1 << 20;

/// Memory that an empty buffer may keep.
const SPARE_MAX: usize = 8 << 10;

/// A message found on the stream.
#[derive(Debug)]
pub struct Found<'a> {
    /// Its octets.
    pub octets: &'a [u8],
    /// Start line, body and anomalies.
    pub layout: Layout,
    /// Header spans, relative to `octets`.
    pub spans: &'a [HeaderSpan],
    /// A hole in the capture cut it short.
    pub cut: bool,
}

/// One direction's unfinished message.
#[derive(Debug, Default)]
pub struct SipStream {
    buffer: Vec<u8>,
}

impl SipStream {
    /// Octets held.
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Memory taken for what is held.
    pub fn cost(&self) -> u64 {
        u64::try_from(self.buffer.capacity()).unwrap_or(u64::MAX)
    }

    /// The octets held, while it is not known yet whether they are SIP.
    pub fn octets(&self) -> &[u8] {
        &self.buffer
    }

    /// Holds octets without looking at them.
    pub fn hold(&mut self, octets: &[u8]) {
        self.buffer.extend_from_slice(octets);
    }

    /// Gives back what is held.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Forgets what is held, with its memory.
    pub fn forget(&mut self) {
        self.buffer = Vec::new();
    }

    /// Takes the next octets of the stream. After a hole, what was held is given out as it stands.
    pub fn push(
        &mut self,
        octets: &[u8],
        after_gap: bool,
        spans: &mut Vec<HeaderSpan>,
        found: &mut impl FnMut(&Found<'_>),
    ) {
        if after_gap {
            self.flush(spans, found);
        }
        if self.buffer.is_empty() {
            let used = drain(octets, spans, found);
            self.buffer.extend_from_slice(octets.get(used..).unwrap_or_default());
        } else {
            self.buffer.extend_from_slice(octets);
            let used = drain(&self.buffer, spans, found);
            self.buffer.drain(..used.min(self.buffer.len()));
        }
        if self.buffer.len() > BUFFER_MAX {
            self.flush(spans, found);
        }
        // A long message must not leave its memory with every connection that once had one.
        if self.buffer.is_empty() && self.buffer.capacity() > SPARE_MAX {
            self.buffer = Vec::new();
        }
    }

    /// Gives out an unfinished message as far as it goes, and forgets it.
    pub fn flush(&mut self, spans: &mut Vec<HeaderSpan>, found: &mut impl FnMut(&Found<'_>)) {
        if sip::probe(&self.buffer) {
            spans.clear();
            if let Ok(layout) = sip::parse_datagram(&self.buffer, spans) {
                found(&Found { octets: &self.buffer, layout, spans, cut: true });
            }
        }
        self.buffer.clear();
    }
}

/// Gives out every whole message and says how many octets are done with.
fn drain(octets: &[u8], spans: &mut Vec<HeaderSpan>, found: &mut impl FnMut(&Found<'_>)) -> usize {
    let mut used = 0_usize;
    while let Some(rest) = octets.get(used..).filter(|rest| !rest.is_empty()) {
        spans.clear();
        let step = match sip::parse_stream(rest, spans) {
            Framing::Message(layout) => {
                let length = usize::try_from(layout.len).unwrap_or(rest.len()).min(rest.len());
                let octets = rest.get(..length).unwrap_or_default();
                found(&Found { octets, layout, spans, cut: false });
                length
            }
            Framing::KeepAlive(length) | Framing::Junk(length) => length,
            Framing::Incomplete { .. } => break,
        };
        if step == 0 {
            break;
        }
        used = used.saturating_add(step);
    }
    used.min(octets.len())
}
