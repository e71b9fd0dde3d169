//! SIP (RFC 3261): lossless, lenient, without a copy.
//!
//! [`parse_datagram`] and [`parse_stream`] find the start line, the place of every header and the
//! body, and note what is off as [`Anomalies`]; [`Message`] reads values out of that on demand.
//! Known limits: a header name longer than 65,535 octets counts as a line without a colon, and
//! headers after the 512th have no span. Nothing here keeps state or decides what is an attack.

pub mod address;
mod ambiguity;
pub mod auth;
pub mod body;
pub mod date;
pub mod dialog_ref;
pub mod element;
mod frame;
mod glance;
pub mod identity;
mod lex;
mod lines;
mod message;
mod method;
pub mod multipart;
mod name;
mod params;
mod places;
pub mod private;
mod probe;
pub mod reason;
pub mod retarget;
pub mod scalar;
mod scan;
pub mod security;
pub mod session_id;
pub mod size;
mod start;
mod typed;
pub mod uri;
pub mod via;

pub use self::address::NameAddr;
pub use self::auth::Auth;
pub use self::frame::{Framing, parse_datagram, parse_stream};
pub use self::message::{Header, Message};
pub use self::method::Method;
pub use self::name::HeaderName;
pub use self::params::{Param, Params, ParamsIter};
pub use self::places::{CSeq, HeaderSet, Places};
pub use self::probe::probe;
pub use self::start::StartLine;
pub use self::uri::Uri;
pub use self::via::Via;
pub use crate::anomaly::Anomalies;

use crate::cursor::{index, slice};

/// Header lines that get a span, per message.
pub const MAX_HEADERS: usize = 512;
/// Longest start line in a stream, octets with its line end.
pub const MAX_START_LINE: usize = 8 * 1024;
/// Longest header section in a stream, octets with the start line and the empty line.
pub const MAX_HEADER_SECTION: usize = 64 * 1024;
/// Longest body in a stream, octets.
pub const MAX_BODY: usize = 1024 * 1024;

/// A piece of a message, as offset and length in octets.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct Part {
    /// Offset of the first octet.
    pub at: u32,
    /// Number of octets.
    pub len: u32,
}

impl Part {
    /// The piece of `octets`; empty when it is not that message.
    #[inline]
    pub fn of(self, octets: &[u8]) -> &[u8] {
        slice(octets, index(self.at), index(self.at.saturating_add(self.len)))
    }
}

/// Where a header line stands in its message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct HeaderSpan {
    /// Which header.
    pub name: HeaderName,
    /// Offset of the name, octets.
    pub name_at: u32,
    /// Length of the name as written, octets; 0 for a line without a colon.
    pub name_len: u16,
    /// Offset of the value, octets.
    pub value_at: u32,
    /// Length of the value, octets: trimmed at both ends, inner folds kept.
    pub value_len: u32,
}

impl HeaderSpan {
    /// The name as written.
    #[inline]
    pub fn raw_name(self, octets: &[u8]) -> &[u8] {
        Part { at: self.name_at, len: u32::from(self.name_len) }.of(octets)
    }

    /// The value as written.
    #[inline]
    pub fn value(self, octets: &[u8]) -> &[u8] {
        Part { at: self.value_at, len: self.value_len }.of(octets)
    }
}

/// What is known of a message besides its header spans; offsets count from the first octet given.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The first line.
    pub start: StartLine,
    /// Offset of the body, octets.
    pub body_at: u32,
    /// Offset after the last octet of the message: leading blanks, headers and body.
    pub len: u32,
    /// Header lines in the message; those beyond [`MAX_HEADERS`] have no span.
    pub headers: u32,
    /// What is off.
    pub anomalies: Anomalies,
    /// Which headers there are, and where some of them stand.
    pub places: Places,
}

/// Why octets are not a SIP message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SipError {
    /// Nothing but CR, LF, SP and HT: a keep-alive.
    Empty,
    /// The first line is no SIP start line.
    NotSip,
    /// More octets than 32 bits count.
    TooLong,
}

impl SipError {
    /// A fixed label for counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "sip-empty",
            Self::NotSip => "sip-not-sip",
            Self::TooLong => "sip-too-long",
        }
    }
}

impl std::fmt::Display for SipError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "no octets but blanks",
            Self::NotSip => "the first line is no SIP start line",
            Self::TooLong => "longer than 32 bits count",
        })
    }
}

impl std::error::Error for SipError {}
