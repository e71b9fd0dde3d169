//! From the packets of one stream to what can be heard of it, and to proof that it can be.
//!
//! ```text
//! packets ─> Recording ─> Player ─┬─> Measure: seconds, activity, hash, envelope (no content)
//!            in order     in time ├─> Line ─> WAV
//!               └─> container ─> ffmpeg, if there is one: codecs without a decoder here
//! ```
//!
//! Nothing here runs unless a call was asked for; nothing is written unless revealing was.

pub mod container;
pub mod envelope;
pub mod events;
pub mod external;
pub mod format;
pub mod heard;
pub mod line;
pub mod measure;
mod ogg;
pub mod player;
pub mod recording;
pub mod wav;

/// The longest stream that is listened to, seconds: six hours.
pub const LONGEST: u64 = 6 * 3_600;

/// Octets of payload kept of one stream: G.711 of [`LONGEST`] and half as much again.
pub const OCTETS: usize = 256 << 20;

/// Octets of payload kept of all streams of one run.
pub const OCTETS_IN_ALL: usize = 1 << 30;
