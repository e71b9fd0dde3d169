//! The handshake messages of one side of DTLS, put together from fragments of any size down to one octet,
//! in any order, overlapping and repeated (RFC 6347 §4.2.3, RFC 9147 §5.5). What came first counts, and of
//! a message that is told of every octet has come.

use overhear_parsers::dtls::Fragment;

use super::gathered::Gathered;
use super::tls_stream::KEPT_OCTETS;

/// Messages of one side at most: a handshake has about ten.
const MESSAGES_MAX: usize = 64;

/// Types of messages (RFC 5246 §7.4).
const CLIENT_HELLO: u8 = 1;
const CLIENT_KEY_EXCHANGE: u8 = 16;

/// What a server sends that its handshake's hash leaves out, or that comes later: `HelloRequest`,
/// `HelloVerifyRequest`, `NewSessionTicket` and `Finished`.
const OUTSIDE: [u8; 4] = [0, 3, 4, 20];

/// The messages of one side, by number and type as they were first seen.
#[derive(Debug, Default)]
pub struct DtlsMessages {
    messages: Vec<Message>,
    /// Octets of all bodies.
    held: usize,
}

/// One message, as far as it has come.
#[derive(Debug)]
struct Message {
    sequence: u16,
    kind: u8,
    length: usize,
    body: Gathered,
}

/// There was no room for a fragment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Full;

impl DtlsMessages {
    /// Takes a fragment; gives the body of its message if it is what made it whole.
    ///
    /// # Errors
    /// [`Full`] if there is no room for it; what there is stays.
    pub fn add(&mut self, fragment: &Fragment<'_>) -> Result<Option<&[u8]>, Full> {
        let length = usize::try_from(fragment.length).map_err(|_| Full)?;
        let begin = usize::try_from(fragment.offset).map_err(|_| Full)?;
        let end = begin.saturating_add(fragment.body.len());
        let is = |of: &Message| (of.sequence, of.kind) == (fragment.sequence, fragment.kind);
        let place = match self.messages.iter().position(is) {
            Some(place) => place,
            None if self.messages.len() < MESSAGES_MAX => {
                let (sequence, kind, body) =
                    (fragment.sequence, fragment.kind, Gathered::default());
                self.messages.push(Message { sequence, kind, length, body });
                self.messages.len().saturating_sub(1)
            }
            None => return Err(Full),
        };
        let message = self.messages.get_mut(place).ok_or(Full)?;
        // What says that the message is of another length is of another one.
        if message.length != length || message.whole().is_some_and(|whole| !whole.is_empty()) {
            return Ok(None);
        }
        let more = end.saturating_sub(message.body.extent());
        if self.held.saturating_add(more) > KEPT_OCTETS || !message.body.add(begin, fragment.body) {
            return Err(Full);
        }
        self.held = self.held.saturating_add(more);
        Ok(message.whole())
    }

    /// The first octets of the first message of a type, as soon as so many have come.
    pub fn beginning(&self, kind: u8, octets: usize) -> Option<&[u8]> {
        let message = self.messages.iter().find(|message| message.kind == kind)?;
        message.body.beginning(octets)
    }

    /// Appends the messages that are whole as TLS writes them, in the order of their numbers. Tells
    /// whether none was missing a part.
    pub fn assemble(&self, out: &mut Vec<u8>) -> bool {
        let mut all: Vec<&Message> = self.messages.iter().collect();
        all.sort_unstable_by_key(|message| (message.sequence, message.kind));
        let mut whole = true;
        for message in all {
            let Some(body) = message.whole() else {
                whole = false;
                continue;
            };
            let length = u32::try_from(message.length).unwrap_or(u32::MAX);
            let [_, a, b, c] = length.to_be_bytes();
            out.extend_from_slice(&[message.kind, a, b, c]);
            out.extend_from_slice(body);
        }
        whole
    }

    /// The messages of both sides that the extended master secret is made of (RFC 7627 §4), as DTLS hashes
    /// them: from the `ClientHello` that was accepted to the `ClientKeyExchange`, each with the header
    /// that it would have in one fragment (RFC 6347 §4.2.6).
    pub fn transcript([client, server]: [&Self; 2]) -> Vec<u8> {
        let of_client = |kind| {
            let all = client.messages.iter().filter(move |message| message.kind == kind);
            all.map(|message| message.sequence).max()
        };
        let mut out = Vec::new();
        let Some(hello) = of_client(CLIENT_HELLO) else { return out };
        let exchange = of_client(CLIENT_KEY_EXCHANGE).unwrap_or(hello);
        client
            .hashed(|message| (message.sequence, message.kind) == (hello, CLIENT_HELLO), &mut out);
        server.hashed(|message| !OUTSIDE.contains(&message.kind), &mut out);
        client.hashed(|message| message.sequence > hello && message.sequence <= exchange, &mut out);
        out
    }

