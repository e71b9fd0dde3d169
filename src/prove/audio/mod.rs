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
pub mod length;
pub mod line;
pub mod measure;
mod ogg;
pub mod player;
pub mod recording;
pub mod wav;
