//! What happens to the media of an established call: hold and resume (RFC 3264 §8.4, and the null
//! address of RFC 2543 §B.5), and addresses that move (RFC 3264 §8.3.1). Only what renegotiates
//! is looked at; nearly no call has any of it.

use super::outbox::Aside;
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
    pub(super) fn offered(&mut self, by: Side, held: bool, frame: FrameId) -> Option<Aside> {
        let before = self.pauses();
        self.note_offer(by, held, frame);
        self.change(before)
    }

    /// An answer within the established call accepts T.38 and no audio, or audio again. As above.
    pub(super) fn answered(&mut self, pictures: bool) -> Option<Aside> {
        let before = self.pauses();
        self.pictures = pictures;
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

    fn note_offer(&mut self, by: Side, held: bool, frame: FrameId) {
        let room = self.holds.len() < KEPT;
        let open = self.holds.iter_mut().find(|hold| hold.by == by && hold.until.is_none());
        match open {
            Some(hold) if !held => hold.until = Some(frame),
            None if held && room => self.holds.push(Hold { by, frame, until: None }),
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

    fn frame(number: u64) -> FrameId {
        FrameId { source: 0, number }
    }

    #[test]
    fn each_side_holds_for_itself_and_what_a_second_hop_shows_is_the_same_hold() {
        let mut course = Course::default();
        course.offered(Side::Caller, true, frame(1));
        course.offered(Side::Caller, true, frame(2));
        course.offered(Side::Callee, true, frame(3));
        course.offered(Side::Caller, false, frame(4));
        course.offered(Side::Caller, false, frame(5));
        let (holds, _) = course.record();
        assert_eq!(
            holds,
            [
                Hold { by: Side::Caller, frame: frame(1), until: Some(frame(4)) },
                Hold { by: Side::Callee, frame: frame(3), until: None },
            ]
        );
    }

    #[test]
    fn holds_and_moves_are_bounded() {
        let mut course = Course::default();
        for number in 0..100 {
            course.offered(Side::Caller, number % 2 == 0, frame(number));
            course.moved(Side::Caller, frame(number), number + 1);
        }
        let (holds, moves) = course.record();
        assert_eq!((holds.len(), moves.len()), (KEPT, KEPT));
    }
}
