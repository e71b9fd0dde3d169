//! Interfaces as one source: blocks of packets in the order of capture time, written down as they
//! are delivered, with a tick where nothing comes.
//!
//! All interfaces together are one source, numbered as delivered, because that is what the file
//! written by `-w` is when it is reviewed later: equal sources, frame numbers and interface numbers
//! give equal reports. Frames of one interface keep its order. Those of several wait for each
//! other, [`HOLD`] at most.
//!
//! **Ticks.** A batch without frames says that time passes: what was delivered can be worked off,
//! and if nothing waits anywhere, no packet captured before [`Live::floor`] will come any more, so
//! that timers may run up to there. [`LAG`] is how much later a packet may arrive than it was
//! captured. Only the floor and the pace come from a clock, which the caller passes in; it must be
//! the one that packets are stamped with.
//!
//! **End.** When `stop` says so, packets that the kernel holds are still delivered; after `-c`
//! nothing is.

mod arrival;
mod error;
mod options;
mod record;

pub use error::LiveError;
pub use options::LiveOptions;
pub use record::Recorder;

pub(super) use arrival::{Arrival, Counters};

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::backing::Backing;
use super::facts::{Format, InterfaceStatistics, SourceFacts, Tally, Via};
use super::input::octets;
use super::interfaces::{Reader, open};
use super::merge::MergedBatch;
use super::packed::Compression;
use super::write::PcapngWriter;
use crate::model::frame::{LinkType, RawFrame};
use crate::model::time::{Span, Ts};
use record::{Counting, begin};

/// How often time is looked at where nothing comes, and an epoch ends at least.
const TICK: Span = Span::from_millis(100);
/// How long a packet may be on its way to us: the kernel's time-out many times over.
const LAG: Span = Span::from_secs(2);
/// How long frames wait for those of other interfaces that may be earlier.
const HOLD: Span = Span::from_millis(300);
/// Blocks that may wait between the interfaces and us, of about a mebibyte each at most.
const WAITING: usize = 64;
/// Blocks that wait for those of other interfaces, at most.
const PENDING: usize = 128;
/// Interfaces at once.
const INTERFACES: usize = 64;

/// One interface.
struct Port {
    name: String,
    counters: Arc<Counters>,
    /// Makes its thread look whether it is to end.
    wake: Box<dyn Fn() + Send>,
    thread: Option<JoinHandle<()>>,
    /// What came and was not delivered yet.
    pending: VecDeque<Pending>,
}

struct Pending {
    octets: Arc<Vec<u8>>,
    frames: Vec<RawFrame>,
    next: usize,
    arrived: Ts,
}

/// Interfaces that are open, before anything is taken from them.
pub struct Opened {
    options: LiveOptions,
    readers: Vec<(String, Reader, Arc<Counters>)>,
}

/// Interfaces that are listened to.
pub struct Live {
    options: LiveOptions,
    ports: Vec<Port>,
    arrivals: Receiver<Arrival>,
    stop: Arc<AtomicBool>,
    stopping: bool,
    ended: bool,
    /// When there was a tick last, and whether there were frames since.
    ticked: Ts,
    since_tick: bool,
    floor: Option<Ts>,
    tally: Tally,
    octets: u64,
    recorder: Option<PcapngWriter<Counting>>,
    faults: Vec<String>,
}

impl Opened {
    /// Opens the interfaces: from here on the kernel collects.
    ///
    /// # Errors
    /// When one of them cannot be listened to.
    pub fn new(options: LiveOptions) -> Result<Self, LiveError> {
        if options.interfaces.is_empty() || options.interfaces.len() > INTERFACES {
            return Err(LiveError::Count);
        }
        let mut readers = Vec::new();
        for name in &options.interfaces {
            let counters = Arc::<Counters>::default();
            readers.push((name.clone(), open(name, &options, Arc::clone(&counters))?, counters));
        }
        Ok(Self { options, readers })
    }

    /// Begins to take what the kernel collects, and to write it down.
    ///
    /// # Errors
    /// When `recorder` cannot be written.
    pub fn listen(self, recorder: Option<Recorder>) -> Result<Live, LiveError> {
        let Self { options, readers } = self;
        let links: Vec<(String, LinkType)> =
            readers.iter().map(|(name, reader, _)| (name.clone(), reader.link())).collect();
        let recorder = recorder.map(|out| begin(out, &links)).transpose();
        let recorder = recorder.map_err(|error| LiveError::Record(error.to_string()))?;
        let (out, arrivals) = sync_channel(WAITING);
        let stop = Arc::<AtomicBool>::default();
        let mut ports = Vec::new();
        for (index, (name, mut reader, counters)) in (0_u16..).zip(readers) {
            let wake = reader.waker();
            let (out, stop): (SyncSender<Arrival>, _) = (out.clone(), Arc::clone(&stop));
            let thread = thread::spawn(move || reader.run(index, &out, &stop));
            let pending = VecDeque::new();
            ports.push(Port { name, counters, wake, thread: Some(thread), pending });
        }
        let ticked = (options.now)();
        Ok(Live {
            options,
            ports,
            arrivals,
            stop,
            stopping: false,
            ended: false,
            ticked,
            since_tick: false,
            floor: None,
            tally: Tally::new(),
            octets: 0,
            recorder,
            faults: Vec::new(),
        })
    }
}

