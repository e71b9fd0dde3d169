//! Both directions of a DTLS handshake (RFC 6347 §4.2, RFC 9147 §5), and when it is over. Records of epoch 0 are in clear, all others are
//! encrypted and show their type and length only.

use overhear_parsers::dtls::{ContentType, Fragment, Record};
use overhear_parsers::tls::{Alert, ServerHello};

use super::dtls_messages::{DtlsMessages, Full};
use crate::model::evidence::FrameRef;
use crate::model::handshake::{Ending, Frames, Outcome, Peer};

/// Types of messages (RFC 5246 §7.4).
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// DTLS 1.3.
const DTLS13: u16 = 0xfefc;

/// Octets of an encrypted record that can hold no Finished.
const ALERT_LENGTH: usize = 36;

/// A handshake under way.
#[derive(Debug)]
pub struct DtlsHandshake {
    /// Of the client and of the server.
    messages: [DtlsMessages; 2],
    /// The first message.
    pub first: FrameRef,
    /// The `ServerHello`.
    pub answered: Option<FrameRef>,
    /// What ended it, or the last that came.
    pub last: FrameRef,
    /// The version that the server chose, once it has.
    pub version: Option<u16>,
    /// The last alert in clear.
    pub alert: Option<(Alert, Peer)>,
    /// Client and server have sent encrypted records.
    pub sealed: [bool; 2],
    /// Where its messages were whole.
    pub frames: Frames,
    /// Messages are missing.
    pub torn: bool,
    /// How it ended.
    pub ended: Option<(Outcome, Ending)>,
}

impl DtlsHandshake {
    /// A handshake that begins here.
    pub fn new(first: FrameRef) -> Self {
        Self {
            messages: Default::default(),
            first,
            answered: None,
            last: first,
            version: None,
            alert: None,
            sealed: [false; 2],
            frames: Frames::default(),
            torn: false,
            ended: None,
        }
    }

    /// Memory taken.
    pub fn cost(&self) -> u64 {
        let octets = self.messages.iter().map(DtlsMessages::cost).fold(0, usize::saturating_add);
        u64::try_from(octets.saturating_add(size_of::<Self>())).unwrap_or(u64::MAX)
    }

    /// Forgets the messages, with their memory.
    pub fn forget(&mut self) {
        self.messages = Default::default();
        self.torn = true;
    }

    /// Takes a record.
    pub fn record(&mut self, from: Peer, record: &Record<'_>, at: FrameRef) {
        if self.ended.is_some() {
            return;
        }
        self.last = at;
        if record.epoch > 0 {
            return self.sealed(from, Some(record.content_type), record.fragment.len());
        }
        match record.content_type {
            ContentType::Handshake => {
                for fragment in Fragment::all(record.fragment) {
                    self.fragment(from, &fragment, at);
                }
            }
            ContentType::Alert => {
                let Some(alert) = Alert::read(record.fragment) else { return };
                self.alert = Some((alert, from));
                self.frames.alert = Some(at);
                if alert.is_fatal(self.version == Some(DTLS13)) {
                    self.ended = Some((Outcome::Refused, Ending::Alert));
                }
            }
            _ => {}
        }
    }

    /// Takes a datagram with the header of DTLS 1.3.
    pub fn unified(&mut self, from: Peer, length: usize, at: FrameRef) {
        if self.ended.is_none() {
            self.last = at;
            self.sealed(from, None, length);
        }
    }

    /// One side ended what carries it. What it ends when it has finished it has not refused.
    pub fn closed(&mut self, from: Peer, reset: bool, at: FrameRef) {
        if self.ended.is_some() {
            return;
        }
        self.last = at;
        let [client, server] = self.sealed;
        let (ending, answers, finished) = match (from, reset) {
            (Peer::Client, true) => (Ending::ClientReset, self.answered.is_some(), client),
            (Peer::Client, false) => (Ending::ClientClosed, self.answered.is_some(), client),
            (Peer::Server, true) => (Ending::ServerReset, true, server),
            (Peer::Server, false) => (Ending::ServerClosed, true, server),
        };
        let refused = answers && !(finished && self.version != Some(DTLS13));
        let outcome = if refused { Outcome::Refused } else { Outcome::Incomplete };
        self.ended = Some((outcome, ending));
    }

    /// The random of the client's hello, as soon as it has come (RFC 5246 §7.4.1.2).
    pub fn random(&self) -> Option<&[u8]> {
        let [client, _] = &self.messages;
        client.beginning(CLIENT_HELLO, 34)?.get(2..)
    }

    /// The messages in clear, of the client and of the server.
    pub fn messages(&self) -> [&DtlsMessages; 2] {
        self.messages.each_ref()
    }

    fn fragment(&mut self, from: Peer, fragment: &Fragment<'_>, at: FrameRef) {
        let answer = from == Peer::Server && fragment.kind == SERVER_HELLO;
        if answer {
            self.answered = self.answered.or(Some(at));
        }
        let [client, server] = &mut self.messages;
        let messages = if from == Peer::Client { client } else { server };
        match messages.add(fragment) {
            Ok(Some(whole)) => {
                let hello = Some(whole).filter(|_| answer).and_then(ServerHello::parse);
                self.version = hello.map(|hello| hello.agreed_version()).or(self.version);
                self.frames.note(from, fragment.kind, at);
            }
            Ok(None) => {}
            Err(Full) => self.torn = true,
        }
    }

