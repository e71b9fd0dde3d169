//! What signalling says of announcements, put into the tables a few at a time. Each change needs several
//! cache lines of tables that are larger than any cache, and those of one change do not depend on those of
//! another: a core can wait for all at once. The changes are made in the order in which they came, and
//! before anything is looked up.

use super::{
    CANDIDATE, Entry, HAS_SSRC, LIVE, MLINE, MediaBinder, NONE, hash_of_endpoint, life, widen,
};
use crate::correlate::outbox::{Announcement, Aside};
use crate::model::addr::stable_hash;
use crate::model::fact::length;
use crate::model::id::{RecordId, RecordKey};
use crate::model::record::Side;
use crate::model::time::Ts;

/// Changes that are made together: about as many cache misses as a core has in flight. Where they stand in
/// the indices is asked for as soon as they are known.
const TOGETHER: usize = 16;

/// A change that has not been made yet, and by what its places are found.
#[derive(Debug)]
pub(super) struct Waiting {
    of_call: u64,
    of_endpoint: Option<u64>,
    change: Change,
}

/// What is to change.
#[derive(Debug)]
enum Change {
    Announced(Entry),
    /// A call, and another one that the same INVITE made.
    Forked(RecordId, RecordKey),
    Answered(RecordId, Ts),
    /// With the end of the dialog, and the watermark when that was known.
    Ended(RecordId, Ts, Ts),
}

impl MediaBinder {
    /// Notes an announcement.
    pub fn announce(&mut self, announcement: &Announcement) {
        let entry = Entry::new(announcement);
        let of_endpoint = Some(hash_of_endpoint(entry.endpoint));
        self.wait(entry.call, of_endpoint, Change::Announced(entry));
    }

    /// The INVITE of a call has made another one: what the caller announced holds for both.
    pub fn fork(&mut self, call: RecordKey, fork: RecordKey) {
        self.wait(fork.id, None, Change::Forked(call.id, fork));
    }

    /// The call was answered, or refused ([`Ts::MAX`]): what began before is early media.
    pub fn answer(&mut self, call: RecordKey, answered: Ts) {
        self.wait(call.id, None, Change::Answered(call.id, answered));
    }

    /// The call's dialog ended: what it announced holds a little longer, then is forgotten.
    pub fn release(&mut self, call: RecordKey, end: Ts, watermark: Ts) {
        self.wait(call.id, None, Change::Ended(call.id, end, watermark));
    }

    /// Notes what a call that has announced something says of its media as a whole.
    pub fn aside(&mut self, call: RecordKey, at: Ts, aside: Aside) {
        self.settle();
        if self.newest_of_call(call.id).is_some() {
            self.asides.note(call.id, at, aside);
        }
    }

    /// Notes that sockets that a call announced carried T.38 between these times, which no description said.
    pub fn pictures(&mut self, call: RecordKey, from: Ts, until: Ts) {
        self.settle();
        if self.newest_of_call(call.id).is_some() {
            self.asides.pictures(call.id, from, until);
        }
    }

    /// Makes the changes that wait; to be called before anything is looked up here.
    pub fn settle(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        self.look_at(waiting.iter().map(|one| (one.of_call, one.of_endpoint)));
        for Waiting { of_call, of_endpoint, change } in waiting.drain(..) {
            match change {
                Change::Announced(entry) => {
                    self.place_entry(entry, of_call, of_endpoint.unwrap_or_default());
                }
                Change::Forked(call, fork) => self.copy_caller(call, fork, of_call),
                Change::Answered(call, answered) => self.set_answered(call, answered),
                Change::Ended(call, end, watermark) => self.set_ended(call, end, watermark),
            }
        }
        self.waiting = waiting;
    }

    /// Whether the end of a call waits.
    pub(super) fn is_ending_waiting(&self) -> bool {
        self.waiting.iter().any(|one| matches!(one.change, Change::Ended(..)))
    }

    /// Reads a little of what the next calls to be forgotten have; of how many.
    pub(super) fn look_at_leaving(&self) -> usize {
        let next = self.leaving.iter().take(TOGETHER).map(|(_, call)| (stable_hash(call), None));
        next.clone().for_each(|(of_call, _)| self.fetch_indices(of_call, None));
        self.look_at(next);
        self.leaving.len().min(TOGETHER)
    }

