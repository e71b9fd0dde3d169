//! Finished records: calls, registrations, streams, as the report prints them. Those of handshakes are
//! in [`super::handshake`].
//!
//! Each is plain and keyed. The field names are the report's (`docs/report.md`), which writes them in
//! the order in which they stand here. Texts are borrowed, from what is known of a live call or from
//! the compact form ([`super::packed`]): a record is made and read without copying them. Fields that
//! are known only at the very end (a call's streams, its findings, its exposure) are not here: they are
//! joined in when the report is written.

#[cfg(test)]
use serde::Serialize;

use super::packed::{Packed, Packer, Text, Unpacker, packed, packed_words};

mod call;
mod registration;
mod stream;

pub use self::call::{CallMedia, CallRecord, CallState, Hold, Keying, Moved, Transfer};
pub use self::registration::{RegistrationRecord, RegistrationState};
pub use self::stream::{
    Jitter, PayloadType, Protection, ReportedQuality, StreamQuality, StreamRecord, StreamRtcp,
    StreamSrtcp, VerdictRecord,
};

/// A party of a call, as its From or To header names it. Text from the wire, made valid UTF-8 with
/// U+FFFD for what is not; outputs escape it again for their own format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Party<'a> {
    /// The URI as written, without angle brackets and header parameters.
    pub uri: Option<Text<'a>>,
    /// Its user part.
    pub user: Option<Text<'a>>,
    /// Its host part.
    pub host: Option<Text<'a>>,
    /// The display name, unquoted.
    pub display: Option<Text<'a>>,
}

packed! { Party<'a> { uri user host display } }

/// A value each for the calling and the called side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Sides<T> {
    /// The side that sent the initial INVITE.
    pub caller: T,
    /// The other side.
    pub callee: T,
}

impl<'a, T: Packed<'a>> Packed<'a> for Sides<T> {
    #[inline]
    fn pack(&self, out: &mut Packer) {
        self.caller.pack(out);
        self.callee.pack(out);
    }

    #[inline]
    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self { caller: T::unpack(from)?, callee: T::unpack(from)? })
    }
}

/// One of the two sides.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum Side {
    /// The side that sent the initial INVITE.
    Caller,
    /// The other side.
    Callee,
}

packed_words! { Side { Caller Callee } }

/// `tls` or `dtls`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum HandshakeKind {
    /// Over TCP.
    Tls,
    /// Over UDP.
    Dtls,
}

packed_words! { HandshakeKind { Tls Dtls } }

impl HandshakeKind {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Dtls => "dtls",
        }
    }
}
