//! `overhear live`: interfaces instead of captures, until ^C, `-c` or `-a`.
//!
//! On stdout: a line for each call that ends and each finding that is raised, then the report of
//! `review`. Which interfaces are listened to is said on stderr once they are: packets from then on
//! are seen.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::args::{Autostop, Live as Args};
use super::keys::keys;
use super::output::{self, Target, target};
use super::review::{status, told};
use super::{Failure, Status, signals};
use crate::capture::{Filter, LiveError, LiveOptions, Opened, interfaces};
use crate::engine::clock::{self, Stopwatch};
use crate::engine::{self, Config, Cut, Examined};
use crate::model::finding::Severity;
use crate::policy::Policy;
use crate::report;
use crate::report::events::Listener;
use crate::report::lines::Lines;
use crate::report::ndjson::Ndjson;
use crate::report::safe::safe;
use crate::report::text::grouped;

/// Octets of a unit of `-a filesize`, as dumpcap has it.
const KILO: u64 = 1_000;

/// `overhear live`.
pub(super) fn live(args: &Args) -> Result<Status, Failure> {
    if args.list_interfaces {
        return list();
    }
    if args.interfaces.is_empty() {
        return Err(Failure::new("which interface? -i NAME; 'overhear live -D' lists them"));
    }
    let config = config(args)?;
    let deaf = Arc::<AtomicBool>::default();
    let options = options(args, Arc::clone(&deaf))?;
    let opened = Opened::new(options).map_err(|error| refused(&error))?;
    let json = target(args.json.as_deref(), &[], &[])?;
    let packets = target(args.write.as_deref(), &[], &[&json])?;
    let lines = target(args.ndjson.as_deref(), &[], &[&json, &packets])?;
    let quiet = args.quiet
        || [&json, &packets, &lines].into_iter().any(|to| matches!(to, Some(Target::Stdout)));
    let layout = output::layout(args.no_color);
    let sensor = args.sensor.clone().or_else(host_name);
    let heard = |to| -> Box<dyn Write + Send> { Box::new(Heard { to, deaf: Arc::clone(&deaf) }) };
    let mut listeners: Vec<Box<dyn Listener>> = Vec::new();
    if let Some(to) = lines {
        listeners.push(Box::new(Ndjson::new(heard(to.begin()), sensor.as_deref())));
    }
    if !quiet {
        listeners.push(Box::new(Lines::new(heard(Box::new(io::stdout())), layout)));
    }
    let live = match opened.listen(packets.map(Target::begin)) {
        Ok(live) => live,
        Err(error) => {
            json.into_iter().for_each(Target::abandon);
            return Err(refused(&error));
        }
    };
    if !args.quiet {
        let names = args.interfaces.join(", ");
        let _ = writeln!(io::stderr(), "overhear: listening on {}; ^C ends", safe(&names));
    }
    let Examined { mut outcome, untold, faults, .. } = engine::live(live, &config, listeners);
    let recording = args.write.as_deref().filter(|path| *path != Path::new("-"));
    outcome.recording = recording.map(|path| path.to_string_lossy().into_owned());
    if let Some(target) = json {
        target.write(|mut out| report::json::write(&mut outcome, config.lanes, &mut out))?;
    }
    if !quiet {
        output::to_stdout(|out| report::terminal::write(&mut outcome, layout, out))?;
    }
    if !args.quiet {
        let dropped: u64 = outcome.capture.dropped.values().sum();
        let (seen, lost) = (grouped(outcome.capture.packets), grouped(dropped));
        let _ = writeln!(io::stderr(), "overhear: {seen} packets seen, {lost} dropped");
    }
    told(untold)?;
    if !faults.is_empty() {
        return Err(Failure(faults));
    }
    Ok(status(&outcome, args.fail_on.map(Severity::from)))
}

/// `-D`.
fn list() -> Result<Status, Failure> {
    let found = interfaces().map_err(|error| refused(&error))?;
    output::to_stdout(|out| {
        for interface in &found {
            writeln!(out, "{:15} {}", safe(&interface.name), safe(&interface.about))?;
        }
        Ok(())
    })?;
    Ok(Status::Done)
}

fn refused(error: &LiveError) -> Failure {
    Failure::new(error.to_string())
}

fn config(args: &Args) -> Result<Config, Failure> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let mut policy = args.secrets.judging(Policy::default())?;
    for setting in &args.limit {
        setting.apply(&mut policy.limits);
    }
    let lanes = args.lanes.unwrap_or_else(cores).min(crate::policy::limits::CELLS);
    Ok(Config {
        keys: keys(&args.secrets.keylog, &args.secrets.rsa_key, &policy.limits)?,
        lanes,
        epoch: Cut::usual(lanes),
        policy,
        ..Config::of(Vec::new())
    })
}

/// What is listened to, and when it ends.
fn options(args: &Args, deaf: Arc<AtomicBool>) -> Result<LiveOptions, Failure> {
    let words = args.words.join(" ");
    let filter = args.filter.clone().unwrap_or(words);
    let filter = (!filter.trim().is_empty()).then_some(filter);
    if let Some(expression) = &filter {
        // What the kernel would say of it is less.
        Filter::new(expression).map_err(|error| {
            Failure::new(format!("the filter '{expression}' is wrong: {error}"))
        })?;
    }
    let (mut packets, mut octets, mut seconds) = (args.count, None::<u64>, f64::INFINITY);
    for stop in &args.autostop {
        match *stop {
            Autostop::Duration(after) => seconds = seconds.min(after),
            Autostop::Packets(n) => packets = Some(packets.map_or(n, |least| least.min(n))),
            Autostop::FileSize(n) => {
                let n = n.saturating_mul(KILO);
                octets = Some(octets.map_or(n, |least| least.min(n)));
            }
        }
    }
    if octets.is_some() && args.write.is_none() {
        return Err(Failure::new("-a filesize needs a file that grows: -w FILE"));
    }
    let asked = signals::asked_to_end()?;
    let running = Stopwatch::start();
    Ok(LiveOptions {
        interfaces: args.interfaces.clone(),
        filter,
        promiscuous: !args.no_promiscuous_mode,
        snap_length: args.snap_length,
        buffer: args.buffer_size << 20,
        packets,
        octets,
        stop: Box::new(move || {
            let ended = [&asked, &deaf].into_iter().any(|flag| flag.load(Ordering::Acquire));
            ended || running.seconds() >= seconds
        }),
        now: clock::now,
    })
}

/// An output that notices when nobody reads it any more: there is no reason to go on then.
struct Heard {
    to: Box<dyn Write + Send>,
    deaf: Arc<AtomicBool>,
}

impl Heard {
    fn note<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if done.is_err() {
            self.deaf.store(true, Ordering::Release);
        }
        done
    }
}

impl Write for Heard {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let done = self.to.write(octets);
        self.note(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.to.flush();
        self.note(done)
    }
}

/// What this host calls itself.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}
