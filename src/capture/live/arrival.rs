//! What the thread of an interface hands over.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::model::frame::RawFrame;

/// What the threads hand over.
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "without libpcap nothing listens"))]
pub(in crate::capture) enum Arrival {
    /// Packets of an interface.
    Block { interface: u16, octets: Arc<Vec<u8>>, frames: Vec<RawFrame> },
    /// An interface has no more, for this reason.
    Failed(String),
}

/// What the kernel counted on one interface.
#[derive(Debug, Default)]
pub(in crate::capture) struct Counters {
    /// Packets that passed the filter, the dropped ones too.
    pub(in crate::capture) received: AtomicU64,
    /// Packets for which the kernel had no room.
    pub(in crate::capture) kernel: AtomicU64,
    /// Packets that the interface or its driver lost.
    pub(in crate::capture) interface: AtomicU64,
}
