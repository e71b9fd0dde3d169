//! One direction of a TLS connection while its handshake lasts: records counted, what they carry in
//! clear kept, the rest skipped (RFC 8446 §5.1, RFC 5246 §6.2). Nothing of a record is held but its
//! header and clear handshake octets.

use overhear_parsers::tls::{Alert, Record};

/// Octets of handshake messages kept of a direction; more than any real chain of certificates needs.
pub const KEPT_OCTETS: usize = 24 << 10;

/// Octets for which there is room behind the first flight: most clients send a key exchange yet.
const MORE: usize = 288;

/// Memory that is kept for another stream: as much as most servers' first flights take.
const SPARE_OCTETS: usize = 4 << 10;

/// Octets of a record header.
const HEADER: usize = 5;

/// What a record was.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// More octets of handshake messages are in [`TlsStream::messages`].
    Handshake,
    /// `change_cipher_spec`.
    ChangeCipherSpec,
    /// An alert in clear.
    Alert(Alert),
    /// A heartbeat in clear that asks for more than it brings (CVE-2014-0160).
    Heartbleed,
    /// A record that is encrypted: its content type as far as it shows, and its length.
    Sealed(u8, usize),
    /// No record: the stream is not read on.
    Lost,
}

/// One direction.
#[derive(Debug, Default)]
pub struct TlsStream {
    messages: Vec<u8>,
    header: [u8; HEADER],
    /// Octets of `header` that have come.
    have: usize,
    /// Octets of the record that are still to come.
    left: usize,
    kind: u8,
    /// The first octets of a short record in clear.
    short: [u8; 3],
    short_have: usize,
    length: usize,
    /// The direction changed to its keys.
    changed: bool,
    /// Handshake records behind a `change_cipher_spec` are in clear: in TLS 1.3 it means nothing.
    pub tls13: bool,
    /// Messages are missing, or were not kept.
    pub torn: bool,
    lost: bool,
}

impl TlsStream {
    /// The handshake messages in clear so far.
    pub fn messages(&self) -> &[u8] {
        &self.messages
    }

    /// Memory taken.
    pub fn cost(&self) -> u64 {
        u64::try_from(self.messages.capacity()).unwrap_or(u64::MAX)
    }

    /// Forgets the messages, with their memory.
    pub fn forget(&mut self) {
        self.messages = Vec::new();
        self.torn = true;
    }

    /// Becomes a new one; its memory is kept unless it is large.
    pub fn empty(&mut self) {
        let mut messages = std::mem::take(&mut self.messages);
        messages.clear();
        messages.shrink_to(SPARE_OCTETS);
        *self = Self { messages, ..Self::default() };
    }

    /// Takes a record of SSL 2.0 as it is, as far as there is room.
    pub fn keep_raw(&mut self, octets: &[u8]) {
        self.keep(octets, &[]);
    }

    /// The next octets are about to be read; where some before them are missing, senders begin records at
    /// segments: reading goes on at the first that begins with one.
    pub fn begin(&mut self, octets: &[u8], after_gap: bool) {
        if after_gap || self.lost {
            (self.have, self.left, self.torn) = (0, 0, true);
            self.lost = Record::read(octets).is_none_or(|record| record.length == 0);
        }
    }

