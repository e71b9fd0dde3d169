//! `review`, `calls` and `ladder`: the commands that read captures.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::args::{Calls, Ladder, Review, Source};
use super::inputs::{self, Inputs};
use super::keys::keys;
use super::output::{self, Target};
use super::progress::Bar;
use super::{Failure, Status, cut, limits};
use crate::capture::{Filter, FilterError, Selection};
use crate::engine::{self, Config, Cut, Examined};
use crate::model::finding::Severity;
use crate::policy::{Policy, Reveals};
use crate::report::events::Listener;
use crate::report::ndjson::Ndjson;
use crate::report::{self, Outcome};

/// `overhear review`.
pub(super) fn review(args: &Review, bare: bool) -> Result<Status, Failure> {
    let mut policy = policy(&args.source);
    policy.reveals = Reveals { secrets: args.reveal_secrets, audio: args.reveal_audio };
    let no_files = args.source.files.is_empty() && args.source.read.is_empty();
    if args.limits && no_files {
        output::to_stdout(|out| limits::print(&policy.limits, out))?;
        return Ok(Status::Done);
    }
    if bare {
        inputs::check_first_word(&args.source)?;
    }
    let inputs = inputs::expand(&args.source)?;
    let config = config(&args.source, inputs.sources.clone(), policy)?;
    let json = output::target(args.json.as_deref(), &inputs.sources, &[])?;
    let packets = output::target(args.write.as_deref(), &inputs.sources, &[&json])?;
    let lines = output::target(args.ndjson.as_deref(), &inputs.sources, &[&json, &packets])?;
    let to_stdout =
        [&json, &packets, &lines].into_iter().any(|to| matches!(to, Some(Target::Stdout)));
    let quiet = args.source.quiet || to_stdout;
    let mut config = Config { hash: args.hash, traced: args.call.clone(), ..config };
    if packets.is_some() {
        inputs::keep_stdin(&mut config)?;
    }
    let listeners = ndjson(lines, args.sensor.as_deref());
    let Examined { mut outcome, trace, untold, .. } =
        match engage(&config, &args.source, inputs, listeners) {
            Ok(examined) => examined,
            Err(failure) => {
                json.into_iter().chain(packets).for_each(Target::abandon);
                return Err(failure);
            }
        };
    if let Some(target) = packets
        && let Err(failure) = cut::write(&config, &trace, &outcome, target, args)
    {
        json.into_iter().for_each(Target::abandon);
        return Err(failure);
    }
    if let Some(target) = json {
        target.write(|mut out| report::json::write(&mut outcome, config.lanes, &mut out))?;
    }
    if !quiet {
        let layout = output::layout(args.source.no_color);
        output::to_stdout(|out| report::terminal::write(&mut outcome, layout, out))?;
    }
    if !args.source.quiet {
        say_what_is_revealed(config.policy.reveals);
    }
    if args.limits {
        // stdout carries only the report.
        let _ = limits::print(&config.policy.limits, &mut io::stderr());
    }
    told(untold)?;
    Ok(status(&outcome, args.fail_on.map(Severity::from)))
}

/// Says what was asked for and is there, or is not.
fn say_what_is_revealed(reveals: Reveals) {
    let said = [
        (reveals.secrets, "--reveal-secrets: what was written shows what stands behind the labels"),
        (reveals.audio, "--reveal-audio: a review holds no audio; 'overhear listen' writes it"),
    ];
    let said: Vec<String> =
        said.into_iter().filter(|(asked, _)| *asked).map(|(_, what)| what.to_owned()).collect();
    if !said.is_empty() {
        let _ = write!(io::stderr(), "{}", Failure(said));
    }
}

/// Who writes lines of JSON, if anybody does.
fn ndjson(to: Option<Target>, sensor: Option<&str>) -> Vec<Box<dyn Listener>> {
    let lines = to.map(|to| -> Box<dyn Listener> { Box::new(Ndjson::new(to.begin(), sensor)) });
    lines.into_iter().collect()
}

/// Whether the lines could be written. A reader that went away has had enough.
pub(super) fn told(untold: Option<io::Error>) -> Result<(), Failure> {
    match untold {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("--ndjson: cannot be written any further: {error}")))
        }
        _ => Ok(()),
    }
}

/// `overhear calls`.
pub(super) fn calls(args: &Calls) -> Result<Status, Failure> {
    let inputs = inputs::expand(&args.source)?;
    let config = config(&args.source, inputs.sources.clone(), policy(&args.source))?;
    let Examined { mut outcome, .. } = engage(&config, &args.source, inputs, Vec::new())?;
    let layout = output::layout(args.source.no_color);
    output::to_stdout(|out| report::calls::write(&mut outcome, layout, out))?;
    remarks(&outcome, args.source.quiet);
    Ok(Status::Done)
}

