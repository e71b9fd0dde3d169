//! `review -w`: the selected packets, or those of calls, as a capture of their own.

use std::io::{self, Write as _};

use super::Failure;
use super::args::Review;
use super::output::Target;
use crate::engine::trace::Trace;
use crate::engine::{Config, cut};
use crate::report::Outcome;
use crate::report::text::grouped;

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
