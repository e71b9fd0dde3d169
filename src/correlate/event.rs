//! One SIP message on its way to the collector.

use overhear_parsers::sip::{Anomalies, Message};

use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::fact::{Carriage, HepCopy, SipMarks, SipNames};
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
    /// What is off in it: see [`crate::model::fact::SipFact::faults`].
    pub faults: Anomalies,
    /// What it shows at a glance.
    pub marks: SipMarks,
    /// The snap length cut the datagram.
    pub clipped: bool,
    /// Readable only because a key was given.
    pub encrypted: bool,
    /// It is a copy that a capture agent sent in HEP; `at` is when and where the copy was captured.
    pub hep: Option<HepCopy>,
    /// How its IP packets travelled.
    pub carriage: Carriage,
}

impl SipEvent<'_> {
    /// The clock that [`Self::shown`] was read from: that of the capture (0), or of a HEP agent. In
    /// one octet, because every call keeps one: agents 255 apart are taken for one.
    pub(super) fn clock(&self) -> u8 {
        let copy = self.hep.filter(|copy| copy.time.is_some());
        let agent = copy.and_then(|copy| u8::try_from(copy.agent % 255).ok());
        agent.map_or(0, |agent| agent.saturating_add(1))
    }

    /// When the message was sent, as far as `clock` can say: a copy's own time if it was read from
    /// that clock, else when the copy was captured.
    pub(super) fn shown(&self, clock: u8) -> Ts {
        let copy = self.hep.filter(|_| self.clock() == clock);
        copy.and_then(|copy| copy.time).unwrap_or(self.at.time)
    }
}