impl Live {
    /// The time before which nothing will come any more, as far as the last batch, if it had no
    /// frames, could tell.
    pub fn floor(&self) -> Option<Ts> {
        self.floor
    }

    /// Fills `out`, which is empty, with the next frames. `false` at the end; no frames are a
    /// tick.
    pub fn next_batch(&mut self, most: usize, out: &mut MergedBatch) -> bool {
        if self.ended {
            return false;
        }
        self.floor = None;
        let now = (self.options.now)();
        if self.since_tick && self.passed(now) {
            self.tick(now);
            return true;
        }
        let came = self.receive(now);
        self.deliver(most, out);
        if !out.frames.is_empty() {
            self.since_tick = true;
            return true;
        }
        if !came && self.stopping && self.ports.iter().all(|port| port.pending.is_empty()) {
            self.close();
            return false;
        }
        let quiet = !came && self.ports.iter().all(|port| port.pending.is_empty());
        let now = (self.options.now)();
        self.tick(now);
        self.floor = quiet.then(|| now.minus(LAG));
        true
    }

    /// What is known of the interfaces as a source.
    pub fn facts(&self) -> SourceFacts {
        let names: Vec<&str> = self.ports.iter().map(|port| port.name.as_str()).collect();
        let timed = self.tally.earliest <= self.tally.latest;
        SourceFacts {
            path: PathBuf::from(names.join(",")),
            format: Format::PcapNg,
            via: Via::Live,
            octets: self.octets,
            compression: Compression::None,
            packets: self.tally.packets,
            link_types: self.tally.link_types.clone(),
            first_packet: timed.then_some(self.tally.earliest),
            last_packet: timed.then_some(self.tally.latest),
            truncated: None,
            clipped_packets: self.tally.clipped,
            oddities: self.tally.oddities,
            statistics: self.statistics(),
            interfaces: octets(self.ports.len()),
            comments: 0,
            secrets_blocks: 0,
            skipped_octets: 0,
            fcs_octets: None,
        }
    }

    /// What went wrong while it ran: sentences.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Packets received, dropped by the kernel, and dropped by the interfaces up to now.
    pub fn statistics(&self) -> InterfaceStatistics {
        let sum = |of: fn(&Counters) -> &AtomicU64| {
            let all = self.ports.iter().map(|port| of(&port.counters).load(Ordering::Acquire));
            Some(all.fold(0, u64::saturating_add))
        };
        InterfaceStatistics {
            received: sum(|counters| &counters.received),
            interface_drops: sum(|counters| &counters.interface),
            system_drops: sum(|counters| &counters.kernel),
            drops_before_packets: None,
        }
    }

    /// Whether a tick is due. A clock that was set back makes it due too.
    fn passed(&self, now: Ts) -> bool {
        now.since(self.ticked) >= TICK || now < self.ticked
    }

    fn tick(&mut self, now: Ts) {
        self.ticked = now;
        self.since_tick = false;
        if let Some(Err(error)) = self.recorder.as_mut().map(PcapngWriter::flush) {
            self.unwritable(&error);
        }
        if !self.stopping && (self.options.stop)() {
            self.end();
        }
    }

    /// Takes what has arrived; waits a tick for it if nothing else is to be done. Whether there
    /// was or may be more.
    fn receive(&mut self, now: Ts) -> bool {
        let mut came = false;
        if self.arrivals_taken() >= PENDING {
            return came;
        }
        loop {
            let wait = if came || self.ready(now) { Duration::ZERO } else { TICKING };
            match self.arrivals.recv_timeout(wait) {
                Ok(Arrival::Block { interface, octets, frames }) => {
                    came = true;
                    let arrived = (self.options.now)();
                    if let Some(port) = self.ports.get_mut(usize::from(interface)) {
                        port.pending.push_back(Pending { octets, frames, next: 0, arrived });
                    }
                }
                Ok(Arrival::Failed(why)) => {
                    self.faults.push(why);
                    came = true;
                }
                // All threads have ended.
                Err(RecvTimeoutError::Disconnected) => {
                    self.stopping = true;
                    return came;
                }
                // Until they have, more may come.
                Err(RecvTimeoutError::Timeout) => return came || self.stopping,
            }
            if self.ports.len() == 1 || self.arrivals_taken() >= PENDING {
                return came;
            }
        }
    }

    fn arrivals_taken(&self) -> usize {
        self.ports.iter().map(|port| port.pending.len()).sum()
    }

    /// Whether a frame could be delivered now.
    fn ready(&self, now: Ts) -> bool {
        self.next(now).is_some()
    }

