//! Words of the command line to sources: directories are replaced by the captures in them.

use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use super::args::{Source, nearest_command};
use crate::capture::{self, Kept};
use crate::engine::Config;

/// Sources of one review at most: a frame names its source in 16 bits.
const SOURCES: usize = 1 << 16;

/// What is to be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inputs {
    /// Files, and `-` for stdin, in the order given; those of a directory in the order of their
    /// paths.
    pub(super) sources: Vec<PathBuf>,
    /// Sentences about what was left out.
    pub(super) left_out: Vec<String>,
}

/// Finds the sources that the command line names. A path that does not exist is kept: whoever reads
/// it says so, and the others are still read.
pub(super) fn expand(source: &Source) -> Result<Inputs, Failure> {
    let mut inputs = Inputs::default();
    for path in source.files.iter().chain(&source.read) {
        if path.is_dir() {
            directory(path, &mut inputs)?;
        } else {
            inputs.sources.push(path.clone());
        }
    }
    let stdin = inputs.sources.iter().filter(|path| is_stdin(path)).count();
    match inputs.sources.len() {
        _ if stdin > 1 => Err(Failure::new("stdin can be read only once: '-' is given twice")),
        0 if inputs.left_out.is_empty() => {
            Err(Failure::new("no input: name a capture file, a directory, or - for stdin"))
        }
        0 => Err(Failure(inputs.left_out)),
        SOURCES.. => Err(Failure::new(format!("more than {SOURCES} sources"))),
        _ => Ok(inputs),
    }
}

/// Keeps standard input, if it is among the sources of work that reads them more than once.
pub(super) fn keep_stdin(config: &mut Config) -> Result<(), Failure> {
    if config.sources.iter().any(|path| is_stdin(path)) {
        let kept = Kept::stdin(config.policy.limits.spool_octets);
        let wrong = |error| Failure::new(format!("-: cannot be kept to be read twice: {error}"));
        config.stdin = Some(kept.map_err(wrong)?);
    }
    Ok(())
}

/// Whether the path stands for stdin.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses a first word that is neither a command nor a file, if it looks like a slip or nothing
/// else could be read anyway.
pub(super) fn check_first_word(source: &Source) -> Result<(), Failure> {
    let Some(first) = source.files.first().filter(|path| !is_stdin(path) && !exists(path)) else {
        return Ok(());
    };
    let word = first.to_string_lossy();
    if let Some(command) = nearest_command(&word) {
        return Err(Failure::new(format!(
            "'{word}' is neither a command nor an existing file; did you mean '{command}'?"
        )));
    }
    let others = source.files.iter().chain(&source.read);
    if others.into_iter().any(|path| is_stdin(path) || exists(path)) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "'{word}' is neither a command nor an existing file; 'overhear --help' lists the commands"
    )))
}

/// Whether something is there, readable or not.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Adds the captures below `path`. Links to directories are not followed, so the walk ends.
fn directory(path: &Path, inputs: &mut Inputs) -> Result<(), Failure> {
    let unreadable = |path: &Path, error| format!("{}: cannot be listed: {error}", path.display());
    let (mut found, mut other) = (Vec::new(), 0_u64);
    let mut waiting = vec![path.to_owned()];
    while let Some(folder) = waiting.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                inputs.left_out.push(unreadable(&folder, error));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(path);
            } else if is_capture(&path) {
                found.push(path);
            } else {
                other = other.saturating_add(1);
            }
        }
        if found.len() > SOURCES {
            return Err(Failure::new(format!("{}: more than {SOURCES} captures", path.display())));
        }
    }
    found.sort();
    if found.is_empty() {
        inputs.left_out.push(format!("{}: no pcap or pcapng file in it", path.display()));
    } else if other > 0 {
        let sentence = format!(
            "{}: {other} other files in it are not captures and were not read",
            path.display()
        );
        inputs.left_out.push(sentence);
    }
    inputs.sources.append(&mut found);
    Ok(())
}

/// Whether a regular file is a capture, compressed or not; its name does not matter.
fn is_capture(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file()) && capture::Source::is_capture(path)
}
