//! What places a message in its transaction and dialog (RFC 3261 §12.2.2, §17.1.3), put together from
//! what the scan noted and the lane hashed. Values stay bytes and are not judged.

use std::hash::{BuildHasher, Hasher};

use overhear_parsers::sip::{Message, Method, NameAddr};

pub(super) use crate::dissect::sip_names::{hash, hash_on};

use super::event::SipEvent;
use crate::model::addr::STABLE;

/// One message, as far as correlation reads every message.
pub(super) struct View<'a> {
    /// The message itself.
    pub(super) message: &'a Message<'a>,
    /// A request rather than a response.
    pub(super) request: bool,
    /// The request's method; a response's is that of its `CSeq`.
    pub(super) method: Method,
    /// The status code; 0 for a request.
    pub(super) status: u16,
    /// Call-ID.
    pub(super) call_id: &'a [u8],
    /// Hash of Call-ID and From tag.
    pub(super) from_hash: u64,
    /// Hash of Call-ID and To tag.
    pub(super) to_hash: u64,
    /// From tag; empty without one (RFC 2543).
    pub(super) from_tag: &'a [u8],
    /// To tag; empty without one.
    pub(super) to_tag: &'a [u8],
    /// `CSeq` number.
    pub(super) cseq: u32,
}

impl<'a> View<'a> {
    /// Puts the message's names together; `None` without a Call-ID, and for a response without a
    /// readable `CSeq` or with a code beyond 699: such a message belongs nowhere. The `CSeq` number of
    /// a request without one is taken as 0.
    pub(super) fn of(event: &'a SipEvent<'_>) -> Option<Self> {
        let (message, names) = (&event.message, &event.names);
        let call_id = message.call_id();
        let status = message.status();
        let cseq = message.layout.places.cseq;
        // RFC 3261 §7.2 knows six classes: another code answers nothing.
        let answers = status.is_none_or(|code| (100..700).contains(&code) && cseq.is_some());
        if call_id.is_empty() || !answers {
            return None;
        }
        Some(Self {
            message,
            request: status.is_none(),
            method: message.method(),
            status: status.unwrap_or_default(),
            call_id,
            from_hash: names.from,
            to_hash: names.to,
            from_tag: names.from_tag.of(message.octets),
            to_tag: names.to_tag.of(message.octets),
            cseq: cseq.map_or(0, |cseq| cseq.number),
        })
    }

    /// The From header.
    pub(super) fn from(&self) -> Option<NameAddr<'a>> {
        self.message.from()
    }

    /// The To header.
    pub(super) fn to(&self) -> Option<NameAddr<'a>> {
        self.message.to()
    }

    /// An INVITE outside a dialog.
    pub(super) fn is_initial_invite(&self) -> bool {
        self.request && self.method == Method::Invite && self.to_tag.is_empty()
    }

    /// Whether it can belong to a call: it is of a method that begins or ends one, or it names a
    /// dialog.
    #[inline]
    pub(super) fn may_belong_to_call(&self) -> bool {
        let of_calls =
            matches!(self.method, Method::Invite | Method::Ack | Method::Bye | Method::Cancel);
        self.method != Method::Register && (of_calls || !self.request || !self.to_tag.is_empty())
    }

    /// A final response.
    pub(super) fn is_final(&self) -> bool {
        self.status >= 200
    }

    /// A 2xx.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// `seed` and a number in one hash.
pub(super) fn hash_number(seed: u64, number: u64) -> u64 {
    let mut hasher = STABLE.build_hasher();
    hasher.write_u64(seed);
    hasher.write_u64(number);
    hasher.finish()
}
