//! How handshakes go.

use super::{Detail, Sight, rows};
use crate::model::finding::Severity;
use crate::model::handshake::{Ending, Outcome};

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
}