    /// Reads on in `octets`, which become what is left of them, to the next thing to tell; `None` when all
    /// are read.
    pub fn next(&mut self, octets: &mut &[u8]) -> Option<Event> {
        while !octets.is_empty() && !self.lost {
            let event = if self.left == 0 { self.header(octets) } else { self.fragment(octets) };
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Takes octets of a header.
    fn header(&mut self, octets: &mut &[u8]) -> Option<Event> {
        let header = self.gather(octets)?;
        let Some(record) = Record::read(&header) else {
            self.lost = true;
            return Some(Event::Lost);
        };
        (self.kind, self.length, self.left) = (record.content_type, record.length, record.length);
        self.short_have = 0;
        self.is_sealed().then_some(Event::Sealed(record.content_type, record.length))
    }

    /// A header, once it is whole; it is nearly always whole where it begins.
    fn gather(&mut self, octets: &mut &[u8]) -> Option<[u8; HEADER]> {
        if let Some((header, rest)) = octets.split_first_chunk().filter(|_| self.have == 0) {
            *octets = rest;
            return Some(*header);
        }
        let wanted = HEADER.saturating_sub(self.have).min(octets.len());
        let (part, rest) = octets.split_at_checked(wanted).unwrap_or((octets, &[]));
        *octets = rest;
        let have = self.have.saturating_add(wanted);
        self.header.get_mut(self.have..have)?.copy_from_slice(part);
        self.have = have % HEADER;
        (have == HEADER).then_some(self.header)
    }

    /// Whether the record at hand is encrypted.
    fn is_sealed(&self) -> bool {
        self.kind == 23 || self.changed && self.kind != 20 && !self.tls13
    }

    /// Takes octets of the record at hand.
    fn fragment(&mut self, octets: &mut &[u8]) -> Option<Event> {
        let (part, rest) = octets.split_at_checked(self.left).unwrap_or((octets, &[]));
        *octets = rest;
        self.left = self.left.saturating_sub(part.len());
        if self.is_sealed() {
            return None;
        }
        if self.kind == 22 {
            self.keep(part, rest);
            return Some(Event::Handshake);
        }
        for octet in part.iter().take(3) {
            if let Some(place) = self.short.get_mut(self.short_have) {
                *place = *octet;
                self.short_have = self.short_have.saturating_add(1);
            }
        }
        let event = if self.left == 0 { self.short_record()? } else { return None };
        self.changed |= event == Event::ChangeCipherSpec;
        Some(event)
    }

    /// What a short record in clear says.
    fn short_record(&self) -> Option<Event> {
        match self.kind {
            20 => Some(Event::ChangeCipherSpec),
            21 if self.length == 2 => Alert::read(self.short.get(..2)?).map(Event::Alert),
            24 => {
                let [kind, high, low] = self.short;
                let asked = usize::from(u16::from_be_bytes([high, low]));
                let brought = self.length.saturating_sub(19);
                (kind == 1 && asked > brought).then_some(Event::Heartbleed)
            }
            _ => None,
        }
    }

    /// Keeps octets of the record at hand, and makes room for as many more as are known to come: what is
    /// left of it, or the records `behind` it.
    fn keep(&mut self, octets: &[u8], behind: &[u8]) {
        let room = KEPT_OCTETS.saturating_sub(self.messages.len());
        let kept = octets.get(..room).unwrap_or(octets);
        self.torn |= kept.len() < octets.len();
        if self.messages.capacity().saturating_sub(self.messages.len()) < kept.len() {
            let coming = if self.left > 0 { self.left } else { handshake_octets(behind) };
            let wanted = kept.len().saturating_add(coming).min(room);
            if self.messages.is_empty() {
                self.messages.reserve_exact(wanted.saturating_add(MORE));
            } else {
                self.messages.reserve(wanted);
            }
        }
        self.messages.extend_from_slice(kept);
    }
}

/// Octets in the handshake records that `octets` begins with, as far as they are there.
fn handshake_octets(octets: &[u8]) -> usize {
    let (mut rest, mut sum) = (octets, 0_usize);
    while let Some(record) = Record::read(rest).filter(|record| record.content_type == 22) {
        sum = sum.saturating_add(record.fragment.len());
        rest = rest.get(record.octets()..).unwrap_or_default();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
        let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3][..], &length, fragment].concat()
    }

    fn read(stream: &mut TlsStream, mut octets: &[u8], after_gap: bool) -> Vec<Event> {
        stream.begin(octets, after_gap);
        std::iter::from_fn(|| stream.next(&mut octets)).collect()
    }

    fn events(octets: &[u8], chunk: usize, tls13: bool) -> (Vec<Event>, Vec<u8>) {
        let (mut stream, mut all) = (TlsStream { tls13, ..TlsStream::default() }, Vec::new());
        for chunk in octets.chunks(chunk) {
            let events = read(&mut stream, chunk, false);
            all.extend(events.into_iter().filter(|event| *event != Event::Handshake));
        }
        (all, stream.messages)
    }

    #[test]
    fn what_is_in_clear_is_kept_and_the_rest_is_named_in_any_pieces() {
        let octets = [
            record(22, &[2, 0, 0, 1]),
            record(22, &[9, 14, 0, 0, 0]),
            record(20, &[1]),
            record(22, &[7; 40]),
            record(23, &[7; 300]),
        ]
        .concat();
        for size in 1..octets.len() {
            let (found, messages) = events(&octets, size, false);
            assert_eq!(messages, [2, 0, 0, 1, 9, 14, 0, 0, 0], "{size}");
            let sealed = [Event::Sealed(22, 40), Event::Sealed(23, 300)];
            assert_eq!(found, [&[Event::ChangeCipherSpec][..], &sealed].concat(), "{size}");
        }
    }

    #[test]
    fn a_second_hello_of_tls_1_3_stands_behind_a_change_of_cipher() {
        let octets = [record(20, &[1]), record(22, &[1, 0, 0, 0])].concat();
        assert_eq!(events(&octets, 4, true).1, [1, 0, 0, 0]);
        assert!(events(&octets, 4, false).1.is_empty());
    }

    #[test]
    fn alerts_and_greedy_heartbeats_are_told() {
        let alert = Event::Alert(Alert { level: 2, description: 40 });
        assert_eq!(events(&record(21, &[2, 40]), 1, false).0, [alert]);
        assert_eq!(events(&record(24, &[1, 0x40, 0]), 2, false).0, [Event::Heartbleed]);
        let fair = [&[1, 0, 4][..], &[7; 20]].concat();
        assert!(events(&record(24, &fair), 3, false).0.is_empty());
        assert_eq!(events(b"HTTP/1.1 400 ", 3, false).0, [Event::Lost]);
    }

    #[test]
    fn after_a_hole_reading_goes_on_at_a_record() {
        let mut stream = TlsStream::default();
        let mut count = |octets: &[u8], after_gap| read(&mut stream, octets, after_gap).len();
        assert_eq!(count(&record(22, &[2, 0, 0, 9]), false), 1);
        assert_eq!(count(&[7; 50], true), 0);
        assert_eq!(count(&[9; 50], false), 0);
        assert_eq!(count(&record(23, &[7; 9]), false), 1);
        assert_eq!(count(&record(23, &[7; 9]), true), 1);
        assert!(stream.torn);
    }
}
