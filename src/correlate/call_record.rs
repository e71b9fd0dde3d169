//! What a call amounts to when it is finished: its record (RFC 3261 §13, §15; the report's `calls`).

use std::borrow::Cow;

use overhear_parsers::sip::Uri;

use super::call::{Call, flag};
use super::call_text::text;
use super::names::valid;
use crate::model::packed::Text;
use crate::model::record::{CallRecord, CallState, Party, Side, Sides};
use crate::model::time::{Span, Ts};
use crate::model::transport::Transport;

/// A call that has left the table, as it was.
pub struct FinishedCall(Call);

impl std::fmt::Debug for FinishedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FinishedCall").field(&self.0.key).finish()
    }
}

impl FinishedCall {
    /// The record, for which nothing is copied.
    pub fn record(&self) -> CallRecord<'_> {
        self.0.record()
    }
}

impl Call {
    /// Nothing will change any more.
    pub(super) const fn into_record(self) -> FinishedCall {
        FinishedCall(self)
    }

    fn record(&self) -> CallRecord<'_> {
        let (state, final_status) = self.outcome();
        let (answer, end) = (self.answer.get(), self.end.get());
        let end = end.filter(|_| self.is_over() || state != CallState::Answered);
        let invited = self.has(flag::INVITED);
        let one_clock = !self.has(flag::CLOCKS);
        let since_start =
            |at| (invited && one_clock).then(|| not_negative(self.start, at).millis_f64());
        let over = answer.or(end);
        let asserted = self.names.get(text::ASSERTED).split(|&octet| octet == 0);
        let [calling, called] = &self.agents;
        CallRecord {
            id: self.key.id,
            call_id: self.names.text(text::CALL_ID).unwrap_or_default(),
            transport: Transport::ALL
                .iter()
                .filter(|transport| self.transports & transport.bit() != 0)
                .map(|transport| transport.name().into())
                .collect(),
            caller: self.party(text::CALLER, text::CALLER_DISPLAY),
            callee: self.party(text::CALLEE, text::CALLEE_DISPLAY),
            asserted: asserted.filter(|value| !value.is_empty()).map(valid).collect(),
            request_uri: shown(self.names.get(text::REQUEST_URI)),
            user_agents: Sides {
                caller: calling.as_deref().map(Text::from),
                callee: called.as_deref().map(Text::from),
            },
            state,
            final_status,
            ended_by: self.ended_by(state),
            start: self.start,
            answer,
            end,
            setup_ms: self.progress.get().and_then(since_start),
            ring_ms: self
                .ringing
                .get()
                .zip(over.filter(|_| final_status.is_some() && one_clock))
                .map(|(ringing, over)| not_negative(ringing, over).millis_f64()),
            talk_s: answer
                .zip(end.filter(|_| one_clock))
                .map(|(answer, end)| not_negative(answer, end).secs_f64()),
            messages: u64::from(self.messages),
            first_source: self.key.first.source,
            first_frame: self.key.first.number,
            last_source: self.last.source,
            last_frame: self.last.number,
            via: self.via().into(),
            endpoints: Sides { caller: Some(self.caller_at), callee: Some(self.callee_at) },
            trunk: None,
            media: self.negotiation.record(),
            transfers: self.transfers.record(),
            challenges: self.challenges,
            signalling_clear: self.has(flag::CLEAR),
            key_exposed: self.negotiation.key_exposed(),
        }
    }

    /// How its messages were seen.
    fn via(&self) -> &'static str {
        match (self.has(flag::WIRE), self.has(flag::HEP)) {
            (true, true) => "both",
            (false, true) => "hep",
            _ => "wire",
        }
    }

    /// State and deciding response: a 2xx beats everything, then the first hop's last refusal, then
    /// any hop's.
    fn outcome(&self) -> (CallState, Option<u16>) {
        let refusal = if self.refusal == 0 { self.refusal_elsewhere } else { self.refusal };
        let cancelled = self.has(flag::CANCELLED | flag::CANCELLED_ELSEWHERE);
        match (self.success, refusal) {
            (0, 0) if self.has(flag::CANCELLED) => (CallState::Cancelled, None),
            (0, 0) if !self.has(flag::INVITED) => (CallState::Unknown, None),
            (0, 0) if self.has(flag::RINGING) => (CallState::Ringing, None),
            (0, 0) => (CallState::InProgress, None),
            (0, 487) if cancelled => (CallState::Cancelled, Some(487)),
            (0, refusal) => (CallState::Failed, Some(refusal)),
            (success, _) => (CallState::Answered, Some(success)),
        }
    }

    fn ended_by(&self, state: CallState) -> Option<Side> {
        if self.has(flag::BYE_CALLER) {
            Some(Side::Caller)
        } else if self.has(flag::BYE_CALLEE) {
            Some(Side::Callee)
        } else {
            (state == CallState::Cancelled).then_some(Side::Caller)
        }
    }

    fn party(&self, uri: usize, display: usize) -> Party<'_> {
        let written = self.names.get(uri);
        let display = self.names.text(display);
        let text = std::str::from_utf8(written).ok();
        if let Some((uri, (user, host))) = text.and_then(|uri| Some((uri, plain(uri)?))) {
            let [uri, user, host] = [uri, user, host].map(|part| Some(Text::from(part)));
            return Party { uri, user, host, display };
        }
        let parts = Uri::parse(written);
        Party {
            uri: shown(written),
            user: parts.user.and_then(text_of),
            host: text_of(parts.host),
            display,
        }
    }
}

/// A URI as written, but for a password in it (RFC 3261 §19.1.1): secrets are not printed.
fn shown(uri: &[u8]) -> Option<Text<'_>> {
    match Uri::without_password(uri) {
        Cow::Borrowed(uri) => text_of(uri),
        Cow::Owned(uri) => text_of(&uri).map(|text| text.into_owned().into()),
    }
}

/// User and host of `sip:user@host` in letters, digits and few marks, of which nothing needs a closer look.
fn plain(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("sip:")?;
    let at = rest.bytes().position(|octet| octet == b'@')?;
    let (user, host) = (rest.get(..at)?, rest.get(at.saturating_add(1)..)?);
    let plain =
        |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'+');
    let is = |part: &str| !part.is_empty() && part.bytes().all(plain);
    (is(user) && is(host)).then_some((user, host))
}

/// Text of a part that may be missing.
fn text_of(octets: &[u8]) -> Option<Text<'_>> {
    (!octets.is_empty()).then(|| valid(octets))
}

/// From one moment to another, 0 if a mis-sorted capture has them the other way round.
fn not_negative(from: Ts, to: Ts) -> Span {
    to.since(from).max(Span::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_uris_are_split_as_any_other() {
        for uri in ["sip:alice@example.com", "sip:+4930-1.2_3@192.0.2.1", "sip:x@y"] {
            let parts = Uri::parse(uri.as_bytes());
            let octets = plain(uri).map(|(user, host)| (user.as_bytes(), host.as_bytes()));
            assert_eq!(octets, parts.user.map(|user| (user, parts.host)));
        }
        let others = ["", "sip:", "sip:@h", "sip:a@", "sips:a@h", "sip:a@h:5060", "sip:a:b@h"];
        for uri in others.into_iter().chain(["sip:a@b@h", "sip:a;x@h", "sip:h", "sip:%61@h"]) {
            assert_eq!(plain(uri), None, "{uri}");
        }
    }
}
