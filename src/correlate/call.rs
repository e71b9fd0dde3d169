//! One call as it is lived: what each message of it changes (RFC 3261 §9, §12 to §15, §22). Which call a message belongs to is decided in `call_table`, offers and
//! answers in `offer_answer`, and what it all amounts to in `call_record`.

use std::sync::Arc;

use overhear_parsers::sip::{HeaderName, Method};

use super::call_text::{asserted, text, texts};
use super::event::SipEvent;
use super::intern::Agents;
use super::names::Names;
use super::offer_answer::Negotiation;
use super::transfer::Transfers;
use super::view::{self, View};
use crate::model::addr::Endpoint;
use crate::model::fetch;
use crate::model::frame::FrameId;
use crate::model::id::{Kind, RecordId, RecordKey};
use crate::model::record::Side;
use crate::model::time::Ts;

/// A moment that may not have come: [`Ts::MIN`] until then.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark(Ts);

impl Mark {
    pub(super) const NONE: Self = Self(Ts::MIN);

    /// The moment.
    pub(super) fn get(self) -> Option<Ts> {
        (self != Self::NONE).then_some(self.0)
    }

    /// Sets it unless it is set.
    fn first(&mut self, at: Ts) {
        if *self == Self::NONE {
            *self = Self(at);
        }
    }
}

/// Yes-or-no facts about a call, one bit each.
pub(super) mod flag {
    /// The initial INVITE was seen.
    pub(in crate::correlate) const INVITED: u16 = 1;
    /// The first INVITE seen was one within the dialog.
    pub(in crate::correlate) const MIDWAY: u16 = 1 << 1;
    /// A provisional response above 100.
    pub(in crate::correlate) const RINGING: u16 = 1 << 2;
    /// CANCEL on the hop of the initial INVITE.
    pub(in crate::correlate) const CANCELLED: u16 = 1 << 3;
    /// CANCEL on another hop.
    pub(in crate::correlate) const CANCELLED_ELSEWHERE: u16 = 1 << 4;
    /// BYE from the caller.
    pub(in crate::correlate) const BYE_CALLER: u16 = 1 << 5;
    /// BYE from the callee.
    pub(in crate::correlate) const BYE_CALLEE: u16 = 1 << 6;
    /// A further To tag of the same INVITE.
    pub(in crate::correlate) const FORK: u16 = 1 << 7;
    /// A message of it was not encrypted.
    pub(in crate::correlate) const CLEAR: u16 = 1 << 8;
    /// A digest challenge that has not been answered yet.
    pub(in crate::correlate) const CHALLENGED: u16 = 1 << 9;
    /// The callee's user agent comes from a refusal, which a proxy may have made.
    pub(in crate::correlate) const WEAK_AGENT: u16 = 1 << 10;
    /// A message of it was captured.
    pub(in crate::correlate) const WIRE: u16 = 1 << 11;
    /// A copy of a message of it was captured, sent in HEP by a capture agent.
    pub(in crate::correlate) const HEP: u16 = 1 << 12;
    /// Its times are of several clocks: no durations follow from them.
    pub(in crate::correlate) const CLOCKS: u16 = 1 << 13;
}

/// What a message means for the life of its call.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// It is over, as far as can be seen.
    Ended,
    /// It is over, unless credentials follow.
    Challenged,
    /// It was not over after all.
    Revived,
}

/// A live call.
pub(super) struct Call {
    pub(super) names: Names<{ text::COUNT }>,
    pub(super) key: RecordKey,
    /// Hash of Call-ID and caller's tag.
    pub(super) hash: u64,
    pub(super) last: FrameId,
    pub(super) start: Ts,
    pub(super) answer: Mark,
    pub(super) end: Mark,
    /// First 180.
    pub(super) ringing: Mark,
    /// First 18x or final response.
    pub(super) progress: Mark,
    /// Stamp and watermark of the last message.
    pub(super) touched: i64,
    pub(super) touched_at: Ts,
    /// When it leaves the table; [`Ts::MAX`] while it lives.
    pub(super) deadline: Ts,
    pub(super) caller_at: Endpoint,
    pub(super) callee_at: Endpoint,
    /// Where the latest attempt's INVITE went on the first hop.
    target: Endpoint,
    pub(super) agents: [Option<Arc<str>>; 2],
    pub(super) negotiation: Negotiation,
    pub(super) transfers: Transfers,
    /// `CSeq` number of the latest initial INVITE.
    invite_cseq: u32,
    pub(super) messages: u32,
    pub(super) challenges: u32,
    /// The fork after this one in the table; `u32::MAX` at the end.
    pub(super) next_fork: u32,
    pub(super) flags: u16,
    /// First 2xx.
    pub(super) success: u16,
    /// Last refusal on the hop of the initial INVITE.
    pub(super) refusal: u16,
    /// Last refusal on any hop.
    pub(super) refusal_elsewhere: u16,
    pub(super) transports: u8,
    /// The clock of its times, see [`SipEvent::clock`].
    clock: u8,
}

