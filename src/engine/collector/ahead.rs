//! What facts will need of the collector's tables, asked for before any of them is taken: these tables are
//! larger than any cache, and the cache misses of one fact do not depend on those of another. It changes
//! nothing (`docs/decisions/0014-asking-ahead.md`).

use super::{Collector, message};
use crate::correlate::dialogs::Known;
use crate::model::fact::{Body, EpochFacts, Fact, FactKey};

/// Facts whose places in the indices are asked for before any is taken.
pub(super) const WINDOW: usize = 32;
/// Of these, so many go one step further while those before them are taken.
const TOGETHER: usize = 8;

/// A fact, and what is known of it before it is taken.
#[derive(Copy, Clone)]
struct Coming<'a> {
    fact: &'a Fact,
    epoch: &'a EpochFacts,
    ahead: Ahead,
}

/// Facts that take each step together.
type Group<'a, 'b> = &'a mut [Option<Coming<'b>>];

/// Where what a fact is about probably stands in its tables.
#[derive(Copy, Clone)]
enum Ahead {
    Sip(Known),
    /// By the hash of the announcement, and of the notes of the streams before.
    Stream(u64, [u64; 2]),
    Unknown,
}

impl Collector {
    /// Takes up to [`WINDOW`] facts. Indices are asked for first, then entries, then what those lead to:
    /// each step a while before the next.
    pub(super) fn window(&mut self, some: &[(FactKey, u32, u32)], lanes: &[&EpochFacts]) {
        let mut coming = [None; WINDOW];
        for (coming, (_, lane, index)) in coming.iter_mut().zip(some) {
            let epoch = usize::try_from(*lane).ok().and_then(|lane| lanes.get(lane));
            let Some(epoch) = epoch.copied() else { continue };
            let fact = usize::try_from(*index).ok().and_then(|index| epoch.facts.get(index));
            *coming = fact.map(|fact| self.first_step(fact, epoch));
        }
        let mut far = coming.chunks_mut(TOGETHER);
        let mut next = self.second_step(far.next());
        while let Some(group) = next {
            next = self.second_step(far.next());
            self.third_step(group);
            for Coming { fact, epoch, .. } in group.iter().flatten() {
                self.fact(fact, epoch);
            }
        }
    }

    fn first_step<'a>(&self, fact: &'a Fact, epoch: &'a EpochFacts) -> Coming<'a> {
        let ahead = match &fact.body {
            Body::Sip(sip) => {
                epoch.fetch(sip);
                Ahead::Sip(self.dialogs.fetch_index(sip, || message(sip, epoch)))
            }
            Body::StreamEnded(place) => epoch.stream(*place).map_or(Ahead::Unknown, |stream| {
                Ahead::Stream(self.media.fetch_index(stream), self.company.fetch_index(stream))
            }),
            _ => Ahead::Unknown,
        };
        Coming { fact, epoch, ahead }
    }

    /// Gives the same facts back.
    fn second_step<'a, 'b>(&self, group: Option<Group<'a, 'b>>) -> Option<Group<'a, 'b>> {
        let group = group?;
        for Coming { fact, ahead, .. } in group.iter_mut().flatten() {
            match (&fact.body, ahead) {
                (Body::Sip(sip), Ahead::Sip(known)) => {
                    *known = self.dialogs.approach(*known, &sip.names);
                    let response = sip.names.response != 0;
                    self.detectors.fetch(sip.src.addr, sip.dst.addr, response);
                }
                (_, Ahead::Stream(announcement, notes)) => {
                    self.media.fetch(*announcement);
                    self.company.fetch(*notes);
                }
                _ => {}
            }
        }
        Some(group)
    }

    fn third_step(&self, group: &[Option<Coming<'_>>]) {
        for Coming { ahead, .. } in group.iter().flatten() {
            if let Ahead::Sip(known) = ahead {
                self.dialogs.fetch(*known);
            }
        }
    }
}
