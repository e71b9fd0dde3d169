//! What the report says of a call.

#[cfg(test)]
use serde::Serialize;

use super::{Party, Side, Sides};
use crate::model::addr::Endpoint;
use crate::model::frame::FrameId;
use crate::model::id::{RecordId, RecordKey};
use crate::model::packed::{Text, packed, packed_words};
use crate::model::time::Ts;

/// How far a call came.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub enum CallState {
    /// A 2xx was seen.
    #[cfg_attr(test, serde(rename = "answered"))]
    Answered,
    /// A final response of 300 or above.
    #[cfg_attr(test, serde(rename = "failed"))]
    Failed,
    /// CANCEL, then 487 or nothing.
    #[cfg_attr(test, serde(rename = "cancelled"))]
    Cancelled,
    /// The last thing seen was a provisional response above 100.
    #[cfg_attr(test, serde(rename = "ringing"))]
    Ringing,
    /// The last thing seen was the INVITE or a 100.
    #[cfg_attr(test, serde(rename = "in-progress"))]
    InProgress,
    /// The INVITE itself was not seen.
    #[cfg_attr(test, serde(rename = "unknown"))]
    Unknown,
}

packed_words! { CallState { Answered Failed Cancelled Ringing InProgress Unknown } }

impl CallState {
    /// The word used in every output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Unknown => "unknown",
        }
    }
}

/// How media keys were agreed, over all of a call's offers and answers.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum Keying {
    /// No keying attribute.
    #[default]
    None,
    /// `a=crypto` (RFC 4568).
    Sdes,
    /// `a=fingerprint` (RFC 5763).
    Dtls,
    /// `a=zrtp-hash` (RFC 6189).
    Zrtp,
    /// `a=key-mgmt:mikey` (RFC 4567).
    Mikey,
    /// More than one of them.
    Mixed,
}

packed_words! { Keying { None Sdes Dtls Zrtp Mikey Mixed } }

/// What a call's SDP agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct CallMedia<'a> {
    /// Distinct profiles offered, in order of appearance: `RTP/AVP`.
    pub offered: Vec<Text<'a>>,
    /// Distinct profiles of accepted m-lines in answers.
    pub answered: Vec<Text<'a>>,
    /// The keying.
    pub keying: Keying,
    /// Distinct codec names of answers (of offers while there is no answer), first choice first.
    pub codecs: Vec<Text<'a>>,
    /// Times on hold within the established call.
    pub holds: Vec<Hold>,
    /// Media addresses that became others within the established call.
    pub moves: Vec<Moved>,
    /// What the descriptions use: `ice`, `fqdn` (a name in `c=`), `capability-negotiation` (RFC 5939),
    /// `t38`.
    pub features: Vec<Text<'a>>,
}

packed! { CallMedia<'a> { offered answered keying codecs holds moves features } }

/// A time on hold (RFC 3264 §8.4).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Hold {
    /// Who wants no media.
    pub by: Side,
    /// Frame of the offer that says so, or of the answer where the offer left it the choice.
    pub frame: FrameId,
    /// Frame of the description that takes it back; `None` if there was none.
    pub until: Option<FrameId>,
    /// When the first of these was captured.
    pub start: Ts,
    /// When the second was.
    pub end: Option<Ts>,
}

packed! { Hold { by frame until start end } }

/// A media address that became another (RFC 3264 §8.3.1).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Moved {
    /// Whose address.
    pub by: Side,
    /// Frame of the description with the new one.
    pub frame: FrameId,
}

packed! { Moved { by frame } }

/// A transfer asked for within a call (RFC 3515).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize))]
pub struct Transfer {
    /// The Refer-To URI.
    pub target: String,
    /// The status of the REFER's final response.
    pub accepted: Option<u16>,
    /// The last status line reported by a NOTIFY with `message/sipfrag`.
    pub outcome: Option<u16>,
    /// Frame of the REFER.
    pub frame: FrameId,
}

packed! { Transfer { target accepted outcome frame } }

/// One call: an initial INVITE (Call-ID, From tag) and what follows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct CallRecord<'a> {
    /// Derived from Call-ID, From tag and, for further forks, To tag.
    pub id: RecordId,
    /// The Call-ID as written.
    pub call_id: Text<'a>,
    /// Distinct transports: `UDP`, `TCP`.
    pub transport: Vec<Text<'a>>,
    /// From of the initial INVITE.
    pub caller: Party<'a>,
    /// To of the initial INVITE.
    pub callee: Party<'a>,
    /// P-Asserted-Identity values of the initial INVITE.
    pub asserted: Vec<Text<'a>>,
    /// Request-URI of the initial INVITE.
    pub request_uri: Option<Text<'a>>,
    /// User-Agent or Server of each side.
    pub user_agents: Sides<Option<Text<'a>>>,
    /// How far it came.
    pub state: CallState,
    /// The final response that decided it; `None` while there is none.
    pub final_status: Option<u16>,
    /// Who sent BYE (or CANCEL).
    pub ended_by: Option<Side>,
    /// Time of the initial INVITE.
    pub start: Ts,
    /// Time of the first 2xx.
    pub answer: Option<Ts>,
    /// Time of the BYE, of the CANCEL's or the failing final response.
    pub end: Option<Ts>,
    /// Initial INVITE to first 18x or final response, milliseconds (post-dial delay).
    pub setup_ms: Option<f64>,
    /// First 180 to the final response, milliseconds.
    pub ring_ms: Option<f64>,
    /// Answer to end, seconds.
    pub talk_s: Option<f64>,
    /// SIP messages of this call, retransmissions and other hops included; copies sent in HEP only
    /// if nothing else of it was seen.
    pub messages: u64,
    /// Source of the first frame.
    pub first_source: u16,
    /// First frame.
    pub first_frame: u64,
    /// Source of the last frame.
    pub last_source: u16,
    /// Last frame.
    pub last_frame: u64,
    /// `wire`, `hep` or `both`.
    pub via: Text<'a>,
    /// Where each side's signalling was seen: source and destination of the initial INVITE.
    pub endpoints: Sides<Option<Endpoint>>,
    /// The trunk; `None` until trunks are known.
    pub trunk: Option<Text<'a>>,
    /// Offers and answers.
    pub media: CallMedia<'a>,
    /// REFERs within the call.
    pub transfers: Vec<Transfer>,
    /// Digest challenges (401, 407) answered within the call.
    pub challenges: u32,
    /// Readable signalling: at least one message of the call travelled without encryption.
    pub signalling_clear: bool,
    /// An SRTP key of this call was readable in signalling.
    pub key_exposed: bool,
}

packed! {
    CallRecord<'a> keyed {
        call_id transport caller callee asserted request_uri user_agents state final_status
        ended_by start answer end setup_ms ring_ms talk_s messages last_source last_frame via endpoints trunk media transfers challenges signalling_clear
        key_exposed
    }
}

impl CallRecord<'_> {
    /// Its place in the report.
    pub fn key(&self) -> RecordKey {
        RecordKey {
            first: FrameId { source: self.first_source, number: self.first_frame },
            id: self.id,
        }
    }
}
