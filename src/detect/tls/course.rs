//! How handshakes go: refused ones, and those in which only one side shows who it is.

use super::{Detail, Sight, rows};
use crate::model::finding::Severity;
use crate::model::handshake::{Ending, Outcome};
use crate::model::record::HandshakeKind;

rows! {
    handshake_failed {
        id: "TLS-HANDSHAKE-FAILED",
        name: "tls-handshake-failed",
        title: "Handshakes are refused",
        severity: Medium ..= Medium,
        detects: "A handshake ended by a fatal alert, or by one side hanging up before it was done.",
        matters: "Calls fail, or go in clear instead. The alert says why: protocol_version, handshake_failure and insufficient_security a mismatch of settings, those about certificates who does not trust whom.",
        false_positives: "Scanners and health checks open connections and leave.",
        fix: "Compare what the client offers with what the server accepts; look at the alert.",
        references: ["RFC 8446 §6.2"],
        thresholds: [],
        test: |seen, _| {
            let facts = seen.read.facts;
            if facts.outcome != Outcome::Refused {
                return None;
            }
            let detail = match (facts.alert, facts.ending) {
                (Some((alert, _)), Ending::Alert) => Detail::Alert(alert.description),
                (_, Ending::Alert) => Detail::Word("an encrypted alert"),
                (_, Ending::ServerReset) => Detail::Word("reset by the server"),
                (_, Ending::ServerClosed) => Detail::Word("closed by the server"),
                (_, Ending::ClientReset) => Detail::Word("reset by the client"),
                _ => Detail::Word("closed by the client"),
            };
            Some(Sight::agreed(Severity::Medium, detail))
        },
    }
    no_mtls {
        id: "TLS-NO-MTLS",
        name: "tls-no-mtls",
        title: "The client shows no certificate",
        severity: Info ..= Info,
        detects: "A completed handshake up to TLS 1.2 over TCP in which the server asked for no certificate, or the client sent none.",
        matters: "Between carriers the server cannot know who calls by TLS: the client must not be considered authenticated.",
        false_positives: "Phones authenticate with a digest instead; this concerns trunks between servers. In TLS 1.3 it cannot be seen.",
        fix: "Between servers, ask for a certificate and check it.",
        references: ["RFC 5922 §7.4"],
        thresholds: [],
        test: |seen, _| {
            let tls = seen.record.kind == HandshakeKind::Tls;
            let none = seen.record.client_certificate == Some(false);
            (tls && none).then_some(Sight::agreed(Severity::Info, Detail::Word("no client certificate")))
        },
    }
}
