//! `review -w`: the selected packets, or those of calls, as a capture of their own.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Failure;
use super::args::Review;
use super::inputs::is_stdin;
use super::output::{self, Target};
use crate::engine::trace::Trace;
use crate::engine::{Config, cut};
use crate::report::Outcome;
use crate::report::text::grouped;

/// The place for the packets, if they are wanted, found usable before the work begins.
pub(super) fn target(
    path: Option<&Path>,
    inputs: &[PathBuf],
    others: &[&Option<Target>],
) -> Result<Option<Target>, Failure> {
    if path.is_some() && inputs.iter().any(|input| is_stdin(input)) {
        return Err(Failure::new(
            "-w reads its input twice, and stdin can be read only once: write it to a file first",
        ));
    }
    output::target(path, inputs, others)
}

/// Writes the packets and says on stderr how many.
pub(super) fn write(
    config: &Config,
    trace: &Trace,
    outcome: &Outcome,
    target: Target,
    args: &Review,
) -> Result<(), Failure> {
    let calls = (!args.call.is_empty()).then_some(trace);
    if calls.is_some_and(Trace::is_empty) {
        target.abandon();
        return Err(Failure::new(format!(
            "no call has the id or Call-ID '{}'; 'overhear calls FILE' lists them",
            args.call.join("' or '")
        )));
    }
    let mut written = cut::Written::default();
    target.write(|out| {
        written = cut::write(config, calls, outcome, out)?;
        Ok(())
    })?;
    let mut remarks = Vec::new();
    if trace.overflowed() {
        remarks.push("the calls have more messages than can be cut out: some are missing".into());
    }
    if written.unwritable > 0 {
        let left = grouped(written.unwritable);
        remarks.push(format!("{left} packets of unknown interfaces could not be written"));
    }
    if !args.source.quiet {
        let (packets, commented) = (grouped(written.packets), grouped(written.commented));
        remarks.push(format!("{packets} packets written, {commented} with a comment"));
    }
    for remark in remarks {
        let _ = write!(io::stderr(), "{}", Failure::new(remark));
    }
    Ok(())
}
