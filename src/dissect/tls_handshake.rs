//! Both directions of a TLS handshake: who greets, what is agreed, and when it is over, however it
//! ends. Everything here is judged from outside: what is encrypted shows its type and length only.
//!
//! Up to TLS 1.2 a handshake is completed when both sides have sent an encrypted handshake record
//! (Finished), or one sent data and the other has changed its cipher. In TLS 1.3 it is when the client
//! has sent a record long enough for a Finished; an alert has a length that nothing else has.

use overhear_parsers::tls::{Alert, MessageType, Messages, ServerHello};

use super::tls_stream::{Event, TlsStream};
use crate::model::evidence::FrameRef;
use crate::model::handshake::{Ending, Frames, Outcome, Peer};

/// An encrypted record of TLS 1.3 below this holds no Finished, but an alert or an empty Certificate.
const FINISHED_LENGTH: usize = 36;

/// Octets of an alert with the octet that says so; the tag comes on top.
const ALERT_LENGTH: usize = 3;

/// `TLS_AES_128_CCM_8_SHA256`, the one suite of TLS 1.3 whose tag has 8 octets and not 16.
const CCM_8: u16 = 0x1305;

/// Octets of an SSL 2.0 exchange kept of a direction.
const SSL2_OCTETS: usize = 4 << 10;

/// What was agreed on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The version.
    pub version: u16,
    /// The suite.
    pub suite: u16,
}

/// A handshake under way.
#[derive(Debug)]
pub struct TlsHandshake {
    /// Of the client and of the server.
    streams: [TlsStream; 2],
    /// Which side of the connection is the client, 0 or 1.
    client: usize,
    /// Its first message.
    pub first: FrameRef,
    /// The `ServerHello`.
    pub answered: Option<FrameRef>,
    /// What ended it, or the last that came.
    pub last: FrameRef,
    /// What the server chose, once it has.
    pub agreed: Option<Agreed>,
    /// The last alert in clear.
    pub alert: Option<(Alert, Peer)>,
    /// Client and server have sent encrypted records.
    pub sealed: [bool; 2],
    changed: [bool; 2],
    /// The client sent data before there was an answer.
    pub early_data: bool,
    /// A heartbeat in clear asked for more than it brought (CVE-2014-0160).
    pub heartbleed: bool,
    /// Where its messages were whole, if there are some of which that is asked.
    frames: Option<Box<Frames>>,
    /// Octets of each side's messages that were looked through for that.
    walked: [usize; 2],
    /// A message of the client in clear was seen.
    greeted: bool,
    /// Octets of a side are missing.
    holed: bool,
    /// The client greets in the form of SSL 2.0.
    ssl2: bool,
    /// How it ended.
    pub ended: Option<(Outcome, Ending)>,
}

impl TlsHandshake {
    /// A handshake whose client is on this side of the connection; `ssl2` if it greets in that form.
    pub fn new(client: usize, ssl2: bool, first: FrameRef) -> Self {
        Self {
            streams: Default::default(),
            client,
            first,
            answered: None,
            last: first,
            agreed: None,
            alert: None,
            sealed: [false; 2],
            changed: [false; 2],
            early_data: false,
            heartbleed: false,
            frames: None,
            walked: [0; 2],
            greeted: ssl2,
            holed: false,
            ssl2,
            ended: None,
        }
    }

    /// Lets go of all but as much memory as another handshake is likely to need.
    pub fn empty(&mut self) {
        self.streams.iter_mut().for_each(TlsStream::empty);
    }

    /// Another handshake, in the memory of this one, which is empty.
    pub fn again(&mut self, client: usize, ssl2: bool, first: FrameRef) {
        let (streams, frames) = (std::mem::take(&mut self.streams), self.frames.take());
        *self = Self { streams, frames, ..Self::new(client, ssl2, first) };
        self.frames.iter_mut().for_each(|frames| **frames = Frames::default());
    }

    /// Which side of the connection is the client.
    pub const fn client(&self) -> usize {
        self.client
    }

    /// The messages in clear of one of the two.
    pub fn messages(&self, of: Peer) -> &[u8] {
        let [client, server] = &self.streams;
        match of {
            Peer::Client => client.messages(),
            Peer::Server => server.messages(),
        }
    }

    /// Whether both sides may agree on keys once more: it was completed, with a version up to TLS 1.2.
    pub fn may_renegotiate(&self) -> bool {
        let completed = matches!(self.ended, Some((Outcome::Completed, _)));
        completed && !self.ssl2 && self.agreed.is_some_and(|agreed| agreed.version <= 0x0303)
    }

