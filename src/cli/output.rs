//! Where reports go: stdout, files, and how wide and colourful the terminal is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use super::Failure;
use super::inputs::is_stdin;
use crate::report::text::Layout;

/// Octets gathered before they are written.
const BUFFER: usize = 64 << 10;

/// Narrowest and widest layout.
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=160;

/// Writes to stdout. A reader that went away is no failure.
pub(super) fn to_stdout(
    write: impl FnOnce(&mut BufWriter<io::StdoutLock<'static>>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let done = write(&mut out).and_then(|()| out.flush());
    // What is still buffered could only fail again.
    let _ = out.into_parts();
    forgive(done).map_err(|error| Failure::new(format!("stdout cannot be written: {error}")))
}

fn forgive(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// A place for a report, found usable before the work begins.
#[derive(Debug)]
pub(super) enum Target {
    /// stdout.
    Stdout,
    /// A file.
    File {
        path: PathBuf,
        file: File,
        /// It did not exist before: it is removed again if nothing is written.
        made: bool,
    },
}

impl Target {
    /// Opens `path`, without touching what is in it yet. An input is refused: it is evidence.
    pub(super) fn open(path: &Path, inputs: &[PathBuf]) -> Result<Self, Failure> {
        if is_stdin(path) {
            return Ok(Self::Stdout);
        }
        if let Ok(own) = fs::canonicalize(path) {
            let is_input =
                |input: &PathBuf| fs::canonicalize(input).is_ok_and(|input| input == own);
            if inputs.iter().any(is_input) {
                let path = path.display();
                return Err(Failure::new(format!(
                    "{path}: is an input and will not be overwritten"
                )));
            }
        }
        let made = !path.exists();
        match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
            Ok(file) => Ok(Self::File { path: path.to_owned(), file, made }),
            Err(error) => Err(unwritable(path, &error)),
        }
    }

    /// Writes the report.
    pub(super) fn write(
        self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        match self {
            Self::Stdout => to_stdout(|out| write(out)),
            Self::File { path, file, .. } => {
                // A device or a pipe has no length to cut.
                let _ = file.set_len(0);
                let mut out = BufWriter::with_capacity(BUFFER, file);
                let done = write(&mut out).and_then(|()| out.flush());
                forgive(done).map_err(|error| unwritable(&path, &error))
            }
        }
    }

    /// An output that is written while the work goes on. What stands in a file is gone with the
    /// first octet; a file made for it that gets none is removed.
    pub(super) fn begin(self) -> Box<dyn Write + Send> {
        Box::new(Begun { waiting: Some(self), out: None })
    }

    /// Nothing will be written.
    pub(super) fn abandon(self) {
        if let Self::File { path, made: true, .. } = self {
            let _ = fs::remove_file(path);
        }
    }
}

/// A target that is written piece by piece.
struct Begun {
    /// Before the first octet.
    waiting: Option<Target>,
    out: Option<Box<dyn Write + Send>>,
}

impl Write for Begun {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let out = self.out.get_or_insert_with(|| match self.waiting.take() {
            Some(Target::File { file, .. }) => {
                // A device or a pipe has no length to cut.
                let _ = file.set_len(0);
                Box::new(BufWriter::with_capacity(BUFFER, file))
            }
            Some(Target::Stdout) | None => Box::new(io::stdout()),
        });
        out.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(target) = self.waiting.take() {
            target.abandon();
        }
    }
}

/// Opens one of several outputs, if it is wanted. Only one can be stdout.
pub(super) fn target(
    path: Option<&Path>,
    inputs: &[PathBuf],
    others: &[&Option<Target>],
) -> Result<Option<Target>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let taken = others.iter().any(|other| matches!(other, Some(Target::Stdout)));
    if is_stdin(path) && taken {
        return Err(Failure::new("stdout can be written only once: '-' is given twice"));
    }
    Target::open(path, inputs).map(Some)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{}: cannot be written: {error}", path.display()))
}

/// The layout for stdout: `COLUMNS`, else the terminal's width, else 80; colours only on a terminal,
/// and neither against `NO_COLOR` (<https://no-color.org>) nor `--no-color`.
pub(super) fn layout(no_color: bool) -> Layout {
    let terminal = io::stdout().is_terminal();
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = columns.or_else(|| measured().filter(|_| terminal)).unwrap_or(80);
    let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    Layout {
        width: width.clamp(*WIDTHS.start(), *WIDTHS.end()),
        colour: terminal && !no_color && !forbidden && !dumb,
    }
}
