//! What correlation hands on after one event; the collector drains it.

use std::sync::Arc;

use super::call_record::FinishedCall;
use super::exchange::Exchange;
use super::registration::FinishedRegistration;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::id::RecordKey;
use crate::model::record::Side;
use crate::model::time::Ts;

/// Everything that became known.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Finished calls.
    pub calls: Vec<FinishedCall>,
    /// Finished registrations.
    pub registrations: Vec<FinishedRegistration>,
    /// Calls that an INVITE has made beside another one, with that one first: the caller's
    /// announcements are those of both.
    pub forks: Vec<(RecordKey, RecordKey)>,
    /// SDP says: media is expected there.
    pub announcements: Vec<Announcement>,
    /// Offers about security that have met their answers.
    pub exchanges: Vec<Exchange>,
    /// Calls that were answered, with the time; refused ones with [`Ts::MAX`].
    pub answered: Vec<(RecordKey, Ts)>,
    /// What is seldom said of a call.
    pub asides: Vec<(RecordKey, Ts, Aside)>,
    /// Calls whose announcements may expire, with the end of the dialog; [`Ts::MAX`] for a call
    /// that was still open when the capture ended.
    pub released: Vec<(RecordKey, Ts)>,
}

/// Finished calls that wait in the outbox at most: many calls can end at one moment.
const FULL: usize = 256;

impl Outbox {
    /// Whether there is nothing to take out.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
            && self.registrations.is_empty()
            && self.forks.is_empty()
            && self.announcements.is_empty()
            && self.exchanges.is_empty()
            && self.answered.is_empty()
            && self.asides.is_empty()
            && self.released.is_empty()
    }

    /// Whether the finished calls should be taken out before more are put in.
    pub fn is_full(&self) -> bool {
        self.calls.len() >= FULL
    }
}

/// What few calls say of their media as a whole.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Aside {
    /// From now on less audio is to flow than before.
    Pauses {
        /// A side holds it (RFC 3264 §8.4); else pictures of T.38 take its place (ITU-T T.38 annex D).
        held: bool,
    },
    /// It is to flow again.
    Resumes,
    /// It is sent to a recorder (RFC 7866).
    Recorded,
}

/// An address at which one side of a call expects media (RFC 3264 §5).
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The call.
    pub call: RecordKey,
    /// The message that says so.
    pub at: FrameRef,
    /// Its place in the total order.
    pub ordinal: u64,
    /// Highest capture time when it was seen.
    pub watermark: Ts,
    /// Whose address it is: media is received there, and normally sent from there.
    pub side: Side,
    /// It stands in an answer.
    pub answer: bool,
    /// When the call was answered, if it was by then: see [`Outbox::answered`].
    pub answered: Option<Ts>,
    /// Index of the m-line, from 0.
    pub mline: u8,
    /// Connection address and port; port 0 and 0.0.0.0 are never announced.
    pub endpoint: Endpoint,
    /// Where RTCP is expected; `None` when it shares the port.
    pub rtcp: Option<Endpoint>,
    /// `a=ssrc` values, at most 4.
    pub ssrcs: Vec<u32>,
    /// `a=zrtp-hash` values, the first 64 bits of each, at most 4 (RFC 6189 §8.1).
    pub zrtp: Vec<u64>,
    /// An ICE candidate rather than the c= and m= lines.
    pub candidate: bool,
    /// The medium, shared by all calls that describe it equally.
    pub media: Arc<MediaDescription>,
}

/// What one m-line says apart from addresses, ports and keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MediaDescription {
    /// Stable hash of all the rest: descriptions that differ nearly always differ here.
    pub digest: u64,
    /// `audio`, `video`, `image`, ...
    pub kind: String,
    /// `RTP/AVP`, ...
    pub profile: String,
    /// Payload type, encoding name, clock rate in Hz (0 when not given), in the order of the
    /// m-line; static types without `a=rtpmap` have an empty name.
    pub codecs: Vec<(u8, String, u32)>,
    /// `a=crypto` (RFC 4568).
    pub crypto: bool,
    /// `a=fingerprint` (RFC 8122).
    pub fingerprint: bool,
    /// `a=zrtp-hash` (RFC 6189).
    pub zrtp: bool,
    /// `a=key-mgmt:mikey` (RFC 4567).
    pub mikey: bool,
    /// `a=rtcp-mux` (RFC 5761).
    pub rtcp_mux: bool,
    /// RTP in a secure profile: `RTP/SAVP` and the like.
    pub secure: bool,
    /// RTP in another profile.
    pub plain: bool,
    /// Capability negotiation (RFC 5939).
    pub capable: bool,
}
