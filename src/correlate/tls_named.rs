//! Which servers signalling names for TLS, and in which message: evidence that the TLS found there carries
//! SIP, or media. For SIP these are `sips` URIs and those with `transport=tls` or `wss` of the Request-URI
//! and the headers that say where requests go (RFC 3261 §19.1.1, §26.2.2, RFC 3327, RFC 3608, RFC 7118), and
//! the sent-by of a Via over TLS, where its sender listens (RFC 3261 §18.2.2); for media the m-lines over
//! TLS (RFC 8122), as of MSRP (RFC 4975).
//!
//! Names of hosts are not resolved: they are held against the `server_name` of a handshake.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use overhear_parsers::sip::uri::{Scheme, Uri};
use overhear_parsers::sip::{HeaderName, HeaderSet, Message};

use crate::model::addr::{Addr, Endpoint};
use crate::model::evidence::FrameRef;

/// Name of the table in `evicted`.
const TABLE: &str = "tls_named";

/// The longest name of a host (RFC 1035 §2.3.4).
const NAME_MAX: usize = 253;

/// Ports where a URI or a Via gives none (RFC 3261 §19.1.2, RFC 7118 §5.2.2).
const SIPS_PORT: u16 = 5061;
const WSS_PORT: u16 = 443;

/// The port of a party that will open the connection itself (RFC 4145 §4.1).
const ACTIVE_PORT: u16 = 9;

/// The headers that say where requests go, with what the report calls them.
const HEADERS: [(HeaderName, &str); 5] = [
    (HeaderName::Contact, "Contact"),
    (HeaderName::RecordRoute, "Record-Route"),
    (HeaderName::Route, "Route"),
    (HeaderName::Path, "Path"),
    (HeaderName::ServiceRoute, "Service-Route"),
];

/// What goes to a server by what names it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// SIP.
    Sip,
    /// What an m-line describes.
    Media,
}

impl Names {
    /// As the report prints it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Sip => "SIP",
            Self::Media => "media",
        }
    }
}

/// How a server was named first.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The message.
    pub at: FrameRef,
    /// For what.
    pub names: Names,
    /// Where it stands: a header, or `SDP`.
    pub by: &'static str,
}

/// A host as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Host {
    Addr(Addr),
    /// In lower case.
    Name(Box<str>),
}

/// Servers by host and port.
#[derive(Debug)]
pub struct Named {
    servers: HashMap<(Host, u16), Told, FixedState>,
    cap: usize,
    evicted: u64,
}

impl Named {
    /// Room for so many; further ones are counted as given up.
    pub(super) fn new(cap: usize) -> Self {
        Self { servers: HashMap::default(), cap, evicted: 0 }
    }

    /// The table's name, and servers for which there was no room.
    pub(super) const fn evicted(&self) -> (&'static str, u64) {
        (TABLE, self.evicted)
    }

    /// Takes what a message names, of those with [`SipMarks::NAMES`](crate::model::fact::SipMarks::NAMES).
    pub fn sip(&mut self, message: &Message<'_>, at: FrameRef) {
        if message.is_request() {
            self.uri(&Uri::parse(message.request_uri()), at, "Request-URI");
        }
        for (name, by) in HEADERS {
            if message.has_any(HeaderSet::of(&[name])) {
                for address in message.addresses(name) {
                    self.uri(&address.uri(), at, by);
                }
            }
        }
        for via in message.vias() {
            let Some(default) = port_of(via.transport) else { continue };
            let port = via.port.unwrap_or(default);
            let host = via.received().unwrap_or(via.host);
            self.note(host, port, Told { at, names: Names::Sip, by: "Via" });
        }
    }

    /// Takes the address of an m-line over TLS.
    pub fn media(&mut self, endpoint: Endpoint, at: FrameRef) {
        if endpoint.port != ACTIVE_PORT {
            let told = Told { at, names: Names::Media, by: "SDP" };
            self.put((Host::Addr(endpoint.addr), endpoint.port), told);
        }
    }

    /// How a server was named: by its address, or by the name that a client asks it for.
    pub fn of(&self, server: Endpoint, asked: Option<&str>) -> Option<Told> {
        if self.servers.is_empty() {
            return None;
        }
        let by_address = self.servers.get(&(Host::Addr(server.addr), server.port));
        let by_name = || {
            let name = Host::Name(asked?.to_ascii_lowercase().into());
            self.servers.get(&(name, server.port))
        };
        by_address.or_else(by_name).copied()
    }

    fn uri(&mut self, uri: &Uri<'_>, at: FrameRef, by: &'static str) {
        let transport = uri.params.value(b"transport");
        let default = match (uri.scheme, transport) {
            (Scheme::Sips, Some(transport)) if transport.eq_ignore_ascii_case(b"ws") => WSS_PORT,
            (Scheme::Sips, _) => SIPS_PORT,
            (Scheme::Sip, Some(transport)) => match port_of(transport) {
                Some(port) => port,
                None => return,
            },
            _ => return,
        };
        let port = uri.port.unwrap_or(default);
        self.note(uri.host, port, Told { at, names: Names::Sip, by });
    }

    fn note(&mut self, host: &[u8], port: u16, told: Told) {
        let Ok(text) = std::str::from_utf8(host) else { return };
        let host = if let Ok(ip) = text.parse::<std::net::IpAddr>() {
            Host::Addr(ip.into())
        } else if is_name(text) {
            Host::Name(text.to_ascii_lowercase().into())
        } else {
            return;
        };
        self.put((host, port), told);
    }

