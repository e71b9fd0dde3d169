//! Where a SIP message belongs: what correlation tells the detectors about each message.

use crate::model::evidence::FrameRef;
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

/// The request that a response answers (RFC 3261 §17.1.3), seen between the same two addresses.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Completed {
    /// Where the request was first seen.
    pub request: FrameRef,
}

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
    /// Who sent it; `None` outside calls.
    pub side: Option<Side>,
    /// The request that this response answers, if that was seen; always `None` for a request.
    pub completed: Option<Completed>,
}