    /// The interface whose next frame is due, and the time at which another one's is.
    fn next(&self, now: Ts) -> Option<(usize, Ts)> {
        let head = |port: &Port| {
            let first = port.pending.front()?;
            first.frames.get(first.next).and_then(|frame| frame.ts)
        };
        let (mut earliest, mut second, mut silent) = (None, Ts::MAX, false);
        for (index, port) in self.ports.iter().enumerate() {
            match (head(port), earliest) {
                (None, _) => silent = true,
                (Some(ts), Some((_, first))) if ts >= first => second = second.min(ts),
                (Some(ts), before) => {
                    second = second.min(before.map_or(Ts::MAX, |(_, first)| first));
                    earliest = Some((index, ts));
                }
            }
        }
        let (index, _) = earliest?;
        let front = self.ports.get(index)?.pending.front()?;
        let held = silent
            && !self.stopping
            && self.arrivals_taken() < PENDING
            && now.since(front.arrived) < HOLD
            && now >= front.arrived;
        (!held).then_some((index, second))
    }

    /// Moves frames that are due into `out`.
    fn deliver(&mut self, most: usize, out: &mut MergedBatch) {
        let now = (self.options.now)();
        let left = self.options.packets.map_or(u64::MAX, |n| n.saturating_sub(self.tally.packets));
        let most = most.min(usize::try_from(left).unwrap_or(usize::MAX));
        while out.frames.len() < most {
            let Some((index, until)) = self.next(now) else { break };
            let Some(port) = self.ports.get_mut(index) else { break };
            let Some(mut block) = port.pending.pop_front() else { break };
            let backing = u16::try_from(out.backings.len()).unwrap_or(u16::MAX);
            out.backings.push(Backing::Block(Arc::clone(&block.octets)));
            let room = most.saturating_sub(out.frames.len());
            let rest = block.frames.get(block.next..).unwrap_or_default();
            // At equal times the interface named first is due again.
            let due = |(place, frame): &(usize, &RawFrame)| {
                *place == 0 || frame.ts.is_none_or(|ts| ts < until)
            };
            let run = rest.iter().take(room).enumerate().take_while(due);
            let first = out.frames.len();
            out.frames.extend(run.map(|(_, frame)| (0, backing, *frame)));
            let taken = out.frames.len().saturating_sub(first);
            block.next = block.next.saturating_add(taken.max(1));
            self.book(out.frames.get_mut(first..).unwrap_or_default(), &block.octets);
            if block.next < block.frames.len()
                && let Some(port) = self.ports.get_mut(index)
            {
                port.pending.push_front(block);
            }
        }
        if self.options.packets.is_some_and(|most| self.tally.packets >= most) {
            self.end();
            self.ports.iter_mut().for_each(|port| port.pending.clear());
        }
    }

    /// Numbers frames, counts them, and writes them down.
    fn book(&mut self, frames: &mut [(u16, u16, RawFrame)], block: &[u8]) {
        for (_, _, frame) in frames {
            self.tally.frame(frame, u32::MAX);
            frame.number = self.tally.packets;
            self.octets = self.octets.saturating_add(frame.captured.into());
            let Some(recorder) = &mut self.recorder else { continue };
            let (Some(link), Ok(length)) = (frame.link, usize::try_from(frame.captured)) else {
                continue;
            };
            let end = frame.offset.saturating_add(length);
            let octets = block.get(frame.offset..end).unwrap_or_default();
            recorder.on(frame.interface.into());
            let done = recorder.packet(frame.ts, link, frame.original, octets, None);
            let full = self.options.octets.is_some_and(|most| recorder.output().octets >= most);
            match done {
                Ok(()) if full => self.end(),
                Ok(()) => {}
                Err(error) => self.unwritable(&error),
            }
        }
    }

    fn unwritable(&mut self, error: &io::Error) {
        self.recorder = None;
        self.faults.push(format!("the packets could not be written any further: {error}"));
        self.end();
    }

    /// Tells the threads to end.
    fn end(&mut self) {
        self.stopping = true;
        self.stop.store(true, Ordering::Release);
        self.ports.iter().for_each(|port| (port.wake)());
    }

    /// Everything was delivered.
    fn close(&mut self) {
        self.ended = true;
        for port in &mut self.ports {
            if let Some(Err(_)) = port.thread.take().map(JoinHandle::join) {
                self.faults.push(format!("{}: the thread that listened has failed", port.name));
            }
        }
        let last = self.tally.latest.max(Ts::default());
        let Some(mut recorder) = self.recorder.take() else { return };
        let mut done = Ok(());
        for (index, port) in (0_u32..).zip(&self.ports) {
            let Counters { received, kernel, interface } = &*port.counters;
            let counted = [received, interface, kernel].map(|count| count.load(Ordering::Acquire));
            done = done.and_then(|()| recorder.statistics(index, last, counted));
        }
        if let Err(error) = done.and_then(|()| recorder.finish().map(drop)) {
            self.faults.push(format!("the packets could not be written to their end: {error}"));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("packets", &self.tally.packets).finish_non_exhaustive()
    }
}

/// How long a wait for packets is.
const TICKING: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
