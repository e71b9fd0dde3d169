//! L2: capture files and pipes to frames.
//!
//! ```text
//! Stream [-> Packed] -> Input (mapping or blocks) -> pcap / pcapng reader over a slice -> Chunk -> Merge -> batches
//! ```
//!
//! One parser over a byte slice serves mapped files, read files and pipes; see
//! `docs/decisions/0003-reading-files.md` for why it is our own. A reader never copies packets: a
//! [`RawFrame`](crate::model::frame::RawFrame) is a range of a shared [`Backing`]. What a file
//! says that is not true is counted ([`Oddities`]) or ends it with a [`Fault`]; it is never fatal
//! for a file whose beginning was a capture.
//!
//! Packets of live interfaces come as blocks of the same kind: `interfaces` (libpcap, a thread
//! each) -> `live` (one order) -> `Merge` -> batches.
//!
//! Not here: anything inside a packet.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::as_conversions))]

mod backing;
mod bpf;
mod codec;
mod error;
mod facts;
mod filter;
mod input;
mod interface;
mod interfaces;
mod kept;
mod live;
mod merge;
mod mmap;
mod options;
mod order;
mod packed;
mod pcap;
mod pcapng;
mod raw;
mod select;
mod source;
mod stream;
mod words;
mod write;

pub use backing::{Backing, Chunk};
pub use error::CaptureError;
pub use facts::{
    Fault, FaultKind, Format, InterfaceStatistics, Oddities, Secrets, SourceFacts, Via,
};
pub use filter::{Filter, FilterError};
pub use interfaces::{Interface, interfaces};
pub use kept::Kept;
pub use live::{Live, LiveError, LiveOptions, Opened, Recorder};
pub use merge::{Merge, MergedBatch};
pub use mmap::Mapping;
pub use packed::{Compression, Spoilt, Unpacking};
pub use select::{Selection, Taken};
pub use source::{MAX_FRAMES, OpenOptions, Source};
pub use write::{PcapWriter, PcapngWriter};
