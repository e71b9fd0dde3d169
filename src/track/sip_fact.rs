//! The fact of a SIP message that came whole: in a datagram, a chunk or a frame.

use overhear_parsers::sip::{self, Anomalies, Message};

use crate::decode::Packet;
use crate::dissect::sip_marks::sip_marks;
use crate::dissect::sip_names::sip_names;
use crate::dissect::sip_stream::Found;
use crate::model::addr::Endpoint;
use crate::model::fact::{Body, Carriage, HepCopy, SipFact, length};
use crate::model::transport::Transport;

use super::emit::Emitter;
use super::input::Input;

/// What carried a message, and from whom to whom.
#[derive(Copy, Clone, Debug)]
pub(super) struct Way {
    pub(super) src: Endpoint,
    pub(super) dst: Endpoint,
    pub(super) transport: Transport,
    /// The snap length cut it.
    pub(super) clipped: bool,
    /// It travelled encrypted and was opened.
    pub(super) encrypted: bool,
    /// It is a copy that a capture agent sent.
    pub(super) hep: Option<HepCopy>,
    /// How its IP packets travelled.
    pub(super) carriage: Carriage,
}

impl Way {
    /// That of a datagram.
    pub(super) fn of(input: &Input, transport: Transport, hep: Option<HepCopy>) -> Self {
        let Packet { src, dst, clipped, dscp, fragment, .. } = input.packet;
        let fragments = match fragment {
            Some(joined) if !joined.tunnel => u8::try_from(joined.frames).unwrap_or(u8::MAX),
            _ => 1,
        };
        let carriage = Carriage { dscp: Some(dscp), fragments };
        Self { src, dst, transport, clipped, encrypted: false, hep, carriage }
    }

    /// Within a stream or an association, of whose IP packets nothing is known.
    pub(super) fn within(
        (src, dst): (Endpoint, Endpoint),
        transport: Transport,
        clipped: bool,
        encrypted: bool,
    ) -> Self {
        let carriage = Carriage::default();
        Self { src, dst, transport, clipped, encrypted, hep: None, carriage }
    }
}

/// Emits the fact of a message; of octets that are none, nothing.
pub(super) fn sip_fact(way: &Way, octets: &[u8], emit: &mut Emitter<'_>) {
    let start = length(emit.epoch.spans.len());
    let Ok(layout) = sip::parse_datagram(octets, &mut emit.epoch.spans) else { return };
    let spans = start..length(emit.epoch.spans.len());
    let message = Message::new(octets, layout, emit.epoch.spans(&spans));
    let names = sip_names(&message, way.src, way.dst);
    let faults = if way.clipped { Anomalies::NONE } else { message.faults() };
    let marks = sip_marks(&message);
    let octets = emit.epoch.keep(octets);
    emit.fact(Body::Sip(SipFact {
        src: way.src,
        dst: way.dst,
        transport: way.transport,
        octets,
        spans,
        layout,
        names,
        faults,
        marks,
        clipped: way.clipped,
        encrypted: way.encrypted,
        hep: way.hep,
        carriage: way.carriage,
    }));
}

/// Emits the fact of a message found in a byte stream.
pub(super) fn found_fact(way: &Way, found: &Found<'_>, emit: &mut Emitter<'_>) {
    let message = Message::new(found.octets, found.layout, found.spans);
    let names = sip_names(&message, way.src, way.dst);
    let clipped = found.cut && way.clipped;
    let faults = if clipped { Anomalies::NONE } else { message.faults() };
    let marks = sip_marks(&message);
    let octets = emit.epoch.keep(found.octets);
    let start = length(emit.epoch.spans.len());
    emit.epoch.spans.extend_from_slice(found.spans);
    emit.fact(Body::Sip(SipFact {
        src: way.src,
        dst: way.dst,
        transport: way.transport,
        octets,
        spans: start..length(emit.epoch.spans.len()),
        layout: found.layout,
        names,
        faults,
        marks,
        clipped,
        encrypted: way.encrypted,
        hep: way.hep,
        carriage: way.carriage,
    }));
}
