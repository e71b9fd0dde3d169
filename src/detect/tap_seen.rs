//! What rules see of the tap itself, and of the capture at its end.

use super::tap_loss::LossySecond;
use crate::model::addr::Endpoint;
use crate::model::capture::CaptureRecord;
use crate::model::evidence::FrameRef;
use crate::model::notes::Marked;
use crate::model::time::Span;
use crate::policy::Policy;

/// What the tap tells about itself. SIP and RTP cuts are told by [`SipSeen`] and [`StreamSeen`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TapSeen {
    /// A stream lost packets in this second of capture time (once per stream and second).
    StreamLoss {
        /// Seconds since the Unix epoch.
        second: i64,
        /// The stream: [`StreamKey::hash64`](crate::model::stream::StreamKey::hash64).
        stream: u64,
        /// The packet after the gap.
        at: FrameRef,
    },
    /// TLS records without a handshake in the capture; once per connection.
    MidstreamTls {
        /// Who sent the first record seen.
        src: Endpoint,
        /// To whom.
        dst: Endpoint,
        /// The record.
        at: FrameRef,
    },
    /// Packets that were seen a second time.
    Duplicate {
        /// The first of these copies.
        at: FrameRef,
        /// How many.
        frames: u64,
    },
    /// A SIP datagram was seen with one DSCP, and once more with another; a few of them.
    Remarked {
        /// Who sent it.
        src: Endpoint,
        /// To whom.
        dst: Endpoint,
        /// The two sightings.
        marked: Marked,
    },
    /// Capture time went backwards within one source.
    BackwardJump {
        /// By how much, positive.
        by: Span,
        /// The frame that is earlier than the one before.
        at: FrameRef,
    },
    /// The snap length cut a TLS or DTLS handshake; anything else of which content was needed.
    Clipped {
        /// What it was, for a person: "TLS handshake".
        what: &'static str,
        /// The frame.
        at: FrameRef,
    },
    /// A flow with RTP-like headers that is not RTP; once per flow.
    Lookalike {
        /// Who sent its first packet.
        src: Endpoint,
        /// To whom.
        dst: Endpoint,
        /// That packet.
        at: FrameRef,
        /// Its packets.
        packets: u64,
        /// The payload type, if all of the first packet's header was of the simplest kind.
        plain: Option<u8>,
    },
}

/// The capture at its end.
#[derive(Copy, Clone, Debug)]
pub struct CaptureSeen<'a> {
    /// Sources, drops and evictions.
    pub record: &'a CaptureRecord,
    /// The first frame.
    pub first: FrameRef,
    /// The last frame.
    pub last: FrameRef,
    /// Thresholds and limits in force.
    pub policy: &'a Policy,
    /// Seconds in which the tap lost packets; the rules' own record of it, which
    /// [`super::Detectors::finish`] fills in.
    pub lossy_seconds: &'a [LossySecond],
}
