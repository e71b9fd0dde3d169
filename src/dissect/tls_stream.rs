//! One direction of a TLS connection while its handshake lasts: records counted, what they carry in
//! clear kept, the rest skipped (RFC 8446 §5.1, RFC 5246 §6.2). Nothing of a record is held but its
//! header and clear handshake octets.

use overhear_parsers::tls::{Alert, Record};

/// Octets of handshake messages kept of a direction; more than any real chain of certificates needs.
pub const KEPT_OCTETS: usize = 24 << 10;

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

    /// Takes a record of SSL 2.0 as it is, as far as there is room.
    pub fn keep_raw(&mut self, octets: &[u8]) {
        self.keep(octets);
    }

    /// Takes the next octets.
    pub fn push(
        &mut self,
        octets: &[u8],
        after_gap: bool,
        each: &mut impl FnMut(&mut Self, Event),
    ) {
        if after_gap || self.lost {
            // Senders begin records at segments: reading goes on at the first that begins with one.
            (self.have, self.left, self.torn) = (0, 0, true);
            self.lost = Record::read(octets).is_none_or(|record| record.length == 0);
        }
        let mut rest = octets;
        while !rest.is_empty() && !self.lost {
            rest = if self.left == 0 { self.begin(rest, each) } else { self.fragment(rest, each) };
        }
    }

    /// Takes octets of a header.
    fn begin<'o>(&mut self, octets: &'o [u8], each: &mut impl FnMut(&mut Self, Event)) -> &'o [u8] {
        let wanted = HEADER.saturating_sub(self.have).min(octets.len());
        let (part, rest) = octets.split_at_checked(wanted).unwrap_or((octets, &[]));
        for octet in part {
            if let Some(place) = self.header.get_mut(self.have) {
                *place = *octet;
            }
            self.have = self.have.saturating_add(1);
        }
        if self.have < HEADER {
            return rest;
        }
        self.have = 0;
        let Some(record) = Record::read(&self.header) else {
            self.lost = true;
            each(self, Event::Lost);
            return rest;
        };
        (self.kind, self.length, self.left) = (record.content_type, record.length, record.length);
        self.short_have = 0;
        if self.is_sealed() {
            each(self, Event::Sealed(record.content_type, record.length));
        }
        rest
    }

    /// Whether the record at hand is encrypted.
    fn is_sealed(&self) -> bool {
        self.kind == 23 || self.changed && self.kind != 20 && !self.tls13
    }

    /// Takes octets of the record at hand.
    fn fragment<'o>(
        &mut self,
        octets: &'o [u8],
        each: &mut impl FnMut(&mut Self, Event),
    ) -> &'o [u8] {
        let (part, rest) = octets.split_at_checked(self.left).unwrap_or((octets, &[]));
        self.left = self.left.saturating_sub(part.len());
        let sealed = self.is_sealed();
        for octet in part.iter().take(3) {
            if let Some(place) = self.short.get_mut(self.short_have) {
                *place = *octet;
                self.short_have = self.short_have.saturating_add(1);
            }
        }
        if sealed {
            return rest;
        }
        if self.kind == 22 {
            self.keep(part);
            each(self, Event::Handshake);
        } else if self.left == 0
            && let Some(event) = self.short_record()
        {
            self.changed |= event == Event::ChangeCipherSpec;
            each(self, event);
        }
        rest
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

    fn keep(&mut self, octets: &[u8]) {
        let room = KEPT_OCTETS.saturating_sub(self.messages.len());
        let kept = octets.get(..room).unwrap_or(octets);
        self.torn |= kept.len() < octets.len();
        if self.messages.is_empty() {
            self.messages.reserve_exact(kept.len());
        }
        self.messages.extend_from_slice(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
        let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3][..], &length, fragment].concat()
    }

    fn events(octets: &[u8], chunk: usize, tls13: bool) -> (Vec<Event>, Vec<u8>) {
        let (mut stream, mut all) = (TlsStream { tls13, ..TlsStream::default() }, Vec::new());
        for chunk in octets.chunks(chunk) {
            stream.push(chunk, false, &mut |_, event| {
                if event != Event::Handshake {
                    all.push(event);
                }
            });
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
        let (mut stream, mut count) = (TlsStream::default(), 0);
        stream.push(&record(22, &[2, 0, 0, 9]), false, &mut |_, _| count += 1);
        stream.push(&[7; 50], true, &mut |_, _| count += 1);
        assert_eq!((count, stream.torn), (1, true));
        stream.push(&[9; 50], false, &mut |_, _| count += 1);
        stream.push(&record(23, &[7; 9]), false, &mut |_, _| count += 1);
        assert_eq!(count, 2);
        stream.push(&record(23, &[7; 9]), true, &mut |_, _| count += 1);
        assert_eq!(count, 3);
    }
}