    fn wait(&mut self, call: RecordId, of_endpoint: Option<u64>, change: Change) {
        let of_call = stable_hash(&call);
        self.fetch_indices(of_call, of_endpoint);
        self.waiting.push(Waiting { of_call, of_endpoint, change });
        if self.waiting.len() >= TOGETHER {
            self.settle();
        }
    }

    /// Asks for where a call and an address stand in the indices.
    fn fetch_indices(&self, of_call: u64, of_endpoint: Option<u64>) {
        self.by_call.fetch(of_call);
        if let Some(hash) = of_endpoint {
            self.by_endpoint.fetch(hash);
        }
    }

    /// Asks for what up to [`TOGETHER`] calls and addresses have here: entries, then what those lead to.
    fn look_at(&self, places: impl Iterator<Item = (u64, Option<u64>)>) {
        let mut found = [NONE; TOGETHER];
        for (found, (of_call, of_endpoint)) in found.iter_mut().zip(places) {
            if let Some(hash) = of_endpoint {
                self.fetch(hash);
            }
            *found = self.by_call.find(of_call, |_| true).unwrap_or(NONE);
            self.fetch_entry(*found);
        }
        for entry in found.iter().filter_map(|slot| self.entries.get(widen(*slot))) {
            self.by_endpoint.fetch(hash_of_endpoint(entry.endpoint));
            self.fetch_entry(entry.next_of_call);
        }
    }

    /// Announces for a fork what the caller had announced for the call. The call itself stays the nearer
    /// one for media that fits both, and the one that an SSRC leads to.
    fn copy_caller(&mut self, call: RecordId, fork: RecordKey, of_fork: u64) {
        self.asides.fork(call, fork.id);
        let newest = self.newest_of_call(call).and_then(|slot| self.entries.get(widen(slot)));
        let told = newest.into_iter().flat_map(|newest| self.ring(newest));
        let copies: Vec<Entry> = told
            .filter(|entry| entry.side == Side::Caller)
            .map(|entry| entry.of_fork(fork))
            .collect();
        for copy in copies {
            let of_endpoint = hash_of_endpoint(copy.endpoint);
            self.place_entry(copy, of_fork, of_endpoint);
        }
    }

    /// Puts an announcement into all tables.
    fn place_entry(&mut self, entry: Entry, of_call: u64, of_endpoint: u64) {
        if self.live >= self.cap {
            self.evict_oldest();
        }
        let (endpoint, call, ssrc, ordinal) =
            (entry.endpoint, entry.call, entry.ssrc(), entry.ordinal);
        let slot = self.put(entry);
        self.live += 1;
        self.arrival.push_back((slot, ordinal));
        let entries = &self.entries;
        let at = |slot: u32| entries.get(widen(slot));
        let same = |slot: u32| at(slot).is_some_and(|entry| entry.endpoint == endpoint);
        let next = self.by_endpoint.put(of_endpoint, slot, same);
        let same = |slot: u32| at(slot).is_some_and(|entry| entry.call == call);
        let newest = self.by_call.put(of_call, slot, same);
        if let Some(ssrc) = ssrc {
            let same = |slot: u32| at(slot).is_some_and(|entry| entry.ssrc() == Some(ssrc));
            let _newest = self.by_ssrc.put(stable_hash(&ssrc), slot, same);
        }
        if let Some(next) = next.and_then(|next| self.entries.get_mut(widen(next))) {
            next.before_at_endpoint = slot;
        }
        let newest = newest.and_then(|newest| self.entries.get_mut(widen(newest)));
        let oldest =
            newest.map_or(slot, |newest| std::mem::replace(&mut newest.next_of_call, slot));
        if let Some(entry) = self.entries.get_mut(widen(slot)) {
            entry.next_at_endpoint = next.unwrap_or(NONE);
            entry.next_of_call = oldest;
        }
    }

