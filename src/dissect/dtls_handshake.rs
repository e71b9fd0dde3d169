//! Both directions of a DTLS handshake (RFC 6347 §4.2, RFC 9147 §5): fragments put together by message
//! number, repetitions dropped, and when it is over. Records of epoch 0 are in clear, all others are
//! encrypted and show their type and length only.

use overhear_parsers::dtls::{ContentType, Fragment, Record};
use overhear_parsers::tls::{Alert, ServerHello};

use super::tls_stream::KEPT_OCTETS;
use crate::model::evidence::FrameRef;
use crate::model::handshake::{Ending, Outcome, Peer};

/// DTLS 1.3.
const DTLS13: u16 = 0xfefc;

/// Octets of an encrypted record that can hold no Finished.
const ALERT_LENGTH: usize = 36;

/// A handshake under way.
#[derive(Debug)]
pub struct DtlsHandshake {
    /// Fragments of the client and of the server as they came, without repetitions.
    fragments: [Vec<u8>; 2],
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
    /// Messages are missing.
    pub torn: bool,
    /// How it ended.
    pub ended: Option<(Outcome, Ending)>,
}

impl DtlsHandshake {
    /// A handshake that begins here.
    pub fn new(first: FrameRef) -> Self {
        Self {
            fragments: Default::default(),
            first,
            answered: None,
            last: first,
            version: None,
            alert: None,
            sealed: [false; 2],
            torn: false,
            ended: None,
        }
    }

    /// Memory taken.
    pub fn cost(&self) -> u64 {
        let octets =
            self.fragments.iter().fold(0_usize, |sum, kept| sum.saturating_add(kept.capacity()));
        u64::try_from(octets.saturating_add(size_of::<Self>())).unwrap_or(u64::MAX)
    }

    /// Forgets the messages, with their memory.
    pub fn forget(&mut self) {
        self.fragments = Default::default();
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

    fn fragment(&mut self, from: Peer, fragment: &Fragment<'_>, at: FrameRef) {
        if from == Peer::Server && fragment.kind == 2 && fragment.offset == 0 {
            self.answered = self.answered.or(Some(at));
            let hello =
                Some(fragment.body).filter(|_| fragment.is_whole()).and_then(ServerHello::parse);
            self.version = hello.map(|hello| hello.agreed_version()).or(self.version);
        }
        let [client, server] = &mut self.fragments;
        let kept = if from == Peer::Client { client } else { server };
        let same = |other: Fragment<'_>| {
            (other.kind, other.sequence, other.offset, other.body.len())
                == (fragment.kind, fragment.sequence, fragment.offset, fragment.body.len())
        };
        if Fragment::all(kept).any(same) {
            return;
        }
        if kept.len().saturating_add(fragment.body.len()) > KEPT_OCTETS {
            self.torn = true;
            return;
        }
        let number = |number: u32| {
            let [_, a, b, c] = number.to_be_bytes();
            [a, b, c]
        };
        kept.push(fragment.kind);
        kept.extend_from_slice(&number(fragment.length));
        kept.extend_from_slice(&fragment.sequence.to_be_bytes());
        kept.extend_from_slice(&number(fragment.offset));
        kept.extend_from_slice(&number(u32::try_from(fragment.body.len()).unwrap_or_default()));
        kept.extend_from_slice(fragment.body);
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

    /// Appends the messages of one side as TLS writes them: each that is whole, in the order of their
    /// numbers. Tells whether none was missing.
    pub fn assemble(&self, of: Peer, out: &mut Vec<u8>) -> bool {
        let [client, server] = &self.fragments;
        let kept = if of == Peer::Client { client } else { server };
        let mut numbers: Vec<(u16, u8)> =
            Fragment::all(kept).map(|f| (f.sequence, f.kind)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut whole = true;
        for (sequence, kind) in numbers {
            let parts = Fragment::all(kept).filter(|f| (f.sequence, f.kind) == (sequence, kind));
            whole &= assemble_one(parts, out);
        }
        whole
    }
}

/// Appends one message, if its parts cover it.
fn assemble_one<'a>(parts: impl Iterator<Item = Fragment<'a>>, out: &mut Vec<u8>) -> bool {
    let mut parts: Vec<Fragment<'_>> = parts.collect();
    parts.sort_by_key(|part| part.offset);
    let Some(first) = parts.first().copied() else { return true };
    let begin = out.len();
    let [_, a, b, c] = first.length.to_be_bytes();
    out.extend_from_slice(&[first.kind, a, b, c]);
    let body = out.len();
    for part in parts.iter().filter(|part| part.length == first.length) {
        let have = out.len().saturating_sub(body);
        let skip = have.checked_sub(usize::try_from(part.offset).unwrap_or(usize::MAX));
        if let Some(more) = skip.and_then(|skip| part.body.get(skip..)) {
            out.extend_from_slice(more);
        }
    }
    let whole = u32::try_from(out.len().saturating_sub(body)) == Ok(first.length);
    if !whole {
        out.truncate(begin);
    }
    whole
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
    fn alerts_refuse_in_clear_and_encrypted() {
        for (epoch, fragment) in [(0, &[2_u8, 40][..]), (1, &[7; 24][..])] {
            let mut handshake = DtlsHandshake::new(FrameRef::default());
            take(&mut handshake, Peer::Server, ContentType::Alert, epoch, fragment);
            assert_eq!(handshake.ended, Some((Outcome::Refused, Ending::Alert)));
        }
    }
}
