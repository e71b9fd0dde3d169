//! One TLS connection as ordered octets of both directions: records cut, the hellos read, and the
//! application data of a session whose secrets are known given out as plaintext.
//!
//! The client's records behind its ClientHello wait for the ServerHello: both directions are in
//! order each for itself, and a capture may show the answer to what it shows later. What a hole
//! leaves of a record is dropped, and the next record looked for where a segment begins. SSL is not
//! opened.

use overhear_parsers::tls::extension::{ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET};
use overhear_parsers::tls::{Alert, ClientHello, MessageType, Messages, Record, ServerHello};

use super::flight::Flight;
use super::keylog::Random;
use super::keys::Keys;
use super::record::{Sealed, Version};
use super::session::{Agreed, Opened, Session};
use crate::model::evidence::FrameRef;
use crate::model::handshake::Frames;

/// Octets of unfinished records, or of unfinished messages, held of a direction at most.
const HELD_MAX: usize = 64 << 10;

/// The content types that matter here.
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// How far the opening of a connection is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// No ClientHello yet.
    Begins,
    /// A ClientHello, and no ServerHello yet.
    Greeted,
    /// Its records are opened as they come.
    Open,
    /// There are no secrets for it.
    Unknown,
    /// There are, but it is not to be opened with them: SSL, a suite that is not in the table,
    /// secrets of another session, too much missing.
    Failed,
}

/// A connection.
#[derive(Debug)]
pub struct TlsStream {
    state: State,
    /// The side that sent the ClientHello.
    client: usize,
    sides: [Half; 2],
    /// Messages of the handshake so far, while they may be needed to make keys.
    transcript: Vec<u8>,
    session: Option<Box<Session>>,
    /// Of the first ClientHello.
    random: Option<Random>,
    /// There are secrets for the session.
    known: bool,
    plain: Vec<u8>,
    flight: Flight,
    /// The last alert that was opened, and its sender's role: 0 is the client.
    alert: Option<(Alert, usize)>,
    /// Data of the client has opened.
    client_spoke: bool,
}

/// What is unfinished of a direction.
#[derive(Debug, Default)]
struct Half {
    /// The beginning of a record, or records that wait.
    records: Vec<u8>,
    /// The beginning of a handshake message.
    message: Vec<u8>,
    /// The next record has to be looked for.
    lost: bool,
    /// Plaintext is missing before what comes next.
    gap: bool,
}

/// Plaintext on its way.
#[derive(Copy, Clone, Debug)]
pub struct Plain<'a> {
    /// The sender.
    pub side: usize,
    /// What it sent.
    pub octets: &'a [u8],
    /// Something before it is missing.
    pub after_gap: bool,
    /// It travelled encrypted; with a NULL suite it does not.
    pub encrypted: bool,
}

impl Default for TlsStream {
    fn default() -> Self {
        Self {
            state: State::Begins,
            client: 0,
            sides: [Half::default(), Half::default()],
            transcript: Vec::new(),
            session: None,
            random: None,
            known: false,
            plain: Vec::new(),
            flight: Flight::default(),
            alert: None,
            client_spoke: false,
        }
    }
}

impl TlsStream {
    /// How far it is.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The random of the ClientHello, by which its secrets are found.
    pub fn random(&self) -> Option<&Random> {
        self.random.as_ref()
    }

    /// Whether secrets are known for it, be they the right ones or not.
    pub const fn has_secrets(&self) -> bool {
        self.known
    }

