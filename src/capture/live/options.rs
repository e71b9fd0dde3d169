//! What is listened to, and when it ends.

use crate::model::time::Ts;

/// What is listened to, and how.
pub struct LiveOptions {
    /// Names of interfaces, `any` for all.
    pub interfaces: Vec<String>,
    /// A filter that the kernel applies.
    pub filter: Option<String>,
    /// Also what is not addressed to this host.
    pub promiscuous: bool,
    /// Octets of a packet that are captured.
    pub snap_length: u32,
    /// Octets that the kernel may hold for each interface.
    pub buffer: u32,
    /// The end after so many packets.
    pub packets: Option<u64>,
    /// The end after so many octets written.
    pub octets: Option<u64>,
    /// Asked a few times a second: whether it is time to end.
    pub stop: Box<dyn Fn() -> bool + Send>,
    /// The time of day, as packets are stamped.
    pub now: fn() -> Ts,
}
