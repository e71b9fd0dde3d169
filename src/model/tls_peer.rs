//! What servers and clients of TLS or DTLS accept and refuse, and how good what pairs of them agree on
//! is, as the report prints it.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// One server or client, over all its handshakes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TlsPeerRecord {
    /// `server` or `client`.
    pub role: &'static str,
    /// `tls` or `dtls`.
    pub kind: &'static str,
    /// Address and port of a server, address of a client.
    pub address: String,
    /// Handshakes, whatever became of them.
    pub handshakes: u64,
    /// Those that were completed.
    pub completed: u64,
    /// Those that one side ended.
    pub refused: u64,
    /// Those that were not seen to their end.
    pub incomplete: u64,
    /// What clients offered, in all handshakes.
    pub offered: Vec<OfferCount>,
    /// What was agreed on in those completed.
    pub accepted: CodePoints,
    /// Why they were refused, and what clients did then.
    pub refusals: Vec<Refusal>,
    /// `A+` to `F`, or `not observed`.
    pub grade: &'static str,
    /// Out of 100, before caps.
    pub score: Option<u32>,
    /// What caps the grade, the hardest first.
    pub grade_reasons: Vec<&'static str>,
    /// `low`, `medium` or `high`, by the number of handshakes completed.
    pub confidence: Option<&'static str>,
}

/// What clients of one make offer, without GREASE; of each kind the first 64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsOfferRecord {
    /// Versions.
    pub versions: Vec<String>,
    /// Cipher suites.
    pub ciphers: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Signature schemes.
    pub signature_algorithms: Vec<String>,
    /// Handshakes that began with it.
    pub handshakes: u64,
}

/// How often something was offered.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfferCount {
    /// Its place among all offers, from 0.
    pub offer: u32,
    /// Handshakes that began with it.
    pub handshakes: u32,
    /// Those of them that were refused.
    pub refused: u32,
}

/// Handshakes by what stands in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CodePoints {
    /// By version.
    pub versions: Counted,
    /// By cipher suite.
    pub ciphers: Counted,
    /// By group.
    pub groups: Counted,
    /// By signature scheme of the key exchange, which TLS 1.2 shows.
    pub signature_algorithms: Counted,
}

/// How often each of a few things was seen, by name; a map in the report. Of tens of thousands of peers
/// trees would take several times as much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(Box<[(String, u64)]>);

impl FromIterator<(String, u64)> for Counted {
    fn from_iter<T: IntoIterator<Item = (String, u64)>>(all: T) -> Self {
        let mut all: Box<[(String, u64)]> = all.into_iter().collect();
        all.sort_unstable();
        Self(all)
    }
}

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, count)| (name, count)))
    }
}

/// Handshakes refused alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refusal {
    /// The highest version that the client offered.
    pub offered: String,
    /// The alert, or who hung up.
    pub reason: String,
    /// Who sent the alert or hung up: `client` or `server`; `null` for an encrypted alert.
    pub from: Option<&'static str>,
    /// How many.
    pub count: u64,
    /// What the client did next: `retry-lower`, `retry-same`, `cleartext`, `gave-up` and the like.
    pub after: BTreeMap<&'static str, u64>,
    /// How long after the refusal it did.
    pub after_ms: Option<Within>,
}

/// The shortest and the longest of several times, milliseconds.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Within {
    /// The shortest.
    pub min: f64,
    /// The longest.
    pub max: f64,
}

/// The grade that would be if something were changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The grade.
    pub grade: &'static str,
    /// What to change: all of it.
    pub by: Vec<&'static str>,
}

/// Two hosts between which there was TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsPairRecord {
    /// The smaller address.
    pub a: String,
    /// The other.
    pub b: String,
    /// Which of them took connections: `a`, `b`.
    pub servers: Vec<&'static str>,
    /// Handshakes, whatever became of them.
    pub handshakes: u64,
    /// Those that were completed.
    pub completed: u64,
    /// Those that one side ended.
    pub refused: u64,
    /// Those that were not seen to their end.
    pub incomplete: u64,
    /// `A+` to `F`, or `not observed`.
    pub grade: &'static str,
    /// Out of 100, before caps.
    pub score: Option<u32>,
    /// What caps the grade, the hardest first.
    pub caps: Vec<CapRecord>,
    /// What would raise the grade.
    pub next: Option<Next>,
    /// What cannot be seen and is not graded.
    pub unseen: Vec<&'static str>,
    /// What speaks for SIP inside, or for something else.
    pub carries: Vec<&'static str>,
    /// Its servers that signalling names, with the first message that does.
    pub announced: Vec<AnnouncedServer>,
    /// `low`, `medium` or `high`, by the number of handshakes completed.
    pub confidence: Option<&'static str>,
}

/// A server of QUIC, by what clients ask it for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuicRecord {
    /// Its address and port.
    pub server: String,
    /// The name that clients ask for; `None` without one, or if an encrypted hello hides it.
    pub sni: Option<String>,
    /// The protocols they offer, in their order.
    pub alpn: Vec<String>,
    /// What that says of what is inside; `None` where it says nothing.
    pub carries: Option<&'static str>,
    /// JA4 of the first of their hellos.
    pub ja4: String,
    /// Connections of which the hello could be read.
    pub connections: u64,
    /// The source of the first of them.
    pub source: u16,
    /// Its first frame.
    pub frame: u64,
}

/// A server of TLS that signalling names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnnouncedServer {
    /// Its address and port.
    pub server: String,
    /// The name that a client asked it for, if that is what was named.
    pub name: Option<String>,
    /// What it is named for: `SIP` or `media`.
    pub carries: &'static str,
    /// Where it is named: a header, or `SDP`.
    pub by: &'static str,
    /// The source of the message.
    pub source: u16,
    /// Its frame.
    pub frame: u64,
}

/// Something that caps a grade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CapRecord {
    /// At what.
    pub grade: &'static str,
    /// In words.
    pub reason: &'static str,
    /// Handshakes that show it, or requests.
    pub count: u64,
}
