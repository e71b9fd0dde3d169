//! What the messages of a handshake say, read once for the report and for every rule.

use std::borrow::Cow;
use std::sync::Arc;

use overhear_parsers::tls::client_hello::rank;
use overhear_parsers::tls::key_exchange::{self, KeyGroup, ServerKeyExchange, Signature};
use overhear_parsers::tls::ssl2::{Ssl2ClientHello, Ssl2ServerHello};
use overhear_parsers::tls::{
    ClientHello, EncryptedExtensions, MessageType, Messages, ServerHello, Suite, extension,
    registry,
};

use super::certificates::{Certificates, Sent};
use super::fingerprints::{self, Fingerprints, Prints};
use super::sip_identity::{self, Fit};
use super::trust::{Anchors, Chain};
use crate::model::addr::{Endpoint, stable_hash};
use crate::model::code_point::{CipherSuite, Group, Number, SrtpProfile, Version};
use crate::model::evidence::FrameRef;
use crate::model::handshake::{AlertRecord, HandshakeFacts, HandshakeRecord, Offered, Outcome};
use crate::model::id::{Kind, RecordId, RecordKey};
use crate::model::packed::Text;
use crate::model::record::HandshakeKind;
use crate::model::shared::Shared;
use crate::policy::Policy;

/// What was read lately and need not be read again.
#[derive(Debug, Default)]
pub struct Memory {
    certificates: Certificates,
    fingerprints: Fingerprints,
    anchors: Anchors,
    /// SIP domains that servers are expected to be.
    domains: Arc<[String]>,
}

impl Memory {
    /// Nothing was read yet; the policy says whom to trust, and as whom to expect servers.
    pub fn new(policy: &Policy) -> Self {
        let (anchors, domains) = (Anchors::new(&policy.anchors), Arc::clone(&policy.domains));
        Self { anchors, domains, ..Self::default() }
    }
}

/// A handshake as its messages describe it. What was not seen is `None`; what TLS 1.3 hides, too.
#[derive(Debug)]
pub struct HandshakeRead<'a> {
    /// Who, when, and how it ended.
    pub facts: &'a HandshakeFacts,
    /// The client's first offer.
    pub hello: Option<ClientHello<'a>>,
    /// The client's hello in the form of SSL 2.0.
    pub ssl2: Option<Ssl2ClientHello<'a>>,
    /// The server accepted SSL 2.0.
    pub ssl2_answer: Option<Ssl2ServerHello<'a>>,
    /// The server's choice; a `HelloRetryRequest` only if nothing followed.
    pub answer: Option<ServerHello<'a>>,
    /// The server asked for another `ClientHello` first.
    pub retried: bool,
    /// The suite chosen; `None` for one without a name.
    pub suite: Option<&'static Suite>,
    /// The server's half of the key exchange.
    pub exchange: Option<ServerKeyExchange<'a>>,
    /// The server's certificates, its own first; empty when it sent none, up to TLS 1.2.
    pub chain: Sent,
    /// The client's.
    pub client_chain: Sent,
    /// The server sent a Certificate message.
    pub certified: bool,
    /// The server asked for a certificate; `None` where that is hidden or was not seen.
    pub asked: Option<bool>,
    /// The client sent one.
    pub client_certificate: Option<bool>,
    /// The signature of the client's `CertificateVerify`.
    pub verify: Option<Signature>,
    /// Where the server's certificates lead, and whether they are in order.
    pub chain_says: Chain,
    /// The same of the client's.
    pub client_chain_says: Chain,
    /// How the server's own certificate fits the name that the client asked for; if it asked for none, the
    /// best of the domains that are configured. `None` without one of the two.
    pub fit: Option<Fit>,
    /// Seconds for which the ticket may be used.
    pub ticket_lifetime: Option<u32>,
    /// The ticket that the server gave, up to TLS 1.2.
    pub ticket: Option<&'a [u8]>,
    /// What TLS 1.3 answers encrypted, if that was opened.
    pub hidden: Option<EncryptedExtensions<'a>>,
    /// A session from before was resumed.
    pub resumed: Option<bool>,
    /// Fingerprints of the client's hello.
    pub prints: Option<Arc<Prints>>,
    /// That of the server's.
    pub ja3s: Option<Arc<str>>,
}