    /// Whether the secrets of the session would show more of it, if they came: it was completed. Up to TLS
    /// 1.2 that is whether they open it, in TLS 1.3 most of its messages.
    pub fn hides_more(&self) -> bool {
        matches!(self.ended, Some((Outcome::Completed, _))) && !self.ssl2
    }

    /// Whether messages are missing.
    pub fn torn(&self) -> bool {
        self.streams.iter().any(|stream| stream.torn)
    }

    /// Where its messages were whole, and the last alert in clear.
    pub fn frames(&self) -> Frames {
        self.frames.as_deref().copied().unwrap_or_default()
    }

    /// Memory taken by the messages of one side of the connection, and what is known of them.
    pub fn cost(&self, side: usize) -> u64 {
        let peer = self.peer(side);
        let known = if peer == 1 && self.frames.is_some() { size_of::<Frames>() } else { 0 };
        let messages = self.streams.get(peer).map_or(0, TlsStream::cost);
        messages.saturating_add(u64::try_from(known).unwrap_or(u64::MAX))
    }

    /// Forgets them.
    pub fn forget(&mut self, side: usize) {
        let peer = self.peer(side);
        self.streams.get_mut(peer).into_iter().for_each(TlsStream::forget);
        self.walked.get_mut(peer).into_iter().for_each(|walked| *walked = usize::MAX);
    }

    /// 0 for the client's side, 1 for the server's.
    const fn peer(&self, side: usize) -> usize {
        if side == self.client { 0 } else { 1 }
    }

    /// Takes ordered octets of one side of the connection.
    pub fn push(&mut self, side: usize, octets: &[u8], after_gap: bool, at: FrameRef) {
        if self.ended.is_some() || octets.is_empty() {
            return;
        }
        self.last = at;
        self.holed |= after_gap;
        let peer = self.peer(side);
        if self.ssl2 && self.push_ssl2(peer, octets, at) {
            return;
        }
        let mut rest = octets;
        self.streams.get_mut(peer).into_iter().for_each(|stream| stream.begin(rest, after_gap));
        while let Some(event) = self.streams.get_mut(peer).and_then(|it| it.next(&mut rest)) {
            self.event(peer, event, at);
            if self.is_tls13() {
                self.streams.iter_mut().for_each(|stream| stream.tls13 = true);
            }
        }
    }

    /// Whether the version agreed on, in a `ServerHello` or a `HelloRetryRequest`, is TLS 1.3.
    fn is_tls13(&self) -> bool {
        self.agreed.is_some_and(|agreed| agreed.version == 0x0304)
    }

    /// Octets of a connection that began as SSL 2.0; `false` when the server answers as TLS.
    fn push_ssl2(&mut self, peer: usize, octets: &[u8], at: FrameRef) -> bool {
        if peer == 1 && self.answered.is_none() && matches!(octets, [20..=24, 3, ..]) {
            // The client greeted in the old form and offered more.
            self.ssl2 = false;
            return false;
        }
        if peer == 1 && self.answered.is_none() {
            self.answered = Some(at);
        } else if peer == 0 && self.answered.is_some() {
            self.ended = Some((Outcome::Completed, Ending::Data));
        }
        if let Some(stream) = self.streams.get_mut(peer) {
            let room = SSL2_OCTETS.saturating_sub(stream.messages().len());
            stream.keep_raw(octets.get(..room).unwrap_or(octets));
        }
        true
    }

    fn event(&mut self, peer: usize, event: Event, at: FrameRef) {
        if self.ended.is_some() {
            return;
        }
        let from = if peer == 0 { Peer::Client } else { Peer::Server };
        match event {
            Event::Handshake => {
                self.walk(from, peer, at);
                match from {
                    Peer::Client => self.greeted = true,
                    Peer::Server => self.answer(at),
                }
            }
            Event::Heartbleed => self.heartbleed = true,
            Event::ChangeCipherSpec => {
                self.changed.get_mut(peer).into_iter().for_each(|changed| *changed = true);
            }
            Event::Alert(alert) => {
                self.alert = Some((alert, from));
                self.frames.get_or_insert_default().alert = Some(at);
                if alert.is_fatal(self.is_tls13()) {
                    self.ended = Some((Outcome::Refused, Ending::Alert));
                }
            }
            Event::Sealed(kind, length) => self.sealed(peer, kind, length),
            Event::Lost => self.ended = Some((Outcome::Incomplete, Ending::Silence)),
        }
    }

