//! A DTLS 1.0 or 1.2 session whose handshake others have put together: its records opened, to show
//! that the secrets are the right ones and to read what is inside, and the keys of SRTP that it was for
//! (RFC 5764 §4.2). A further handshake inside it (RFC 5246 §7.4.1.1) is followed: its keys hold in the
//! epoch behind it (RFC 6347 §4.1).
//!
//! DTLS 1.3, whose records and labels differ, is not opened.

use overhear_parsers::dtls::{Fragment, Record};
use overhear_parsers::tls::extension::{ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET};
use overhear_parsers::tls::{ClientHello, MessageType, Messages, ServerHello};

use super::keylog::{Kept, Random};
use super::keys::Keys;
use super::record::{Sealed, Version};
use super::session::{Agreed, Opened, Session};
use crate::dissect::dtls_messages::DtlsMessages;

/// The label of the exporter.
const LABEL: &[u8] = b"EXTRACTOR-dtls_srtp";

/// The content type of messages of a handshake.
const HANDSHAKE: u8 = 22;

/// A session.
#[derive(Debug)]
pub struct DtlsOpening {
    session: Session,
    /// The epoch in which its keys hold.
    epoch: u16,
    profile: Option<u16>,
    /// Records of the session that it renews have opened.
    opened_before: bool,
    /// The messages of a further handshake inside, of the client and of the server.
    inside: [DtlsMessages; 2],
    /// The session that these agreed on, once a record of its epoch has come.
    next: Option<Box<DtlsOpening>>,
    plain: Vec<u8>,
}

impl DtlsOpening {
    /// The session of these messages, of the client and of the server; `None` if there are no secrets for
    /// it, but for a suite that does not encrypt.
    pub fn new(messages: [&DtlsMessages; 2], keys: &Keys) -> Option<Self> {
        let [client, server] = messages.map(|of| {
            let mut octets = Vec::new();
            of.assemble(&mut octets);
            octets
        });
        let hello = Messages::new(&client).find(MessageType::CLIENT_HELLO)?;
        let hello = ClientHello::parse_dtls(hello.body)?;
        let random = Random::try_from(hello.random).ok()?;
        let secrets = keys.find(&random).unwrap_or_default();
        let answer = Messages::new(&server).find(MessageType::SERVER_HELLO)?;
        let answer = ServerHello::parse(answer.body).filter(|answer| answer.compression == 0)?;
        let version = Version::of_wire(answer.agreed_version())?;
        let mut session = Session::new(random, secrets);
        let agreed = Agreed {
            version,
            suite: answer.suite,
            server_random: *answer.random,
            extended_master_secret: answer.present.has(EXTENDED_MASTER_SECRET),
            encrypt_then_mac: answer.present.has(ENCRYPT_THEN_MAC),
        };
        let exchanged = |session: &mut Session| {
            let exchange = Messages::new(&client).find(MessageType::CLIENT_KEY_EXCHANGE)?;
            let secret = keys.premaster_of(session, exchange.body)?;
            let transcript = DtlsMessages::transcript(messages);
            session.premaster(secret.secret().expose(), &transcript).then_some(())
        };
        let opens = session.agree(agreed, false)
            || (session.awaits_premaster(keys.have_premasters())
                && exchanged(&mut session).is_some());
        opens.then(|| Self {
            session,
            epoch: 1,
            profile: answer.srtp_profile,
            opened_before: false,
            inside: Default::default(),
            next: None,
            plain: Vec::new(),
        })
    }

    /// Takes a record of the client (0) or the server.
    pub fn record(&mut self, side: usize, record: &Record<'_>, keys: &Keys) -> Opened {
        if record.epoch == 0 {
            return Opened::Clear;
        }
        if record.epoch > self.epoch {
            return self.renewed(side, record, keys);
        }
        let sealed = Sealed {
            content_type: record.content_type.code(),
            version: record.version,
            sequence: u64::from(record.epoch) << 48 | record.sequence,
            fragment: record.fragment,
        };
        if record.epoch < self.epoch {
            return Opened::Sealed;
        }
        let opened = self.session.datagram(side, &sealed, &mut self.plain);
        if opened == Opened::Plain(HANDSHAKE) {
            self.inside(side);
        }
        opened
    }

