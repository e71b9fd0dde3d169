//! The command: argv to [`overhear::cli`] to an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    overhear::cli::run(std::env::args_os().collect())
}
