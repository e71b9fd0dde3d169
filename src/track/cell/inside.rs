//! Packets inside others: connections that carry datagrams, and what TURN carries (RFC 8656). Each
//! takes the road of a datagram of its own; its frame is evidence, and booked once. TURN inside TURN
//! is not opened.

use overhear_parsers::demux::{self, Kind};
use overhear_parsers::stun::{self, Class};

use crate::model::addr::Proto;
use crate::model::fact::length;
use crate::model::stream::Relay;
use crate::model::tally::Handled;
use crate::track::emit::Emitter;
use crate::track::input::Input;
use crate::track::stream::Sought;

use super::Cell;

impl Cell {
    /// Takes a TCP segment or an SCTP packet, and the datagrams that it makes whole.
    pub(super) fn connection(&mut self, input: &Input, payload: &[u8], emit: &mut Emitter<'_>) {
        if input.packet.proto == Proto::SCTP {
            return self.sctp.packet(input, payload, &mut self.shared, emit);
        }
        self.tcp.packet(input, payload, &mut self.shared, emit);
        if self.shared.datagrams.is_empty() {
            return;
        }
        let mut datagrams = std::mem::take(&mut self.shared.datagrams);
        for (src, dst, datagram) in datagrams.iter() {
            let mut inner = *input;
            (inner.packet.src, inner.packet.dst) = (src, dst);
            // What reassembly gives out is whole.
            inner.packet.wire_payload_len = inner.packet.payload_len;
            inner.packet.clipped = false;
            // A segment may carry several.
            inner.wire_len = length(datagram.len());
            self.framed(&inner, datagram, emit);
        }
        datagrams.clear();
        self.shared.datagrams = datagrams;
    }

    /// A datagram that a byte stream carried; its frames are booked with the connection's.
    fn framed(&mut self, input: &Input, datagram: &[u8], emit: &mut Emitter<'_>) {
        let handled = match demux::classify(datagram) {
            Kind::Stun => self.turn_message(input, datagram, emit),
            Kind::TurnChannel => self.turn_channel(input, stun::channel_data(datagram), emit),
            _ => self.inside(input, datagram, None, emit),
        };
        let inner = &mut self.shared.inner;
        match handled {
            Some(Handled::Rtcp) => inner.rtcp += 1,
            Some(Handled::Srtcp) => inner.srtcp += 1,
            Some(Handled::Stun) => inner.stun += 1,
            _ => {}
        }
    }

    /// A STUN message: what its frame is booked under; RTP if a stream books it.
    pub(super) fn turn_message(
        &mut self,
        input: &Input,
        datagram: &[u8],
        emit: &mut Emitter<'_>,
    ) -> Option<Handled> {
        let message = stun::Message::parse(datagram).ok()?;
        if message.class == Class::Success && message.method == stun::BINDING {
            self.dtls.check(input.flow);
        }
        let carried = self.turn.message(input, &message);
        let inside = carried.and_then(|(data, relay)| self.inside(input, data, Some(relay), emit));
        inside.or(Some(Handled::Stun))
    }

    /// Channel data: the same.
    pub(super) fn turn_channel(
        &mut self,
        input: &Input,
        carried: Option<(u16, &[u8])>,
        emit: &mut Emitter<'_>,
    ) -> Option<Handled> {
        let (channel, data) = carried?;
        let relay = self.turn.channel(input, channel);
        self.inside(input, data, relay, emit).or(Some(Handled::Turn))
    }

    /// The inner datagram: RTP if a stream took it, `None` if it is nothing of ours.
    fn inside(
        &mut self,
        input: &Input,
        datagram: &[u8],
        relay: Option<Relay>,
        emit: &mut Emitter<'_>,
    ) -> Option<Handled> {
        if let Ok(header) = demux::rtp(datagram) {
            if let Some(relay) = relay {
                let key = input.stream_key(header.ssrc);
                let begins = self.streams.find(key.hash64(), &key).is_none();
                self.turn.stream(key, relay, begins);
            }
            let hash = input.stream_key(header.ssrc).hash64();
            self.rtp(input, &header, Sought::of(hash), emit);
            return Some(Handled::Rtp);
        }
        self.media(input, datagram, demux::classify(datagram), emit)
    }
}