impl Call {
    /// A call that begins with this message, which may be a response or come in the middle.
    pub(super) fn new(hash: u64, event: &SipEvent<'_>, view: &View<'_>) -> Self {
        // A response travels against its request.
        let (client, server) =
            if view.request { (event.src, event.dst) } else { (event.dst, event.src) };
        let midway = view.request && !view.is_initial_invite();
        Self {
            names: texts(view),
            key: RecordKey { first: event.at.frame, id: RecordId::new(Kind::Call, hash) },
            hash,
            last: event.at.frame,
            start: event.shown(event.clock()),
            clock: event.clock(),
            answer: Mark::NONE,
            end: Mark::NONE,
            ringing: Mark::NONE,
            progress: Mark::NONE,
            touched: 0,
            touched_at: event.watermark,
            deadline: Ts::MAX,
            caller_at: client,
            callee_at: server,
            target: server,
            agents: [None, None],
            negotiation: Negotiation::default(),
            transfers: Transfers::default(),
            invite_cseq: 0,
            messages: 0,
            challenges: 0,
            next_fork: u32::MAX,
            flags: if midway { flag::MIDWAY } else { 0 },
            success: 0,
            refusal: 0,
            refusal_elsewhere: 0,
            transports: 0,
        }
    }

    /// The further call that another To tag's 2xx to the same INVITE makes (RFC 3261 §13.2.2.4).
    pub(super) fn fork(&self, event: &SipEvent<'_>, view: &View<'_>) -> Self {
        let id = RecordId::new(Kind::Call, view::hash_on(self.hash, view.to_tag));
        Self {
            names: self.names.with(text::CALLEE_TAG, view.to_tag),
            key: RecordKey { first: event.at.frame, id },
            start: self.start,
            ringing: self.ringing,
            progress: self.progress,
            caller_at: self.caller_at,
            callee_at: self.callee_at,
            target: self.target,
            agents: [self.agents.first().cloned().flatten(), None],
            negotiation: self.negotiation.fork(),
            invite_cseq: self.invite_cseq,
            challenges: self.challenges,
            flags: flag::FORK | self.flags & flag::INVITED,
            ..Self::new(self.hash, event, view)
        }
    }

    /// Asks for what a message of the call needs; the beginning of it has been asked for before.
    pub(super) fn fetch(&self) {
        fetch::all(self.names.get(text::CALL_ID));
        fetch::line_of(&self.key);
        fetch::line_of(&self.answer);
        fetch::line_of(&self.touched);
        fetch::line_of(&self.callee_at);
        fetch::line_of(&self.agents);
        fetch::line_of(&self.invite_cseq);
        fetch::line_of(&self.flags);
    }

    /// Octets that this call holds outside the table, about.
    pub(super) fn weight(&self) -> usize {
        self.names
            .len()
            .saturating_add(self.negotiation.weight())
            .saturating_add(self.transfers.weight())
    }

    /// Whether the flag is set.
    pub(super) const fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    fn set(&mut self, flag: u16, on: bool) {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }

    /// When it was answered: [`Ts::MAX`] for one that was refused, [`Ts::MIN`] for one whose beginning
    /// is not in the capture.
    pub(super) fn answered(&self) -> Option<Ts> {
        let before = self.has(flag::MIDWAY).then_some(Ts::MIN);
        let refused = (self.refusal != 0).then_some(Ts::MAX);
        self.answer.get().or(before).or(refused)
    }

    /// Whether a BYE was seen.
    pub(super) const fn is_over(&self) -> bool {
        self.has(flag::BYE_CALLER | flag::BYE_CALLEE)
    }

    /// Whether a response to INVITE answers an initial one rather than a re-INVITE; `from` is the
    /// side whose tag From carries.
    pub(super) fn is_initial_response(&self, view: &View<'_>, from: Side) -> bool {
        !view.request
            && view.method == Method::Invite
            && from == Side::Caller
            && !self.has(flag::MIDWAY)
            && (!self.has(flag::INVITED) || self.success == 0 || view.cseq <= self.invite_cseq)
    }

    /// Whether this is a response to the latest attempt of an initial INVITE that was seen.
    pub(super) fn answers_invite(&self, view: &View<'_>, from: Side) -> bool {
        self.has(flag::INVITED)
            && self.is_initial_response(view, from)
            && view.cseq == self.invite_cseq
    }

