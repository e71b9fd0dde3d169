//! What the report says of a registration.

#[cfg(test)]
use serde::Serialize;

use crate::model::addr::Endpoint;
use crate::model::frame::FrameId;
use crate::model::id::{RecordId, RecordKey};
use crate::model::packed::{Text, packed, packed_words};

/// How a registration ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Serialize), serde(rename_all = "lowercase"))]
pub enum RegistrationState {
    /// The last final response was 2xx.
    Ok,
    /// The last final response was a refusal other than a challenge.
    Failed,
    /// The last final response was 401 or 407.
    Challenged,
    /// The last accepted REGISTER removed the binding.
    Expired,
    /// No response was seen.
    Unknown,
}

packed_words! { RegistrationState { Ok Failed Challenged Expired Unknown } }

/// REGISTER requests of one address of record from one source (Call-ID), with their outcome.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(Serialize))]
pub struct RegistrationRecord<'a> {
    /// Derived from address of record, Call-ID and source.
    pub id: RecordId,
    /// To URI.
    pub aor: Text<'a>,
    /// First Contact.
    pub contact: Option<Text<'a>>,
    /// Who sent the first REGISTER.
    pub source: Endpoint,
    /// Where to.
    pub registrar: Endpoint,
    /// How it ended.
    pub state: RegistrationState,
    /// REGISTER requests, retransmissions excluded.
    pub attempts: u64,
    /// Seconds granted by the last 2xx, else asked for.
    pub expires_s: Option<u64>,
    /// User-Agent of the first REGISTER.
    pub user_agent: Option<Text<'a>>,
    /// Call-ID of the REGISTER.
    pub call_id: Text<'a>,
    /// Source of the first frame.
    pub first_source: u16,
    /// First frame.
    pub first_frame: u64,
    /// Last frame.
    pub last_frame: u64,
}

packed! {
    RegistrationRecord<'a> keyed {
        aor contact source registrar state attempts expires_s user_agent call_id last_frame
    }
}

impl RegistrationRecord<'_> {
    /// Its place in the report.
    pub fn key(&self) -> RecordKey {
        RecordKey {
            first: FrameId { source: self.first_source, number: self.first_frame },
            id: self.id,
        }
    }
}
