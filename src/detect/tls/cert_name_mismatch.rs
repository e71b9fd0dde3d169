//! `TLS-CERT-NAME-MISMATCH`: a certificate for somebody else (RFC 5922 §7.1 to §7.3).

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use overhear_parsers::sip::HeaderName;
use overhear_parsers::sip::uri::Uri;
use overhear_parsers::tls::certificate::Name;

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{CaptureSeen, HandshakeSeen, SipSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, printable, sentence};
use super::{Named, Place};
use crate::correlate::certificates::Known;
use crate::correlate::sip_identity::{Fit, fit};
use crate::model::addr::Addr;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure, Severity};
use crate::model::id::RecordKey;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A server's own certificate over TCP none of whose identities is the name that is expected,
    /// compared as SIP demands: whole names, no wildcards. Expected is the server_name of the client;
    /// without it one of the domains that were given with `--domain`; without these, or where an encrypted ClientHello may hold
    /// another name, one of the hosts of the topmost Route or of the Request-URI in each INVITE, REGISTER
    /// or MESSAGE that can be read, in clear or opened, and goes to the same server before or after.
    /// Info where no name is known, or only the address fits, which is no SIP identity.
    ///
    /// ## Why it matters
    /// A client that goes on with it would go on with anybody's.
    ///
    /// ## Evidence
    /// The handshake, and whose certificate it is; the request that names the server.
    ///
    /// ## False positives
    /// Requests whose Route and Request-URI never name the server that they are sent to, as with an
    /// outbound proxy that is configured by address: then the confidence is medium. With `--domain`, servers of
    /// TLS that is not SIP's, where nothing tells what it is.
    ///
    /// ## Fix
    /// Have it issued for the SIP domain; let clients check.
    id: "TLS-CERT-NAME-MISMATCH",
    name: "tls-cert-name-mismatch",
    title: "A certificate for somebody else",
    severity: Info ..= High,
    status: Preview,
    wants: [HANDSHAKE, OPENS],
    references: ["RFC 5922 §7.1", "RFC 5922 §7.2", "RFC 5922 §7.3"],
    remediation: "Have it issued for the SIP domain; let clients check.",
    question: None,
    thresholds: [],
    since: "0.2.0",
}

/// Tally: handshakes with another name, and those of which the name is not known.
const WRONG: usize = 0;
const UNKNOWN: usize = 1;

/// Names kept of a server before it shows a certificate, and requests in which they are looked for.
const NAMES: usize = 4;
const LOOKS: u32 = 64;

/// What is known of a server that clients do not ask for by name.
#[derive(Default)]
struct Server {
    /// Names by which requests call it: before it shows a certificate those seen, then the first that
    /// does not fit.
    called: Vec<Box<str>>,
    shown: Option<Box<Shown>>,
    /// One of its names fits.
    fits: bool,
    /// Requests that were looked at before it showed one.
    looks: u32,
}

struct Shown {
    own: Arc<Known>,
    pair: Subject,
    at: FrameRef,
    key: RecordKey,
    server: Addr,
}

/// The rule at work.
pub(crate) struct CertNameMismatch {
    /// The domains that are configured, in words.
    domains: String,
    servers: HashMap<Addr, Server, FixedState>,
    cap: usize,
    evicted: u64,
}

pub(crate) fn new(policy: &Policy) -> CertNameMismatch {
    let domains = policy.domains.join(" or ");
    CertNameMismatch { domains, servers: HashMap::default(), cap: policy.limits.peers, evicted: 0 }
}

impl CertNameMismatch {
    /// What is known of a server; `None` without room.
    fn server(&mut self, at: Addr) -> Option<&mut Server> {
        if self.servers.len() >= self.cap && !self.servers.contains_key(&at) {
            self.evicted = self.evicted.saturating_add(1);
            return None;
        }
        Some(self.servers.entry(at).or_default())
    }
}

impl Server {
    /// Whether one more request may tell something new of it.
    fn is_open(&mut self) -> bool {
        if self.shown.is_none() {
            self.looks = self.looks.saturating_add(1);
            return self.looks <= LOOKS;
        }
        !self.fits
    }

    /// A request calls it so.
    fn call(&mut self, name: &str) {
        if self.called.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return;
        }
        self.fits |= self.shown.as_ref().is_some_and(|shown| fit(&shown.own, name) != Fit::No);
        let room = if self.shown.is_some() { 1 } else { NAMES };
        if !self.fits && self.called.len() < room {
            self.called.push(name.to_ascii_lowercase().into());
        }
    }

    /// It shows a certificate.
    fn show(&mut self, shown: Shown) {
        if self.shown.is_none() {
            self.fits = self.called.iter().any(|name| fit(&shown.own, name) != Fit::No);
            self.shown = Some(Box::new(shown));
        }
    }
}

