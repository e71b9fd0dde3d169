//! The command: argv to [`overhear::cli`] to an exit status.

fn main() {}
