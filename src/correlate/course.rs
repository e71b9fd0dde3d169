//! What happens to the media of an established call: hold and resume (RFC 3264 §8.4, and the null
//! address of RFC 2543 §B.5), and addresses that move (RFC 3264 §8.3.1). Only what renegotiates
//! is looked at; nearly no call has any of it.

use super::outbox::Aside;
use crate::model::evidence::FrameRef;
use crate::model::frame::FrameId;
use crate::model::record::{Hold, Moved, Side};

/// Holds, and moves, kept of one call.
const KEPT: usize = 16;

/// The holds and moves of one call.
#[derive(Default)]
pub(super) struct Course {
    holds: Vec<Hold>,
    moves: Vec<Moved>,
    /// Hash of the address that moved last.
    moved_to: u64,
    /// Pictures have taken the place of the audio.
    pictures: bool,
}

impl Course {
    /// Octets held.
    pub(super) fn weight(&self) -> usize {
        let holds = self.holds.len().saturating_mul(size_of::<Hold>());
        holds.saturating_add(self.moves.len().saturating_mul(size_of::<Moved>()))
    }

    /// An offer within the established call: does its sender want media? Says whether audio pauses with
    /// it, or resumes.
    pub(super) fn offered(&mut self, by: Side, held: bool, at: FrameRef) -> Option<Aside> {
        let before = self.pauses();
        self.note(by, held, at);
        self.change(before)
    }

    /// Whether an answer has let pictures take the place of the audio.
    pub(super) const fn shows_pictures(&self) -> bool {
        self.pictures
    }

    /// An answer accepts T.38 and no audio, or within the established call audio again; and its sender wants
    /// media, or none: where the offer left it the choice (RFC 3264 §6.1), as with an INVITE without an
    /// offer, the answer holds and resumes. As above.
    pub(super) fn answered(
        &mut self,
        by: Side,
        (held, pictures): (bool, bool),
        at: FrameRef,
    ) -> Option<Aside> {
        let before = self.pauses();
        self.pictures = pictures;
        let forced = self.holds.iter().any(|hold| hold.by != by && hold.until.is_none());
        if !(held && forced) {
            self.note(by, held, at);
        }
        self.change(before)
    }

    /// Whether less audio is to flow now than a call has at first.
    fn pauses(&self) -> bool {
        self.pictures || self.holds.iter().any(|hold| hold.until.is_none())
    }

    fn change(&self, before: bool) -> Option<Aside> {
        match (before, self.pauses()) {
            (false, true) => Some(Aside::Pauses { held: !self.pictures }),
            (true, false) => Some(Aside::Resumes),
            _ => None,
        }
    }

    fn note(&mut self, by: Side, held: bool, at: FrameRef) {
        let room = self.holds.len() < KEPT;
        let open = self.holds.iter_mut().find(|hold| hold.by == by && hold.until.is_none());
        match open {
            Some(hold) if !held => (hold.until, hold.end) = (Some(at.frame), Some(at.time)),
            None if held && room => {
                let (frame, start) = (at.frame, at.time);
                self.holds.push(Hold { by, frame, until: None, start, end: None });
            }
            Some(_) | None => {}
        }
    }

    /// An m-line's address is another than before; `to` is a hash of it, so that what two hops show is
    /// told once.
    pub(super) fn moved(&mut self, by: Side, frame: FrameId, to: u64) {
        if self.moved_to != to && self.moves.len() < KEPT {
            self.moved_to = to;
            self.moves.push(Moved { by, frame });
        }
    }

    /// For the call's record.
    pub(super) fn record(&self) -> (Vec<Hold>, Vec<Moved>) {
        (self.holds.clone(), self.moves.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Ts;

    /// One frame a second.
    fn at(number: u32) -> FrameRef {
        let time = Ts::from_nanos(i64::from(number) * 1_000_000_000);
        FrameRef { frame: FrameId { source: 0, number: number.into() }, time }
    }

    fn hold(by: Side, from: u32, to: Option<u32>) -> Hold {
        let (FrameRef { frame, time }, until) = (at(from), to.map(at));
        Hold {
            by,
            frame,
            until: until.map(|at| at.frame),
            start: time,
            end: until.map(|at| at.time),
        }
    }

    #[test]
    fn each_side_holds_for_itself_and_what_a_second_hop_shows_is_the_same_hold() {
        let mut course = Course::default();
        course.offered(Side::Caller, true, at(1));
        course.offered(Side::Caller, true, at(2));
        course.offered(Side::Callee, true, at(3));
        course.offered(Side::Caller, false, at(4));
        course.offered(Side::Caller, false, at(5));
        let (holds, _) = course.record();
        assert_eq!(holds, [hold(Side::Caller, 1, Some(4)), hold(Side::Callee, 3, None)]);
    }

    #[test]
    fn an_answer_holds_where_the_offer_does_not() {
        let mut course = Course::default();
        let (wants, held) = ((false, false), (true, false));
        // The caller holds by the answer to an offer that it asked for, and resumes so.
        course.offered(Side::Callee, false, at(1));
        assert!(course.answered(Side::Caller, held, at(2)).is_some());
        course.offered(Side::Callee, false, at(3));
        assert!(course.answered(Side::Caller, wants, at(4)).is_some());
        // The callee holds; what the caller must answer to that is no hold of its own.
        course.offered(Side::Callee, true, at(5));
        assert!(course.answered(Side::Caller, held, at(6)).is_none());
        let (holds, _) = course.record();
        assert_eq!(holds, [hold(Side::Caller, 2, Some(4)), hold(Side::Callee, 5, None)]);
    }

    #[test]
    fn holds_and_moves_are_bounded() {
        let mut course = Course::default();
        for number in 0..100 {
            course.offered(Side::Caller, number % 2 == 0, at(number));
            course.moved(Side::Caller, at(number).frame, u64::from(number) + 1);
        }
        let (holds, moves) = course.record();
        assert_eq!((holds.len(), moves.len()), (KEPT, KEPT));
    }
}
