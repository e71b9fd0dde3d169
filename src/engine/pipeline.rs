//! Threads and channels: one dispatcher, N lanes, one collector.
//!
//! ```text
//! dispatcher ──batches──> lane 0 ──epochs──┐
//!     │      ──batches──> lane 1 ──epochs──┼──> collector
//!     └────────── its own facts ───────────┘
//! ```
//!
//! Every lane answers every epoch with one message, so the collector takes epoch k from each lane
//! in turn and no lane can hold another up. Empty batches and fact buffers travel back and are
//! used again. With one lane there is no channel at all: the dispatcher runs the lane's code and
//! the collector's to completion.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::capture::Merge;
use crate::dissect::tls_open::keys::Keys;
use crate::model::fact::EpochFacts;
use crate::model::time::Ts;
use crate::policy::Policy;
use crate::track::cell::Totals;

use super::Cut;
use super::batch::{Batch, End};
use super::collector::Collector;
use super::dispatcher::{Dispatcher, Lanes};
use super::lane::Lane;

/// Batches that may wait for one lane.
const BATCHES: usize = 8;
/// Epochs that may wait for the collector, of one lane.
const EPOCHS: usize = 4;

/// What a run leaves behind.
#[derive(Debug)]
pub struct Run {
    /// Reader, decoder and their counters.
    pub dispatcher: Dispatcher,
    /// Calls, streams, findings.
    pub collector: Collector,
    /// Counters of all lanes and the dispatcher.
    pub totals: Totals,
}

/// Runs the pipeline over `merge` to its end.
pub fn run(
    merge: Merge,
    lanes: usize,
    cut: Cut,
    (policy, keys): (&Policy, &Keys),
    mut collector: Collector,
    progress: &mut dyn FnMut(&Merge, u64),
) -> Run {
    let mut dispatcher = Dispatcher::new(merge, lanes, cut, policy, keys);
    let keys = Arc::clone(dispatcher.keys());
    let lane = |number| Lane::new(number, lanes, &policy.limits, &keys);
    let mut totals = if lanes == 1 {
        let mut inline =
            Inline { lane: lane(0), facts: EpochFacts::default(), collector: &mut collector };
        dispatcher.run(&mut inline, progress);
        inline.lane.totals()
    } else {
        let lanes = (0..lanes).map(lane).collect();
        threaded(&mut dispatcher, lanes, &mut collector, progress)
    };
    totals.add(&dispatcher.totals());
    Run { dispatcher, collector, totals }
}

/// One lane, no threads.
struct Inline<'a> {
    lane: Lane,
    facts: EpochFacts,
    collector: &'a mut Collector,
}

impl Lanes for Inline<'_> {
    fn send(&mut self, _lane: usize, batch: &mut Batch) {
        self.lane.run(batch, &mut self.facts);
        batch.clear();
    }

    fn end_epoch(&mut self, own: &mut EpochFacts, watermark: Ts) {
        self.collector.epoch(&[own, &self.facts], watermark);
        own.clear();
        self.facts.clear();
    }
}

fn threaded(
    dispatcher: &mut Dispatcher,
    lanes: Vec<Lane>,
    collector: &mut Collector,
    progress: &mut dyn FnMut(&Merge, u64),
) -> Totals {
    std::thread::scope(|scope| {
        let (own_out, own_in) = bounded(EPOCHS);
        let mut threads = Vec::new();
        let mut ends = Vec::new();
        let mut links = Vec::new();
        for lane in lanes {
            let (link, end, port) = connect();
            links.push(link);
            ends.push(end);
            threads.push(scope.spawn(move || port.run(lane)));
        }
        let collecting = scope.spawn(move || collect(collector, &own_in, &ends));
        dispatcher.run(&mut Threads { links, own: own_out }, progress);
        let mut totals = Totals::default();
        for thread in threads {
            match thread.join() {
                Ok(lane) => totals.add(&lane),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        if let Err(panic) = collecting.join() {
            std::panic::resume_unwind(panic);
        }
        totals
    })
}

/// The dispatcher's side of a lane.
struct Link {
    full: Sender<Batch>,
    empty: Receiver<Batch>,
}

/// The lane's side.
struct Port {
    full: Receiver<Batch>,
    empty: Sender<Batch>,
    facts: Sender<EpochFacts>,
    spare: Receiver<EpochFacts>,
}

/// The collector's side.
struct LaneEnd {
    facts: Receiver<EpochFacts>,
    spare: Sender<EpochFacts>,
}

fn connect() -> (Link, LaneEnd, Port) {
    let (full_out, full_in) = bounded(BATCHES);
    let (empty_out, empty_in) = bounded(BATCHES);
    let (facts_out, facts_in) = bounded(EPOCHS);
    let (spare_out, spare_in) = bounded(EPOCHS);
    (
        Link { full: full_out, empty: empty_in },
        LaneEnd { facts: facts_in, spare: spare_out },
        Port { full: full_in, empty: empty_out, facts: facts_out, spare: spare_in },
    )
}

impl Port {
    /// Runs batches until the capture ends or the dispatcher is gone.
    fn run(self, mut lane: Lane) -> Totals {
        let mut facts = EpochFacts::default();
        for mut batch in &self.full {
            lane.run(&batch, &mut facts);
            let end = batch.end;
            batch.clear();
            // A full return path means enough empty batches are on their way.
            let _ = self.empty.try_send(batch);
            if end != End::Nothing {
                let next = self.spare.try_recv().unwrap_or_default();
                if self.facts.send(std::mem::replace(&mut facts, next)).is_err() {
                    break;
                }
            }
            if matches!(end, End::Capture(_)) {
                break;
            }
        }
        lane.totals()
    }
}

/// The dispatcher's view of all lanes.
struct Threads {
    links: Vec<Link>,
    own: Sender<(EpochFacts, Ts)>,
}

impl Lanes for Threads {
    fn send(&mut self, lane: usize, batch: &mut Batch) {
        let Some(link) = self.links.get(lane) else { return };
        let next = link.empty.try_recv().unwrap_or_default();
        // The send fails only when the lane has panicked; joining it tells.
        let _ = link.full.send(std::mem::replace(batch, next));
    }

    fn end_epoch(&mut self, own: &mut EpochFacts, watermark: Ts) {
        let _ = self.own.send((std::mem::take(own), watermark));
    }
}

/// Takes epoch after epoch from every lane, until the dispatcher has none left.
fn collect(collector: &mut Collector, own: &Receiver<(EpochFacts, Ts)>, lanes: &[LaneEnd]) {
    let mut epoch: Vec<EpochFacts> = Vec::with_capacity(lanes.len() + 1);
    for (own, watermark) in own {
        epoch.push(own);
        for lane in lanes {
            let Ok(facts) = lane.facts.recv() else { return };
            epoch.push(facts);
        }
        let all: Vec<&EpochFacts> = epoch.iter().collect();
        collector.epoch(&all, watermark);
        for (mut facts, lane) in epoch.drain(1..).zip(lanes) {
            facts.clear();
            let _ = lane.spare.try_send(facts);
        }
        epoch.clear();
    }
}
