//! What peers write beyond the registries: methods, header names and body types, counted by address.
//! Only names are kept, never values, and no name that is not a token. A message without any costs two
//! looks at its layout. Bounded: see [`PEERS`] and [`NAMES`].

use std::collections::BTreeMap;

use overhear_parsers::sip::body::{self, BodyKind};
use overhear_parsers::sip::multipart::Leaf;
use overhear_parsers::sip::{HeaderName, HeaderSet, Message, Method};

use crate::correlate::event::SipEvent;
use crate::model::addr::Addr;
use crate::model::capture::PeerRecord;

/// The table's name among what was evicted.
pub(super) const TABLE: &str = "inventory";
/// Addresses that are kept; what further ones write is given up.
const PEERS: usize = 1_024;
/// Names kept of one peer and kind; further ones count as [`OTHER`].
const NAMES: usize = 64;
/// Octets of a name; a longer one counts as [`OTHER`].
const NAME_OCTETS: usize = 64;
/// Names that are not kept, together.
const OTHER: &str = "OTHER";

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    peers: BTreeMap<Addr, Peer>,
    /// Messages of peers that found no place.
    refused: u64,
}

#[derive(Debug, Default)]
struct Peer {
    methods: Names,
    headers: Names,
    bodies: Names,
}

/// Names in any case of letters, in the spelling that came first.
#[derive(Debug, Default)]
struct Names {
    known: Vec<(Box<str>, u64)>,
    other: u64,
}

impl Inventory {
    /// Notes what one message has that is not in the registries, and of bodies all but plain session
    /// descriptions.
    pub(super) fn message(&mut self, event: &SipEvent<'_>) {
        const UNKNOWN: HeaderSet = HeaderSet::of(&[HeaderName::Other]);
        let message = &event.message;
        let method = message.is_request() && message.method() == Method::Other;
        let headers = message.has_any(UNKNOWN);
        let kind = message.header(HeaderName::ContentType);
        let kind = kind.filter(|kind| *kind != b"application/sdp" && !message.body().is_empty());
        if !method && !headers && kind.is_none() {
            return;
        }
        let full = self.peers.len() >= PEERS;
        if full && !self.peers.contains_key(&event.src.addr) {
            self.refused = self.refused.saturating_add(1);
            return;
        }
        let peer = self.peers.entry(event.src.addr).or_default();
        if method {
            peer.methods.add(message.method_text());
        }
        if headers {
            let unknown =
                |span: &&overhear_parsers::sip::HeaderSpan| span.name == HeaderName::Other;
            for span in message.spans.iter().filter(unknown).filter(|span| span.name_len > 0) {
                peer.headers.add(span.raw_name(message.octets));
            }
        }
        if kind.is_some() {
            peer.body(message);
        }
    }

    /// Messages that found no place.
    pub(super) const fn evicted(&self) -> u64 {
        self.refused
    }

    /// The peers by address.
    pub(super) fn finish(self) -> Vec<PeerRecord> {
        let record = |(addr, peer): (Addr, Peer)| PeerRecord {
            address: addr.to_string(),
            unknown_methods: peer.methods.finish(),
            unknown_headers: peer.headers.finish(),
            bodies: peer.bodies.finish(),
        };
        self.peers.into_iter().map(record).collect()
    }
}

impl Peer {
    /// The type of a body, and those of its parts.
    fn body(&mut self, message: &Message<'_>) {
        let kind = message.header(HeaderName::ContentType).unwrap_or_default();
        if BodyKind::of(kind) == BodyKind::Multipart {
            self.bodies.add(body::media_type(kind));
        }
        // What cannot be taken apart is a leaf itself, and has been counted.
        let parts = message.leaves().filter(|leaf| leaf.kind() != BodyKind::Multipart);
        for Leaf { content_type, body: octets, .. } in parts {
            let name = body::media_type(content_type);
            if name.eq_ignore_ascii_case(b"application/pidf+xml") && body::has_location(octets) {
                self.bodies.count("application/pidf+xml (location)");
            } else if !name.is_empty() {
                self.bodies.add(name);
            }
        }
    }
}

impl Names {
    fn add(&mut self, name: &[u8]) {
        let token = name.len() <= NAME_OCTETS && name.iter().all(|&octet| is_name(octet));
        match std::str::from_utf8(name) {
            Ok(name) if token => self.count(name),
            _ => self.other = self.other.saturating_add(1),
        }
    }

    fn count(&mut self, name: &str) {
        let same = |known: &&mut (Box<str>, u64)| known.0.eq_ignore_ascii_case(name);
        if let Some((_, count)) = self.known.iter_mut().find(same) {
            *count = count.saturating_add(1);
        } else if self.known.len() < NAMES {
            self.known.push((name.into(), 1));
        } else {
            self.other = self.other.saturating_add(1);
        }
    }

    fn finish(self) -> BTreeMap<String, u64> {
        let mut all: BTreeMap<String, u64> =
            self.known.into_iter().map(|(name, count)| (name.into(), count)).collect();
        if self.other > 0 {
            *all.entry(OTHER.to_owned()).or_default() += self.other;
        }
        all
    }
}

/// Octets of a token (RFC 3261 §25.1), and the slash of a media type.
const fn is_name(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~' | b'/'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_in_any_case_and_bounded() {
        let mut names = Names::default();
        for name in [&b"X-One"[..], b"x-one", b"not a token", &[b'x'; 65], b"\xff"] {
            names.add(name);
        }
        for number in 0..NAMES {
            names.add(format!("X-{number}").as_bytes());
        }
        let all = names.finish();
        assert_eq!((all.len(), all["X-One"], all[OTHER]), (NAMES + 1, 2, 4));
    }
}
