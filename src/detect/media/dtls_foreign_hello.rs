//! `MEDIA-DTLS-FOREIGN-HELLO`: a host that does not belong to the call opens a DTLS handshake with it
//! (the pattern of CVE-2023-49786).

use super::super::lately::Lately;
use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::{HandshakeSeen, StreamSeen};
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::{plural, sentence};
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::finding::{Confidence, Figure};
use crate::model::id::RecordKey;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// A DTLS ClientHello to a media socket that SDP announced, from a host that neither SDP nor an ICE
    /// candidate of the call named, with which no STUN check succeeded before, while the real peer sends
    /// DTLS or RTP to that socket too.
    ///
    /// ## Why it matters
    /// A media server that answers the first hello it gets, whoever sends it, can no longer be reached by
    /// the real peer: whoever sends hellos to its ports takes calls down (CVE-2023-49786), and one that
    /// does not compare certificates would let the stranger listen.
    ///
    /// ## Evidence
    /// The ClientHello, and what the real peer sent.
    ///
    /// ## False positives
    /// A peer behind NAT without ICE sends from an address that nobody named: there the named one sends
    /// nothing, and nothing is said. Calls of which only one side's description was seen are not judged.
    ///
    /// ## Fix
    /// Update the media server; accept handshakes from the ICE-validated or latched address only.
    id: "MEDIA-DTLS-FOREIGN-HELLO",
    name: "media-dtls-foreign-hello",
    title: "A stranger opens a DTLS handshake with a call's media socket",
    severity: High ..= High,
    status: Stable,
    wants: [HANDSHAKE, STREAM],
    references: ["RFC 5763 §6.7.1", "RFC 8445 §12"],
    remediation: super::FIX_SOURCES,
    question: Some("DTLS"),
    thresholds: [],
    since: "0.1.0",
}

/// A ClientHello from a stranger.
#[derive(Copy, Clone)]
struct Hello {
    client: Endpoint,
    server: Endpoint,
    at: FrameRef,
    last: FrameRef,
    handshake: RecordKey,
    call: RecordKey,
    told: bool,
}

/// The rule at work.
pub(crate) struct DtlsForeignHello {
    /// By the socket that was greeted, the latest whose real peer has not been seen.
    waiting: Lately<Endpoint, Hello>,
    /// Sockets between which the parties of a call themselves sent DTLS.
    rightful: Lately<Endpoint, Endpoint>,
}

pub(crate) fn new(policy: &Policy) -> DtlsForeignHello {
    let table = policy.limits.peers;
    DtlsForeignHello { waiting: Lately::new(table), rightful: Lately::new(table) }
}

impl DtlsForeignHello {
    /// The real peer has sent something to `socket`.
    fn met(&mut self, socket: Endpoint, peer: Endpoint, with: &'static str, sink: &mut Sink) {
        if let Some(hello) = self.waiting.get(&socket).filter(|hello| !hello.told) {
            self.waiting.put(socket, Hello { told: true, ..hello });
            tell(&hello, peer, with, sink);
        }
    }
}

impl Detector for DtlsForeignHello {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn handshake(&mut self, seen: &HandshakeSeen<'_>, sink: &mut Sink) {
        let Some(greeting) = seen.greeting.filter(|_| seen.is_for_media()) else {
            return;
        };
        let (client, server) = (seen.record.client, seen.record.server);
        if greeting.known {
            for (socket, peer) in [(client, server), (server, client)] {
                self.rightful.put(socket, peer);
                self.met(socket, peer, "DTLS", sink);
            }
        } else if greeting.served && !seen.read.facts.checked {
            let (at, last) = (seen.offered_at(), seen.read.facts.last);
            let (handshake, call) = (seen.key, greeting.call);
            let hello = Hello { client, server, at, last, handshake, call, told: false };
            match self.rightful.get(&server) {
                Some(peer) => tell(&hello, peer, "DTLS", sink),
                None => self.waiting.put(server, hello),
            }
        }
    }

    fn stream(&mut self, seen: &StreamSeen<'_>, sink: &mut Sink) {
        if self.waiting.is_empty() {
            return;
        }
        let own = seen.around.own.filter(|own| own.known_sender && own.known_receiver);
        if let Some(own) = own {
            self.met(own.dst, own.src, "RTP", sink);
        }
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: sentence!(
                "{} to media sockets of calls that do not name the sender, between {}.",
                plural(entry.count, "ClientHello"),
                entry.subject.spoken(),
            ),
            parameters: vec![
                ("hellos", Figure::Count(entry.count)),
                ("calls", Figure::Count(entry.calls)),
            ],
        }
    }

    fn evicted(&self) -> (&'static str, u64) {
        ("dtls_hellos", self.waiting.evicted().saturating_add(self.rightful.evicted()))
    }
}

fn tell(hello: &Hello, peer: Endpoint, with: &'static str, sink: &mut Sink) {
    let (client, server) = (hello.client, hello.server);
    let subject = Subject::pair(client.addr, server.addr);
    let sighting = Sighting::new(&META, subject, hello.at).confidence(Confidence::High);
    let what = |_: &mut _| {
        (sentence!("{client} greets {server}, whose peer {peer} sends {with} itself"), None)
    };
    sink.sighting(sighting, what)
        .until(hello.last)
        .handshake(hello.handshake)
        .call(Some(hello.call));
}
