//! What a call amounts to when it is finished: its record (RFC 3261 §13, §15; the report's `calls`).

use overhear_parsers::sip::Uri;

use super::call::{Call, flag};
use super::call_text::text;
use crate::model::record::{CallRecord, CallState, Party, Side, Sides};
use crate::model::time::{Span, Ts};
use crate::model::transport::Transport;

impl Call {
    /// The finished record. Consumes the call: its texts become strings only here.
    pub(super) fn into_record(self) -> CallRecord {
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
        let request_uri = self.names.get(text::REQUEST_URI);
        CallRecord {
            id: self.key.id,
            call_id: self.names.text(text::CALL_ID).unwrap_or_default(),
            transport: Transport::ALL
                .iter()
                .filter(|transport| self.transports & transport.bit() != 0)
                .map(|transport| transport.name().to_owned())
                .collect(),
            caller: self.party(text::CALLER, text::CALLER_DISPLAY),
            callee: self.party(text::CALLEE, text::CALLEE_DISPLAY),
            asserted: asserted
                .filter(|value| !value.is_empty())
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .collect(),
            request_uri: uri_text(&Uri::parse(request_uri), request_uri),
            user_agents: Sides {
                caller: calling.as_deref().map(str::to_owned),
                callee: called.as_deref().map(str::to_owned),
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
            via: self.via().to_owned(),
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

    fn party(&self, uri: usize, display: usize) -> Party {
        let written = self.names.get(uri);
        let parts = Uri::parse(written);
        let text = |octets: &[u8]| {
            (!octets.is_empty()).then(|| String::from_utf8_lossy(octets).into_owned())
        };
        Party {
            uri: uri_text(&parts, written),
            user: parts.user.and_then(text),
            host: text(parts.host),
            display: self.names.text(display),
        }
    }
}

/// A URI as written, but for a password in it (RFC 3261 §19.1.1): secrets are not printed.
fn uri_text(uri: &Uri<'_>, octets: &[u8]) -> Option<String> {
    let text = |octets| String::from_utf8_lossy(octets).into_owned();
    if let (Some(user), Some(_)) = (uri.user, uri.password) {
        let host = octets.split(|&octet| octet == b'@').skip(1).collect::<Vec<_>>().join(&b'@');
        return Some(format!("{}:{}@{}", text(uri.scheme_text), text(user), text(&host)));
    }
    (!octets.is_empty()).then(|| text(octets))
}

/// From one moment to another, 0 if a mis-sorted capture has them the other way round.
fn not_negative(from: Ts, to: Ts) -> Span {
    to.since(from).max(Span::ZERO)
}