    fn sealed(&mut self, from: Peer, kind: Option<ContentType>, length: usize) {
        let [client, server] = &mut self.sealed;
        *if from == Peer::Client { client } else { server } = true;
        self.ended = match kind {
            None | Some(ContentType::Ack) => match (from, length) {
                (Peer::Client, ..ALERT_LENGTH) | (Peer::Server, _) => None,
                (Peer::Client, _) => Some((Outcome::Completed, Ending::Finished)),
            },
            Some(ContentType::Alert) => Some((Outcome::Refused, Ending::Alert)),
            Some(ContentType::ApplicationData | ContentType::Tls12Cid) => {
                Some((Outcome::Completed, Ending::Data))
            }
            Some(_) => (self.sealed == [true; 2]).then_some((Outcome::Completed, Ending::Finished)),
        };
    }

    /// Whether a record begins keys that were agreed on behind the first handshake, of an epoch later than
    /// `known`, which is that epoch then: a `Finished` is the first record of its epoch (RFC 6347 §4.1).
    pub fn renews(record: &Record<'_>, known: &mut u16) -> bool {
        let first = (*known).max(1);
        let renews = record.content_type == ContentType::Handshake && record.epoch > first;
        if renews {
            *known = record.epoch;
        }
        renews
    }

    /// Appends the messages of one side as TLS writes them: each that is whole, in the order of their
    /// numbers. Tells whether none was missing.
    pub fn assemble(&self, of: Peer, out: &mut Vec<u8>) -> bool {
        let [client, server] = &self.messages;
        let messages = if of == Peer::Client { client } else { server };
        messages.assemble(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: ContentType, epoch: u16, fragment: &[u8]) -> Record<'_> {
        Record { content_type: kind, version: 0xfefd, epoch, sequence: 0, fragment }
    }

    fn part(kind: u8, sequence: u8, length: u8, offset: u8, body: &[u8]) -> Vec<u8> {
        let part = u8::try_from(body.len()).unwrap();
        [&[kind, 0, 0, length, 0, sequence, 0, 0, offset, 0, 0, part][..], body].concat()
    }

    fn take(
        handshake: &mut DtlsHandshake,
        from: Peer,
        kind: ContentType,
        epoch: u16,
        fragment: &[u8],
    ) {
        handshake.record(from, &record(kind, epoch, fragment), FrameRef::default());
    }

    #[test]
    fn fragments_in_any_order_and_twice_become_messages() {
        let mut handshake = DtlsHandshake::new(FrameRef::default());
        let parts = [
            part(14, 2, 0, 0, &[]),
            part(11, 1, 5, 3, &[4, 5]),
            part(11, 1, 5, 0, &[1, 2]),
            part(11, 1, 5, 3, &[4, 5]),
            part(11, 1, 5, 1, &[2, 3]),
        ];
        for part in &parts {
            take(&mut handshake, Peer::Server, ContentType::Handshake, 0, part);
        }
        let mut out = Vec::new();
        assert!(handshake.assemble(Peer::Server, &mut out));
        assert_eq!(out, [11, 0, 0, 5, 1, 2, 3, 4, 5, 14, 0, 0, 0]);
        take(&mut handshake, Peer::Server, ContentType::Handshake, 0, &part(12, 3, 9, 0, &[1]));
        out.clear();
        assert!(!handshake.assemble(Peer::Server, &mut out));
        assert_eq!(out.len(), 13);
    }

    #[test]
    fn both_sides_must_finish() {
        let mut handshake = DtlsHandshake::new(FrameRef::default());
        take(&mut handshake, Peer::Client, ContentType::Handshake, 1, &[7; 40]);
        assert_eq!(handshake.ended, None);
        take(&mut handshake, Peer::Client, ContentType::Handshake, 1, &[7; 40]);
        assert_eq!(handshake.ended, None);
        take(&mut handshake, Peer::Server, ContentType::Handshake, 1, &[7; 40]);
        assert_eq!(handshake.ended, Some((Outcome::Completed, Ending::Finished)));
    }

    #[test]
    fn who_ends_what_carries_it_before_it_has_finished_refuses() {
        let closed = |from: Peer, finished: bool| {
            let mut handshake = DtlsHandshake::new(FrameRef::default());
            if finished {
                take(&mut handshake, from, ContentType::Handshake, 1, &[7; 40]);
            }
            handshake.closed(from, true, FrameRef::default());
            handshake.ended.unwrap()
        };
        assert_eq!(closed(Peer::Server, false), (Outcome::Refused, Ending::ServerReset));
        assert_eq!(closed(Peer::Server, true), (Outcome::Incomplete, Ending::ServerReset));
        assert_eq!(closed(Peer::Client, false), (Outcome::Incomplete, Ending::ClientReset));
    }

    #[test]
    fn alerts_refuse_in_clear_and_encrypted() {
        for (epoch, fragment) in [(0, &[2_u8, 40][..]), (1, &[7; 24][..])] {
            let mut handshake = DtlsHandshake::new(FrameRef::default());
            take(&mut handshake, Peer::Server, ContentType::Alert, epoch, fragment);
            assert_eq!(handshake.ended, Some((Outcome::Refused, Ending::Alert)));
        }
    }
}
