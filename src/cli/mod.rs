//! L9: argv to a configuration, to a report, to an exit status.
//!
//! | status | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | done, and a finding at or above `--fail-on` exists |
//! | 2 | bad usage, or an input or output could not be used at all |
//! | 3 | `--fail-on` was given, nothing crossed it, but the evidence was incomplete |
//!
//! stdout carries only the report; everything else goes to stderr. A reader that closes the pipe
//! has had enough: that is no error.

mod args;
mod cut;
mod decrypt;
mod inputs;
mod keys;
mod limits;
mod listen;
mod live;
mod moment;
mod offline;
mod output;
mod progress;
mod review;
mod signals;

use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use crate::report::safe::safe;

/// How the program ends.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Status {
    Done = 0,
    Found = 1,
    Unusable = 2,
    Incomplete = 3,
}

/// Why nothing could be done: sentences, the program's name excepted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure(Vec<String>);

impl Failure {
    fn new(sentence: impl Into<String>) -> Self {
        Self(vec![sentence.into()])
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in &self.0 {
            writeln!(f, "overhear: {}", safe(sentence))?;
        }
        Ok(())
    }
}

/// Runs the program named by `argv`, its own name first.
pub fn run(argv: Vec<OsString>) -> ExitCode {
    let status = match args::parse(argv) {
        Ok(cli) => dispatch(cli).unwrap_or_else(|failure| {
            let _ = write!(std::io::stderr(), "{failure}");
            Status::Unusable
        }),
        Err(error) => {
            // Help and version come this way too, and go to stdout.
            let _ = error.print();
            if error.use_stderr() { Status::Unusable } else { Status::Done }
        }
    };
    ExitCode::from(status as u8)
}

fn dispatch(cli: args::Cli) -> Result<Status, Failure> {
    match cli.command {
        args::Command::Review(args) => review::review(&args, cli.bare),
        args::Command::Live(args) => live::live(&args),
        args::Command::Calls(args) => review::calls(&args),
        args::Command::Ladder(args) => review::ladder(&args),
        args::Command::Listen(args) => listen::listen(&args),
        args::Command::Decrypt(args) => decrypt::decrypt(&args),
        args::Command::Scenario(args) => offline::scenario(&args),
        args::Command::Rules(args) => offline::rules(&args),
        args::Command::Explain(args) => offline::explain(&args),
        args::Command::Schema(args) => offline::schema(&args),
    }
}
