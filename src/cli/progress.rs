//! The progress bar of long reviews: on stderr, and only if a person looks at it.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::Progress;

/// A bar, or nothing.
#[derive(Debug)]
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar, unless it is unwanted or stderr is no terminal.
    pub(super) fn new(quiet: bool) -> Self {
        let shown = !quiet && io::stderr().is_terminal();
        Self(shown.then(|| ProgressBar::no_length().with_style(unmeasured())))
    }

    /// Shows how far the work is.
    pub(super) fn update(&self, progress: &Progress) {
        let Some(bar) = &self.0 else { return };
        if let Some(total) = progress.total.filter(|total| bar.length() != Some(*total)) {
            bar.set_length(total);
            bar.set_style(measured());
        }
        bar.set_position(progress.octets);
        bar.set_message(format!("{} packets", progress.packets));
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// For input whose length is known: a file.
fn measured() -> ProgressStyle {
    style("{bar:20} {percent:>3} % {binary_bytes_per_sec:>12}, {eta} left, {msg}")
}

/// For a pipe.
fn unmeasured() -> ProgressStyle {
    style("{spinner} {binary_bytes} {binary_bytes_per_sec:>12}, {msg}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