impl<'a> HandshakeRead<'a> {
    /// Reads the messages of both sides.
    pub fn new(
        facts: &'a HandshakeFacts,
        client: &'a [u8],
        server: &'a [u8],
        memory: &mut Memory,
    ) -> Self {
        let Memory { certificates, fingerprints, anchors, domains } = memory;
        let mut read = Self::empty(facts);
        if client.first().is_some_and(|first| first & 0x80 != 0) {
            read.ssl2 = Ssl2ClientHello::parse(client);
            read.hello = read.ssl2.map(|hello| hello.as_hello());
        } else {
            read.hello = first_hello(client, facts.kind);
        }
        if server.first().is_some_and(|first| first & 0x80 != 0) {
            read.ssl2_answer = Ssl2ServerHello::parse(server);
            let der = read.ssl2_answer.map(|hello| hello.certificate).unwrap_or_default();
            read.chain = certificates.single(der);
            read.certified = !read.chain.is_empty();
        } else {
            read.server(server, certificates);
        }
        if read.ssl2.is_none() {
            read.client(client, certificates);
        }
        read.conclude(server);
        read.chain_says = anchors.judge(&read.chain);
        read.client_chain_says = anchors.judge(&read.client_chain);
        read.fit = read.fits(domains);
        let dtls = facts.kind == HandshakeKind::Dtls;
        let hello = read.hello.as_ref().filter(|_| read.ssl2.is_none());
        read.prints = hello.map(|hello| fingerprints.client(hello, dtls));
        read.ja3s = read.answer.as_ref().map(|answer| fingerprints.server(answer));
        read
    }

    /// How the server's own certificate fits the name that is expected.
    fn fits(&self, domains: &[String]) -> Option<Fit> {
        let own = self.chain.first()?;
        if let Some(wanted) = self.server_name() {
            return Some(sip_identity::fit(own, wanted));
        }
        // A certificate of media is for no domain, and one of the web for another one.
        let media = self.facts.kind == HandshakeKind::Dtls && !self.facts.over_sctp;
        let domains = if media || self.names_sip() == Some(false) { &[] } else { domains };
        domains.iter().map(|wanted| sip_identity::fit(own, wanted)).min()
    }

    fn empty(facts: &'a HandshakeFacts) -> Self {
        Self {
            facts,
            hello: None,
            ssl2: None,
            ssl2_answer: None,
            answer: None,
            retried: false,
            suite: None,
            exchange: None,
            chain: Sent::default(),
            client_chain: Sent::default(),
            certified: false,
            asked: None,
            client_certificate: None,
            verify: None,
            chain_says: Chain::default(),
            client_chain_says: Chain::default(),
            fit: None,
            ticket_lifetime: None,
            ticket: None,
            hidden: None,
            resumed: None,
            prints: None,
            ja3s: None,
        }
    }

    fn client(&mut self, octets: &'a [u8], certificates: &mut Certificates) {
        let tls13 = self.is_tls13();
        for message in Messages::new(octets).filter(|message| message.is_whole) {
            match message.kind {
                MessageType::CERTIFICATE => {
                    self.client_chain = certificates.chain(message.body, tls13);
                    let first = if tls13 {
                        key_exchange::certificates_13(message.body).next()
                    } else {
                        key_exchange::certificates(message.body).next()
                    };
                    self.client_certificate = Some(first.is_some());
                }
                MessageType::CERTIFICATE_VERIFY => {
                    self.verify = key_exchange::certificate_verify(message.body, true);
                }
                _ => {}
            }
        }
    }

    fn server(&mut self, octets: &'a [u8], certificates: &mut Certificates) {
        for message in Messages::new(octets).filter(|message| message.is_whole) {
            match message.kind {
                MessageType::SERVER_HELLO => {
                    let hello = ServerHello::parse(message.body);
                    self.retried |= hello.is_some_and(|hello| hello.is_retry());
                    if self.answer.is_none_or(|answer| answer.is_retry()) {
                        self.answer = hello.or(self.answer);
                    }
                    self.suite = self.answer.and_then(|answer| registry::suite(answer.suite));
                }
                MessageType::CERTIFICATE => {
                    self.chain = certificates.chain(message.body, self.is_tls13());
                    self.certified = true;
                }
                MessageType::SERVER_KEY_EXCHANGE => {
                    let tls12 = self.version().is_some_and(|version| rank(version) >= 12);
                    self.exchange = self
                        .suite
                        .and_then(|suite| ServerKeyExchange::parse(message.body, suite, tls12));
                }
                MessageType::CERTIFICATE_REQUEST => self.asked = Some(true),
                MessageType::ENCRYPTED_EXTENSIONS if self.is_tls13() => {
                    self.hidden = EncryptedExtensions::parse(message.body);
                }
                MessageType::NEW_SESSION_TICKET => {
                    let ticket = if self.is_tls13() {
                        key_exchange::ticket_13
                    } else {
                        key_exchange::ticket
                    };
                    self.ticket_lifetime = key_exchange::ticket_lifetime(message.body);
                    self.ticket = ticket(message.body);
                }
                _ => {}
            }
        }
    }

