//! `SENSOR-MIDSTREAM-TLS`: TLS whose handshake was before the capture.

use super::super::rule::{Detector, Meta, Words, rule};
use super::super::seen::TapSeen;
use super::super::sink::{Entry, Sighting, Sink, Subject};
use super::super::text::plural;
use crate::model::finding::Figure;
use crate::policy::Policy;

rule! {
    /// ## What it detects
    /// TLS records on a connection whose handshake is not in the capture, or not from its beginning; of DTLS
    /// the messages of a handshake without the ClientHello before them.
    ///
    /// ## Why it matters
    /// Version, cipher suite and certificates were agreed before the capture began: nothing can be
    /// said of how good this connection's protection is.
    ///
    /// ## Evidence
    /// The first record of each such connection.
    ///
    /// ## False positives
    /// Proxies keep TLS connections open for days, so this is usual at the start of a capture.
    ///
    /// ## Fix
    /// Capture for longer, or across a restart of the connection.
    id: "SENSOR-MIDSTREAM-TLS",
    name: "sensor-midstream-tls",
    title: "TLS connections began before the capture",
    severity: Info ..= Info,
    status: Stable,
    wants: [TAP],
    references: ["RFC 8446 §5.1"],
    remediation: super::FIX,
    question: Some("TLS versions supported"),
    thresholds: [],
    since: "0.1.0",
}

/// The rule at work.
pub(crate) struct MidstreamTls;

pub(crate) const fn new(_: &Policy) -> MidstreamTls {
    MidstreamTls
}

impl Detector for MidstreamTls {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn tap(&mut self, seen: &TapSeen, sink: &mut Sink) {
        let &TapSeen::MidstreamTls { src, dst, at } = seen else { return };
        let subject = Subject::pair(src.addr, dst.addr);
        let _ = sink.sighting(Sighting::new(&META, subject, at), |_| {
            (format!("TLS record {src} to {dst}, no handshake before it"), None)
        });
    }

    fn summarise(&self, entry: &Entry) -> Words {
        Words {
            summary: format!(
                "{} between {} began before the capture; the handshake cannot be judged.",
                plural(entry.count, "TLS connection"),
                entry.subject.spoken(),
            ),
            parameters: vec![("connections", Figure::Count(entry.count))],
        }
    }
}
