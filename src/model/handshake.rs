//! What a lane tells of a TLS or DTLS handshake: who, when, how it ended, and its messages in clear.
//! What the messages say is read by the collector, once, from these octets, and becomes a record.

use std::ops::Range;

use overhear_parsers::tls::{Alert, Messages};

#[cfg(test)]
use serde::Serialize;

use super::addr::Endpoint;
use super::code_point::{CipherSuite, Group, Number, Scheme, SrtpProfile, Version};
use super::evidence::FrameRef;
use super::frame::FrameId;
use super::id::{RecordId, RecordKey};
use super::packed::{Text, packed, packed_words};
use super::record::HandshakeKind;
use super::shared::{Shared, Shelved};
use super::time::Ts;

/// A handshake that is over, or that will not go on.
#[derive(Clone, Debug)]
pub struct HandshakeFacts {
    /// TLS or DTLS.
    pub kind: HandshakeKind,
    /// Who sent the `ClientHello`.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// Its first message.
    pub first: FrameRef,
    /// The `ServerHello`; of a `HelloRetryRequest` the same.
    pub answered: Option<FrameRef>,
    /// What ended it, or its last packet.
    pub last: FrameRef,
    /// The client's messages in clear, whole and in order, each behind its type and its length in
    /// three octets; a range of the epoch's octets. A record of SSL 2.0 stands as it was sent.
    pub client_messages: Range<u32>,
    /// The server's.
    pub server_messages: Range<u32>,
    /// How far it came.
    pub outcome: Outcome,
    /// What showed that it is over.
    pub ending: Ending,
    /// The last alert in clear, and who sent it.
    pub alert: Option<(Alert, Peer)>,
    /// Client and server encrypt what they send from some point on.
    pub sealed: [bool; 2],
    /// Over SCTP, and not TLS over TCP or DTLS over UDP.
    pub over_sctp: bool,
    /// It is over, and told of now only so that what comes next is seen in its light: the whole of it
    /// follows, for secrets may still show what TLS 1.3 hides.
    pub preliminary: bool,
    /// The client sent data before the server had answered.
    pub early_data: bool,
    /// A heartbeat in clear asked for more than it brought.
    pub heartbleed: bool,
    /// The snap length cut a frame of it.
    pub clipped: bool,
    /// Encrypted records of it opened with secrets that were supplied.
    pub decrypted: bool,
    /// Of DTLS: it waits for its secrets, which the capture may still bring.
    pub awaits_secrets: bool,
    /// A STUN check between its sockets succeeded (RFC 8445 §7.2.5.3); of TLS not looked for.
    pub checked: bool,
    /// Some of its messages are missing: a hole in the stream, or no memory for more.
    pub torn: bool,
    /// Where what findings cite was whole.
    pub frames: Frames,
}

/// Frames in which messages were whole that findings cite (RFC 5246 §7.4, RFC 8446 §4), and that of the last
/// alert in clear.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// The server's `Certificate`, and the client's.
    pub certificates: [Option<FrameRef>; 2],
    /// The `ServerKeyExchange`.
    pub exchange: Option<FrameRef>,
    /// The client's `CertificateVerify`.
    pub verify: Option<FrameRef>,
    /// The `NewSessionTicket`.
    pub ticket: Option<FrameRef>,
    /// The alert.
    pub alert: Option<FrameRef>,
}

impl Frames {
    /// Whether a message of this type is one of those that are noted.
    pub const fn cites(from: Peer, kind: u8) -> bool {
        matches!((from, kind), (Peer::Server, 4 | 11 | 12) | (Peer::Client, 11 | 15))
    }

    /// Notes a message by its type; the first of a type counts.
    pub fn note(&mut self, from: Peer, kind: u8, at: FrameRef) {
        let [server, client] = &mut self.certificates;
        let place = match (from, kind) {
            (Peer::Server, 4) => &mut self.ticket,
            (Peer::Server, 11) => server,
            (Peer::Client, 11) => client,
            (Peer::Server, 12) => &mut self.exchange,
            (Peer::Client, 15) => &mut self.verify,
            _ => return,
        };
        place.get_or_insert(at);
    }

    /// Notes the messages that have become whole behind the first `done` octets, and moves `done` there.
    pub fn walk(&mut self, from: Peer, messages: &[u8], done: &mut usize, at: FrameRef) {
        let new = messages.get(*done..).unwrap_or_default();
        for message in Messages::new(new).take_while(|message| message.is_whole) {
            *done = done.saturating_add(4).saturating_add(message.body.len());
            self.note(from, message.kind.0, at);
        }
    }

