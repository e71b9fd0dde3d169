//! Which call a message belongs to (RFC 3261 §12), and how long a call is kept. Calls are found by
//! Call-ID and the caller's tag, the dialogs of a forked INVITE among them by the callee's tag.
//! What a message means for its call is decided in `call`.

use overhear_parsers::sip::Method;
use std::collections::VecDeque;

use super::call::{Call, Change, flag, opposite};
use super::call_text::text;
use super::event::SipEvent;
use super::exchange::WATCH;
use super::finished::Finished;
use super::index::Index;
use super::intern::{Agents, Descriptions};
use super::offer_answer::Speaker;
use super::outbox::Outbox;
use super::placement::{Completed, Placement};
use super::slots::Slots;
use super::timers::{Place, Timers};
use super::view::View;
use crate::model::evidence::FrameRef;
use crate::model::fact::SipNames;
use crate::model::id::RecordKey;
use crate::model::record::Side;
use crate::model::time::{Span, Ts};
use crate::policy::Limits;

/// The end of a chain of forks.
const END: u32 = u32::MAX;
/// Octets that a call may hold outside the table, on average; one of 200 octets of names and two
/// media descriptions is usual.
const OCTETS: usize = 384;
/// Calls that are looked at together before they are finished.
const TOGETHER: usize = 16;
/// Calls kept of one INVITE: To tags that got a 2xx.
const MAX_FORKS: usize = 16;

/// The live calls.
pub(super) struct Calls {
    live: Slots<Call>,
    /// At the end of the capture: what is still to be finished, the last first.
    leaving: Vec<(RecordKey, u32)>,
    /// The first of each chain of forks, by the hash of Call-ID and caller's tag.
    index: Index,
    /// By the stamp of the last message: who is evicted, and who has been silent for too long.
    by_use: Timers,
    /// No call has been silent for too long before this.
    next_idle: Ts,
    /// Calls that are over, by deadline.
    lingering: VecDeque<(Ts, Place)>,
    /// Calls that were challenged, by deadline.
    challenged: VecDeque<(Ts, Place)>,
    /// How many of the first of `lingering` have been looked at ahead.
    looked_at: usize,
    finished: Finished,
    agents: Agents,
    descriptions: Descriptions,
    /// Until then plain offers are followed too.
    watch_until: Ts,
    stamp: i64,
    evicted: u64,
    /// Octets that the calls hold outside the table.
    octets: usize,
    cap: usize,
    linger: Span,
    challenge_wait: Span,
    idle: Span,
}

/// A message's call, and the side whose tag its From carries.
type Found = (u32, Side);