/// The name by which a request calls the server that it goes to.
fn called<'a>(seen: &SipSeen<'a>) -> Option<&'a str> {
    let message = &seen.event.message;
    let route = message.addresses(HeaderName::Route).next();
    let uri = route.map_or_else(|| Uri::parse(message.request_uri()), |route| route.uri());
    let name = uri.host.contains(&b'.') && uri.address().is_none();
    std::str::from_utf8(uri.host).ok().filter(|_| name)
}

impl Shown {
    /// The certificate is for another name.
    fn wrong(&self, wanted: &str, confidence: Confidence, sink: &mut Sink) {
        let sighting = Sighting::new(&META, self.pair, self.at)
            .severity(Severity::High)
            .confidence(confidence);
        sink.sighting(sighting, |_| {
            let (server, wanted) = (self.server, printable(wanted.as_bytes(), 96));
            (sentence!("{server} should be {wanted}, {}", Named(&self.own)), None)
        })
        .add(WRONG, 1)
        .handshake(self.key);
    }

    /// Whether it is for another name cannot be said.
    fn unknown(&self, sink: &mut Sink) {
        let names = self.own.says.names.iter().flatten();
        let by_address = names.into_iter().any(|name| *name == Name::Ip(self.server.ip()));
        let sighting = Sighting::new(&META, self.pair, self.at).severity(Severity::Info).kind(1);
        sink.sighting(sighting, |_| {
            let (server, why) = (
                self.server,
                if by_address {
                    "fits by its address, which is no SIP identity"
                } else {
                    "by which name it is expected is not known"
                },
            );
            (sentence!("{server}: {why}; {}", Named(&self.own)), None)
        })
        .add(UNKNOWN, 1)
        .handshake(self.key);
    }
}

impl Detector for CertNameMismatch {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let signalling = !seen.is_for_media();
        let Some(own) = seen.read.chain.first().filter(|_| signalling) else { return };
        if matches!(seen.read.fit, Some(Fit::Exact | Fit::Wildcard)) {
            return;
        }
        let (pair, at, key, server) =
            (seen.pair, Place::Certificate.of(seen), seen.key, seen.record.server.addr);
        let shown = Shown { own: Arc::clone(own), pair, at, key, server };
        // The name that an encrypted hello is for may be another one.
        let hidden = seen.record.encrypted_client_hello == Some(true);
        if let Some(wanted) = seen.record.sni.as_deref().filter(|_| !hidden) {
            return shown.wrong(wanted, Confidence::Certain, sink);
        }
        if seen.read.fit.is_some() && seen.record.sni.is_none() {
            if seen.is_sip() != Some(false) {
                shown.wrong(&self.domains, Confidence::High, sink);
            }
        } else if let Some(known) = self.server(server) {
            known.show(shown);
        }
    }

    fn sip(&mut self, seen: &SipSeen<'_>, _: &mut Sink) {
        let (to, room) = (seen.event.dst.addr, self.servers.len() < self.cap);
        let mut known = self.servers.get_mut(&to);
        if known.as_mut().is_some_and(|server| !server.is_open()) {
            return;
        }
        let Some(name) = called(seen) else { return };
        match known {
            Some(server) => server.call(name),
            // As long as nobody has shown a certificate, what there is no room for hides nothing.
            None if room => self.servers.entry(to).or_default().call(name),
            None => {}
        }
    }

    fn end(&mut self, _: &CaptureSeen<'_>, sink: &mut Sink) {
        let mut open: Vec<(&Shown, &[Box<str>])> = Vec::new();
        for server in self.servers.values().filter(|server| !server.fits) {
            if let Some(shown) = &server.shown {
                open.push((shown, &server.called));
            }
        }
        open.sort_by_key(|(shown, _)| (shown.at.time, shown.at.frame));
        for (shown, called) in open {
            match called.first() {
                Some(wanted) => shown.wrong(wanted, Confidence::Medium, sink),
                None => shown.unknown(sink),
            }
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        let of = entry.subject.spoken();
        let wrong = entry.tally(WRONG);
        let summary = if wrong > 0 {
            sentence!("{} with a certificate for another name, {of}.", plural(wrong, "handshake"))
        } else {
            sentence!("Whether the certificate is for the right name is not known: {of}.")
        };
        let parameters = vec![
            ("handshakes", Figure::Count(wrong)),
            ("unknown", Figure::Count(entry.tally(UNKNOWN))),
        ];
        Words { summary, parameters }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("tls_names", self.evicted)
    }
}