    fn put(&mut self, entry: Entry) -> u32 {
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.entries.get_mut(widen(slot))
        {
            *place = entry;
            return slot;
        }
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact((self.entries.len() / 4).max(64));
        }
        self.entries.push(entry);
        length(self.entries.len() - 1)
    }
}

impl Entry {
    /// The same announcement as one of a further call of its INVITE, in no chain yet.
    fn of_fork(&self, fork: RecordKey) -> Self {
        Self {
            media: std::sync::Arc::clone(&self.media),
            call: fork.id,
            frame: fork.first.number,
            source: fork.first.source,
            ordinal: self.ordinal.saturating_sub(1),
            until: Ts::MAX,
            next_at_endpoint: NONE,
            before_at_endpoint: NONE,
            next_of_call: NONE,
            place: self.place & !HAS_SSRC | LIVE,
            ..*self
        }
    }

    /// An announcement that is in no chain yet.
    fn new(announcement: &Announcement) -> Self {
        let ssrc = announcement.ssrcs.first().copied();
        let call = announcement.call;
        let mut entry = Self {
            at: announcement.at.time,
            until: Ts::MAX,
            ordinal: announcement.ordinal,
            media: std::sync::Arc::clone(&announcement.media),
            call: call.id,
            frame: call.first.number,
            source: call.first.source,
            endpoint: announcement.endpoint,
            ssrc: ssrc.unwrap_or_default(),
            next_at_endpoint: NONE,
            before_at_endpoint: NONE,
            next_of_call: NONE,
            answered: life::NOT_YET,
            side: announcement.side,
            place: announcement.mline & MLINE
                | if announcement.candidate { CANDIDATE } else { 0 }
                | if ssrc.is_some() { HAS_SSRC } else { 0 }
                | LIVE,
        };
        if let Some(answered) = announcement.answered {
            entry.answer(answered);
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::addr::{Addr, Endpoint};
    use crate::model::evidence::FrameRef;
    use crate::model::frame::FrameId;
    use crate::model::id::Kind;
    use crate::model::record::Side;
    use crate::policy::Limits;

    fn call(number: u64) -> RecordKey {
        let first = FrameId { source: 0, number };
        RecordKey { first, id: RecordId::new(Kind::Call, number << 8) }
    }

    fn second(number: u64) -> Ts {
        Ts::from_nanos(i64::try_from(number).unwrap() * 1_000_000_000)
    }

    fn announcement(number: u64) -> Announcement {
        let port = u16::try_from(number % 7).unwrap();
        Announcement {
            call: call(number / 2),
            at: FrameRef { frame: FrameId { source: 0, number }, time: second(number) },
            ordinal: number,
            watermark: second(number),
            side: if number.is_multiple_of(2) { Side::Caller } else { Side::Callee },
            answer: number % 2 == 1,
            answered: None,
            mline: 0,
            endpoint: Endpoint::new(Addr::v4([192, 0, 2, 1]), 4_000 + port),
            rtcp: None,
            ssrcs: Vec::new(),
            zrtp: Vec::new(),
            candidate: false,
            media: Arc::default(),
        }
    }

    #[test]
    fn changes_that_wait_come_to_the_same_as_changes_made_at_once() {
        let new = || MediaBinder::new(&Limits { announcements: 30, ..Limits::default() });
        let (mut together, mut at_once) = (new(), new());
        let shown = |binder: &MediaBinder| format!("{:?} {:?}", binder.entries, binder.leaving);
        for number in 0..100 {
            for binder in [&mut together, &mut at_once] {
                binder.advance(second(number * 3));
                binder.announce(&announcement(number));
                binder.answer(call(number / 3), second(number));
                if number % 3 == 0 {
                    binder.release(call(number / 2), second(number), second(number * 3));
                }
            }
            at_once.settle();
        }
        together.settle();
        assert_eq!(shown(&together), shown(&at_once));
        assert_eq!((together.live, together.evicted), (at_once.live, at_once.evicted));
        assert!(together.evicted > 0);
        for binder in [&mut together, &mut at_once] {
            binder.release(call(49), second(100), second(300));
            binder.advance(second(9_999));
        }
        assert_eq!((shown(&together), together.live), (shown(&at_once), at_once.live));
    }
}