/// `overhear ladder`.
pub(super) fn ladder(args: &Ladder) -> Result<Status, Failure> {
    let inputs = inputs::expand(&args.source)?;
    let config = config(&args.source, inputs.sources.clone(), policy(&args.source))?;
    let config = Config { ladder: Some(args.call.clone()), ..config };
    let Examined { outcome, .. } = engage(&config, &args.source, inputs, Vec::new())?;
    if outcome.ladder.is_empty() {
        return Err(Failure::new(format!(
            "no call has the id or Call-ID '{}'; 'overhear calls FILE' lists them",
            args.call
        )));
    }
    let layout = output::layout(args.source.no_color);
    output::to_stdout(|out| report::ladder::write(&outcome, layout, out))?;
    remarks(&outcome, args.source.quiet);
    Ok(Status::Done)
}

pub(super) fn policy(source: &Source) -> Policy {
    let mut policy = Policy::default();
    for setting in &source.limit {
        setting.apply(&mut policy.limits);
    }
    policy
}

pub(super) fn config(
    source: &Source,
    sources: Vec<PathBuf>,
    policy: Policy,
) -> Result<Config, Failure> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let most = crate::policy::limits::CELLS;
    let lanes = source.lanes.unwrap_or_else(cores).min(most);
    let usual = Cut::usual(lanes);
    let secrets = &source.secrets;
    Ok(Config {
        keys: keys(&secrets.keylog, &secrets.rsa_key, &policy.limits)?,
        policy: secrets.judging(policy)?,
        lanes,
        mmap: !source.no_mmap,
        epoch: Cut { frames: source.epoch_frames.unwrap_or(usual.frames), ..usual },
        selection: selection(source)?,
        ..Config::of(sources)
    })
}

/// The packets that are wanted.
fn selection(source: &Source) -> Result<Selection, Failure> {
    let words = source.words.join(" ");
    let expression = source.filter.as_deref().unwrap_or(&words);
    let filter = if expression.trim().is_empty() {
        None
    } else {
        let wrong = |error: FilterError| {
            Failure::new(format!("the filter '{expression}' is wrong: {error}"))
        };
        Some(Filter::new(expression).map_err(wrong)?)
    };
    Ok(Selection { from: source.from, to: source.to, filter, packets: source.count })
}

/// Runs the engine under a progress bar.
pub(super) fn engage(
    config: &Config,
    source: &Source,
    inputs: Inputs,
    listeners: Vec<Box<dyn Listener>>,
) -> Result<Examined, Failure> {
    let bar = Bar::new(source.quiet);
    let result = engine::examine(config, listeners, &mut |progress| bar.update(&progress));
    bar.clear();
    let mut examined =
        result.map_err(|error| Failure(error.sources.into_iter().map(|(_, why)| why).collect()))?;
    examined.outcome.limits.extend(inputs.left_out);
    Ok(examined)
}

/// What a reader of a short output must know: not all of the input is in it.
pub(super) fn remarks(outcome: &Outcome, quiet: bool) {
    if quiet {
        return;
    }
    for source in outcome.capture.sources.iter().filter(|source| source.truncated) {
        let fault = source.fault.as_deref().unwrap_or("it ends before it should");
        let sentence = format!("{}: read up to a fault: {fault}", source.path);
        let _ = write!(io::stderr(), "{}", Failure::new(sentence));
    }
}

/// The exit status of a review.
pub(super) fn status(outcome: &Outcome, fail_on: Option<Severity>) -> Status {
    match fail_on {
        Some(least) if outcome.worst() >= Some(least) => Status::Found,
        Some(_) if outcome.incomplete() => Status::Incomplete,
        _ => Status::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_status_says_found_then_incomplete_then_done() {
        let mut outcome = sample::outcome();
        assert_eq!(status(&outcome, None), Status::Done);
        assert_eq!(status(&outcome, Some(Severity::Critical)), Status::Found);
        outcome.findings.remove(0);
        assert_eq!(status(&outcome, Some(Severity::Low)), Status::Incomplete);
        outcome.capture.sources[0].truncated = false;
        assert_eq!(status(&outcome, Some(Severity::Low)), Status::Done);
        outcome.capture.evicted.insert("calls", 1);
        assert_eq!(status(&outcome, Some(Severity::Low)), Status::Incomplete);
        outcome.findings.clear();
        assert_eq!(status(&outcome, Some(Severity::Low)), Status::Incomplete);
    }
}
