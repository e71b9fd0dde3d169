//! QUIC connections of one cell, as far as their ClientHello: what it asks for shows that they are not SIP,
//! or are. Their packets are booked as `not-voip` all the same, for nothing more of them can be read.
//!
//! A flow is remembered until so many others have begun that its place is taken.

use std::collections::VecDeque;

use overhear_parsers::quic::Initial;

use crate::dissect::quic_hello::QuicHello;
use crate::model::addr::Endpoint;
use crate::model::evidence::FrameRef;
use crate::model::fact::{Body, length};

use super::emit::Emitter;
use super::input::Input;

/// Name in `evicted` of hellos of which parts were still missing when their place was taken.
pub(super) const TABLE: &str = "quic_hellos";

/// Flows of a cell that are remembered.
const FLOWS: usize = 16;

/// The latest flows of one cell, the oldest first.
#[derive(Debug, Default)]
pub(super) struct QuicFlows {
    flows: VecDeque<Flow>,
    evicted: u64,
}

#[derive(Debug)]
struct Flow {
    hash: u64,
    client: Endpoint,
    first: FrameRef,
    /// `None` when it was told of.
    hello: Option<Box<QuicHello>>,
}

impl QuicFlows {
    /// Hellos that were given up for want of room.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Takes a datagram that is nothing else; one with Initial packets of a client is looked into.
    pub(super) fn datagram(&mut self, input: &Input, payload: &[u8], emit: &mut Emitter<'_>) {
        let mut rest = payload;
        while let Some((initial, after)) = Initial::read(rest) {
            self.initial(input, &initial, emit);
            rest = after;
        }
    }

    fn initial(&mut self, input: &Input, initial: &Initial<'_>, emit: &mut Emitter<'_>) {
        let known = self.flows.iter().position(|flow| flow.hash == input.flow);
        if known.is_none() {
            let Some(hello) = QuicHello::begin(initial) else { return };
            self.insert(input, hello);
        }
        let place = known.unwrap_or(self.flows.len().saturating_sub(1));
        let Some(flow) = self.flows.get_mut(place) else { return };
        let Some(hello) = flow.hello.as_mut().filter(|_| flow.client == input.packet.src) else {
            return;
        };
        if known.is_some()
            && !hello.packet(initial)
            && let Some(again) = QuicHello::begin(initial)
        {
            // After a Retry the keys follow from another connection ID (RFC 9001 §5.2).
            **hello = again;
        }
        if let Some(message) = hello.whole() {
            let start = length(emit.epoch.octets.len());
            emit.epoch.octets.extend_from_slice(message);
            let message = start..length(emit.epoch.octets.len());
            let (client, server) = (input.packet.src, input.packet.dst);
            let cited = emit.cite(flow.first);
            emit.fact(Body::QuicHello { client, server, message });
            emit.cite(cited);
            flow.hello = None;
        }
    }

    fn insert(&mut self, input: &Input, hello: QuicHello) {
        if self.flows.len() >= FLOWS
            && let Some(gone) = self.flows.pop_front()
        {
            self.evicted += u64::from(gone.hello.is_some());
        }
        let (hash, client, first) = (input.flow, input.packet.src, input.frame_ref());
        self.flows.push_back(Flow { hash, client, first, hello: Some(Box::new(hello)) });
    }
}