    /// What was in the record that opened last.
    pub fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// Whether encrypted records have opened.
    pub fn has_opened(&self) -> bool {
        self.has_read() && !self.is_null()
    }

    /// Whether records have opened, encrypted or not.
    pub fn has_read(&self) -> bool {
        self.opened_before || self.session.has_opened()
    }

    /// Whether nobody needs a key to read it.
    pub fn is_null(&self) -> bool {
        self.session.is_null()
    }

    /// Memory taken.
    pub fn cost(&self) -> u64 {
        let octets = self.session.cost().saturating_add(self.plain.capacity());
        let inside = self.inside.iter().map(DtlsMessages::cost).fold(octets, usize::saturating_add);
        let next = self.next.as_ref().map_or(0, |next| next.cost());
        u64::try_from(inside).unwrap_or(u64::MAX).saturating_add(next)
    }

    /// The profile of SRTP that was agreed on, with its keying material: the client's key, the
    /// server's key, the client's salt, the server's salt. `None` without one, for one that is not
    /// known, and unless records have opened.
    pub fn srtp_keys(&self) -> Option<(u16, Kept)> {
        let profile = self.profile.filter(|_| self.session.has_opened())?;
        let (key, salt) = lengths(profile)?;
        let octets = usize::checked_mul(2, usize::checked_add(key, salt)?)?;
        Some((profile, self.session.export(LABEL, octets)?))
    }

    /// Takes messages that opened. A hello of another random begins another handshake.
    fn inside(&mut self, side: usize) {
        for fragment in Fragment::all(&self.plain) {
            if side == 0 && fragment.kind == MessageType::CLIENT_HELLO.0 && fragment.offset == 0 {
                let [client, _] = &self.inside;
                let known = client.beginning(fragment.kind, 34);
                if known.is_some_and(|known| fragment.body.get(..34) != Some(known)) {
                    self.inside = Default::default();
                }
            }
            if let Some(messages) = self.inside.get_mut(side) {
                // Without room for it, what was agreed on is not known.
                let _ = messages.add(&fragment);
            }
        }
    }

    /// Takes a record of an epoch to come: of the one that the handshake inside brought, if there are
    /// secrets for it too. The session before it is over when the epoch behind that begins.
    fn renewed(&mut self, side: usize, record: &Record<'_>, keys: &Keys) -> Opened {
        if record.epoch > self.epoch.saturating_add(1) {
            let Some(next) = self.next.take() else { return Opened::Sealed };
            *self = *next;
        }
        if record.epoch != self.epoch.saturating_add(1) {
            return Opened::Sealed;
        }
        if self.next.is_none() {
            let [client, server] = &self.inside;
            let found = Self::new([client, server], keys);
            self.inside = Default::default();
            let (epoch, opened_before) = (record.epoch, self.has_read());
            self.next = found.map(|next| Box::new(Self { epoch, opened_before, ..next }));
        }
        let Some(next) = &mut self.next else { return Opened::Sealed };
        let opened = next.record(side, record, keys);
        std::mem::swap(&mut self.plain, &mut next.plain);
        opened
    }
}

/// Octets of a master key and of a master salt (RFC 5764 §4.1.2, RFC 7714 §14.2, RFC 8723 §10.1).
pub const fn lengths(profile: u16) -> Option<(usize, usize)> {
    match profile {
        0x0001 | 0x0002 => Some((16, 14)),
        0x0007 => Some((16, 12)),
        0x0008 => Some((32, 12)),
        0x0009 => Some((32, 24)),
        0x000a => Some((64, 24)),
        _ => None,
    }
}
