//! Servers of QUIC with what clients ask them for: name and protocols (RFC 9001 §8.1, RFC 7301). SIP has no
//! name of its own there yet; one that begins with `sip` would be it.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use overhear_parsers::tls::fingerprint::Over;
use overhear_parsers::tls::{ClientHello, MessageType, Messages, extension};

use super::fingerprints::ja4;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::tls_peer::QuicRecord;

/// Name of the table in `evicted`.
const TABLE: &str = "quic";

/// Servers that are kept apart, each with a name and a list of protocols.
const SERVERS: usize = 1_024;

/// What a client asks for: server, name, protocols with commas between them.
type Asked = (Endpoint, Option<Box<str>>, Box<str>);

/// What was seen of it.
#[derive(Debug)]
struct Seen {
    first: FrameRef,
    ja4: String,
    connections: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub struct QuicSeen {
    servers: HashMap<Asked, Seen, FixedState>,
    evicted: u64,
}

impl QuicSeen {
    /// Takes a ClientHello behind its type and length.
    pub fn hello(&mut self, server: Endpoint, message: &[u8], at: FrameRef) {
        let hello = Messages::new(message).find(MessageType::CLIENT_HELLO);
        let Some(hello) = hello.and_then(|hello| ClientHello::parse(hello.body)) else { return };
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let protocols: Vec<String> = extension::protocols(hello.alpn).map(text).collect();
        let name = hello.server_name.map(|name| text(name).into());
        let asked = (server, name, protocols.join(",").into());
        if self.servers.len() >= SERVERS && !self.servers.contains_key(&asked) {
            self.evicted = self.evicted.saturating_add(1);
            return;
        }
        let new = || Seen { first: at, ja4: ja4(&hello, Over::Quic), connections: 0 };
        let seen = self.servers.entry(asked).or_insert_with(new);
        seen.connections = seen.connections.saturating_add(1);
    }

    /// The table's name, and connections to servers for which there was no room.
    pub const fn evicted(&self) -> (&'static str, u64) {
        (TABLE, self.evicted)
    }

    /// As the report prints them, by the first frame.
    pub fn finish(self) -> Vec<QuicRecord> {
        let mut all: Vec<(Asked, Seen)> = self.servers.into_iter().collect();
        all.sort_unstable_by(|(a, one), (b, other)| {
            let place = |seen: &Seen| (seen.first.time, seen.first.frame);
            (place(one), &a.1, &a.2).cmp(&(place(other), &b.1, &b.2))
        });
        all.into_iter()
            .map(|((server, sni, alpn), Seen { first, ja4, connections })| {
                let alpn: Vec<String> =
                    alpn.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
                QuicRecord {
                    server: server.to_string(),
                    sni: sni.map(String::from),
                    carries: carries(&alpn),
                    alpn,
                    ja4,
                    connections,
                    source: first.frame.source,
                    frame: first.frame.number,
                }
            })
            .collect()
    }
}

/// What the protocols say, as [`TlsPairRecord::carries`](crate::model::tls_peer::TlsPairRecord) does.
fn carries(alpn: &[String]) -> Option<&'static str> {
    if alpn.iter().any(|name| name.starts_with("sip")) {
        return Some("SIP by ALPN");
    }
    (!alpn.is_empty()).then_some("something else by ALPN")
}
