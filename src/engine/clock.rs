//! The one file that reads a clock. Nothing that it says reaches a tracker, a detector or a
//! report: it paces progress bars and live ticks, and ends what shall last so long.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::model::time::Ts;

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

/// The time of day, as the kernel stamps packets.
#[expect(clippy::disallowed_methods, reason = "this is the file that may")]
pub fn now() -> Ts {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ts::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
