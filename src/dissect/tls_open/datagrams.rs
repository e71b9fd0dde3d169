//! A DTLS 1.0 or 1.2 session whose handshake others have put together: its records opened, to show
//! that the secrets are the right ones and to read what is inside, and the keys of SRTP that it was for
//! (RFC 5764 §4.2).
//!
//! DTLS 1.3, whose records and labels differ, and static RSA are not opened.

use overhear_parsers::dtls::Record;
use overhear_parsers::tls::extension::{ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET};
use overhear_parsers::tls::{ClientHello, MessageType, Messages, ServerHello};

use super::keylog::{Kept, Random};
use super::keys::Keys;
use super::record::{Sealed, Version};
use super::session::{Agreed, Opened, Session};

/// The label of the exporter.
const LABEL: &[u8] = b"EXTRACTOR-dtls_srtp";

/// A session.
#[derive(Debug)]
pub struct DtlsOpening {
    session: Session,
    profile: Option<u16>,
    plain: Vec<u8>,
}

impl DtlsOpening {
    /// The session of these messages in clear, of the client and of the server, each behind its type
    /// and its length as TLS writes them; `None` if there are no secrets for it, but for a suite that
    /// does not encrypt.
    pub fn new(client: &[u8], server: &[u8], keys: &Keys) -> Option<Self> {
        let hello = Messages::new(client).find(MessageType::CLIENT_HELLO)?;
        let hello = ClientHello::parse_dtls(hello.body)?;
        let random = Random::try_from(hello.random).ok()?;
        let secrets = keys.find(&random).unwrap_or_default();
        let answer = Messages::new(server).find(MessageType::SERVER_HELLO)?;
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
        let opens = session.agree(agreed, false);
        opens.then_some(Self { session, profile: answer.srtp_profile, plain: Vec::new() })
    }

    /// Takes a record of the client (0) or the server.
    pub fn record(&mut self, side: usize, record: &Record<'_>) -> Opened {
        let sealed = Sealed {
            content_type: record.content_type.code(),
            version: record.version,
            sequence: u64::from(record.epoch) << 48 | record.sequence,
            fragment: record.fragment,
        };
        self.session.datagram(side, &sealed, &mut self.plain)
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
        self.session.has_opened()
    }

    /// Whether nobody needs a key to read it.
    pub fn is_null(&self) -> bool {
        self.session.is_null()
    }

    /// Memory taken.
    pub fn cost(&self) -> u64 {
        let octets = self.session.cost().saturating_add(self.plain.capacity());
        u64::try_from(octets).unwrap_or(u64::MAX)
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
