//! L8: the one place that knows every stage. Opens the sources, runs the pipeline, and assembles
//! what the writers need.

pub mod batch;
mod census;
pub mod clock;
pub mod collector;
pub mod dispatcher;
pub mod lane;
pub mod pipeline;
mod sources;
pub mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::capture::{Merge, OpenOptions, Source};
use crate::detect::seen::CaptureSeen;
use crate::model::capture::{CaptureRecord, Counts, SeverityCounts};
use crate::model::evidence::FrameRef;
use crate::model::finding::{Finding, Severity};
use crate::model::frame::FrameId;
use crate::model::tally::Tally;
use crate::model::time::Ts;
use crate::policy::Policy;
use crate::policy::limits::CELLS;
use crate::report::outcome::Outcome;
use crate::track::shared::Inner;

use collector::Collector;
use pipeline::Run;

/// Where an epoch ends, whichever comes first.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Frames.
    pub frames: usize,
    /// Captured octets.
    pub octets: usize,
}

impl Default for Cut {
    fn default() -> Self {
        Self { frames: 4096, octets: 4 << 20 }
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
    let options = OpenOptions { mmap: config.mmap };
    let mut unusable = Vec::new();
    let mut opened = Vec::new();
    for path in &config.sources {
        match Source::open(path, &options) {
            Ok(source) => opened.push(source),
            Err(error) => unusable.push((path.clone(), error.to_string())),
        }
    }
    if opened.is_empty() {
        return Err(Error { sources: unusable });
    }
    let merge = Merge::new(opened);
    let collector = Collector::new(&config.policy, config.ladder.clone());
    let lanes = config.lanes.clamp(1, CELLS);
    let run =
        pipeline::run(merge, lanes, config.epoch, &config.policy, collector, &mut |at, packets| {
            progress(how_far(at, packets));
        });
    for (source, error) in run.dispatcher.merge().failures() {
        let path = run.dispatcher.merge().sources().nth(usize::from(*source)).map(Source::path);
        unusable.push((path.map(PathBuf::from).unwrap_or_default(), error.to_string()));
    }
    if unusable.len() >= config.sources.len() {
        return Err(Error { sources: unusable });
    }
    Ok(assemble(run, config, unusable))
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

fn assemble(run: Run, config: &Config, unusable: Vec<(PathBuf, String)>) -> Outcome {
    let Run { dispatcher, collector, totals } = run;
    let collected = collector.finish();
    let mut tally = totals.tally.clone();
    tally.add(&collected.tally);
    let mut evicted = totals.evicted.clone();
    for (table, count) in collected.evicted {
        *evicted.entry(table).or_default() += count;
    }
    let sources = sources::records(dispatcher.merge(), config.hash);
    let dropped = sources::dropped(dispatcher.merge());
    let capture = capture_record(&dispatcher, sources, dropped, &tally, totals.reassembly, evicted);
    let seen = CaptureSeen {
        record: &capture,
        first: end_of_capture(&capture, capture.first_packet, 1),
        last: end_of_capture(&capture, capture.last_packet, capture.packets),
        policy: &config.policy,
    };
    let outcome = collected.detectors.finish(&seen);
    let mut archive = collected.archive;
    for (record, finding) in outcome.links {
        archive.cite(record, finding);
    }
    archive.settle(outcome.places);
    let counts = finish_counts(collected.counts, &capture, &totals.inner, &outcome.findings);
    let mut limits: Vec<String> = unusable
        .into_iter()
        .map(|(_, why)| format!("{why}; it is not part of this report."))
        .collect();
    limits.extend(sources::limits(&capture, &counts));
    Outcome {
        capture,
        counts,
        archive,
        findings: outcome.findings,
        limits,
        policy: config.policy.clone(),
        ladder: collected.ladder,
    }
}

fn capture_record(
    dispatcher: &dispatcher::Dispatcher,
    sources: Vec<crate::model::capture::SourceRecord>,
    dropped: BTreeMap<&'static str, u64>,
    tally: &Tally,
    reassembly: crate::model::capture::Reassembly,
    evicted: BTreeMap<&'static str, u64>,
) -> CaptureRecord {
    let (packets, bytes) = dispatcher.read();
    let first_packet = sources.iter().filter_map(|source| source.first_packet).min();
    let last_packet = sources.iter().filter_map(|source| source.last_packet).max();
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
