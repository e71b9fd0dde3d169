//! What a few facts will need of the collector's tables, read before any of them is taken: these tables
//! are larger than any cache, and the cache misses of one fact do not depend on those of another, so a core
//! can wait for all at once. It changes nothing.

use std::hint::black_box;

use super::{Collector, message};
use crate::correlate::dialogs::Known;
use crate::model::fact::{Body, EpochFacts, Fact, SipFact};

/// Facts that are looked at together before any is taken.
pub(super) const TOGETHER: usize = 16;

/// Where what a fact is about probably stands in its tables.
#[derive(Copy, Clone)]
enum Ahead {
    Sip(Known),
    /// The announcement, and the notes of the streams before.
    Stream(Option<u32>, [u32; 2]),
}

impl Collector {
    /// Indices first, then entries: each of these loops is short enough to run ahead of itself. Without
    /// the black boxes the early reads are dead code.
    pub(super) fn look_ahead(&self, taken: &[Option<(&Fact, &EpochFacts)>; TOGETHER]) {
        let facts = || taken.iter().flatten().map(|(fact, _)| *fact);
        let sips = || {
            facts().filter_map(|fact| match &fact.body {
                Body::Sip(sip) => Some(sip),
                _ => None,
            })
        };
        let all = |touched: u64, one: u64| touched ^ one;
        let index = |sip: &SipFact| u64::from(self.dialogs.touch_index(&sip.names));
        black_box(sips().map(index).fold(0, all));
        let texts = taken.iter().flatten().map(|(fact, epoch)| match &fact.body {
            Body::Sip(sip) => epoch.touch(sip),
            _ => 0,
        });
        black_box(texts.fold(0, all));
        let mut aheads = [None; TOGETHER];
        for (ahead, (fact, epoch)) in aheads.iter_mut().zip(taken.iter().flatten()) {
            *ahead = match &fact.body {
                Body::Sip(sip) => Some(Ahead::Sip(self.dialogs.ahead(sip, || message(sip, epoch)))),
                Body::StreamEnded(place) => epoch.stream(*place).map(|stream| {
                    Ahead::Stream(self.media.ahead(stream), self.company.ahead(stream))
                }),
                _ => None,
            };
        }
        black_box(sips().map(|sip| self.dialogs.touch_request(&sip.names)).fold(0, all));
        let entry = |ahead: &Ahead| match ahead {
            Ahead::Sip(known) => self.dialogs.touch(*known),
            Ahead::Stream(announcement, company) => {
                let announced = announcement.map_or(0, |slot| self.media.touch(slot));
                announced ^ u64::from(self.company.touch(*company))
            }
        };
        black_box(aheads.iter().flatten().map(entry).fold(0, all));
        let rules = |sip: &SipFact| {
            self.detectors.touch(sip.src.addr, sip.dst.addr, sip.names.response != 0)
        };
        black_box(sips().map(rules).fold(0, all));
    }
}