    /// The first message that names a server is kept.
    fn put(&mut self, server: (Host, u16), told: Told) {
        if self.servers.len() < self.cap || self.servers.contains_key(&server) {
            self.servers.entry(server).or_insert(told);
        } else {
            self.evicted = self.evicted.saturating_add(1);
        }
    }
}

/// The port of a transport over TLS; `None` for the others.
fn port_of(transport: &[u8]) -> Option<u16> {
    let is = |name: &[u8]| transport.eq_ignore_ascii_case(name);
    match transport {
        _ if is(b"tls") || is(b"tls-sctp") => Some(SIPS_PORT),
        _ if is(b"wss") => Some(WSS_PORT),
        _ => None,
    }
}

/// Whether a host could be asked for by this name. Browsers, which do not know theirs, invent one in
/// `.invalid` (RFC 7118 §5).
fn is_name(text: &str) -> bool {
    let invented = text.rsplit('.').next().is_some_and(|top| top.eq_ignore_ascii_case("invalid"));
    text.contains('.') && text.len() <= NAME_MAX && !invented
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use overhear_parsers::sip::parse_datagram;

    use super::*;
    use crate::dissect::sip_marks::sip_marks;
    use crate::model::fact::SipMarks;

    const HERE: &str = "198.51.100.5:5061";

    fn named(
        start: &str,
        headers: &str,
        server: &str,
        asked: Option<&str>,
    ) -> Option<&'static str> {
        let text = format!("{start}\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n{headers}\r\n\r\n");
        let mut spans = Vec::new();
        let layout = parse_datagram(text.as_bytes(), &mut spans).unwrap();
        let message = Message::new(text.as_bytes(), layout, &spans);
        let mut named = Named::new(100);
        if sip_marks(&message).has(SipMarks::NAMES) {
            named.sip(&message, FrameRef::default());
        }
        let server: SocketAddr = server.parse().unwrap();
        let told = named.of(Endpoint::new(server.ip().into(), server.port()), asked)?;
        assert_eq!(told.names, Names::Sip);
        Some(told.by)
    }

    const INVITE: &str = "INVITE sip:b@example.org SIP/2.0";
    const MOVED: &str = "SIP/2.0 302 Moved Temporarily";

    #[test]
    fn whatever_says_where_requests_go_names_a_server() {
        let cases = [
            (INVITE, "Contact: <sips:a@198.51.100.5>", Some("Contact")),
            (INVITE, "m: <sip:a@198.51.100.5:5061;transport=TLS>", Some("Contact")),
            (MOVED, "Contact: <sips:a@198.51.100.5>;q=0.7", Some("Contact")),
            ("SIP/2.0 480 No", "Contact: <sips:a@198.51.100.5>", None),
            (INVITE, "Record-Route: <sip:x;lr>, <sips:198.51.100.5;lr>", Some("Record-Route")),
            (INVITE, "Route: <sip:198.51.100.5;transport=tls;lr>", Some("Route")),
            ("SIP/2.0 200 OK", "Service-Route: <sips:198.51.100.5;lr>", Some("Service-Route")),
            (INVITE, "Via: SIP / 2.0 / TLS 198.51.100.5", Some("Via")),
            (INVITE, "Via: SIP/2.0/TLS 198.51.100.5;branch=z9hG4bK1", Some("Via")),
            (INVITE, "v: SIP/2.0/TLS x:5061;received=198.51.100.5", Some("Via")),
            ("INVITE sips:b@198.51.100.5 SIP/2.0", "l: 0", Some("Request-URI")),
            (INVITE, "Contact: <sip:a@198.51.100.5:5061;transport=tcp>", None),
            (INVITE, "Contact: <sips:a@198.51.100.5:5071>", None),
            (INVITE, "Contact: <sips:a@198.51.100.6>", None),
        ];
        for (start, headers, by) in cases {
            assert_eq!(named(start, headers, HERE, None), by, "{start} {headers}");
        }
    }

    #[test]
    fn a_host_that_is_named_is_known_by_the_name_it_is_asked_for() {
        let contact = "Contact: <sips:a@PBX.example.org>";
        assert_eq!(named(INVITE, contact, HERE, Some("pbx.example.ORG")), Some("Contact"));
        assert_eq!(named(INVITE, contact, HERE, Some("example.org")), None);
        assert_eq!(named(INVITE, contact, "198.51.100.5:443", Some("pbx.example.org")), None);
        let browser = "Via: SIP/2.0/WSS df7jal23.invalid;branch=z9hG4bK2";
        assert_eq!(named(INVITE, browser, "198.51.100.5:443", Some("df7jal23.invalid")), None);
    }

    #[test]
    fn the_first_to_name_a_server_counts_and_the_table_is_bounded() {
        let mut named = Named::new(1);
        let server = Endpoint::new(Addr::v4([198, 51, 100, 5]), 2855);
        let other = Endpoint::new(Addr::v4([198, 51, 100, 5]), 2856);
        named.media(Endpoint { port: ACTIVE_PORT, ..server }, FrameRef::default());
        named.media(server, FrameRef::default());
        named.media(other, FrameRef::default());
        assert_eq!(named.of(server, None).map(|told| told.names), Some(Names::Media));
        assert_eq!((named.of(other, None), named.evicted()), (None, (TABLE, 1)));
    }
}
