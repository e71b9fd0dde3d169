//! One SIP message on its way to the collector.

use overhear_parsers::sip::Message;

use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::fact::SipNames;
use crate::model::time::Ts;
use crate::model::transport::Transport;

/// One SIP message as the collector sees it.
#[derive(Copy, Clone, Debug)]
pub struct SipEvent<'a> {
    /// Frame and capture time.
    pub at: FrameRef,
    /// Place in the total order.
    pub ordinal: u64,
    /// Highest capture time so far: the collector's "now".
    pub watermark: Ts,
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// How it travelled.
    pub transport: Transport,
    /// The message, borrowed from the epoch's octets.
    pub message: Message<'a>,
    /// By what its dialog and its transaction are found.
    pub names: SipNames,
    /// The snap length cut the datagram.
    pub clipped: bool,
    /// Readable only because a key was given.
    pub encrypted: bool,
}