    /// Whether this is the ACK of the initial INVITE, whose answer may stand in it (RFC 3261 §13.2.1).
    pub(super) fn completes_invite(&self, view: &View<'_>) -> bool {
        let ack = view.request && view.method == Method::Ack;
        ack && self.has(flag::INVITED) && view.cseq == self.invite_cseq
    }

    /// Takes in one message of the call; `from` is the side whose tag From carries.
    pub(super) fn observe(
        &mut self,
        event: &SipEvent<'_>,
        view: &View<'_>,
        from: Side,
        repeated: bool,
        agents: &mut Agents,
    ) -> Change {
        let wire = event.hep.is_none();
        // Copies count only while nothing but copies was seen.
        if wire && !self.has(flag::WIRE) {
            self.messages = 0;
        }
        if wire || !self.has(flag::WIRE) {
            self.messages = self.messages.saturating_add(1);
        }
        self.last = event.at.frame;
        self.transports |= event.transport.bit();
        self.set(flag::CLEAR, self.has(flag::CLEAR) || (wire && !event.encrypted));
        self.set(if wire { flag::WIRE } else { flag::HEP }, true);
        // Of two agents, and of an agent and the capture, the clocks are not the same.
        self.set(flag::CLOCKS, self.has(flag::CLOCKS) || ![0, event.clock()].contains(&self.clock));
        self.observe_agent(view, from, agents);
        if repeated {
            return Change::None;
        }
        match (view.request, view.method) {
            (true, Method::Invite) if view.is_initial_invite() && from == Side::Caller => {
                self.on_invite(event, view)
            }
            (true, Method::Cancel) if from == Side::Caller => self.on_cancel(event),
            (true, Method::Bye) => self.on_bye(event, view, from),
            (false, Method::Bye) => self.on_bye_response(view, from),
            (_, Method::Refer) | (true, Method::Notify) => {
                self.transfers.observe(event, view, from);
                Change::None
            }
            (false, Method::Invite) if self.is_initial_response(view, from) => {
                self.on_response(event, view)
            }
            _ => Change::None,
        }
    }

    /// The initial INVITE: the first one, another hop's copy, or another attempt.
    fn on_invite(&mut self, event: &SipEvent<'_>, view: &View<'_>) -> Change {
        let first_hop = event.src.addr == self.caller_at.addr;
        if !self.has(flag::INVITED) {
            // Responses may have come first in a mis-sorted capture: now the call has its names.
            if self.messages > 1 || self.has(flag::HEP) {
                let callee_tag = self.names.get(text::CALLEE_TAG).to_vec();
                self.names = texts(view).with(text::CALLEE_TAG, &callee_tag);
            }
            self.set(flag::INVITED, true);
            self.set(flag::MIDWAY, false);
            self.clock = event.clock();
            self.start = event.shown(self.clock);
            (self.caller_at, self.callee_at, self.target) = (event.src, event.dst, event.dst);
            self.invite_cseq = view.cseq;
            return Change::None;
        }
        if self.names.get(text::ASSERTED).is_empty() {
            let asserted = asserted(view);
            if !asserted.is_empty() {
                self.names = self.names.with(text::ASSERTED, &asserted);
            }
        }
        // RFC 3261 §22.2 wants a new CSeq number for another attempt; not every client gives one.
        let sloppy = view.cseq == self.invite_cseq
            && (event.src, event.dst) == (self.caller_at, self.target)
            && self.refusal != 0;
        if view.cseq > self.invite_cseq || sloppy {
            self.invite_cseq = view.cseq;
            if first_hop {
                self.target = event.dst;
            }
            return self.on_attempt();
        }
        Change::None
    }

    /// Another attempt of the same call: challenge answered, redirection followed and so on.
    fn on_attempt(&mut self) -> Change {
        if self.has(flag::CHALLENGED) {
            self.challenges = self.challenges.saturating_add(1);
            self.set(flag::CHALLENGED, false);
        }
        for status in [&mut self.refusal, &mut self.refusal_elsewhere] {
            if matches!(*status, 401 | 407) {
                *status = 0;
            }
        }
        self.set(flag::CANCELLED | flag::CANCELLED_ELSEWHERE, false);
        if self.success == 0 && !self.has(flag::RINGING) {
            self.progress = Mark::NONE;
        }
        self.revive()
    }

    fn revive(&mut self) -> Change {
        if self.is_over() {
            return Change::None;
        }
        self.end = Mark::NONE;
        Change::Revived
    }

    fn on_cancel(&mut self, event: &SipEvent<'_>) -> Change {
        if self.success != 0 || self.is_over() {
            return Change::None;
        }
        let here = !self.has(flag::INVITED)
            || (event.src.addr, event.dst) == (self.caller_at.addr, self.target);
        self.set(if here { flag::CANCELLED } else { flag::CANCELLED_ELSEWHERE }, true);
        if !here {
            return Change::None;
        }
        self.end.first(event.shown(self.clock));
        Change::Ended
    }