    /// Notes where the messages of a side have become whole that findings cite; what comes later does not
    /// count.
    fn walk(&mut self, from: Peer, peer: usize, at: FrameRef) {
        let Self { streams, walked, frames, .. } = self;
        let (Some(stream), Some(walked)) = (streams.get(peer), walked.get_mut(peer)) else {
            return;
        };
        let new = stream.messages().get(*walked..).unwrap_or_default();
        for message in Messages::new(new).take_while(|message| message.is_whole) {
            *walked = walked.saturating_add(4).saturating_add(message.body.len());
            if Frames::cites(from, message.kind.0) {
                frames.get_or_insert_default().note(from, message.kind.0, at);
            }
        }
    }

    /// Looks at the server's first message once it is whole.
    fn answer(&mut self, at: FrameRef) {
        self.answered.get_or_insert(at);
        if self.agreed.is_none() {
            let hello = Messages::new(self.messages(Peer::Server)).find(MessageType::SERVER_HELLO);
            let hello = hello.filter(|message| message.is_whole);
            let hello = hello.and_then(|message| ServerHello::parse(message.body));
            self.agreed =
                hello.map(|hello| Agreed { version: hello.agreed_version(), suite: hello.suite });
        }
    }

    fn sealed(&mut self, peer: usize, kind: u8, length: usize) {
        let finished = self.has_finished(peer);
        self.sealed.get_mut(peer).into_iter().for_each(|sealed| *sealed = true);
        if self.answered.is_none() && peer == 0 {
            // TLS 1.3 allows this with a key from before; otherwise the answer was not captured.
            self.early_data = kind == 23;
            return;
        }
        self.ended = if self.is_tls13() {
            match (peer, length) {
                (0, FINISHED_LENGTH..) => Some((Outcome::Completed, Ending::Finished)),
                (0, length) if length <= self.alert_length() => {
                    let refused = if self.heard() { Outcome::Refused } else { Outcome::Incomplete };
                    Some((refused, Ending::Alert))
                }
                _ => None,
            }
        } else if kind == 21 {
            // What closes a session looks the same.
            let heard = self.heard() && self.agreed.is_some() && !finished;
            let outcome = if heard { Outcome::Refused } else { Outcome::Incomplete };
            Some((outcome, Ending::Alert))
        } else if kind == 23 {
            let torn = self.holed || self.agreed.is_none();
            let both = self.changed == [true; 2] || peer == 1 || torn;
            both.then_some((Outcome::Completed, Ending::Data))
        } else {
            (self.sealed == [true; 2]).then_some((Outcome::Completed, Ending::Finished))
        };
    }

    /// Whether a side has sent its Finished, up to TLS 1.2: what it ends then it has not refused. The
    /// other side's may be behind a hole.
    fn has_finished(&self, peer: usize) -> bool {
        !self.is_tls13() && self.sealed.get(peer).is_some_and(|sealed| *sealed)
    }

    /// Whether all was captured from the client's hello on. Where it was not, the session may have come
    /// about although nothing shows it, and who ends it then does not refuse it.
    fn heard(&self) -> bool {
        self.greeted && !self.holed
    }

    /// Octets of a record of TLS 1.3 with an alert.
    fn alert_length(&self) -> usize {
        let tag = if self.agreed.is_some_and(|agreed| agreed.suite == CCM_8) { 8 } else { 16 };
        ALERT_LENGTH.saturating_add(tag)
    }

    /// Octets of a side are missing, and what came behind them was not handed on yet.
    pub fn waits_behind_hole(&mut self) {
        self.holed = true;
    }

    /// One side of the connection ended it.
    pub fn closed(&mut self, side: usize, reset: bool, at: FrameRef) {
        if self.ended.is_some() {
            return;
        }
        self.last = at;
        let peer = self.peer(side);
        let (ending, refused) = match (peer, reset) {
            (0, true) => (Ending::ClientReset, self.answered.is_some()),
            (0, false) => (Ending::ClientClosed, self.answered.is_some()),
            (_, true) => (Ending::ServerReset, true),
            (_, false) => (Ending::ServerClosed, true),
        };
        let outcome = if refused && self.heard() && !self.has_finished(peer) {
            Outcome::Refused
        } else {
            Outcome::Incomplete
        };
        self.ended = Some((outcome, ending));
    }
}

#[cfg(test)]
mod tests;
