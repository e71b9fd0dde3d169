//! L8: the one place that knows every stage. Opens the sources, runs the pipeline, and assembles
//! what the writers need.

pub mod batch;
mod census;
pub mod clock;
pub mod collector;
pub mod cut;
pub mod decrypt;
pub mod dispatcher;
pub mod hearing;
mod inventory;
mod key_ring;
pub mod lane;
pub mod listen;
mod offset;
pub mod opening;
pub mod pipeline;
mod proof;
mod reason;
mod revealed;
mod rewrite;
mod sample;
pub mod secrets;
mod sightings;
mod sources;
mod srtp_samples;
pub mod trace;
pub mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::capture::{CaptureError, Kept, Live, Merge, OpenOptions, Selection, Source, Unpacking};
use crate::detect::marks::Marks;
use crate::detect::redact::Labels;
use crate::detect::seen::CaptureSeen;
use crate::dissect::tls_open::keys::Keys;
use crate::model::capture::{CaptureRecord, Counts, SeverityCounts, SourceRecord};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Finding, Severity};
use crate::model::frame::FrameId;
use crate::model::tally::Tally;
use crate::model::time::Ts;
use crate::policy::Policy;
use crate::policy::limits::CELLS;
use crate::prove::Opened;
use crate::report::events::Listener;
use crate::report::outcome::Outcome;
use crate::track::shared::Inner;

use collector::Collector;
use offset::Offsets;
use pipeline::Run;
use trace::Trace;

/// Where an epoch ends, whichever comes first.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Frames.
    pub frames: usize,
    /// Captured octets.
    pub octets: usize,
}

impl Cut {
    /// What is fastest with this many lanes. With one, the facts of an epoch are read by the core that
    /// made them, and are few enough to be in its own cache still; with more, what counts is how
    /// seldom one thread waits for another, and that the octets of messages are in some cache still when
    /// the collector reads them.
    pub const fn usual(lanes: usize) -> Self {
        Self { frames: if lanes == 1 { 256 } else { 4096 }, octets: 1 << 20 }
    }

    /// How many frames and octets have been read when an epoch ends that began behind so many.
    const fn after(self, frames: u64, octets: u64) -> (u64, u64) {
        (frames.saturating_add(self.frames as u64), octets.saturating_add(self.octets as u64))
    }
}

impl Default for Cut {
    fn default() -> Self {
        Self::usual(1)
    }
}

/// What to review, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// Files, or `-` for standard input.
    pub sources: Vec<PathBuf>,
    /// Lanes: threads that run cells, 1 to 64. Changes speed and nothing else.
    pub lanes: usize,
    /// Map files instead of reading them, where the reader thinks that it helps.
    pub mmap: bool,
    /// Hash every source (SHA-256).
    pub hash: bool,
    /// Where epochs end. Changes nothing in the output.
    pub epoch: Cut,
    /// Limits and thresholds.
    pub policy: Policy,
    /// A call whose messages are kept for a ladder: its id, a beginning of it, or a Call-ID.
    pub ladder: Option<String>,
    /// Calls whose packets are to be found: ids, beginnings of ids, or Call-IDs.
    pub traced: Vec<String>,
    /// The frames that are looked at.
    pub selection: Selection,
    /// Standard input, if it was kept to be read more than once.
    pub stdin: Option<Kept>,
    /// Secrets with which TLS opens, besides those in the sources.
    pub keys: Keys,
}

impl Config {
    /// These sources in one lane, with what is usual for everything else.
    pub fn of(sources: Vec<PathBuf>) -> Self {
        Self {
            sources,
            lanes: 1,
            mmap: true,
            hash: false,
            epoch: Cut::default(),
            policy: Policy::default(),
            ladder: None,
            traced: Vec::new(),
            selection: Selection::default(),
            stdin: None,
            keys: Keys::default(),
        }
    }
}

/// How far a review is.
#[derive(Copy, Clone, Debug)]
pub struct Progress {
    /// Octets read of all sources.
    pub octets: u64,
    /// Octets there are; `None` with standard input.
    pub total: Option<u64>,
    /// Frames read.
    pub packets: u64,
}

/// No source could be used: each with one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The path as given and what is wrong with it.
    pub sources: Vec<(PathBuf, String)>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<&str> = self.sources.iter().map(|(_, why)| why.as_str()).collect();
        f.write_str(&sentences.join("\n"))
    }
}

impl std::error::Error for Error {}

/// Reviews the sources to their end.
///
/// # Errors
/// When none of the sources could be used. One of several that cannot is named in
/// [`Outcome::limits`], and the rest is reviewed.
pub fn review(config: &Config, progress: &mut dyn FnMut(Progress)) -> Result<Outcome, Error> {
    examine(config, Vec::new(), progress).map(|examined| examined.outcome)
}