    fn on_bye(&mut self, event: &SipEvent<'_>, view: &View<'_>, from: Side) -> Change {
        // RFC 3261 §15.1.2: with another tag it ends nothing, whoever wrote it.
        let peer = if from == Side::Caller { view.to_tag } else { view.from_tag };
        let known = self.names.get(text::CALLEE_TAG);
        let stray =
            self.success != 0 && !known.is_empty() && !self.names.is(text::CALLEE_TAG, peer);
        if self.is_over() || stray {
            return Change::None;
        }
        self.set(if from == Side::Caller { flag::BYE_CALLER } else { flag::BYE_CALLEE }, true);
        self.end = Mark(event.shown(self.clock));
        Change::Ended
    }

    /// A refused BYE ends nothing, unless the other side knows no such call or does not answer
    /// (RFC 3261 §15.1.1).
    fn on_bye_response(&mut self, view: &View<'_>, from: Side) -> Change {
        let flag = if from == Side::Caller { flag::BYE_CALLER } else { flag::BYE_CALLEE };
        if view.status < 300 || matches!(view.status, 408 | 481) || !self.has(flag) {
            return Change::None;
        }
        self.set(flag, false);
        self.revive()
    }

    /// A response to the initial INVITE.
    fn on_response(&mut self, event: &SipEvent<'_>, view: &View<'_>) -> Change {
        // Without an answer there is no re-INVITE: this is another attempt, its INVITE not seen.
        if self.has(flag::INVITED) && view.cseq > self.invite_cseq {
            self.invite_cseq = view.cseq;
            let _revived = self.on_attempt();
        }
        if view.is_success() {
            return self.on_success(event, view);
        }
        if self.success != 0 || (self.has(flag::INVITED) && view.cseq < self.invite_cseq) {
            return Change::None;
        }
        match view.status {
            0..=100 => return Change::None,
            101..200 => {
                self.set(flag::RINGING, true);
                if (180..190).contains(&view.status) {
                    self.progress.first(event.shown(self.clock));
                }
                if view.status == 180 {
                    self.ringing.first(event.shown(self.clock));
                }
                // Ringing again after a refusal: the next branch of a serial fork.
                return if self.deadline == Ts::MAX || self.has(flag::CANCELLED) {
                    Change::None
                } else {
                    self.revive()
                };
            }
            _ => {}
        }
        let here = !self.has(flag::INVITED)
            || (event.dst.addr, event.src) == (self.caller_at.addr, self.target);
        self.progress.first(event.shown(self.clock));
        self.refusal_elsewhere = view.status;
        if matches!(view.status, 401 | 407) {
            self.set(flag::CHALLENGED, true);
        }
        if !self.is_over() && (here || self.refusal == 0) {
            self.end = Mark(event.shown(self.clock));
        }
        if !here {
            return Change::None;
        }
        self.refusal = view.status;
        if matches!(view.status, 401 | 407) { Change::Challenged } else { Change::Ended }
    }

    /// A 2xx to the initial INVITE: beats every refusal.
    fn on_success(&mut self, event: &SipEvent<'_>, view: &View<'_>) -> Change {
        if self.success != 0 {
            return Change::None;
        }
        self.success = view.status;
        self.answer.first(event.shown(self.clock));
        self.progress.first(event.shown(self.clock));
        if !view.to_tag.is_empty() && !self.names.is(text::CALLEE_TAG, view.to_tag) {
            self.names.set_last(view.to_tag);
        }
        self.revive()
    }

    /// The user agent of the side that sent this message, as long as it is not known.
    fn observe_agent(&mut self, view: &View<'_>, from: Side, agents: &mut Agents) {
        let sender = if view.request { from } else { opposite(from) };
        let [calling, called] = &mut self.agents;
        let weak = self.flags & flag::WEAK_AGENT != 0;
        let (known, replace) = match sender {
            Side::Caller => (calling, false),
            Side::Callee => (called, weak),
        };
        // 100 and refusals often come from a proxy on the way.
        let refusal = view.status >= 300;
        if view.status == 100 || (known.is_some() && (!replace || refusal)) {
            return;
        }
        let message = &view.message;
        let value = match message.header(HeaderName::UserAgent) {
            None if !view.request => message.header(HeaderName::Server),
            value => value,
        };
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            *known = Some(agents.get(value));
            if sender == Side::Callee {
                self.set(flag::WEAK_AGENT, refusal);
            }
        }
    }
}

/// The other side.
pub(super) const fn opposite(side: Side) -> Side {
    match side {
        Side::Caller => Side::Callee,
        Side::Callee => Side::Caller,
    }
}
