//! L8: threads, channels, lanes, epochs.

pub mod batch;
pub mod dispatcher;
pub mod lane;
/// Where an epoch ends.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Frames.
    pub frames: usize,
    /// Captured octets.
    pub octets: usize,
}