    /// Appends the whole ones of these messages, in the order of their numbers.
    fn hashed(&self, of: impl Fn(&Message) -> bool, out: &mut Vec<u8>) {
        let mut these: Vec<&Message> = self.messages.iter().filter(|message| of(message)).collect();
        these.sort_unstable_by_key(|message| (message.sequence, message.kind));
        for (message, body) in these.iter().filter_map(|message| Some((message, message.whole()?)))
        {
            let [_, length @ ..] = u32::try_from(message.length).unwrap_or(u32::MAX).to_be_bytes();
            out.push(message.kind);
            out.extend_from_slice(&length);
            out.extend_from_slice(&message.sequence.to_be_bytes());
            out.extend_from_slice(&[0; 3]);
            out.extend_from_slice(&length);
            out.extend_from_slice(body);
        }
    }

    /// Octets of memory.
    pub fn cost(&self) -> usize {
        let own = self.messages.capacity().saturating_mul(size_of::<Message>());
        let bodies = self.messages.iter().map(|message| message.body.cost());
        bodies.fold(own, usize::saturating_add)
    }
}

impl Message {
    fn whole(&self) -> Option<&[u8]> {
        self.body.beginning(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(sequence: u16, length: u32, offset: u32, body: &[u8]) -> Fragment<'_> {
        Fragment { kind: 11, length, sequence, offset, body }
    }

    #[test]
    fn octets_one_by_one_in_any_order_become_a_message() {
        let text: Vec<u8> = (0..=255).collect();
        for step in [1, 3, 85, 255] {
            let mut messages = DtlsMessages::default();
            for number in 0..256_usize {
                let at = number * step % 256;
                let offset = u32::try_from(at).unwrap();
                let added = messages.add(&part(1, 256, offset, &text[at..=at])).unwrap();
                assert_eq!(added.is_some(), number == 255, "step {step}, number {number}");
                // Sent again.
                let again = &[0xee; 1];
                assert_eq!(messages.add(&part(1, 256, offset, again)), Ok(None));
            }
            let mut out = Vec::new();
            assert!(messages.assemble(&mut out));
            assert_eq!(out, [&[11, 0, 1, 0][..], &text].concat());
            assert_eq!(messages.beginning(11, 34), text.get(..34));
        }
    }

    #[test]
    fn a_fragment_of_a_message_of_another_length_is_left_out() {
        let mut messages = DtlsMessages::default();
        assert_eq!(messages.add(&part(0, 8, 2, b"cd")), Ok(None));
        assert_eq!(messages.add(&part(0, 9, 0, b"another")), Ok(None));
        assert_eq!(messages.beginning(11, 1), None);
        assert_eq!(messages.add(&part(0, 8, 0, b"ab!!efgh")), Ok(Some(&b"abcdefgh"[..])));
        assert_eq!(messages.beginning(11, 3), Some(&b"abc"[..]));
    }

    #[test]
    fn messages_come_out_in_order_and_those_with_holes_do_not() {
        let mut messages = DtlsMessages::default();
        assert_eq!(messages.add(&part(3, 2, 0, b"x")), Ok(None));
        assert_eq!(messages.add(&part(2, 0, 0, b"")), Ok(Some(&b""[..])));
        assert_eq!(messages.add(&part(1, 1, 0, b"y")), Ok(Some(&b"y"[..])));
        let mut out = Vec::new();
        assert!(!messages.assemble(&mut out));
        assert_eq!(out, [11, 0, 0, 1, b'y', 11, 0, 0, 0]);
    }

    #[test]
    fn the_transcript_begins_with_the_hello_that_was_accepted() {
        let [mut client, mut server] = [DtlsMessages::default(), DtlsMessages::default()];
        let add = |to: &mut DtlsMessages, kind, sequence, body: &[u8]| {
            let length = u32::try_from(body.len()).unwrap();
            let fragment = Fragment { kind, length, sequence, offset: 0, body };
            assert!(to.add(&fragment).is_ok());
        };
        for (kind, sequence, body) in [(1, 0, b"c"), (1, 1, b"C"), (11, 2, b"M"), (16, 3, b"K")] {
            add(&mut client, kind, sequence, body);
        }
        add(&mut client, 20, 4, b"f");
        for (kind, sequence, body) in [(3, 0, b"v"), (2, 1, b"S"), (14, 2, b"D"), (4, 3, b"t")] {
            add(&mut server, kind, sequence, body);
        }
        let out = DtlsMessages::transcript([&client, &server]);
        let bodies: Vec<u8> = out.chunks(13).map(|message| message[12]).collect();
        assert_eq!(bodies, b"CSDMK");
        assert_eq!(out.get(..13), Some(&[1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, b'C'][..]));
        assert!(DtlsMessages::transcript([&server, &client]).is_empty());
    }

    #[test]
    fn nothing_grows_beyond_its_bound() {
        let mut messages = DtlsMessages::default();
        assert_eq!(messages.add(&part(0, 0xff_ffff, 0xff_fffe, b"z")), Err(Full));
        let far = (0..4_000).map(|at| messages.add(&part(1, 9_000, 2 * at, b"z")).is_ok());
        assert!(far.collect::<Vec<_>>().contains(&false));
        assert!((2..100).any(|number| messages.add(&part(number, 1, 0, b"z")).is_err()));
        assert!(messages.cost() < 4 * KEPT_OCTETS, "{}", messages.cost());
    }
}
