//! What a server or a client of TLS or DTLS accepts and refuses, as the report prints it.

use std::collections::BTreeMap;

use serde::Serialize;

/// One server or client, over all its handshakes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// What was agreed on in those completed.
    pub accepted: Accepted,
    /// Why others were refused.
    pub refusals: Vec<Refusal>,
    /// `A+` to `F`, or `not observed`.
    pub grade: &'static str,
    /// Out of 100, before caps.
    pub score: Option<u32>,
    /// What caps the grade.
    pub grade_reasons: Vec<&'static str>,
    /// `low`, `medium` or `high`, by the number of handshakes completed.
    pub confidence: Option<&'static str>,
}

/// Handshakes by what was agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// By version.
    pub versions: BTreeMap<String, u64>,
    /// By cipher suite.
    pub ciphers: BTreeMap<String, u64>,
    /// By group.
    pub groups: BTreeMap<String, u64>,
}

/// Handshakes refused alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The highest version that the client offered.
    pub offered: String,
    /// The alert, or who hung up.
    pub reason: String,
    /// How many.
    pub count: u64,
}