    /// What follows from several messages, or from none having come.
    fn conclude(&mut self, server: &[u8]) {
        let Some(answer) = &self.answer else { return };
        if self.is_tls13() {
            self.resumed = Some(answer.present.has(extension::PRE_SHARED_KEY));
            return self.conclude_13(server);
        }
        if self.version().is_some_and(|version| rank(version) < 12) {
            let old = Signature { scheme: None, hash: registry::Hash::Sha1 };
            self.verify = self.verify.map(|_| old);
        }
        let done = Messages::new(server).find(MessageType::SERVER_HELLO_DONE).is_some();
        let full = done || self.certified;
        if full {
            self.resumed = Some(false);
        } else if self.facts.sealed == [true; 2] && !self.facts.torn {
            self.resumed = Some(true);
        }
        if done && !self.facts.torn {
            self.asked = Some(self.asked.unwrap_or(false));
            let finished = self.facts.outcome == Outcome::Completed;
            if finished && self.client_certificate.is_none() {
                self.client_certificate = Some(false);
            }
        }
    }

    /// In TLS 1.3 only an opened handshake shows whether a certificate was asked for.
    fn conclude_13(&mut self, server: &[u8]) {
        if Messages::new(server).find(MessageType::FINISHED).is_some() {
            self.asked = Some(self.asked.unwrap_or(false));
            if self.asked == Some(false) && self.facts.outcome == Outcome::Completed {
                self.client_certificate = Some(false);
            }
        }
    }

    /// Whether ALPN names SIP as what it carries, of what was chosen, else of what was offered; `None`
    /// where it names nothing, or HTTP/1.1, in which SIP over WebSocket begins.
    pub fn names_sip(&self) -> Option<bool> {
        let chosen =
            self.answer.as_ref().and_then(|answer| answer.alpn.or_else(|| self.hidden?.alpn));
        let is_sip = |name: &[u8]| name == b"sip" || name.starts_with(b"sip/");
        if let Some(chosen) = chosen {
            return (chosen != b"http/1.1").then(|| is_sip(chosen));
        }
        let mut offered = extension::protocols(self.hello.as_ref()?.alpn).peekable();
        offered.peek()?;
        let (mut sip, mut open) = (false, false);
        for name in offered {
            sip |= is_sip(name);
            open |= name == b"http/1.1";
        }
        (sip || !open).then_some(sip)
    }

