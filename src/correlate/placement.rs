//! Where a SIP message belongs.

use crate::model::id::RecordKey;
use crate::model::record::Side;

/// What the SDP of a message is in its offer and answer exchange (RFC 3264).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum SdpRole {
    /// No SDP, or no exchange it fits.
    #[default]
    None,
    /// An offer.
    Offer,
    /// The answer to an offer.
    Answer,
}

/// The transaction that a response completed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Completed {}

/// Where a message belongs.
#[derive(Copy, Clone, Debug, Default)]
pub struct Placement {
    /// The call.
    pub call: Option<RecordKey>,
    /// The registration.
    pub registration: Option<RecordKey>,
    /// It repeats a message of its transaction.
    pub retransmission: bool,
    /// What its SDP is.
    pub sdp: SdpRole,
    /// Who sent it.
    pub side: Option<Side>,
    /// The request it answers.
    pub completed: Option<Completed>,
}
