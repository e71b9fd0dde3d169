//! TURN (RFC 8656): which peers a client speaks to through which relay, so that the streams inside
//! can be found by the addresses that SDP names.
//!
//! Learned of a client's flow to its server: the relayed address from Allocate responses, channels
//! from `ChannelBind` requests. A stream keeps the outer addresses as its own, for those are where it
//! was seen: the same packets pass from the sender to the server and from there to the receiver.
//! Permissions and lifetimes are not checked.

use hashbrown::HashMap;
use overhear_parsers::stun::{self, Class, Message};

use crate::model::addr::{Endpoint, STABLE};
use crate::model::stream::{Relay, StreamEnded, StreamKey};
use crate::model::time::Ts;
use crate::policy::Limits;

use super::flow_table::FlowTable;
use super::input::Input;

/// Name of the table in `evicted`.
pub const TABLE: &str = "turn_flows";

/// Octets of one flow, and of one stream in it.
pub const ENTRY: usize = FlowTable::<Client>::ENTRY + 2 * (size_of::<(StreamKey, Relay)>() + 1);

/// Channels remembered of one flow; the oldest gives way.
const CHANNELS: usize = 4;

/// One client of one server.
#[derive(Copy, Clone, Debug)]
pub struct Client {
    addr: Endpoint,
    /// Where its peers see it.
    relayed: Option<Endpoint>,
    /// Channels with their peers; number 0 is none.
    channels: [(u16, Endpoint); CHANNELS],
    /// Where the next channel goes.
    next: u8,
}

/// The clients of one cell, and the streams they send and receive.
#[derive(Debug)]
pub struct TurnFlows {
    clients: FlowTable<Client>,
    streams: HashMap<StreamKey, Relay, foldhash::quality::FixedState>,
    cap: usize,
    refused: u64,
}

impl TurnFlows {
    /// A table with one cell's share of the limits.
    pub fn new(limits: &Limits) -> Self {
        let cap = Limits::per_cell(limits.turn_flows);
        Self {
            clients: FlowTable::new(cap, limits.tcp_idle),
            streams: HashMap::with_hasher(STABLE),
            cap,
            refused: 0,
        }
    }

    /// Flows given up, and streams not remembered, for lack of room.
    pub fn evicted(&self) -> u64 {
        self.clients.evicted() + self.refused
    }

    /// When the first timer is due, at the earliest.
    pub fn next_timer(&self) -> Option<Ts> {
        self.clients.next_timer()
    }

    /// Forgets flows that have been silent for too long.
    pub fn advance(&mut self, watermark: Ts) {
        self.clients.advance(watermark, &mut |_| {});
    }

    /// Learns from a message, and gives the datagram that it carries with the addresses that it has
    /// outside: those of an indication.
    pub fn message<'a>(
        &mut self,
        input: &Input,
        message: &Message<'a>,
    ) -> Option<(&'a [u8], Relay)> {
        let (src, dst) = (input.packet.src, input.packet.dst);
        match (message.method, message.class) {
            (stun::ALLOCATE, Class::Success) => {
                let relayed = message.relayed_address()?;
                let client = self.client(input, dst);
                client.relayed = Some(Endpoint::new(relayed.ip().into(), relayed.port()));
                None
            }
            (stun::CHANNEL_BIND, Class::Request) => {
                let (channel, peer) = message.channel_number().zip(message.peer_address())?;
                let peer = Endpoint::new(peer.ip().into(), peer.port());
                self.client(input, src).bind(channel, peer);
                None
            }
            (stun::SEND, Class::Indication) => {
                let peer = message.peer_address()?;
                let peer = Endpoint::new(peer.ip().into(), peer.port());
                let relay = self.client(input, src).relay(src, peer);
                Some((message.data()?, relay))
            }
            (stun::DATA_INDICATION, Class::Indication) => {
                let peer = message.peer_address()?;
                let peer = Endpoint::new(peer.ip().into(), peer.port());
                let relay = self.client(input, dst).relay(src, peer);
                Some((message.data()?, relay))
            }
            _ => None,
        }
    }

    /// Whether the packet is of a client that is known.
    pub fn knows(&mut self, input: &Input) -> bool {
        self.clients.get(input.flow, input.watermark).is_some()
    }

    /// The addresses outside of what a channel carries; `None` where the channel is not known.
    pub fn channel(&mut self, input: &Input, channel: u16) -> Option<Relay> {
        let client = self.clients.get(input.flow, input.watermark)?;
        let (_, peer) = client.channels.iter().find(|(number, _)| *number == channel)?;
        Some(client.relay(input.packet.src, *peer))
    }

    /// Notes what a stream's addresses are outside; `begins` with its first packet.
    pub fn stream(&mut self, key: StreamKey, relay: Relay, begins: bool) {
        if self.streams.len() < self.cap || self.streams.contains_key(&key) {
            let _before = self.streams.insert(key, relay);
        } else {
            self.refused += u64::from(begins);
        }
    }

    /// Gives an ended stream its addresses outside.
    pub fn end(&mut self, stream: &mut StreamEnded) {
        if !self.streams.is_empty() {
            stream.relay = self.streams.remove(&stream.key);
        }
    }

    fn client(&mut self, input: &Input, client: Endpoint) -> &mut Client {
        let new = || Client {
            addr: client,
            relayed: None,
            channels: [(0, Endpoint::default()); CHANNELS],
            next: 0,
        };
        self.clients.get_or_insert(input.flow, input.watermark, new, &mut |_| {})
    }
}

impl Client {
    fn bind(&mut self, channel: u16, peer: Endpoint) {
        let known = self.channels.iter().position(|(number, _)| *number == channel);
        let place = known.unwrap_or_else(|| usize::from(self.next));
        if known.is_none() {
            self.next = (self.next + 1) & 3;
        }
        if let Some(entry) = self.channels.get_mut(place) {
            *entry = (channel, peer);
        }
    }

    /// What `src` sends, or is sent, from or to `peer`: the client's side is its relayed address, if
    /// that is known.
    fn relay(&self, src: Endpoint, peer: Endpoint) -> Relay {
        let near = self.relayed.unwrap_or(self.addr);
        if src == self.addr {
            Relay { src: near, dst: peer }
        } else {
            Relay { src: peer, dst: near }
        }
    }
}