impl Calls {
    /// An empty table.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            live: Slots::default(),
            leaving: Vec::new(),
            index: Index::default(),
            by_use: Timers::default(),
            next_idle: Ts::MIN,
            lingering: VecDeque::new(),
            challenged: VecDeque::new(),
            looked_at: 0,
            finished: Finished::new(limits.calls / 8),
            agents: Agents::default(),
            descriptions: Descriptions::default(),
            watch_until: Ts::MIN,
            stamp: 0,
            evicted: 0,
            octets: 0,
            cap: limits.calls.max(1),
            linger: limits.call_linger,
            challenge_wait: limits.challenge_wait,
            idle: limits.call_idle,
        }
    }

    /// Calls finished because the table was full.
    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Takes in a message that is no REGISTER, and fills in where it belongs.
    pub(super) fn see(
        &mut self,
        event: &SipEvent<'_>,
        view: &View<'_>,
        placement: &mut Placement,
        out: &mut Outbox,
    ) {
        if !view.may_belong_to_call() {
            return;
        }
        self.stamp = self.stamp.saturating_add(1);
        let found =
            self.find(view).or_else(|| self.begin(event, view, placement.retransmission, out));
        let Some((slot, from)) = found else { return };
        let slot = if view.is_success() {
            self.fork(slot, from, event, view, out).unwrap_or(slot)
        } else {
            slot
        };
        let stamp = self.stamp;
        let Some(call) = self.live.get_mut(slot) else { return };
        let repeated = placement.retransmission;
        let (before, unsettled) = (call.weight(), call.answered());
        let established = call.success != 0 && !call.completes_invite(view);
        let change = call.observe(event, view, from, repeated, &mut self.agents);
        (call.touched, call.touched_at) = (stamp, event.watermark);
        let side = if view.request { from } else { opposite(from) };
        let body = if view.message.body().is_empty() { None } else { view.message.sdp() };
        let role = call.negotiation.role(view, from, body.is_some());
        let speaker =
            Speaker { call: call.key, side, role, established, answered: call.answered() };
        let watched = event.watermark < self.watch_until;
        let around = (&mut self.descriptions, &mut *out, watched);
        if !repeated && call.negotiation.hear(event, view, &speaker, body, around) {
            self.watch_until = event.watermark.plus(WATCH);
        }
        if let Some(answered) = call.answered().filter(|at| unsettled != Some(*at)) {
            out.answered.push((call.key, answered));
        }
        placement.call = Some(call.key);
        placement.side = Some(side);
        placement.sdp = role;
        // A phone may ring for longer than transactions are remembered.
        if placement.completed.is_none() && call.answers_invite(view, from) {
            let request = FrameRef { frame: call.key.first, time: call.start };
            placement.completed = Some(Completed { request });
        }
        self.octets = self.octets.saturating_sub(before).saturating_add(call.weight());
        self.apply(slot, change, event.watermark);
    }

    /// Finishes the calls whose time has come, in the order of their deadlines.
    ///
    /// Stops when the outbox is full and says so: it must be drained before the rest.
    pub(super) fn advance(&mut self, watermark: Ts, out: &mut Outbox) -> bool {
        loop {
            if out.is_full() {
                return true;
            }
            if self.is_quiet(watermark) {
                return false;
            }
            let lingering = self.next_lingering().filter(|(at, _)| *at <= watermark);
            let idle = self.next_idle(lingering.map_or(watermark, |(at, _)| at.min(watermark)));
            let (at, place) = match (lingering, idle) {
                (Some(lingering), Some(idle)) => lingering.min(idle),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => return false,
            };
            if self.looked_at == 0 {
                self.looked_at = self.look_at_lingering();
            }
            self.looked_at = self.looked_at.saturating_sub(1);
            self.close(place.slot, at, out);
        }
    }

    /// Asks for what the next calls whose time comes need; of how many.
    fn look_at_lingering(&self) -> usize {
        let next = || self.lingering.iter().take(TOGETHER).map(|(_, place)| place);
        next().for_each(|place| self.live.fetch(place.slot));
        for call in next().filter_map(|place| self.live.at(*place)) {
            call.fetch();
            self.index.fetch(call.hash);
        }
        TOGETHER
    }

    /// Finishes every call, in the order of the report; `true` while there are more, once the
    /// outbox is drained.
    pub(super) fn finish(&mut self, out: &mut Outbox) -> bool {
        if self.leaving.is_empty() {
            self.leaving = self.live.iter().map(|(slot, call)| (call.key, slot)).collect();
            self.leaving.sort_unstable_by(|a, b| b.cmp(a));
        }
        while let Some((_, slot)) = self.leaving.pop() {
            if let Some(mut call) = self.live.take(slot) {
                out.exchanges.extend(call.negotiation.leave(call.key));
                out.released.push((call.key, call.end.get().unwrap_or(Ts::MAX)));
                out.calls.push(call.into_record());
            }
            if out.is_full() && !self.leaving.is_empty() {
                return true;
            }
        }
        self.octets = 0;
        self.index.clear();
        self.by_use = Timers::default();
        self.lingering.clear();
        self.challenged.clear();
        false
    }

    /// Asks for where the call of a message is looked for.
    pub(super) fn fetch_index(&self, names: &SipNames) {
        self.index.fetch(names.from);
        self.index.fetch(names.to);
    }

    /// The slot where that call probably stands; asks for its beginning.
    pub(super) fn approach(&self, names: &SipNames) -> Option<u32> {
        let from = self.index.find(names.from, |_| true);
        let slot = from.or_else(|| self.index.find(names.to, |_| true))?;
        self.live.fetch(slot);
        Some(slot)
    }

    /// Asks for everything that a message may change in a call.
    pub(super) fn fetch(&self, slot: u32) {
        if let Some(call) = self.live.get(slot) {
            call.fetch();
        }
    }

    fn find(&self, view: &View<'_>) -> Option<Found> {
        let forward = || {
            let head = self.head(view.from_hash, view.call_id, view.from_tag)?;
            Some((self.pick(head, view.to_tag)?, Side::Caller))
        };
        let backward = || {
            let head = self.head(view.to_hash, view.call_id, view.to_tag)?;
            Some((self.pick(head, view.from_tag)?, Side::Callee))
        };
        forward().or_else(backward)
    }

    /// The first call of this Call-ID and caller's tag.
    fn head(&self, hash: u64, call_id: &[u8], tag: &[u8]) -> Option<u32> {
        let is = |slot: u32| {
            self.live.get(slot).is_some_and(|call| {
                call.hash == hash
                    && call.names.is(text::CALLER_TAG, tag)
                    && call.names.is(text::CALL_ID, call_id)
            })
        };
        self.index.find(hash, is)
    }

    /// The fork that has this tag at the other end, else the first call of the INVITE.
    fn pick(&self, head: u32, tag: &[u8]) -> Option<u32> {
        let first = self.live.get(head)?;
        // Nearly always the only one.
        if first.next_fork == END && !first.has(flag::FORK) {
            return Some(head);
        }
        let known = self.chain(head).find(|&slot| {
            self.live.get(slot).is_some_and(|call| call.names.is(text::CALLEE_TAG, tag))
        });
        known.or_else(|| (tag.is_empty() || !first.has(flag::FORK)).then_some(head))
    }

    /// The calls of one INVITE.
    fn chain(&self, head: u32) -> impl Iterator<Item = u32> {
        let next = |slot: &u32| self.live.get(*slot).map(|call| call.next_fork);
        std::iter::successors(Some(head), move |slot| next(slot).filter(|&next| next != END))
            .take(MAX_FORKS)
    }

    /// Begins a call with this message, if one may begin with it.
    fn begin(
        &mut self,
        event: &SipEvent<'_>,
        view: &View<'_>,
        repeated: bool,
        out: &mut Outbox,
    ) -> Option<Found> {
        if view.method != Method::Invite {
            return None;
        }
        let hash = view.from_hash;
        let anew = view.is_initial_invite() && !repeated;
        let known = || self.finished.has(hash) || self.finished.has(view.to_hash);
        if !anew && known() {
            return None;
        }
        let slot = self.insert(Call::new(hash, event, view), event.watermark, out)?;
        Some((slot, Side::Caller))
    }

    /// The further call that a 2xx with another To tag makes, if it does.
    fn fork(
        &mut self,
        slot: u32,
        from: Side,
        event: &SipEvent<'_>,
        view: &View<'_>,
        out: &mut Outbox,
    ) -> Option<u32> {
        let call = self.live.get(slot).filter(|_| !view.to_tag.is_empty())?;
        let other = call.success != 0 && !call.names.is(text::CALLEE_TAG, view.to_tag);
        if !other || !call.is_initial_response(view, from) {
            return None;
        }
        let head = self.head(call.hash, view.call_id, view.from_tag)?;
        if self.chain(head).count() >= MAX_FORKS {
            return None;
        }
        let fork = call.fork(event, view);
        let keys = (call.key, fork.key);
        let slot = self.insert(fork, event.watermark, out)?;
        out.forks.push(keys);
        Some(slot)
    }

    /// Puts a call into the table, evicting the one that has been silent for longest if it is full.
    fn insert(&mut self, mut call: Call, watermark: Ts, out: &mut Outbox) -> Option<u32> {
        while self.live.len() >= self.cap || self.octets >= self.cap.saturating_mul(OCTETS) {
            let live = &self.live;
            let oldest = self.by_use.first(i64::MAX, |place| Some(live.at(place)?.touched));
            let Some((_, place)) = oldest else { break };
            self.evicted = self.evicted.saturating_add(1);
            self.close(place.slot, watermark, out);
        }
        (call.touched, call.touched_at) = (self.stamp, watermark);
        let hash = call.hash;
        let last = self
            .head(hash, call.names.get(text::CALL_ID), call.names.get(text::CALLER_TAG))
            .and_then(|head| self.chain(head).last());
        let weight = call.weight();
        let place = self.live.add(call)?;
        self.octets = self.octets.saturating_add(weight);
        self.by_use.add(self.stamp, place);
        if let Some(last) = last.and_then(|last| self.live.get_mut(last)) {
            last.next_fork = place.slot;
        } else {
            self.index.add(hash, place.slot);
        }
        Some(place.slot)
    }

    /// Sets or clears the deadline of a call.
    fn apply(&mut self, slot: u32, change: Change, watermark: Ts) {
        let Some(place) = self.live.place(slot) else { return };
        let Some(call) = self.live.get_mut(slot) else { return };
        match change {
            Change::Revived => call.deadline = Ts::MAX,
            Change::Ended if call.deadline == Ts::MAX => {
                call.deadline = watermark.plus(self.linger);
                self.lingering.push_back((call.deadline, place));
            }
            Change::Challenged if call.deadline == Ts::MAX => {
                call.deadline = watermark.plus(self.challenge_wait);
                self.challenged.push_back((call.deadline, place));
            }
            Change::None | Change::Ended | Change::Challenged => {}
        }
    }

    /// Whether no deadline can have come: both queues are in order, stale entries and all. Asked
    /// for every message, it looks at no call.
    fn is_quiet(&self, watermark: Ts) -> bool {
        let later = |queue: &VecDeque<(Ts, Place)>| {
            queue.front().is_none_or(|(deadline, _)| *deadline > watermark)
        };
        watermark < self.next_idle && later(&self.lingering) && later(&self.challenged)
    }

    /// The first deadline of a call that is over.
    fn next_lingering(&mut self) -> Option<(Ts, Place)> {
        let live = &self.live;
        let stale =
            |&(at, place): &(Ts, Place)| live.at(place).is_none_or(|call| call.deadline != at);
        let first = |queue: &mut VecDeque<(Ts, Place)>| {
            while queue.front().is_some_and(stale) {
                queue.pop_front();
            }
            queue.front().copied()
        };
        let (over, challenged) = (first(&mut self.lingering), first(&mut self.challenged));
        over.into_iter().chain(challenged).min()
    }

    /// The call that has been silent for longest, if that was for too long at `limit`.
    fn next_idle(&mut self, limit: Ts) -> Option<(Ts, Place)> {
        if limit < self.next_idle {
            return None;
        }
        let live = &self.live;
        let oldest = self.by_use.first(i64::MAX, |place| Some(live.at(place)?.touched));
        let Some((_, place)) = oldest else {
            // Whoever comes later is at least as young as this.
            self.next_idle = limit.plus(self.idle);
            return None;
        };
        let at = live.at(place)?.touched_at.plus(self.idle);
        self.next_idle = at;
        (at <= limit).then_some((at, place))
    }

    /// Takes a call out of the table and hands on its record.
    fn close(&mut self, slot: u32, now: Ts, out: &mut Outbox) {
        let Some(mut call) = self.take(slot) else { return };
        self.finished.add(call.hash);
        out.exchanges.extend(call.negotiation.leave(call.key));
        out.released.push((call.key, call.end.get().unwrap_or(now)));
        out.calls.push(call.into_record());
        let live = &self.live;
        self.by_use.tidy(live.len(), |place| live.has(place));
    }

    fn take(&mut self, slot: u32) -> Option<Call> {
        let call = self.live.get(slot)?;
        let (hash, next) = (call.hash, Some(call.next_fork).filter(|&next| next != END));
        if !self.index.replace(hash, slot, next) {
            let (call_id, tag) = (call.names.get(text::CALL_ID), call.names.get(text::CALLER_TAG));
            let mut chain =
                self.head(hash, call_id, tag).into_iter().flat_map(|head| self.chain(head));
            let before = chain
                .find(|&before| self.live.get(before).is_some_and(|call| call.next_fork == slot));
            drop(chain);
            if let Some(before) = before.and_then(|before| self.live.get_mut(before)) {
                before.next_fork = next.unwrap_or(END);
            }
        }
        let call = self.live.take(slot)?;
        self.octets = self.octets.saturating_sub(call.weight());
        Some(call)
    }
}
