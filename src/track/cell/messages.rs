//! SIP in datagrams: the message itself, and copies that capture agents send in HEP.

use overhear_parsers::sip;

use super::{Ahead, Cell};
use crate::decode::hep;
use crate::model::addr::Proto;
use crate::model::fact::HepCopy;
use crate::model::tally::Handled;
use crate::model::transport::Transport;
use crate::track::emit::Emitter;
use crate::track::input::Input;
use crate::track::sip_fact::{Way, sip_fact};

impl Cell {
    /// A SIP message in a datagram.
    #[inline(never)]
    pub(super) fn sip_datagram(
        &mut self,
        input: &Input,
        payload: &[u8],
        ahead: &Ahead<'_>,
        emit: &mut Emitter<'_>,
    ) {
        self.passed.add(input, ahead);
        self.shared.tally.handled(Handled::Sip, u64::from(input.frames));
        sip_fact(&Way::of(input, Transport::Udp, None), payload, emit);
    }

    /// A copy of a message that a capture agent sent. Copies of SIP are read, others counted.
    pub(super) fn hep(&mut self, input: &Input, octets: &[u8], emit: &mut Emitter<'_>) {
        self.shared.tally.handled(Handled::Hep, u64::from(input.frames));
        let Some(copy) = hep::read(octets, u32::MAX) else { return };
        if copy.payload_type == hep::SIP && sip::probe(copy.payload) {
            let transport = match copy.proto {
                Proto::TCP => Transport::Tcp,
                Proto::SCTP => Transport::Sctp,
                // What agents write for TLS, for want of a number of its own.
                Proto(22) => Transport::Tls,
                _ => Transport::Udp,
            };
            let origin = HepCopy { agent: copy.agent, time: copy.time };
            sip_fact(&Way::of(input, transport, Some(origin)), copy.payload, emit);
        }
    }
}