    /// Whether protected records have opened.
    pub fn has_opened(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.has_opened())
    }

    /// Whether nobody needs a key to read it: its suite does not encrypt.
    pub fn is_null(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_null())
    }

    /// Whether records have opened that a key is needed for.
    pub fn has_decrypted(&self) -> bool {
        self.has_opened() && !self.is_null()
    }

    /// The messages that TLS 1.3 encrypts, as far as they opened: of the client (0) or the server.
    pub fn flight(&self, role: usize) -> &[u8] {
        self.flight.messages(role)
    }

    /// What came last came in this frame.
    pub fn came(&mut self, at: FrameRef) {
        self.flight.came(at);
    }

    /// Where [`Self::flight`] has its messages from.
    pub fn frames(&self) -> Frames {
        self.flight.frames()
    }

    /// The last alert that was opened, and whether the client sent it.
    pub fn alert(&self) -> Option<(Alert, bool)> {
        self.alert.map(|(alert, role)| (alert, role == 0))
    }

    /// Whether more of what TLS 1.3 encrypts of the handshake is to come: it opens, and the client has
    /// neither finished nor sent data.
    pub fn opens_on(&self) -> bool {
        let tls13 = self.session.as_ref().and_then(|session| session.agreed());
        let tls13 = tls13.is_some_and(|agreed| agreed.version == Version::Tls13);
        tls13 && self.state == State::Open && !self.client_spoke && !self.flight.is_finished()
    }

    /// Nobody will ask for [`Self::flight`] any more.
    pub fn forget_flight(&mut self) {
        self.flight.end();
    }

    /// Memory taken.
    pub fn cost(&self) -> u64 {
        let buffers = self.sides.iter().flat_map(|half| [&half.records, &half.message]);
        let buffers = buffers.chain([&self.transcript, &self.plain]).chain(self.flight.both());
        let session = self.session.as_ref().map_or(0, |session| session.cost());
        let octets = buffers.fold(session, |sum, octets| sum.saturating_add(octets.capacity()));
        u64::try_from(octets).unwrap_or(u64::MAX)
    }

    /// Takes the next octets of a direction, and gives out plaintext of both.
    pub fn push(
        &mut self,
        side: usize,
        octets: &[u8],
        after_gap: bool,
        keys: &Keys,
        found: &mut impl FnMut(&Plain<'_>),
    ) {
        let Some(half) = self.sides.get_mut(side).filter(|_| !self.state.is_over()) else {
            return;
        };
        if after_gap {
            half.records.clear();
            half.lose();
        }
        if half.lost {
            let record = Record::read(octets);
            if record.is_none_or(|record| record.length == 0 || record.version >> 8 != 3) {
                return;
            }
            half.lost = false;
            if let Some(session) = &mut self.session {
                session.lost(usize::from(side != self.client));
            }
            self.flight.end();
        }
        half.records.extend_from_slice(octets);
        self.drain(side, keys, found);
        // The other direction may have waited for what came.
        let other = usize::from(side == 0);
        self.drain(other, keys, found);
        self.plain = Vec::new();
    }

    /// Takes the records that are whole, as far as their turn has come.
    fn drain(&mut self, side: usize, keys: &Keys, found: &mut impl FnMut(&Plain<'_>)) {
        let Some(half) = self.sides.get_mut(side) else { return };
        let records = std::mem::take(&mut half.records);
        let mut rest = records.as_slice();
        while self.is_turn_of(side, rest) {
            let Some(record) = Record::read(rest) else {
                // Neither a header nor the beginning of one.
                if rest.len() > 5 {
                    rest = &[];
                    self.sides.get_mut(side).into_iter().for_each(Half::lose);
                }
                break;
            };
            let Some(after) = rest.get(record.octets()..) else { break };
            rest = after;
            self.record(side, &record, keys, found);
        }
        let used = records.len().saturating_sub(rest.len());
        let Some(half) = self.sides.get_mut(side).filter(|_| !self.state.is_over()) else { return };
        let mut records = records;
        records.drain(..used);
        half.records = records;
        // Nearly all connections are silent nearly all the time.
        if half.records.is_empty() {
            half.records = Vec::new();
        }
        if half.records.len() > HELD_MAX {
            self.over(State::Failed);
        }
    }

    /// Whether the next record of a direction, which these octets begin with, may be looked at.
    fn is_turn_of(&self, side: usize, next: &[u8]) -> bool {
        match self.state {
            // Of the two hellos the client's is read first.
            State::Begins => next.get(5).is_none_or(|kind| *kind != MessageType::SERVER_HELLO.0),
            State::Greeted => side != self.client,
            State::Open => true,
            State::Unknown | State::Failed => false,
        }
    }

    fn record(
        &mut self,
        side: usize,
        record: &Record<'_>,
        keys: &Keys,
        found: &mut impl FnMut(&Plain<'_>),
    ) {
        let sealed = Sealed {
            content_type: record.content_type,
            version: record.version,
            sequence: 0,
            fragment: record.fragment,
        };
        let role = usize::from(side != self.client);
        let mut plain = std::mem::take(&mut self.plain);
        let opened = match &mut self.session {
            Some(session) if self.state == State::Open => session.record(role, &sealed, &mut plain),
            _ => Opened::Clear,
        };
        match opened {
            Opened::Clear if record.content_type == HANDSHAKE => {
                self.handshake(side, record.fragment, keys);
            }
            Opened::Clear => {}
            Opened::Plain(HANDSHAKE) => self.handshake(side, &plain, keys),
            Opened::Plain(ALERT) => {
                let alert = plain.first_chunk().and_then(|octets: &[u8; 2]| Alert::read(octets));
                self.alert = alert.map(|alert| (alert, role)).or(self.alert);
            }
            Opened::Plain(content_type) => {
                let encrypted = !self.is_null();
                let half = self.sides.get_mut(side).filter(|_| content_type == APPLICATION_DATA);
                self.client_spoke |= role == 0;
                if let Some(half) = half {
                    let after_gap = std::mem::take(&mut half.gap);
                    found(&Plain { side, octets: &plain, after_gap, encrypted });
                }
            }
            Opened::Sealed => {
                self.sides.get_mut(side).into_iter().for_each(|half| half.gap = true);
            }
        }
        self.plain = plain;
        if self.session.as_ref().is_some_and(|session| session.is_hopeless()) {
            self.over(State::Failed);
        }
    }

    /// Takes octets of the handshake, in clear or opened.
    fn handshake(&mut self, side: usize, octets: &[u8], keys: &Keys) {
        let agreed = self.session.as_ref().and_then(|session| session.agreed());
        if agreed.is_some_and(|agreed| agreed.version == Version::Tls13) {
            return self.flight.keep(usize::from(side != self.client), octets);
        }
        let Some(half) = self.sides.get_mut(side) else { return };
        let mut octets = [std::mem::take(&mut half.message).as_slice(), octets].concat();
        let mut used = 0_usize;
        for message in Messages::new(&octets).take_while(|message| message.is_whole) {
            let after = used.saturating_add(4).saturating_add(message.body.len());
            let whole = octets.get(used..after).unwrap_or_default();
            used = after;
            self.message(side, message.kind, message.body, whole, keys);
        }
        octets.drain(..used.min(octets.len()));
        if octets.len().saturating_add(self.transcript.len()) > HELD_MAX {
            return self.over(State::Failed);
        }
        if let Some(half) = self.sides.get_mut(side) {
            half.message = if octets.is_empty() { Vec::new() } else { octets };
        }
    }

    /// Takes one message; `whole` is it with its header.
    fn message(&mut self, side: usize, kind: MessageType, body: &[u8], whole: &[u8], keys: &Keys) {
        match kind {
            MessageType::CLIENT_HELLO => {
                self.transcript = whole.to_vec();
                self.client_hello(side, body, keys);
            }
            MessageType::SERVER_HELLO if side != self.client => {
                self.transcript.extend_from_slice(whole);
                self.server_hello(body, keys);
            }
            MessageType::CLIENT_KEY_EXCHANGE if !self.transcript.is_empty() => {
                self.transcript.extend_from_slice(whole);
                self.client_key_exchange(body, keys);
            }
            MessageType::HELLO_REQUEST => {}
            _ if !self.transcript.is_empty() => self.transcript.extend_from_slice(whole),
            _ => {}
        }
    }

    fn client_hello(&mut self, side: usize, body: &[u8], keys: &Keys) {
        let random = ClientHello::parse(body).and_then(|hello| Random::try_from(hello.random).ok());
        let Some(random) = random else { return self.over(State::Failed) };
        let secrets = keys.find(&random);
        self.known |= secrets.is_some();
        let secrets = secrets.unwrap_or_default();
        match &mut self.session {
            Some(session) if self.state == State::Open => session.renegotiate(random, secrets),
            _ => {
                (self.client, self.random) = (side, Some(random));
                self.session = Some(Box::new(Session::new(random, secrets)));
                self.state = State::Greeted;
            }
        }
    }

    fn server_hello(&mut self, body: &[u8], keys: &Keys) {
        let (Some(hello), Some(session)) = (ServerHello::parse(body), &mut self.session) else {
            return self.shut();
        };
        if hello.is_retry() {
            return;
        }
        // They may have come between the hellos.
        if let Some(secrets) = self.random.and_then(|of| keys.find(&of)) {
            session.know(secrets);
            self.known = true;
        }
        let version = Version::of_wire(hello.agreed_version());
        let Some(version) = version.filter(|_| hello.compression == 0) else {
            return self.shut();
        };
        let agreed = Agreed {
            version,
            suite: hello.suite,
            server_random: *hello.random,
            extended_master_secret: hello.present.has(EXTENDED_MASTER_SECRET),
            encrypt_then_mac: hello.present.has(ENCRYPT_THEN_MAC),
        };
        if session.agree(agreed, keys.may_grow()) {
            self.transcript = Vec::new();
            self.state = State::Open;
        } else if session.awaits_premaster(keys.have_premasters()) {
            self.state = State::Open;
        } else {
            let unknown = session.lacks_secrets() || !self.known;
            self.over(if unknown { State::Unknown } else { State::Failed });
        }
    }

    /// RFC 5246 §7.4.7.
    fn client_key_exchange(&mut self, body: &[u8], keys: &Keys) {
        let transcript = std::mem::take(&mut self.transcript);
        let Some(session) = &mut self.session else { return };
        let Some(secret) = keys.premaster_of(session, body) else { return };
        self.known = true;
        if !session.premaster(secret.secret().expose(), &transcript) {
            self.over(State::Failed);
        }
    }

    /// It does not open, for want of secrets or in spite of them.
    fn shut(&mut self) {
        self.over(if self.known { State::Failed } else { State::Unknown });
    }

    fn over(&mut self, state: State) {
        let opened = self.has_opened();
        if self.state != State::Open || !opened {
            self.session = None;
        }
        self.state = state;
        self.sides = [Half::default(), Half::default()];
        (self.transcript, self.plain) = (Vec::new(), Vec::new());
    }
}

impl State {
    const fn is_over(self) -> bool {
        matches!(self, Self::Unknown | Self::Failed)
    }
}

impl Half {
    /// The next record has to be looked for, and the plaintext has a hole.
    fn lose(&mut self) {
        (self.lost, self.gap) = (true, true);
        self.message.clear();
    }
}

#[cfg(test)]
mod tests;
