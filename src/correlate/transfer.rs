//! Transfers asked for within a call (RFC 3515): REFER, how it was answered, and what NOTIFY says of
//! the outcome (§2.4.5). The call that a transfer leads to is a call of its own and not looked for.

use overhear_parsers::sip::{HeaderName, Method, Uri};

use super::call::opposite;
use super::event::SipEvent;
use super::view::View;
use crate::model::record::{Side, Transfer};

/// Transfers kept of one call.
const MAX_TRANSFERS: usize = 8;
/// Octets kept of a target.
const TARGET_OCTETS: usize = 512;

/// A transfer, and what is needed to find its responses.
struct Referral {
    transfer: Transfer,
    side: Side,
    cseq: u32,
}

/// The transfers of one call.
#[derive(Default)]
#[expect(clippy::box_collection, reason = "nearly no call has one, and every call has the field")]
pub(super) struct Transfers(Option<Box<Vec<Referral>>>);

impl Transfers {
    /// Takes in REFER, a response to it, or NOTIFY; `from` is the side whose request it is or
    /// answers.
    pub(super) fn observe(&mut self, event: &SipEvent<'_>, view: &View<'_>, from: Side) {
        match (view.request, view.method) {
            (true, Method::Refer) => self.on_refer(event, view, from),
            (false, _) => self.on_response(view, from),
            (true, _) => self.on_notify(view, from),
        }
    }

    /// Octets, about.
    pub(super) fn weight(&self) -> usize {
        self.0.as_ref().map_or(0, |known| known.len().saturating_mul(256))
    }

    /// For the call's record.
    pub(super) fn record(&self) -> Vec<Transfer> {
        self.0.iter().flat_map(|known| known.iter()).map(|known| known.transfer.clone()).collect()
    }

    fn on_refer(&mut self, event: &SipEvent<'_>, view: &View<'_>, from: Side) {
        let Some(target) = view.message.addresses(HeaderName::ReferTo).next() else { return };
        let target = Uri::without_password(target.uri);
        let target = String::from_utf8_lossy(target.get(..TARGET_OCTETS).unwrap_or(&target));
        let known = self.0.get_or_insert_default();
        // Another attempt after a challenge is the same transfer.
        if let Some(last) = known.last_mut()
            && last.side == from
            && matches!(last.transfer.accepted, Some(401 | 407))
            && last.transfer.target == target
        {
            last.cseq = view.cseq;
            return;
        }
        // The same REFER on another hop.
        let again = known.iter().any(|known| known.side == from && known.cseq == view.cseq);
        if !again && known.len() < MAX_TRANSFERS {
            let transfer = Transfer {
                target: target.into_owned(),
                accepted: None,
                outcome: None,
                frame: event.at.frame,
            };
            known.push(Referral { transfer, side: from, cseq: view.cseq });
        }
    }

    fn on_response(&mut self, view: &View<'_>, from: Side) {
        for known in self.0.iter_mut().flat_map(|known| known.iter_mut()) {
            if view.is_final() && known.side == from && known.cseq == view.cseq {
                known.transfer.accepted = Some(view.status);
            }
        }
    }

    /// NOTIFY with a status line in a `message/sipfrag`.
    fn on_notify(&mut self, view: &View<'_>, from: Side) {
        let Some(all) = self.0.as_mut() else { return };
        let kind = view.message.content_type().unwrap_or_default();
        if !kind.eq_ignore_ascii_case(b"message/sipfrag") {
            return;
        }
        let Some(status) = sipfrag_status(view.message.body()) else { return };
        let asked = |known: &&mut Referral| known.side == opposite(from);
        let named = view.message.header(HeaderName::Event).and_then(event_id);
        let known = match named.filter(|id| all.iter().any(|known| known.cseq == *id)) {
            Some(id) => all.iter_mut().filter(asked).find(|known| known.cseq == id),
            None => all.iter_mut().rev().find(asked),
        };
        if let Some(known) = known {
            known.transfer.outcome = Some(status);
        }
    }
}

/// The status of `SIP/2.0 200 OK`.
fn sipfrag_status(body: &[u8]) -> Option<u16> {
    let (version, rest) = body.trim_ascii_start().split_at_checked(b"SIP/2.0 ".len())?;
    let digits = rest.first_chunk::<3>()?;
    if !version.eq_ignore_ascii_case(b"SIP/2.0 ") {
        return None;
    }
    digits.iter().try_fold(0_u16, |status, digit| {
        digit.is_ascii_digit().then(|| status * 10 + u16::from(digit - b'0'))
    })
}

/// The id parameter of `refer;id=93809823` (RFC 3515 §2.4.6).
fn event_id(value: &[u8]) -> Option<u32> {
    let mut parts = value.split(|&octet| octet == b';');
    let id = parts.find_map(|part| part.trim_ascii().strip_prefix(b"id="))?;
    std::str::from_utf8(id).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_is_a_status_line_or_nothing() {
        assert_eq!(sipfrag_status(b"SIP/2.0 603 Declined\r\n"), Some(603));
        assert_eq!(sipfrag_status(b"sip/2.0 100"), Some(100));
        for text in [&b"SIP/2.0 20"[..], b"SIP/2.0 2x0 OK", b"INVITE sip:a SIP/2.0", b""] {
            assert_eq!(sipfrag_status(text), None);
        }
        assert_eq!(
            (event_id(b"refer; id=7"), event_id(b"refer"), event_id(b"refer;id=x")),
            (Some(7), None, None)
        );
    }
}