    /// The name that the client asks the server for (RFC 6066 §3).
    pub fn server_name(&self) -> Option<&'a str> {
        std::str::from_utf8(self.hello.as_ref()?.server_name?).ok()
    }

    /// The version agreed on.
    pub fn version(&self) -> Option<u16> {
        let old = self.ssl2_answer.map(|answer| answer.version);
        self.answer.as_ref().map(ServerHello::agreed_version).or(old)
    }

    /// Whether it is TLS 1.3 or DTLS 1.3, which hides the rest.
    pub fn is_tls13(&self) -> bool {
        self.version().is_some_and(|version| rank(version) == 13)
    }

    /// The group of the key exchange: by a share, or up to TLS 1.2 by a named curve.
    pub fn group(&self) -> Option<u16> {
        let share = self.answer.as_ref().and_then(|answer| answer.group);
        share.or_else(|| match self.exchange?.group {
            KeyGroup::Named(group) => Some(group),
            _ => None,
        })
    }

    /// The extension stands in the server's answer, of TLS 1.3 also in the part of it that is encrypted:
    /// the server agreed to it.
    pub fn echoed(&self, extension: u16) -> bool {
        let hidden = self.hidden.is_some_and(|hidden| hidden.present.has(extension));
        hidden || self.answer.as_ref().is_some_and(|answer| answer.present.has(extension))
    }

    /// TLS 1.3 resumed with the key from before alone (`psk_ke`, RFC 8446 §4.2.9): no Diffie-Hellman.
    pub fn is_psk_alone(&self) -> bool {
        self.is_tls13() && self.resumed == Some(true) && self.group().is_none()
    }

    /// Early data was taken, as far as can be told: whether the server took it shows only where its
    /// answer was opened.
    pub fn took_early_data(&self) -> bool {
        let taken = self.hidden.is_none_or(|hidden| hidden.present.has(extension::EARLY_DATA));
        self.is_tls13() && self.facts.early_data && taken
    }

    /// The handshake for the report.
    pub fn record(&self) -> HandshakeRecord<'_> {
        let facts = self.facts;
        let hello = self.hello.as_ref();
        let answer = self.answer.as_ref();
        let old = answer.filter(|_| !self.is_tls13());
        let flag = |extension| old.map(|answer| answer.present.has(extension));
        HandshakeRecord {
            id: key(facts.client, facts.server, facts.first).id,
            kind: facts.kind,
            over_sctp: facts.over_sctp,
            client: facts.client,
            server: facts.server,
            first_source: facts.first.frame.source,
            first_frame: facts.first.frame.number,
            last_source: facts.last.frame.source,
            last_frame: facts.last.frame.number,
            start: facts.first.time,
            setup_ms: milliseconds(facts),
            sni: hello.and_then(|hello| hello.server_name).map(text),
            alpn: hello.map(|hello| extension::protocols(hello.alpn).map(text).collect()),
            alpn_chosen: answer
                .and_then(|answer| answer.alpn.or_else(|| self.hidden?.alpn))
                .map(text),
            offered: hello.map(|hello| self.offered(hello)),
            version: self.version().map(Version),
            cipher: answer.map(|answer| CipherSuite(answer.suite)),
            cipher_id: answer.map(|answer| Number(answer.suite)),
            group: self.group().map(Group),
            dh_bits: self.exchange.and_then(|exchange| exchange.prime_bits()),
            srtp_profile: answer
                .and_then(|answer| answer.srtp_profile.or_else(|| self.hidden?.srtp_profile))
                .map(SrtpProfile),
            certificates: self.chain.records(),
            client_certificates: self.client_chain.records(),
            client_certificate: self.client_certificate,
            certificate_requested: self.asked,
            resumed: self.resumed,
            retried: answer.map(|_| self.retried),
            extended_master_secret: flag(extension::EXTENDED_MASTER_SECRET),
            encrypt_then_mac: flag(extension::ENCRYPT_THEN_MAC),
            secure_renegotiation: flag(extension::RENEGOTIATION_INFO),
            compression: old.map(|answer| answer.compression != 0),
            early_data: facts.early_data,
            encrypted_client_hello: hello
                .map(|hello| hello.present.has(extension::ENCRYPTED_CLIENT_HELLO)),
            outcome: facts.outcome,
            ended_by: facts.ending,
            alert: facts.alert.map(|(alert, from)| AlertRecord {
                level: if alert.level == 2 { "fatal" } else { "warning" }.into(),
                description: alert_name(alert.description),
                from,
            }),
            ja3: self.prints.as_ref().map(|prints| Cow::Borrowed(prints.ja3.as_str())),
            ja3s: self.ja3s.as_deref().map(Cow::Borrowed),
            ja4: self.prints.as_ref().map(|prints| Cow::Borrowed(prints.ja4.as_str())),
            decrypted: facts.decrypted,
        }
    }

    fn offered(&self, hello: &ClientHello<'_>) -> Shared<'_, Offered> {
        if let Some(prints) = &self.prints {
            return Shared::borrowed(&prints.offered, prints.number);
        }
        let ciphers = self.ssl2.iter().flat_map(|old| old.suites().map(CipherSuite)).collect();
        Shared::owned(Offered { ciphers, ..fingerprints::offered(hello) })
    }
}

/// The key of the record of a handshake, by its ends and its first message.
pub fn key(client: Endpoint, server: Endpoint, first: FrameRef) -> RecordKey {
    let at = first.time.nanos() / 1_000_000;
    let hash = stable_hash(&(client, server, at));
    RecordKey { first: first.frame, id: RecordId::new(Kind::Handshake, hash) }
}

/// The client's first offer.
fn first_hello(octets: &[u8], kind: HandshakeKind) -> Option<ClientHello<'_>> {
    let hello = Messages::new(octets).find(MessageType::CLIENT_HELLO);
    let parse = match kind {
        HandshakeKind::Tls => ClientHello::parse,
        HandshakeKind::Dtls => ClientHello::parse_dtls,
    };
    parse(hello.filter(|message| message.is_whole)?.body)
}

/// From the first message to the end; `None` for a handshake that was not seen to its end.
fn milliseconds(facts: &HandshakeFacts) -> Option<f64> {
    let seen = facts.outcome != Outcome::Incomplete;
    seen.then(|| facts.last.time.since(facts.first.time).millis_f64().max(0.0))
}

/// An alert by name; the number for one without.
pub fn alert_name(description: u8) -> Text<'static> {
    registry::alert(description).map_or_else(|| description.to_string().into(), Cow::Borrowed)
}

fn text(octets: &[u8]) -> Text<'_> {
    String::from_utf8_lossy(octets)
}