    /// These, and what is missing from others.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let [server, client] = self.certificates;
        let [other_server, other_client] = other.certificates;
        Self {
            certificates: [server.or(other_server), client.or(other_client)],
            exchange: self.exchange.or(other.exchange),
            verify: self.verify.or(other.verify),
            ticket: self.ticket.or(other.ticket),
            alert: self.alert.or(other.alert),
        }
    }
}

/// Which of the two.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum Peer {
    /// Who sent the `ClientHello`.
    Client,
    /// The other.
    Server,
}

packed_words! { Peer { Client Server } }

impl Peer {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// How far a handshake came.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum Outcome {
    /// Both sides finished, as far as can be seen from outside.
    Completed,
    /// One side ended it.
    Refused,
    /// It was not seen to its end.
    Incomplete,
}

packed_words! { Outcome { Completed Refused Incomplete } }

impl Outcome {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What showed that a handshake was over.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "kebab-case"))]
pub enum Ending {
    /// Messages that look like Finished.
    Finished,
    /// Application data.
    Data,
    /// An alert, in clear or by its length.
    Alert,
    /// The server reset the connection.
    ServerReset,
    /// The server closed it.
    ServerClosed,
    /// The client reset it.
    ClientReset,
    /// The client closed it.
    ClientClosed,
    /// Nothing: silence, the end of the capture, or no room to wait.
    Silence,
}

packed_words! {
    Ending { Finished Data Alert ServerReset ServerClosed ClientReset ClientClosed Silence }
}

impl Ending {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Data => "data",
            Self::Alert => "alert",
            Self::ServerReset => "server-reset",
            Self::ServerClosed => "server-closed",
            Self::ClientReset => "client-reset",
            Self::ClientClosed => "client-closed",
            Self::Silence => "silence",
        }
    }
}

/// What a client offered, without GREASE.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Serialize))]
pub struct Offered {
    /// `supported_versions`, or the one version that stood first.
    pub versions: Vec<Version>,
    /// Cipher suites in order of preference.
    pub ciphers: Vec<CipherSuite>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Signature schemes.
    pub signature_algorithms: Vec<Scheme>,
    /// Profiles of `use_srtp`.
    pub srtp_profiles: Vec<SrtpProfile>,
}

packed! { Offered { versions ciphers groups signature_algorithms srtp_profiles } }

impl Shelved for Offered {
    fn octets(&self) -> usize {
        let Self { versions, ciphers, groups, signature_algorithms, srtp_profiles } = self;
        let codes = [
            versions.len(),
            ciphers.len(),
            groups.len(),
            signature_algorithms.len(),
            srtp_profiles.len(),
        ];
        size_of::<Self>() + codes.iter().sum::<usize>() * size_of::<u16>()
    }
}

/// An alert in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct AlertRecord<'a> {
    /// `warning` or `fatal`.
    pub level: Text<'a>,
    /// `handshake_failure`; the number for one without a name.
    pub description: Text<'a>,
    /// Who sent it.
    pub from: Peer,
}

