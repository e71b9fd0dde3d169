//! What happens to all announcements of a call: it is answered, and it ends. Streams that began before
//! the answer are early media (RFC 3960).

use super::{Entry, MediaBinder, widen};
use crate::model::id::RecordId;
use crate::model::stream::StreamEnded;
use crate::model::time::{Span, Ts};

/// The call has not been answered yet, as far as was seen.
pub(super) const NOT_YET: i16 = i16::MIN;
/// The call was refused.
const NEVER: i16 = i16::MAX;

/// Ten milliseconds: an answer and the media behind it may overtake each other by as much. Five
/// minutes fit.
const UNIT: i64 = 10_000_000;

impl MediaBinder {
    /// Notes when a call was answered in all that it announced.
    pub(super) fn set_answered(&mut self, call: RecordId, answered: Ts) {
        let _any = self.each_of_call(call, |entry| entry.answer(answered));
    }

    /// Notes until when all that a call announced holds, and when it is forgotten.
    pub(super) fn set_ended(&mut self, call: RecordId, end: Ts, watermark: Ts) {
        let until = end.plus(self.linger);
        if !self.each_of_call(call, |entry| entry.until = until) {
            return;
        }
        // What was evicted since leaves its place here; a burst of calls must not fill memory so.
        if self.leaving.len() > self.live.saturating_mul(2).saturating_add(1_024) {
            let mut leaving = std::mem::take(&mut self.leaving);
            leaving.retain(|(_, call)| self.newest_of_call(*call).is_some());
            self.leaving = leaving;
        }
        self.leaving.push_back((end.min(watermark).plus(self.forget), call));
    }

    /// Forgets what is due at `watermark`.
    pub fn advance(&mut self, watermark: Ts) {
        match self.leaving.front() {
            Some((due, _)) if *due > watermark => return,
            None if !self.is_ending_waiting() => return,
            _ => self.settle(),
        }
        while let Some((due, call)) = self.leaving.front().copied() {
            if due > watermark {
                return;
            }
            if self.looked_at == 0 {
                self.looked_at = self.look_at_leaving();
            }
            self.looked_at = self.looked_at.saturating_sub(1);
            self.leaving.pop_front();
            self.forget_call(call);
        }
    }

    /// Whether the call has announced anything; if so, for each of its entries.
    fn each_of_call(&mut self, call: RecordId, mut change: impl FnMut(&mut Entry)) -> bool {
        let newest = self.newest_of_call(call);
        let Some(mut slot) = newest else { return false };
        while let Some(entry) = self.entries.get_mut(widen(slot)) {
            change(entry);
            slot = entry.next_of_call;
            if Some(slot) == newest {
                break;
            }
        }
        true
    }
}

impl Entry {
    /// Notes when the call of this announcement was answered.
    pub(super) fn answer(&mut self, answered: Ts) {
        let units = answered.since(self.at).nanos().div_euclid(UNIT);
        let within = units.clamp((NOT_YET + 1).into(), (NEVER - 1).into());
        let within = i16::try_from(within).unwrap_or(NOT_YET);
        self.answered = if answered == Ts::MAX { NEVER } else { within };
    }

    /// Whether the stream began before the call was answered; not where no response was seen.
    pub(super) fn is_early(&self, stream: &StreamEnded) -> bool {
        match self.answered {
            NOT_YET => false,
            NEVER => true,
            units => stream.first < self.after(units),
        }
    }

    /// When the call was answered, if that was seen and lies within what [`UNIT`]s reach.
    pub(super) fn answered(&self) -> Option<Ts> {
        let within = NOT_YET + 1 < self.answered && self.answered < NEVER - 1;
        within.then(|| self.after(self.answered))
    }

    fn after(&self, units: i16) -> Ts {
        self.at.plus(Span::from_nanos(i64::from(units) * UNIT))
    }
}
