//! The one file that reads a clock. Nothing that it says reaches a tracker, a detector or a
//! report: it paces progress bars, and later live ticks.

use std::time::Instant;

/// Time since a start, for people.
#[derive(Copy, Clone, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "this is the file that may")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