packed! { AlertRecord<'a> { level description from } }

/// A certificate that was sent in clear.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Serialize))]
pub struct CertificateRecord {
    /// Whose.
    pub subject: String,
    /// By whom.
    pub issuer: String,
    /// Hexadecimal.
    pub serial: String,
    /// RFC 3339.
    pub not_before: String,
    /// RFC 3339.
    pub not_after: String,
    /// `rsa-2048`, `ec-256`, `ed25519`.
    pub key: String,
    /// `sha256WithRSAEncryption`.
    pub signature: String,
    /// `DNS:`, `URI:` and `IP:` names.
    pub san: Vec<String>,
    /// SHA-256 of the certificate, hexadecimal.
    pub sha256: String,
    /// Its own key signed it.
    pub self_signed: bool,
}

packed! {
    CertificateRecord {
        subject issuer serial not_before not_after key signature san sha256 self_signed
    }
}

impl Shelved for Vec<CertificateRecord> {
    fn octets(&self) -> usize {
        let texts = |one: &CertificateRecord| {
            let CertificateRecord { subject, issuer, serial, key, signature, sha256, .. } = one;
            let texts = [subject, issuer, serial, key, signature, sha256].into_iter();
            let names = one.san.iter().map(|name| size_of::<String>() + name.len());
            texts.map(String::len).chain(names).sum::<usize>() + size_of::<CertificateRecord>()
        };
        self.iter().map(texts).sum()
    }
}

/// One TLS or DTLS handshake. `None` is what was not seen, and what TLS 1.3 hides.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct HandshakeRecord<'a> {
    /// Derived from the flow and the first frame's time.
    pub id: RecordId,
    /// Which of the two.
    pub kind: HandshakeKind,
    /// Over SCTP, and not TLS over TCP or DTLS over UDP.
    pub over_sctp: bool,
    /// Who sent the ClientHello.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// Source of the first frame.
    pub first_source: u16,
    /// The ClientHello's frame.
    pub first_frame: u64,
    /// Source of the last frame.
    pub last_source: u16,
    /// The frame that ended it.
    pub last_frame: u64,
    /// When it began.
    pub start: Ts,
    /// From the first message to the end, milliseconds.
    pub setup_ms: Option<f64>,
    /// The host name that the client asked for; with an encrypted ClientHello perhaps not the one that
    /// it means.
    pub sni: Option<Text<'a>>,
    /// Protocols that the client offered.
    pub alpn: Option<Vec<Text<'a>>>,
    /// The protocol that the server chose.
    pub alpn_chosen: Option<Text<'a>>,
    /// What the client offered.
    pub offered: Option<Shared<'a, Offered>>,
    /// The version agreed on.
    pub version: Option<Version>,
    /// The cipher suite by name.
    pub cipher: Option<CipherSuite>,
    /// The same by number.
    pub cipher_id: Option<Number>,
    /// The group of the key exchange.
    pub group: Option<Group>,
    /// Bits of the prime of Diffie-Hellman.
    pub dh_bits: Option<u32>,
    /// The SRTP protection profile that was agreed on.
    pub srtp_profile: Option<SrtpProfile>,
    /// The server's certificates, its own first.
    pub certificates: Option<Shared<'a, Vec<CertificateRecord>>>,
    /// The client's likewise; empty when it has none and says so.
    pub client_certificates: Option<Shared<'a, Vec<CertificateRecord>>>,
    /// The server asked the client for one.
    pub certificate_requested: Option<bool>,
    /// The client sent one.
    pub client_certificate: Option<bool>,
    /// A session from before was resumed.
    pub resumed: Option<bool>,
    /// The server asked for another ClientHello.
    pub retried: Option<bool>,
    /// The server agreed to `extended_master_secret`.
    pub extended_master_secret: Option<bool>,
    /// The server agreed to `encrypt_then_mac`.
    pub encrypt_then_mac: Option<bool>,
    /// The server answered with `renegotiation_info`.
    pub secure_renegotiation: Option<bool>,
    /// The server chose to compress.
    pub compression: Option<bool>,
    /// The client sent data before the server's answer.
    pub early_data: bool,
    /// The client sent an encrypted ClientHello, or what looks like one: all that is known of the hello
    /// is of the one around it.
    pub encrypted_client_hello: Option<bool>,
    /// How far it came.
    pub outcome: Outcome,
    /// What showed that it was over.
    pub ended_by: Ending,
    /// The last alert in clear.
    pub alert: Option<AlertRecord<'a>>,
    /// JA3 of the ClientHello.
    pub ja3: Option<Text<'a>>,
    /// JA3S of the ServerHello.
    pub ja3s: Option<Text<'a>>,
    /// JA4 of the ClientHello.
    pub ja4: Option<Text<'a>>,
    /// What followed could be decrypted.
    pub decrypted: bool,
}

packed! {
    HandshakeRecord<'a> keyed {
        kind over_sctp client server last_source last_frame start setup_ms
        sni alpn alpn_chosen offered version cipher cipher_id group dh_bits srtp_profile certificates
        client_certificates certificate_requested client_certificate resumed retried extended_master_secret
        encrypt_then_mac secure_renegotiation compression early_data encrypted_client_hello
        outcome ended_by alert ja3 ja3s ja4 decrypted
    }
}

impl HandshakeRecord<'_> {
    /// Its place in the report.
    pub fn key(&self) -> RecordKey {
        RecordKey {
            first: FrameId { source: self.first_source, number: self.first_frame },
            id: self.id,
        }
    }
}