/// What an examination leaves behind.
#[derive(Debug)]
pub struct Examined {
    /// For the writers of reports.
    pub outcome: Outcome,
    /// Which packets belong to the calls that [`Config::traced`] names.
    pub trace: Trace,
    /// Why listeners were not told everything.
    pub untold: Option<std::io::Error>,
    /// The streams that were proven to be SRTP, with their keys: for a second pass, and never for a
    /// report. At most `limits.srtp_keys`.
    pub opened: Vec<Opened>,
    /// What went wrong with interfaces, or with writing down what they received: sentences.
    pub faults: Vec<String>,
}

/// The same, telling `listeners` what happens, as it happens.
///
/// # Errors
/// As [`review`].
pub fn examine(
    config: &Config,
    listeners: Vec<Box<dyn Listener>>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Examined, Error> {
    let (mut merge, refused) = opened(config);
    let mut unusable: Vec<(PathBuf, String)> =
        refused.into_iter().map(|error| (error.path().to_path_buf(), error.to_string())).collect();
    if merge.sources().len() == 0 {
        return Err(Error { sources: unusable });
    }
    let offsets = Offsets::measure(&merge);
    merge.correct(offsets.each().map(Option::unwrap_or_default));
    let twice = sources::readable_again(&merge);
    let run = engage(merge, config, listeners, progress);
    for (source, error) in run.dispatcher.merge().failures() {
        let path = run.dispatcher.merge().sources().nth(usize::from(*source)).map(Source::path);
        unusable.push((path.map(PathBuf::from).unwrap_or_default(), error.to_string()));
    }
    if unusable.len() >= config.sources.len() {
        return Err(Error { sources: unusable });
    }
    let mut examined = assemble(run, &offsets, config, unusable);
    if offsets.each().len() > 1 {
        retrace(config, &offsets, &twice, &mut examined.outcome);
    }
    Ok(examined)
}

/// Listens to interfaces until they end, telling `listeners` what happens. Of the configuration
/// the sources and the selection are not used.
pub fn live(live: Live, config: &Config, listeners: Vec<Box<dyn Listener>>) -> Examined {
    let run = engage(Merge::live(live), config, listeners, &mut |_| {});
    let interfaces = run.dispatcher.merge().interfaces();
    let faults = interfaces.map(|live| live.faults().to_vec()).unwrap_or_default();
    let mut examined = assemble(run, &Offsets::default(), config, Vec::new());
    examined.faults = faults;
    examined
}

fn engage(
    merge: Merge,
    config: &Config,
    listeners: Vec<Box<dyn Listener>>,
    progress: &mut dyn FnMut(Progress),
) -> Run {
    let mut collector = Collector::new(&config.policy, config.ladder.clone());
    collector.trace(config.traced.clone());
    collector.listen(listeners);
    let lanes = config.lanes.clamp(1, CELLS);
    let mut report = |at: &Merge, packets| progress(how_far(at, packets));
    pipeline::run(
        merge,
        lanes,
        config.epoch,
        (&config.policy, &config.keys),
        collector,
        &mut report,
    )
}

/// The sources with what is selected of them, and what is wrong with those that cannot be opened.
fn opened(config: &Config) -> (Merge, Vec<CaptureError>) {
    let limits = &config.policy.limits;
    let options = OpenOptions {
        mmap: config.mmap,
        unpacking: Unpacking {
            ratio: limits.unpack_ratio,
            octets: limits.unpack_octets,
            window: limits.unpack_window as u64,
        },
        interfaces: limits.interfaces,
        stdin: config.stdin.clone(),
    };
    let (mut merge, refused) = Merge::open(&config.sources, &options);
    merge.select(config.selection.clone());
    (merge, refused)
}

fn how_far(merge: &Merge, packets: u64) -> Progress {
    let mut all = Progress { octets: 0, total: Some(0), packets };
    for source in merge.sources() {
        let (octets, total) = source.position();
        all.octets += octets;
        all.total = all.total.zip(total).map(|(sum, total)| sum + total);
    }
    all
}

/// Looks for the evidence in the other sources, and gives each frame of it the time that its own
/// source says.
fn retrace(
    config: &Config,
    offsets: &Offsets,
    (index, sources): &(Vec<u16>, Vec<PathBuf>),
    outcome: &mut Outcome,
) {
    let (mut merge, refused) = opened(&Config { sources: sources.clone(), ..config.clone() });
    // A source that went away in the meantime would shift the numbers of the others.
    if refused.is_empty() {
        merge.correct(index.iter().map(|source| offsets.ahead(*source)));
        sightings::find(merge, index, &mut outcome.findings);
    }
    for finding in &mut outcome.findings {
        finding.first_alert = offsets.own(finding.first_alert);
        for evidence in &mut finding.evidence {
            evidence.at = offsets.own(evidence.at);
            for sighting in &mut evidence.sightings {
                *sighting = offsets.own(*sighting);
            }
        }
    }
}

fn assemble(
    run: Run,
    offsets: &Offsets,
    config: &Config,
    unusable: Vec<(PathBuf, String)>,
) -> Examined {
    let Run { dispatcher, collector, totals } = run;
    let collected = collector.finish();
    let mut tally = totals.tally.clone();
    tally.add(&collected.tally);
    let mut evicted = totals.evicted.clone();
    for (table, count) in collected.evicted {
        *evicted.entry(table).or_default() += count;
    }
    let sources = sources::records(dispatcher.merge(), offsets, config.hash);
    let dropped = sources::dropped(dispatcher.merge());
    let capture = capture_record(&dispatcher, sources, dropped, &tally, totals.reassembly, evicted);
    let seen = CaptureSeen {
        record: &capture,
        first: end_of_capture(&capture, capture.first_packet, 1),
        last: end_of_capture(&capture, capture.last_packet, capture.packets),
        policy: &config.policy,
        lossy_seconds: &[],
    };
    let last_word = collected.detectors.finish(&seen);
    let mut archive = collected.archive;
    archive.cite(&last_word.links);
    let mut events = collected.events;
    events.finish(&last_word.findings, &last_word.places);
    archive.settle(last_word.places);
    let counts = finish_counts(collected.counts, &capture, &totals.inner, &last_word.findings);
    let opened = labelled(collected.opened, &last_word.labels);
    let secrets = last_word.labels.revealed();
    for secret in &secrets {
        events.tell(|listener| listener.secret(secret, capture.last_packet));
    }
    events.tell(|listener| listener.end(&capture, &counts));
    events.flush();
    let mut limits = not_part_of_it(unusable);
    limits.extend(sources::left_out(dispatcher.merge(), capture.packets));
    limits.extend(sources::limits(&capture, &counts, &totals.openings));
    limits.extend(secrets::limits(&config.keys, &totals.openings));
    let marks = Marks::of(&last_word.findings);
    let end = capture.last_packet.unwrap_or(Ts::MIN);
    let tls = collected.tls_peers.finish(end, |a, b| marks.about(a, b));
    let outcome = Outcome {
        capture,
        counts,
        archive,
        findings: last_word.findings,
        limits,
        policy: config.policy.clone(),
        ladder: collected.ladder,
        tls,
        peers: collected.peers,
        secrets,
        recording: None,
    };
    Examined {
        outcome,
        trace: collected.trace,
        untold: events.failure(),
        opened,
        faults: Vec::new(),
    }
}

/// What is said of inputs that could not be used.
fn not_part_of_it(unusable: Vec<(PathBuf, String)>) -> Vec<String> {
    let why = unusable.into_iter().map(|(_, why)| why);
    why.map(|why| format!("{why}; it is not part of this report.")).collect()
}

/// Streams with the labels that the report gives to their keys.
fn labelled(mut opened: Vec<Opened>, labels: &Labels) -> Vec<Opened> {
    for one in &mut opened {
        one.label = labels.number(one.key.both().expose());
    }
    opened
}

fn capture_record(
    dispatcher: &dispatcher::Dispatcher,
    sources: Vec<SourceRecord>,
    dropped: BTreeMap<&'static str, u64>,
    tally: &Tally,
    reassembly: crate::model::capture::Reassembly,
    evicted: BTreeMap<&'static str, u64>,
) -> CaptureRecord {
    let (packets, bytes) = dispatcher.read();
    let (first_packet, last_packet) = match dispatcher.merge().taken() {
        Some(taken) => (taken.span.map(|span| span.0), taken.span.map(|span| span.1)),
        None => sources::span(&sources),
    };
    CaptureRecord {
        packets,
        bytes,
        first_packet,
        last_packet,
        duration_s: last_packet.zip(first_packet).map(|(last, first)| last.since(first).secs_f64()),
        accounting: tally.accounting(),
        reassembly,
        evicted,
        dropped,
        sources,
    }
}

/// A frame to hang findings on that concern the capture as a whole.
fn end_of_capture(capture: &CaptureRecord, time: Option<Ts>, number: u64) -> FrameRef {
    let alone = capture.sources.len() == 1;
    let number = if alone { number } else { 1 };
    FrameRef { frame: FrameId { source: 0, number }, time: time.unwrap_or_default() }
}

/// What the accounting and the findings add to the counts.
fn finish_counts(
    mut counts: Counts,
    capture: &CaptureRecord,
    inner: &Inner,
    findings: &[Finding],
) -> Counts {
    let handled = |name: &str| capture.accounting.handled.get(name).copied().unwrap_or_default();
    counts.msrp_messages = inner.msrp;
    counts.rtcp_packets = handled("rtcp") + inner.rtcp;
    counts.srtcp_packets = handled("srtcp") + inner.srtcp;
    counts.stun_messages = inner.stun;
    counts.zrtp_packets = handled("zrtp");
    let of = |severity| {
        let found = findings.iter().filter(|finding| finding.severity == severity).count();
        u64::try_from(found).unwrap_or(u64::MAX)
    };
    counts.findings = SeverityCounts {
        critical: of(Severity::Critical),
        high: of(Severity::High),
        medium: of(Severity::Medium),
        low: of(Severity::Low),
        info: of(Severity::Info),
    };
    counts
}
