//! What few calls say of their media as a whole: times in which less audio is to flow than at first, because
//! a side holds the call (RFC 3264 §8.4) or sends pictures instead (ITU-T T.38 annex D; where no description
//! says so, by what its sockets carried), and that it goes to a recorder (RFC 7866). A stream is held against it when it ends.
//!
//! Which side pauses is not told apart: the side that holds may send music, or nothing.

use hashbrown::HashMap;

use crate::correlate::outbox::Aside;
use crate::model::addr::STABLE;
use crate::model::id::RecordId;
use crate::model::stream::{Hole, StreamEnded};
use crate::model::time::{Span, Ts};

/// Pauses kept of one call.
const KEPT: usize = 16;

/// How much longer than its pause a stream may be that is sent in it.
const SLACK: Span = Span::from_secs(1);

/// What a call says of its media as a whole, as far as it concerns one stream of it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Numbers missing in holes of which most lies in a pause.
    pub lost_in_pauses: u64,
    /// All of the stream lies in one: music on hold.
    pub held: bool,
    /// It goes to a recorder, or comes from there.
    pub recorded: bool,
}

/// By the call. Only calls that announced something are here, and they are forgotten with their announcements.
#[derive(Debug)]
pub(super) struct Asides {
    by_call: HashMap<RecordId, Said, foldhash::quality::FixedState>,
}

/// What one call said.
#[derive(Clone, Debug, Default)]
struct Said {
    pauses: Vec<Pause>,
    recorded: bool,
}

/// A time in which less audio is to flow.
#[derive(Copy, Clone, Debug)]
struct Pause {
    from: Ts,
    /// [`Ts::MAX`] while it lasts.
    until: Ts,
    /// On hold.
    held: bool,
}

impl Default for Asides {
    fn default() -> Self {
        Self { by_call: HashMap::with_hasher(STABLE) }
    }
}

impl Asides {
    /// Notes what a call says.
    pub(super) fn note(&mut self, call: RecordId, at: Ts, aside: Aside) {
        let said = self.by_call.entry(call).or_default();
        match aside {
            Aside::Recorded => said.recorded = true,
            Aside::Pauses { held } if said.pauses.len() < KEPT => {
                said.pauses.push(Pause { from: at, until: Ts::MAX, held });
            }
            Aside::Pauses { .. } => {}
            Aside::Resumes => {
                if let Some(pause) = said.pauses.last_mut() {
                    pause.until = at.min(pause.until);
                }
            }
        }
    }

    /// Notes that sockets of a call carried T.38 between these times. What both directions sent at a time is
    /// one pause.
    pub(super) fn pictures(&mut self, call: RecordId, from: Ts, until: Ts) {
        let said = self.by_call.entry(call).or_default();
        let meets = |pause: &&mut Pause| !pause.held && pause.from <= until && from <= pause.until;
        if let Some(pause) = said.pauses.iter_mut().find(meets) {
            (pause.from, pause.until) = (pause.from.min(from), pause.until.max(until));
        } else if said.pauses.len() < KEPT {
            said.pauses.push(Pause { from, until, held: false });
        }
    }

    /// A further call that the same INVITE made.
    pub(super) fn fork(&mut self, call: RecordId, fork: RecordId) {
        if let Some(said) = self.by_call.get(&call).cloned() {
            self.by_call.insert(fork, said);
        }
    }

    /// Forgets a call.
    pub(super) fn forget(&mut self, call: RecordId) {
        if !self.by_call.is_empty() {
            self.by_call.remove(&call);
        }
    }

    /// What a call says that concerns this stream.
    pub(super) fn of(&self, call: RecordId, stream: &StreamEnded) -> Circumstances {
        if self.by_call.is_empty() {
            return Circumstances::default();
        }
        let Some(said) = self.by_call.get(&call) else { return Circumstances::default() };
        let holes = stream.holes.iter().flat_map(|holes| holes.iter());
        let within = |pause: &Pause| {
            let inside =
                pause.from.minus(SLACK) <= stream.first && stream.last <= pause.until.plus(SLACK);
            pause.held && inside
        };
        Circumstances {
            lost_in_pauses: holes
                .filter(|hole| said.explain(hole))
                .map(|hole| u64::from(hole.missing))
                .sum(),
            held: said.pauses.iter().any(within),
            recorded: said.recorded,
        }
    }
}

impl Said {
    /// Whether most of a hole lies in pauses.
    fn explain(&self, hole: &Hole) -> bool {
        let inside = |pause: &Pause| {
            hole.to.min(pause.until).since(hole.from.max(pause.from)).nanos().max(0)
        };
        let paused: i64 = self.pauses.iter().map(inside).sum();
        paused.saturating_mul(2) > hole.lasted().nanos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Kind;

    fn at(second: i64) -> Ts {
        Ts::from_nanos(second * 1_000_000_000)
    }

    #[test]
    fn a_hole_is_explained_by_the_pauses_that_most_of_it_lies_in() {
        let call = RecordId::new(Kind::Call, 1 << 8);
        let mut asides = Asides::default();
        let pauses = Aside::Pauses { held: true };
        asides.note(call, at(0), Aside::Resumes);
        for (second, aside) in [(10, pauses), (20, Aside::Resumes), (30, pauses)] {
            asides.note(call, at(second), aside);
        }
        let said = &asides.by_call[&call];
        let hole = |from, to| said.explain(&Hole { from: at(from), to: at(to), missing: 100 });
        assert!(hole(9, 21) && hole(8, 13) && hole(35, 99) && hole(15, 40));
        assert!(!hole(3, 13) && !hole(20, 30) && !hole(18, 28));
        asides.pictures(call, at(40), at(50));
        asides.forget(call);
        asides.pictures(call, at(40), at(50));
        asides.pictures(call, at(41), at(52));
        let said = &asides.by_call[&call];
        assert_eq!(said.pauses.len(), 1);
        let hole = |from, to| said.explain(&Hole { from: at(from), to: at(to), missing: 100 });
        assert!(hole(39, 53) && !hole(20, 52));
        asides.forget(call);
        assert!(asides.by_call.is_empty());
    }
}
