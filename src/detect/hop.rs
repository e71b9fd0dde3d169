//! What shows of a TLS connection outside its first handshake: that nobody answered, that it came about,
//! that keys were agreed on again.

use super::sink::Subject;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;

/// One such thing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HopSeen {
    /// A connection to the port of SIP over TLS that the server refused or did not answer.
    Unanswered {
        /// Who wanted it.
        client: Endpoint,
        /// Of whom.
        server: Endpoint,
        /// The RST, or the SYN that was sent again.
        at: FrameRef,
        /// The server sent a RST.
        reset: bool,
    },
    /// A handshake was completed, and what there is to say of it follows later.
    Established {
        /// Who sent the ClientHello.
        client: Endpoint,
        /// The other side.
        server: Endpoint,
    },
    /// Both sides sent handshake records behind data, up to TLS 1.2 (RFC 5246 §7.4.1.1).
    Renegotiated {
        /// Who sent the first ClientHello.
        client: Endpoint,
        /// The other side.
        server: Endpoint,
        /// The second side's record.
        at: FrameRef,
    },
}

impl HopSeen {
    /// The pair of peers, sorted.
    pub fn pair(&self) -> Subject {
        match self {
            Self::Unanswered { client, server, .. }
            | Self::Established { client, server }
            | Self::Renegotiated { client, server, .. } => Subject::pair(client.addr, server.addr),
        }
    }
}
