//! What a handshake shows at all: a set of bits, worked out once, by which most rows of
//! [`super::tls`] know that they have nothing to look for in it.

use overhear_parsers::tls::Weak;
use overhear_parsers::tls::client_hello::rank;

use crate::correlate::handshake::HandshakeRead;

/// What a handshake shows, or what a row looks for: it looks at handshakes that show any of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Shows(u32);

impl Shows {
    /// What every handshake shows.
    pub const ANYTHING: Self = Self(1 << 31);
    /// SSL 2.0, accepted.
    pub const SSL2: Self = Self(1 << 16);
    /// A server's hello of a version before TLS 1.2.
    pub const OLD: Self = Self(1 << 17);
    /// One of a version before TLS 1.3.
    pub const BEFORE_13: Self = Self(1 << 18);
    /// Certificates, of either side.
    pub const CERTIFICATES: Self = Self(1 << 19);
    /// A `ServerKeyExchange`.
    pub const EXCHANGE: Self = Self(1 << 20);
    /// A signature of this session, of either side.
    pub const SIGNATURE: Self = Self(1 << 21);
    /// A ticket.
    pub const TICKET: Self = Self(1 << 22);
    /// An alert in clear.
    pub const ALERT: Self = Self(1 << 23);
    /// Data of the client before there was an answer.
    pub const EARLY_DATA: Self = Self(1 << 24);
    /// A heartbeat that asks for more than it brings.
    pub const HEARTBLEED: Self = Self(1 << 25);
    /// A suite that has no name.
    pub const UNKNOWN_SUITE: Self = Self(1 << 27);
    /// A session of TLS 1.3 with a key from before alone.
    pub const PSK_ALONE: Self = Self(1 << 26);

    /// A suite with one of these weaknesses, agreed on or offered.
    pub const fn suite(weak: Weak) -> Self {
        // The lower half is theirs.
        Self(weak.bits() as u32)
    }

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets have something in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What a handshake shows, in whose suites `weak` is weak.
    pub fn of(read: &HandshakeRead<'_>, weak: Weak) -> Self {
        let before_13 = read.answer.is_some() && !read.is_tls13();
        let signed = read.exchange.is_some_and(|exchange| exchange.signature.is_some());
        let parts = [
            (Self::SSL2, read.ssl2_answer.is_some()),
            (Self::OLD, before_13 && read.version().is_some_and(|version| rank(version) < 12)),
            (Self::BEFORE_13, before_13),
            (Self::CERTIFICATES, !read.chain.is_empty() || !read.client_chain.is_empty()),
            (Self::EXCHANGE, read.exchange.is_some()),
            (Self::SIGNATURE, signed || read.verify.is_some()),
            (Self::TICKET, read.ticket_lifetime.is_some()),
            (Self::ALERT, read.facts.alert.is_some()),
            (Self::EARLY_DATA, read.facts.early_data),
            (Self::HEARTBLEED, read.facts.heartbleed),
            (Self::UNKNOWN_SUITE, read.answer.is_some() && read.suite.is_none()),
            (Self::PSK_ALONE, read.is_psk_alone()),
        ];
        let there = parts.into_iter().filter(|(_, there)| *there).map(|(part, _)| part);
        there.fold(Self::ANYTHING.or(Self::suite(weak)), Self::or)
    }
}
